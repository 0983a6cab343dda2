//! Building blocks of messages: responses with a tag, capabilities, contacts, bodies.

use sip_core::{Route, Source};
use sip_types::{HeaderName, Headers, Method, NameAddr, Request, Response, StatusCode};

use crate::{AccountConfig, Body, Config, Reliable, SessionTimer, description, shared::Cx};

/// What this user agent does by itself.
const METHODS: [&str; 10] =
    ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "PRACK", "UPDATE", "REFER", "NOTIFY"];

/// Extensions this user agent has by itself.
const EXTENSIONS: [&str; 3] = ["replaces", "norefersub", "tdialog"];

/// A response with `tag` in To, unless To has one or the response is 100 (section 8.2.6.2).
pub(crate) fn response(request: &Request, status: StatusCode, tag: &str) -> Response {
    let mut response = Response::to_request(request, status);
    if status != StatusCode::TRYING && !tag.is_empty() {
        response.set_to_tag(tag);
    }
    response
}

/// The Allow header's value.
pub(crate) fn allow(config: &Config) -> String {
    let passed = config.pass_through.iter().map(Method::as_str);
    let mut names: Vec<&str> = METHODS.to_vec();
    names.extend(passed.filter(|name| !METHODS.contains(name)));
    names.join(", ")
}

/// The option tags of what we can do (section 20.37): for any account, or for this one.
pub(crate) fn extensions(config: &Config, account: Option<&AccountConfig>) -> Vec<String> {
    let mut tags: Vec<String> = EXTENSIONS.iter().map(|tag| (*tag).to_owned()).collect();
    if account.is_some_and(|account| account.reliable != Reliable::Off) {
        tags.push("100rel".to_owned());
    }
    if account.is_some_and(|account| account.session_timer != SessionTimer::Off) {
        tags.push("timer".to_owned());
    }
    tags.extend(config.supported.iter().cloned());
    tags
}

/// Allow and Supported, which every INVITE, its answers and OPTIONS carry (section 13.2.1).
pub(crate) fn set_capabilities(
    headers: &mut Headers,
    config: &Config,
    account: Option<&AccountConfig>,
) {
    headers.set(HeaderName::Allow, allow(config));
    headers.set(HeaderName::Supported, extensions(config, account).join(", "));
    if account.is_some_and(|account| account.remote_control) {
        headers.set(HeaderName::AllowEvents, "talk, hold");
    }
}

/// Adds an option tag to Require.
pub(crate) fn require(headers: &mut Headers, tag: &str) {
    let mut tags = headers.require();
    if !tags.iter().any(|known| known == tag) {
        tags.push(tag.to_owned());
        headers.set(HeaderName::Require, tags.join(", "));
    }
}

/// The bodies that are understood: what an INVITE, the 200 to OPTIONS (section 11.2) and a 415 tell.
pub(crate) fn set_accept(headers: &mut Headers, config: &Config) {
    let kinds = config.accept.iter().map(String::as_str).chain([description::MULTIPART]);
    headers.set(HeaderName::Accept, kinds.collect::<Vec<_>>().join(", "));
}

/// Our Contact in a request that travels over `route`; `private`: one that does not tell who we are.
pub(crate) fn set_contact(headers: &mut Headers, cx: &Cx<'_>, route: &Route, private: bool) {
    let contact = cx.account.contact(route.target.transport, route.local, private);
    headers.set(HeaderName::Contact, contact.to_string());
}

/// Our Contact in a response to a request from `source`.
pub(crate) fn set_contact_for(headers: &mut Headers, cx: &Cx<'_>, source: &Source, private: bool) {
    headers.set(HeaderName::Contact, cx.account.contact_for(source, private).to_string());
}

/// Puts a body in place, or takes it out.
pub(crate) fn request_body(request: &mut Request, body: Option<&Body>) {
    put_body(&mut request.headers, &mut request.body, body);
}

/// Puts a body in place, or takes it out.
pub(crate) fn response_body(response: &mut Response, body: Option<&Body>) {
    put_body(&mut response.headers, &mut response.body, body);
}

/// Puts a body in place, or takes it out.
pub(crate) fn put_body(headers: &mut Headers, bytes: &mut Vec<u8>, body: Option<&Body>) {
    headers.remove(&HeaderName::ContentType);
    bytes.clear();
    if let Some(body) = body {
        headers.set(HeaderName::ContentType, body.content_type.clone());
        bytes.extend_from_slice(&body.bytes);
    }
}

/// The body of a message, if it has one.
pub(crate) fn body_of(headers: &Headers, bytes: &[u8]) -> Option<Body> {
    if bytes.is_empty() {
        return None;
    }
    let content_type = headers.get(&HeaderName::ContentType).unwrap_or_default().into_owned();
    Some(Body { content_type, bytes: bytes.to_vec() })
}

/// The way back to the sender of a request.
pub(crate) fn route_back(source: &Source) -> Route {
    Route { target: source.back(), local: source.local }
}

/// The media type in front of the parameters, in lower case.
pub(crate) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A name-addr with nothing but a URI and perhaps a name.
pub(crate) fn name_addr(display: Option<String>, uri: sip_types::Uri) -> NameAddr {
    NameAddr { display, uri, params: sip_types::Params::new() }
}

/// Whether a response answers an INVITE.
pub(crate) fn answers_invite(response: &Response) -> bool {
    response.headers.cseq().is_ok_and(|cseq| cseq.method == Method::Invite)
}
