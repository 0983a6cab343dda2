//! One message of the manager interface: named values, in order.

/// A response, an event, or an item of a list: lines `Name: value`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    fields: Vec<(String, String)>,
}

impl Message {
    /// Takes in one line without its end. A line without a colon has no name.
    pub(crate) fn add_line(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or(("", line));
        let value = value.strip_prefix(' ').unwrap_or(value);
        self.fields.push((name.trim().to_owned(), value.to_owned()));
    }

    /// No lines.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The first value of this name, without regard to case; `None` when it is missing or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The same as text; empty when it is missing. The exchange's words for "not known" count as missing.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.get(name).filter(|value| *value != "<unknown>" && *value != "<null>").unwrap_or("")
    }

    /// The value as a number. Fractions are cut off; what is no number is missing.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        let value = self.get(name)?.trim();
        let whole = value.split_once('.').map_or(value, |(whole, _)| whole);
        whole.parse().ok()
    }

    /// The value as yes or no: `1`, `yes` and `true` mean yes.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| {
            ["1", "yes", "true"].iter().any(|yes| value.eq_ignore_ascii_case(yes))
        })
    }

    /// Name of the event, if it is one.
    #[must_use]
    pub fn event(&self) -> Option<&str> {
        self.get("Event")
    }

    /// All names and values in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
