//! Schedules of an exchange: business hours and holidays, and whether they hold at a moment.
//!
//! Pure: a schedule is told the time. An exchange writes its schedules in the user's local time, so a schedule
//! knows its zone; where that zone's summer time is not known nothing is said of the moment.

/// Minutes of a day.
const DAY: i64 = 1440;
/// So many days are looked ahead for the next change.
const AHEAD: i64 = 400;
/// An opening that is longer does not say more.
const LONGEST: u32 = 31 * 1440;
/// Most openings of one schedule that are looked at.
const OPENINGS: usize = 500;
/// Days that are gone through to count occurrences.
const COUNTED: i64 = 20_000;

/// A day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    /// A date of the Gregorian calendar; `None` when there is no such day.
    pub fn of(year: i64, month: u8, day: u8) -> Option<Day> {
        let known = (1..=9999).contains(&year) && (1..=12).contains(&month);
        if !known || day == 0 || day > days_of(year, month) {
            return None;
        }
        let before = year - 1;
        let years = before * 365 + before / 4 - before / 100 + before / 400;
        let months: i64 = (1..month).map(|month| i64::from(days_of(year, month))).sum();
        // 1970-01-01 is day 719,162 of a calendar that begins with the year 1.
        Some(Day(years + months + i64::from(day) - 1 - 719_162))
    }

    /// Reads `2026-12-25`, with or without a zone behind it.
    pub fn read(text: &str) -> Option<Day> {
        let text = text.trim().get(..10)?;
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        Day::of(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }

    /// Year, month and day of the month.
    pub fn date(self) -> (i64, u8, u8) {
        let mut year = 1970 + self.0.div_euclid(366);
        while Day::of(year + 1, 1, 1).is_some_and(|first| first <= self) {
            year += 1;
        }
        let mut rest = self.0 - Day::of(year, 1, 1).map_or(0, |first| first.0);
        for month in 1..=12 {
            let days = i64::from(days_of(year, month));
            if rest < days {
                return (year, month, u8::try_from(rest + 1).unwrap_or(1));
            }
            rest -= days;
        }
        (year, 12, 31)
    }

    /// 0: Monday, 6: Sunday.
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        u8::try_from((self.0 + 3).rem_euclid(7)).unwrap_or(0)
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// A zone of Europe, whose summer time is the same everywhere (directive 2000/84/EC): from 1:00 UTC on the last
/// Sunday of March to 1:00 UTC on the last Sunday of October.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Minutes before UTC in winter.
    pub winter: i64,
    /// An hour more in summer.
    pub has_summer: bool,
}

impl Zone {
    /// The zone of a name of the tz database; `None`: not known here.
    pub fn named(name: &str) -> Option<Zone> {
        const WEST: &[&str] = &["Dublin", "Lisbon", "London"];
        const MIDDLE: &[&str] = &[
            "Amsterdam",
            "Andorra",
            "Belgrade",
            "Berlin",
            "Bratislava",
            "Brussels",
            "Budapest",
            "Copenhagen",
            "Luxembourg",
            "Madrid",
            "Malta",
            "Monaco",
            "Oslo",
            "Paris",
            "Prague",
            "Rome",
            "Stockholm",
            "Vaduz",
            "Vienna",
            "Warsaw",
            "Zagreb",
            "Zurich",
        ];
        const EAST: &[&str] = &[
            "Athens",
            "Bucharest",
            "Helsinki",
            "Kiev",
            "Kyiv",
            "Riga",
            "Sofia",
            "Tallinn",
            "Vilnius",
        ];
        let summer = |winter| Some(Zone { winter, has_summer: true });
        match name.trim().strip_prefix("Europe/") {
            Some(city) if WEST.contains(&city) => summer(0),
            Some(city) if MIDDLE.contains(&city) => summer(60),
            Some(city) if EAST.contains(&city) => summer(120),
            None if matches!(name.trim(), "UTC" | "Etc/UTC" | "GMT") => {
                Some(Zone { winter: 0, has_summer: false })
            }
            _ => None,
        }
    }

