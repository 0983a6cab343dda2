//! The Via header: pushed on requests, completed on arrival, followed by responses
//! (RFC 3261 sections 18.1.1 and 18.2, RFC 3581).

use std::net::SocketAddr;

use sip_types::{HeaderName, Host, Request, Via};

use crate::{Route, Source, Target};

/// The address a response goes to, and for a stream the one to try when the connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReturnPath {
    pub(super) target: Target,
    pub(super) fallback: Option<SocketAddr>,
}

/// Pushes the Via of this hop, asking for the response at the port we send from.
pub(super) fn push(request: &mut Request, route: &Route, branch: &str) {
    request.headers.insert_first(HeaderName::Via, of_hop(route, branch).to_string());
}

fn of_hop(route: &Route, branch: &str) -> Via {
    let host = Host::from(route.local.ip());
    let mut via = Via::new(route.target.transport, host, Some(route.local.port()), branch);
    via.params.set("rport", None);
    via
}

/// Replaces the Via that [`push`] made, for another way of the same hop.
pub(super) fn replace(request: &mut Request, route: &Route, branch: &str) {
    request.headers.set_via_top(&of_hop(route, branch));
}

/// Notes on the top Via where the request really came from: `received` when that differs from the
/// sent-by or the port is asked for, `rport` when asked for. Returns the Via as completed; `None`
/// when there is no readable one, and so no way to answer.
pub(super) fn complete(request: &mut Request, source: &Source) -> Option<Via> {
    let mut via = request.headers.via_top().ok()?;
    let wants_port = via.params.contains("rport");
    if wants_port {
        via.params.set("rport", Some(&source.remote.port().to_string()));
    }
    if wants_port || via.host.ip() != Some(source.remote.ip()) {
        via.params.set("received", Some(&source.remote.ip().to_string()));
    }
    request.headers.set_via_top(&via);
    Some(via)
}

/// Where the responses to a request with this (completed) top Via go.
pub(super) fn return_path(via: &Via, source: &Source) -> ReturnPath {
    let transport = source.transport;
    let named = SocketAddr::new(source.remote.ip(), via.port.unwrap_or(transport.default_port()));
    if transport.reliable() {
        return ReturnPath { target: source.back(), fallback: Some(named) };
    }
    let maddr = via.maddr().and_then(|host| host.ip());
    let addr = match maddr {
        Some(ip) => SocketAddr::new(ip, named.port()),
        None if via.params.contains("rport") => source.remote,
        None => named,
    };
    ReturnPath { target: Target { transport, addr }, fallback: None }
}

#[cfg(test)]
mod tests {
    use sip_types::{HeaderName, Method, Request, Transport, Uri};

    use super::{complete, return_path};
    use crate::Source;

    fn source(transport: Transport) -> Source {
        Source {
            transport,
            local: "192.0.2.1:5060".parse().unwrap(),
            remote: "203.0.113.9:40000".parse().unwrap(),
        }
    }

    fn completed(text: &str, transport: Transport) -> (String, String, Option<String>) {
        let source = source(transport);
        let mut request = Request::new(Method::Options, Uri::parse("sip:b@example.com").unwrap());
        request.headers.push(HeaderName::Via, text);
        let via = complete(&mut request, &source).unwrap();
        let path = return_path(&via, &source);
        (via.to_string(), path.target.to_string(), path.fallback.map(|addr| addr.to_string()))
    }

    #[test]
    fn rport_leads_back_to_the_port_it_came_from() {
        let (via, target, _) =
            completed("SIP/2.0/UDP 10.1.1.1:5062;rport;branch=z9hG4bKx", Transport::Udp);
        assert_eq!(
            via,
            "SIP/2.0/UDP 10.1.1.1:5062;rport=40000;branch=z9hG4bKx;received=203.0.113.9"
        );
        assert_eq!(target, "UDP:203.0.113.9:40000");
    }

    #[test]
    fn without_rport_the_named_port_counts() {
        let (via, target, _) =
            completed("SIP/2.0/UDP pc.example.com;branch=z9hG4bKx", Transport::Udp);
        assert_eq!(via, "SIP/2.0/UDP pc.example.com;branch=z9hG4bKx;received=203.0.113.9");
        assert_eq!(target, "UDP:203.0.113.9:5060");
    }

    #[test]
    fn an_honest_address_needs_no_received() {
        let (via, target, _) =
            completed("SIP/2.0/UDP 203.0.113.9:5070;branch=z9hG4bKx", Transport::Udp);
        assert_eq!(via, "SIP/2.0/UDP 203.0.113.9:5070;branch=z9hG4bKx");
        assert_eq!(target, "UDP:203.0.113.9:5070");
    }

    #[test]
    fn maddr_comes_before_received() {
        let (_, target, _) =
            completed("SIP/2.0/UDP 10.1.1.1;maddr=192.0.2.7;branch=z9hG4bKx", Transport::Udp);
        assert_eq!(target, "UDP:192.0.2.7:5060");
    }

    #[test]
    fn a_stream_answers_on_its_connection_first() {
        let (_, target, fallback) =
            completed("SIP/2.0/TCP 10.1.1.1:5062;branch=z9hG4bKx", Transport::Tcp);
        assert_eq!(target, "TCP:203.0.113.9:40000");
        assert_eq!(fallback.as_deref(), Some("203.0.113.9:5062"));
    }
}
