//! The media engine: codecs, RTP sockets, mixing and playout on one DSP thread.
//!
//! [`Engine`] is the only door. A stream is opened before an offer is made (its ports are needed
//! in it), configured with what offer and answer agreed on, and closed. Everything that happens
//! to it comes out of [`Events`].
//!
//! ```text
//! microphone ring -> (processing: echo, noise, gain) -> mute, level -> per stream: encoder -> (S)RTP
//! (S)RTP -> per stream: jitter buffer with decoder -> mix (tones, held streams silent) -> speaker ring
//! ```
//!
//! Threads: one DSP thread with a 10 ms tick paced by the microphone (a timer when there is
//! none), one network thread that stamps packets when they arrive and agrees on keys and paths
//! (`media-transport`), and those of the `audio` crate. Callers' threads only send commands and read published figures; no call blocks on
//! the DSP thread.

#[cfg(test)]
#[path = "../tests/agreement/mod.rs"]
mod agreement;
mod attention;
pub mod codec;
mod diagnosis;
mod dsp;
mod echo_watch;
mod engine;
mod error;
mod event;
mod guard;
mod keeper;
mod limiter;
mod microphone;
mod net;
mod pace;
mod pauses;
mod processing;
mod quality;
mod recorder;
pub mod resample;
mod sender_rate;
mod speaker_start;
mod stats;
mod stream;
mod summons;
mod tone;
mod wires;

pub use attention::Alert;
pub use audio::{
    AudioError, AudioSpec, Device, DeviceChoice, DeviceId, DeviceKind, RINGERS, devices,
};
pub use diagnosis::{Cause, Evidence};
pub use engine::{Engine, EngineConfig, StreamId};
pub use error::EngineError;
pub use event::{Events, MediaEvent};
pub use media_transport::{Carrier, Failure, Plan, RelayLogin, RelayServer};
pub use microphone::TestStage;
pub use processing::{Processing, Processor};
pub use quality::DelayParts;
pub use recorder::{Recording, RecordingFormat, RecordingMark};
pub use stats::{DeviceGaps, StreamStats, TrafficStats};
pub use tone::{RingTone, Tone, TonePlan};
