//! iCalendar (RFC 5545) as far as it is needed: times that are taken, read; a question about them, written. The format is
//! `calcard`'s.

use std::fmt;

use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarClassification, ICalendarComponent, ICalendarComponentType, ICalendarEntry,
    ICalendarFreeBusyType, ICalendarMethod, ICalendarParameterName, ICalendarParameterValue,
    ICalendarPeriod, ICalendarProperty, ICalendarTransparency, ICalendarValue,
};
use pbx::centre::Day;

use crate::availability::{Availability, Period, Standing, laid_out};
use crate::source::CallNote;
use crate::{Excess, SourceError, limits};

/// Who writes these documents (RFC 5545 section 3.7.3).
const PRODUCT: &str = "-//Balie//Calendar//EN";

/// A time that is not free, or said to be.
pub(crate) type Part = (Standing, Period);

/// What a document tells of when somebody is free (RFC 5545 section 3.6.4), within a period. Nothing else of it is read.
///
/// # Errors
/// When it is no such document, or more than is taken.
pub fn read_free_busy(
    document: &[u8],
    address: &str,
    period: Period,
) -> Result<Availability, SourceError> {
    let spans = laid_out(&parts(document)?, period);
    Ok(Availability { address: address.to_owned(), spans })
}

/// The times that a document names.
pub(crate) fn parts(document: &[u8]) -> Result<Vec<Part>, SourceError> {
    if document.len() > limits::FREE_BUSY {
        return Err(SourceError::Excess(Excess::Bytes));
    }
    let text = String::from_utf8_lossy(document);
    let read = ICalendar::parse(text.trim_start()).map_err(|_| SourceError::Malformed)?;
    let mut told = read.components.iter().filter(|one| one.component_type.is_freebusy()).peekable();
    if told.peek().is_none() {
        return Err(SourceError::Malformed);
    }
    let mut parts = Vec::new();
    for entry in told.flat_map(|one| one.properties(&ICalendarProperty::Freebusy)) {
        let standing = standing(entry);
        parts.extend(entry.values.iter().filter_map(period_of).map(|period| (standing, period)));
        if parts.len() > limits::PERIODS {
            return Err(SourceError::Excess(Excess::Records));
        }
    }
    Ok(parts)
}

/// FBTYPE (RFC 5545 section 3.2.9): what is not known is busy, and so is what is not told.
fn standing(entry: &ICalendarEntry) -> Standing {
    match entry.parameter(&ICalendarParameterName::Fbtype) {
        Some(ICalendarParameterValue::Fbtype(kind)) => match kind {
            ICalendarFreeBusyType::Free => Standing::Free,
            ICalendarFreeBusyType::Busy => Standing::Busy,
            ICalendarFreeBusyType::BusyUnavailable => Standing::Away,
            ICalendarFreeBusyType::BusyTentative => Standing::Tentative,
        },
        _ => Standing::Busy,
    }
}

fn period_of(value: &ICalendarValue) -> Option<Period> {
    let ICalendarValue::Period(told) = value else { return None };
    let (from_ms, to_ms) = match told {
        ICalendarPeriod::Range { start, end } => (ms_of(start)?, ms_of(end)?),
        ICalendarPeriod::Duration { start, duration } => {
            let lasts = u64::try_from(duration.as_seconds()).ok()?;
            let from = ms_of(start)?;
            (from, from.saturating_add(lasts.saturating_mul(1000)))
        }
    };
    (from_ms < to_ms).then_some(Period { from_ms, to_ms })
}

/// Milliseconds since the epoch; these times are always UTC.
fn ms_of(time: &PartialDateTime) -> Option<u64> {
    let day = Day::of(i64::from(time.year?), time.month?, time.day?)?;
    let (hour, minute) = (time.hour.unwrap_or(0), time.minute.unwrap_or(0));
    // A leap second is the next one's beginning.
    let second = time.second.unwrap_or(0);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let of_day = u64::from(hour) * 3600 + u64::from(minute) * 60 + u64::from(second);
    Some((u64::try_from(day.0).ok()? * 86_400 + of_day) * 1000)
}

