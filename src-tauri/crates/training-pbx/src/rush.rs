//! Callers from outside by the curve of a day: a busy Monday, or a part of it.
//!
//! Inputs: from the control port `set`; from time `due`. States: quiet; running (`next` is set).

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sip_core::Random;

use crate::company::Voice;
use crate::names;
use crate::pbx::CustomerCall;

/// Calls of each hour of a busy Monday, from 0:00 on, for a company of some dozen agents.
const MONDAY: [u32; 24] =
    [1, 1, 1, 1, 1, 2, 6, 24, 90, 150, 132, 108, 66, 84, 102, 90, 66, 30, 12, 8, 6, 4, 2, 1];
/// Nobody calls more often than this.
const FASTEST: Duration = Duration::from_millis(50);
/// When nobody calls for long, it is looked up again.
const SLOWEST: Duration = Duration::from_secs(1_800);

/// How busy it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rush {
    /// Times the calls of the curve; 0: none.
    pub rate: f64,
    /// The numbers that are called, in turn by chance; all queues if left out.
    #[serde(default)]
    pub to: Vec<String>,
    /// Whether the hour is that of the company's clock; the busiest hour all the time otherwise.
    #[serde(default)]
    pub by_clock: bool,
    /// How long a caller waits at least and at most, seconds.
    #[serde(default = "usual_patience")]
    pub patience_s: (u64, u64),
    /// How long a caller talks at least and at most, seconds.
    #[serde(default = "usual_talk")]
    pub talk_s: (u64, u64),
}

fn usual_patience() -> (u64, u64) {
    (20, 240)
}

fn usual_talk() -> (u64, u64) {
    (20, 120)
}

impl Default for Rush {
    fn default() -> Self {
        Self {
            rate: 0.0,
            to: Vec::new(),
            by_clock: false,
            patience_s: usual_patience(),
            talk_s: usual_talk(),
        }
    }
}

/// Draws the callers.
pub(crate) struct Callers {
    random: Random,
    rush: Rush,
    next: Option<Instant>,
}

impl Callers {
    /// A quiet day.
    pub(crate) fn new(random: Random) -> Self {
        Self { random, rush: Rush::default(), next: None }
    }

    /// Sets how busy it is; `second_of_day` is that of the company's clock.
    pub(crate) fn set(&mut self, now: Instant, rush: Rush, second_of_day: u64) {
        tracing::debug!(
            rate = rush.rate,
            "callers, set -> {}",
            if rush.rate > 0.0 { "running" } else { "quiet" }
        );
        self.rush = rush;
        self.next = self.after(now, second_of_day);
    }

    /// When [`Self::due`] is to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// Who calls now, if anybody. `queues` are called when nothing else is said.
    pub(crate) fn due(
        &mut self,
        now: Instant,
        second_of_day: u64,
        queues: &[String],
    ) -> Option<(CustomerCall, Voice)> {
        if self.next.is_none_or(|at| at > now) {
            return None;
        }
        let calls = self.per_hour(second_of_day) > 0.0;
        self.next = self.after(now, second_of_day);
        let targets = if self.rush.to.is_empty() { queues } else { &self.rush.to };
        let last = u64::try_from(targets.len()).unwrap_or(0).checked_sub(1)?;
        let at = usize::try_from(self.random.between(0, last)).unwrap_or(0);
        let to = targets.get(at).filter(|_| calls)?.clone();
        let (voice, name, number) = names::customer(&mut self.random);
        let (least, most) = self.rush.patience_s;
        let patience = self.random.between(least, most);
        let (least, most) = self.rush.talk_s;
        let talk = self.random.between(least, most);
        let call = CustomerCall {
            to,
            name: Some(name),
            number: Some(number),
            patience_s: Some(patience),
            talk_s: Some(talk),
        };
        Some((call, voice))
    }

    fn per_hour(&self, second_of_day: u64) -> f64 {
        let hour = usize::try_from(second_of_day / 3_600 % 24).unwrap_or(0);
        let busiest = MONDAY.iter().copied().max().unwrap_or(0);
        let curve = match self.rush.by_clock {
            true => MONDAY.get(hour).copied().unwrap_or(0),
            false => busiest,
        };
        let rate = if self.rush.rate.is_finite() { self.rush.rate.max(0.0) } else { 0.0 };
        f64::from(curve) * rate
    }

    /// The next call: arrivals that know nothing of each other (exponential distances).
    fn after(&mut self, now: Instant, second_of_day: u64) -> Option<Instant> {
        if !(self.rush.rate.is_finite() && self.rush.rate > 0.0) {
            return None;
        }
        let per_hour = self.per_hour(second_of_day);
        if per_hour <= 0.0 {
            return Some(now + SLOWEST);
        }
        // From 1 to 2^32, so that the logarithm is finite.
        let draw = (f64::from(self.random.u32()) + 1.0) / 4_294_967_296.0;
        let seconds = -draw.ln() * 3_600.0 / per_hour;
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(SLOWEST);
        Some(now + wait.clamp(FASTEST, SLOWEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(rush: Rush, from_s: u64, seconds: u64) -> Vec<CustomerCall> {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        let start = Instant::now();
        let mut callers = Callers::new(Random::from_seed([9; 32]));
        callers.set(start, rush, from_s);
        let end = start + Duration::from_secs(seconds);
        let queues = ["195".to_owned(), "196".to_owned()];
        let mut calls = Vec::new();
        while let Some(at) = callers.poll_timeout().filter(|&at| at < end) {
            let second = from_s + at.duration_since(start).as_secs();
            calls.extend(callers.due(at, second, &queues).map(|(call, _)| call));
        }
        calls
    }

    #[test]
    fn a_monday_has_its_curve() {
        let rush = |rate| Rush { rate, by_clock: true, ..Rush::default() };
        let night = calls(rush(1.0), 3 * 3_600, 3_600).len();
        let morning = calls(rush(1.0), 9 * 3_600, 3_600).len();
        assert!(night < 10, "{night}");
        assert!((110..200).contains(&morning), "{morning}");
        let double = calls(rush(2.0), 9 * 3_600, 3_600).len();
        assert!((250..360).contains(&double), "{double}");
    }

    #[test]
    fn callers_have_names_numbers_and_patience() {
        let rush = Rush { rate: 1.0, patience_s: (5, 9), ..Rush::default() };
        let calls = calls(rush, 0, 3_600);
        assert!((110..200).contains(&calls.len()), "always the busiest hour: {}", calls.len());
        assert!(calls.iter().all(|call| (5..=9).contains(&call.patience_s.unwrap())));
        assert!(calls.iter().any(|call| call.to == "195") && calls.iter().any(|c| c.to == "196"));
        assert!(calls.iter().all(|call| call.number.as_ref().unwrap().starts_with("+31")));
    }

    #[test]
    fn nobody_calls_when_it_is_quiet() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(calls(Rush { rate, ..Rush::default() }, 0, 3_600).is_empty(), "{rate}");
        }
    }
}
