//! Owns URI equality (RFC 3261 section 19.1.4, RFC 3966 section 5).

use super::Uri;
use super::escape::unescape;

/// Parameters that, standing in one URI only, make the two different.
const NEVER_IGNORED: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

pub(super) fn equivalent(a: &Uri, b: &Uri) -> bool {
    if a.scheme != b.scheme {
        return false;
    }
    match a.scheme.as_str() {
        "sip" | "sips" => sip(a, b),
        "tel" => tel(a, b),
        _ => after_scheme(a) == after_scheme(b),
    }
}

fn sip(a: &Uri, b: &Uri) -> bool {
    let hosts = match (&a.host, &b.host) {
        (Some(a), Some(b)) => a.equivalent(b),
        _ => false,
    };
    let passwords = a.password.as_deref().map(unescape) == b.password.as_deref().map(unescape);
    hosts && a.user() == b.user() && passwords && a.port == b.port && params(a, b) && headers(a, b)
}

fn params(a: &Uri, b: &Uri) -> bool {
    let agree = |one: &Uri, other: &Uri| {
        one.params().all(|(name, value)| match other.param(name) {
            Some(theirs) => same_text(value, theirs),
            None => !NEVER_IGNORED.iter().any(|kept| kept.eq_ignore_ascii_case(name)),
        })
    };
    agree(a, b) && agree(b, a)
}

fn same_text(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => unescape(a).eq_ignore_ascii_case(&unescape(b)),
        (None, None) => true,
        _ => false,
    }
}

fn headers(a: &Uri, b: &Uri) -> bool {
    let sorted = |uri: &Uri| {
        let mut headers = uri.headers();
        for (name, _) in &mut headers {
            name.make_ascii_lowercase();
        }
        headers.sort();
        headers
    };
    sorted(a) == sorted(b)
}

fn tel(a: &Uri, b: &Uri) -> bool {
    let number = |uri: &Uri| {
        let text = uri.user().unwrap_or_default().to_ascii_lowercase();
        text.replace(['-', '.', '(', ')'], "")
    };
    let agree = |one: &Uri, other: &Uri| {
        one.params().all(|(n, value)| other.param(n).is_some_and(|theirs| same_text(value, theirs)))
    };
    number(a) == number(b) && agree(a, b) && agree(b, a)
}

fn after_scheme(uri: &Uri) -> &str {
    uri.raw.split_once(':').map_or("", |(_, rest)| rest)
}
