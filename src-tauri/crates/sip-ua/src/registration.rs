//! The registration of one account (RFC 3261 section 10, RFC 3327, RFC 3608, RFC 5626 section 4.5).
//!
//! Inputs from the owner: register, unregister. From the resolver: located, not located. From the
//! transactions: response, failure. From the transport: the connection broke. From the clock:
//! refresh due, retry due.

use std::time::{Duration, Instant};

use sip_core::{ClientKey, Failure, Route, Target};
use sip_types::{NameAddr, Request, Response, StatusCode};

use crate::{
    Event, QueryId, RegistrationState, ResolveError, authentication, register_message,
    shared::{Cx, Owner},
};

/// The first wait after a failure, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing wanted, nothing held.
    Idle,
    /// The resolver has been asked.
    Locating,
    /// A REGISTER is under way.
    Trying,
    /// The registrar holds our Contact.
    Registered { refresh_at: Instant },
    /// Trouble; tried again by itself.
    Waiting { retry_at: Instant },
    /// Refused; not tried again by itself.
    Failed,
    /// A REGISTER that takes our Contact back is under way.
    Unregistering,
}

/// One account's registration.
#[derive(Debug)]
pub(crate) struct Registration {
    state: State,
    call_id: String,
    from_tag: String,
    seq: u32,
    /// Seconds to ask for, as a 423 may have raised them.
    expires: u32,
    failures: u32,
    /// Targets not tried yet in this attempt.
    remaining: Vec<Route>,
    /// The target of the request under way, or of the one that holds the registration.
    current: Option<Route>,
    /// A target that has just failed: tried last.
    avoid: Option<Target>,
    query: Option<QueryId>,
    /// When to look for the server again, for an account that does not register.
    locate_at: Option<Instant>,
    /// The request under way and how often it has been signed anew.
    pending: Option<(ClientKey, Request, u8)>,
    /// Held by the registrar as far as we know.
    bound: bool,
    /// Where requests outside dialogs travel (RFC 3608).
    service_route: Vec<NameAddr>,
    reported: Option<RegistrationState>,
}

impl Registration {
    pub(crate) fn new(call_id: String, from_tag: String, expires: u32) -> Self {
        Self {
            state: State::Idle,
            call_id,
            from_tag,
            seq: 0,
            expires,
            failures: 0,
            remaining: Vec::new(),
            current: None,
            avoid: None,
            query: None,
            locate_at: None,
            pending: None,
            bound: false,
            service_route: Vec::new(),
            reported: None,
        }
    }

    pub(crate) fn service_route(&self) -> &[NameAddr] {
        &self.service_route
    }

    /// The target that holds the registration.
    pub(crate) fn server(&self) -> Option<Route> {
        self.current.filter(|_| matches!(self.state, State::Registered { .. }))
    }

    /// Whether nothing is under way: what a removed account waits for.
    pub(crate) fn is_idle(&self) -> bool {
        self.pending.is_none() && self.query.is_none()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Registered { refresh_at: at } | State::Waiting { retry_at: at } => Some(at),
            _ => self.locate_at,
        }
    }
}

/// The owner wants the account registered, now.
pub(crate) fn register(cx: &mut Cx<'_>) {
    let registration = &mut cx.account.registration;
    registration.failures = 0;
    registration.avoid = None;
    registration.pending = None;
    enter(cx, State::Locating, "register");
    report(cx, RegistrationState::Registering, None);
    locate(cx);
}

/// The owner wants the registration taken back.
pub(crate) fn unregister(cx: &mut Cx<'_>) {
    let registration = &mut cx.account.registration;
    // A REGISTER under way may still reach the registrar, so that one is taken back as well.
    let held = registration.bound || registration.pending.is_some();
    registration.pending = None;
    registration.query = None;
    match registration.current.filter(|_| held) {
        Some(route) => {
            enter(cx, State::Unregistering, "unregister");
            send(cx, route, 0);
        }
        None => unregistered(cx, "unregister"),
    }
}

/// Finds out where the server is: before registering, and for knowing whose requests to answer.
pub(crate) fn locate(cx: &mut Cx<'_>) {
    let uri = cx.account.server().clone();
    let query = cx.shared.resolve(Owner::Registration(cx.account.id), uri);
    cx.account.registration.query = Some(query);
}

/// The resolver's answer.
pub(crate) fn on_resolved(
    cx: &mut Cx<'_>,
    query: QueryId,
    result: Result<Vec<Route>, ResolveError>,
) {
    if cx.account.registration.query != Some(query) {
        return;
    }
    cx.account.registration.query = None;
    let trying = cx.account.registration.state == State::Locating;
    match result {
        Ok(mut routes) if !routes.is_empty() => {
            cx.account.located(routes.clone());
            if trying {
                let avoid = cx.account.registration.avoid.take();
                routes.sort_by_key(|route| Some(route.target) == avoid);
                cx.account.registration.remaining = routes;
                try_next(cx, "located", "no server answers".to_owned(), None);
            }
        }
        Ok(_) if trying => trouble(cx, "not located", "the server has no address".to_owned(), None),
        Err(error) if trying => trouble(cx, "not located", error.reason, None),
        _ => cx.account.registration.locate_at = Some(cx.now + LONGEST_WAIT / 4),
    }
}

