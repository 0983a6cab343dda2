//! The wire between the desk and the exchange: it loses, repeats, delays and so reorders datagrams, and is gone for a while.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use sip_core::Random;

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    ToExchange,
    ToDesk,
}

/// What the wire does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    /// Datagrams that are lost, per thousand.
    pub(crate) lost: u64,
    /// That come twice, per thousand.
    pub(crate) twice: u64,
    /// The longest delay, milliseconds.
    pub(crate) delay: u64,
    /// That are delayed by far more, per thousand.
    pub(crate) late: u64,
}

impl Weather {
    pub(crate) const CALM: Weather = Weather { lost: 0, twice: 0, delay: 4, late: 0 };

    pub(crate) fn of(random: &mut Random) -> Weather {
        match random.between(0, 3) {
            0 => Weather::CALM,
            1 => Weather { lost: 30, twice: 20, delay: 40, late: 20 },
            2 => Weather { lost: 120, twice: 60, delay: 150, late: 60 },
            _ => Weather { lost: 250, twice: 100, delay: 400, late: 100 },
        }
    }
}

/// A time without a link, one way or both.
#[derive(Debug, Clone, Copy)]
struct Gap {
    from: Instant,
    until: Instant,
    only: Option<Way>,
}

/// A datagram on its way: when it is there, its place in the order of sending, which way, what.
type Parcel = (Instant, u64, Way, Vec<u8>);

pub(crate) struct Wire {
    pub(crate) weather: Weather,
    gaps: Vec<Gap>,
    /// Datagrams on the way, the next first.
    parcels: BinaryHeap<Reverse<Parcel>>,
    sent: u64,
    random: Random,
    /// Datagrams that a gap has swallowed.
    pub(crate) swallowed: u64,
}

impl Wire {
    pub(crate) fn new(weather: Weather, random: Random) -> Wire {
        let (gaps, parcels) = (Vec::new(), BinaryHeap::new());
        Wire { weather, gaps, parcels, sent: 0, random, swallowed: 0 }
    }

    /// The link goes away for a while.
    pub(crate) fn cut(&mut self, now: Instant) -> Duration {
        let lasts = match self.random.between(0, 2) {
            0 => self.random.between(500, 4_000),
            1 => self.random.between(4_000, 20_000),
            _ => self.random.between(20_000, 60_000),
        };
        let only = match self.random.between(0, 5) {
            0 => Some(Way::ToDesk),
            1 => Some(Way::ToExchange),
            _ => None,
        };
        let lasts = Duration::from_millis(lasts);
        self.gaps.push(Gap { from: now, until: now + lasts, only });
        lasts
    }

    /// Everything is well from now on.
    pub(crate) fn mend(&mut self) {
        self.gaps.clear();
        self.weather = Weather::CALM;
    }

    pub(crate) fn take(&mut self, now: Instant, way: Way, bytes: &[u8]) {
        let gone = |gap: &Gap| {
            (gap.from..gap.until).contains(&now) && gap.only.is_none_or(|only| only == way)
        };
        if self.gaps.iter().any(gone) {
            self.swallowed += 1;
            return;
        }
        let Weather { lost, twice, delay, late } = self.weather;
        let copies = 1 + u64::from(self.chance(twice));
        for _ in 0..copies {
            if self.chance(lost) {
                continue;
            }
            let mut after = self.random.between(0, delay);
            if self.chance(late) {
                after += self.random.between(200, 3_000);
            }
            self.sent += 1;
            let due = now + Duration::from_millis(after);
            self.parcels.push(Reverse((due, self.sent, way, bytes.to_vec())));
        }
    }

    /// The next datagram that arrives.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<(Way, Vec<u8>)> {
        if self.next().is_none_or(|due| due > now) {
            return None;
        }
        self.parcels.pop().map(|Reverse((_, _, way, bytes))| (way, bytes))
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.parcels.peek().map(|Reverse((due, ..))| *due)
    }

    fn chance(&mut self, per_thousand: u64) -> bool {
        self.random.between(0, 999) < per_thousand
    }
}
