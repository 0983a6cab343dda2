//! Where the next reading begins: for every collection the address that tells what has changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is remembered from one reading to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// The number of the next collection that is met for the first time.
    #[serde(default)]
    next: u32,
    /// How each collection stood.
    #[serde(default)]
    places: BTreeMap<String, Stand>,
}

/// How a collection stood.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stand {
    /// Its number: records are named after it, since the names of collections are long.
    pub(crate) number: u32,
    /// Where its changes are told; empty: it is read from the beginning.
    #[serde(default)]
    pub(crate) link: String,
}

impl Cursor {
    /// What cannot be read any more is a new beginning.
    pub(crate) fn read(text: &str) -> Cursor {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(crate) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The collection's stand; one that was never met gets a number that none has had.
    pub(crate) fn stand(&mut self, key: &str) -> &mut Stand {
        let next = &mut self.next;
        self.places.entry(key.to_owned()).or_insert_with(|| {
            *next += 1;
            Stand { number: *next, link: String::new() }
        })
    }

    /// The numbers of the collections that there are.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.places.values().map(|stand| stand.number)
    }

    /// Forgets collections that are no more; their numbers.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<u32> {
        let gone = self.places.iter().filter(|(key, _)| !wanted(key));
        let numbers = gone.map(|(_, stand)| stand.number).collect();
        self.places.retain(|key, _| wanted(key));
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_keeps_its_number_and_none_gets_it_again() {
        let mut cursor = Cursor::default();
        assert_eq!((cursor.stand("me").number, cursor.stand("users").number), (1, 2));
        cursor.stand("me").link = "https://x/".into();
        let mut again = Cursor::read(&cursor.write());
        assert_eq!(again, cursor);
        assert_eq!(again.retain(|key| key == "me"), [2]);
        assert_eq!(again.stand("users").number, 3);
        assert_eq!(Cursor::read("{\"homes\":[\"of another kind\"]}"), Cursor::default());
        assert_eq!(Cursor::read("x"), Cursor::default());
    }
}
