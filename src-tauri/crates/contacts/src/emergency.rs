//! Numbers that reach help, by country.
//!
//! 112 everywhere: it is the European number (Directive (EU) 2018/1972, article 109) and mobile networks know it in every
//! country. Beside it the national ones, as the ITU lists them (complement to E.129). Numbers for trouble that is not urgent
//! are not in here: they may be busy, and what is in here is dialled without a question.

/// Known in every country.
const EVERYWHERE: &str = "112";

/// The numbers that reach help in a country (ISO 3166, two letters, in either case), 112 first. Of a country that is not
/// known, 112.
pub fn emergency_numbers(country: &str) -> &'static [&'static str] {
    match country.to_ascii_uppercase().as_str() {
        "AT" => &[EVERYWHERE, "122", "133", "144"],
        "BE" => &[EVERYWHERE, "100", "101"],
        "CH" | "LI" => &[EVERYWHERE, "117", "118", "144"],
        "CZ" | "SK" => &[EVERYWHERE, "150", "155", "158"],
        "DE" => &[EVERYWHERE, "110"],
        "FR" | "MC" => &[EVERYWHERE, "15", "17", "18", "114"],
        "GB" | "IE" | "MT" => &[EVERYWHERE, "999"],
        "IT" => &[EVERYWHERE, "113", "115", "118"],
        "LU" => &[EVERYWHERE, "113"],
        "NO" => &[EVERYWHERE, "110", "113"],
        "PL" => &[EVERYWHERE, "997", "998", "999"],
        "US" | "CA" => &[EVERYWHERE, "911"],
        _ => &[EVERYWHERE],
    }
}

/// Whether a dial string reaches help. `extension`: the exchange has this number itself; that counts for national
/// numbers, which may be somebody's desk, and never for 112.
pub fn is_emergency(dial: &str, country: &str, extension: bool) -> bool {
    dial == EVERYWHERE || (!extension && emergency_numbers(country).contains(&dial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_reached_everywhere_by_112_and_by_what_the_country_has() {
        for country in ["NL", "nl", "BE", "DE", "US", "", "??"] {
            assert!(is_emergency("112", country, true), "{country}");
            assert_eq!(emergency_numbers(country).first(), Some(&"112"), "{country}");
        }
        assert!(is_emergency("110", "DE", false));
        assert!(is_emergency("15", "fr", false));
        assert!(!is_emergency("911", "NL", false));
        assert!(!is_emergency("1123", "NL", false));
        assert!(!is_emergency("0112", "NL", false));
        assert!(!is_emergency("113", "NL", false), "a helpline in the Netherlands");
    }

    #[test]
    fn a_desk_with_a_national_number_is_a_desk() {
        assert!(is_emergency("101", "BE", false));
        assert!(!is_emergency("101", "BE", true));
    }
}
