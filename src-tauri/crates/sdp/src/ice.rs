//! Ways to reach an end: candidates and what proves a check to be the peer's (RFC 8839, RFC 8445).
//!
//! Read with limits. What is not spoken here (TCP, names instead of addresses) is left out; the rest still counts.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use secrecy::{ExposeSecret, SecretString};

/// The most candidates of a line that are looked at; each costs checks.
pub(crate) const MAX_CANDIDATES: usize = 32;
/// The longest candidate line that is looked at.
const MAX_LINE: usize = 512;
/// RFC 8839, 5.4.
const LONGEST_CREDENTIAL: usize = 256;

/// Name and password that checks carry. The password is never printed and wiped when dropped.
#[derive(Clone)]
pub struct IceCredentials {
    ufrag: String,
    password: SecretString,
}

impl IceCredentials {
    /// From a name of 4 to 256 and a password of 22 to 256 letters, digits, `+` and `/` (RFC 8839, 5.4).
    pub fn new(ufrag: &str, password: &str) -> Option<Self> {
        let fits = |text: &str, least: usize| {
            (least..=LONGEST_CREDENTIAL).contains(&text.len()) && text.chars().all(is_ice_char)
        };
        (fits(ufrag, 4) && fits(password, 22))
            .then(|| Self { ufrag: ufrag.to_owned(), password: password.into() })
    }

    /// From random bytes: those of the name first. Each gives one of 64 signs.
    pub fn from_random(random: &[u8; 32]) -> Self {
        const SIGNS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let sign =
            |byte: &u8| char::from(SIGNS.get(usize::from(byte & 0x3f)).copied().unwrap_or(b'A'));
        let (ufrag, password) = random.split_at(8);
        let text = |bytes: &[u8]| bytes.iter().map(sign).collect::<String>();
        Self { ufrag: text(ufrag), password: text(password).into() }
    }

    /// The name.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The password.
    pub fn password(&self) -> &str {
        self.password.expose_secret()
    }
}

impl PartialEq for IceCredentials {
    fn eq(&self, other: &Self) -> bool {
        self.ufrag == other.ufrag && self.password() == other.password()
    }
}

impl Eq for IceCredentials {}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceCredentials({}, …)", self.ufrag)
    }
}

const fn is_ice_char(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || matches!(sign, '+' | '/')
}

/// How an address came to be known (RFC 8445, 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CandidateKind {
    /// An address of the host itself.
    Host,
    /// As a STUN server sees it.
    ServerReflexive,
    /// As the peer sees it.
    PeerReflexive,
    /// On a relay.
    Relay,
}

impl CandidateKind {
    /// The word as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relay => "relay",
        }
    }

    /// The one with that word, in any case.
    fn from_name(name: &str) -> Option<Self> {
        [Self::Host, Self::ServerReflexive, Self::PeerReflexive, Self::Relay]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }

    /// The recommended preference (RFC 8445, 5.1.2.2).
    const fn preference(self) -> u32 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relay => 0,
        }
    }
}

/// One way to reach an end over UDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Candidates of one foundation are alike.
    pub foundation: String,
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// Higher is better.
    pub priority: u32,
    /// Where it is.
    pub address: SocketAddr,
    /// How it came to be known.
    pub kind: CandidateKind,
    /// For those that stand for another address: that address.
    pub related: Option<SocketAddr>,
}

impl Candidate {
    /// One of ours for RTP, with the recommended priority (RFC 8445, 5.1.2.1).
    pub fn new(kind: CandidateKind, address: SocketAddr, related: Option<SocketAddr>) -> Self {
        Self::ranked(kind, address, related, 0)
    }

