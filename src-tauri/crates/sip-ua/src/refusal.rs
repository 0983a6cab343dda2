//! The answers that need no state: to requests we do not serve, to extensions we do not have
//! (RFC 3261 section 8.2, RFC 6665), and to OPTIONS (section 11.2).

use sip_types::{HeaderName, MediaType, Method, Request, Response, StatusCode};

use crate::{
    AccountConfig, Reliable,
    description::{self, Unread},
    message,
    session::timer,
    shared::{Cx, Shared},
};

/// 420 if the request requires an extension we do not have (section 8.2.2.3).
pub(crate) fn extension(
    shared: &mut Shared,
    request: &Request,
    account: Option<&AccountConfig>,
) -> Option<Response> {
    let required = request.headers.require();
    let ours = message::extensions(&shared.config, account);
    let known = |tag: &String| ours.iter().any(|own| own.eq_ignore_ascii_case(tag));
    let unknown: Vec<String> = required.into_iter().filter(|tag| !known(tag)).collect();
    if unknown.is_empty() {
        return None;
    }
    let mut response = answer(shared, request, StatusCode::BAD_EXTENSION);
    response.headers.set(HeaderName::Unsupported, unknown.join(", "));
    Some(response)
}

/// 415 if a body holds what must be understood and is not (section 8.2.3, RFC 5621 section 8.3), 400 if it cannot be
/// read; 406 if the answer to an INVITE may be none of ours.
pub(crate) fn content(shared: &mut Shared, request: &Request) -> Option<Response> {
    if !may_describe(request) {
        return Some(answer(shared, request, StatusCode::NOT_ACCEPTABLE));
    }
    if request.body.is_empty() {
        return None;
    }
    let headers = &request.headers;
    let encoded = headers.get(&HeaderName::ContentEncoding);
    if encoded.is_some_and(|value| !value.trim().eq_ignore_ascii_case("identity")) {
        let mut response = answer(shared, request, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        response.headers.set(HeaderName::AcceptEncoding, "identity");
        return Some(response);
    }
    match description::find(headers, &request.body, &shared.config.accept) {
        Ok(_) => None,
        Err(Unread::Broken) => Some(answer(shared, request, StatusCode::BAD_REQUEST)),
        Err(Unread::Unknown) => {
            let mut response = answer(shared, request, StatusCode::UNSUPPORTED_MEDIA_TYPE);
            message::set_accept(&mut response.headers, &shared.config);
            Some(response)
        }
    }
}

/// What keeps an INVITE or UPDATE from changing a session: its body (415), or its timer (422).
pub(crate) fn session(cx: &mut Cx<'_>, request: &Request) -> Option<Response> {
    content(cx.shared, request).or_else(|| timers(cx.shared, &cx.account.config, request, false))
}

/// 421 for an INVITE without reliable provisional responses, where the account wants them.
pub(crate) fn unreliable(
    shared: &mut Shared,
    account: &AccountConfig,
    request: &Request,
) -> Option<Response> {
    let headers = &request.headers;
    let has = headers.supported().into_iter().chain(headers.require()).any(|tag| tag == "100rel");
    if account.reliable != Reliable::Required || has {
        return None;
    }
    let mut response = answer(shared, request, StatusCode::EXTENSION_REQUIRED);
    response.headers.set(HeaderName::Require, "100rel");
    Some(response)
}

/// 422 or 421 for a request whose session timer cannot be (RFC 4028 section 9).
pub(crate) fn timers(
    shared: &mut Shared,
    account: &AccountConfig,
    request: &Request,
    initial: bool,
) -> Option<Response> {
    let (status, name, value) = timer::refusal(account, request, initial)?;
    let mut response = answer(shared, request, status);
    response.headers.set(name, value);
    Some(response)
}

/// Whether the answer to an INVITE may be a session description (section 20.1).
fn may_describe(request: &Request) -> bool {
    let sdp = MediaType::new("application", "sdp");
    let ranges = request.headers.accept().unwrap_or_default();
    request.method != Method::Invite
        || ranges.is_empty()
        || ranges.iter().any(|range| range.accepts(&sdp))
}

/// The answer to a request that needs none but a plain one: OPTIONS, and methods we do not serve.
pub(crate) fn plain(shared: &mut Shared, request: &Request) -> Response {
    match request.method {
        Method::Options => {
            let mut response = answer(shared, request, StatusCode::OK);
            message::set_capabilities(&mut response.headers, &shared.config, None);
            message::set_accept(&mut response.headers, &shared.config);
            response
        }
        // No event package is served, and nothing has been subscribed to.
        Method::Subscribe => answer(shared, request, StatusCode::BAD_EVENT),
        Method::Notify => answer(shared, request, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST),
        _ => {
            let mut response = answer(shared, request, StatusCode::METHOD_NOT_ALLOWED);
            response.headers.set(HeaderName::Allow, message::allow(&shared.config));
            response
        }
    }
}

/// A response with a To tag and our name.
pub(crate) fn answer(shared: &mut Shared, request: &Request, status: StatusCode) -> Response {
    let tag = shared.random.token(10);
    let mut response = message::response(request, status, &tag);
    response.headers.set(HeaderName::Server, shared.config.user_agent.clone());
    response
}
