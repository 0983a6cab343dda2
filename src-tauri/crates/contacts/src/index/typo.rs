//! The second try, when nobody is found: one letter left out, too many, wrong, or two exchanged.
//!
//! A word with one such fault still has one of its halves whole. The halves are the sieve, so that only few lines
//! are compared letter by letter.

use memchr::memmem::Finder;

use super::Index;
use super::query::{Best, TYPO};

/// Shorter words are too like each other.
const LEAST: usize = 4;

impl Index {
    pub(super) fn search_with_typo(&self, texts: &[String], best: &mut Best) {
        let long =
            |text: &&String| text.len() >= LEAST && !text.bytes().any(|b| b.is_ascii_digit());
        let Some(longest) = texts.iter().filter(long).max_by_key(|text| text.len()) else { return };
        let (left, right) = longest.as_bytes().split_at(longest.len() / 2);
        for half in [left, right] {
            self.lines_with(&Finder::new(half), |position, line| {
                let costs =
                    texts.iter().enumerate().map(|(index, text)| cost(line, text, index == 0));
                if let Some(cost) = costs.sum::<Option<u32>>() {
                    best.offer_once(TYPO + cost, self.nearness_of(position), position);
                }
            });
        }
    }
}

/// The cost of a word that may be typed wrong; compared with the words of the name, then with the others.
fn cost(line: &[u8], text: &str, first: bool) -> Option<u32> {
    let wanted = text.as_bytes();
    let near = |word: &[u8]| match text.len() >= LEAST {
        true => begins_nearly(word, wanted),
        false => word.starts_with(wanted),
    };
    // Name, initials, other words; see [`Index`].
    let mut fields = line.split(|byte| *byte < b' ');
    let name = fields.next().unwrap_or_default();
    let others = fields.nth(1).unwrap_or_default();
    let place = |field: &[u8]| field.split(|byte| *byte == b' ').skip(1).position(near);
    match place(name) {
        Some(0) if first => Some(0),
        Some(_) => Some(1),
        None => place(others).map(|_| 3),
    }
}

/// Does the word begin with the wanted letters, but for one fault?
fn begins_nearly(word: &[u8], wanted: &[u8]) -> bool {
    let same = word.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    if same == wanted.len() {
        return true;
    }
    let word_from = |at: usize| word.get(at..).unwrap_or_default();
    let wanted_from = |at: usize| wanted.get(at..).unwrap_or_default();
    let wrong = word.len() > same && word_from(same + 1).starts_with(wanted_from(same + 1));
    let left_out = word_from(same + 1).starts_with(wanted_from(same));
    let too_many = word_from(same).starts_with(wanted_from(same + 1));
    let exchanged = word.get(same + 1) == wanted.get(same)
        && word.get(same) == wanted.get(same + 1)
        && word_from(same + 2).starts_with(wanted_from(same + 2));
    wrong || left_out || too_many || exchanged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fault_is_forgiven_and_two_are_not() {
        let near = |word: &str, wanted: &str| begins_nearly(word.as_bytes(), wanted.as_bytes());
        for wanted in ["jansen", "jasen", "janssen", "jamsen", "jasnen", "ajnsen", "janse"] {
            assert!(near("jansen", wanted), "{wanted}");
        }
        for wanted in ["jamsem", "jsaenn", "pieter", "nsen"] {
            assert!(!near("jansen", wanted), "{wanted}");
        }
    }
}
