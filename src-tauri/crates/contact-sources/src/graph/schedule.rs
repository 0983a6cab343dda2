//! When colleagues are free: `getSchedule` of Graph, twenty at a time. Only the row of digits is read, one for every five
//! minutes; subjects and places that may stand beside it are not.

use std::fmt::Write as _;

use pbx::centre::Day;
use serde_json::{Value, json};

use super::Place;
use crate::availability::{Availability, Period, Standing, spans};
use crate::http::{Answer, Ask, json as kind};
use crate::source::CallNote;
use crate::{SourceError, limits};

/// Mailboxes of one question (Graph's limit).
pub(crate) const AT_ONCE: usize = 20;
/// Minutes of one digit (Graph's least).
const STEP: u64 = 5;
const MINUTE: u64 = 60_000;
/// Longest time that is asked about: a week.
const LONGEST: u64 = 7 * 24 * 60 * MINUTE;

/// Asks when these are free. The period begins with a step.
pub(crate) fn ask(place: &Place, addresses: &[String], period: Period) -> Ask {
    let (from, to) = bounds(period);
    let time = |ms: u64| json!({"dateTime": written(ms), "timeZone": "UTC"});
    let body = json!({
        "schedules": addresses.get(..AT_ONCE.min(addresses.len())).unwrap_or_default(),
        "startTime": time(from),
        "endTime": time(to),
        "availabilityViewInterval": STEP,
    });
    let url = place.at(&["me", "calendar", "getSchedule"]);
    Ask { method: "POST", url, headers: vec![kind()], body: body.to_string() }
}

/// What is answered, for each that was asked.
pub(crate) fn read(
    answer: &Answer,
    addresses: &[String],
    period: Period,
) -> Result<Vec<Availability>, SourceError> {
    if let Some(fault) = answer.fault() {
        return Err(fault);
    }
    let value: Value = serde_json::from_slice(&answer.body).map_err(|_| SourceError::Malformed)?;
    let told = value.get("value").and_then(Value::as_array).ok_or(SourceError::Malformed)?;
    let (from, to) = bounds(period);
    let most = usize::try_from((to - from) / (STEP * MINUTE)).unwrap_or(0);
    let of = |address: &String| {
        let one = told.iter().find(|one| {
            let id = one.get("scheduleId").and_then(Value::as_str).unwrap_or_default();
            id.eq_ignore_ascii_case(address)
        });
        let view = one.and_then(|one| one.get("availabilityView")).and_then(Value::as_str);
        let steps = view.unwrap_or_default().bytes().take(most).map(standing);
        Availability { address: address.clone(), spans: spans(steps, from, STEP * MINUTE) }
    };
    Ok(addresses.iter().take(AT_ONCE).map(of).collect())
}

/// Writes a note of a call as an event that takes no time and that nobody else sees. The name of the note tells the service
/// that a second try is none (`transactionId`).
pub(crate) fn note(place: &Place, note: &CallNote) -> Ask {
    let time = json!({"dateTime": written(note.at_ms), "timeZone": "UTC"});
    let body = json!({
        "subject": note.who,
        "body": {"contentType": "text", "content": note.text},
        "start": time,
        "end": time,
        "showAs": "free",
        "sensitivity": "private",
        "isReminderOn": false,
        "transactionId": note.uid,
    });
    let url = place.at(&["me", "events"]);
    Ask { method: "POST", url, headers: vec![kind()], body: body.to_string() }
}

/// The address of whoever is signed in.
pub(crate) fn own_address(me: &Value) -> Option<String> {
    let text = |name: &str| me.get(name).and_then(Value::as_str);
    let told = ["mail", "userPrincipalName"].into_iter().filter_map(text);
    told.into_iter().find(|address| address.contains('@')).map(str::to_owned)
}

/// `availabilityView` of `scheduleInformation`.
fn standing(digit: u8) -> Standing {
    match digit {
        b'1' => Standing::Tentative,
        b'2' => Standing::Busy,
        b'3' => Standing::Away,
        b'4' => Standing::Elsewhere,
        _ => Standing::Free,
    }
}

fn bounds(period: Period) -> (u64, u64) {
    let from = period.from_ms - period.from_ms % (STEP * MINUTE);
    (from, period.to_ms.clamp(from + STEP * MINUTE, from + LONGEST))
}

/// `2026-11-26T14:30:00`
fn written(ms: u64) -> String {
    let seconds = ms / 1000;
    let days = i64::try_from(seconds / 86_400).unwrap_or(0);
    let (year, month, day) = Day(days).date();
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    let mut text = String::with_capacity(19);
    // Writing to a string does not fail.
    let _ = write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}", seconds % 60);
    text
}

