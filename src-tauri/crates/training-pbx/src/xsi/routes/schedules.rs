//! `user/{id}/profile/Schedule…` and `services/GroupNightForwarding`: the company's business hours and holidays, which its
//! users can see and not change.
//!
//! Reference, sections 3.1 and 3.4: the list names schedules; each has a document of its own with its events.

use std::collections::BTreeMap;

use crate::acd::schedule::first_of;
use crate::acd::{Opening, Schedule, date_time};
use crate::company::{Holiday, NightMode};
use crate::exchange::Exchange;
use crate::xsi::element::Element;
use crate::xsi::web::{Answer, Outcome, Refusal};

/// Minutes of a day.
const DAY: u32 = 1_440;
/// A Monday from which the weeks of a schedule are counted.
const MONDAY: &str = "2024-01-0";
/// Days as the elements of `recurWeekly` are called, in the order of the schema.
const WEEK: [(&str, u32); 7] = [
    ("sunday", 6),
    ("monday", 0),
    ("tuesday", 1),
    ("wednesday", 2),
    ("thursday", 3),
    ("friday", 4),
    ("saturday", 5),
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `profile/Schedule`, and below it `Time/{name}` and `Holiday/{name}`; `rest` is in lower case.
pub(super) fn schedules(exchange: &Exchange, rest: &[&str]) -> Outcome {
    let night = &exchange.company().night;
    let is = |wanted: &str, name: &str| wanted == name.to_lowercase();
    match rest {
        [] => Ok(Answer::local(list(night))),
        ["time", name] if is(name, &night.schedule) && night.business_hours.is_some() => {
            let events = night.business_hours.iter().flat_map(opening_times);
            Ok(Answer::local(detail(("Time", &night.schedule), events.collect())))
        }
        ["holiday", name] if is(name, &night.holiday_schedule) && !night.holidays.is_empty() => {
            let events = night.holidays.iter().map(holiday);
            Ok(Answer::local(detail(("Holiday", &night.holiday_schedule), events.collect())))
        }
        ["time" | "holiday", name] => {
            Err(Refusal::not_found(format!("There is no schedule {name}")))
        }
        _ => Err(Refusal::not_found("There is no such resource")),
    }
}

/// `GroupNightForwarding` of any user: each follows the company.
pub(super) fn night_forwarding(exchange: &Exchange) -> Element {
    let night = &exchange.company().night;
    Element::new("GroupNightForwarding")
        .field("userNightForwardingMode", "Use Group")
        .all(hours("businessHours", night))
        .all(holidays(night))
}

fn list(night: &NightMode) -> Element {
    Element::new("ScheduleList").all(hours("timeSchedule", night)).all(holidays(night))
}

fn hours(element: &'static str, night: &NightMode) -> Option<Element> {
    night.business_hours.as_ref().map(|_| named(element, &night.schedule))
}

fn holidays(night: &NightMode) -> Option<Element> {
    (!night.holidays.is_empty()).then(|| named("holidaySchedule", &night.holiday_schedule))
}

fn named(element: &'static str, name: &str) -> Element {
    Element::new(element).field("name", name).field("level", "Group")
}

fn detail((kind, name): (&str, &str), events: Vec<Element>) -> Element {
    Element::new("ScheduleDetail")
        .attribute("type", kind)
        .field("name", name)
        .field("level", "Group")
        .with(Element::new("events").all(events))
}

/// Openings of the same hours are one event that comes again on several days of the week.
fn opening_times(schedule: &Schedule) -> Vec<Element> {
    let mut hours: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
    for Opening { from, to } in &schedule.openings {
        let lasts = to.saturating_sub(*from);
        if lasts > 0 && *from < 7 * DAY {
            hours.entry((from % DAY, lasts)).or_default().push(from / DAY);
        }
    }
    hours.into_iter().map(|((start, lasts), days)| weekly(start, lasts, &days)).collect()
}

fn weekly(start: u32, lasts: u32, days: &[u32]) -> Element {
    let first = days.iter().min().copied().unwrap_or(0);
    let day = |after: u32| format!("{MONDAY}{}", 1 + (first + after).min(8));
    let recurs = Element::new("recurWeekly").field("recurInterval", 1);
    let recurs =
        WEEK.iter().fold(recurs, |recurs, &(name, day)| recurs.field(name, days.contains(&day)));
    Element::new("eventDetail")
        .field("eventName", "Open")
        .field("startDate", day(0))
        .with(time("startTime", start))
        .with(time("endTime", (start + lasts) % DAY))
        .field("endDate", day((start + lasts) / DAY))
        .with(Element::new("recurrence").with(recurs).field("recurForEver", true))
}

fn time(element: &'static str, minute: u32) -> Element {
    Element::new(element).field("hour", minute / 60).field("minute", minute % 60)
}

fn holiday(holiday: &Holiday) -> Element {
    let Holiday { name, month, day, days } = holiday;
    let word = MONTHS.get(usize::from(*month).saturating_sub(1)).copied().unwrap_or("January");
    let first = first_of(2024, i64::from(*month)) + i64::from(*day) - 1;
    let date = |after: u8| {
        let date = date_time((first + i64::from(after)) * 86_400);
        format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
    };
    let recurs = Element::new("recurYearlyByDay")
        .field("recurInterval", 1)
        .field("dayOfMonth", day)
        .field("month", word);
    Element::new("eventDetail")
        .field("eventName", name)
        .field("startDate", date(0))
        .field("allDayEvent", true)
        .field("endDate", date(days.saturating_sub(1)))
        .with(Element::new("recurrence").with(recurs).field("recurForEver", true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<'a>(element: &'a Element, name: &str) -> &'a str {
        element.find(name).and_then(|found| found.text.as_deref()).unwrap_or_default()
    }

    #[test]
    fn hours_of_several_days_are_one_event_of_the_week() {
        let mut schedule = Schedule::working_days(8, 17);
        // Saturday, over midnight.
        schedule.openings.push(Opening { from: 5 * DAY + 1_200, to: 6 * DAY + 60 });
        let events = opening_times(&schedule);
        let [days, night] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((text(days, "startDate"), text(days, "endDate")), ("2024-01-01", "2024-01-01"));
        assert_eq!((text(days, "monday"), text(days, "saturday")), ("true", "false"));
        assert_eq!(text(days.find("endTime").unwrap(), "hour"), "17");
        assert_eq!(
            (text(night, "startDate"), text(night, "endDate")),
            ("2024-01-06", "2024-01-07")
        );
        assert_eq!(text(night.find("endTime").unwrap(), "hour"), "1");
        let last = Holiday { name: "Oud en nieuw".to_owned(), month: 12, day: 31, days: 2 };
        let event = holiday(&last);
        assert_eq!(
            (text(&event, "startDate"), text(&event, "endDate")),
            ("2024-12-31", "2025-01-01")
        );
    }
}
