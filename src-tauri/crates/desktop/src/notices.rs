//! Notifications with buttons, shown by the desktop itself.
//!
//! Linux: the service `org.freedesktop.Notifications` (Desktop Notifications Specification 1.2). Windows: toasts. macOS: the
//! notification centre. Where nothing shows them, the pop-up of the program stands there alone.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

use tokio::sync::mpsc;

/// Notifications that wait to be shown; more at once nobody could read.
const WAITING: usize = 32;

/// The action that is a press on the notification itself.
pub const DEFAULT: &str = "default";

/// Something to be shown until it is closed or answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Names it; the same key again replaces what is shown.
    pub key: u64,
    /// First line, as it is.
    pub summary: String,
    /// What follows, as it is: whatever a caller calls himself, it is no markup.
    pub body: String,
    /// What it is about, as the specification names categories: `call.incoming`, `call.unanswered`.
    pub category: &'static str,
    /// It stays until it is dealt with.
    pub urgent: bool,
    /// Buttons: the name that comes back, and its words. [`DEFAULT`] is a press on the notification itself.
    pub actions: Vec<(String, String)>,
}

#[cfg(any(windows, target_os = "macos", test))]
impl Notice {
    /// Those that are drawn, where a press on the notification itself needs none.
    fn buttons(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.actions.iter().map(|(name, words)| (name.as_str(), words.as_str()));
        all.filter(|(name, _)| *name != DEFAULT)
    }
}

/// What the shower is told.
#[derive(Debug)]
enum Order {
    Show(Notice),
    Close(u64),
}

/// Shows notifications; cheap to clone.
#[derive(Debug, Clone)]
pub struct Notices {
    orders: mpsc::Sender<Order>,
}

impl Notices {
    /// Begins, within a tokio runtime. `program` is the identifier that it is installed by; `pressed` is told the key and
    /// the button of what was pressed.
    pub fn start(program: &str, pressed: impl Fn(u64, String) + Send + Sync + 'static) -> Notices {
        let (orders, received) = mpsc::channel(WAITING);
        #[cfg(windows)]
        tokio::spawn(windows::run(program.to_owned(), received, pressed));
        #[cfg(target_os = "macos")]
        tokio::spawn(macos::run(received, pressed));
        #[cfg(target_os = "linux")]
        tokio::spawn(linux::run(received, pressed));
        tracing::debug!(program, "notifications");
        Notices { orders }
    }

    /// Shows it, or replaces what has the same key.
    pub fn show(&self, notice: Notice) {
        self.order(Order::Show(notice));
    }

    /// Takes it away.
    pub fn close(&self, key: u64) {
        self.order(Order::Close(key));
    }

    fn order(&self, order: Order) {
        if let Err(error) = self.orders.try_send(order) {
            tracing::debug!(%error, "a notification is left out");
        }
    }
}

/// A text in which nothing is markup.
#[cfg(any(target_os = "linux", test))]
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_on_the_notification_itself_is_no_button() {
        let actions = [("answer", "Answer"), (DEFAULT, "Balie")];
        let notice = Notice {
            key: 1,
            summary: String::new(),
            body: String::new(),
            category: "call.incoming",
            urgent: true,
            actions: actions.map(|(name, words)| (name.to_owned(), words.to_owned())).into(),
        };
        assert_eq!(notice.buttons().collect::<Vec<_>>(), [("answer", "Answer")]);
    }

    #[test]
    fn what_a_caller_calls_himself_is_no_markup() {
        assert_eq!(escaped("<b>Jan & Zn</b>"), "&lt;b&gt;Jan &amp; Zn&lt;/b&gt;");
    }
}
