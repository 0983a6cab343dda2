//! Search as you type over people in memory, and who has a number.
//!
//! Everybody is one line of one text:
//!
//! ```text
//! \n jan van den berg \x01 jvdb \x02 verkoop \x03 31302318800 0302318800 \x04 526 826 336 2374
//! ```
//!
//! The name, the initials, other words, the numbers in every notation, the name on the keys of a telephone; a space
//! before every word. A query is looked for as bytes, so a hundred thousand people take one pass over ten megabytes
//! and nothing is allocated for who is not found.

mod query;
mod typo;

use std::collections::BTreeMap;

pub use self::query::Match;
use crate::dial::key_of;
use crate::fold::{fold, words};
use crate::key::NumberKey;

/// Somebody who can be found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Name.
    pub name: String,
    /// Numbers in any notation.
    pub numbers: Vec<String>,
    /// Other words to be found by: department, company.
    pub words: String,
}

/// Where in a line something stands; each is ended by its byte.
const NAME: u8 = 1;
const INITIALS: u8 = 2;
const WORDS: u8 = 3;
const NUMBERS: u8 = 4;
const KEYS: u8 = b'\n';

/// People, ready to be searched. Results are positions in the order of entering.
#[derive(Debug, Clone, Default)]
pub struct Index {
    text: Vec<u8>,
    /// Where each line begins.
    starts: Vec<u32>,
    /// How near each is to the user; see [`Index::set_nearness`].
    nearness: Vec<u8>,
    /// Numbers of digits alone, packed; sorted.
    numbers: Vec<u64>,
    /// Whom each of them belongs to.
    whose: Vec<u32>,
    /// All others (feature codes).
    codes: BTreeMap<NumberKey, Vec<u32>>,
}

/// Fills an [`Index`].
#[derive(Debug, Default)]
pub struct IndexBuilder {
    index: Index,
    /// Numbers and whom they belong to, as they came.
    numbers: Vec<(u64, u32)>,
}

impl IndexBuilder {
    /// Enters somebody with numbers whose keys are known. What no longer fits (four gigabytes of text) is left out.
    pub fn push<'a>(
        &mut self,
        name: &str,
        other: &str,
        numbers: impl IntoIterator<Item = &'a NumberKey>,
    ) {
        let index = &mut self.index;
        let (Ok(position), Ok(start)) =
            (u32::try_from(index.starts.len()), u32::try_from(index.text.len()))
        else {
            return;
        };
        let name = fold(name);
        for word in words(&name) {
            index.word(word.bytes());
        }
        index.text.push(NAME);
        let initials: String = words(&name).filter_map(|word| word.chars().next()).collect();
        index.word(initials.bytes());
        index.text.push(INITIALS);
        for word in words(&fold(other)) {
            index.word(word.bytes());
        }
        index.text.push(WORDS);
        for key in numbers {
            let packed = index.number(key, position);
            self.numbers.extend(packed.into_iter().flatten().map(|packed| (packed, position)));
        }
        index.text.push(NUMBERS);
        for word in words(&name) {
            let keys = word.chars().filter_map(key_of).filter_map(|key| u8::try_from(key).ok());
            index.word(keys);
        }
        index.text.push(KEYS);
        index.starts.push(start);
        index.nearness.push(0);
    }

    /// The index.
    pub fn build(self) -> Index {
        let (mut index, mut numbers) = (self.index, self.numbers);
        numbers.sort_unstable();
        numbers.dedup();
        // Apart, a pair takes twelve bytes instead of sixteen.
        index.numbers = numbers.iter().map(|(number, _)| *number).collect();
        index.whose = numbers.iter().map(|(_, position)| *position).collect();
        index.text.shrink_to_fit();
        index.starts.shrink_to_fit();
        index.nearness.shrink_to_fit();
        index
    }
}

impl Index {
    /// An index of these, in this order.
    pub fn new<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Index {
        let mut builder = IndexBuilder::default();
        for entry in entries {
            let keys: Vec<NumberKey> =
                entry.numbers.iter().filter_map(|number| NumberKey::of(number)).collect();
            builder.push(&entry.name, &entry.words, &keys);
        }
        builder.build()
    }

    /// How many people it has.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// True when it has nobody.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> usize {
        self.text.capacity()
            + self.starts.capacity() * size_of::<u32>()
            + self.nearness.capacity()
            + self.numbers.capacity() * size_of::<u64>()
            + self.whose.capacity() * size_of::<u32>()
    }

    /// How near somebody is to the user (a favourite, called lately); of equally good matches the nearest comes first.
    /// 0 when it was never set.
    pub fn set_nearness(&mut self, position: usize, nearness: u8) {
        if let Some(known) = self.nearness.get_mut(position) {
            *known = nearness;
        }
    }

    /// Everybody with this number, in any notation.
    pub fn lookup(&self, number: &str) -> Vec<usize> {
        NumberKey::of(number).map_or_else(Vec::new, |key| self.lookup_key(&key))
    }

    /// Everybody with this number; where nobody has it, whoever has it with the zero that was left off.
    pub fn lookup_key(&self, key: &NumberKey) -> Vec<usize> {
        let found = self.lookup_exactly(key);
        match key.with_zero().filter(|_| found.is_empty()) {
            Some(full) => self.lookup_exactly(&full),
            None => found,
        }
    }

    fn lookup_exactly(&self, key: &NumberKey) -> Vec<usize> {
        let Some(packed) = packed(key.as_str()) else {
            let found = self.codes.get(key).into_iter().flatten();
            return found.map(|position| *position as usize).collect();
        };
        let first = self.numbers.partition_point(|number| *number < packed);
        let same = self.numbers.iter().zip(&self.whose).skip(first);
        same.take_while(|(number, _)| **number == packed).map(|(_, at)| *at as usize).collect()
    }

    fn word(&mut self, word: impl Iterator<Item = u8>) {
        self.text.push(b' ');
        // A word has no byte that could be taken for the end of its field.
        self.text.extend(word.filter(|byte| *byte >= b' '));
    }

    /// Writes a number in its notations; gives back what it is looked up by, packed.
    fn number(&mut self, key: &NumberKey, position: u32) -> [Option<u64>; 2] {
        self.word(key.as_str().trim_start_matches('+').bytes());
        if let Some(national) = key.national() {
            self.word(national.bytes());
        }
        let full = key.with_zero().and_then(|full| packed(full.as_str()));
        let known = packed(key.as_str());
        if known.is_none() {
            let whose = self.codes.entry(key.clone()).or_default();
            if whose.last() != Some(&position) {
                whose.push(position);
            }
        }
        [full, known]
    }

    /// The line of a position, without its end.
    fn line(&self, position: usize) -> &[u8] {
        let start = self.starts.get(position).map_or(self.text.len(), |start| *start as usize);
        let next = self.starts.get(position + 1).map_or(self.text.len(), |start| *start as usize);
        self.text.get(start..next.saturating_sub(1)).unwrap_or_default()
    }
}

/// Digits as a number of their own: a leading one keeps the zeros, the top bit tells full numbers from others. None for
/// what is longer, or no digits.
fn packed(key: &str) -> Option<u64> {
    let (digits, full) = match key.strip_prefix('+') {
        Some(digits) => (digits, 1 << 63),
        None => (key, 0),
    };
    let fits = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let value: u64 = fits.then(|| format!("1{digits}").parse().ok()).flatten()?;
    Some(value | full)
}

#[cfg(test)]
mod tests;