    /// The same where there are several of a kind: of another address of ours, or on another relay, the `rank`th in the
    /// order in which they are preferred. They are of different foundations (RFC 8445, 5.1.1.3).
    pub fn ranked(
        kind: CandidateKind,
        address: SocketAddr,
        related: Option<SocketAddr>,
        rank: u16,
    ) -> Self {
        let digit = match kind {
            CandidateKind::Host => "1",
            CandidateKind::ServerReflexive => "2",
            CandidateKind::PeerReflexive => "3",
            CandidateKind::Relay => "4",
        };
        let foundation = match rank {
            0 => digit.to_owned(),
            rank => format!("{digit}{rank}"),
        };
        Self {
            foundation,
            component: 1,
            priority: (kind.preference() << 24) + (u32::from(u16::MAX - rank) << 8) + 255,
            address,
            kind,
            related,
        }
    }

    /// Reads the value of `a=candidate`; none when it is malformed, not UDP, or has a name for an address.
    pub fn parse(value: &str) -> Option<Self> {
        if value.len() > MAX_LINE {
            return None;
        }
        let mut fields = value.split_ascii_whitespace();
        let foundation = fields.next().filter(|f| f.len() <= 32 && f.chars().all(is_ice_char))?;
        let component = fields.next()?.parse().ok().filter(|c| (1..=256).contains(c))?;
        fields.next().filter(|transport| transport.eq_ignore_ascii_case("udp"))?;
        let priority = fields.next()?.parse().ok().filter(|priority| *priority > 0)?;
        let address = address(fields.next()?, fields.next()?).filter(|at| at.port() != 0)?;
        fields.next().filter(|word| word.eq_ignore_ascii_case("typ"))?;
        let kind = CandidateKind::from_name(fields.next()?)?;
        let (mut host, mut port) = (None, None);
        while let Some((name, value)) = fields.next().zip(fields.next()) {
            match name.to_ascii_lowercase().as_str() {
                "raddr" => host = Some(value),
                "rport" => port = Some(value),
                _ => {}
            }
        }
        Some(Self {
            foundation: foundation.to_owned(),
            component,
            priority,
            address,
            kind,
            related: host.zip(port).and_then(|(host, port)| self::address(host, port)),
        })
    }
}

fn address(host: &str, port: &str) -> Option<SocketAddr> {
    let host: IpAddr = host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    Some(SocketAddr::new(host, port.parse().ok()?))
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { foundation, component, priority, address, kind, related } = self;
        let (host, port) = (address.ip(), address.port());
        write!(f, "{foundation} {component} udp {priority} {host} {port} typ {}", kind.as_str())?;
        match related {
            Some(related) => write!(f, " raddr {} rport {}", related.ip(), related.port()),
            None => Ok(()),
        }
    }
}

/// What we offer and answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalIce {
    /// Ours; renewed for every restart.
    pub credentials: IceCredentials,
    /// The ways to reach us.
    pub candidates: Vec<Candidate>,
}

/// What two ends agreed about the ways between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceParameters {
    /// Our side.
    pub local: LocalIce,
    /// What the peer proves itself with.
    pub remote: IceCredentials,
    /// The peer's candidates for RTP; more are learnt from its checks.
    pub candidates: Vec<Candidate>,
    /// We choose the way (RFC 8445, 6.1.1).
    pub controlling: bool,
}

impl IceParameters {
    /// Whether checks begin anew after that agreement (RFC 8839, 4.4.1.1.1).
    pub fn restarts(&self, before: &Self) -> bool {
        self.remote != before.remote || self.local.credentials != before.local.credentials
    }
}

/// What a line of the peer's says of ICE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteIce {
    pub(crate) credentials: IceCredentials,
    /// All components.
    pub(crate) candidates: Vec<Candidate>,
    /// The peer only answers checks (RFC 8445, 2.5).
    pub(crate) lite: bool,
    /// The peer saw that something in between had changed our addresses.
    pub(crate) mismatch: bool,
}

impl RemoteIce {
    /// Something between changed the address that goes without ICE: it wants the media to come its way, and checks would
    /// go around it (RFC 8839, 4.2.2). No address yet (0.0.0.0, port 9) is no such change.
    pub(crate) fn is_changed_by_others(&self, default: Option<SocketAddr>) -> bool {
        let Some(default) = default.filter(|at| !at.ip().is_unspecified() && at.port() != 9) else {
            return false;
        };
        !self.candidates.is_empty() && !self.candidates.iter().any(|c| c.address == default)
    }

