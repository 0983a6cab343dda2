//! Keys that work everywhere, given by the desktop's portal (`org.freedesktop.portal.GlobalShortcuts`, version 1): on
//! Wayland no program may take one by itself. The desktop may ask the user, and give other keys than were wished for.
//!
//! Linux only; elsewhere programs take keys themselves.

#[cfg(target_os = "linux")]
mod linux;

use tokio::sync::{mpsc, watch};

/// Wishes that wait; only the last counts.
const WAITING: usize = 8;

/// A key that is wished for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Names what it does; comes back when it is pressed.
    pub id: String,
    /// What it does, for the desktop to show to people.
    pub words: String,
    /// The key, as `Ctrl+Alt+K`; the desktop may give another one.
    pub key: String,
}

/// How the wishes stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Standing {
    /// Not known yet.
    #[default]
    Unknown,
    /// The desktop has no such portal.
    Absent,
    /// It has one; nothing is bound.
    Ready,
    /// It was asked, and may be asking the user.
    Asked,
    /// The user or the desktop said no.
    Refused,
    /// Given: what each key does, and the key as the desktop writes it.
    Given(Vec<(String, String)>),
}

/// The keys of the portal; cheap to clone.
#[derive(Debug, Clone)]
pub struct Shortcuts {
    wishes: mpsc::Sender<Vec<Wish>>,
    tell: watch::Sender<Standing>,
}

impl Shortcuts {
    /// Looks for the portal, within a tokio runtime. `pressed` is told what a pressed key does.
    pub fn start(pressed: impl Fn(String) + Send + Sync + 'static) -> Shortcuts {
        let (wishes, received) = mpsc::channel(WAITING);
        let tell = watch::Sender::new(Standing::Unknown);
        #[cfg(target_os = "linux")]
        tokio::spawn(linux::run(received, tell.clone(), pressed));
        #[cfg(not(target_os = "linux"))]
        {
            tell.send_replace(Standing::Absent);
            drop((received, pressed));
        }
        Shortcuts { wishes, tell }
    }

    /// Wishes for these keys, in place of all others.
    pub fn wish(&self, wishes: Vec<Wish>) {
        match self.wishes.try_send(wishes) {
            // Absent stays absent; else it is asked from this moment on.
            Ok(()) => {
                self.tell.send_if_modified(|standing| {
                    let asks = *standing != Standing::Absent;
                    if asks {
                        *standing = Standing::Asked;
                    }
                    asks
                });
            }
            Err(error) => tracing::debug!(%error, "the portal is not asked"),
        }
    }

    /// How the wishes stand now.
    pub fn standing(&self) -> Standing {
        self.tell.borrow().clone()
    }

    /// Waits until they stand so.
    pub async fn until(&mut self, fits: impl FnMut(&Standing) -> bool) -> Option<Standing> {
        let mut standing = self.tell.subscribe();
        standing.wait_for(fits).await.ok().map(|standing| standing.clone())
    }
}

/// A key as the Shortcuts specification writes it: modifiers in capitals, the name of the key as XKB has it.
#[cfg(any(target_os = "linux", test))]
fn trigger(key: &str) -> String {
    let mut parts: Vec<&str> = key.split('+').collect();
    let last = parts.pop().unwrap_or_default();
    let modifiers = parts.into_iter().filter_map(|part| match part.to_ascii_lowercase().as_str() {
        "ctrl" | "control" | "cmdorctrl" => Some("CTRL"),
        "alt" | "option" => Some("ALT"),
        "shift" => Some("SHIFT"),
        "super" | "meta" | "cmd" | "command" => Some("LOGO"),
        _ => None,
    });
    let name = match last {
        one if one.chars().count() == 1 => one.to_lowercase(),
        "Space" => "space".to_owned(),
        "ScrollLock" => "Scroll_Lock".to_owned(),
        other => match other.strip_prefix("Arrow") {
            Some(direction) => direction.to_owned(),
            None => other.to_owned(),
        },
    };
    modifiers.map(str::to_owned).chain([name]).collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_the_portal_wants_them() {
        for (key, wanted) in [
            ("Ctrl+Alt+K", "CTRL+ALT+k"),
            ("Shift+F9", "SHIFT+F9"),
            ("Super+Space", "LOGO+space"),
            ("Ctrl+ArrowUp", "CTRL+Up"),
            ("Pause", "Pause"),
        ] {
            assert_eq!(trigger(key), wanted);
        }
    }
}
