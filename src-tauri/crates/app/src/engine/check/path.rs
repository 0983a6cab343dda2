//! What happens to a request on its way: whether the server answers at all, how long that takes, whether the address
//! is translated, and whether something between here and there rewrites SIP (an "ALG" in a router, which breaks
//! calls after half a minute and loses incoming ones).
//!
//! A server copies Via, From, To, Call-ID and CSeq of a request into its response and may only add to them (RFC 3261
//! section 8.2.6.2, RFC 3581). What comes back otherwise was changed on the way.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip_core::{Random, Route, Transmit};
use sip_transport::{Incoming, Transport};
use sip_types::{Host, Message, Method, NameAddr, Request, Response, Uri, Via};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::cause;
use crate::code::Code;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// When an unanswered request is sent again over UDP (RFC 3261 section 17.1.2.1).
const AGAIN: Duration = Duration::from_millis(500);

/// What was seen of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// Milliseconds from request to response.
    pub(super) millis: u64,
    /// Our address as we know it.
    pub(super) local: SocketAddr,
    /// Our address as the server sees it, where it says so.
    pub(super) seen: Option<SocketAddr>,
    /// What was rewritten, in the names of the headers.
    pub(super) rewritten: Vec<&'static str>,
}

impl Way {
    /// For support: times and addresses.
    pub(super) fn describe(&self) -> String {
        let nat = match self.seen {
            None => "the server does not say which address it sees".to_owned(),
            Some(seen) if seen == self.local => "no address translation".to_owned(),
            Some(seen) if seen.port() == self.local.port() => {
                format!("address translated from {} to {seen}, the port is kept", self.local)
            }
            Some(seen) => format!("address translated from {} to {seen}", self.local),
        };
        let rewritten = match self.rewritten.as_slice() {
            [] => String::new(),
            headers => format!("; rewritten on the way: {}", headers.join(", ")),
        };
        format!("answer after {} ms; {nat}{rewritten}", self.millis)
    }
}

/// Asks the server at `route` whether it is there; takes four seconds at most.
#[expect(clippy::disallowed_methods, reason = "a time on the wire is measured")]
pub(super) async fn probe(
    transport: &Transport,
    incoming: &mut mpsc::Receiver<Incoming>,
    route: Route,
    aor: &Uri,
    random: &mut Random,
) -> Result<Way, (Code, String)> {
    let request = options(route, aor, random);
    let started = Instant::now();
    let asked = async {
        loop {
            transport.send(Transmit::new(route.target, request.to_bytes()));
            match timeout(AGAIN, answer(incoming, route, &request)).await {
                Ok(answer) => return answer,
                // A connection repeats by itself.
                Err(_) if route.target.transport.reliable() => {
                    return answer(incoming, route, &request).await;
                }
                Err(_) => {}
            }
        }
    };
    let response = match timeout(PATIENCE, asked).await {
        Ok(answer) => answer?,
        Err(_) => return Err((Code::Timeout, "the server does not answer".to_owned())),
    };
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Way {
        millis,
        local: route.local,
        seen: seen(&response),
        rewritten: rewritten(&request, &response),
    })
}

/// The response to our request, or why there will be none.
async fn answer(
    incoming: &mut mpsc::Receiver<Incoming>,
    route: Route,
    request: &Request,
) -> Result<Response, (Code, String)> {
    let ours = request.headers.cseq().ok();
    while let Some(event) = incoming.recv().await {
        match event {
            // Not matched by branch or Call-ID, which may be what was rewritten: nobody else answers here.
            Incoming::Message { message: Message::Response(response), source }
                if source.transport == route.target.transport
                    && response.headers.cseq().ok() == ours
                    && response.status.code() >= 200 =>
            {
                return Ok(response);
            }
            Incoming::Failed { target, cause, reason } if target == route.target => {
                return Err((cause::of_transport(cause), reason));
            }
            _ => {}
        }
    }
    Err((Code::Internal, "the sockets are closed".to_owned()))
}

