//! How a call sounds, and why.

use serde::Serialize;
use ts_rs::TS;

/// Where the cause of bad sound lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum QualityCause {
    /// Nothing was found, or several things at once.
    #[default]
    Unknown,
    /// This computer does not keep up.
    OurSide,
    /// The other side sends nothing, or does not keep up.
    TheirSide,
    /// The network, on the way to us.
    NetworkIn,
    /// The network, on the way from us.
    NetworkOut,
    /// The network, both ways.
    Network,
    /// Our microphone gives nothing.
    MicrophoneSilent,
    /// Our microphone is too loud for its device.
    MicrophoneClips,
}

/// How long sound takes from mouth to ear, in tens of milliseconds; null while a part of the way is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, TS)]
pub struct CallDelay {
    /// Of what is heard here.
    pub rx_ms: Option<u32>,
    /// Of what is said here.
    pub tx_ms: Option<u32>,
}

/// The figures of a call's sound, rounded, and news only when they differ by more than they waver; null: unknown.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, TS)]
pub struct CallFigures {
    /// What is heard here.
    pub rx: SoundFigures,
    /// What is said here, as the other side reports it.
    pub tx: SoundFigures,
    /// There and back over the network, milliseconds.
    pub round_trip_ms: Option<u32>,
    /// What the jitter buffer holds here, milliseconds.
    pub buffer_ms: Option<u32>,
}

/// One direction of them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, TS)]
pub struct SoundFigures {
    /// Estimated mean opinion score (E-model, ITU-T G.107), 1.0 to 4.5.
    pub mos: Option<f64>,
    /// Packets that did not come or came too late, of late, in percent.
    pub loss_percent: Option<f64>,
    /// How unevenly packets arrive (RFC 3550 section 6.4.1), milliseconds.
    pub jitter_ms: Option<u32>,
}
