//! The REGISTER request and what its answer says.

use std::{net::SocketAddr, time::Duration};

use sip_core::Route;
use sip_types::{ContactValue, HeaderName, Method, NameAddr, Request, Response, Uri};

use crate::{
    AccountConfig,
    account::Account,
    message::{self, name_addr},
    shared::Cx,
};

/// Longest name of a server that is kept, characters.
const SOFTWARE: usize = 128;
/// Most event packages that are kept, and the longest name of one.
const EVENTS: usize = 32;
const EVENT: usize = 64;

/// What the registrar holds for us.
pub(crate) struct Binding {
    pub expires: u32,
    pub contact: Uri,
    pub public_addr: Option<SocketAddr>,
    /// The public GRUU it gave us (RFC 5627 section 4.2).
    pub gruu: Option<Uri>,
    /// The temporary one, which does not tell who we are.
    pub temporary_gruu: Option<Uri>,
    /// It keeps the flow (RFC 5626 section 6).
    pub outbound: bool,
}

/// What a REGISTER is to say.
pub(crate) struct Wish {
    pub call_id: String,
    pub tag: String,
    pub seq: u32,
    /// Seconds; 0 takes the Contact back.
    pub expires: u32,
    /// Ask for a flow (RFC 5626).
    pub outbound: bool,
    /// The Contact the registrar holds; taken back if it is another one than ours now.
    pub old: Option<Uri>,
    /// Where a 3xx has sent us.
    pub uri: Option<Uri>,
}

/// The registrar's domain: its URI without user and parameters.
pub(crate) fn domain(config: &AccountConfig) -> Uri {
    match config.registrar.host() {
        Some(host) if config.registrar.is_sips() => {
            let text = Uri::sip(None, host.clone(), config.registrar.port()).to_string();
            Uri::parse(&text.replacen("sip:", "sips:", 1)).unwrap_or(config.registrar.clone())
        }
        Some(host) => Uri::sip(None, host.clone(), config.registrar.port()),
        None => config.registrar.clone(),
    }
}

/// A REGISTER for our Contact over `route`.
pub(crate) fn build(cx: &Cx<'_>, route: &Route, wish: &Wish) -> Request {
    let config = &cx.account.config;
    let domain = wish.uri.clone().unwrap_or_else(|| domain(config));
    let mut request = Request::new(Method::Register, domain);
    let address = name_addr(config.display_name.clone(), config.aor.clone());
    let headers = &mut request.headers;
    if let Some(proxy) = cx.account.registration.proxy().filter(|proxy| proxy.lr()) {
        headers.push(HeaderName::Route, name_addr(None, proxy.clone()).to_string());
    }
    headers.push(HeaderName::MaxForwards, "70");
    headers.push(HeaderName::From, address.with_tag(&wish.tag).to_string());
    headers.push(HeaderName::To, name_addr(None, config.aor.clone()).to_string());
    headers.push(HeaderName::CallId, wish.call_id.clone());
    headers.push(HeaderName::CSeq, format!("{} REGISTER", wish.seq));
    let mut contact = cx.account.address(route.target.transport, route.local);
    if wish.outbound {
        contact.params.set("reg-id", Some(&cx.account.registration.number().to_string()));
    }
    let moved = wish.old.as_ref().filter(|old| wish.expires > 0 && !old.equivalent(&contact.uri));
    headers.push(HeaderName::Contact, contact.to_string());
    if let Some(old) = moved {
        let mut old = name_addr(None, old.clone());
        old.params.set("expires", Some("0"));
        headers.push(HeaderName::Contact, old.to_string());
    }
    headers.push(HeaderName::Expires, wish.expires.to_string());
    let mut supported = vec!["path"];
    if wish.outbound {
        supported.push("outbound");
    }
    if !config.instance_id.is_empty() && config.gruu {
        supported.push("gruu");
    }
    headers.push(HeaderName::Supported, supported.join(", "));
    headers.push(HeaderName::Allow, message::allow(&cx.shared.config));
    headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
    request
}

/// The Contact a REGISTER of ours asked for.
pub(crate) fn asked_contact(request: &Request) -> Option<Uri> {
    first_address(request.headers.contacts().unwrap_or_default()).map(|address| address.uri)
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
    let gruu = |name: &str| {
        let text = ours.as_ref().and_then(|address| address.params.value(name))?;
        let uri = Uri::parse(text.trim().trim_matches('"')).ok()?;
        (account.config.gruu && uri.is_sip() && uri.param("gr").is_some()).then_some(uri)
    };
    let (public, temporary_gruu) = (gruu("pub-gruu"), gruu("temp-gruu"));
    let outbound =
        response.headers.require().iter().any(|tag| tag.eq_ignore_ascii_case("outbound"));
    let contact = ours.or(asked).map_or_else(|| account.config.aor.clone(), |address| address.uri);
    Binding {
        // Zero would mean that the binding is gone, which a 200 to a registration does not say.
        expires: expires.filter(|&e| e > 0).unwrap_or(account.config.expires).min(7 * 86_400),
        contact,
        public_addr: public_addr(response),
        gruu: public,
        temporary_gruu,
        outbound,
    }
}

/// Seconds to stay away (section 20.33).
pub(crate) fn retry_after(response: &Response) -> Option<Duration> {
    let wait = response.headers.retry_after().ok().flatten()?;
    Some(Duration::from_secs(u64::from(wait.seconds.min(3600))))
}

/// What the server calls itself.
pub(crate) fn software(response: &Response) -> Option<String> {
    let headers = &response.headers;
    let told = headers.get(&HeaderName::Server).or_else(|| headers.get(&HeaderName::UserAgent))?;
    let text: String = told.trim().chars().take(SOFTWARE).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// The event packages that the server offers.
pub(crate) fn events(response: &Response) -> Vec<String> {
    let mut events = response.headers.allow_events();
    events.retain(|event| event.len() <= EVENT);
    events.truncate(EVENTS);
    events
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
