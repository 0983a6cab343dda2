//! Sound devices as the system lists them, with ids that stay the same over restarts.

use std::fmt;

use crate::bluetooth::Wireless;
use crate::{AudioError, system};

/// Names a device to the system, the same after a restart. Opaque; store it, compare it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(pub String);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which side of a conversation a device serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// Microphone.
    Input,
    /// Speaker or headset.
    Output,
    /// The output that rings. Only in events: [`devices`] lists it as [`DeviceKind::Output`].
    Ringer,
    /// The output for alerts. Only in events, as [`DeviceKind::Ringer`].
    Alerts,
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Ringer => "ringer",
            Self::Alerts => "alerts",
        })
    }
}

/// One device as offered for choosing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// For [`DeviceChoice`](crate::DeviceChoice).
    pub id: DeviceId,
    /// As shown to people.
    pub name: String,
    /// Microphone or speaker.
    pub kind: DeviceKind,
    /// Whether the system uses it where nothing is chosen.
    pub is_default: bool,
    /// How it is connected, if by Bluetooth and in a way that is known.
    pub wireless: Option<Wireless>,
}

/// Lists the devices there are now, microphones first. Takes some milliseconds and may block on
/// the sound service: not for an audio or event-loop thread.
///
/// # Errors
/// [`AudioError::NoSoundSystem`] when no sound service answers.
pub fn devices() -> Result<Vec<Device>, AudioError> {
    system::list()
}