/// A time as iCalendar writes it: `20261126T143000Z`.
pub(crate) fn written(ms: u64) -> String {
    let seconds = ms / 1000;
    let (year, month, day) = Day(i64::try_from(seconds / 86_400).unwrap_or(0)).date();
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{:02}Z", seconds % 60)
}

fn time(ms: u64) -> PartialDateTime {
    PartialDateTime::from_utc_timestamp(i64::try_from(ms / 1000).unwrap_or(0))
}

/// A question to the scheduling outbox: when are these free (RFC 6638 section 5.1)?
pub(crate) fn question(
    uid: &str,
    organizer: &str,
    addresses: &[String],
    period: Period,
) -> impl fmt::Display {
    let mut asked = ICalendarComponent::new(ICalendarComponentType::VFreebusy);
    asked.add_uid(uid);
    asked.add_dtstamp(time(period.from_ms));
    asked.add_property(ICalendarProperty::Dtstart, time(period.from_ms));
    asked.add_property(ICalendarProperty::Dtend, time(period.to_ms));
    asked.add_property(ICalendarProperty::Organizer, organizer);
    for address in addresses {
        asked.add_property(ICalendarProperty::Attendee, format!("mailto:{address}"));
    }
    let mut whole = envelope();
    whole.add_property(ICalendarProperty::Method, ICalendarMethod::Request);
    whole.component_ids.push(1);
    ICalendar { components: vec![whole, asked] }
}

/// A note of a call, as a journal entry (RFC 5545 section 3.6.3), or as an event that takes no time for a calendar that has
/// no journal.
pub(crate) fn note(note: &CallNote, as_journal: bool) -> impl fmt::Display {
    let kind = match as_journal {
        true => ICalendarComponentType::VJournal,
        false => ICalendarComponentType::VEvent,
    };
    let mut entry = ICalendarComponent::new(kind);
    entry.add_uid(&note.uid);
    entry.add_dtstamp(time(note.at_ms));
    entry.add_property(ICalendarProperty::Dtstart, time(note.at_ms));
    entry.add_property(ICalendarProperty::Summary, note.who.as_str());
    entry.add_property(ICalendarProperty::Description, note.text.as_str());
    entry.add_property(ICalendarProperty::Class, ICalendarClassification::Private);
    if !as_journal {
        entry.add_property(ICalendarProperty::Transp, ICalendarTransparency::Transparent);
    }
    let mut whole = envelope();
    whole.component_ids.push(1);
    ICalendar { components: vec![whole, entry] }
}

