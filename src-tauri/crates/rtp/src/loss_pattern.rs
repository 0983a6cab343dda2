//! How packets are lost: alone or in bursts (RFC 3611, 4.7.2 and its appendix A.2).
//!
//! Input: each packet's sequence number, and whether its sound could be used. A packet is counted as lost only when the
//! thirty-two after it have come, so that one that was overtaken is not.

/// A burst ends where that many packets in sequence were good (Gmin).
pub(crate) const GOOD_IN_SEQUENCE: u8 = 16;
/// Packets whose fate is still open.
const OPEN: u16 = 32;
/// A greater step than this is another stream's, or another beginning.
const LONGEST_STEP: u16 = 1_000;

/// Shares and mean lengths of a stream's losses since it began.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LossSummary {
    /// Packets whose fate is known.
    pub packets: u64,
    /// Share that never came, 0 to 1.
    pub lost: f32,
    /// Share that came too late to be played, 0 to 1.
    pub discarded: f32,
    /// Share lost or discarded within bursts, 0 to 1; 0 without bursts.
    pub burst_density: f32,
    /// Share lost or discarded between bursts, 0 to 1.
    pub gap_density: f32,
    /// Mean length of a burst, in packets; 0 without bursts.
    pub burst_packets: f32,
    /// Mean length of the gaps between them, in packets.
    pub gap_packets: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Good,
    Lost,
    Discarded,
}

/// Counts the losses of one stream in the order in which they were sent.
#[derive(Debug, Clone, Default)]
pub struct LossPattern {
    newest: Option<u16>,
    /// Bit n: the packet n before the newest has come; and its sound could be used.
    came: u64,
    useful: u64,
    /// Packets before the newest whose fate is open.
    open: u16,
    good: u64,
    lost: u64,
    discarded: u64,
    /// Good packets since the last bad one.
    run: u64,
    /// Bad ones in the present burst.
    in_burst: u64,
    c11: u64,
    c13: u64,
    c14: u64,
    c22: u64,
    c23: u64,
    c33: u64,
}

impl LossPattern {
    /// Takes a packet; `used`: it came in time to be played.
    pub fn observe(&mut self, sequence: u16, used: bool) {
        let Some(newest) = self.newest else { return self.begin(sequence, used) };
        let ahead = sequence.wrapping_sub(newest);
        let behind = newest.wrapping_sub(sequence);
        if ahead == 0 {
            return;
        }
        if ahead <= LONGEST_STEP {
            for _ in 0..ahead {
                self.step();
            }
            self.newest = Some(sequence);
            self.mark(0, used);
        } else if behind <= self.open {
            self.mark(behind, used);
        } else if behind > LONGEST_STEP {
            self.begin(sequence, used);
        }
    }

    /// What is known so far; `None` before anything is.
    pub fn summary(&self) -> Option<LossSummary> {
        let packets = self.good + self.lost + self.discarded;
        if packets == 0 {
            return None;
        }
        // What lies between the last loss and now is a gap once it is long enough, and nothing yet before.
        let c11 = self.c11 + if self.run >= u64::from(GOOD_IN_SEQUENCE) { self.run } else { 0 };
        let (c13, c14) = self.ended();
        let gap = c11 + c14 + c13;
        let burst = self.c22 + 2 * self.c23 + self.c33 + c13;
        let into_good = share(self.c23, c13 + self.c23 + self.c33);
        let into_bad = 1.0 - share(self.c22, self.c22 + self.c23);
        let bursts = c13 > 0;
        Some(LossSummary {
            packets,
            lost: share(self.lost, packets),
            discarded: share(self.discarded, packets),
            burst_density: if bursts { into_bad / (into_bad + into_good) } else { 0.0 },
            gap_density: share(c14, c11 + c14),
            burst_packets: if bursts { share(burst, c13) } else { 0.0 },
            gap_packets: share(gap, c13.max(1)),
        })
    }

    fn begin(&mut self, sequence: u16, used: bool) {
        (self.newest, self.open) = (Some(sequence), 0);
        (self.came, self.useful) = (0, 0);
        self.mark(0, used);
    }

    fn mark(&mut self, behind: u16, used: bool) {
        self.came |= 1 << behind;
        self.useful |= u64::from(used) << behind;
    }

    /// One further in the sequence; the oldest open packet's fate is known then.
    fn step(&mut self) {
        if self.open == OPEN {
            let bit = 1 << OPEN;
            let fate = match (self.came & bit != 0, self.useful & bit != 0) {
                (true, true) => Fate::Good,
                (true, false) => Fate::Discarded,
                (false, _) => Fate::Lost,
            };
            self.count(fate);
        } else {
            self.open += 1;
        }
        (self.came, self.useful) = (self.came << 1, self.useful << 1);
    }

    fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Good => {
                self.good += 1;
                self.run += 1;
                return;
            }
            Fate::Lost => self.lost += 1,
            Fate::Discarded => self.discarded += 1,
        }
        if self.run >= u64::from(GOOD_IN_SEQUENCE) || self.in_burst == 0 {
            (self.c13, self.c14) = self.ended();
            self.in_burst = 1;
            self.c11 += self.run;
        } else {
            self.in_burst += 1;
            if self.run == 0 {
                self.c33 += 1;
            } else {
                self.c23 += 1;
                self.c22 += self.run - 1;
            }
        }
        self.run = 0;
    }

    /// Bursts and single losses with the latest among them.
    fn ended(&self) -> (u64, u64) {
        match self.in_burst {
            0 => (self.c13, self.c14),
            1 => (self.c13, self.c14 + 1),
            _ => (self.c13 + 1, self.c14),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "shares and means")]
fn share(part: u64, whole: u64) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(packets: u16, came: impl Fn(u16) -> bool) -> LossSummary {
        let mut pattern = LossPattern::default();
        for n in (0..packets).filter(|n| came(*n)) {
            pattern.observe(n.wrapping_add(65_000), true);
        }
        pattern.summary().unwrap()
    }

    #[test]
    fn nothing_lost_is_one_long_gap() {
        let summary = after(1_000, |_| true);
        assert_eq!((summary.lost, summary.gap_density, summary.burst_density), (0.0, 0.0, 0.0));
        assert_eq!(summary.packets, 1_000 - 1 - u64::from(OPEN));
        assert_eq!(summary.gap_packets, 967.0);
    }

    #[test]
    fn single_losses_are_no_bursts() {
        let summary = after(2_000, |n| n % 50 != 20);
        assert!((summary.lost - 0.02).abs() < 0.001, "{summary:?}");
        assert!((summary.gap_density - 0.02).abs() < 0.001, "{summary:?}");
        assert_eq!((summary.burst_density, summary.burst_packets), (0.0, 0.0));
    }

    #[test]
    fn bursts_are_told_from_the_gaps_between_them() {
        // Five in a row, every hundredth packet.
        let summary = after(2_033, |n| n % 100 < 50 || n % 100 >= 55);
        assert!((summary.lost - 0.05).abs() < 0.001, "{summary:?}");
        assert_eq!((summary.burst_density, summary.gap_density), (1.0, 0.0));
        assert!((summary.burst_packets - 5.0).abs() < 0.01, "{summary:?}");
        assert!((summary.gap_packets - 96.0).abs() < 3.0, "{summary:?}");
        // Every second one of ten.
        let half = after(2_033, |n| n % 100 < 50 || n % 100 >= 60 || n % 2 == 1);
        assert!((half.burst_density - 0.55).abs() < 0.06, "{half:?}");
    }

    #[test]
    fn overtaken_packets_are_not_lost_and_late_ones_are_discarded() {
        let mut pattern = LossPattern::default();
        for n in 0..500_u16 {
            // Every tenth is overtaken by its three successors.
            let sequence = match n % 10 {
                3..=5 => n + 1,
                6 => n - 3,
                _ => n,
            };
            pattern.observe(sequence, sequence % 100 != 3);
        }
        let summary = pattern.summary().unwrap();
        assert_eq!(summary.lost, 0.0);
        assert!((summary.discarded - 0.01).abs() < 0.002, "{summary:?}");
    }

    #[test]
    fn nothing_is_said_before_anything_is_known() {
        assert_eq!(LossPattern::default().summary(), None);
        let mut pattern = LossPattern::default();
        (0..=OPEN).for_each(|n| pattern.observe(n, true));
        assert_eq!(pattern.summary(), None);
        pattern.observe(OPEN + 1, true);
        assert_eq!(pattern.summary().unwrap().packets, 1);
    }

    proptest! {
        #[test]
        fn shares_stay_shares(steps in proptest::collection::vec((any::<u16>(), any::<bool>()), 0..400)) {
            let mut pattern = LossPattern::default();
            for (sequence, used) in steps {
                pattern.observe(sequence % 3_000, used);
            }
            if let Some(summary) = pattern.summary() {
                for part in [summary.lost, summary.discarded, summary.burst_density, summary.gap_density] {
                    prop_assert!((0.0..=1.0).contains(&part), "{summary:?}");
                }
                prop_assert!(summary.lost + summary.discarded <= 1.001);
                prop_assert!(summary.burst_packets >= 0.0 && summary.gap_packets >= 0.0);
            }
        }
    }
}