fn options(route: Route, aor: &Uri, random: &mut Random) -> Request {
    let host = Host::from(route.local.ip());
    let mut via =
        Via::new(route.target.transport, host, Some(route.local.port()), &random.branch());
    via.params.set("rport", None);
    let mut from = NameAddr::new(aor.clone());
    from.params.set("tag", Some(&random.token(10)));
    let cseq = random.between(1, 1 << 30);
    Request::new(Method::Options, aor.clone())
        .header("Via", via.to_string())
        .header("Max-Forwards", "70")
        .header("From", from.to_string())
        .header("To", NameAddr::new(aor.clone()).to_string())
        .header("Call-ID", random.token(20))
        .header("CSeq", format!("{cseq} OPTIONS"))
        .header("Accept", "application/sdp")
}

/// The address that the server has seen the request come from (RFC 3581 section 4).
fn seen(response: &Response) -> Option<SocketAddr> {
    let via = response.headers.via_top().ok()?;
    let ip = via.received().or_else(|| via.host.ip())?;
    Some(SocketAddr::new(ip, via.rport().flatten()?))
}

/// Headers that did not come back as they were sent.
fn rewritten(request: &Request, response: &Response) -> Vec<&'static str> {
    let (asked, told) = (&request.headers, &response.headers);
    let mut found = Vec::new();
    let same_via = match (asked.via_top(), told.via_top()) {
        (Ok(asked), Ok(told)) => {
            asked.host.equivalent(&told.host)
                && asked.port == told.port
                && asked.branch() == told.branch()
                && asked.transport == told.transport
        }
        _ => false,
    };
    if !same_via {
        found.push("Via");
    }
    let same_from = match (asked.from(), told.from()) {
        (Ok(asked), Ok(told)) => {
            asked.params.value("tag") == told.params.value("tag")
                && asked.uri.host() == told.uri.host()
        }
        _ => false,
    };
    if !same_from {
        found.push("From");
    }
    let host = |to: Option<NameAddr>| to.and_then(|to| to.uri.host().cloned());
    if host(asked.to().ok()) != host(told.to().ok()) {
        found.push("To");
    }
    if asked.call_id().ok() != told.call_id().ok() {
        found.push("Call-ID");
    }
    found
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use sip_core::Target;
    use sip_types::{StatusCode, Transport as Protocol};

    use super::*;

    fn asked() -> Request {
        let target = Target {
            transport: Protocol::Udp,
            addr: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)), 5060),
        };
        let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20)), 5061);
        let aor = Uri::parse("sip:101@example.test").unwrap();
        options(Route { target, local }, &aor, &mut Random::from_seed([4; 32]))
    }

    /// The response, with the topmost Via changed.
    fn told(request: &Request, change: impl Fn(&mut Via)) -> Response {
        let mut response = Response::to_request(request, StatusCode::OK);
        let mut via = response.headers.via_top().unwrap();
        change(&mut via);
        response.headers.set_via_top(&via);
        response.set_to_tag("there");
        response
    }

    #[test]
    fn a_translated_address_is_no_rewriting() {
        let request = asked();
        let response = told(&request, |via| {
            via.params.set("received", Some("198.51.100.7"));
            via.params.set("rport", Some("40123"));
        });
        assert_eq!(rewritten(&request, &response), Vec::<&str>::new());
        assert_eq!(seen(&response), Some("198.51.100.7:40123".parse().unwrap()));
        let way = Way {
            millis: 12,
            local: "192.168.1.20:5061".parse().unwrap(),
            seen: seen(&response),
            rewritten: Vec::new(),
        };
        assert!(way.describe().contains("192.168.1.20:5061 to 198.51.100.7:40123"));
    }

    #[test]
    fn a_router_that_rewrites_is_found() {
        let request = asked();
        // Its own address put in where ours was, and not taken out again on the way back.
        let response = told(&request, |via| {
            via.host = Host::from(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)));
            via.port = Some(40123);
            via.params.set("rport", Some("40123"));
        });
        assert_eq!(rewritten(&request, &response), ["Via"]);
        let mut response = told(&request, |_| {});
        response.headers.set("Call-ID".into(), "something@198.51.100.7");
        assert_eq!(rewritten(&request, &response), ["Call-ID"]);
    }

    #[test]
    fn a_server_that_is_silent_about_the_address_is_no_news() {
        let request = asked();
        let response = told(&request, |_| {});
        assert_eq!(seen(&response), None);
        assert_eq!(rewritten(&request, &response), Vec::<&str>::new());
    }
}
