//! Numbers of other countries, by the library that follows their numbering plans. The only file that names it.

use rlibphonenumber::{PhoneNumber, PhoneNumberFormat, PhoneNumberType};

/// What the library says of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No country has such a number.
    Invalid,
    /// A country has such numbers.
    Valid,
    /// A country has such numbers, and the caller pays for more than the call.
    Premium,
}

/// The kind of a number, given from its country code on.
pub(crate) fn kind(digits: &str) -> Kind {
    match valid(digits) {
        None => Kind::Invalid,
        Some(number) => match number.get_type() {
            PhoneNumberType::PremiumRate | PhoneNumberType::SharedCost => Kind::Premium,
            _ => Kind::Valid,
        },
    }
}

/// The one way to write a number (E.164 without the plus), given from its country code on in any of the ways it is
/// written: `44020…` is `4420…`. None when it is no valid number, or would become one with digits that were not
/// written.
pub(crate) fn canonical(digits: &str) -> Option<String> {
    let number = valid(digits)?;
    let written = number.format_as(PhoneNumberFormat::E164);
    let written = written.trim_start_matches('+');
    let mut typed = digits.bytes();
    let all = written.bytes().all(|digit| typed.any(|other| other == digit));
    all.then(|| written.to_owned())
}

/// The country (ISO 3166) of a number, given from its country code on; none where it is valid nowhere or of no country.
pub(crate) fn country(digits: &str) -> Option<String> {
    let region = valid(digits)?.get_region_code()?.as_region_str().to_string();
    (region.len() == 2).then_some(region)
}

fn valid(digits: &str) -> Option<PhoneNumber> {
    // The library reads letters as keys and finds numbers in text: it is only ever shown digits.
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = PhoneNumber::parse(format!("+{digits}"), None).ok()?;
    number.is_valid().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_countries_have_one_way_to_be_written() {
        assert_eq!(canonical("442079460958").as_deref(), Some("442079460958"));
        assert_eq!(canonical("4402079460958").as_deref(), Some("442079460958"));
        assert_eq!(
            canonical("390612345678").as_deref(),
            Some("390612345678"),
            "its zero belongs to it"
        );
        assert_eq!(canonical("49301234567").as_deref(), Some("49301234567"));
        assert_eq!(canonical("999123456789"), None);
        assert_eq!(canonical("4"), None);
        assert_eq!(canonical(""), None);
        assert_eq!(canonical("31-6"), None);
    }

    #[test]
    fn countries_are_named() {
        assert_eq!(country("32471234567").as_deref(), Some("BE"));
        assert_eq!(country("12125550123").as_deref(), Some("US"));
        assert_eq!(country("80012345678"), None, "of no country");
        assert_eq!(country("999123456789"), None);
    }
}
