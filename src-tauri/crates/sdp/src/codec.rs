//! The codecs Balie speaks, and how each is named in a session description.

/// A codec Balie can send and receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CodecKind {
    /// Opus, RTP clock 48 kHz, written `opus/48000/2` whatever is sent (RFC 7587).
    Opus,
    /// G.722, 16 kHz sound on an 8 kHz RTP clock (RFC 3551, 4.5.2).
    G722,
    /// G.711 A-law, 8 kHz.
    Pcma,
    /// G.711 µ-law, 8 kHz.
    Pcmu,
}

impl CodecKind {
    /// All of them, in the order Balie prefers them.
    pub const ALL: [Self; 4] = [Self::Opus, Self::G722, Self::Pcma, Self::Pcmu];

    /// The encoding name as written in `a=rtpmap`.
    pub const fn encoding_name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::G722 => "G722",
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
        }
    }

    /// The RTP clock rate in Hz: the unit of RTP timestamps.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::G722 | Self::Pcma | Self::Pcmu => 8_000,
        }
    }

    /// The rate of the decoded sound in Hz; differs from the clock rate for G.722 only.
    pub const fn sample_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::G722 => 16_000,
            Self::Pcma | Self::Pcmu => 8_000,
        }
    }

    /// The channel count written in `a=rtpmap`: 2 for Opus (RFC 7587, 7), which says nothing about what is sent.
    pub const fn channels(self) -> u8 {
        match self {
            Self::Opus => 2,
            Self::G722 | Self::Pcma | Self::Pcmu => 1,
        }
    }

    /// The payload type number fixed by RFC 3551, if the codec has one.
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Opus => None,
            Self::G722 => Some(9),
            Self::Pcma => Some(8),
            Self::Pcmu => Some(0),
        }
    }

    /// The word used in configuration files and statistics: `opus`, `g722`, `pcma`, `pcmu`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::G722 => "g722",
            Self::Pcma => "pcma",
            Self::Pcmu => "pcmu",
        }
    }

    /// The codec with that word or encoding name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.encoding_name().eq_ignore_ascii_case(name))
    }
}

impl std::fmt::Display for CodecKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One codec as one description numbers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codec {
    /// Which codec.
    pub kind: CodecKind,
    /// The RTP payload type, 0 to 127.
    pub payload_type: u8,
    /// The RTP clock rate in Hz.
    pub clock_rate: u32,
    /// The channel count of `a=rtpmap` (2 for Opus).
    pub channels: u8,
    /// The parameters of `a=fmtp`, as written, without the payload type.
    pub fmtp: Option<String>,
}

impl Codec {
    /// The value of one `a=fmtp` parameter; names are compared without regard to case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.fmtp.as_deref()?.split(';').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Whether the describing side wants in-band forward error correction (RFC 7587, `useinbandfec`).
    pub fn wants_fec(&self) -> bool {
        self.parameter("useinbandfec") == Some("1")
    }

    /// Whether the describing side wants gaps instead of packets in silence (RFC 7587, `usedtx`).
    pub fn wants_dtx(&self) -> bool {
        self.parameter("usedtx") == Some("1")
    }

    /// The most bits a second that the describing side takes on the average (RFC 7587, `maxaveragebitrate`, 6000 to
    /// 510000); `None` when it does not say.
    pub fn max_bitrate(&self) -> Option<u32> {
        let bits: u32 = self.parameter("maxaveragebitrate")?.parse().ok()?;
        (6_000..=510_000).contains(&bits).then_some(bits)
    }
}
