//! What a user of BroadWorks can read and not change: schedules, menus, hunt groups, the number that is shown.
//!
//! The interface has no resource for hunt groups and menus: the group's directory names them and their numbers, and
//! nothing tells who belongs to them.

use pbx::centre::{
    Day, End, Fact, FactKind, HuntGroup, Input, MonthDay, Opening, Recurrence, Schedule,
    WeekOfMonth, Zone,
};

use super::read::Reader;
use crate::{
    Search, XsiError,
    wire::{DirectoryKind, PersonEntry, Profile, ScheduleEvent, ScheduleRecurrence, VirtualUser},
};

/// Minutes of a day.
const DAY: i64 = 1440;

impl Reader {
    /// Tells everything that can only be read.
    pub(super) async fn facts(&self, profile: &Profile) -> Result<(), XsiError> {
        let groups = self.things(&VirtualUser::HuntGroup).await?;
        self.tell(Input::HuntGroups(groups.iter().map(group).collect())).await;
        let menus = self.things(&VirtualUser::AutoAttendant).await?;
        let mut facts: Vec<Fact> = menus.iter().map(menu).collect();
        facts.extend(shown_number(profile));
        let zone = profile.time_zone.as_deref().and_then(Zone::named);
        for one in self.optional(self.actions.schedules()).await?.unwrap_or_default() {
            let events = self.optional(self.actions.schedule(&one)).await?;
            let schedule = events.map(|events| schedule(&events, one.holidays, zone));
            facts.push(Fact {
                kind: FactKind::Schedule,
                name: one.name,
                value: one.level,
                in_force: None,
                until: None,
                schedule,
            });
        }
        self.tell(Input::Facts(facts)).await;
        Ok(())
    }

    /// What the group has of one kind besides people.
    async fn things(&self, kind: &VirtualUser) -> Result<Vec<PersonEntry>, XsiError> {
        let search = Search { first_name: kind.to_string(), ..Search::default() };
        let page = self.optional(self.actions.people(DirectoryKind::Group, &search, 1)).await?;
        let found = page.map(|page| page.entries).unwrap_or_default();
        Ok(found.into_iter().filter(|one| VirtualUser::of(&one.first_name) == *kind).collect())
    }
}

fn number(entry: &PersonEntry) -> &str {
    if entry.extension.is_empty() { &entry.number } else { &entry.extension }
}

fn group(entry: &PersonEntry) -> HuntGroup {
    HuntGroup {
        id: entry.user_id.clone(),
        name: entry.last_name.clone(),
        number: number(entry).to_owned(),
        policy: None,
        members: Vec::new(),
        next: None,
        told: false,
        joined: false,
        may_leave: false,
    }
}

fn menu(entry: &PersonEntry) -> Fact {
    Fact {
        kind: FactKind::Menu,
        name: entry.last_name.clone(),
        value: number(entry).to_owned(),
        in_force: None,
        until: None,
        schedule: None,
    }
}

/// The number that the called see, unless it is withheld. Without one of his own a user shows his extension
/// inside; what is shown outside is then the operator's affair.
fn shown_number(profile: &Profile) -> Option<Fact> {
    let value = if profile.number.is_empty() { &profile.extension } else { &profile.number };
    (!value.is_empty()).then(|| Fact {
        kind: FactKind::NumberPresentation,
        name: profile.name(),
        value: value.clone(),
        in_force: None,
        until: None,
        schedule: None,
    })
}

fn schedule(events: &[ScheduleEvent], holidays: bool, zone: Option<Zone>) -> Schedule {
    Schedule { holidays, zone, openings: events.iter().filter_map(opening).collect() }
}

fn opening(event: &ScheduleEvent) -> Option<Opening> {
    let day = Day::read(&event.start_date)?;
    let days = Day::read(&event.end_date)?.0 - day.0;
    let (from, to) = match event.all_day {
        true => (0, 1440),
        false => (event.start?, event.end?),
    };
    let lasts = days.max(0) * DAY + i64::from(to) - i64::from(from);
    let (recurs, end) = match &event.recurrence {
        Some(recurrence) => (recurs(recurrence, day)?, end(recurrence)),
        None => (Recurrence::Once, End::Never),
    };
    Some(Opening {
        name: event.name.clone(),
        day,
        from: u16::try_from(from).ok()?,
        lasts: u32::try_from(lasts).ok().filter(|lasts| *lasts > 0)?,
        recurs,
        end,
    })
}

fn end(recurrence: &ScheduleRecurrence) -> End {
    match (recurrence.end_date.as_deref().and_then(Day::read), recurrence.times) {
        (Some(day), _) => End::On(day),
        (None, Some(times)) => End::After(times),
        (None, None) => End::Never,
    }
}

