//! From what was typed or pasted to what is dialled.
//!
//! The dial string is the user's own digits: only separators go. Nothing is prefixed or put into
//! international form, so 112, extensions and feature codes leave as they were typed.

use crate::plain::is_invisible;
use crate::plan::NumberClass;

/// Longest digit string that can be a number: 00, 15 digits of E.164, an outside-line digit.
const MAX_DIGITS: usize = 18;
/// Longest feature code with its arguments.
const MAX_CODE: usize = 40;

/// What typed text means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialled {
    /// Digits as they are dialled, perhaps with `+` in front or `*` and `#` in them.
    Number(String),
    /// A SIP address with its scheme.
    Address(String),
    /// No number: somebody's name, to be searched.
    Name(String),
}

/// Why text cannot be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDiallable {
    /// Nothing was typed.
    #[error("there is nothing to dial")]
    Empty,
    /// More digits than a number has; perhaps two numbers.
    #[error("that is too long for one number")]
    TooLong,
    /// Neither number, address nor name.
    #[error("that is no number and no address")]
    Malformed,
}

/// Reads what was typed.
///
/// Kept: `sip:`, `sips:` addresses and `user@host`. Read as numbers: `tel:` and `callto:` links, digits
/// with spaces, dashes, dots, slashes and brackets, `(0)` after a country code, an extension word
/// (`tst. 12`, `toestel 12`, `;ext=12`) left off (see [`extension`]). Letters make it a name, but after 0800 and
/// 0900, where they stand for the keys they are printed on (`0800-BELLEN1`).
///
/// # Errors
/// When it is empty, too long, or neither.
pub fn dialled(text: &str) -> Result<Dialled, NotDiallable> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
    if text.is_empty() {
        return Err(NotDiallable::Empty);
    }
    let (scheme, rest) = split_scheme(text);
    match scheme {
        Some("sip" | "sips") => address(text),
        Some("tel" | "callto") => {
            let decoded = percent_decoded(rest);
            let number = decoded.split([';', '?']).next().unwrap_or_default();
            match number_of(number)? {
                Some(number) => Ok(Dialled::Number(number)),
                None => Err(NotDiallable::Malformed),
            }
        }
        _ if text.contains('@') && !text.contains(char::is_whitespace) => {
            address(&format!("sip:{text}"))
        }
        _ => match number_of(without_extension(text))?.or_else(|| in_letters(text)) {
            Some(number) => Ok(Dialled::Number(number)),
            None if text.chars().any(char::is_alphabetic) => Ok(Dialled::Name(text.to_owned())),
            None => Err(NotDiallable::Malformed),
        },
    }
}

/// The digits of a number in any notation, or none when it is no number.
pub(crate) fn number_of(text: &str) -> Result<Option<String>, NotDiallable> {
    let text = text.trim();
    let international = text.starts_with('+') || text.starts_with("00");
    // "+31 (0)30" and "0031(0)30": the bracketed zero is for callers inside the country.
    let cleaned = if international { text.replacen("(0)", "", 1) } else { text.to_owned() };
    let mut number = String::with_capacity(cleaned.len());
    for c in cleaned.chars() {
        match c {
            '0'..='9' | '*' | '#' => number.push(c),
            '+' if number.is_empty() => number.push(c),
            c if is_separator(c) => {}
            _ => return Ok(None),
        }
    }
    let code = number.contains(['*', '#']);
    if number.trim_start_matches('+').is_empty() || (code && number.starts_with('+')) {
        return Ok(None);
    }
    if number.len() > if code { MAX_CODE } else { MAX_DIGITS } {
        return Err(NotDiallable::TooLong);
    }
    Ok(Some(number))
}

/// The extension behind a number (`tst. 12`, `;ext=12`), to be dialled once it is answered.
pub fn extension(text: &str) -> Option<&str> {
    split_extension(text.trim()).1
}

/// Leaves off "tst. 531", "toestel 12", "doorkies 9", "ext 7", ";ext=7".
pub(crate) fn without_extension(text: &str) -> &str {
    split_extension(text).0
}

