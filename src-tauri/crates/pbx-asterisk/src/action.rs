//! Actions as they are written: no value can end its line or begin another.

use std::fmt;

/// Longest value in bytes; the exchange reads lines of at most 1024.
const LONGEST_VALUE: usize = 900;

/// An action with its fields, without its id.
#[derive(Clone, PartialEq, Eq)]
pub struct Action {
    name: &'static str,
    fields: Vec<(&'static str, String)>,
}

impl Action {
    /// An action without fields.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, fields: Vec::new() }
    }

    /// The same with a field. Line breaks and other control characters become spaces; what is longer than the
    /// exchange reads is cut off.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, clean(value)));
        self
    }

    /// What is asked for: `QueueAdd`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The bytes, with an id that the answer will carry.
    #[must_use]
    pub fn to_bytes(&self, id: &str) -> Vec<u8> {
        let mut text = format!("Action: {}\r\nActionID: {}\r\n", self.name, clean(id));
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// Names the fields but tells no values: one may be the secret.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(self.name)
            .field(&self.fields.iter().map(|(name, _)| *name).collect::<Vec<_>>())
            .finish()
    }
}

fn clean(value: &str) -> String {
    let mut clean = String::with_capacity(value.len());
    for character in value.chars() {
        let character = if character.is_control() { ' ' } else { character };
        if clean.len() + character.len_utf8() > LONGEST_VALUE {
            break;
        }
        clean.push(character);
    }
    clean
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Action;

    #[test]
    fn an_action_is_written_line_by_line() {
        let action =
            Action::new("QueuePause").with("Interface", "PJSIP/101").with("Paused", "true");
        let bytes = action.to_bytes("a-1");
        let text =
            "Action: QueuePause\r\nActionID: a-1\r\nInterface: PJSIP/101\r\nPaused: true\r\n\r\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), text);
    }

    #[test]
    fn no_value_is_shown_to_a_log() {
        let action = Action::new("Login").with("Secret", "geheim");
        assert!(!format!("{action:?}").contains("geheim"));
    }

    proptest! {
        #[test]
        fn no_value_breaks_a_line(value in ".*", id in ".*") {
            let value = format!("{value}\r\nAction: Command\r\n\r\n{value}");
            let bytes = Action::new("QueuePause").with("Reason", &value).to_bytes(&id);
            let text = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(text.matches(['\r', '\n']).count(), 8);
            prop_assert!(text.ends_with("\r\n\r\n"));
            prop_assert!(text.lines().all(|line| line.len() < 1_000));
        }
    }
}
