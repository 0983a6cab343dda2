//! Addresses as BroadWorks writes them: `tel:1011`, `tel:+3120…;ext=1011`, `sip:…` (reference, section 2).

/// The number or address for people, without `tel:` and parameters.
pub fn number_of(address: &str) -> &str {
    let address = address.trim();
    let plain = match address.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => address.get(4..).unwrap_or_default(),
        _ => return address,
    };
    plain.split(';').next().unwrap_or(plain)
}

/// The user part of a user id: `jan` of `jan@company.example`.
pub fn user_only(user: &str) -> &str {
    user.split('@').next().unwrap_or(user)
}

#[cfg(test)]
mod tests {
    use super::{number_of, user_only};

    #[test]
    fn numbers_lose_their_scheme_and_parameters() {
        for (address, number) in [
            ("tel:1011", "1011"),
            ("TEL:+31201234567;ext=1011", "+31201234567"),
            (" tel:+31 20 1 ", "+31 20 1"),
            ("sip:jan@pbx.example", "sip:jan@pbx.example"),
            ("1011", "1011"),
            ("", ""),
            ("\u{e9}\u{e9}", "\u{e9}\u{e9}"),
        ] {
            assert_eq!(number_of(address), number);
        }
        assert_eq!((user_only("jan@a@b"), user_only("jan")), ("jan", "jan"));
    }
}
