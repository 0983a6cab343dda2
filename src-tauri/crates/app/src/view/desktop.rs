//! The program in the desktop around it: keys that work everywhere, starting at login.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Longest name of a key, in bytes.
const LONGEST: usize = 64;

/// Keys that work wherever the user is, as `Ctrl+Alt+A`. Empty: no key, as at first: a key that another program needs
/// is not ours to take.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Hotkeys {
    /// Answer the call that has waited longest.
    pub answer: String,
    /// End the conversation, or stop dialling.
    pub hangup: String,
    /// Hold, or take back.
    pub hold: String,
    /// Mute the microphone, or no longer.
    pub mute: String,
    /// Bring the window up.
    pub show: String,
    /// Lay the selected or copied text ready to be dialled.
    pub dial: String,
}

impl Hotkeys {
    /// All of them.
    pub fn all(&self) -> [&str; 6] {
        [&self.answer, &self.hangup, &self.hold, &self.mute, &self.show, &self.dial]
    }

    /// Whether every one could be a key, and none stands twice.
    pub fn are_possible(&self) -> bool {
        let keys = self.all();
        let possible =
            |key: &&str| key.len() <= LONGEST && key.bytes().all(|byte| byte.is_ascii_graphic());
        let once = |(index, key): (usize, &&str)| {
            key.is_empty() || !keys.iter().take(index).any(|other| other.eq_ignore_ascii_case(key))
        };
        keys.iter().all(possible) && keys.iter().enumerate().all(once)
    }
}

/// What is told by the desktop's own notifications, with buttons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct NoticeSettings {
    /// Somebody calls. Null: where the desktop shows the pop-up in no fixed place (Wayland).
    pub calls: Option<bool>,
    /// A call was missed.
    pub missed: bool,
}

impl Default for NoticeSettings {
    fn default() -> NoticeSettings {
        NoticeSettings { calls: None, missed: true }
    }
}

/// A key that the desktop gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct GivenKey {
    /// What it does: a name of [`Hotkeys`].
    pub does: String,
    /// The key, as the desktop writes it for people.
    pub key: String,
}

/// How the program stands in the desktop; told by the window, not by the program itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, TS)]
pub struct DesktopState {
    /// Whether it starts when the user logs in; null where that cannot be arranged.
    pub start_at_login: Option<bool>,
    /// Whether keys that work everywhere can be had at all: on Wayland only where the desktop has a portal for them.
    /// Everywhere the desktop's own settings can run `balie answer` and its like instead.
    pub hotkeys: bool,
    /// Keys that another program has.
    pub taken: Vec<String>,
    /// The desktop itself gives the keys (a portal): it may ask the user first, and give others.
    pub asks: bool,
    /// The keys that it gave, where it does.
    pub given: Vec<GivenKey>,
    /// The desktop shows notifications with buttons.
    pub notices: bool,
    /// Calls are told by them unless the user chose otherwise.
    pub notices_of_calls: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_visible_and_each_its_own() {
        let keys = |answer: &str, hold: &str| Hotkeys {
            answer: answer.to_owned(),
            hold: hold.to_owned(),
            ..Hotkeys::default()
        };
        assert!(Hotkeys::default().are_possible());
        assert!(keys("Ctrl+Alt+A", "Ctrl+Alt+H").are_possible());
        assert!(!keys("Ctrl+Alt+A", "ctrl+alt+a").are_possible());
        assert!(!keys("Ctrl Alt", "").are_possible());
        assert!(!keys(&"A".repeat(65), "").are_possible());
    }
}
