//! One audio line of a peer's description, understood.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sdp_types::{Attribute, Media, Session};

use crate::codec::{Codec, CodecKind};
use crate::crypto::{CryptoAttribute, MasterKey};
use crate::dtls::{Fingerprint, MAX_FINGERPRINTS, RemoteDtls, Setup};
use crate::error::NegotiationError;
use crate::ice::{Candidate, IceCredentials, MAX_CANDIDATES, RemoteIce};
use crate::media::{Direction, TelephoneEvent};

/// The most crypto attributes of a line that are looked at.
const MAX_CRYPTO: usize = 16;
/// The longest name of a line that is repeated.
const MAX_MID: usize = 64;

/// How the media line is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// RTP/AVP, or RTP/AVPF read as if it were.
    Plain,
    /// RTP/SAVP and relatives.
    Secure,
    /// Something else.
    Unknown,
}

/// One audio line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AudioStream {
    /// Its place among the media lines.
    pub(crate) index: usize,
    pub(crate) port: u16,
    pub(crate) profile: Profile,
    /// The profile as written.
    pub(crate) protocol: String,
    /// The text of the address; resolved by [`Self::address`].
    host: String,
    rtcp: Option<(u16, Option<IpAddr>)>,
    pub(crate) codecs: Vec<Codec>,
    pub(crate) events: Vec<TelephoneEvent>,
    pub(crate) comfort_noise: bool,
    pub(crate) ptime_ms: Option<u8>,
    pub(crate) max_ptime_ms: Option<u8>,
    /// VoIP metrics are asked for (RFC 3611, 5.1).
    pub(crate) voip_metrics: bool,
    pub(crate) direction: Direction,
    /// The keys that can be used, in the peer's order.
    pub(crate) crypto: Vec<CryptoAttribute>,
    /// A handshake that gives keys.
    pub(crate) dtls: Option<RemoteDtls>,
    pub(crate) ice: Option<RemoteIce>,
    pub(crate) rtcp_mux: bool,
    /// The name of the line, and whether it is in a bundle (RFC 9143).
    pub(crate) mid: Option<(String, bool)>,
}

impl AudioStream {
    /// All audio lines of a description, in order.
    pub(crate) fn all(session: &Session) -> Vec<Self> {
        let audio = |media: &&Media| media.media.eq_ignore_ascii_case("audio");
        let lines = session.medias.iter().enumerate();
        lines.filter(|(_, m)| audio(m)).map(|(i, m)| Self::read(session, i, m)).collect()
    }

    fn read(session: &Session, index: usize, media: &Media) -> Self {
        let connection = media.connections.first().or(session.connection.as_ref());
        let host = connection.map_or("", |c| c.connection_address.as_str());
        let mut stream = Self {
            index,
            port: media.port,
            profile: profile(&media.proto),
            protocol: media.proto.clone(),
            host: host.split('/').next().unwrap_or_default().to_owned(),
            rtcp: attribute(&media.attributes, "rtcp").and_then(rtcp),
            codecs: Vec::new(),
            events: Vec::new(),
            comfort_noise: false,
            ptime_ms: milliseconds(media, "ptime"),
            max_ptime_ms: milliseconds(media, "maxptime"),
            voip_metrics: voip_metrics(&media.attributes) || voip_metrics(&session.attributes),
            direction: direction(&media.attributes)
                .or_else(|| direction(&session.attributes))
                .unwrap_or_default(),
            crypto: crypto(&media.attributes),
            dtls: dtls(session, media),
            ice: ice(session, media),
            rtcp_mux: has(&media.attributes, "rtcp-mux"),
            mid: mid(session, media),
        };
        for format in media.fmt.split_ascii_whitespace().filter_map(|f| f.parse().ok()) {
            stream.add_format(media, format);
        }
        stream
    }

    /// Adds one payload type if it is one we know; the first number of a codec counts.
    fn add_format(&mut self, media: &Media, payload_type: u8) {
        if payload_type > 127 {
            return;
        }
        match mapping(media, payload_type) {
            Some(Mapping::Codec(kind)) if !self.codecs.iter().any(|c| c.kind == kind) => {
                self.codecs.push(Codec {
                    kind,
                    payload_type,
                    clock_rate: kind.clock_rate(),
                    channels: kind.channels(),
                    fmtp: numbered(&media.attributes, "fmtp", payload_type).map(str::to_owned),
                });
            }
            Some(Mapping::Event(clock_rate)) => {
                self.events.push(TelephoneEvent { payload_type, clock_rate });
            }
            Some(Mapping::Noise) => self.comfort_noise = true,
            _ => {}
        }
    }

