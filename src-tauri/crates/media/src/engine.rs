//! The engine's handle: commands in, figures out. Nothing here touches sound.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use audio::{AudioSpec, DeviceChoice};
use sdp::Negotiated;

use crate::{EngineError, Events, RingTone, StreamStats, Tone};

/// Names one media stream of an engine; never used again after it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u64);

/// How to start an [`Engine`].
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Sound path.
    pub audio: AudioSpec,
    /// Address that RTP sockets bind to; unspecified (`0.0.0.0`, `::`) binds every address of the
    /// family of the stream's own address, so that a changed address does not end a call.
    pub bind: IpAddr,
    /// Ports for RTP (even) and RTCP (the odd one above).
    pub rtp_ports: RangeInclusive<u16>,
}

/// The media engine. Every method may be called from any thread and returns at once. Dropping it
/// closes all streams, devices and files.
pub struct Engine {
    _private: (),
}

impl Engine {
    /// Starts the threads and the sound path.
    ///
    /// With [`AudioSpec::None`] nothing sounds and nothing is sent: streams only hold their ports.
    /// With [`AudioSpec::System`] and no device at all the engine runs on a timer and sends
    /// silence, and [`MediaEvent::NoAudioDevice`](crate::MediaEvent::NoAudioDevice) says so.
    ///
    /// # Errors
    /// When a WAV file cannot be used or the system gives no thread.
    pub fn start(_config: EngineConfig) -> Result<(Self, Events), EngineError> {
        Err(EngineError::UnknownStream)
    }

    /// Reserves an even RTP port and the RTCP port above it for a stream that is about to be
    /// offered or answered: `(stream, rtp_port, rtcp_port)`. `local_ip` is the address that will be
    /// advertised; its family decides IPv4 or IPv6.
    ///
    /// # Errors
    /// [`EngineError::PortTaken`] when the range is used up, [`EngineError::Socket`] when the
    /// system refuses.
    pub fn open(&self, _local_ip: IpAddr) -> Result<(StreamId, u16, u16), EngineError> {
        Err(EngineError::UnknownStream)
    }

    /// Sets what offer and answer agreed on, for the first time or again: codec, peer, direction.
    /// What does not change (sequence numbers, jitter buffer) goes on undisturbed.
    ///
    /// # Errors
    /// [`EngineError::UnknownStream`]; [`EngineError::Codec`] when a codec cannot be made.
    pub fn configure(&self, _stream: StreamId, _agreed: Negotiated) -> Result<(), EngineError> {
        Err(EngineError::UnknownStream)
    }

    /// Sends silence instead of the microphone on this stream.
    pub fn set_muted(&self, _stream: StreamId, _muted: bool) {}

    /// Neither plays nor feeds this stream (held by us). Whether packets go out at all is what was
    /// negotiated; a held stream that may send sends silence.
    pub fn set_held(&self, _stream: StreamId, _held: bool) {}

    /// Sends keys as telephone events (RFC 4733), one after the other; `,` waits two seconds.
    /// Returns `false`, and sends nothing, when the peer takes no telephone events.
    pub fn dtmf(&self, _stream: StreamId, _digits: &str) -> bool {
        false
    }

    /// Figures of a stream; `None` when it is closed.
    #[must_use]
    pub fn stats(&self, _stream: StreamId) -> Option<StreamStats> {
        None
    }

    /// Ends a stream and frees its ports. Closing twice does nothing.
    pub fn close(&self, _stream: StreamId) {}

    /// Plays a call progress tone to the user, or stops it with [`Tone::None`].
    pub fn tone(&self, _tone: Tone) {}

    /// Rings on the ringer device, or stops ringing.
    ///
    /// # Errors
    /// [`EngineError::RingTone`] when the file cannot be used; the built-in ring plays instead.
    pub fn ring(&self, _tone: Option<RingTone>) -> Result<(), EngineError> {
        Ok(())
    }

    /// Uses other devices from now on, during calls too.
    pub fn set_devices(&self, _choice: DeviceChoice) {}

    /// Turns [`MediaEvent::Levels`](crate::MediaEvent::Levels) on or off.
    pub fn watch_levels(&self, _on: bool) {}

    /// The last measured loudness, microphone and speaker, RMS 0 to 1; zero while not watched.
    #[must_use]
    pub fn levels(&self) -> (f32, f32) {
        (0.0, 0.0)
    }
}
