//! How late packets are, how many are lost, and hence how long to wait (in ticks of 1/48000 s).
//!
//! The delay of a packet is measured against the fastest of the last seconds, so neither the true one-way delay nor
//! equal clocks are needed: a drifting clock moves that fastest packet along.

use std::ops::Range;

/// Ticks per second.
pub(crate) const TICKS: i64 = 48_000;
/// Packets that are remembered: those of the horizon at 10 ms each.
const WINDOW: usize = 400;
/// How long they are remembered: what is older says nothing of the network now.
const HORIZON: i64 = 4 * TICKS;
/// With fewer packets a single loss says nothing.
const ENOUGH: i64 = 40;
/// With a shorter memory than this the estimate of before is not undercut: 2.5 s.
const LONG_ENOUGH: i64 = 5 * TICKS / 2;
/// Once packets were lost, more are expected for so long: 20 s. One in a hundred is one in two seconds, and whoever waits
/// for repairs now and then only stretches the sound each time and still misses most of them.
const CAUTION: i64 = 20 * TICKS;
/// Sequence numbers at either end of the memory that may be missing only because packets overtook each other.
const OVERTAKEN: i64 = 8;
/// The estimate to begin with: 60 ms. Too much is given back unheard in the first pause; too little is heard.
const FIRST_GUESS: i64 = TICKS * 3 / 50;

/// One packet's arrival.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    at: i64,
    /// Arrival minus media time.
    transit: i64,
    sequence: i64,
}

/// Statistics of the last arrivals.
#[derive(Debug, Clone)]
pub(crate) struct DelayEstimator {
    arrivals: Vec<Arrival>,
    /// Where the next arrival goes once the window is full.
    oldest: usize,
    scratch: Vec<i64>,
    fastest: i64,
    spread: i64,
    peak: i64,
    guess: i64,
    /// Too little is remembered to do with less than the guess.
    learning: bool,
    lossy: bool,
    /// Until when losses are expected.
    wary_until: i64,
    bursts: bool,
}

impl DelayEstimator {
    pub(crate) fn new() -> Self {
        Self {
            arrivals: Vec::with_capacity(WINDOW),
            oldest: 0,
            scratch: Vec::with_capacity(WINDOW),
            fastest: 0,
            spread: 0,
            peak: 0,
            guess: FIRST_GUESS,
            learning: true,
            lossy: false,
            wary_until: i64::MIN,
            bursts: false,
        }
    }

    /// Another stream over the same network: its times start anew, the spread is kept as a guess.
    pub(crate) fn restart(&mut self) {
        self.arrivals.clear();
        self.oldest = 0;
        self.learning = true;
    }

    /// Takes one arrival; each packet once.
    pub(crate) fn observe(&mut self, at: i64, media: i64, sequence: i64) {
        let arrival = Arrival { at, transit: at - media, sequence };
        if self.arrivals.len() < WINDOW {
            self.arrivals.push(arrival);
        } else if let Some(slot) = self.arrivals.get_mut(self.oldest) {
            *slot = arrival;
            self.oldest = (self.oldest + 1) % WINDOW;
        }
        self.evaluate(at);
    }

    /// Transit of the fastest packet: media time plus this is the earliest time it can be played.
    pub(crate) const fn fastest(&self) -> i64 {
        self.fastest
    }

    /// The delay above the fastest packet that 97 of 100 packets keep within.
    pub(crate) const fn spread(&self) -> i64 {
        self.spread
    }

    /// The delay above the fastest packet that every packet of the last seconds kept within: what is waited longer
    /// than that has been waited in vain for seconds.
    pub(crate) const fn peak(&self) -> i64 {
        self.peak
    }

    /// A delay that should do, while too little is known.
    pub(crate) const fn guess(&self) -> Option<i64> {
        if self.learning { Some(self.guess) } else { None }
    }

    /// Whether packets get lost: 1 % or more of the last seconds', or so lately that more are to be expected.
    pub(crate) const fn lossy(&self) -> bool {
        self.lossy
    }

    /// Whether of the packets that got lost lately most had another lost one behind them.
    pub(crate) const fn bursts(&self) -> bool {
        self.bursts
    }

    fn evaluate(&mut self, now: i64) {
        self.scratch.clear();
        let (mut first, mut last, mut since) = (i64::MAX, i64::MIN, now);
        for arrival in remembered(&self.arrivals, now) {
            self.scratch.push(arrival.transit);
            first = first.min(arrival.sequence);
            last = last.max(arrival.sequence);
            since = since.min(arrival.at);
        }
        let count = self.scratch.len();
        self.fastest = self.scratch.iter().copied().min().unwrap_or_default();
        self.peak = self.scratch.iter().copied().max().unwrap_or_default() - self.fastest;
        let index = (count * 97).div_ceil(100).saturating_sub(1);
        let slow = if index < count { *self.scratch.select_nth_unstable(index).1 } else { 0 };
        self.spread = slow - self.fastest;
        self.learning = now - since < LONG_ENOUGH;
        if !self.learning {
            self.guess = self.spread;
        }
        self.judge_loss(now, first, last);
    }

