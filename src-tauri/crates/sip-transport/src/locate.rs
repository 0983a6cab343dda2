//! From a URI to addresses (RFC 3263, RFC 2782, RFC 7118 section 7), without asking anybody.
//!
//! [`locate`] is given what is known so far. Either that suffices and the targets come out, in the
//! order to try them, or it says which questions to ask next. So every rule is tested without a
//! network, and the asking (see `ask`) knows no rules.

mod cache;
mod srv;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use sip_core::{Random, Target};
use sip_types::{Host, Transport as Protocol, Uri};

use crate::ResolveError;

pub(crate) use cache::Cache;

/// Most NAPTR records of one name that are looked at.
const MOST_NAPTR: usize = 16;

/// Most SRV records of one name that are looked at.
const MOST_SRV: usize = 16;

/// Most addresses of one name that are used.
const MOST_ADDRESSES: usize = 8;

/// Most targets of one URI.
const MOST_TARGETS: usize = 32;

/// Something to ask the name service. Names are in lower case, without a final dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// Which transports a domain is served by.
    Naptr(String),
    /// Which hosts serve a domain over one transport.
    Srv(String),
    /// The addresses of a host, both families.
    Addresses(String),
}

/// What the name service said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Naptr(Vec<Naptr>),
    Srv(Vec<Srv>),
    Addresses(Vec<IpAddr>),
    /// There is no such name, or it has no record of this kind.
    Nothing,
    /// It did not answer, or not sensibly; in words for people.
    Failed(String),
}

/// A NAPTR record (RFC 3403 section 4.1), as far as RFC 3263 uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Naptr {
    pub(crate) order: u16,
    pub(crate) preference: u16,
    pub(crate) flags: String,
    pub(crate) services: String,
    pub(crate) replacement: String,
}

/// A SRV record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Srv {
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    pub(crate) port: u16,
    /// Empty when the service is decidedly not offered.
    pub(crate) host: String,
}

/// What is known so far.
pub(crate) type Answers = HashMap<Question, Answer>;

/// One address to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) target: Target,
    /// The host whose address this is: the SRV target, or the name that was asked for.
    pub(crate) host: Host,
}

/// What [`locate`] arrived at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// These must be asked first; never empty, and none of them is known yet.
    Ask(Vec<Question>),
    /// The targets in the order to try them; never empty.
    Done(Vec<Found>),
    /// There is no way.
    Failed(ResolveError),
}

/// What the URI itself says (RFC 3263 section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The URI's own host: what a certificate must vouch for (RFC 5922 section 7.3).
    pub(crate) identity: Host,
    /// Where to go: `maddr` if there is one, otherwise the same.
    host: Host,
    port: Option<u16>,
    transport: Option<Protocol>,
    secure: bool,
}

impl Destination {
    /// Reads the URI; `maddr` comes before the host.
    pub(crate) fn of(uri: &Uri) -> Result<Self, ResolveError> {
        let no_host = || ResolveError::NoHost(uri.to_string());
        if !uri.is_sip() {
            return Err(no_host());
        }
        let maddr = uri.param("maddr").flatten().and_then(|text| text.parse::<Host>().ok());
        let identity = canonical(uri.host().cloned().ok_or_else(no_host)?);
        let host = maddr.map_or_else(|| identity.clone(), canonical);
        let secure = uri.is_sips();
        let transport = match uri.param("transport").flatten() {
            Some(name) => Some(chosen(name, secure)?),
            None => None,
        };
        Ok(Self { identity, host, port: uri.port(), transport, secure })
    }

    /// Without a transport parameter and records that say otherwise.
    fn default_transport(&self) -> Protocol {
        if self.secure { Protocol::Tls } else { Protocol::Udp }
    }
}

fn canonical(host: Host) -> Host {
    match host {
        Host::Name(name) => Host::Name(host_name(&name)),
        address => address,
    }
}

