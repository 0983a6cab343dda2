//! Which servers failed lately: they are tried last for a time, and first again afterwards
//! (RFC 3263 section 4.3, RFC 3261 section 21.5.4).
//!
//! Inputs from the owner, who learned them from transactions and sockets: [`Penalties::failed`],
//! [`Penalties::worked`]. Inputs from the clock: the `now` of every call; the owner need not come
//! back at a given time, but [`Penalties::poll_timeout`] tells when a preferred server may be
//! returned to.
//!
//! ```text
//! good --failed--> penalised --time over--> on trial --failed--> penalised, for twice as long
//!   ^                  |                        |
//!   +------worked------+--------- worked -------+
//! ```

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::{Route, Target};

/// How long failures count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PenaltyConfig {
    /// The penalty for a first failure without Retry-After.
    pub first: Duration,
    /// The longest penalty of our own making; each further failure doubles it up to here.
    pub longest: Duration,
    /// A Retry-After above this is taken for this.
    pub longest_retry_after: Duration,
    /// Most targets remembered. When one more fails, the one that is free soonest is forgotten.
    pub targets: usize,
}

/// The servers that failed lately. One is kept by whoever chooses among routes.
///
/// The way to use it: [`order`](Self::order) the routes a name resolved to and take the first;
/// tell each outcome with [`failed`](Self::failed) (no answer in time, 503, transport error) or
/// [`worked`](Self::worked) (any other answer). A target is an address with its transport: when TCP
/// to a server fails, UDP to it is not judged.
#[derive(Debug)]
pub struct Penalties {
    config: PenaltyConfig,
    entries: HashMap<Target, Penalty>,
}

#[derive(Debug, Clone, Copy)]
struct Penalty {
    until: Instant,
    /// How long the next failure costs.
    next: Duration,
    /// When the failures are forgotten, if no more of them come.
    forgotten: Instant,
}

impl Default for PenaltyConfig {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(30),
            longest: Duration::from_secs(8 * 60),
            longest_retry_after: Duration::from_secs(60 * 60),
            targets: 256,
        }
    }
}

impl Default for Penalties {
    fn default() -> Self {
        Self::new(PenaltyConfig::default())
    }
}

impl Penalties {
    /// Nothing has failed yet.
    pub fn new(config: PenaltyConfig) -> Self {
        Self { config, entries: HashMap::new() }
    }

    /// `target` gave no answer in time, answered 503 or could not be reached. `retry_after` is what
    /// a 503 said; it counts instead of the time of our own choice. A second failure within a
    /// penalty (of a request that was already under way) changes nothing, unless it brings a
    /// Retry-After that ends later.
    pub fn failed(&mut self, now: Instant, target: Target, retry_after: Option<Duration>) {
        let asked = retry_after.map(|asked| asked.min(self.config.longest_retry_after));
        let known = self.entries.get(&target).copied().filter(|entry| now < entry.forgotten);
        if let Some(entry) = known.filter(|entry| now < entry.until) {
            let until = entry.until.max(now + asked.unwrap_or_default());
            if until > entry.until {
                self.enter(target, Penalty { until, forgotten: until + entry.next, ..entry }, now);
            }
            return;
        }
        let own = known.map_or(self.config.first, |entry| entry.next);
        let until = now + asked.unwrap_or(own);
        let next = (own * 2).min(self.config.longest);
        self.enter(target, Penalty { until, next, forgotten: until + next }, now);
    }

    /// `target` answered: earlier failures no longer count.
    pub fn worked(&mut self, target: Target) {
        if self.entries.remove(&target).is_some() {
            tracing::debug!("{target} penalised or on trial, worked -> good");
        }
    }

    /// Everything is forgotten: after a change of network the failures of the old one say nothing.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Until when `target` is to be tried after all others; `None` when it is good.
    pub fn until(&self, now: Instant, target: Target) -> Option<Instant> {
        self.entries.get(&target).map(|entry| entry.until).filter(|until| now < *until)
    }

    /// Puts penalised routes behind the good ones, the one that is free soonest first. Good routes
    /// keep their order. None is left out: when all have failed, trying is better than giving up.
    pub fn order(&self, now: Instant, routes: &mut [Route]) {
        // `None` sorts before any time, and the sort is stable.
        routes.sort_by_key(|route| self.until(now, route.target));
    }