    /// The media address. 0.0.0.0 and :: are addresses too (see [`Self::held_by_address`]).
    pub(crate) fn address(&self) -> Result<IpAddr, NegotiationError> {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare.parse().map_err(|_| NegotiationError::UnusableAddress(self.host.clone()))
    }

    /// Where media goes without ICE.
    pub(crate) fn default_address(&self) -> Option<SocketAddr> {
        self.address().ok().map(|address| SocketAddr::new(address, self.port))
    }

    /// The first of its keys with a suite of ours, and our key for that suite.
    pub(crate) fn keys<'a>(
        &'a self,
        ours: &'a [MasterKey],
    ) -> Option<(&'a CryptoAttribute, &'a MasterKey)> {
        self.crypto.iter().find_map(|line| {
            let own = ours.iter().find(|own| own.suite() == line.key.suite())?;
            Some((line, own))
        })
    }

    /// Hold in the way of RFC 2543: nothing is to be sent to the address 0.0.0.0. With ICE that only says that the way is
    /// still to be found.
    pub(crate) fn held_by_address(&self) -> bool {
        self.ice.is_none() && self.address().is_ok_and(|address| address.is_unspecified())
    }

    /// The direction with that hold applied.
    pub(crate) fn effective_direction(&self) -> Direction {
        Direction::new(self.direction.sends(), self.direction.receives() && !self.held_by_address())
    }

    /// The RTCP address: `a=rtcp`, else the next port (RFC 3605).
    pub(crate) fn rtcp_address(&self, address: IpAddr) -> (IpAddr, u16) {
        match self.rtcp {
            Some((port, host)) => (host.unwrap_or(address), port),
            None => (address, self.port.saturating_add(1)),
        }
    }
}

/// What a payload type stands for.
enum Mapping {
    Codec(CodecKind),
    Event(u32),
    Noise,
}

/// `a=rtpmap`, else the static table of RFC 3551.
fn mapping(media: &Media, payload_type: u8) -> Option<Mapping> {
    let Some(map) = numbered(&media.attributes, "rtpmap", payload_type) else {
        return match payload_type {
            13 => Some(Mapping::Noise),
            _ => CodecKind::ALL
                .into_iter()
                .find(|kind| kind.static_payload_type() == Some(payload_type))
                .map(Mapping::Codec),
        };
    };
    let mut parts = map.split('/').map(str::trim);
    let name = parts.next()?;
    let rate: u32 = parts.next().and_then(|rate| rate.parse().ok()).unwrap_or(8_000);
    if name.eq_ignore_ascii_case("telephone-event") {
        return matches!(rate, 8_000 | 48_000).then_some(Mapping::Event(rate));
    }
    if name.eq_ignore_ascii_case("CN") {
        return (rate == 8_000 && payload_type == 13).then_some(Mapping::Noise);
    }
    let kind = CodecKind::from_name(name)?;
    // Some write G.722 with the rate of its sound; RFC 3551 fixed the mistake of its clock for good.
    let right = rate == kind.clock_rate() || (kind == CodecKind::G722 && rate == 16_000);
    right.then_some(Mapping::Codec(kind))
}

fn profile(protocol: &str) -> Profile {
    match protocol.to_ascii_uppercase().as_str() {
        "RTP/AVP" | "RTP/AVPF" => Profile::Plain,
        "RTP/SAVP" | "RTP/SAVPF" | "UDP/TLS/RTP/SAVP" | "UDP/TLS/RTP/SAVPF" => Profile::Secure,
        _ => Profile::Unknown,
    }
}

/// The crypto attributes that can be used.
fn crypto(attributes: &[Attribute]) -> Vec<CryptoAttribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.attribute.trim().eq_ignore_ascii_case("crypto"))
        .take(MAX_CRYPTO)
        .filter_map(|attribute| CryptoAttribute::parse(attribute.value.as_deref()?).ok())
        .collect()
}

/// The handshake of a line; what the line does not say is said for all lines (RFC 8122, 5).
fn dtls(session: &Session, media: &Media) -> Option<RemoteDtls> {
    let of = |attributes: &[Attribute]| -> Vec<Fingerprint> {
        values(attributes, "fingerprint")
            .take(MAX_FINGERPRINTS)
            .filter_map(Fingerprint::parse)
            .collect()
    };
    let mut fingerprints = of(&media.attributes);
    if fingerprints.is_empty() {
        fingerprints = of(&session.attributes);
    }
    let setup = attribute(&media.attributes, "setup")
        .or_else(|| attribute(&session.attributes, "setup"))
        .and_then(Setup::from_name);
    (!fingerprints.is_empty()).then_some(RemoteDtls { fingerprints, setup })
}