/// A response to a REGISTER.
pub(crate) fn on_response(cx: &mut Cx<'_>, key: ClientKey, response: &Response) {
    let registration = &mut cx.account.registration;
    if response.status.is_provisional() {
        return;
    }
    let Some((_, request, tries)) = registration.pending.take_if(|(pending, ..)| *pending == key)
    else {
        return;
    };
    if registration.state == State::Unregistering && !authentication::is_challenge(response) {
        return unregistered(cx, "response");
    }
    let status = response.status;
    match status.code() {
        200..=299 => on_success(cx, &request, response),
        401 | 407 => on_challenge(cx, request, response, tries),
        423 => on_interval_too_brief(cx, response),
        300..=399 | 408 | 480 | 491 | 500..=599 => {
            let wait = register_message::retry_after(response);
            cx.account.registration.avoid = cx.account.registration.current.map(|r| r.target);
            try_next(cx, "server trouble", words(response), wait);
        }
        _ => refused(cx, Some(status), words(response)),
    }
}

/// A REGISTER got no answer.
pub(crate) fn on_failure(cx: &mut Cx<'_>, key: ClientKey, failure: &Failure) {
    let registration = &mut cx.account.registration;
    if registration.pending.take_if(|(pending, ..)| *pending == key).is_none() {
        return;
    }
    if registration.state == State::Unregistering {
        return unregistered(cx, "no answer");
    }
    let refreshing = registration.bound;
    registration.avoid = registration.current.map(|route| route.target);
    if refreshing && registration.remaining.is_empty() {
        // The server that held the registration is gone; its siblings may be there.
        registration.bound = false;
        enter(cx, State::Locating, "no answer to a refresh");
        return locate(cx);
    }
    try_next(cx, "no answer", failure.to_string(), None);
}

/// The connection that the registration stands on broke.
pub(crate) fn on_transport_failed(cx: &mut Cx<'_>, target: &Target, reason: &str) {
    let registration = &cx.account.registration;
    let ours = registration.server().is_some_and(|route| route.target == *target);
    if ours && target.transport.reliable() {
        // Everybody's connection breaks at once when a server restarts: do not come back at once.
        let retry_at = cx.now + cx.shared.delay(Duration::ZERO, Duration::from_millis(500));
        cx.account.registration.bound = false;
        enter(cx, State::Waiting { retry_at }, "connection broke");
        let cause = format!("the connection broke: {reason}");
        report(cx, RegistrationState::Unreachable { cause }, Some(retry_at));
    }
}

/// Does what is due.
pub(crate) fn handle_timeout(cx: &mut Cx<'_>) {
    match cx.account.registration.state {
        State::Registered { refresh_at } if refresh_at <= cx.now => refresh(cx),
        State::Waiting { retry_at } if retry_at <= cx.now => {
            enter(cx, State::Locating, "retry due");
            report(cx, RegistrationState::Registering, None);
            locate(cx);
        }
        _ if cx.account.registration.locate_at.is_some_and(|at| at <= cx.now) => {
            cx.account.registration.locate_at = None;
            locate(cx);
        }
        _ => {}
    }
}

/// Refreshes with the server that holds the registration, or returns to the preferred one.
fn refresh(cx: &mut Cx<'_>) {
    let registration = &cx.account.registration;
    let preferred = cx.account.routes.first().map(|route| route.target);
    match registration.current {
        Some(route) if Some(route.target) == preferred => {
            enter(cx, State::Trying, "refresh due");
            cx.account.registration.remaining.clear();
            let expires = cx.account.registration.expires;
            send(cx, route, expires);
        }
        _ => {
            enter(cx, State::Locating, "refresh due away from the preferred server");
            locate(cx);
        }
    }
}

fn try_next(cx: &mut Cx<'_>, event: &str, cause: String, wait: Option<Duration>) {
    let registration = &mut cx.account.registration;
    if registration.remaining.is_empty() {
        return trouble(cx, event, cause, wait);
    }
    let route = registration.remaining.remove(0);
    let expires = registration.expires;
    enter(cx, State::Trying, event);
    send(cx, route, expires);
}

fn send(cx: &mut Cx<'_>, route: Route, expires: u32) {
    let registration = &mut cx.account.registration;
    registration.seq += 1;
    registration.current = Some(route);
    let (call_id, tag) = (registration.call_id.clone(), registration.from_tag.clone());
    let seq = registration.seq;
    let mut request = register_message::build(cx, &route, expires, &call_id, &tag, seq);
    authentication::sign(cx, &mut request);
    transmit(cx, route, request, 0);
}

