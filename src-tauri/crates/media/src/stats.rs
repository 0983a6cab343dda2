//! Figures of one stream, as `call.stats` shows them.

use std::net::SocketAddr;

use sdp::{CodecKind, CryptoSuite};

use crate::{DelayParts, Evidence};

/// How often sound was missing or too much at the devices, since the engine was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceGaps {
    /// Times that the speaker found nothing to play.
    pub underruns: u64,
    /// Blocks of 10 ms of the microphone that were thrown away because they were read too late.
    pub dropped: u64,
    /// Blocks of 10 ms for the speaker that were left out because too much waited there.
    pub skipped: u64,
}

/// One direction of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrafficStats {
    /// RTP packets.
    pub packets: u64,
    /// RTP payload bytes.
    pub bytes: u64,
    /// Packets lost: counted here for the receiving direction, as the peer's RTCP reports for the
    /// sending one (`None`: not reported yet).
    pub lost: Option<u64>,
    /// Interarrival jitter in milliseconds (RFC 3550 6.4.1), by whom as for `lost`.
    pub jitter_ms: Option<f64>,
    /// E-model estimate of the mean opinion score, 1 to 4.5, of what the listener of this direction hears: the peer's
    /// loss and buffer for what is sent. `None` while unknown; delay that is unknown costs nothing in it.
    pub mos: Option<f64>,
    /// How long sound takes from mouth to ear.
    pub delay: DelayParts,
}

/// Figures of one stream, never older than 100 ms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamStats {
    /// Codec sent, once configured.
    pub codec: Option<CodecKind>,
    /// What arrives.
    pub rx: TrafficStats,
    /// What is sent.
    pub tx: TrafficStats,
    /// Round trip from RTCP in milliseconds; `None` while unknown.
    pub rtt_ms: Option<f64>,
    /// Playout delay that the jitter buffer holds now, in milliseconds.
    pub jitter_buffer_ms: f64,
    /// Where packets are sent to now: as negotiated, or learnt from what arrives (symmetric RTP).
    pub remote: Option<SocketAddr>,
    /// How the media is encrypted; `None`: it is not.
    pub suite: Option<CryptoSuite>,
    /// Packets of an encrypted stream that were forged, damaged, sent again, or in clear.
    pub unauthenticated: u64,
    /// Packets that were no RTP or RTCP, or from nobody known; the unauthenticated are not among them.
    pub rejected: u64,
    /// 10 ms blocks of sound that were concealed because nothing arrived in time.
    pub concealed: u64,
    /// Length of the packets that are sent, in milliseconds; 0 before the first agreement.
    pub packet_ms: u8,
    /// What was seen of where trouble may come from.
    pub evidence: Evidence,
}
