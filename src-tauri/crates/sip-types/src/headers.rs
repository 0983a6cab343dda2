//! Owns the ordered rows of headers. The typed views are in [`typed`].

use std::borrow::Cow;

use crate::{HeaderName, HeaderValue, Via};

mod typed;

/// The header rows of a message, in order, as received or as they will be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row at the end.
    pub fn push(&mut self, name: HeaderName, value: impl Into<HeaderValue>) {
        self.0.push((name, value.into()));
    }

    /// Adds a row before all others of its name (at the very top if there is none): how a Via or a
    /// Record-Route is put on.
    pub fn insert_first(&mut self, name: HeaderName, value: impl Into<HeaderValue>) {
        let at = self.0.iter().position(|(n, _)| *n == name).unwrap_or(0);
        self.0.insert(at, (name, value.into()));
    }

    /// Makes this the only row of its name, where the first one stood or at the end.
    pub fn set(&mut self, name: HeaderName, value: impl Into<HeaderValue>) {
        match self.0.iter().position(|(n, _)| *n == name) {
            Some(first) => {
                let mut at = 0;
                self.0.retain(|(n, _)| {
                    at += 1;
                    at - 1 == first || *n != name
                });
                if let Some(row) = self.0.get_mut(first) {
                    row.1 = value.into();
                }
            }
            None => self.push(name, value),
        }
    }

    /// Takes out every row of a name; how many there were.
    pub fn remove(&mut self, name: &HeaderName) -> usize {
        let before = self.0.len();
        self.0.retain(|(n, _)| n != name);
        before - self.0.len()
    }

    /// The text of the first row of a name.
    pub fn get(&self, name: &HeaderName) -> Option<Cow<'_, str>> {
        self.value(name).map(HeaderValue::text)
    }

    /// The texts of all rows of a name, in order; comma lists are not taken apart.
    pub fn get_all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = Cow<'a, str>> {
        self.values(name).map(HeaderValue::text)
    }

    /// The raw value of the first row of a name.
    pub fn value(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// The raw values of all rows of a name, in order.
    pub fn values<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a HeaderValue> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value)
    }

    /// Whether a row of that name is there.
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.value(name).is_some()
    }

    /// How many rows of that name there are.
    pub fn count(&self, name: &HeaderName) -> usize {
        self.values(name).count()
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Copies every row of a name from another message, raw bytes and order kept.
    pub fn copy_from(&mut self, other: &Self, name: &HeaderName) {
        for value in other.values(name) {
            self.push(name.clone(), value.clone());
        }
    }

    /// Replaces the topmost Via (to add `received` and `rport`); the others of its comma list stay below it.
    pub fn set_via_top(&mut self, via: &Via) {
        let Some(at) = self.0.iter().position(|(n, _)| *n == HeaderName::Via) else {
            self.insert_first(HeaderName::Via, via.to_string());
            return;
        };
        let rest = self.below_top(at);
        if let Some(row) = self.0.get_mut(at) {
            row.1 = via.to_string().into();
        }
        if let Some(rest) = rest {
            self.0.insert(at + 1, (HeaderName::Via, rest));
        }
    }

    /// Takes the topmost Via off, as a proxy or a back-to-back agent does with a response; whether there was one.
    pub fn remove_via_top(&mut self) -> bool {
        let Some(at) = self.0.iter().position(|(n, _)| *n == HeaderName::Via) else {
            return false;
        };
        match (self.below_top(at), self.0.get_mut(at)) {
            (Some(rest), Some(row)) => row.1 = rest,
            _ => {
                self.0.remove(at);
            }
        }
        true
    }

    /// What follows the first comma of the row at `at`, if its list has more than one element.
    fn below_top(&self, at: usize) -> Option<HeaderValue> {
        let (_, value) = self.0.get(at)?;
        let text = value.text();
        let first = crate::scan::split_outside(&text, ',').ok()?.first()?.len();
        let rest = text.get(first + 1..)?;
        Some(HeaderValue::from(rest)).filter(|rest| !rest.is_empty())
    }
}

impl<'a> Extend<(&'a HeaderName, &'a HeaderValue)> for Headers {
    fn extend<T: IntoIterator<Item = (&'a HeaderName, &'a HeaderValue)>>(&mut self, rows: T) {
        self.0.extend(rows.into_iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(list: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in list {
            headers.push(HeaderName::new(name), *value);
        }
        headers
    }

    #[test]
    fn rows_keep_their_order() {
        let mut headers = rows(&[("To", "a"), ("v", "1"), ("Via", "2"), ("X", "x"), ("x", "y")]);
        headers.insert_first(HeaderName::Via, "0");
        assert_eq!(headers.get_all(&HeaderName::Via).collect::<Vec<_>>(), ["0", "1", "2"]);
        headers.set(HeaderName::new("X"), "z");
        headers.set(HeaderName::Expires, "5");
        assert_eq!(
            headers,
            rows(&[
                ("To", "a"),
                ("Via", "0"),
                ("Via", "1"),
                ("Via", "2"),
                ("X", "z"),
                ("Expires", "5")
            ])
        );
        assert_eq!(headers.remove(&HeaderName::Via), 3);
    }

    #[test]
    fn the_top_via_of_a_list_is_replaced_alone() {
        let list = "SIP/2.0/UDP a;branch=z9hG4bK1 , SIP/2.0/TCP b;x=\"1,2\"";
        let mut headers = rows(&[("Via", list), ("Via", "SIP/2.0/UDP c")]);
        let mut via = headers.via_top().unwrap();
        via.params.set("received", Some("192.0.2.1"));
        headers.set_via_top(&via);
        let texts: Vec<_> = headers.vias().unwrap().iter().map(Via::to_string).collect();
        assert_eq!(
            texts,
            [
                "SIP/2.0/UDP a;branch=z9hG4bK1;received=192.0.2.1",
                "SIP/2.0/TCP b;x=\"1,2\"",
                "SIP/2.0/UDP c"
            ]
        );
        assert!(headers.remove_via_top() && headers.remove_via_top() && headers.remove_via_top());
        assert!(!headers.remove_via_top());
    }
}