    /// Minutes before UTC at a moment, minutes since 1970 in UTC.
    fn offset(self, utc: i64) -> i64 {
        let (year, _, _) = Day(utc.div_euclid(DAY)).date();
        let change = |month| {
            let last = Day::of(year, month, 31)?;
            let sunday = last.0 - (i64::from(last.weekday()) + 1) % 7;
            Some(sunday * DAY + 60)
        };
        let summer = match (change(3), change(10)) {
            (Some(from), Some(to)) => self.has_summer && (from..to).contains(&utc),
            _ => false,
        };
        self.winter + if summer { 60 } else { 0 }
    }

    /// Local minutes since 1970 of a moment in milliseconds since 1970.
    fn local(self, ms: u64) -> i64 {
        let utc = i64::try_from(ms / 60_000).unwrap_or(i64::MAX / 2);
        utc + self.offset(utc)
    }

    /// The moment, milliseconds since 1970, of local minutes.
    fn moment(self, local: i64) -> u64 {
        // The offset an hour before and after a change differ by an hour: the second guess is right.
        let guess = local - self.offset(local - self.winter);
        let utc = local - self.offset(guess);
        u64::try_from(utc).unwrap_or(0).saturating_mul(60_000)
    }
}

/// Which day of a month, by weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeekOfMonth {
    /// First to fourth, from 1.
    Nth(u8),
    /// The last one.
    Last,
}

impl WeekOfMonth {
    fn is(self, day: Day) -> bool {
        let (year, month, of_month) = day.date();
        match self {
            WeekOfMonth::Nth(nth) => (of_month - 1) / 7 + 1 == nth,
            WeekOfMonth::Last => of_month + 7 > days_of(year, month),
        }
    }
}

/// On which days an opening comes again. `every` is at least 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recurrence {
    /// Never.
    Once,
    /// Every so many days.
    Daily {
        /// Days between.
        every: u32,
    },
    /// On these days of every so manieth week.
    Weekly {
        /// Weeks between.
        every: u32,
        /// From Monday on.
        days: [bool; 7],
    },
    /// On this day of every so manieth month.
    Monthly {
        /// Months between.
        every: u32,
        /// Which day.
        day: MonthDay,
    },
    /// On this day of this month, every so manieth year.
    Yearly {
        /// Years between.
        every: u32,
        /// 1 to 12.
        month: u8,
        /// Which day.
        day: MonthDay,
    },
}

/// A day of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonthDay {
    /// The day's number.
    Number(u8),
    /// A day of the week, from 0 for Monday, in a week of the month.
    Week(WeekOfMonth, u8),
}

impl MonthDay {
    fn is(self, day: Day) -> bool {
        match self {
            MonthDay::Number(number) => day.date().2 == number,
            MonthDay::Week(week, weekday) => day.weekday() == weekday && week.is(day),
        }
    }
}

/// How long an opening comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// For ever.
    Never,
    /// To this day.
    On(Day),
    /// So many times.
    After(u32),
}

/// A time in which a schedule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its name at the exchange.
    pub name: String,
    /// The first day.
    pub day: Day,
    /// Minute of the day at which it begins.
    pub from: u16,
    /// How long it lasts, minutes.
    pub lasts: u32,
    /// When again.
    pub recurs: Recurrence,
    /// How long.
    pub end: End,
}

