//! From a URI to addresses (RFC 3263, the part without NAPTR and SRV).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolveHosts};
use sip_core::Target;
use sip_types::{Host, Transport as Protocol, Uri};
use thiserror::Error;

/// How long one name server may take; there are usually two, and each is asked twice.
const NAME_SERVER_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a URI leads nowhere. Cloneable, so that it can travel to the user agent as data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// The URI has no host, or is no SIP URI.
    #[error("{0} has no host to send to")]
    NoHost(String),
    /// There is no such name.
    #[error("the name {0} does not exist")]
    UnknownName(String),
    /// The name service did not answer.
    #[error("the name {name} could not be looked up: {reason}")]
    NameService {
        /// The name.
        name: String,
        /// What went wrong.
        reason: String,
    },
    /// No network interface leads there.
    #[error("there is no route to {0}")]
    NoRoute(String),
    /// The transport is one we do not speak.
    #[error("{0} is not supported")]
    Unsupported(Protocol),
}

/// The addresses a URI stands for, IPv4 before IPv6 when a name has both.
pub(crate) async fn targets(uri: &Uri) -> Result<Vec<Target>, ResolveError> {
    let (transport, host, port) = destination(uri)?;
    if transport != Protocol::Udp && transport != Protocol::Tcp {
        return Err(ResolveError::Unsupported(transport));
    }
    let addresses = match host {
        Host::V4(ip) => vec![IpAddr::V4(ip)],
        Host::V6(ip) => vec![IpAddr::V6(ip)],
        Host::Name(name) => look_up(&name).await?,
    };
    let target = |ip| Target { transport, addr: SocketAddr::new(ip, port) };
    Ok(addresses.into_iter().map(target).collect())
}

/// What the URI itself says: `maddr` before the host, UDP and the transport's own port by default
/// (RFC 3263 sections 4.1 and 4.2).
fn destination(uri: &Uri) -> Result<(Protocol, Host, u16), ResolveError> {
    let no_host = || ResolveError::NoHost(uri.to_string());
    if !uri.is_sip() && !uri.is_sips() {
        return Err(no_host());
    }
    let maddr = uri.param("maddr").flatten().and_then(|text| text.parse::<Host>().ok());
    let host = maddr.or_else(|| uri.host().cloned()).ok_or_else(no_host)?;
    let transport = match (uri.is_sips(), uri.transport()) {
        (true, Some(Protocol::Ws | Protocol::Wss)) => Protocol::Wss,
        (true, _) => Protocol::Tls,
        (false, transport) => transport.unwrap_or(Protocol::Udp),
    };
    Ok((transport, host, uri.port().unwrap_or(transport.default_port())))
}

/// Asks the hosts file and then the name servers. The system's settings are read each time: they
/// change when a laptop changes networks, and a call is rare compared to that reading.
async fn look_up(name: &str) -> Result<Vec<IpAddr>, ResolveError> {
    let failed = |reason: String| ResolveError::NameService { name: name.to_owned(), reason };
    let mut builder = match TokioResolver::builder_tokio() {
        Ok(builder) => builder,
        Err(error) => {
            tracing::debug!("name server settings unreadable ({error}): asking the system");
            return ask_system(name).await;
        }
    };
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.use_hosts_file = ResolveHosts::Always;
    options.timeout = NAME_SERVER_TIMEOUT;
    let resolver = builder.build().map_err(|error| failed(error.to_string()))?;
    match resolver.lookup_ip(name).await {
        Ok(found) => {
            let mut addresses: Vec<IpAddr> = found.iter().collect();
            addresses.sort_by_key(IpAddr::is_ipv6);
            Ok(addresses)
        }
        Err(error) if error.is_no_records_found() => {
            Err(ResolveError::UnknownName(name.to_owned()))
        }
        Err(error) => Err(failed(error.to_string())),
    }
}

async fn ask_system(name: &str) -> Result<Vec<IpAddr>, ResolveError> {
    let failed = |reason: String| ResolveError::NameService { name: name.to_owned(), reason };
    let found =
        tokio::net::lookup_host((name, 0)).await.map_err(|error| failed(error.to_string()))?;
    Ok(found.map(|addr| addr.ip()).collect())
}
