//! What can go wrong with sound devices, in words for people.

use std::path::PathBuf;

/// Why a sound path or device cannot be used.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AudioError {
    /// [`AudioSpec::None`](crate::AudioSpec::None) has no sound path.
    #[error("audio is switched off (control only)")]
    ControlOnly,
    /// The system has no sound service that can be reached.
    #[error("the sound system cannot be reached: {0}")]
    NoSoundSystem(String),
    /// No device of the wanted kind is there.
    #[error("there is no {kind} device{}", .wanted.as_ref().map(|w| format!(" called {w}")).unwrap_or_default())]
    NoDevice {
        /// Which side.
        kind: crate::DeviceKind,
        /// The chosen device, if one was chosen.
        wanted: Option<String>,
    },
    /// The system does not let this program use the device (microphone privacy, group membership).
    #[error("the system does not allow the use of {0}: check its privacy or permission settings")]
    Denied(String),
    /// Another program holds the device.
    #[error("{0} is in use by another program")]
    Busy(String),
    /// The device is known and not connected, as a default device where there is none.
    #[error("{0} is not connected")]
    NotConnected(String),
    /// The device has no mode that can be used.
    #[error("{name} offers no usable format: {reason}")]
    Unsupported {
        /// Device name.
        name: String,
        /// What the system said.
        reason: String,
    },
    /// Anything else the sound system says.
    #[error("{name} failed: {reason}")]
    Failed {
        /// Device name.
        name: String,
        /// What the system said.
        reason: String,
    },
    /// A WAV file cannot be read or written.
    #[error("{}: {reason}", .path.display())]
    Wav {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The audio specification cannot be understood.
    #[error("unknown audio specification \"{0}\": use system, null, none or wav:IN,OUT[,loop]")]
    BadSpec(String),
    /// The system gives no thread for sound.
    #[error("no thread for sound: {0}")]
    Thread(String),
}