fn transmit(cx: &mut Cx<'_>, route: Route, request: Request, tries: u8) {
    let owner = Owner::Registration(cx.account.id);
    let key = cx.shared.request(cx.now, request.clone(), &route, owner);
    cx.account.registration.pending = Some((key, request, tries));
}

fn on_success(cx: &mut Cx<'_>, request: &Request, response: &Response) {
    authentication::accepted(cx, response);
    let Some(route) = cx.account.registration.current else { return };
    let binding = register_message::read_binding(cx.account, request, response);
    let registration = &mut cx.account.registration;
    registration.failures = 0;
    registration.avoid = None;
    registration.bound = true;
    registration.service_route = register_message::service_route(response);
    let expires = Duration::from_secs(u64::from(binding.expires));
    let margin = margin(cx, expires, route);
    let jitter = cx.shared.delay(Duration::ZERO, margin / 4);
    let refresh_at = cx.now + expires.saturating_sub(margin + jitter);
    enter(cx, State::Registered { refresh_at }, "accepted");
    let state = RegistrationState::Registered {
        expires: binding.expires,
        contact: binding.contact,
        public_addr: binding.public_addr,
        server: route.target,
    };
    report(cx, state, Some(refresh_at));
}

/// How long before its end a registration is refreshed: time enough for a silent server to be
/// given up. Away from the preferred server the next one has to fit in as well.
fn margin(cx: &Cx<'_>, expires: Duration, route: Route) -> Duration {
    let patience = cx.shared.patience() + Duration::from_secs(8);
    let preferred = cx.account.routes.first().is_none_or(|first| first.target == route.target);
    let usual = (expires / 6).max(patience.min(expires / 2));
    if preferred { usual } else { usual.max(patience).min(expires * 3 / 4) }
}

fn on_challenge(cx: &mut Cx<'_>, mut request: Request, response: &Response, tries: u8) {
    let registration = &mut cx.account.registration;
    let leaving = registration.state == State::Unregistering;
    registration.seq += 1;
    let seq = registration.seq;
    let route = registration.current.filter(|_| tries < authentication::TRIES);
    match route {
        Some(route) if authentication::answer(cx, &mut request, response, seq) => {
            transmit(cx, route, request, tries + 1);
        }
        _ if leaving => unregistered(cx, "challenge"),
        _ => refused(cx, Some(response.status), "user name or password is wrong".to_owned()),
    }
}

fn on_interval_too_brief(cx: &mut Cx<'_>, response: &Response) {
    let least = response.headers.min_expires().ok().flatten();
    let registration = &mut cx.account.registration;
    match (least, registration.current) {
        (Some(least), Some(route)) if least > registration.expires => {
            registration.expires = least;
            send(cx, route, least);
        }
        _ => trouble(cx, "interval too brief", words(response), None),
    }
}

/// Trouble that passes: waits, longer each time.
fn trouble(cx: &mut Cx<'_>, event: &str, cause: String, wait: Option<Duration>) {
    let registration = &mut cx.account.registration;
    let doublings = registration.failures.min(6);
    registration.failures += 1;
    registration.bound = false;
    let base = (FIRST_WAIT * 2u32.pow(doublings)).min(LONGEST_WAIT);
    let backoff = cx.shared.delay(base * 3 / 4, (base * 5 / 4).min(LONGEST_WAIT));
    let retry_at = cx.now + wait.map_or(backoff, |wait| wait.max(backoff));
    enter(cx, State::Waiting { retry_at }, event);
    report(cx, RegistrationState::Unreachable { cause }, Some(retry_at));
}

/// A refusal that only the owner can mend.
fn refused(cx: &mut Cx<'_>, status: Option<StatusCode>, cause: String) {
    cx.account.registration.bound = false;
    cx.account.registration.remaining.clear();
    enter(cx, State::Failed, "refused");
    report(cx, RegistrationState::Failed { status, cause }, None);
}

fn unregistered(cx: &mut Cx<'_>, event: &str) {
    let registration = &mut cx.account.registration;
    registration.bound = false;
    registration.service_route.clear();
    registration.current = None;
    enter(cx, State::Idle, event);
    report(cx, RegistrationState::Unregistered, None);
}

fn enter(cx: &mut Cx<'_>, state: State, event: &str) {
    let registration = &mut cx.account.registration;
    let account = cx.account.id;
    tracing::debug!(%account, "{:?}, {event} -> {state:?}", registration.state);
    registration.state = state;
}

/// Tells the owner, unless it knows: a refresh that changed nothing is not news.
fn report(cx: &mut Cx<'_>, state: RegistrationState, retry_at: Option<Instant>) {
    let registration = &mut cx.account.registration;
    if registration.reported.as_ref() == Some(&state) && retry_at.is_none_or(|_| registration.bound)
    {
        return;
    }
    registration.reported = Some(state.clone());
    let account = cx.account.id;
    cx.shared.event(Event::Registration { account, state, retry_at });
}

fn words(response: &Response) -> String {
    format!("{} {}", response.status.code(), response.reason)
}