/// `None`: a kind that is not known, or one without what it needs.
fn recurs(told: &ScheduleRecurrence, first: Day) -> Option<Recurrence> {
    let every = told.interval.unwrap_or(1).max(1);
    let week = || Some(MonthDay::Week(week_of_month(told)?, day_of_week(told)?));
    let month = || told.month.as_deref().and_then(|name| place(&MONTHS, name)).map(|at| at + 1);
    Some(match told.kind.as_str() {
        "recurDaily" => Recurrence::Daily { every },
        "recurWeekly" => {
            let mut days = told.weekdays;
            // A week without days means the day on which it begins.
            if days == [false; 7] {
                *days.get_mut(usize::from(first.weekday()))? = true;
            }
            Recurrence::Weekly { every, days }
        }
        "recurMonthlyByDay" => {
            Recurrence::Monthly { every, day: MonthDay::Number(told.day_of_month?) }
        }
        "recurMonthlyByWeek" => Recurrence::Monthly { every, day: week()? },
        "recurYearlyByDay" => {
            let day = MonthDay::Number(told.day_of_month?);
            Recurrence::Yearly { every, month: month()?, day }
        }
        "recurYearlyByWeek" => Recurrence::Yearly { every, month: month()?, day: week()? },
        _ => return None,
    })
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn place(words: &[&str], word: &str) -> Option<u8> {
    let found = words.iter().position(|one| one.eq_ignore_ascii_case(word.trim()))?;
    u8::try_from(found).ok()
}

fn day_of_week(told: &ScheduleRecurrence) -> Option<u8> {
    place(&DAYS, told.day_of_week.as_deref()?)
}

fn week_of_month(told: &ScheduleRecurrence) -> Option<WeekOfMonth> {
    let word = told.week_of_month.as_deref()?;
    match place(&["first", "second", "third", "fourth"], word) {
        Some(nth) => Some(WeekOfMonth::Nth(nth + 1)),
        None => word.trim().eq_ignore_ascii_case("last").then_some(WeekOfMonth::Last),
    }
}

#[cfg(test)]
mod tests {
    use pbx::centre::{Day, End, MonthDay, Recurrence, WeekOfMonth};

    use super::opening;
    use crate::{wire::read_schedule, xml};

    #[test]
    fn events_become_openings() {
        let text = "<ScheduleDetail type='Time'><name>Kantoor</name><events>\
            <eventDetail><eventName>Werkdagen</eventName><startDate>2024-01-01</startDate>\
            <startTime><hour>8</hour><minute>30</minute></startTime><endTime><hour>17</hour><minute>0</minute></endTime>\
            <endDate>2024-01-01</endDate><recurrence><recurWeekly><recurInterval>1</recurInterval><sunday>false</sunday>\
            <monday>true</monday><friday>true</friday></recurWeekly><recurForEver>true</recurForEver></recurrence></eventDetail>\
            <eventDetail><eventName>Kerst</eventName><startDate>2024-12-25+01:00</startDate><allDayEvent>true</allDayEvent>\
            <endDate>2024-12-26+01:00</endDate><recurrence><recurYearlyByDay><dayOfMonth>25</dayOfMonth><month>December</month>\
            </recurYearlyByDay><recurEndOccurrence>3</recurEndOccurrence></recurrence></eventDetail>\
            <eventDetail><startDate>2024-05-06</startDate><allDayEvent>true</allDayEvent><endDate>2024-05-06</endDate>\
            <recurrence><recurMonthlyByWeek><dayOfWeekInMonth>Last</dayOfWeekInMonth><dayOfWeek>Monday</dayOfWeek>\
            </recurMonthlyByWeek><recurEndDate>2025-01-01</recurEndDate></recurrence></eventDetail>\
            <eventDetail><startDate>morgen</startDate><allDayEvent>true</allDayEvent></eventDetail>\
            <eventDetail><startDate>2024-05-06</startDate><allDayEvent>true</allDayEvent><endDate>2024-05-06</endDate>\
            <recurrence><recurLunar/></recurrence></eventDetail></events></ScheduleDetail>";
        let root = xml::read(text.as_bytes(), None).unwrap();
        let openings: Vec<_> = read_schedule(&root).iter().filter_map(opening).collect();
        let [hours, christmas, monday] = openings.as_slice() else { panic!("{openings:?}") };
        let days = [true, false, false, false, true, false, false];
        assert_eq!((hours.name.as_str(), hours.from, hours.lasts), ("Werkdagen", 510, 510));
        assert_eq!(hours.recurs, Recurrence::Weekly { every: 1, days });
        assert_eq!((christmas.lasts, christmas.end), (2880, End::After(3)));
        let number = MonthDay::Number(25);
        assert_eq!(christmas.recurs, Recurrence::Yearly { every: 1, month: 12, day: number });
        let last = MonthDay::Week(WeekOfMonth::Last, 0);
        assert_eq!(monday.recurs, Recurrence::Monthly { every: 1, day: last });
        assert_eq!(monday.end, End::On(Day::of(2025, 1, 1).unwrap()));
    }
}
