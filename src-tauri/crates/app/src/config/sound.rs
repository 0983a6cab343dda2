//! Sound: which devices, and what is done to the microphone's sound (`[audio]`).

use serde::{Deserialize, Serialize};

use super::Unknown;

/// Chosen devices; empty follows the system.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AudioSettings {
    /// Microphone.
    pub input: String,
    /// Loudspeaker or headset for talking.
    pub output: String,
    /// Where it rings.
    pub ringer: String,
    /// Takes the other side's voice out of the microphone's sound; absent: with devices yes, with a
    /// file in their place no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub echo_cancelling: Option<bool>,
    /// Makes steady noise softer; absent: the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_suppression: Option<bool>,
    /// Evens out how loud the user speaks; absent: the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain_control: Option<bool>,
    /// Keys and lamps of headsets.
    #[serde(skip_serializing_if = "HeadsetSettings::is_usual")]
    pub headset: HeadsetSettings,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

/// Keys and lamps of headsets, and busy lights (`[audio.headset]`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HeadsetSettings {
    /// They are used; absent: in the window yes, in the headless program no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<bool>,
    /// Which headset; empty: the first there is.
    pub device: String,
    /// A busy light is used; absent: the same as for headsets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub light: Option<bool>,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

impl HeadsetSettings {
    fn is_usual(&self) -> bool {
        *self == HeadsetSettings::default()
    }
}
