//! A note of a call in the calendar of Outlook: an appointment that takes no time, reminds of nothing and is private. What the note
//! is called stands in a field of the appointment that people do not use, so that it is not written twice.

use super::reading::{object, session};
use super::{Argument, Automation, Told};
use crate::SourceError;
use crate::source::CallNote;

/// `olFolderCalendar`.
const CALENDAR: i32 = 9;
/// `olFree`.
const FREE: i32 = 0;
/// `olPrivate`.
const PRIVATE: i32 = 2;
/// The field with the name of the note.
const NAME: &str = "BillingInformation";
/// Days from where automation counts (30 December 1899) to the Unix epoch.
const EPOCH_DAYS: f64 = 25_569.0;
const DAY_MS: f64 = 86_400_000.0;

/// Writes it, unless it is there.
pub(super) fn write<A: Automation>(outlook: &mut A, note: &CallNote) -> Result<(), SourceError> {
    // It goes in a filter.
    if !note.uid.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
        return Err(SourceError::Malformed);
    }
    let session = session(outlook)?;
    let calendar = object(outlook, &session, "GetDefaultFolder", &[Argument::Number(CALENDAR)])?;
    let items = object(outlook, &calendar, "Items", &[])?;
    let filter = format!("[{NAME}] = '{}'", note.uid);
    if let Told::Object(_) = outlook.ask(&items, "Find", &[Argument::Text(&filter)])? {
        return Ok(());
    }
    let item = object(outlook, &items, "Add", &[])?;
    let members = [
        (NAME, Argument::Text(&note.uid)),
        ("Subject", Argument::Text(&note.who)),
        ("Body", Argument::Text(&note.text)),
        ("StartUTC", Argument::Time(days(note.at_ms))),
        ("Duration", Argument::Number(0)),
        ("BusyStatus", Argument::Number(FREE)),
        ("Sensitivity", Argument::Number(PRIVATE)),
        ("ReminderSet", Argument::Number(0)),
    ];
    for (member, value) in members {
        outlook.put(&item, member, value)?;
    }
    outlook.ask(&item, "Save", &[]).map(drop)
}

/// A time, milliseconds since the Unix epoch, as automation counts it.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of thousands of years are exact")]
fn days(at_ms: u64) -> f64 {
    EPOCH_DAYS + at_ms as f64 / DAY_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A calendar that records what is put in it.
    #[derive(Default)]
    struct Calendar {
        /// What is not saved yet, and what is.
        fresh: Vec<(String, String)>,
        saved: Vec<Vec<(String, String)>>,
        full: bool,
    }

    impl Automation for Calendar {
        type Object = &'static str;

        fn application(&mut self) -> Result<&'static str, SourceError> {
            Ok("application")
        }

        fn ask(
            &mut self,
            of: &&'static str,
            member: &str,
            arguments: &[Argument<'_>],
        ) -> Result<Told<&'static str>, SourceError> {
            match (*of, member, arguments) {
                ("application", "GetNamespace", [Argument::Text("MAPI")]) => {
                    Ok(Told::Object("session"))
                }
                ("session", "GetDefaultFolder", [Argument::Number(9)]) => {
                    Ok(Told::Object("calendar"))
                }
                ("calendar", "Items", []) => Ok(Told::Object("items")),
                ("items", "Find", [Argument::Text(filter)]) => {
                    let name = filter.strip_prefix("[BillingInformation] = '");
                    let name = name.and_then(|rest| rest.strip_suffix('\'')).unwrap();
                    let has = |item: &Vec<(String, String)>| item[0].1 == name;
                    Ok(if self.saved.iter().any(has) {
                        Told::Object("item")
                    } else {
                        Told::Nothing
                    })
                }
                ("items", "Add", []) => {
                    self.fresh.clear();
                    Ok(Told::Object("item"))
                }
                ("item", "Save", []) if self.full => Err(SourceError::Server(0x8004_0301)),
                ("item", "Save", []) => {
                    self.saved.push(std::mem::take(&mut self.fresh));
                    Ok(Told::Nothing)
                }
                _ => Err(SourceError::NotASource),
            }
        }

        fn put(
            &mut self,
            of: &&'static str,
            member: &str,
            value: Argument<'_>,
        ) -> Result<(), SourceError> {
            assert_eq!(*of, "item");
            let value = match value {
                Argument::Text(text) => text.to_owned(),
                Argument::Number(number) => number.to_string(),
                Argument::Time(days) => format!("{days:.5}"),
            };
            self.fresh.push((member.to_owned(), value));
            Ok(())
        }
    }

    fn note() -> CallNote {
        CallNote {
            uid: "5b1f-01".into(),
            who: "Jan de Wit (030 231 88 00)".into(),
            text: "belt 'maandag'\nterug".into(),
            // 27 November 2026, 12:00 UTC.
            at_ms: 1_795_780_800_000,
        }
    }

    #[test]
    fn a_note_is_an_appointment_that_takes_no_time_and_is_written_once() {
        let mut outlook = Calendar::default();
        write(&mut outlook, &note()).unwrap();
        write(&mut outlook, &note()).unwrap();
        let [item] = outlook.saved.as_slice() else { panic!("{:?}", outlook.saved) };
        let item: Vec<(&str, &str)> =
            item.iter().map(|(member, value)| (member.as_str(), value.as_str())).collect();
        assert_eq!(
            item,
            [
                ("BillingInformation", "5b1f-01"),
                ("Subject", "Jan de Wit (030 231 88 00)"),
                ("Body", "belt 'maandag'\nterug"),
                ("StartUTC", "46353.50000"),
                ("Duration", "0"),
                ("BusyStatus", "0"),
                ("Sensitivity", "2"),
                ("ReminderSet", "0"),
            ]
        );
        write(&mut outlook, &CallNote { uid: "5b1f-02".into(), ..note() }).unwrap();
        assert_eq!(outlook.saved.len(), 2);
    }

    #[test]
    fn what_is_not_saved_is_an_error_and_is_written_the_next_time() {
        let mut outlook = Calendar { full: true, ..Calendar::default() };
        assert_eq!(write(&mut outlook, &note()), Err(SourceError::Server(0x8004_0301)));
        outlook.full = false;
        write(&mut outlook, &note()).unwrap();
        assert_eq!((outlook.saved.len(), outlook.saved[0].len()), (1, 8));
    }

    #[test]
    fn a_name_never_ends_the_filter() {
        let odd = CallNote { uid: "a' OR '1".into(), ..note() };
        assert_eq!(write(&mut Calendar::default(), &odd), Err(SourceError::Malformed));
    }
}
