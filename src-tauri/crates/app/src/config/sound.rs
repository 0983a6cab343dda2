//! Sound: which devices, and what is done to the microphone's sound (`[audio]`).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Unknown, several};
use crate::view::ring::RingSource;

/// Chosen devices; empty follows the system.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AudioSettings {
    /// Microphone.
    pub input: String,
    /// Loudspeaker or headset for talking.
    pub output: String,
    /// Where it rings: one device or several at once.
    #[serde(rename = "ringer", with = "several")]
    pub ringers: Vec<String>,
    /// Where alerts sound (somebody else calls); empty: where one talks.
    pub alerts: String,
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
    /// A queue that goes over one of its thresholds is heard where alerts sound; absent: yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_alarms: Option<bool>,
    /// Severe notices are; absent: yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice_sounds: Option<bool>,
    /// The user's own ring tones.
    pub rings: RingSettings,
    /// Keys and lamps of headsets.
    #[serde(skip_serializing_if = "HeadsetSettings::is_usual")]
    pub headset: HeadsetSettings,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

/// How calls ring that come from anybody, a colleague, a queue, a door (`[audio.rings.ordinary]` …).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RingSettings {
    /// From anybody.
    pub ordinary: RingFile,
    /// From a colleague.
    pub internal: RingFile,
    /// From a queue.
    pub queue: RingFile,
    /// From a door or an intercom.
    pub door: RingFile,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

impl RingSettings {
    /// The sound for calls from there.
    pub fn of(&self, source: RingSource) -> &RingFile {
        match source {
            RingSource::Ordinary => &self.ordinary,
            RingSource::Internal => &self.internal,
            RingSource::Queue => &self.queue,
            RingSource::Door => &self.door,
        }
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, source: RingSource) -> &mut RingFile {
        match source {
            RingSource::Ordinary => &mut self.ordinary,
            RingSource::Internal => &mut self.internal,
            RingSource::Queue => &mut self.queue,
            RingSource::Door => &mut self.door,
        }
    }
}

/// A ring tone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RingFile {
    /// A WAV file; empty: the built-in sound.
    pub file: PathBuf,
    /// What people call it; empty: as the file is called.
    pub name: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ringer_of_an_older_file_stays_the_one_and_several_are_a_list() {
        let read = |text: &str| toml::from_str::<AudioSettings>(text);
        assert_eq!(read("").unwrap().ringers, Vec::<String>::new());
        assert_eq!(read("ringer = \"\"").unwrap().ringers, Vec::<String>::new());
        let one = read("input = \"m\"\nringer = \"s\"").unwrap();
        assert_eq!(one.ringers, ["s"]);
        assert!(toml::to_string(&one).unwrap().contains("ringer = \"s\""));
        let two = read("ringer = [\"s\", \"h\"]\nalerts = \"h\"").unwrap();
        assert_eq!((two.ringers.clone(), two.alerts.as_str()), (vec!["s".into(), "h".into()], "h"));
        assert_eq!(read(&toml::to_string(&two).unwrap()).unwrap(), two);
        assert!(two.unknown.is_empty());
        let error = read("ringer = 5").unwrap_err().to_string();
        assert!(error.contains("this is a text or a list of them"), "{error}");
    }
}