/// The transport a parameter names. In a `sips:` URI it names what TLS runs over (RFC 3261
/// section 26.2.2); there is none over datagrams.
fn chosen(name: &str, secure: bool) -> Result<Protocol, ResolveError> {
    let unsupported = || ResolveError::Unsupported(name.to_owned());
    let transport = name.parse::<Protocol>().map_err(|_| unsupported())?;
    match transport {
        Protocol::Udp if secure => Err(ResolveError::Unsupported("UDP with sips".to_owned())),
        Protocol::Tcp if secure => Ok(Protocol::Tls),
        Protocol::Ws if secure => Ok(Protocol::Wss),
        other => Ok(other),
    }
}

/// The targets of `destination`, as far as `answers` leads. `random` is drawn from only when the
/// outcome is final, for SRV records of equal priority.
pub(crate) fn locate(destination: &Destination, answers: &Answers, random: &mut Random) -> Step {
    let Host::Name(name) = &destination.host else {
        return numeric(destination);
    };
    let transport = destination.transport;
    if let Some(port) = destination.port {
        let transport = transport.unwrap_or_else(|| destination.default_transport());
        return plain(name, transport, port, answers);
    }
    let services = match transport {
        Some(transport) => vec![(transport, srv_name(transport, name))],
        None => match by_naptr(name, destination.secure, answers) {
            Ok(services) => services,
            Err(question) => return Step::Ask(vec![question]),
        },
    };
    by_srv(destination, name, &services, answers, random)
}

fn numeric(destination: &Destination) -> Step {
    let transport = destination.transport.unwrap_or_else(|| destination.default_transport());
    let port = destination.port.unwrap_or(transport.default_port());
    match destination.host.ip() {
        Some(ip) => {
            let target = Target { transport, addr: SocketAddr::new(ip, port) };
            Step::Done(vec![Found { target, host: destination.host.clone() }])
        }
        None => Step::Failed(ResolveError::NoHost(destination.host.to_string())),
    }
}

/// The services NAPTR records name, or else those to look for without them (section 4.1). A name
/// service that cannot answer for NAPTR is treated as one that knows none: many routers cannot.
fn by_naptr(
    name: &str,
    secure: bool,
    answers: &Answers,
) -> Result<Vec<(Protocol, String)>, Question> {
    let question = Question::Naptr(name.to_owned());
    let records = match answers.get(&question) {
        None => return Err(question),
        Some(Answer::Naptr(records)) => records.as_slice(),
        Some(_) => &[],
    };
    let mut usable: Vec<(&Naptr, Protocol)> = records
        .iter()
        .take(MOST_NAPTR)
        .filter(|record| record.flags.eq_ignore_ascii_case("s") && !record.replacement.is_empty())
        .filter_map(|record| Some((record, service(&record.services)?)))
        .filter(|(_, transport)| transport.secure() || !secure)
        .collect();
    // Once a record fits, those of a higher order no longer count (RFC 3403 section 4.1).
    let lowest = usable.iter().map(|(record, _)| record.order).min();
    usable.retain(|(record, _)| Some(record.order) == lowest);
    usable.sort_by_key(|(record, _)| record.preference);
    if !usable.is_empty() {
        let service = |(record, transport): (&Naptr, Protocol)| {
            (transport, record.replacement.trim_end_matches('.').to_ascii_lowercase())
        };
        return Ok(usable.into_iter().map(service).collect());
    }
    let all: &[Protocol] =
        if secure { &[Protocol::Tls] } else { &[Protocol::Udp, Protocol::Tcp, Protocol::Tls] };
    Ok(all.iter().map(|transport| (*transport, srv_name(*transport, name))).collect())
}

/// The transport a NAPTR service stands for, if we speak it.
fn service(text: &str) -> Option<Protocol> {
    match text.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Some(Protocol::Udp),
        "SIP+D2T" => Some(Protocol::Tcp),
        "SIPS+D2T" => Some(Protocol::Tls),
        "SIP+D2W" => Some(Protocol::Ws),
        "SIPS+D2W" => Some(Protocol::Wss),
        _ => None,
    }
}

fn srv_name(transport: Protocol, name: &str) -> String {
    let prefix = match transport {
        Protocol::Udp => "_sip._udp",
        Protocol::Tcp => "_sip._tcp",
        Protocol::Tls => "_sips._tcp",
        Protocol::Ws => "_sip._ws",
        Protocol::Wss => "_sips._ws",
    };
    format!("{prefix}.{name}")
}

