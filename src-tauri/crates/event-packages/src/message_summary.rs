//! `application/simple-message-summary`: what waits in a mailbox (RFC 3842).

use std::fmt::Write;

use crate::{DocumentError, limits};

/// What waits in a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageSummary {
    /// Whether the lamp is lit.
    pub waiting: bool,
    /// The mailbox: a URI.
    pub account: Option<String>,
    /// By class (`voice-message`, `fax-message` …, in lower case), in the document's order.
    pub counts: Vec<(String, Count)>,
}

/// How many messages of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Not heard yet.
    pub new: u32,
    /// Heard.
    pub old: u32,
    /// Not heard yet and urgent.
    pub urgent_new: u32,
    /// Heard and urgent.
    pub urgent_old: u32,
}

impl MessageSummary {
    /// Reads a document. Headers of single messages are passed over.
    ///
    /// # Errors
    /// When it does not say whether messages wait, or is too large.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > limits::BYTES {
            return Err(DocumentError::TooLarge);
        }
        let text = String::from_utf8_lossy(bytes);
        let mut summary = Self::default();
        let mut waiting = None;
        for line in text.lines().take(limits::LINES) {
            if line.trim().is_empty() {
                if waiting.is_some() {
                    break;
                }
                continue;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            match name.as_str() {
                "messages-waiting" => waiting = Some(value.eq_ignore_ascii_case("yes")),
                "message-account" => summary.account = Some(value.to_owned()),
                _ => summary.counts.extend(count(value).map(|count| (name, count))),
            }
        }
        summary.waiting = waiting.ok_or(DocumentError::Missing("Messages-Waiting"))?;
        Ok(summary)
    }

    /// The document as text. Line breaks in the account's name would be lines of their own: they
    /// are left out, and so is all after them.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = format!("Messages-Waiting: {}\r\n", if self.waiting { "yes" } else { "no" });
        if let Some(account) = self.account.as_ref().and_then(|account| account.lines().next()) {
            let _ = write!(text, "Message-Account: {account}\r\n");
        }
        for (class, c) in &self.counts {
            let _ = write!(text, "{}: {}/{}", title(class), c.new, c.old);
            let _ = write!(text, " ({}/{})\r\n", c.urgent_new, c.urgent_old);
        }
        text
    }

    /// The voice messages; where a server tells no classes, none.
    #[must_use]
    pub fn voice(&self) -> Count {
        let voice = self.counts.iter().find(|(class, _)| class == "voice-message");
        voice.map(|(_, count)| *count).unwrap_or_default()
    }
}

/// `2/8` or `2/8 (0/2)`.
fn count(value: &str) -> Option<Count> {
    let (plain, urgent) = match value.split_once('(') {
        Some((plain, urgent)) => (plain, urgent.split(')').next()),
        None => (value, None),
    };
    let (new, old) = pair(plain)?;
    let (urgent_new, urgent_old) = urgent.and_then(pair).unwrap_or_default();
    Some(Count { new, old, urgent_new, urgent_old })
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let (first, second) = text.split_once('/')?;
    Some((first.trim().parse().ok()?, second.trim().parse().ok()?))
}

/// `voice-message` as `Voice-Message`.
fn title(class: &str) -> String {
    let words = class.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    });
    words.map(Option::unwrap_or_default).collect::<Vec<_>>().join("-")
}