    /// Counts what is missing between the first and the last, but for the ends, where packets may have overtaken
    /// each other.
    fn judge_loss(&mut self, now: i64, first: i64, last: i64) {
        let within = first.saturating_add(OVERTAKEN)..last.saturating_sub(OVERTAKEN);
        let expected = within.end.saturating_sub(within.start).max(0);
        let received = remembered(&self.arrivals, now).filter(|a| within.contains(&a.sequence));
        let lost = expected.saturating_sub(i64::try_from(received.count()).unwrap_or(i64::MAX));
        // A few packets say nothing; one of fifty would be 2 % already.
        let many = if expected < ENOUGH { lost > 1 } else { lost.saturating_mul(100) >= expected };
        if many && lost > 1 {
            self.wary_until = now + CAUTION;
            self.bursts = self.last_of_bursts(now, &within) * 2 < lost;
        }
        self.lossy = now < self.wary_until;
    }

    /// How many lost packets have one that came behind them.
    fn last_of_bursts(&mut self, now: i64, within: &Range<i64>) -> i64 {
        self.scratch.clear();
        let received = remembered(&self.arrivals, now).map(|arrival| arrival.sequence);
        self.scratch.extend(received.filter(|sequence| within.contains(sequence)));
        self.scratch.sort_unstable();
        let behind = self.scratch.windows(2).filter(|two| matches!(two, [a, b] if b - a > 1));
        i64::try_from(behind.count()).unwrap_or(i64::MAX)
    }
}

/// The arrivals of the last seconds.
fn remembered(arrivals: &[Arrival], now: i64) -> impl Iterator<Item = &Arrival> {
    arrivals.iter().filter(move |arrival| arrival.at >= now - HORIZON)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PTIME: i64 = 960;

    /// Feeds `count` packets from `start` on, each `late(i)` ticks behind the fastest.
    fn feed(estimator: &mut DelayEstimator, start: i64, count: i64, late: impl Fn(i64) -> i64) {
        for i in start..start + count {
            estimator.observe(i * PTIME + 5_000 + late(i), i * PTIME, i);
        }
    }

    #[test]
    fn steady_arrivals_need_no_delay() {
        let mut estimator = DelayEstimator::new();
        assert_eq!(estimator.guess(), Some(FIRST_GUESS));
        feed(&mut estimator, 0, 130, |_| 0);
        assert_eq!(estimator.guess(), None);
        assert_eq!((estimator.fastest(), estimator.spread()), (5_000, 0));
        assert!(!estimator.lossy());
    }

    #[test]
    fn the_slowest_three_percent_are_given_up() {
        let mut estimator = DelayEstimator::new();
        feed(&mut estimator, 0, 200, |i| if i % 50 == 0 { 9_000 } else { 100 * (i % 10) });
        assert_eq!(estimator.spread(), 900);
    }

    #[test]
    fn a_step_is_followed_up_at_once_and_down_in_seconds() {
        let mut estimator = DelayEstimator::new();
        feed(&mut estimator, 0, 200, |_| 0);
        feed(&mut estimator, 200, 20, |i| i % 2 * 2_880);
        assert_eq!(estimator.spread(), 2_880);
        feed(&mut estimator, 220, 250, |_| 0);
        assert_eq!(estimator.spread(), 0);
    }

    #[test]
    fn the_slowest_is_remembered_for_seconds() {
        let mut estimator = DelayEstimator::new();
        feed(&mut estimator, 0, 300, |i| if i == 250 { 9_000 } else { 0 });
        assert_eq!((estimator.spread(), estimator.peak()), (0, 9_000));
        feed(&mut estimator, 300, 130, |_| 0);
        assert_eq!(estimator.peak(), 9_000);
        feed(&mut estimator, 430, 40, |_| 0);
        assert_eq!(estimator.peak(), 0);
    }

    #[test]
    fn overtaking_is_no_loss() {
        let mut estimator = DelayEstimator::new();
        let mut order: Vec<i64> = (0..1_000).collect();
        order.chunks_exact_mut(5).for_each(|five| five.reverse());
        for (n, i) in (0..).zip(order) {
            estimator.observe(n * PTIME, i * PTIME, i);
            assert!(!estimator.lossy());
        }
    }

    #[test]
    fn losses_are_expected_for_a_while_after_they_were_seen() {
        let mut estimator = DelayEstimator::new();
        for i in (0..300).filter(|i| i % 40 != 7) {
            estimator.observe(i * PTIME, i * PTIME, i);
        }
        assert!(estimator.lossy());
        feed(&mut estimator, 300, 900, |_| 0);
        assert!(estimator.lossy());
        feed(&mut estimator, 1_200, 400, |_| 0);
        assert!(!estimator.lossy());
    }

    #[test]
    fn losses_in_bursts_are_told_from_single_ones() {
        let lossy = |lost: fn(i64) -> bool| {
            let mut estimator = DelayEstimator::new();
            // Neighbours overtake each other.
            for i in (0..300).map(|i| i ^ 1).filter(|i| !lost(*i)) {
                estimator.observe(i * PTIME, i * PTIME, i);
            }
            assert!(estimator.lossy());
            estimator.bursts()
        };
        assert!(!lossy(|i| i % 10 == 7));
        assert!(!lossy(|i| [7, 8, 17].contains(&(i % 20))), "two of three are last");
        assert!(lossy(|i| i % 30 < 3));
    }

    #[test]
    fn a_single_loss_is_no_habit() {
        let mut estimator = DelayEstimator::new();
        for i in (0..600).filter(|i| *i != 300) {
            estimator.observe(i * PTIME, i * PTIME, i);
            assert!(!estimator.lossy(), "{i}");
        }
    }

    #[test]
    fn a_drifting_clock_is_no_spread() {
        let mut estimator = DelayEstimator::new();
        feed(&mut estimator, 0, 1_000, |i| i * PTIME / 5_000);
        assert!(estimator.spread() < 48, "{}", estimator.spread());
    }
}
