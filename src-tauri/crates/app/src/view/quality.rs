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
