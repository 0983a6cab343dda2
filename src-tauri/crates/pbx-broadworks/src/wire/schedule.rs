//! Schedules of the user, the group and the enterprise: `profile/Schedule` (reference, section 3.1).
//!
//! The list names them; each has a document of its own with its events. In which root they stand differs, so only
//! the elements that the schema gives names to are looked for.

use percent_encoding::percent_decode_str;

use crate::xml::Element;

/// Most schedules, and most events of one.
const SCHEDULES: usize = 50;
const EVENTS: usize = 500;

/// A schedule in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRef {
    /// Its name.
    pub name: String,
    /// Whose it is, in the server's word: `User`, `Group`, `Enterprise` …
    pub level: String,
    /// Holidays, else business hours.
    pub holidays: bool,
    /// The end of its address behind `profile/Schedule`, part by part, where the list has it.
    pub path: Vec<String>,
}

/// Reads the list.
pub fn read_schedules(root: &Element) -> Vec<ScheduleRef> {
    let mut found = Vec::new();
    collect(root, &mut found);
    found.truncate(SCHEDULES);
    found
}

fn collect(element: &Element, found: &mut Vec<ScheduleRef>) {
    let holidays = match element.name.as_str() {
        "holidaySchedule" => Some(true),
        "timeSchedule" => Some(false),
        "schedule" | "scheduleDetail" => element.attribute("type").map(|kind| kind == "Holiday"),
        _ => None,
    };
    match (holidays, element.text_of("name")) {
        (Some(holidays), Some(name)) => found.push(ScheduleRef {
            name,
            level: element.string("level"),
            holidays,
            path: element.text_of("uri").map(|uri| path_of(&uri)).unwrap_or_default(),
        }),
        _ => element.children.iter().for_each(|child| collect(child, found)),
    }
}

/// What stands behind `profile/Schedule/` in an address.
fn path_of(uri: &str) -> Vec<String> {
    let lower = uri.to_ascii_lowercase();
    let Some(at) = lower.find("profile/schedule/") else { return Vec::new() };
    let rest = uri.get(at + "profile/schedule/".len()..).unwrap_or_default();
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let part = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    rest.split('/').filter(|one| !one.is_empty()).map(part).collect()
}

/// A time in which a schedule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleEvent {
    /// Its name.
    pub name: String,
    /// First day, `2026-01-31`.
    pub start_date: String,
    /// Day on which the first one ends.
    pub end_date: String,
    /// The whole day.
    pub all_day: bool,
    /// Minute of the day.
    pub start: Option<u32>,
    /// Minute of the day.
    pub end: Option<u32>,
    /// When again.
    pub recurrence: Option<ScheduleRecurrence>,
}

/// When an event comes again: the kind by the schema's name for it, and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScheduleRecurrence {
    /// `recurDaily`, `recurWeekly`, `recurMonthlyByDay` …
    pub kind: String,
    /// Every so many days, weeks, months or years.
    pub interval: Option<u32>,
    /// Days of the week, from Monday on.
    pub weekdays: [bool; 7],
    /// Day of the month.
    pub day_of_month: Option<u8>,
    /// `Monday` …
    pub day_of_week: Option<String>,
    /// `First` to `Fourth`, `Last`.
    pub week_of_month: Option<String>,
    /// `January` …
    pub month: Option<String>,
    /// To this day.
    pub end_date: Option<String>,
    /// So many times.
    pub times: Option<u32>,
}

const WEEK: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Reads the events of one schedule.
pub fn read_schedule(root: &Element) -> Vec<ScheduleEvent> {
    let Some(events) = root.anywhere("events") else { return Vec::new() };
    events.all("eventDetail").take(EVENTS).filter_map(event).collect()
}

fn event(one: &Element) -> Option<ScheduleEvent> {
    let minute = |name: &str| {
        let time = one.child(name)?;
        let (hour, minute): (u32, u32) = (time.number("hour")?, time.number("minute")?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let start_date = one.text_of("startDate")?;
    Some(ScheduleEvent {
        name: one.string("eventName"),
        end_date: one.text_of("endDate").unwrap_or_else(|| start_date.clone()),
        start_date,
        all_day: one.boolean("allDayEvent").unwrap_or_default(),
        start: minute("startTime"),
        end: minute("endTime"),
        recurrence: one.child("recurrence").and_then(recurrence),
    })
}

fn recurrence(element: &Element) -> Option<ScheduleRecurrence> {
    let one = element.children.iter().find(|child| {
        let ends = ["recurForEver", "recurEndDate", "recurEndOccurrence"];
        child.name.starts_with("recur") && !ends.contains(&child.name.as_str())
    })?;
    let mut weekdays = [false; 7];
    for (day, name) in weekdays.iter_mut().zip(WEEK) {
        *day = one.boolean(name).unwrap_or_default();
    }
    Some(ScheduleRecurrence {
        kind: one.name.clone(),
        interval: one.number("recurInterval"),
        weekdays,
        day_of_month: one.number("dayOfMonth"),
        day_of_week: one.text_of("dayOfWeek"),
        week_of_month: one.text_of("dayOfWeekInMonth"),
        month: one.text_of("month"),
        end_date: element.text_of("recurEndDate"),
        times: element.number("recurEndOccurrence"),
    })
}
