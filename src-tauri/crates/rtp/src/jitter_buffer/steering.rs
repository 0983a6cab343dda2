//! How long to wait, and stretching the sound to get there.

use super::{BLOCK, BLOCK_SAMPLES, JitterBuffer, Phase, ticks_of};
use crate::frame_decoder::FrameDecoder;
use crate::packet_store::Position;
use crate::time_stretch::{MAX_LAG, WINDOW, best_lag, level};

/// Kept above the spread, where there is any, at most: 0.5 ms.
const MARGIN: i64 = 24;
/// Delay below the aim at which sound begins to be lengthened: 4 ms.
const TOO_LITTLE: i64 = 192;
/// Delay missing at which likeness and pauses between stretches matter less: 40 ms.
const URGENT: i64 = 1_920;
/// Delay too much at which they do: 60 ms. What single packets need beyond the aim is kept up to here.
const EXCESS: i64 = 2_880;
/// What is played between two stretches that shorten speech, when there is no hurry: 500 ms.
const CALM: i64 = 24_000;
/// How long a delay that is too long waits for a pause before speech is shortened: 5 s.
const PATIENCE: i64 = 240_000;
/// The same when more than 20 ms are too much: 2 s.
const LITTLE_PATIENCE: i64 = 96_000;
/// Less than this is not worth taking out: 5 ms.
const WORTHWHILE: i64 = 240;
/// Quiet for this long is a pause, not the closed lips of a consonant: 100 ms.
const PAUSE: i64 = 4_800;
/// Sound below this level can be cut anywhere: -52 dBFS.
const QUIET: f32 = 0.0025;
/// So can sound this far below the speech around it: -30 dB.
const QUIET_SHARE: f32 = 0.03;

impl<D: FrameDecoder> JitterBuffer<D> {
    /// How long after the fastest packet's the next sample out is played.
    pub(super) const fn delay(&self, now: i64) -> i64 {
        #[expect(clippy::cast_possible_wrap, reason = "the FIFO is bounded")]
        let head = self.next - self.fifo.len() as i64;
        now - self.fastest - head
    }

    /// How long is waited for the packet that repairs a lost one. Where losses come in bursts it repairs only the last of
    /// each, and the slowest of those that do are not worth a block of delay.
    pub(super) fn patience(&self) -> i64 {
        let repairs = self.current.and_then(|line| self.lines.get(line));
        let repairs = repairs.is_some_and(|line| line.decoder.supports_fec());
        match self.estimator.lossy() && repairs {
            true if self.estimator.bursts() => (self.frame - self.estimator.spread() / 12).max(0),
            true => self.frame,
            false => 0,
        }
    }

    /// The delay aimed at, without what the block grid costs.
    pub(super) fn aim(&self) -> i64 {
        let least = ticks_of(self.config.min_delay);
        let guess = self.estimator.guess().unwrap_or_default();
        let aim = (self.estimator.spread() + self.patience()).max(guess);
        aim.clamp(least, ticks_of(self.config.max_delay).max(least))
    }

    /// Whether a packet that ends a silence should wait.
    pub(super) fn too_early(&self, now: i64, first: Position) -> bool {
        let end = now + BLOCK - self.missing();
        end - self.fastest - first.media < self.aim()
    }

    /// The delay that is not undercut: the aim, or what the slowest packet of the last seconds needed, if that is not
    /// far more, for a pull that comes as early as some did. So what an underrun or a late packet has made the delay grow by is kept until it has been of no use
    /// for seconds: up at once, down slowly.
    fn floor(&self) -> i64 {
        let (spread, peak) = (self.estimator.spread(), self.estimator.peak());
        let late = (peak - spread).clamp(0, EXCESS);
        let kept = self.aim() + late.max((spread / 8).min(MARGIN)) + self.rhythm.early();
        kept.min(ticks_of(self.config.max_delay))
    }