/// The hosts of each service in turn; when there are no SRV records at all, the name itself with
/// the default port (section 4.2).
fn by_srv(
    destination: &Destination,
    name: &str,
    services: &[(Protocol, String)],
    answers: &Answers,
    random: &mut Random,
) -> Step {
    let questions = services.iter().map(|(_, name)| Question::Srv(name.clone())).collect();
    if let Some(step) = missing(questions, answers) {
        return step;
    }
    let mut offers = Vec::new();
    let mut withdrawn = false;
    for (transport, service) in services {
        let Some(Answer::Srv(records)) = answers.get(&Question::Srv(service.clone())) else {
            continue;
        };
        withdrawn |= records.iter().any(|record| record.host.is_empty());
        let records = records.iter().filter(|record| !record.host.is_empty());
        offers.push((*transport, records.take(MOST_SRV).cloned().collect::<Vec<_>>()));
    }
    if offers.iter().all(|(_, records)| records.is_empty()) {
        if withdrawn {
            return Step::Failed(ResolveError::NotOffered(name.to_owned()));
        }
        let transport = destination.transport.unwrap_or_else(|| destination.default_transport());
        return plain(name, transport, transport.default_port(), answers);
    }
    let hosts = offers.iter().flat_map(|(_, records)| records);
    let questions = hosts.map(|record| Question::Addresses(host_name(&record.host))).collect();
    if let Some(step) = missing(questions, answers) {
        return step;
    }
    let mut found: Vec<Found> = Vec::new();
    for (transport, records) in offers {
        for record in srv::ordered(records, random) {
            let host = host_name(&record.host);
            found.extend(targets(&host, transport, record.port, answers));
        }
    }
    finish(name, found, answers)
}

fn host_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// One host on one port.
fn plain(name: &str, transport: Protocol, port: u16, answers: &Answers) -> Step {
    if let Some(step) = missing(vec![Question::Addresses(name.to_owned())], answers) {
        return step;
    }
    finish(name, targets(name, transport, port, answers), answers)
}

fn missing(mut questions: Vec<Question>, answers: &Answers) -> Option<Step> {
    questions.retain(|question| !answers.contains_key(question));
    let mut seen = std::collections::HashSet::new();
    questions.retain(|question| seen.insert(question.clone()));
    (!questions.is_empty()).then_some(Step::Ask(questions))
}

/// The addresses of one host, the families in turn, so that a family that leads nowhere costs one
/// try and not all of them.
fn targets(name: &str, transport: Protocol, port: u16, answers: &Answers) -> Vec<Found> {
    let Some(Answer::Addresses(all)) = answers.get(&Question::Addresses(name.to_owned())) else {
        return Vec::new();
    };
    let mut v4 = all.iter().filter(|ip| ip.is_ipv4());
    let mut v6 = all.iter().filter(|ip| ip.is_ipv6());
    let mut found = Vec::new();
    while found.len() < MOST_ADDRESSES {
        let before = found.len();
        for ip in [v4.next(), v6.next()].into_iter().flatten() {
            let target = Target { transport, addr: SocketAddr::new(*ip, port) };
            found.push(Found { target, host: Host::Name(name.to_owned()) });
        }
        if found.len() == before {
            break;
        }
    }
    found.truncate(MOST_ADDRESSES);
    found
}

/// Drops what is there twice. With nothing left it says why: a name service that failed counts
/// before a name that does not exist.
fn finish(name: &str, mut found: Vec<Found>, answers: &Answers) -> Step {
    let mut seen = std::collections::HashSet::new();
    found.retain(|one| seen.insert(one.target));
    found.truncate(MOST_TARGETS);
    if !found.is_empty() {
        return Step::Done(found);
    }
    let failure = answers.iter().find_map(|(question, answer)| match (question, answer) {
        (Question::Addresses(_), Answer::Failed(reason)) => Some(reason.clone()),
        _ => None,
    });
    Step::Failed(match failure {
        Some(reason) => ResolveError::NameService { name: name.to_owned(), reason },
        None => ResolveError::UnknownName(name.to_owned()),
    })
}

#[cfg(test)]
mod tests;
