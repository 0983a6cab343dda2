//! Where trouble with the sound comes from: what was seen, and what that means.

use std::time::{Duration, Instant};

use audio::BLOCK;

use crate::DeviceGaps;

/// Share of packets from which on loss is heard as trouble.
const LOSS: f32 = 0.03;
/// A round trip from which on people talk into each other.
const ROUND_TRIP: Duration = Duration::from_millis(500);
/// Packets that come together as evenly as this fit any buffer.
const EVEN: Duration = Duration::from_millis(20);
/// How often a window of the machine begins.
const STEP: Duration = Duration::from_secs(5);
/// Time between two turns of the sound path that is heard as a gap.
const STALL: Duration = Duration::from_millis(60);
/// Gaps of either kind within a window that are no accident.
const GAPS: u64 = 3;

/// Where the cause lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// Nothing was found, or several things at once.
    #[default]
    Unknown,
    /// This computer does not keep up.
    OurSide,
    /// The other side sends nothing, or does not keep up.
    TheirSide,
    /// The network, on the way to us.
    NetworkIn,
    /// The network, on the way from us.
    NetworkOut,
    /// The network, both ways.
    Network,
    /// Our microphone gives nothing.
    MicrophoneSilent,
    /// Our microphone is too loud for its device.
    MicrophoneClips,
}

/// What was seen in the last seconds. What is not known is `None`, and speaks for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Share of the peer's packets that did not come, or too late.
    pub lost_in: Option<f32>,
    /// Share of ours that did not come, as the peer reports.
    pub lost_out: Option<f32>,
    /// Share of ours that came too late for the peer's buffer.
    pub discarded_there: Option<f32>,
    /// How unevenly ours arrive there.
    pub jitter_out: Option<Duration>,
    /// There and back.
    pub round_trip: Option<Duration>,
    /// Nothing comes though it should: whether the peer says that it sends.
    pub missing: Option<bool>,
    /// Our sound path had gaps.
    pub machine_late: bool,
    /// Our microphone gives no sound to somebody who should hear it.
    pub microphone_silent: bool,
    /// Our microphone is at its limit.
    pub microphone_clips: bool,
}

impl Evidence {
    /// What it means. One cause is named when everything speaks for it alone; several are not weighed against each other.
    #[must_use]
    pub fn cause(&self) -> Cause {
        let found = [
            self.machine_late.then_some(Cause::OurSide),
            self.their_side().then_some(Cause::TheirSide),
            self.network(),
            self.microphone_silent.then_some(Cause::MicrophoneSilent),
            self.microphone_clips.then_some(Cause::MicrophoneClips),
        ];
        let mut found = found.into_iter().flatten();
        match (found.next(), found.next()) {
            (Some(only), None) => only,
            _ => Cause::Unknown,
        }
    }

    /// It sends nothing, or throws away what comes evenly.
    fn their_side(&self) -> bool {
        let silent = self.missing == Some(false);
        let even = self.jitter_out.is_some_and(|jitter| jitter < EVEN);
        silent || (exceeds(self.discarded_there, LOSS) && even)
    }

    fn network(&self) -> Option<Cause> {
        let uneven = self.jitter_out.is_some_and(|jitter| jitter >= EVEN);
        let inward = exceeds(self.lost_in, LOSS) || self.missing == Some(true);
        let outward =
            exceeds(self.lost_out, LOSS) || (exceeds(self.discarded_there, LOSS) && uneven);
        let slow = self.round_trip.is_some_and(|round_trip| round_trip >= ROUND_TRIP);
        match (inward, outward, slow) {
            (false, false, false) => None,
            (true, false, false) => Some(Cause::NetworkIn),
            (false, true, false) => Some(Cause::NetworkOut),
            _ => Some(Cause::Network),
        }
    }
}

fn exceeds(share: Option<f32>, limit: f32) -> bool {
    share.is_some_and(|share| share >= limit)
}

/// What a stream is told of the sound path and the machine that it runs on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Surroundings {
    /// How long the microphone's device holds sound, with what is done to it.
    pub(crate) capture: Option<Duration>,
    /// The same of the loudspeaker's.
    pub(crate) playback: Option<Duration>,
    pub(crate) machine_late: bool,
    pub(crate) microphone_silent: bool,
    pub(crate) microphone_clips: bool,
}

/// Whether the machine keeps up: gaps in the sound path over the last 5 to 10 seconds.
#[derive(Debug, Default)]
pub(crate) struct MachineWatch {
    /// Gaps at the beginnings of the last two windows, and now.
    marks: [u64; 2],
    gaps: u64,
    next: Option<Instant>,
    turned: Option<Instant>,
    underruns: u32,
    dropped: u64,
    all: DeviceGaps,
}

impl MachineWatch {
    /// Takes a turn of the sound path, with the counts of its devices: times that there was nothing to play, and samples
    /// of the microphone that were thrown away.
    pub(crate) fn turn(&mut self, now: Instant, underruns: u32, dropped: u64) {
        let late = self.turned.is_some_and(|at| now.saturating_duration_since(at) >= STALL);
        let lost = dropped.saturating_sub(self.dropped) >= BLOCK as u64;
        // Another device counts from the beginning.
        let dry = underruns.saturating_sub(self.underruns);
        self.gaps += u64::from(late) + u64::from(lost) + u64::from(dry);
        self.all.underruns += u64::from(dry);
        (self.underruns, self.turned) = (underruns, Some(now));
        if lost || dropped < self.dropped {
            self.all.dropped += dropped.saturating_sub(self.dropped) / BLOCK as u64;
            self.dropped = dropped;
        }
        if self.next.is_none_or(|next| now >= next) {
            self.next = Some(now + STEP);
            self.marks = [self.marks[1], self.gaps];
        }
    }

