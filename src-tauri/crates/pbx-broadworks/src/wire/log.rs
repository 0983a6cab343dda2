//! The exchange's log of the user's calls (reference, section 3.3).

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
    let (date, time) = text.split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let in_range = (1970..=9999).contains(&year) && (1..=12).contains(&month);
    if !in_range || !(1..=31).contains(&day) {
        return None;
    }
    let split = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(split);
    let mut clock = clock.splitn(3, ':');
    let hour = bounded(clock.next()?, 23)?;
    let minute = bounded(clock.next()?, 59)?;
    let (second, fraction) = split_fraction(clock.next().unwrap_or("0"))?;
    let seconds =
        days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    u64::try_from(seconds * 1000 + fraction).ok()
}

fn bounded(text: &str, most: i64) -> Option<i64> {
    text.parse().ok().filter(|value| (0..=most).contains(value))
}

/// Seconds, and thousandths.
fn split_fraction(text: &str) -> Option<(i64, i64)> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let thousandths: String = rest.chars().chain("000".chars()).take(3).collect();
    Some((bounded(whole, 60)?, bounded(&thousandths, 999)?))
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.chars().next() {
        None | Some('Z') => return Some(0),
        Some('-') => -1,
        Some(_) => 1,
    };
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let hours = bounded(digits.get(..2)?, 18)?;
    let minutes = bounded(digits.get(2..4).unwrap_or("00"), 59)?;
    Some(sign * (hours * 3600 + minutes * 60))
}

/// Days from 1 January 1970 in the Gregorian calendar, by counting years from March, so that the leap day
/// comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_month = (153 * month + 2) / 5;
    365 * year + year / 4 - year / 100 + year / 400 + before_month + day - 1 - 719_468
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
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
