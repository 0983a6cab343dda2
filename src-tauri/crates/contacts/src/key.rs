//! Equality of numbers in any notation. A key is for comparing only and is never dialled.

use std::fmt;

use crate::dial::{number_of, split_scheme, without_extension};

/// A number in one notation: `+` and digits where it is a full number, else digits as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NumberKey(String);

impl NumberKey {
    /// The key of a number as typed, stored or signalled (a `sip:` or `tel:` address too). None when it
    /// holds no number.
    pub fn of(text: &str) -> Option<NumberKey> {
        let (_, rest) = split_scheme(text.trim());
        let user = rest.split('@').next().unwrap_or(rest);
        let number = number_of(without_extension(user.split(';').next().unwrap_or(user)));
        let number = number.ok().flatten()?;
        Some(NumberKey(canonical(&number)))
    }

    /// The key itself.
    pub fn as_str(&self) -> &str {
        &self.0
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
    if let Some(rest) = number.strip_prefix('+') {
        // "+31 06…" is written by people who know half of the rule; nothing else can be meant.
        let fixed = rest.strip_prefix("310").filter(|rest| rest.len() == 9);
        return fixed.map_or_else(|| number.to_owned(), |rest| format!("+31{rest}"));
    }
    if let Some(rest) = number.strip_prefix("00").filter(|rest| rest.len() >= 8) {
        return canonical(&format!("+{rest}"));
    }
    if let Some(rest) = number.strip_prefix('0').filter(|rest| is_national(rest)) {
        return format!("+31{rest}");
    }
    // Exchanges often leave the plus off.
    match number.strip_prefix("31") {
        Some(rest) if rest.len() == 9 && !rest.starts_with('0') => format!("+{number}"),
        _ => number.to_owned(),
    }
}

/// A Dutch number without its zero.
fn is_national(rest: &str) -> bool {
    match rest.as_bytes() {
        [b'8' | b'9', b'0', _, ..] => matches!(rest.len(), 7 | 9 | 10),
        [b'9', b'7', ..] => matches!(rest.len(), 9 | 11),
        [b'1'..=b'9', ..] => rest.len() == 9,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn names_have_no_key() {
        assert_eq!(NumberKey::of("Jan"), None);
        assert_eq!(NumberKey::of("sip:jan@pbx.example"), None);
        assert_eq!(NumberKey::of(""), None);
        assert!(!same_number("Jan", "Jan"));
    }
}
