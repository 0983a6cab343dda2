//! Whether a known route already leads to a URI's server, so that nothing need be looked up.

use sip_core::Route;
use sip_types::{Transport, Uri};

/// Whether `uri` names the very address and transport of `route`. A host name never does: it is
/// looked up, since it may mean several servers.
pub(crate) fn serves(route: &Route, uri: &Uri) -> bool {
    let Some(ip) = uri.host().and_then(sip_types::Host::ip) else { return false };
    let transport = transport_of(uri);
    let port = uri.port().unwrap_or(default_port(transport));
    let same = match route.target.transport {
        // RFC 7118 section 5: both are `ws` in a URI.
        Transport::Wss => matches!(transport, Transport::Ws | Transport::Wss),
        own => own == transport,
    };
    same && ip == route.target.addr.ip() && port == route.target.addr.port()
}

/// The transport a URI with an address for a host asks for (RFC 3263 section 4.1).
fn transport_of(uri: &Uri) -> Transport {
    match uri.transport() {
        Some(Transport::Tcp) if uri.is_sips() => Transport::Tls,
        Some(transport) => transport,
        None if uri.is_sips() => Transport::Tls,
        None => Transport::Udp,
    }
}

fn default_port(transport: Transport) -> u16 {
    if transport == Transport::Tls { 5061 } else { 5060 }
}
