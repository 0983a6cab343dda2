//! Owns Via values (RFC 3261 section 20.42, RFC 3581, RFC 5118).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::host::host_port;
use crate::scan::{comma_list, is_lws, is_token, trim};
use crate::{Host, Params, Transport, ValueError, ViaTransport};

/// `SIP/2.0/UDP host:port;branch=…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// What the hop went over.
    pub transport: ViaTransport,
    /// The sent-by host.
    pub host: Host,
    /// The sent-by port, if written.
    pub port: Option<u16>,
    /// `branch`, `received`, `rport`, `maddr`, `ttl` and others.
    pub params: Params,
}

impl Via {
    /// The magic cookie of RFC 3261 branches.
    pub const COOKIE: &'static str = "z9hG4bK";

    /// A Via with a branch and no other parameter.
    pub fn new(transport: Transport, host: Host, port: Option<u16>, branch: &str) -> Self {
        let mut params = Params::new();
        params.set("branch", Some(branch));
        Self { transport: transport.into(), host, port, params }
    }

    /// Reads one Via.
    ///
    /// # Errors
    /// Another protocol, no host, empty parameters.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let fault = |what: &str| ValueError(format!("{what} in the Via '{}'", trim(text)));
        let mut parts = text.splitn(3, '/').map(trim);
        let (name, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        // The version is the message's affair: one of another version is answered 505 along this Via.
        let is_version = version.split('.').all(|part| crate::scan::digits::<u8>(part).is_some());
        if !name.eq_ignore_ascii_case("SIP") || !is_version {
            return Err(fault("the protocol is not SIP"));
        }
        let rest = parts.next().unwrap_or_default();
        let (transport, rest) = rest.split_once(is_lws).ok_or_else(|| fault("there is no host"))?;
        if !is_token(transport) {
            return Err(fault("the transport is no token"));
        }
        let at = rest.find(';').unwrap_or(rest.len());
        let (sent_by, params) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let (host, port) = host_port(sent_by)?;
        let transport = match transport.parse() {
            Ok(known) => ViaTransport::Known(known),
            Err(_) => ViaTransport::Other(transport.to_owned()),
        };
        Ok(Self { transport, host, port, params: Params::parse(params)? })
    }

    /// Reads a comma list of Vias.
    ///
    /// # Errors
    /// As [`Via::parse`], or an empty list or element.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, ValueError> {
        let parts = comma_list(text)?;
        if parts.is_empty() {
            return Err("the Via is empty".into());
        }
        parts.into_iter().map(Self::parse).collect()
    }

    /// The branch, the transaction's id.
    pub fn branch(&self) -> Option<&str> {
        self.params.value("branch").filter(|branch| !branch.is_empty())
    }

    /// Whether the branch is an RFC 3261 one: the cookie and something after it.
    pub fn has_rfc3261_branch(&self) -> bool {
        let is_new = |branch: &str| {
            let head = branch.get(..Self::COOKIE.len()).unwrap_or_default();
            head.eq_ignore_ascii_case(Self::COOKIE) && branch.len() > head.len()
        };
        self.branch().is_some_and(is_new)
    }

    /// The `received` address, brackets or not (RFC 5118 section 4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.value("received")?;
        text.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// `rport` (RFC 3581): `None` not there, `Some(None)` asked for, `Some(Some(port))` filled in.
    pub fn rport(&self) -> Option<Option<u16>> {
        let value = self.params.get("rport")?;
        Some(value.and_then(crate::scan::digits))
    }

    /// The `maddr` host.
    pub fn maddr(&self) -> Option<Host> {
        self.params.value("maddr")?.parse().ok()
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.fmt(f)
    }
}

impl FromStr for Via {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_spaces_everywhere_and_lists() {
        let text = "SIP / 2.0 / UDP  192.168.255.111 : 5060 ; branch= z9hG4bK30239 ,SIP/2.0/SCTP [::1];rport";
        let vias = Via::parse_list(text).unwrap();
        assert_eq!(vias[0].to_string(), "SIP/2.0/UDP 192.168.255.111:5060;branch=z9hG4bK30239");
        assert_eq!(vias[0].transport, Transport::Udp);
        assert_eq!(vias[1].transport, ViaTransport::Other("SCTP".into()));
        assert_eq!(vias[1].rport(), Some(None));
        assert_eq!(vias[1].branch(), None);
    }

    #[test]
    fn reads_received_in_both_forms() {
        for value in ["[2001:db8::9:255]", "2001:db8::9:255"] {
            let via =
                Via::parse(&format!("SIP/2.0/UDP [2001:db8::9:1];received={value};rport=5080"))
                    .unwrap();
            assert_eq!(via.received(), Some("2001:db8::9:255".parse().unwrap()));
            assert_eq!(via.rport(), Some(Some(5080)));
        }
    }

    #[test]
    fn refuses_what_is_no_via() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/x/UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0/UDP h;;",
            "SIP/2.0/U@P h",
            "SIP/2.0/UDP h,",
        ] {
            assert!(Via::parse_list(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_cookie_alone_is_no_branch() {
        let via = |branch: &str| Via::new(Transport::Udp, "h".parse().unwrap(), None, branch);
        assert!(via("z9hG4bKa").has_rfc3261_branch());
        assert!(via("Z9HG4BKa").has_rfc3261_branch());
        assert!(!via("z9hG4bK").has_rfc3261_branch());
        assert!(!via("1").has_rfc3261_branch());
    }
}