impl Opening {
    /// Whether it begins on that day, its end left aside.
    fn recurs_on(&self, day: Day) -> bool {
        let since = day.0 - self.day.0;
        if since <= 0 {
            return since == 0;
        }
        let nth = |distance: i64, every: u32| distance % i64::from(every.max(1)) == 0;
        let ((year, month, _), (first_year, first_month, _)) = (day.date(), self.day.date());
        match &self.recurs {
            Recurrence::Once => false,
            Recurrence::Daily { every } => nth(since, *every),
            Recurrence::Weekly { every, days } => {
                let week = |day: Day| (day.0 - i64::from(day.weekday())).div_euclid(7);
                let weekday = days.get(usize::from(day.weekday())) == Some(&true);
                weekday && nth(week(day) - week(self.day), *every)
            }
            Recurrence::Monthly { every, day: which } => {
                let months = (year - first_year) * 12 + i64::from(month) - i64::from(first_month);
                which.is(day) && nth(months, *every)
            }
            Recurrence::Yearly { every, month: wanted, day: which } => {
                month == *wanted && which.is(day) && nth(year - first_year, *every)
            }
        }
    }

    /// The last day on which it may begin.
    fn last(&self) -> Option<Day> {
        match self.end {
            End::Never => None,
            End::On(day) => Some(day),
            End::After(times) => {
                let days = (self.day.0..self.day.0 + COUNTED).map(Day);
                let mut found = days.filter(|day| self.recurs_on(*day));
                found.nth(usize::try_from(times.saturating_sub(1)).unwrap_or(0))
            }
        }
    }
}

/// Business hours or holidays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Holidays, else business hours.
    pub holidays: bool,
    /// Where its times are those of the clock on the wall; `None`: not known.
    pub zone: Option<Zone>,
    /// When it holds.
    pub openings: Vec<Opening>,
}

impl Schedule {
    /// Whether it holds at that moment (milliseconds since the Unix epoch), and until when that stays so;
    /// `None` for the end: for more than a year. `None`: the zone is not known.
    pub fn at(&self, ms: u64) -> Option<(bool, Option<u64>)> {
        let zone = self.zone?;
        let now = zone.local(ms);
        let mut spans = self.spans(now);
        spans.sort_unstable();
        let mut end = None;
        for (from, to) in &spans {
            match end {
                None if *from <= now && now < *to => end = Some(*to),
                // Openings that follow each other are one.
                Some(until) if *from <= until && until < *to => end = Some(*to),
                _ => {}
            }
        }
        let until = match end {
            Some(until) => Some(until),
            None => spans.iter().map(|(from, _)| *from).find(|from| *from > now),
        };
        let near = until.filter(|until| *until < now + AHEAD * DAY);
        // The hour that comes twice in autumn may put it before now: then it is looked at again in a minute.
        Some((end.is_some(), near.map(|until| zone.moment(until).max(ms + 60_000))))
    }

