//! Which sound path to open: the `--audio` argument and the chosen devices.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{AudioError, DeviceId};

/// Where sound comes from and goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioSpec {
    /// The computer's sound devices.
    System(DeviceChoice),
    /// Silence in, discard out, paced in real time.
    Null,
    /// A file as the microphone, a file as the speaker, paced in real time.
    Wav {
        /// Sent as the microphone: any common WAV, converted to 48 kHz mono.
        input: PathBuf,
        /// Receives what would be played: 48 kHz mono 16 bit.
        output: PathBuf,
        /// Starts the input again at its end; otherwise silence follows.
        looped: bool,
    },
    /// Control only: no media engine at all.
    None,
}

/// Chosen devices; `None` follows the system's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceChoice {
    /// Microphone.
    pub input: Option<DeviceId>,
    /// Speaker or headset for talking.
    pub output: Option<DeviceId>,
    /// Devices that ring, all at once, at most [`RINGERS`](crate::RINGERS); none of them there: the system's default
    /// output rings.
    pub ringers: Vec<DeviceId>,
    /// Device for alerts: sounds that are no call's own (somebody else calls). `None`: they have no device apart.
    pub alerts: Option<DeviceId>,
}

impl Default for AudioSpec {
    fn default() -> Self {
        Self::System(DeviceChoice::default())
    }
}

impl FromStr for AudioSpec {
    type Err = AudioError;

    /// Reads `system`, `null`, `none` or `wav:IN,OUT[,loop]`.
    fn from_str(text: &str) -> Result<Self, AudioError> {
        match text {
            "system" => return Ok(Self::default()),
            "null" => return Ok(Self::Null),
            "none" => return Ok(Self::None),
            _ => {}
        }
        let bad = || AudioError::BadSpec(text.to_owned());
        let mut parts = text.strip_prefix("wav:").ok_or_else(bad)?.split(',');
        let input = parts.next().filter(|s| !s.is_empty()).ok_or_else(bad)?;
        let output = parts.next().filter(|s| !s.is_empty()).ok_or_else(bad)?;
        let looped = match parts.next() {
            None => false,
            Some("loop") => true,
            Some(_) => return Err(bad()),
        };
        if parts.next().is_some() {
            return Err(bad());
        }
        Ok(Self::Wav { input: input.into(), output: output.into(), looped })
    }
}

impl fmt::Display for AudioSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(_) => f.write_str("system"),
            Self::Null => f.write_str("null"),
            Self::Wav { input, output, looped } => {
                let tail = if *looped { ",loop" } else { "" };
                write!(f, "wav:{},{}{tail}", input.display(), output.display())
            }
            Self::None => f.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_and_prints_it_back() {
        for text in ["system", "null", "none", "wav:a.wav,b.wav", "wav:/x/a.wav,/y/b.wav,loop"] {
            assert_eq!(text.parse::<AudioSpec>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for text in ["", "wav:", "wav:a.wav", "wav:a,b,again", "wav:a,b,loop,x", "wav:,b", "pulse"]
        {
            assert_eq!(text.parse::<AudioSpec>(), Err(AudioError::BadSpec(text.to_owned())));
        }
    }
}
