//! How long a registration waits before it is tried again (RFC 5626 section 4.5, RFC 3263).
//!
//! No state machine: the registration says what happened and asks for the wait. A registration that
//! was held a moment ago is wanted back within seconds, so it is asked for often at first; one that
//! a server keeps refusing is asked for ever less often.

use std::time::{Duration, Instant};

use sip_core::{Penalties, Route, Target};

use crate::shared::Shared;

/// The base of the growing waits.
const BASE: Duration = Duration::from_secs(3);
/// The longest wait that is not asked for by a server.
const LONGEST: Duration = Duration::from_secs(120);
/// How long after a loss the waits do not grow.
const HURRY: Duration = Duration::from_secs(60);
/// The waits of that time.
const HURRIED: (Duration, Duration) = (Duration::from_millis(400), Duration::from_millis(1200));
/// The failures of one registration.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    hurry_until: Option<Instant>,
    penalties: Penalties,
}

impl Backoff {
    /// Everything is well: what failed is forgotten, but for the targets that did.
    pub(crate) fn succeeded(&mut self, target: Target) {
        self.failures = 0;
        self.hurry_until = None;
        self.penalties.worked(target);
    }

    /// The owner or a new network gives every target a new chance.
    pub(crate) fn forgive(&mut self) {
        self.failures = 0;
        self.penalties.clear();
    }

    /// The registration was lost without a word of the server's, or the network is another one.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.hurry_until = Some(now + HURRY);
    }

    /// Whether answers are waited for but briefly.
    pub(crate) fn is_hurried(&self, now: Instant) -> bool {
        self.hurry_until.is_some_and(|until| until > now)
    }

    /// The wait after another attempt that failed at every target; `asked` is the least that the
    /// server wants (Retry-After). `answered`: a server said so, hurrying would not help it.
    pub(crate) fn wait(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        asked: Option<Duration>,
        answered: bool,
    ) -> Duration {
        let usual = if self.is_hurried(now) && !answered {
            shared.delay(HURRIED.0, HURRIED.1)
        } else {
            let longest = (BASE * 2u32.pow(self.failures.min(6))).min(LONGEST);
            self.failures += 1;
            shared.delay(longest / 2, longest)
        };
        asked.map_or(usual, |asked| asked.max(usual))
    }

    /// A target failed: it is tried last for a while, or for as long as it asked for.
    pub(crate) fn punish(&mut self, now: Instant, target: Target, asked: Option<Duration>) {
        self.penalties.failed(now, target, asked);
    }

    /// Until when a target is tried last.
    pub(crate) fn punished_until(&self, now: Instant, target: Target) -> Option<Instant> {
        self.penalties.until(now, target)
    }

    /// Routes in the order to be tried.
    pub(crate) fn order(&self, now: Instant, routes: &mut [Route]) {
        self.penalties.order(now, routes);
    }
}
