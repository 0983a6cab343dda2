//! What can only be read, and what it means at this moment: schedules hold or do not, and make it night.
//!
//! Inputs: the exchange tells facts and the night service; time.

use std::time::Instant;

use super::exchange::{Centre, Change};
use super::schedule::Schedule;
use super::service::{Fact, FactKind, NightService, Service, ServiceKind};

/// Most facts that are kept.
const FACTS: usize = 500;
/// So many changes of schedules are looked at to find when night changes.
const STEPS: usize = 32;

impl Centre {
    /// What can only be read.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    pub(super) fn facts_told(&mut self, now: Instant, facts: Vec<Fact>) {
        self.facts = facts.into_iter().take(FACTS).collect();
        self.judge_facts(now);
    }

    /// When a schedule begins or ends to hold.
    pub(super) fn facts_due(&self) -> Option<Instant> {
        let timed = self.facts.iter().filter(|fact| fact.schedule.is_some());
        timed.filter_map(|fact| fact.until).min().map(|ms| self.clock.at(ms))
    }

    pub(super) fn facts_on_time(&mut self, now: Instant) {
        if self.facts_due().is_some_and(|due| due <= now) {
            self.judge_facts(now);
        }
    }

    /// Says of every schedule whether it holds, and of the night whether it is.
    pub(super) fn judge_facts(&mut self, now: Instant) {
        let ms = self.clock.ms(now);
        let withheld = self.services.get(ServiceKind::WithholdNumber).is_some();
        let withheld = withheld.then(|| self.services.is_active(ServiceKind::WithholdNumber));
        for fact in &mut self.facts {
            if fact.kind == FactKind::NumberPresentation {
                // The number is shown unless the user withholds it.
                fact.in_force = withheld.map(|withheld| !withheld);
            }
            let Some(schedule) = &fact.schedule else { continue };
            let (in_force, until) = match schedule.at(ms) {
                Some((holds, until)) => (Some(holds), until),
                None => (None, None),
            };
            (fact.in_force, fact.until) = (in_force, until);
        }
        self.changed(Change::Services);
        let state = self.services.get(ServiceKind::Night).and_then(|state| state.actual.as_ref());
        let Some(Service::Night(night)) = state else { return };
        let judged = match night.mode {
            Some(on) => Some((on, None)),
            None => self.night_by_schedules(night, ms),
        };
        if let Some((active, until)) = judged
            && self.services.night_is(Some(active), until)
        {
            self.changed(Change::General);
        }
    }

    /// Night is outside business hours, and on holidays. `None`: a schedule is not known.
    fn night_by_schedules(&self, night: &NightService, ms: u64) -> Option<(bool, Option<u64>)> {
        let named = |name: &str, holidays: bool| {
            let mut facts = self.facts.iter().filter(|fact| fact.kind == FactKind::Schedule);
            facts.find_map(|fact| {
                let schedule = fact.schedule.as_ref()?;
                (fact.name == name && schedule.holidays == holidays).then_some(schedule)
            })
        };
        let hours = named(&night.schedule, false)?;
        let holidays = match night.holidays.as_str() {
            "" => &Schedule { holidays: true, zone: hours.zone, openings: Vec::new() },
            name => named(name, true)?,
        };
        let at = |ms: u64| {
            let ((open, until), (holiday, change)) = (hours.at(ms)?, holidays.at(ms)?);
            Some((!open || holiday, [until, change].into_iter().flatten().min()))
        };
        let (active, mut next) = at(ms)?;
        for _ in 0..STEPS {
            let Some(change) = next else { break };
            let (then, following) = at(change)?;
            if then != active {
                return Some((active, Some(change)));
            }
            next = following.filter(|following| *following > change);
        }
        Some((active, None))
    }
}
