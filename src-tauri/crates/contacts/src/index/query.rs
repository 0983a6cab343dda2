//! How a query finds people and how good a match is.
//!
//! | cost | match |
//! |---|---|
//! | 0 | the name begins with it; a whole number |
//! | 1 | a later word of the name begins with it |
//! | 2 | initials; a number begins with it |
//! | 3 | another word (company, department) begins with it |
//! | 4 | it stands somewhere in a number |
//! | 5 | it stands somewhere in the name; the name begins so on the keys of a telephone |
//! | 6 | it stands somewhere in another word |
//!
//! Every word of the query must be found; the costs add up. Of equal costs the nearest to the user comes first, then the
//! order of entering.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use memchr::memmem::Finder;

use super::{INITIALS, Index, KEYS, NAME, NUMBERS, WORDS};
use crate::dial::number_of;
use crate::fold::{fold, words};

/// Below this length a word is looked for at the beginning of words only.
const INFIX: usize = 3;
/// Costs of words that are typed wrong, on top of all others.
pub(super) const TYPO: u32 = 100;

/// One word of a query, ready to be looked for.
struct Word {
    text: Vec<u8>,
    /// At the beginning of a word.
    start: Finder<'static>,
    anywhere: Finder<'static>,
    digits: bool,
}

impl Word {
    fn new(text: &str) -> Word {
        let spaced = [b" ".as_slice(), text.as_bytes()].concat();
        Word {
            text: text.as_bytes().to_vec(),
            start: Finder::new(&spaced).into_owned(),
            anywhere: Finder::new(text.as_bytes()).into_owned(),
            digits: text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#')),
        }
    }

    /// What finds every line that this word can match.
    fn sieve(&self) -> &Finder<'static> {
        if self.text.len() < INFIX { &self.start } else { &self.anywhere }
    }

    fn cost(&self, line: &[u8], first: bool) -> Option<u32> {
        let best = self.cost_at_start(line, first);
        if best.is_some_and(|cost| cost <= 3) || self.text.len() < INFIX {
            return best;
        }
        // The first place is the best one: fields stand in the order of their worth, but for the numbers.
        let anywhere = self.anywhere.find_iter(line).filter_map(|at| match field(line, at) {
            NAME => Some(5),
            WORDS => Some(6),
            NUMBERS if self.digits => Some(4),
            _ => None,
        });
        anywhere.chain(best).min()
    }

    fn cost_at_start(&self, line: &[u8], first: bool) -> Option<u32> {
        let costs = self.start.find_iter(line).filter_map(|at| match field(line, at) {
            NAME if at == 0 && first => Some(0),
            NAME => Some(1),
            INITIALS if self.text.len() > 1 => Some(2),
            WORDS => Some(3),
            NUMBERS if self.digits => {
                let end = line.get(at + 1 + self.text.len());
                Some(if end.is_some_and(|byte| matches!(*byte, b' ' | NUMBERS)) { 0 } else { 2 })
            }
            KEYS if self.digits && self.text.len() >= INFIX => Some(5),
            _ => None,
        });
        costs.min()
    }
}

/// The field that a place in a line belongs to.
fn field(line: &[u8], at: usize) -> u8 {
    let rest = line.get(at..).unwrap_or_default();
    rest.iter().copied().find(|byte| *byte < b' ').unwrap_or(KEYS)
}

/// The best so far, the worst of them on top.
pub(super) struct Best {
    limit: usize,
    heap: BinaryHeap<(u32, Reverse<u8>, u32)>,
}

impl Best {
    pub(super) fn new(limit: usize) -> Best {
        Best { limit, heap: BinaryHeap::with_capacity(limit.min(1024) + 1) }
    }

    pub(super) fn offer(&mut self, cost: u32, nearness: u8, position: usize) {
        let Ok(position) = u32::try_from(position) else { return };
        let offer = (cost, Reverse(nearness), position);
        if self.heap.len() < self.limit {
            self.heap.push(offer);
        } else if self.heap.peek().is_some_and(|worst| offer < *worst) {
            self.heap.pop();
            self.heap.push(offer);
        }
    }

