//! Sound that stands in: concealment, comfort noise, silence; and joining it to what is there.

use super::{BLOCK, BLOCK_SAMPLES, JitterBuffer, LONGEST_FRAME, Pulled};
use crate::delay_estimator::TICKS;
use crate::frame_decoder::FrameDecoder;

/// The codec's own concealment is used this long, then noise: 200 ms.
const CODEC_CONCEALMENT: i64 = TICKS / 5;

impl<D: FrameDecoder> JitterBuffer<D> {
    /// What the block still needs.
    pub(super) fn missing(&self) -> i64 {
        i64::try_from(BLOCK_SAMPLES.saturating_sub(self.fifo.len())).unwrap_or(BLOCK)
    }

    /// Makes up `length` samples: the codec's way, or the pitch repeated, or noise once that has faded.
    pub(super) fn conceal(&mut self, length: i64) {
        self.pulled = Pulled::Concealed;
        // Codecs conceal in steps of 2.5 ms.
        let steps = usize::try_from(length).unwrap_or_default().div_ceil(120) * 120;
        let line = self.current.and_then(|line| self.lines.get_mut(line));
        let codec = line
            .filter(|_| self.debt <= CODEC_CONCEALMENT)
            .filter(|line| line.upsampler.factor() == 1);
        let length = usize::try_from(length).unwrap_or_default().min(LONGEST_FRAME);
        if let (Some(line), Some(out)) = (codec, self.raised.get_mut(..steps.min(LONGEST_FRAME))) {
            let whole = out.chunks_mut(2 * BLOCK_SAMPLES).all(|part| line.decoder.conceal(part));
            if whole {
                self.append(0, length);
                self.stats.concealed_samples += length as u64;
                return;
            }
        }
        if let Some(out) = self.raised.get_mut(..length) {
            let mut noise = [0.0_f32; BLOCK_SAMPLES];
            for part in out.chunks_mut(BLOCK_SAMPLES) {
                self.concealer.conceal(part);
                self.noise.fill(&mut noise);
                part.iter_mut().zip(&noise).for_each(|(sample, noise)| *sample += noise * 0.5);
            }
            self.fifo.push(out);
            self.stats.concealed_samples += length as u64;
        }
        self.broken = true;
    }

    /// Noise to the end of the block: the codec's, else ours.
    pub(super) fn fill_pause(&mut self) {
        self.pulled = Pulled::ComfortNoise;
        let missing = usize::try_from(self.missing()).unwrap_or_default();
        let steps = missing.div_ceil(120) * 120;
        let line = self.current.and_then(|line| self.lines.get_mut(line));
        if let (Some(line), Some(out)) = (line, self.raised.get_mut(..steps))
            && line.upsampler.factor() == 1
            && line.decoder.conceal(out)
        {
            self.append(0, missing);
            return;
        }
        if let Some(out) = self.raised.get_mut(..missing) {
            self.noise.fill(out);
        }
        self.append(0, missing);
        self.broken = true;
    }

    pub(super) fn fill_silence(&mut self) {
        self.pulled = Pulled::Silence;
        let missing = usize::try_from(self.missing()).unwrap_or_default();
        if let Some(out) = self.raised.get_mut(..missing) {
            out.fill(0.0);
        }
        self.append(0, missing);
        self.broken = true;
    }

    /// Puts `raised[skip..count]` into the FIFO, joined to what is there if that was made up.
    pub(super) fn append(&mut self, skip: usize, count: usize) {
        let Some(sound) = self.raised.get_mut(skip.min(count)..count) else { return };
        if self.broken {
            self.concealer.join(sound);
            self.broken = false;
        }
        self.concealer.remember(sound);
        self.fifo.push(sound);
    }
}