/// The same of ICE (RFC 8839, 5).
fn ice(session: &Session, media: &Media) -> Option<RemoteIce> {
    let of = |attributes: &[Attribute]| {
        let (ufrag, password) =
            attribute(attributes, "ice-ufrag").zip(attribute(attributes, "ice-pwd"))?;
        IceCredentials::new(ufrag, password)
    };
    let credentials = of(&media.attributes).or_else(|| of(&session.attributes))?;
    let candidates = values(&media.attributes, "candidate")
        .take(MAX_CANDIDATES)
        .filter_map(Candidate::parse)
        .collect();
    Some(RemoteIce {
        credentials,
        candidates,
        lite: has(&session.attributes, "ice-lite"),
        mismatch: has(&media.attributes, "ice-mismatch"),
    })
}

/// The name of the line where it can be repeated, and whether a bundle holds it.
fn mid(session: &Session, media: &Media) -> Option<(String, bool)> {
    let sign = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`{|}~".contains(c);
    let mid = attribute(&media.attributes, "mid")
        .filter(|mid| (1..=MAX_MID).contains(&mid.len()) && mid.chars().all(sign))?;
    let bundled = values(&session.attributes, "group").any(|group| {
        let mut words = group.split_ascii_whitespace();
        words.next() == Some("BUNDLE") && words.any(|word| word == mid)
    });
    Some((mid.to_owned(), bundled))
}

/// Whether extended reports with VoIP metrics are among those asked for.
fn voip_metrics(attributes: &[Attribute]) -> bool {
    let mut formats = values(attributes, "rtcp-xr").flat_map(str::split_ascii_whitespace);
    formats.any(|format| format.eq_ignore_ascii_case("voip-metrics"))
}

/// Whether there is an attribute of that name.
fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.attribute.trim().eq_ignore_ascii_case(name))
}

/// The values of all attributes of that name.
fn values<'a>(attributes: &'a [Attribute], name: &'a str) -> impl Iterator<Item = &'a str> {
    attributes
        .iter()
        .filter(move |attribute| attribute.attribute.trim().eq_ignore_ascii_case(name))
        .filter_map(|attribute| attribute.value.as_deref())
        .map(str::trim)
}

/// The value of the first attribute of that name.
fn attribute<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|attribute| attribute.attribute.trim().eq_ignore_ascii_case(name))
        .and_then(|attribute| attribute.value.as_deref())
        .map(str::trim)
}

/// The rest of `a=<name>:<payload type> <rest>`.
fn numbered<'a>(attributes: &'a [Attribute], name: &str, payload_type: u8) -> Option<&'a str> {
    attributes
        .iter()
        .filter(|attribute| attribute.attribute.trim().eq_ignore_ascii_case(name))
        .filter_map(|attribute| attribute.value.as_deref()?.trim().split_once([' ', '\t']))
        .find(|(number, _)| number.parse() == Ok(payload_type))
        .map(|(_, rest)| rest.trim())
}

/// The last direction attribute.
fn direction(attributes: &[Attribute]) -> Option<Direction> {
    const ALL: [Direction; 4] =
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    attributes
        .iter()
        .rev()
        .find_map(|a| ALL.into_iter().find(|d| a.attribute.trim().eq_ignore_ascii_case(d.as_str())))
}

/// A whole number of milliseconds; fractions are cut off.
fn milliseconds(media: &Media, name: &str) -> Option<u8> {
    let value = attribute(&media.attributes, name)?;
    let whole = value.split('.').next()?;
    whole.parse::<u8>().ok().filter(|ms| *ms > 0)
}

/// `a=rtcp:<port> [IN IP4 <address>]`
fn rtcp(value: &str) -> Option<(u16, Option<IpAddr>)> {
    let mut fields = value.split_ascii_whitespace();
    let port = fields.next()?.parse().ok().filter(|port| *port != 0)?;
    let unspecified = IpAddr::from(Ipv4Addr::UNSPECIFIED);
    let host = fields.nth(2).and_then(|host| host.parse().ok()).filter(|a| *a != unspecified);
    Some((port, host))
}