    /// The times in which it holds, from those that may not be over on, in local minutes.
    fn spans(&self, now: i64) -> Vec<(i64, i64)> {
        let today = now.div_euclid(DAY);
        let mut spans = Vec::new();
        for opening in self.openings.iter().take(OPENINGS) {
            let lasts = i64::from(opening.lasts.min(LONGEST));
            let first = opening.day.0.max(today - lasts / DAY - 1);
            let last = opening.last().map_or(today + AHEAD, |last| last.0.min(today + AHEAD));
            let days = (first..=last).map(Day).filter(|day| opening.recurs_on(*day));
            spans.extend(days.map(|day| {
                let from = day.0 * DAY + i64::from(opening.from);
                (from, from + lasts)
            }));
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(year: i64, month: u8, day: u8, minute: u64) -> u64 {
        u64::try_from(Day::of(year, month, day).unwrap().0).unwrap() * 86_400_000 + minute * 60_000
    }

    fn weekdays() -> Schedule {
        let days = [true, true, true, true, true, false, false];
        let opening = Opening {
            name: "Werkdagen".into(),
            day: Day::of(2024, 1, 1).unwrap(),
            from: 8 * 60,
            lasts: 9 * 60,
            recurs: Recurrence::Weekly { every: 1, days },
            end: End::Never,
        };
        let zone = Zone::named("Europe/Amsterdam");
        Schedule { holidays: false, zone, openings: vec![opening] }
    }

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        assert_eq!(Day::of(1970, 1, 1), Some(Day(0)));
        assert_eq!(Day::of(2000, 3, 1), Some(Day(11_017)));
        assert_eq!(Day::of(2026, 2, 29), None);
        for day in (-800..60_000).step_by(17) {
            let (year, month, of_month) = Day(day).date();
            assert_eq!(Day::of(year, month, of_month), Some(Day(day)), "{day}");
        }
        assert_eq!(Day::of(2026, 11, 26).unwrap().weekday(), 3, "a Thursday");
        assert_eq!(Day::read("2026-12-25+01:00"), Day::of(2026, 12, 25));
        for bad in ["", "2026-13-01", "25-12-2026", "2026-1-1", "é026-01-01"] {
            assert_eq!(Day::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn business_hours_are_those_of_the_clock_on_the_wall() {
        let hours = weekdays();
        // Winter: 8:00 in Amsterdam is 7:00 UTC.
        assert_eq!(
            hours.at(ms(2026, 1, 14, 6 * 60 + 59)),
            Some((false, Some(ms(2026, 1, 14, 420))))
        );
        assert_eq!(hours.at(ms(2026, 1, 14, 7 * 60)), Some((true, Some(ms(2026, 1, 14, 16 * 60)))));
        // Summer: 6:00 UTC.
        assert_eq!(hours.at(ms(2026, 7, 14, 6 * 60)), Some((true, Some(ms(2026, 7, 14, 15 * 60)))));
        // On Friday evening until Monday; summer time begins on that Sunday.
        let friday = ms(2026, 3, 27, 20 * 60);
        assert_eq!(hours.at(friday), Some((false, Some(ms(2026, 3, 30, 6 * 60)))));
    }

    #[test]
    fn openings_that_follow_each_other_are_one() {
        let mut hours = weekdays();
        let evening = Opening { from: 17 * 60, lasts: 60, ..hours.openings[0].clone() };
        hours.openings.push(evening);
        assert_eq!(hours.at(ms(2026, 1, 14, 9 * 60)), Some((true, Some(ms(2026, 1, 14, 17 * 60)))));
    }

    #[test]
    fn holidays_come_every_year_or_for_some_days() {
        let day = |year, month, day, lasts: u32, recurs, end| Opening {
            name: String::new(),
            day: Day::of(year, month, day).unwrap(),
            from: 0,
            lasts,
            recurs,
            end,
        };
        let christmas = Recurrence::Yearly { every: 1, month: 12, day: MonthDay::Number(25) };
        let last_monday = MonthDay::Week(WeekOfMonth::Last, 0);
        let openings = vec![
            day(2020, 12, 25, 2880, christmas, End::Never),
            day(
                2026,
                5,
                25,
                1440,
                Recurrence::Monthly { every: 1, day: last_monday },
                End::After(2),
            ),
            day(
                2026,
                8,
                3,
                1440,
                Recurrence::Daily { every: 2 },
                End::On(Day::of(2026, 8, 7).unwrap()),
            ),
        ];
        let zone = Some(Zone { winter: 0, has_summer: false });
        let holidays = Schedule { holidays: true, zone, openings };
        let holds = |year, month, day| holidays.at(ms(year, month, day, 600)).unwrap().0;
        assert!(holds(2026, 12, 25) && holds(2030, 12, 26) && !holds(2026, 12, 27));
        assert!(holds(2026, 5, 25) && holds(2026, 6, 29) && !holds(2026, 7, 27), "twice");
        assert!(holds(2026, 8, 3) && !holds(2026, 8, 4) && holds(2026, 8, 7) && !holds(2026, 8, 9));
    }

    #[test]
    fn nothing_is_said_where_the_zone_is_not_known() {
        let hours = Schedule { zone: Zone::named("America/New_York"), ..weekdays() };
        assert_eq!(hours.at(ms(2026, 1, 14, 600)), None);
        let never = Schedule { openings: Vec::new(), ..weekdays() };
        assert_eq!(never.at(ms(2026, 1, 14, 600)), Some((false, None)));
    }
}