    /// The same for who may have been offered before.
    pub(super) fn offer_once(&mut self, cost: u32, nearness: u8, position: usize) {
        if !self.heap.iter().any(|(_, _, known)| *known as usize == position) {
            self.offer(cost, nearness, position);
        }
    }

    fn matches(self) -> Vec<Match> {
        let sorted = self.heap.into_sorted_vec().into_iter();
        sorted.map(|(cost, _, position)| Match { cost, position: position as usize }).collect()
    }
}

/// Somebody who was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// How far the match is from the best (0), for comparing with what another index found.
    pub cost: u32,
    /// Position in the order of entering.
    pub position: usize,
}

impl Match {
    /// From this cost on somebody is found only by a guess.
    pub const GUESS: u32 = TYPO;

    /// True when somebody is found only because a word was taken for another one.
    pub fn is_guess(&self) -> bool {
        self.cost >= TYPO
    }
}

impl Index {
    /// The positions of the best matches; see [`Index::matches`].
    pub fn search(&self, text: &str, limit: usize) -> Vec<usize> {
        self.matches(text, limit).into_iter().map(|found| found.position).collect()
    }

    /// The best `limit` matches, best first. Every word of the text must be found; only when nobody is found so, words of
    /// four letters and more may have one letter wrong. Empty text finds nothing.
    pub fn matches(&self, text: &str, limit: usize) -> Vec<Match> {
        let texts = words_of(text);
        let words: Vec<Word> = texts.iter().map(|text| Word::new(text)).collect();
        // The longest word leaves the fewest lines to look at.
        let Some(longest) = words.iter().max_by_key(|word| word.text.len()) else {
            return Vec::new();
        };
        let mut best = Best::new(limit);
        if limit == 0 {
            return Vec::new();
        }
        self.lines_with(longest.sieve(), |position, line| {
            let costs = words.iter().enumerate().map(|(index, word)| word.cost(line, index == 0));
            if let Some(cost) = costs.sum::<Option<u32>>() {
                best.offer(cost, self.nearness_of(position), position);
            }
        });
        let found = best.matches();
        if !found.is_empty() {
            return found;
        }
        let mut best = Best::new(limit);
        self.search_with_typo(&texts, &mut best);
        best.matches()
    }

    pub(super) fn nearness_of(&self, position: usize) -> u8 {
        self.nearness.get(position).copied().unwrap_or(0)
    }

    /// Every line that holds what is looked for, once.
    pub(super) fn lines_with(&self, finder: &Finder<'_>, mut see: impl FnMut(usize, &[u8])) {
        let (mut from, mut position) = (0, 0);
        while let Some(at) = self.text.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + at;
            let rest = self.starts.get(position..).unwrap_or_default();
            position += ahead(rest, at).saturating_sub(1);
            see(position, self.line(position));
            position += 1;
            match self.starts.get(position) {
                Some(next) => from = *next as usize,
                None => break,
            }
        }
    }
}

/// How many of these ascending values are not above `at`: the next few are looked at one by one, then in leaps.
fn ahead(values: &[u32], at: usize) -> usize {
    let below = |value: &u32| *value as usize <= at;
    let mut leap = 1;
    while values.get(leap).is_some_and(below) {
        leap *= 2;
    }
    let (low, high) = (leap / 2, values.len().min(leap));
    low + values.get(low..high).unwrap_or_default().partition_point(below)
}

/// The words to look for; a number with separators is one word.
fn words_of(text: &str) -> Vec<String> {
    if let Ok(Some(number)) = number_of(text) {
        let number = number.trim_start_matches('+');
        return vec![number.strip_prefix("00").unwrap_or(number).to_owned()];
    }
    let folded = fold(text);
    words(&folded).map(str::to_owned).collect()
}
