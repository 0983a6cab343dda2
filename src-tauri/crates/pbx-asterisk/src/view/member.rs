//! An agent in one queue, as the exchange writes him.

use std::time::Duration;

use crate::Message;

/// How the exchange sees a device (`AST_DEVICE_…`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeviceState(u8);

impl DeviceState {
    const UNKNOWN: Self = Self(0);
    const IDLE: Self = Self(1);

    /// Not reachable, or no device at all.
    pub(crate) fn is_away(self) -> bool {
        matches!(self.0, 4 | 5)
    }

    /// Can be rung.
    pub(crate) fn is_free(self) -> bool {
        self == Self::UNKNOWN || self == Self::IDLE
    }

    /// Talks: in use, busy, ringing while in use, on hold.
    pub(crate) fn talks(self) -> bool {
        matches!(self.0, 2 | 3 | 7 | 8)
    }
}

/// An agent in one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) state_interface: String,
    /// Joined by an action or a code; such a one can leave.
    pub(crate) dynamic: bool,
    pub(crate) penalty: u32,
    pub(crate) device: DeviceState,
    pub(crate) in_call: bool,
    pub(crate) paused: bool,
    pub(crate) reason: String,
    /// Seconds since the Unix epoch, 0: never.
    pub(crate) last_call: u64,
    /// The same.
    pub(crate) last_pause: u64,
    /// The same.
    pub(crate) login: u64,
    /// His own time to finish a call; zero: the queue's.
    pub(crate) wrap_up: Duration,
}

impl Member {
    /// Reads the item of a list or an event; the interface apart. `None` when it names none.
    pub(crate) fn read(message: &Message) -> Option<(String, Self)> {
        let interface = message.get("Interface").or_else(|| message.get("Location"))?;
        let name = message.get("MemberName").or_else(|| message.get("Name")).unwrap_or("");
        let seconds = |name| message.number(name).unwrap_or(0);
        let member = Self {
            // A member without a name has its interface there.
            name: if name == interface { String::new() } else { name.to_owned() },
            state_interface: message.text("StateInterface").to_owned(),
            dynamic: message.get("Membership") == Some("dynamic"),
            penalty: seconds("Penalty").try_into().unwrap_or(u32::MAX),
            device: DeviceState(seconds("Status").try_into().unwrap_or(0)),
            in_call: message.flag("InCall"),
            paused: message.flag("Paused"),
            reason: message.text("PausedReason").to_owned(),
            last_call: seconds("LastCall"),
            last_pause: seconds("LastPause"),
            login: seconds("LoginTime"),
            wrap_up: Duration::from_secs(seconds("Wrapuptime").min(86_400)),
        };
        Some((interface.to_owned(), member))
    }

    pub(crate) fn talks(&self) -> bool {
        self.in_call || self.device.talks()
    }
}

/// The number in the name of a device: `PJSIP/101` and `Local/101@from-queue/n` give `101`; empty when there is
/// none.
pub(crate) fn number_of(interface: &str) -> &str {
    let device = interface.split_once('/').map_or(interface, |(_, device)| device);
    let end = device.find(['@', '/', '-', '&']).unwrap_or(device.len());
    let number = device.get(..end).unwrap_or_default();
    if number.chars().all(|c| c.is_ascii_digit()) { number } else { "" }
}
