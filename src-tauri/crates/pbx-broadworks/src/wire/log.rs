//! The exchange's log of the user's calls (reference, section 3.3).

use time::{Date, Month, UtcOffset};

use super::number_of;
use crate::xml::Element;

/// Which of the three lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogList {
    /// The user called.
    Placed,
    /// The user was called and answered.
    Received,
    /// The user was called and did not answer.
    Missed,
}

impl LogList {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Placed, Self::Received, Self::Missed];

    /// Its path below `directories/CallLogs`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Placed => "Placed",
            Self::Received => "Received",
            Self::Missed => "Missed",
        }
    }

    fn element(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Received => "received",
            Self::Missed => "missed",
        }
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Which list it stands in.
    pub list: LogList,
    /// Its name.
    pub id: String,
    /// Name of the other side; empty when not told.
    pub name: String,
    /// Number of the other side; empty when withheld.
    pub number: String,
    /// When, in milliseconds since the Unix epoch.
    pub at: Option<u64>,
}

/// Reads `directories/CallLogs`, whole or one of its lists.
pub fn read_log(root: &Element) -> Vec<LogEntry> {
    let mut entries = Vec::new();
    for list in LogList::ALL {
        let inside = root.listed(list.element(), "callLogsEntry");
        let own = (root.name.eq_ignore_ascii_case(list.element())).then_some(root);
        let own = own.into_iter().flat_map(|root| root.all("callLogsEntry"));
        entries.extend(inside.chain(own).map(|one| LogEntry {
            list,
            id: one.string("callLogId"),
            name: one.string("name"),
            number: number_of(&one.string("phoneNumber")).to_owned(),
            at: one.text_of("time").and_then(|text| milliseconds(&text)),
        }));
    }
    entries
}

/// Reads `directories/EnhancedCallLogs`.
pub fn read_enhanced_log(root: &Element) -> Vec<LogEntry> {
    let mut entries = Vec::new();
    for list in LogList::ALL {
        let inside = root.listed(list.element(), "callLogsEntry");
        let extended = root.listed(list.element(), "enhancedCallLogsExtendedEntry");
        entries.extend(inside.chain(extended).map(|one| enhanced(list, one)));
    }
    entries
}

fn enhanced(list: LogList, one: &Element) -> LogEntry {
    let first =
        |names: &[&str]| names.iter().find_map(|name| one.text_of(name)).unwrap_or_default();
    let (number, name) = match list {
        LogList::Placed => {
            (first(&["connectedNumber", "calledNumber", "dialedNumber"]), first(&["connectedName"]))
        }
        _ => (first(&["callingPresentationNumber"]), first(&["callingPresentationName"])),
    };
    let at = first(&["startTime", "time"]);
    LogEntry {
        list,
        id: one.string("callLogId"),
        name,
        number: number_of(&number).to_owned(),
        at: milliseconds(&at),
    }
}

/// Milliseconds since the Unix epoch: from such a number, or from an ISO date and time with its offset
/// (`2026-03-01T09:05:07.123+01:00`). Without an offset it is taken for UTC.
fn milliseconds(text: &str) -> Option<u64> {
    if text.len() > 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (date, clock) = text.split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-');
    let (year, month) = (date.next()?.parse().ok()?, date.next()?.parse::<u8>().ok()?);
    let month = Month::try_from(month).ok()?;
    let date = Date::from_calendar_date(year, month, date.next()?.parse().ok()?).ok()?;
    let split = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(split);
    let mut clock = clock.splitn(3, ':');
    let (hour, minute) = (clock.next()?.parse().ok()?, clock.next()?.parse().ok()?);
    let (second, thousandths) = split_fraction(clock.next().unwrap_or("0"))?;
    let at = date.with_hms_milli(hour, minute, second, thousandths).ok()?;
    let at = at.assume_offset(offset(zone)?).unix_timestamp_nanos();
    u64::try_from(at / 1_000_000).ok()
}

/// Seconds, and thousandths. A leap second is the one before it.
fn split_fraction(text: &str) -> Option<(u8, u16)> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let thousandths: String = rest.chars().chain("000".chars()).take(3).collect();
    let second = whole.parse::<u8>().ok().filter(|second| *second <= 60)?;
    Some((second.min(59), thousandths.parse().ok()?))
}

fn offset(zone: &str) -> Option<UtcOffset> {
    let sign = match zone.chars().next() {
        None | Some('Z') => return Some(UtcOffset::UTC),
        Some('-') => -1,
        Some(_) => 1,
    };
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let hours: i8 = digits.get(..2)?.parse().ok()?;
    let minutes: i8 = digits.get(2..4).unwrap_or("00").parse().ok()?;
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn times_are_read_with_their_offset() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600_000)),
            ("2026-03-01T09:05:07.123+01:00", Some(1_772_352_307_123)),
            ("2026-03-01T09:05:07+0100", Some(1_772_352_307_000)),
            ("2025-12-31T23:30:00-01:00", Some(1_767_227_400_000)),
            ("2026-03-01T09:05", Some(1_772_355_900_000)),
            ("1763700000000", Some(1_763_700_000_000)),
            ("1969-12-31T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-01-01T25:00:00Z", None),
            ("2026-02-29T12:00:00Z", None),
            ("2016-12-31T23:59:60Z", Some(1_483_228_799_000)),
            ("2026-01-01T12:00:00+99:00", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
