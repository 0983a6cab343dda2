//! The REGISTER request and what its answer says.

use std::{net::SocketAddr, time::Duration};

use sip_core::Route;
use sip_types::{ContactValue, HeaderName, Method, NameAddr, Request, Response, Uri};

use crate::{
    account::Account,
    message::{self, name_addr},
    shared::Cx,
};

/// What the registrar holds for us.
pub(crate) struct Binding {
    pub expires: u32,
    pub contact: Uri,
    pub public_addr: Option<SocketAddr>,
}

/// A REGISTER for our Contact over `route`; 0 seconds take it back.
pub(crate) fn build(
    cx: &Cx<'_>,
    route: &Route,
    expires: u32,
    call_id: &str,
    tag: &str,
    seq: u32,
) -> Request {
    let config = &cx.account.config;
    let domain = match config.registrar.host() {
        Some(host) if config.registrar.is_sips() => {
            let text = Uri::sip(None, host.clone(), config.registrar.port()).to_string();
            Uri::parse(&text.replacen("sip:", "sips:", 1)).unwrap_or(config.registrar.clone())
        }
        Some(host) => Uri::sip(None, host.clone(), config.registrar.port()),
        None => config.registrar.clone(),
    };
    let mut request = Request::new(Method::Register, domain);
    let address = name_addr(config.display_name.clone(), config.aor.clone());
    let headers = &mut request.headers;
    if let Some(proxy) = config.outbound_proxy.as_ref().filter(|proxy| proxy.lr()) {
        headers.push(HeaderName::Route, name_addr(None, proxy.clone()).to_string());
    }
    headers.push(HeaderName::MaxForwards, "70");
    headers.push(HeaderName::From, address.with_tag(tag).to_string());
    headers.push(HeaderName::To, name_addr(None, config.aor.clone()).to_string());
    headers.push(HeaderName::CallId, call_id);
    headers.push(HeaderName::CSeq, format!("{seq} REGISTER"));
    message::set_contact(headers, cx, route);
    headers.push(HeaderName::Expires, expires.to_string());
    headers.push(HeaderName::Supported, "path");
    headers.push(HeaderName::Allow, message::allow(&cx.shared.config));
    headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
    request
}

/// What a 200 says about our own Contact (section 10.3 step 8: it lists all of the address).
pub(crate) fn read_binding(account: &Account, request: &Request, response: &Response) -> Binding {
    let asked = first_address(request.headers.contacts().unwrap_or_default());
    let listed = response.headers.contacts().unwrap_or_default();
    let ours = listed.into_iter().find_map(|contact| match contact {
        ContactValue::Address(address) if is_ours(account, &address, asked.as_ref()) => {
            Some(address)
        }
        _ => None,
    });
    let own = ours.as_ref().and_then(|address| address.params.value("expires"));
    let own = own.and_then(|text| text.trim().parse::<u64>().ok());
    let all = || response.headers.expires().ok().flatten();
    let expires = own.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)).or_else(all);
    let contact = ours.or(asked).map_or_else(|| account.config.aor.clone(), |address| address.uri);
    Binding {
        // Zero would mean that the binding is gone, which a 200 to a registration does not say.
        expires: expires.filter(|&e| e > 0).unwrap_or(account.config.expires).min(7 * 86_400),
        contact,
        public_addr: public_addr(response),
    }
}

/// Seconds to stay away (section 20.33).
pub(crate) fn retry_after(response: &Response) -> Option<Duration> {
    let wait = response.headers.retry_after().ok().flatten()?;
    Some(Duration::from_secs(u64::from(wait.seconds.min(3600))))
}

/// The route of further requests (RFC 3608 section 5).
pub(crate) fn service_route(response: &Response) -> Vec<NameAddr> {
    response.headers.service_routes().unwrap_or_default()
}

fn first_address(contacts: Vec<ContactValue>) -> Option<NameAddr> {
    contacts.into_iter().find_map(|contact| match contact {
        ContactValue::Address(address) => Some(address),
        ContactValue::Star => None,
    })
}

/// By instance where there is one: a router on the way may have rewritten the address.
fn is_ours(account: &Account, address: &NameAddr, asked: Option<&NameAddr>) -> bool {
    let instance = address.params.value("+sip.instance").unwrap_or_default();
    let same_instance = !account.config.instance_id.is_empty()
        && instance.trim_matches(['<', '>']) == account.config.instance_id;
    same_instance || asked.is_some_and(|asked| asked.uri.equivalent(&address.uri))
}

/// Our address as the server saw it (RFC 3581 section 4).
fn public_addr(response: &Response) -> Option<SocketAddr> {
    let via = response.headers.via_top().ok()?;
    let ip = match via.received() {
        Some(ip) => ip,
        None => via.host.ip()?,
    };
    Some(SocketAddr::new(ip, via.rport()??))
}
