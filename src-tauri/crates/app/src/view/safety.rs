//! What keeps people safe when they dial: emergency numbers, and what costs more than expected.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Most starts of numbers that are never asked about, and the longest of them, characters.
const MOST: usize = 100;
const LONGEST: usize = 32;

/// What is asked about before it is dialled, and where the program is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct GuardSettings {
    /// Ask about premium numbers and services.
    pub premium: bool,
    /// Ask about other countries.
    pub foreign: bool,
    /// Numbers, or their first digits, that are never asked about.
    pub never: Vec<String>,
    /// The country whose emergency numbers count (ISO 3166).
    pub country: String,
}

impl Default for GuardSettings {
    fn default() -> GuardSettings {
        GuardSettings { premium: true, foreign: true, never: Vec::new(), country: "NL".to_owned() }
    }
}

impl GuardSettings {
    /// Whether it could be kept: two letters for the country, and a short list of starts of numbers.
    pub fn is_possible(&self) -> bool {
        let start = |text: &String| {
            let plain = |c: char| c.is_ascii_digit() || " +-.()".contains(c);
            !text.trim().is_empty() && text.len() <= LONGEST && text.chars().all(plain)
        };
        let country =
            self.country.len() == 2 && self.country.bytes().all(|b| b.is_ascii_alphabetic());
        country && self.never.len() <= MOST && self.never.iter().all(start)
    }
}

/// Why an emergency number may not reach help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum HelpWarning {
    /// There is no account.
    NoAccount,
    /// No account reaches emergency numbers.
    CannotCall,
    /// The account is not registered now; it is tried all the same.
    NotRegistered,
}

/// Numbers that reach help, and how they are called. They are dialled at once, as typed, by the account named here, with
/// the own number visible.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, TS)]
pub struct HelpView {
    /// The numbers of this country.
    pub numbers: Vec<String>,
    /// The account that they are called with; null: there is none.
    pub account: Option<String>,
    /// Why they may not reach help.
    pub warning: Option<HelpWarning>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_of_numbers_and_of_a_country() {
        let with = |never: &str, country: &str| GuardSettings {
            never: vec![never.to_owned()],
            country: country.to_owned(),
            ..GuardSettings::default()
        };
        assert!(GuardSettings::default().is_possible());
        assert!(with("+32 (0)2", "be").is_possible());
        assert!(!with("", "NL").is_possible());
        assert!(!with("abc", "NL").is_possible());
        assert!(!with("0900", "NLD").is_possible());
        assert!(!with(&"0".repeat(33), "NL").is_possible());
    }
}