fn envelope() -> ICalendarComponent {
    let mut whole = ICalendarComponent::new(ICalendarComponentType::VCalendar);
    whole.add_property(ICalendarProperty::Version, "2.0");
    whole.add_property(ICalendarProperty::Prodid, PRODUCT);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 26 November 2026, 14:30.
    const NOW: u64 = 1_795_703_400_000;
    const HOUR: u64 = 3_600_000;

    fn day() -> Period {
        Period { from_ms: NOW, to_ms: NOW + 8 * HOUR }
    }

    fn told(inside: &str) -> Vec<u8> {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VFREEBUSY\r\n{inside}END:VFREEBUSY\r\nEND:VCALENDAR\r\n")
            .into_bytes()
    }

    #[test]
    fn times_are_read_in_both_forms_and_what_they_are_about_is_not() {
        let document = told(
            "SUMMARY:Sollicitatie\r\nFREEBUSY;FBTYPE=BUSY:20261126T140000Z/20261126T150000Z,20261126T160000Z/PT30M\r\n\
             FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261126T145000Z/PT40M\r\nFREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20261126T200000Z/2026\r\n \
             1126T230000Z\r\nFREEBUSY;FBTYPE=FREE:20261126T163000Z/PT1H\r\nFREEBUSY;FBTYPE=X-SPORT:20261126T180000Z/PT1M\r\n",
        );
        let found = read_free_busy(&document, "piet@x.nl", day()).unwrap();
        let spans: Vec<(Standing, u64)> = found
            .spans
            .iter()
            .map(|(standing, span)| (*standing, (span.to_ms - NOW) / 60_000))
            .collect();
        use Standing::{Away, Busy, Free, Tentative};
        let wanted = [
            (Busy, 30),
            (Tentative, 60),
            (Free, 90),
            (Busy, 120),
            (Free, 210),
            (Busy, 211),
            (Free, 330),
            (Away, 480),
        ];
        assert_eq!(spans, wanted);
        assert!(!format!("{found:?}").contains("Sollicitatie"));
        let nothing = read_free_busy(&told(""), "piet@x.nl", day()).unwrap();
        assert_eq!(nothing.spans, [(Free, day())], "nothing is in the way");
    }

    #[test]
    fn what_is_no_such_document_tells_nothing_and_a_huge_one_is_refused() {
        for bad in [
            "",
            "<html>",
            "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
            "BEGIN:VCARD\r\nFN:x\r\nEND:VCARD\r\n",
        ] {
            assert_eq!(parts(bad.as_bytes()), Err(SourceError::Malformed), "{bad}");
        }
        let nonsense = told(
            "FREEBUSY:20261399T990000Z/PT1H,20261126T150000Z/20261126T140000Z,x/y\r\nFREEBUSY:\r\n",
        );
        assert_eq!(parts(&nonsense), Ok(Vec::new()));
        let many = "FREEBUSY:20261126T140000Z/PT1M\r\n".repeat(limits::PERIODS + 1);
        assert_eq!(parts(&told(&many)), Err(SourceError::Excess(Excess::Records)));
        let large = vec![b' '; limits::FREE_BUSY + 1];
        assert_eq!(parts(&large), Err(SourceError::Excess(Excess::Bytes)));
    }

    #[test]
    fn a_question_names_whom_it_is_about_and_when() {
        let people = vec!["piet@x.nl".to_owned(), "kees@x.nl".to_owned()];
        let text = question("u-1", "mailto:jan@x.nl", &people, day()).to_string();
        for line in [
            "METHOD:REQUEST",
            "UID:u-1",
            "DTSTART:20261126T143000Z",
            "DTEND:20261126T223000Z",
            "ORGANIZER:mailto:jan@x.nl",
            "ATTENDEE:mailto:piet@x.nl",
            "ATTENDEE:mailto:kees@x.nl",
        ] {
            assert!(text.lines().any(|one| one.trim_end() == line), "{line} in {text}");
        }
        assert_eq!(written(NOW), "20261126T143000Z");
        assert!(parts(text.as_bytes()).is_ok_and(|parts| parts.is_empty()));
    }

    #[test]
    fn a_note_is_private_takes_no_time_and_stays_one_entry_whatever_is_in_it() {
        let text = "Belt terug;\r\nEND:VEVENT\r\nSUMMARY:vals, 100%".to_owned();
        let one = CallNote { uid: "u-1".into(), who: "Jan, Piet".into(), text, at_ms: NOW };
        for (as_journal, kind) in
            [(true, ICalendarComponentType::VJournal), (false, ICalendarComponentType::VEvent)]
        {
            let written = note(&one, as_journal).to_string();
            let read = ICalendar::parse(&written).unwrap();
            assert_eq!(read.components.len(), 2, "{written}");
            assert_eq!(read.components[1].component_type, kind);
            let value = |name: ICalendarProperty| {
                let found = read.components[1].property(&name)?;
                found.values[0].as_text().map(str::to_owned)
            };
            assert_eq!(value(ICalendarProperty::Summary).as_deref(), Some("Jan, Piet"));
            let described = value(ICalendarProperty::Description).unwrap();
            assert_eq!(described.replace("\r\n", "\n"), one.text.replace("\r\n", "\n"));
            assert!(
                written.contains("CLASS:PRIVATE") && written.contains("DTSTART:20261126T143000Z")
            );
            assert_eq!(written.contains("TRANSP:TRANSPARENT"), !as_journal);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_document_is_survived(text in "(BEGIN:VCALENDAR\n)?(BEGIN:VFREEBUSY\n)?(FREEBUSY(;FBTYPE=[A-Z-]{0,9})?:[0-9TZP/,HMSDW-]{0,60}\n|[A-Z:;=\" \n]{0,12}){0,9}") {
            let _ = read_free_busy(text.as_bytes(), "", day());
        }
    }
}
