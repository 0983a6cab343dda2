//! What this side can do, and what two sides agreed on, for one audio stream.

use std::net::{IpAddr, SocketAddr};

use crate::codec::{Codec, CodecKind};
use crate::crypto::{Keying, MasterKey, SrtpKeys, SrtpPolicy};
use crate::dtls::{DtlsParameters, Fingerprint};
use crate::ice::{IceParameters, LocalIce};

/// Who sends (RFC 3264, 5.1), seen from the side that writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// The writer only sends: it has put the other side on hold.
    SendOnly,
    /// The writer only receives.
    RecvOnly,
    /// Nobody sends.
    Inactive,
}

impl Direction {
    /// From the two halves.
    pub const fn new(send: bool, receive: bool) -> Self {
        match (send, receive) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the writer sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the writer receives.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same stream seen from the other side.
    pub const fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What remains when both restrictions hold.
    pub const fn and(self, other: Self) -> Self {
        Self::new(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The attribute name, e.g. `sendrecv`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// What this side offers or answers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// The address the peer sends to, written in `c=` and `o=`.
    pub addr: IpAddr,
    /// The RTP port.
    pub rtp_port: u16,
    /// The RTCP port; written as `a=rtcp` when it is not the RTP port plus one (RFC 3605).
    pub rtcp_port: u16,
    /// Codecs, best first.
    pub codecs: Vec<CodecKind>,
    /// Offer and accept telephone-event (RFC 4733).
    pub telephone_event: bool,
    /// Ask for little in pauses of speech: offer and accept comfort noise, payload type 13 (RFC 3389), and say of Opus that
    /// gaps are welcome (`usedtx`, RFC 7587, 6.1).
    pub silence_suppression: bool,
    /// Milliseconds of sound wanted per packet, 10 to 60.
    pub ptime_ms: u8,
    /// Whether sound is encrypted.
    pub srtp: SrtpPolicy,
    /// What we would send with, one key for each suite, best first; empty: no keys in descriptions. They come from a
    /// secret random source and stay the same while the stream lives.
    pub keys: Vec<MasterKey>,
    /// What our certificate hashes to, where keys may come from a handshake in the media (RFC 5763). With neither this
    /// nor `keys` nothing is encrypted whatever the policy.
    pub dtls: Option<Fingerprint>,
    /// The profile of a first offer that must have a handshake: with feedback (UDP/TLS/RTP/SAVPF, as browsers have it) or
    /// without. Exchanges refuse the one that they are not set for.
    pub feedback: bool,
    /// Offer and accept ICE.
    pub ice: Option<LocalIce>,
}

impl LocalMedia {
    /// The ways to agree on keys that are open.
    pub fn keying(&self) -> Keying {
        Keying { sdes: !self.keys.is_empty(), dtls: self.dtls.is_some() }
    }
}

/// A telephone-event numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// The RTP payload type.
    pub payload_type: u8,
    /// The clock rate in Hz of its durations: 8000 or 48000.
    pub clock_rate: u32,
}

/// One agreed audio stream: everything the media engine needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Where RTP is sent to.
    pub remote: SocketAddr,
    /// Where RTCP is sent to (`a=rtcp`, or the RTP port plus one).
    pub remote_rtcp: SocketAddr,
    /// The codec to send with, numbered as the peer wants it; its `fmtp` is the peer's.
    pub codec: Codec,
    /// Every codec that may arrive, numbered as we described it.
    pub receive: Vec<Codec>,
    /// telephone-event to send with, as the peer numbers it, on the sending codec's clock where possible.
    pub telephone_event: Option<TelephoneEvent>,
    /// telephone-event that may arrive, as we numbered it.
    pub telephone_event_receive: Vec<TelephoneEvent>,
    /// The payload type of comfort noise, when both sides have it.
    pub comfort_noise_pt: Option<u8>,
    /// Milliseconds of sound per packet to send: what the peer asked for, within 10 to 60.
    pub ptime_ms: u8,
    /// The longest packets that the peer says it takes, in milliseconds (`a=maxptime`).
    pub max_ptime_ms: Option<u8>,
    /// The peer asks for VoIP metrics of what we receive (RFC 3611, 5.1).
    pub voip_metrics: bool,
    /// Whether we may send.
    pub send: bool,
    /// Whether sound is to be expected.
    pub receive_active: bool,
    /// The direction the peer wrote, seen from the peer.
    pub remote_direction: Direction,
    /// The peer has put us on hold: sendonly, inactive, or the address 0.0.0.0.
    pub remote_held: bool,
    /// Reports go and come on the RTP port (RFC 5761). Without that, and with keys by DTLS or a way by ICE, none go at
    /// all: `remote_rtcp` has port 0.
    pub rtcp_mux: bool,
    /// The keys when the sound is encrypted and they came in the descriptions.
    pub srtp: Option<SrtpKeys>,
    /// The sound is encrypted with keys from this handshake; nothing goes before it is done.
    pub dtls: Option<DtlsParameters>,
    /// The way is found by these checks, and `remote` is only where it would be without.
    pub ice: Option<IceParameters>,
}

impl Negotiated {
    /// Whether the sound is encrypted, or nothing goes.
    pub const fn is_encrypted(&self) -> bool {
        self.srtp.is_some() || self.dtls.is_some()
    }
}
