//! Equality of numbers in any notation. A key is for comparing only and is never dialled.

use std::fmt;

use crate::dial::{number_of, percent_decoded, split_scheme, without_extension};
use crate::{plan, world};

/// A number in one notation: `+` and digits where it is a full number, else digits as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NumberKey(String);

impl NumberKey {
    /// The key of a number as typed, stored or signalled (a `sip:` or `tel:` address too). None when it
    /// holds no number.
    pub fn of(text: &str) -> Option<NumberKey> {
        let (scheme, rest) = split_scheme(text.trim());
        let decoded;
        let user = rest.split('@').next().unwrap_or(rest);
        let user = match scheme {
            Some(_) => {
                decoded = percent_decoded(user);
                decoded.as_str()
            }
            None => user,
        };
        let number = number_of(without_extension(user.split(';').next().unwrap_or(user)));
        let number = number.ok().flatten()?;
        Some(NumberKey(canonical(&number)))
    }

    /// The key itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key as [`NumberKey::as_str`] gave it out and somebody kept it.
    pub fn from_kept(text: String) -> NumberKey {
        NumberKey(text)
    }

    /// The country (ISO 3166) of a full number; none where it is valid nowhere or of no country.
    pub fn country(&self) -> Option<String> {
        world::country(self.0.strip_prefix('+')?)
    }

    /// Nine digits that are a Dutch number with its zero: tables lose zeros. A second guess only, since it is not
    /// what was written.
    pub(crate) fn with_zero(&self) -> Option<NumberKey> {
        let lost = self.0.len() == 9 && !self.0.starts_with('0') && plan::is_national(&self.0);
        lost.then(|| NumberKey(format!("+31{}", self.0)))
    }

    /// The number as dialled inside the Netherlands (`0302318800`), when it is a Dutch one.
    pub(crate) fn national(&self) -> Option<String> {
        self.0.strip_prefix("+31").map(|rest| format!("0{rest}"))
    }
}

impl fmt::Display for NumberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Do both mean the same line?
pub fn same_number(a: &str, b: &str) -> bool {
    NumberKey::of(a).is_some_and(|key| NumberKey::of(b) == Some(key))
}

fn canonical(number: &str) -> String {
    if number.contains(['*', '#']) {
        return number.to_owned();
    }
    let international = number.strip_prefix('+').or_else(|| plan::international(number));
    if let Some(rest) = international {
        if let Some(rest) = rest.strip_prefix("31") {
            // "+31 06…" is written by people who know half of the rule; nothing else can be meant.
            let national = rest.strip_prefix('0').filter(|rest| plan::is_national(rest));
            return format!("+31{}", national.unwrap_or(rest));
        }
        return format!("+{}", world::canonical(rest).as_deref().unwrap_or(rest));
    }
    if let Some(rest) = number.strip_prefix('0').filter(|rest| plan::is_national(rest)) {
        return format!("+31{rest}");
    }
    // Exchanges often leave the plus off.
    match number.strip_prefix("31") {
        Some(rest) if rest.len() == 9 && plan::is_national(rest) => format!("+{number}"),
        _ => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn notations_of_one_number_are_equal() {
        let forms = [
            "0302318800",
            "030-231 88 00",
            "+31302318800",
            "+31 (0)30 231 88 00",
            "0031302318800",
            "31302318800",
            "tel:+31-30-2318800",
            "sip:+31302318800@pbx.example;user=phone",
            "+310302318800",
            "030 2318800 tst. 12",
        ];
        for form in forms {
            assert_eq!(NumberKey::of(form).unwrap().as_str(), "+31302318800", "{form}");
        }
        assert!(same_number("06 12345678", "+31612345678"));
        assert!(same_number("0900-8844", "+319008844"));
    }

    #[test]
    fn short_numbers_stay_what_they_are() {
        for short in ["112", "101", "14020", "1234", "*43", "0612"] {
            assert_eq!(NumberKey::of(short).unwrap().as_str(), short);
        }
        assert!(!same_number("112", "+31112"));
        assert!(!same_number("101", "+31101"));
        assert_eq!(NumberKey::of("sip:101@pbx.example").unwrap().as_str(), "101");
    }

    /// Whether these digits stand in the text in their order, some perhaps left off.
    fn stand_in(digits: &str, text: &str) -> bool {
        let mut typed = text.chars();
        digits.chars().all(|digit| typed.any(|char| char == digit))
    }

    proptest! {
        /// The digits of a key are those that were written: no letter becomes one, none is invented, none change places.
        /// Only the country code of a number that was written without is new.
        #[test]
        fn no_text_becomes_the_key_of_another_number(text in "\\PC{0,30}|[0-9a-z +().,;:tsl-]{0,24}") {
            let Some(key) = NumberKey::of(&text) else { return Ok(()) };
            let written = percent_decoded(&text);
            let code = key.as_str().strip_prefix("+31").filter(|rest| stand_in(rest, &written));
            prop_assert!(code.is_some() || stand_in(key.as_str(), &written) || {
                // "00" for the plus.
                key.as_str().strip_prefix('+').is_some_and(|rest| stand_in(&format!("00{rest}"), &written))
            }, "{:?} -> {}", text, key);
        }

        /// A number of the Dutch plan has one key, however it is written, and no other number has it.
        #[test]
        fn two_numbers_have_two_keys(one in "0[1-9][0-9]{8}", other in "0[1-9][0-9]{8}", at in 0_usize..9) {
            let forms = |number: &str| {
                let rest = number.get(1..).unwrap_or_default();
                let (area, end) = number.split_at(at + 1);
                [
                    number.to_owned(),
                    format!("{area} {end}"),
                    format!("({area}) {end} tst. 12"),
                    format!("+31 (0){rest}"),
                    format!("tel:+31-{rest};ext=7"),
                    format!("sip:+31{rest}@pbx.example"),
                ]
            };
            let keys = |number: &str| forms(number).map(|form| NumberKey::of(&form));
            for (here, there) in keys(&one).iter().zip(&keys(&other)) {
                prop_assert_eq!(one == other, here == there);
            }
            if plan::is_national(one.get(1..).unwrap_or_default()) {
                let first = NumberKey::of(&one);
                prop_assert!(keys(&one).iter().all(|key| *key == first), "{:?}", keys(&one));
            }
        }
    }

    #[test]
    fn names_have_no_key() {
        assert_eq!(NumberKey::of("Jan"), None);
        assert_eq!(NumberKey::of("sip:jan@pbx.example"), None);
        assert_eq!(NumberKey::of(""), None);
        assert!(!same_number("Jan", "Jan"));
    }
}
