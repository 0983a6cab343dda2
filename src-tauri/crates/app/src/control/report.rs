//! What is measured on the way: the steps of a line check, and the figures of a call's sound.

use serde::Serialize;
use ts_rs::TS;

use crate::code::Code;
use crate::view::Encryption;
use crate::view::quality::QualityCause;

/// Answer to `account.test`: what was tried, in order; it stops at the first that failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, TS)]
pub struct TestReport {
    /// True when every step succeeded.
    pub ok: bool,
    /// The steps.
    pub steps: Vec<TestStep>,
}

/// One step of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct TestStep {
    /// What was tried.
    pub kind: TestKind,
    /// True when it went well.
    pub ok: bool,
    /// Why not.
    pub code: Option<Code>,
    /// What was found or said, for support; never a secret.
    pub detail: Option<String>,
}

/// What a step of a test is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TestKind {
    /// The form or file makes sense.
    Config,
    /// The server's name resolves.
    Resolve,
    /// The server answers.
    Reach,
    /// What happens to requests on their way: address translation, routers that rewrite them.
    Path,
    /// The server accepts user name and password.
    Register,
    /// There is a microphone and a loudspeaker.
    Audio,
    /// A call has sound in both directions.
    Call,
}

/// Answer to `call.stats`. Counts are since the call began; what is not known is null.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct CallStats {
    /// Codec being sent, none before media flows.
    pub codec: Option<String>,
    /// What arrives.
    pub rx: DirectionStats,
    /// What is sent; loss and jitter as the other side reports them.
    pub tx: DirectionStats,
    /// Round trip, milliseconds.
    pub rtt_ms: Option<f64>,
    /// Delay of the jitter buffer, milliseconds.
    pub jitter_buffer_ms: Option<f64>,
    /// True when encrypted.
    pub secure: bool,
    /// How, with the keys taken into account.
    pub encryption: Encryption,
    /// The crypto suite by its registered name, when encrypted.
    pub suite: Option<String>,
    /// Packets of an encrypted call that were not the peer's: forged, damaged, sent again, or in clear.
    pub unauthenticated: u64,
    /// Length of the packets that are sent, milliseconds.
    pub packet_ms: Option<u8>,
    /// Why the sound is bad, as the call shows it; null while nothing is wrong.
    pub cause: Option<QualityCause>,
}

/// One direction of a call's sound.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, TS)]
pub struct DirectionStats {
    /// RTP packets.
    pub packets: u64,
    /// RTP packets lost.
    pub lost: Option<u64>,
    /// Interarrival jitter, milliseconds.
    pub jitter_ms: Option<f64>,
    /// Estimated mean opinion score, 1.0 to 4.5, of what the listener of this direction hears.
    pub mos: Option<f64>,
    /// Payload bytes.
    pub bytes: u64,
    /// Estimated time from mouth to ear, milliseconds; null while a part of it is unknown.
    pub mouth_to_ear_ms: Option<f64>,
    /// The sum of the parts that are known, milliseconds: it takes at least as long.
    pub at_least_ms: f64,
    /// The parts.
    pub delay: DelayStats,
}

/// The way of sound by its parts, milliseconds; what is not known is null.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, TS)]
pub struct DelayStats {
    /// The talker's device, and what is done to the sound there. The other side's is worked out from what it tells.
    pub capture_ms: Option<f64>,
    /// Collecting the sound of one packet, and what the codec looks ahead.
    pub frame_ms: Option<f64>,
    /// Half of the round trip.
    pub network_ms: Option<f64>,
    /// The listener's jitter buffer.
    pub buffer_ms: Option<f64>,
    /// The listener's device.
    pub playback_ms: Option<f64>,
}