const _: () = assert!(AT_ONCE <= limits::CARDS_AT_ONCE, "small questions");

#[cfg(test)]
mod tests {
    use super::super::place;
    use super::*;

    /// 26 November 2026, 14:31:07.
    const NOW: u64 = 1_795_703_467_000;

    fn addresses(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("n{n}@zilver.example")).collect()
    }

    fn answer(body: &Value) -> Answer {
        Answer { status: 200, body: body.to_string().into_bytes(), ..Answer::default() }
    }

    fn period() -> Period {
        Period { from_ms: NOW, to_ms: NOW + 8 * 3_600_000 }
    }

    #[test]
    fn no_more_than_twenty_are_asked_about_and_from_a_whole_step_on() {
        let asked = ask(&place(), &addresses(33), period());
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!(body["schedules"].as_array().unwrap().len(), 20);
        assert_eq!(
            body["startTime"],
            json!({"dateTime": "2026-11-26T14:30:00", "timeZone": "UTC"})
        );
        assert_eq!(body["endTime"]["dateTime"], "2026-11-26T22:31:07");
        assert_eq!(asked.url.path(), "/v1.0/me/calendar/getSchedule");
        let ages = Period { from_ms: NOW, to_ms: u64::MAX };
        let body: Value = serde_json::from_str(&ask(&place(), &addresses(1), ages).body).unwrap();
        assert_eq!(body["endTime"]["dateTime"], "2026-12-03T14:30:00");
    }

    #[test]
    fn the_times_are_read_and_what_they_are_about_is_not() {
        let told = json!({"value": [
            {"scheduleId": "N1@zilver.example", "availabilityView": "22230", "scheduleItems": [
                {"subject": "Sollicitatie", "location": "Kamer 3", "isPrivate": true, "status": "busy"}]},
            {"scheduleId": "n0@zilver.example", "error": {"responseCode": "ErrorMailRecipientNotFound"}},
            {"scheduleId": 5}, null,
        ]});
        let found = read(&answer(&told), &addresses(3), period()).unwrap();
        assert_eq!(found.len(), 3);
        assert!(found[0].spans.is_empty() && found[2].spans.is_empty(), "not told");
        let now = found[1].at(NOW).unwrap();
        let start = NOW - NOW % 300_000;
        assert_eq!(
            (now.standing, now.until_ms, now.free_ms),
            (Standing::Busy, Some(start + 900_000), Some(start + 1_200_000))
        );
        assert!(!format!("{found:?}").contains("Sollicitatie"));
    }

    #[test]
    fn ones_own_address_is_the_mailbox_and_else_the_name_of_the_account() {
        let me = json!({"mail": "anna@zilver.example", "userPrincipalName": "a@zilver.example"});
        assert_eq!(own_address(&me).as_deref(), Some("anna@zilver.example"));
        let me = json!({"mail": null, "userPrincipalName": "a@zilver.example"});
        assert_eq!(own_address(&me).as_deref(), Some("a@zilver.example"));
        assert_eq!(own_address(&json!({"mail": 5})), None);
    }

    #[test]
    fn a_note_is_private_takes_no_time_and_has_its_name() {
        let one = CallNote {
            uid: "u-1".into(),
            who: "Jan \"x\"".into(),
            text: "Belt terug".into(),
            at_ms: NOW,
        };
        let asked = note(&place(), &one);
        assert_eq!((asked.method, asked.url.path()), ("POST", "/v1.0/me/events"));
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!(
            (&body["transactionId"], &body["subject"]),
            (&json!("u-1"), &json!("Jan \"x\""))
        );
        assert_eq!((&body["showAs"], &body["sensitivity"]), (&json!("free"), &json!("private")));
        assert_eq!(body["start"], json!({"dateTime": "2026-11-26T14:31:07", "timeZone": "UTC"}));
    }

    #[test]
    fn a_hostile_answer_ends_in_a_clear_error_or_within_limits() {
        let endless = json!({"value": [{"scheduleId": "n0@zilver.example", "availabilityView": "02".repeat(500_000)}]});
        let found = read(&answer(&endless), &addresses(1), period()).unwrap();
        assert!(found[0].spans.len() <= 97, "{}", found[0].spans.len());
        for bad in [json!({}), json!([]), json!({"value": {}})] {
            assert_eq!(read(&answer(&bad), &addresses(1), period()), Err(SourceError::Malformed));
        }
        let denied = Answer { status: 403, ..Answer::default() };
        assert_eq!(read(&denied, &addresses(1), period()), Err(SourceError::Forbidden));
    }
}
