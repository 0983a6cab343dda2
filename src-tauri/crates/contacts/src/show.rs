//! Numbers as people in the Netherlands write them.

use crate::key::NumberKey;

/// Area codes of three digits, without the zero; the others have four.
const SHORT_AREAS: [&str; 30] = [
    "10", "13", "15", "20", "23", "24", "26", "30", "33", "35", "36", "38", "40", "43", "45", "46",
    "50", "53", "55", "58", "70", "71", "72", "73", "74", "75", "76", "77", "78", "79",
];
/// Country codes of two digits begin with these; `1` and `7` stand alone, the rest has three.
const TWO_DIGITS: [&str; 43] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47",
    "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65",
    "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95",
];

/// A number for show: Dutch ones in national groups (`06 1234 5678`, `088 765 40 00`,
/// `030 231 88 00`), foreign ones with their country code, everything else as it is.
pub fn show(number: &str) -> String {
    let Some(key) = NumberKey::of(number) else { return number.trim().to_owned() };
    // Only where the national form means the same line: +31 with too few digits does not.
    let same = |national: &String| NumberKey::of(national).as_ref() == Some(&key);
    if let Some(national) = key.national().filter(same) {
        return dutch(&national).unwrap_or(national);
    }
    match key.as_str().strip_prefix('+') {
        Some(digits) => foreign(digits),
        None => short(key.as_str()),
    }
}

fn dutch(number: &str) -> Option<String> {
    let rest = number.strip_prefix('0')?;
    let service = ["800", "900", "906", "909"].iter().any(|prefix| rest.starts_with(prefix));
    let groups: &[usize] = match number.len() {
        _ if service && number.len() == 8 => &[4, 4],
        _ if service && number.len() == 11 => &[4, 3, 4],
        10 if rest.starts_with('6') => &[2, 4, 4],
        10 if rest.starts_with(['8', '9']) => &[3, 3, 2, 2],
        10 if SHORT_AREAS.iter().any(|area| rest.starts_with(area)) => &[3, 3, 2, 2],
        10 => &[4, 2, 2, 2],
        12 => &[4, 4, 4],
        _ => return None,
    };
    Some(grouped(number, groups))
}

fn foreign(digits: &str) -> String {
    let length = match digits.get(..2) {
        _ if digits.starts_with(['1', '7']) => 1,
        Some(two) if TWO_DIGITS.contains(&two) || two == "98" => 2,
        _ => 3,
    };
    let (Some(country), Some(rest)) = (digits.get(..length), digits.get(length..)) else {
        return format!("+{digits}");
    };
    // Groups of three, the last of two to four.
    let mut groups = vec![3; rest.len() / 3];
    match (rest.len() % 3, groups.last_mut()) {
        (1, Some(last)) => *last = 4,
        (2, _) => groups.push(2),
        _ => {}
    }
    format!("+{country} {}", grouped(rest, &groups))
}

fn short(number: &str) -> String {
    // Municipalities: 14 and the area code.
    let municipal = number.strip_prefix("14").filter(|rest| rest.starts_with('0'));
    match municipal {
        Some(rest) if matches!(rest.len(), 3 | 4) => format!("14 {rest}"),
        _ => number.to_owned(),
    }
}

fn grouped(digits: &str, groups: &[usize]) -> String {
    let mut out = String::with_capacity(digits.len() + groups.len());
    let mut rest = digits;
    for group in groups {
        let Some((head, tail)) = rest.split_at_checked(*group) else { break };
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(head);
        rest = tail;
    }
    if !rest.is_empty() && !out.is_empty() {
        out.push(' ');
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dutch_numbers_are_grouped_as_people_write_them() {
        let table = [
            ("0612345678", "06 1234 5678"),
            ("+31612345678", "06 1234 5678"),
            ("0887654000", "088 765 40 00"),
            ("0302318800", "030 231 88 00"),
            ("0031302318800", "030 231 88 00"),
            ("0341123456", "0341 12 34 56"),
            ("0850123456", "085 012 34 56"),
            ("09008844", "0900 8844"),
            ("08001234567", "0800 123 4567"),
            ("097012345678", "0970 1234 5678"),
            ("14030", "14 030"),
            ("112", "112"),
            ("101", "101"),
            ("*43", "*43"),
            ("anonymous", "anonymous"),
        ];
        for (number, shown) in table {
            assert_eq!(show(number), shown, "{number}");
        }
    }

    #[test]
    fn foreign_numbers_keep_their_country() {
        assert_eq!(show("+32471234567"), "+32 471 234 567");
        assert_eq!(show("0049301234567"), "+49 301 234 567");
        assert_eq!(show("+310"), "+31 0", "no Dutch number, and 00 would be another");
        assert_eq!(show("+12125550123"), "+1 212 555 0123");
        assert_eq!(show("+352621123456"), "+352 621 123 456");
    }

    proptest! {
        #[test]
        fn showing_never_changes_the_number(number in "(\\+|00|0)?[1-9][0-9]{2,13}") {
            prop_assert_eq!(NumberKey::of(&show(&number)), NumberKey::of(&number), "{}", show(&number));
        }
    }
}
