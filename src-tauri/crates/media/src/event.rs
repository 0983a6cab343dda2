//! What the media engine tells: activity, digits, levels, devices.

use audio::DeviceKind;

use crate::StreamId;

/// Where events come out. Bounded: when nobody reads, the newest are dropped and counted.
pub type Events = tokio::sync::mpsc::Receiver<MediaEvent>;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// Sound packets began or ceased to flow, either way. Told on change only; a direction
    /// ceases when nothing went for about a second.
    Activity {
        /// Which stream.
        stream: StreamId,
        /// Packets are arriving.
        rx: bool,
        /// Packets are being sent.
        tx: bool,
    },
    /// No keys were agreed on, or no way to the peer works: nothing goes in either direction. A later
    /// agreement may change that.
    Failed {
        /// Which stream.
        stream: StreamId,
        /// Why.
        failure: media_transport::Failure,
    },
    /// The peer pressed a key (RFC 4733), told once per press, at its start.
    Dtmf {
        /// Which stream.
        stream: StreamId,
        /// `0`-`9`, `*`, `#`, `A`-`D`, or `!` for hook flash.
        digit: char,
    },
    /// Loudness of what the microphone hears (after muting) and the speaker plays, RMS 0 to 1, about 15 times
    /// a second while [`Engine::watch_levels`](crate::Engine::watch_levels) is on.
    Levels {
        /// Microphone.
        mic: f32,
        /// Speaker.
        speaker: f32,
    },
    /// The recording of a stream can no longer be written.
    RecordingFailed {
        /// Which stream.
        stream: StreamId,
    },
    /// A test of the microphone goes on.
    MicrophoneTest(crate::TestStage),
    /// The microphone gives no sound at all though somebody should hear it, for almost two seconds; or it does again, or
    /// nobody listens any more.
    MicrophoneSilent(bool),
    /// A sound device in use went away; the call goes on in silence until it or another is there.
    DeviceLost {
        /// Which side.
        kind: DeviceKind,
        /// Its name.
        name: String,
        /// Why, in words.
        reason: String,
    },
    /// A sound device is in use, for the first time or again.
    DeviceStarted {
        /// Which side.
        kind: DeviceKind,
        /// Its name.
        name: String,
    },
    /// The list of devices or the system's default changed.
    DevicesChanged,
    /// There is no device for this side: it runs on silence.
    NoAudioDevice {
        /// Which side.
        kind: DeviceKind,
        /// Why.
        error: audio::AudioError,
    },
}
