//! What the microphone heard, freed from echo, noise and differences of level.
//!
//! No state machine of ours: `sonora`, a port of WebRTC's audio processing, adapts itself. It is told
//! what is played, and cleans what is heard; both run in blocks of 10 ms on the DSP thread, so the
//! two share the microphone's clock.

use std::time::Duration;

use audio::{BLOCK, SAMPLE_RATE};
use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, MaxProcessingRate,
    NoiseSuppression, NoiseSuppressionLevel, Pipeline, TransparentModeType,
};
use sonora::{AudioProcessing, Config, StreamConfig};

use crate::echo_watch::EchoWatch;

/// The middle of what was measured for the chain.
const DELAY: Duration = Duration::from_millis(12);

/// What is done to the microphone's sound before anybody hears it. With nothing chosen it passes
/// untouched and without delay; otherwise it is 9 to 15 ms later and has nothing above 16 kHz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Processing {
    /// The other side's voice, picked up from the loudspeaker, is taken out. Where there is no echo (a headset) nothing is
    /// done after some seconds, until there is one.
    pub echo_cancelling: bool,
    /// Steady noise (fans, streets) is made softer.
    pub noise_suppression: bool,
    /// A soft voice is made louder and a loud one softer.
    pub gain_control: bool,
}

impl Processing {
    /// Everything, as a telephone in a room wants it.
    pub const ALL: Self =
        Self { echo_cancelling: true, noise_suppression: true, gain_control: true };

    fn is_off(self) -> bool {
        self == Self::default()
    }
}

/// Cleans the microphone's sound; begins with nothing chosen.
#[derive(Default)]
pub struct Processor {
    wanted: Processing,
    /// None while nothing is to be done.
    chain: Option<Box<AudioProcessing>>,
    /// There while an echo is to be taken out.
    watch: Option<Box<EchoWatch>>,
    /// An echo is being taken out.
    cancels: bool,
    /// From a sound given to the loudspeaker to its echo, at least, in milliseconds; as far as is known.
    echo_ms: Option<i32>,
    failed: bool,
}

impl Processor {
    /// Takes effect with the next block; a chain that runs keeps what it has learnt of the rest.
    pub fn set(&mut self, wanted: Processing) {
        if wanted == self.wanted {
            return;
        }
        tracing::debug!(?wanted, "sound processing");
        self.wanted = wanted;
        self.watch = match self.watch.take() {
            _ if !wanted.echo_cancelling => None,
            Some(watch) => Some(watch),
            None => Some(Box::new(EchoWatch::new())),
        };
        self.apply();
    }

    /// What is done now: what is wanted, less what does not help.
    fn apply(&mut self) {
        self.cancels = self.watch.as_ref().is_some_and(|watch| watch.may_echo());
        let doing = Processing { echo_cancelling: self.cancels, ..self.wanted };
        match &mut self.chain {
            _ if self.wanted.is_off() => self.chain = None,
            Some(chain) => chain.apply_config(config(doing)),
            None => self.chain = Some(Box::new(chain(doing))),
        }
    }

    /// Other devices are used from now on: there may be an echo, whatever was heard so far.
    pub fn expect_echo(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.begin_anew();
            if !self.cancels {
                self.apply();
            }
        }
    }

    /// Whether an echo is being taken out now: it is wanted, and there is one or may be.
    #[must_use]
    pub const fn cancels_echo(&self) -> bool {
        self.cancels
    }

    /// How long the devices hold sound, the loudspeaker's and the microphone's together, so that an echo is looked for
    /// there from its first word on. What is heard decides; `None`, when nothing is known. An echo that came earlier than
    /// this would be missed at first, so a little less is better than a little more.
    pub fn set_device_delay(&mut self, delay: Option<Duration>) {
        self.echo_ms = delay.map(|delay| i32::try_from(delay.as_millis()).unwrap_or(i32::MAX));
    }

    /// How much later the sound is for it, about.
    #[must_use]
    pub fn delay(&self) -> Duration {
        if self.chain.is_some() { DELAY } else { Duration::ZERO }
    }

    /// Cleans a block of 10 ms at 48 kHz, heard by the microphone, in place.
    pub fn clean(&mut self, microphone: &mut [f32; BLOCK]) {
        let Some(chain) = &mut self.chain else { return };
        if let Some(watch) = &mut self.watch {
            watch.heard(microphone);
        }
        if let Some(delay) = self.echo_ms.filter(|_| self.cancels) {
            // Longer than half a second is taken for that.
            let _ = chain.set_stream_delay_ms(delay);
        }
        let mut cleaned = [0.0_f32; BLOCK];
        match chain.process_capture_f32(&[microphone.as_slice()], &mut [cleaned.as_mut_slice()]) {
            Ok(()) => *microphone = cleaned,
            Err(error) => self.give_up(&error),
        }
    }

    /// Hears the block of 10 ms at 48 kHz that has just been given to the loudspeaker; once after each [`Self::clean`].
    pub fn played(&mut self, speaker: &[f32; BLOCK]) {
        if let Some(watch) = &mut self.watch {
            watch.played(speaker);
            if watch.may_echo() != self.cancels {
                tracing::debug!(echo = !self.cancels, "echo");
                self.apply();
            }
        }
        let Some(chain) = self.chain.as_mut().filter(|_| self.cancels) else { return };
        let mut unused = [0.0_f32; BLOCK];
        if let Err(error) =
            chain.process_render_f32(&[speaker.as_slice()], &mut [unused.as_mut_slice()])
        {
            self.give_up(&error);
        }
    }

    /// The sound goes on untouched: better an echo than silence.
    fn give_up(&mut self, error: &sonora::Error) {
        if !self.failed {
            self.failed = true;
            tracing::error!(?error, "sound is not processed");
        }
    }
}

fn chain(wanted: Processing) -> AudioProcessing {
    let mono = StreamConfig::new(SAMPLE_RATE, 1);
    AudioProcessing::builder()
        .config(config(wanted))
        .capture_config(mono)
        .render_config(mono)
        .build()
}

fn config(wanted: Processing) -> Config {
    let echo =
        EchoCanceller { transparent_mode: TransparentModeType::Hmm, ..EchoCanceller::default() };
    let noise =
        NoiseSuppression { level: NoiseSuppressionLevel::High, ..NoiseSuppression::default() };
    let gain = GainController2 {
        adaptive_digital: Some(AdaptiveDigital::default()),
        ..GainController2::default()
    };
    Config {
        pipeline: Pipeline {
            // Nobody speaks above 16 kHz, and a third band costs an eighth of all that a call does.
            maximum_internal_processing_rate: MaxProcessingRate::Rate32kHz,
            multi_channel_render: false,
            multi_channel_capture: false,
            ..Pipeline::default()
        },
        high_pass_filter: Some(HighPassFilter::default()),
        echo_canceller: wanted.echo_cancelling.then_some(echo),
        noise_suppression: wanted.noise_suppression.then_some(noise),
        gain_controller2: wanted.gain_control.then_some(gain),
        ..Config::default()
    }
}

#[cfg(test)]
mod tests;
