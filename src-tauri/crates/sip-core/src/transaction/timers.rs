//! The base values of the transaction timers, and what each letter is made of (RFC 3261 table 4).

use std::time::Duration;

/// The three base values every timer is computed from.
///
/// Timer C belongs to proxies and is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerConfig {
    /// Estimated round-trip time.
    pub t1: Duration,
    /// Longest interval between retransmissions of non-INVITE requests and INVITE responses.
    pub t2: Duration,
    /// How long a message stays in the network.
    pub t4: Duration,
}

impl Default for TimerConfig {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
        }
    }
}

impl TimerConfig {
    /// 64*T1: timers B, F, H, J, L and M, and the wait after a CANCEL (section 9.1).
    pub fn give_up(&self) -> Duration {
        self.t1 * 64
    }

    /// Timer D: how long retransmitted refusals of an INVITE are acknowledged.
    pub(crate) fn d(&self, reliable: bool) -> Duration {
        if reliable { Duration::ZERO } else { self.give_up().max(Duration::from_secs(32)) }
    }

    /// Timers I and K: how long late retransmissions are absorbed.
    pub(crate) fn linger(&self, reliable: bool) -> Duration {
        if reliable { Duration::ZERO } else { self.t4 }
    }

    /// Timer J: how long retransmitted non-INVITE requests are answered again.
    pub(crate) fn j(&self, reliable: bool) -> Duration {
        if reliable { Duration::ZERO } else { self.give_up() }
    }

    /// Twice `interval`, at most T2: timers E and G.
    pub(crate) fn doubled(&self, interval: Duration) -> Duration {
        (interval * 2).min(self.t2)
    }
}
