//! Whether a known route already leads to a URI's server, so that nothing need be looked up.

use sip_core::Route;
use sip_types::{Transport, Uri};

/// Whether `uri` names the very address and transport of `route`. A host name never does: it is
/// looked up, since it may mean several servers. What is to be reached over a web socket is reached over the one there
/// is, whatever address it names: behind a web socket server nothing else can be (RFC 7118, 5; Asterisk names a port
/// that nobody listens on).
pub(crate) fn serves(route: &Route, uri: &Uri) -> bool {
    let web = |transport| matches!(transport, Transport::Ws | Transport::Wss);
    let transport = transport_of(uri);
    if web(route.target.transport) && web(transport) {
        return true;
    }
    let Some(ip) = uri.host().and_then(sip_types::Host::ip) else { return false };
    let port = uri.port().unwrap_or(default_port(transport));
    route.target.transport == transport
        && ip == route.target.addr.ip()
        && port == route.target.addr.port()
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use sip_core::Target;

    use super::*;

    #[test]
    fn a_route_serves_its_own_address_and_a_web_socket_all_that_is_behind_it() {
        for (transport, uri, wanted) in [
            (Transport::Tls, "sip:192.0.2.1:5061;transport=tls", true),
            (Transport::Tls, "sip:192.0.2.1;transport=tls", true),
            (Transport::Tls, "sip:192.0.2.1:5060;transport=tls", false),
            (Transport::Tls, "sip:192.0.2.2:5061;transport=tls", false),
            (Transport::Tls, "sip:pbx.example;transport=tls", false),
            (Transport::Tls, "sip:192.0.2.1:5061;transport=ws", false),
            (Transport::Wss, "sip:asterisk@192.0.2.1:5060;transport=ws", true),
            (Transport::Wss, "sip:abc@df7jal23ls0d.invalid;transport=ws", true),
            (Transport::Wss, "sip:192.0.2.1:5061;transport=tls", false),
        ] {
            let target = Target { addr: SocketAddr::from(([192, 0, 2, 1], 5061)), transport };
            let local = SocketAddr::from(([192, 0, 2, 9], 40_000));
            let route = Route { target, local };
            assert_eq!(serves(&route, &Uri::parse(uri).unwrap()), wanted, "{transport:?} {uri}");
        }
    }
}