    /// What comes of it with ours.
    pub(crate) fn agree(
        &self,
        local: &LocalIce,
        offerer: bool,
        before: Option<&IceParameters>,
    ) -> IceParameters {
        let candidates = self.candidates.iter().filter(|c| c.component == 1).cloned().collect();
        let mut agreed = IceParameters {
            local: local.clone(),
            remote: self.credentials.clone(),
            candidates,
            controlling: offerer || self.lite,
        };
        if let Some(before) = before.filter(|before| !agreed.restarts(before)) {
            agreed.controlling = before.controlling;
        }
        agreed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn candidates_as_they_are_met_are_read() {
        let host =
            Candidate::parse("Hac1e0001 1 UDP 2130706431 172.30.0.1 11230 typ host").unwrap();
        assert_eq!((host.kind, host.component), (CandidateKind::Host, 1));
        let mapped = Candidate::parse(
            "842163049 1 udp 1677729535 203.0.113.9 55996 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag x",
        )
        .unwrap();
        assert_eq!(mapped.kind, CandidateKind::ServerReflexive);
        assert_eq!(mapped.related, "0.0.0.0:0".parse().ok());
        let six = Candidate::parse("1 2 udp 1 2001:db8::1 9000 typ relay").unwrap();
        assert_eq!(six.to_string(), "1 2 udp 1 2001:db8::1 9000 typ relay");
        for bad in [
            "",
            "1 1 tcp 1 192.0.2.1 9 typ host tcptype active",
            "1 1 udp 1 0d5f.local 5000 typ host",
            "1 1 udp 1 192.0.2.1 0 typ host",
            "1 1 udp 0 192.0.2.1 5000 typ host",
            "1 0 udp 1 192.0.2.1 5000 typ host",
            "1 1 udp 1 192.0.2.1 5000 type host",
            "1 1 udp 1 192.0.2.1 5000 typ guess",
            "a;b 1 udp 1 192.0.2.1 5000 typ host",
            "1 1 udp 1 192.0.2.1 5000 typ",
        ] {
            assert_eq!(Candidate::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn priorities_are_those_of_the_standard() {
        let at = SocketAddr::from(([192, 0, 2, 1], 5000));
        assert_eq!(Candidate::new(CandidateKind::Host, at, None).priority, 2_130_706_431);
        let mapped = Candidate::new(CandidateKind::ServerReflexive, at, Some(at));
        assert_eq!(mapped.priority, 1_694_498_815);
        assert_eq!(Candidate::parse(&mapped.to_string()), Some(mapped));
    }

    #[test]
    fn credentials_have_their_lengths_and_are_not_shown() {
        let long = "p".repeat(22);
        assert!(IceCredentials::new("abcd", &long).is_some());
        assert!(IceCredentials::new("abc", &long).is_none());
        assert!(IceCredentials::new("abcd", &long[1..]).is_none());
        assert!(IceCredentials::new("ab d", &long).is_none());
        assert!(IceCredentials::new("abcd", &"p".repeat(257)).is_none());
        let random: [u8; 32] = std::array::from_fn(|n| u8::try_from(n * 7).unwrap());
        let made = IceCredentials::from_random(&random);
        assert_eq!(IceCredentials::new(made.ufrag(), made.password()), Some(made.clone()));
        assert!(!format!("{made:?}").contains(made.password()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn hostile_lines_never_panic(value in "[ -~é]{0,160}", tail in "[ -~]{0,60}") {
            let _ = Candidate::parse(&value);
            let line = format!("1 1 udp 1 192.0.2.1 5000 typ host {tail}");
            if let Some(read) = Candidate::parse(&line) {
                prop_assert_eq!(Candidate::parse(&read.to_string()), Some(read));
            }
        }
    }
}
