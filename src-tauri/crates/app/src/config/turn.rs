//! Where an account's relays are: addresses as RFC 7065 writes them.

use media::Carrier;
use sip_types::Uri;

/// A relay as the settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Host and port, for the name service.
    pub(crate) uri: Uri,
    /// Over what it is spoken to.
    pub(crate) carrier: Carrier,
    /// The name or address: its certificate must have it.
    pub(crate) name: String,
}

/// Reads `host`, `host:port`, `turn:host:port?transport=tcp` or `turns:host`.
pub(crate) fn read(text: &str) -> Option<Turn> {
    let text = text.trim();
    let (secure, rest) = match text.split_once(':') {
        Some(("turns", rest)) => (true, rest),
        Some(("turn", rest)) => (false, rest),
        _ => (false, text),
    };
    let (host, query) = rest.split_once('?').unwrap_or((rest, ""));
    let carrier = match (secure, query) {
        (true, "" | "transport=tcp") => Carrier::Tls,
        (false, "transport=tcp") => Carrier::Tcp,
        (false, "" | "transport=udp") => Carrier::Udp,
        _ => return None,
    };
    if host.is_empty() || host.contains(['@', ';', '/', ' ', '?']) {
        return None;
    }
    let named =
        host.rsplit_once(':').filter(|(name, _)| !name.contains(':') || name.ends_with(']'));
    let name = named.map_or(host, |(name, _)| name);
    let port = match (named, secure) {
        (Some(_), _) => "",
        (None, true) => ":5349",
        (None, false) => ":3478",
    };
    let uri = Uri::parse(&format!("sip:{host}{port};transport=udp")).ok()?;
    let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some(Turn { uri, carrier, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_are_read_as_operators_write_them() {
        for (text, uri, carrier, name) in [
            ("turn.example.org", "turn.example.org:3478", Carrier::Udp, "turn.example.org"),
            ("turn:turn.example.org:80", "turn.example.org:80", Carrier::Udp, "turn.example.org"),
            ("turn:192.0.2.1?transport=tcp", "192.0.2.1:3478", Carrier::Tcp, "192.0.2.1"),
            ("turns:turn.example.org", "turn.example.org:5349", Carrier::Tls, "turn.example.org"),
            (
                "turns:[2001:db8::1]:443?transport=tcp",
                "[2001:db8::1]:443",
                Carrier::Tls,
                "2001:db8::1",
            ),
            ("turn:[2001:db8::1]", "[2001:db8::1]:3478", Carrier::Udp, "2001:db8::1"),
        ] {
            let found = read(text).unwrap();
            assert_eq!(found.uri.to_string(), format!("sip:{uri};transport=udp"), "{text}");
            assert_eq!((found.carrier, found.name.as_str()), (carrier, name), "{text}");
        }
        for text in
            ["", "turn:", "turns:a?transport=udp", "turn:a?transport=sctp", "a b", "turn:u@a"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