    /// A block for the speaker was left out, or not.
    pub(crate) fn skipped(&mut self, skipped: bool) {
        self.all.skipped += u64::from(skipped);
    }

    /// Every gap at the devices so far.
    pub(crate) const fn all(&self) -> DeviceGaps {
        self.all
    }

    /// The path rests: what comes next is no gap.
    pub(crate) const fn rest(&mut self) {
        self.turned = None;
    }

    pub(crate) const fn is_late(&self) -> bool {
        self.gaps - self.marks[0] >= GAPS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_named_from_what_speaks_for_it_alone() {
        let nothing = Evidence::default();
        let fine = Evidence {
            lost_in: Some(0.01),
            lost_out: Some(0.02),
            discarded_there: Some(0.0),
            jitter_out: Some(Duration::from_millis(5)),
            round_trip: Some(Duration::from_millis(80)),
            ..nothing
        };
        let discarded = Evidence { discarded_there: Some(0.05), ..nothing };
        let even = Some(Duration::from_millis(3));
        let uneven = Some(Duration::from_millis(40));
        let slow = Some(Duration::from_millis(600));
        let table = [
            (nothing, Cause::Unknown),
            (fine, Cause::Unknown),
            (Evidence { machine_late: true, ..fine }, Cause::OurSide),
            (Evidence { missing: Some(false), ..fine }, Cause::TheirSide),
            (Evidence { jitter_out: even, ..discarded }, Cause::TheirSide),
            (Evidence { jitter_out: uneven, ..discarded }, Cause::NetworkOut),
            (discarded, Cause::Unknown),
            (Evidence { lost_in: Some(0.05), ..fine }, Cause::NetworkIn),
            (Evidence { missing: Some(true), ..fine }, Cause::NetworkIn),
            (Evidence { lost_out: Some(0.05), ..fine }, Cause::NetworkOut),
            (Evidence { lost_in: Some(0.1), lost_out: Some(0.05), ..fine }, Cause::Network),
            (Evidence { round_trip: slow, ..fine }, Cause::Network),
            (Evidence { round_trip: slow, lost_in: Some(0.1), ..fine }, Cause::Network),
            (Evidence { microphone_silent: true, ..fine }, Cause::MicrophoneSilent),
            (Evidence { microphone_clips: true, ..fine }, Cause::MicrophoneClips),
            // Several at once: nobody is blamed.
            (Evidence { machine_late: true, lost_in: Some(0.1), ..fine }, Cause::Unknown),
            (Evidence { missing: Some(false), lost_out: Some(0.1), ..fine }, Cause::Unknown),
            (Evidence { microphone_clips: true, lost_out: Some(0.1), ..fine }, Cause::Unknown),
            (Evidence { microphone_silent: true, machine_late: true, ..fine }, Cause::Unknown),
        ];
        for (evidence, cause) in table {
            assert_eq!(evidence.cause(), cause, "{evidence:?}");
        }
    }

    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    fn base() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_machine_is_late_while_its_sound_path_has_gaps() {
        let (start, mut watch) = (base(), MachineWatch::default());
        let mut now = start;
        let mut run =
            |watch: &mut MachineWatch, ms: u64, turns: u32, underruns: u32, dropped: u64| {
                for _ in 0..turns {
                    now += Duration::from_millis(ms);
                    watch.turn(now, underruns, dropped);
                }
            };
        run(&mut watch, 10, 1_000, 0, 0);
        assert!(!watch.is_late());
        run(&mut watch, 80, 2, 0, 0);
        assert!(!watch.is_late(), "two are an accident");
        run(&mut watch, 80, 1, 0, 0);
        assert!(watch.is_late());
        run(&mut watch, 10, 1_100, 0, 0);
        assert!(!watch.is_late(), "it has caught up for ten seconds");
        run(&mut watch, 10, 1, 3, 0);
        assert!(watch.is_late(), "nothing to play, three times");
        run(&mut watch, 10, 1_100, 3, 0);
        // Another device begins its counts anew; that is no gap.
        run(&mut watch, 10, 10, 0, 0);
        assert!(!watch.is_late());
        for part in 1..=30 {
            run(&mut watch, 10, 1, 0, part * 100);
        }
        assert!(watch.is_late(), "the microphone was not fetched in time");
        (0..7).for_each(|n| watch.skipped(n < 2));
        let all = DeviceGaps { underruns: 3, dropped: 6, skipped: 2 };
        assert_eq!(watch.all(), all, "what is late is no gap at a device");
    }

    #[test]
    fn a_path_that_rested_is_not_late() {
        let (start, mut watch) = (base(), MachineWatch::default());
        for n in 0..5 {
            watch.turn(start + Duration::from_secs(n), 0, 0);
            watch.rest();
        }
        assert!(!watch.is_late());
    }
}