    /// When the next penalty ends after `now`: then a preferred server may be tried again. `None`
    /// when nothing is penalised.
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        self.entries.values().map(|entry| entry.until).filter(|until| now < *until).min()
    }

    fn enter(&mut self, target: Target, penalty: Penalty, now: Instant) {
        self.entries.retain(|_, entry| now < entry.forgotten);
        if !self.entries.contains_key(&target) && self.entries.len() >= self.config.targets.max(1) {
            let soonest = self.entries.iter().min_by_key(|(_, entry)| entry.until);
            if let Some(target) = soonest.map(|(target, _)| *target) {
                self.entries.remove(&target);
            }
        }
        let wait = penalty.until.saturating_duration_since(now).as_secs();
        tracing::debug!("{target} failed -> penalised for {wait} s");
        self.entries.insert(target, penalty);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use sip_types::Transport;

    use super::{Penalties, PenaltyConfig};
    use crate::{Route, Target};

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "the start of a test's virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    fn route(last: u8) -> Route {
        let target = Target { transport: Transport::Udp, addr: ([192, 0, 2, last], 5060).into() };
        Route { target, local: ([192, 0, 2, 200], 5060).into() }
    }

    fn ordered(penalties: &Penalties, now: Instant) -> Vec<u8> {
        let mut routes = vec![route(1), route(2), route(3)];
        penalties.order(now, &mut routes);
        let last = |route: &Route| match route.target.addr.ip() {
            std::net::IpAddr::V4(ip) => ip.octets()[3],
            std::net::IpAddr::V6(_) => 0,
        };
        routes.iter().map(last).collect()
    }

    #[test]
    fn a_failed_server_is_tried_last_and_first_again_afterwards() {
        let (mut penalties, now) = (Penalties::default(), start());
        assert_eq!(ordered(&penalties, now), [1, 2, 3]);
        assert_eq!(penalties.poll_timeout(now), None);
        penalties.failed(now, route(1).target, None);
        assert_eq!(ordered(&penalties, now), [2, 3, 1]);
        assert_eq!(penalties.poll_timeout(now), Some(now + 30 * SECOND));
        assert_eq!(ordered(&penalties, now + 29 * SECOND), [2, 3, 1]);
        assert_eq!(ordered(&penalties, now + 30 * SECOND), [1, 2, 3]);
        assert_eq!(penalties.poll_timeout(now + 30 * SECOND), None);
    }

    #[test]
    fn retry_after_counts_within_reason() {
        let (mut penalties, now) = (Penalties::default(), start());
        penalties.failed(now, route(1).target, Some(5 * SECOND));
        assert_eq!(penalties.until(now, route(1).target), Some(now + 5 * SECOND));
        penalties.failed(now, route(2).target, Some(Duration::MAX));
        assert_eq!(penalties.until(now, route(2).target), Some(now + 3600 * SECOND));
        // A 503 that comes while penalised may make it longer, a plain failure may not.
        penalties.failed(now + SECOND, route(1).target, None);
        assert_eq!(penalties.until(now, route(1).target), Some(now + 5 * SECOND));
        penalties.failed(now + SECOND, route(1).target, Some(9 * SECOND));
        assert_eq!(penalties.until(now, route(1).target), Some(now + 10 * SECOND));
    }

    #[test]
    fn failing_again_costs_twice_as_much_up_to_a_bound() {
        let (mut penalties, mut now) = (Penalties::default(), start());
        let mut costs = Vec::new();
        for _ in 0..6 {
            penalties.failed(now, route(1).target, None);
            let until = penalties.until(now, route(1).target).unwrap();
            costs.push(until.duration_since(now).as_secs());
            now = until;
        }
        assert_eq!(costs, [30, 60, 120, 240, 480, 480]);
        penalties.worked(route(1).target);
        penalties.failed(now, route(1).target, None);
        assert_eq!(penalties.until(now, route(1).target), Some(now + 30 * SECOND));
    }

    #[test]
    fn long_past_failures_are_forgotten() {
        let (mut penalties, now) = (Penalties::default(), start());
        penalties.failed(now, route(1).target, None);
        let later = now + 91 * SECOND;
        penalties.failed(later, route(1).target, None);
        assert_eq!(penalties.until(later, route(1).target), Some(later + 30 * SECOND));
        penalties.clear();
        assert_eq!(penalties.until(later, route(1).target), None);
    }

    #[test]
    fn when_all_failed_the_one_free_soonest_is_first() {
        let (mut penalties, now) = (Penalties::default(), start());
        penalties.failed(now, route(3).target, Some(SECOND));
        penalties.failed(now, route(1).target, Some(3 * SECOND));
        penalties.failed(now, route(2).target, Some(2 * SECOND));
        assert_eq!(ordered(&penalties, now), [3, 2, 1]);
        assert_eq!(penalties.poll_timeout(now + SECOND), Some(now + 2 * SECOND));
    }

    #[test]
    fn the_transport_is_part_of_the_target() {
        let (mut penalties, now) = (Penalties::default(), start());
        penalties.failed(now, Target { transport: Transport::Tcp, ..route(1).target }, None);
        assert_eq!(penalties.until(now, route(1).target), None);
    }

    #[test]
    fn memory_is_bounded() {
        let config = PenaltyConfig { targets: 2, ..PenaltyConfig::default() };
        let (mut penalties, now) = (Penalties::new(config), start());
        for last in 1..=3 {
            penalties.failed(now + SECOND * u32::from(last), route(last).target, None);
        }
        let now = now + 4 * SECOND;
        assert_eq!(penalties.until(now, route(1).target), None);
        assert!(penalties.until(now, route(3).target).is_some());
        assert_eq!(penalties.entries.len(), 2);
    }
}
