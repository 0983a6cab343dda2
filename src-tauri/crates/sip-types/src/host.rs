//! Owns hosts: names, IPv4 addresses and IPv6 references.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::ValueError;

/// The host of a URI or a Via (RFC 3261 section 25.1, RFC 5118).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A domain name, in the case it was written in.
    Name(String),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; brackets are written and required.
    V6(Ipv6Addr),
}

impl Host {
    /// The address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(ip) => Some(IpAddr::V4(*ip)),
            Self::V6(ip) => Some(IpAddr::V6(*ip)),
        }
    }

    /// Whether both are the same host: names without regard to case, addresses by value.
    pub fn equivalent(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a.eq_ignore_ascii_case(b),
            _ => self == other,
        }
    }
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => Self::V6(ip),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(ip) => ip.fmt(f),
            Self::V6(ip) => write!(f, "[{ip}]"),
        }
    }
}

impl FromStr for Host {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner
                .strip_suffix(']')
                .ok_or_else(|| ValueError(format!("the IPv6 reference '{text}' is not closed")))?;
            return inner
                .parse()
                .map(Self::V6)
                .map_err(|_| ValueError(format!("'{inner}' is not an IPv6 address")));
        }
        if let Ok(ip) = text.parse() {
            return Ok(Self::V4(ip));
        }
        if text.is_empty() {
            return Err("the host is empty".into());
        }
        // An underscore is no host name's, yet stands in real ones.
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
            return Err(ValueError(format!("'{text}' is not a host")));
        }
        if text.split('.').count() == 4 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(ValueError(format!("'{text}' is not an IPv4 address")));
        }
        Ok(Self::Name(text.to_owned()))
    }
}

/// Splits `host[:port]`, white space around the colon allowed (RFC 3261 section 25.1, COLON).
pub(crate) fn host_port(text: &str) -> Result<(Host, Option<u16>), ValueError> {
    let text = crate::scan::trim(text);
    let end = match text.strip_prefix('[') {
        Some(_) => text.find(']').map_or(text.len(), |at| at + 1),
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let host = crate::scan::trim(host).parse()?;
    let rest = crate::scan::trim(rest);
    if rest.is_empty() {
        return Ok((host, None));
    }
    let port = rest.strip_prefix(':').map(crate::scan::trim).and_then(crate::scan::digits::<u16>);
    port.map(|port| (host, Some(port))).ok_or_else(|| format!("'{rest}' is not a port").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_read_and_print() {
        for text in ["example.com", "192.0.2.1", "[2001:db8::1]", "a_b.example"] {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), text);
        }
        for text in ["", "2001:db8::1", "[2001:db8::1", "[::g]", "1.2.3.400", "a b", "a@b", "[]"] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
    }

    #[test]
    fn ports_follow_hosts() {
        assert_eq!(host_port("a : 5060").unwrap().1, Some(5060));
        assert_eq!(host_port("[::1]:5061").unwrap().1, Some(5061));
        assert_eq!(host_port("[::1]").unwrap().1, None);
        assert!(host_port("a:").is_err());
        assert!(host_port("a:70000").is_err());
        assert!(host_port("2001:db8::1").is_err());
    }
}