fn split_extension(text: &str) -> (&str, Option<&str>) {
    const WORDS: [&str; 11] = [
        ";ext=", "toestel", "doorkies", "intern", "tst.", "tst", "ext.", "ext", "dkn", "int.", "x",
    ];
    let lower = text.to_ascii_lowercase();
    for word in WORDS {
        let Some(at) = lower.find(word) else { continue };
        let (Some(before), Some(after)) = (text.get(..at), text.get(at + word.len()..)) else {
            continue;
        };
        let digits = |part: &str| part.chars().any(|c| c.is_ascii_digit());
        let after = after.split(';').next().unwrap_or(after);
        let extension = after.trim().trim_start_matches(['.', ':', '=']).trim();
        let plain = !extension.is_empty() && extension.chars().all(|c| c.is_ascii_digit());
        let scheme = split_scheme(before).1;
        if digits(before) && !scheme.contains(char::is_alphabetic) && plain {
            return (before, Some(extension));
        }
    }
    (text, None)
}

/// A service number that is written in letters. Only where it comes out as one: other letters are a name.
fn in_letters(text: &str) -> Option<String> {
    let mut number = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' => number.push(c),
            'a'..='z' | 'A'..='Z' if is_service(&number) => number.push(key_of(c)?),
            c if is_separator(c) => {}
            _ => return None,
        }
    }
    let class = crate::plan::classify(&number, false);
    matches!(class, NumberClass::Free | NumberClass::Premium).then_some(number)
}

/// Begins with the digits of a service number.
fn is_service(number: &str) -> bool {
    number.starts_with("0800") || number.starts_with("0900")
}

/// The key of a telephone that a letter is printed on (E.161).
pub(crate) fn key_of(letter: char) -> Option<char> {
    Some(match letter.to_ascii_lowercase() {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        'w'..='z' => '9',
        _ => return None,
    })
}

fn address(text: &str) -> Result<Dialled, NotDiallable> {
    let rest = text.split_once(':').map_or("", |(_, rest)| rest);
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let bad =
        text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"'));
    if bad || host.is_empty() || rest.starts_with('@') {
        return Err(NotDiallable::Malformed);
    }
    Ok(Dialled::Address(text.to_owned()))
}

/// Splits `tel:` and the like off, whatever their case.
pub(crate) fn split_scheme(text: &str) -> (Option<&'static str>, &str) {
    for scheme in ["sips", "sip", "tel", "callto"] {
        let head = text.get(..scheme.len());
        let rest = text.get(scheme.len()..).and_then(|rest| rest.strip_prefix(':'));
        if let Some(rest) = rest.filter(|_| head.is_some_and(|h| h.eq_ignore_ascii_case(scheme))) {
            return (Some(scheme), rest.trim_start_matches('/'));
        }
    }
    (None, text)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || is_invisible(c)
        || matches!(
            c,
            '-' | '.' | '/' | '(' | ')' | '[' | ']' | '\u{2010}'..='\u{2015}' | '\u{2212}'
        )
}

pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let hex = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> String {
        match dialled(text) {
            Ok(Dialled::Number(number)) => number,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn digits_leave_as_they_were_typed() {
        for same in
            ["112", "113", "144", "14020", "1888", "12", "101", "1234", "*43", "#31#0612345678"]
        {
            assert_eq!(number(same), same);
        }
        assert_eq!(number("*21*0612345678#"), "*21*0612345678#");
        assert_eq!(number(" 06 - 1234 56 78 "), "0612345678");
        assert_eq!(number("(030) 231 88 00"), "0302318800");
        assert_eq!(number("070/312.34.56"), "0703123456");
        assert_eq!(number("0900-8844"), "09008844");
        assert_eq!(number("+31 6 12345678"), "+31612345678");
        assert_eq!(number("0031 6 12345678"), "0031612345678");
        assert_eq!(number("06\u{2011}1234\u{00a0}5678\u{200e}"), "0612345678");
    }

    #[test]
    fn the_bracketed_zero_goes_only_after_a_country_code() {
        assert_eq!(number("+31 (0)30 231 88 00"), "+31302318800");
        assert_eq!(number("0031(0)6 12345678"), "0031612345678");
        assert_eq!(number("(0)30 2318800"), "0302318800");
    }

    #[test]
    fn extension_words_are_left_off() {
        assert_eq!(number("0637530188 tst. 531"), "0637530188");
        assert_eq!(number("030 2318800 toestel 12"), "0302318800");
        assert_eq!(number("tel:+31302318800;ext=12"), "+31302318800");
        assert_eq!(number("070 3123456;ext=123"), "0703123456");
    }

    #[test]
    fn extensions_are_told() {
        assert_eq!(extension("0637530188 tst. 531"), Some("531"));
        assert_eq!(extension("030 2318800 toestel 12"), Some("12"));
        assert_eq!(extension("tel:+31302318800;ext=12;phone-context=+31"), Some("12"));
        assert_eq!(extension("030 2318800 x12"), Some("12"));
        assert_eq!(extension("030 2318800 intern 7"), Some("7"));
        for none in ["030 2318800", "Max 12", "toestel 12", "030 2318800 tst.", "sip:x12@pbx"] {
            assert_eq!(extension(none), None, "{none}");
        }
    }

    #[test]
    fn letters_are_keys_only_where_they_make_a_service_number() {
        assert_eq!(number("0900-BELLEN1"), "09002355361");
        assert_eq!(number("0800 klm1"), "08005561");
        for name in ["0900-TAXI-GRONINGEN", "06-BELLEN12", "BELLEN", "0800", "Jan 0800"] {
            assert_ne!(
                dialled(name).ok().map(|d| matches!(d, Dialled::Number(n) if n.len() > 4)),
                Some(true),
                "{name}"
            );
        }
    }

    #[test]
    fn links_addresses_and_names_are_told_apart() {
        assert_eq!(number("TEL:0900-8844"), "09008844");
        assert_eq!(number("tel:112"), "112");
        assert_eq!(number("callto://+31%2030%20231"), "+3130231");
        let address = |text: &str| Dialled::Address(text.to_owned());
        assert_eq!(dialled("sip:101@pbx.example"), Ok(address("sip:101@pbx.example")));
        assert_eq!(dialled("jan.jansen@pbx.example"), Ok(address("sip:jan.jansen@pbx.example")));
        assert_eq!(dialled("sips:a@[2001:db8::1]:5061"), Ok(address("sips:a@[2001:db8::1]:5061")));
        assert_eq!(dialled("Jan de Vries"), Ok(Dialled::Name("Jan de Vries".into())));
        assert_eq!(dialled("Müller 2"), Ok(Dialled::Name("Müller 2".into())));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(dialled("  "), Err(NotDiallable::Empty));
        assert_eq!(dialled("+"), Err(NotDiallable::Malformed));
        assert_eq!(dialled("()-"), Err(NotDiallable::Malformed));
        assert_eq!(dialled("sip:"), Err(NotDiallable::Malformed));
        assert_eq!(dialled("sip:a b@c"), Err(NotDiallable::Malformed));
        assert_eq!(dialled("@host"), Err(NotDiallable::Malformed));
        assert_eq!(dialled("06 12345678 / 030 2318800"), Err(NotDiallable::TooLong));
        assert_eq!(dialled("31+6"), Err(NotDiallable::Malformed));
    }

    proptest! {
        #[test]
        fn anything_is_survived_and_no_digit_is_invented(text in "\\PC{0,40}") {
            if let Ok(Dialled::Number(number)) = dialled(&text) {
                let mut typed = text.chars();
                // The dialled digits are those typed (or the keys of letters), in their order, some perhaps left off.
                let same = |t: char, c: char| t == c || is_service(&number) && key_of(t) == Some(c);
                prop_assert!(number.chars().all(|c| typed.any(|t| same(t, c))), "{number}");
            }
        }

        #[test]
        fn short_numbers_and_codes_are_never_altered(text in "[0-9*#]{1,18}") {
            prop_assert_eq!(dialled(&text), Ok(Dialled::Number(text)));
        }
    }
}