    /// Shortens or lengthens what is about to be played, towards the delay aimed at.
    ///
    /// Sound is pulled in blocks, so the delay counts in whole ones: a frame boundary that lies `grid` past a block
    /// boundary must be there as early as if it lay on it. Taking out up to `grid` is free, more costs a block of
    /// safety; putting in gains one when the boundary moves into the next block.
    ///
    /// What is left of a time line that no packets come for any more is played as it is.
    pub(super) fn steer(&mut self, now: i64) {
        if self.debt > 0 || !self.newest_is_played() {
            return;
        }
        let loudness = level(self.fifo.front(BLOCK_SAMPLES));
        self.loudness = (self.loudness * 0.997).max(loudness);
        let quiet = self.quiet_for >= PAUSE;
        self.quiet_for = if loudness < self.quiet() { self.quiet_for + BLOCK } else { 0 };
        #[expect(clippy::cast_possible_wrap, reason = "the FIFO is bounded")]
        let grid = self.fifo.len() as i64 % BLOCK;
        let delay = self.delay(now) - grid;
        let spread = self.estimator.spread();
        let lacking = self.aim() + (spread / 8).min(MARGIN) - delay;
        // The wider the arrivals are spread, the less exactly their spread is known.
        if lacking > TOO_LITTLE.max(spread / 6) {
            self.surplus = 0;
            if self.rest == 0 || quiet || lacking > URGENT {
                self.decode_ahead();
                self.lengthen(BLOCK - grid, lacking > URGENT, quiet);
            }
            return;
        }
        let spare = delay - self.floor();
        let removable = grid + BLOCK * (spare.max(0) / BLOCK);
        if spare < 0 || removable < WORTHWHILE {
            self.surplus = 0;
            return;
        }
        self.surplus += BLOCK;
        // The first guess alone, which is given back in a pause, is as long as that and up to a block longer.
        let hurry = spare > EXCESS + 2 * BLOCK;
        let patience = if removable > 2 * BLOCK { LITTLE_PATIENCE } else { PATIENCE };
        if quiet || self.surplus > patience || hurry && self.rest == 0 {
            self.decode_ahead();
            self.shorten(removable, hurry, quiet);
        }
    }

    /// The level below which sound can be cut anywhere.
    const fn quiet(&self) -> f32 {
        QUIET.max(self.loudness * QUIET_SHARE)
    }

    /// Decodes packets that follow without a gap, until there is enough to compare.
    fn decode_ahead(&mut self) {
        while self.fifo.len() < MAX_LAG + WINDOW && self.phase == Phase::Playing {
            let Some((index, place)) = self.store.first() else { return };
            let fits = place.decoder.is_some()
                && place.segment == self.segment
                && place.media <= self.next
                && place.media + place.length > self.next;
            if !fits {
                return;
            }
            self.take(index, place);
        }
    }

    /// Takes out a pitch period, at most `most`; of quiet sound anything.
    fn shorten(&mut self, most: i64, hurry: bool, quiet: bool) {
        if quiet {
            self.cut(most.min(BLOCK));
            return;
        }
        let wanted = match most {
            _ if hurry => 0.3,
            _ if most > 2 * BLOCK => 0.6,
            _ => 0.8,
        };
        let most = usize::try_from(most).unwrap_or_default();
        let Some(found) = best_lag(self.fifo.front(usize::MAX), most) else { return };
        if found.correlation < wanted {
            return;
        }
        self.fifo.shorten(found.lag, WINDOW);
        self.stats.removed_samples += found.lag as u64;
        self.rest = pause_after(found.lag, hurry);
        self.surplus -= CALM;
    }

    /// Puts in a pitch period; of quiet sound `wanted`.
    fn lengthen(&mut self, wanted: i64, urgent: bool, quiet: bool) {
        let wanted = usize::try_from(wanted).unwrap_or_default();
        let lag = if quiet {
            (self.fifo.len() >= wanted + WINDOW).then_some(wanted)
        } else {
            best_lag(self.fifo.front(usize::MAX), usize::MAX)
                .filter(|found| found.correlation >= if urgent { 0.3 } else { 0.6 })
                .map(|found| found.lag)
        };
        let Some(lag) = lag else { return };
        self.fifo.lengthen(lag, WINDOW);
        self.stats.inserted_samples += lag as u64;
        self.rest = pause_after(lag, urgent);
    }

    /// Takes quiet sound out, as much as there is.
    fn cut(&mut self, lag: i64) {
        let room = self.fifo.len().saturating_sub(BLOCK_SAMPLES.max(WINDOW));
        let lag = usize::try_from(lag).unwrap_or_default();
        let quiet = level(self.fifo.front(lag + WINDOW)) < self.quiet();
        if lag == 0 || lag > room || !quiet {
            return;
        }
        self.fifo.shorten(lag, WINDOW);
        self.stats.removed_samples += lag as u64;
    }
}

/// How much is played at least before the next stretch: three times what was changed, or as much when it is urgent.
fn pause_after(lag: usize, urgent: bool) -> i64 {
    i64::try_from(if urgent { lag } else { 3 * lag }).unwrap_or_default()
}
