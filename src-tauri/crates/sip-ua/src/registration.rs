//! The registration of one account (RFC 3261 section 10, RFC 3327, RFC 3608, RFC 5626, RFC 5627).
//!
//! Inputs from the owner: register, unregister, the network changed, the network is gone. From the
//! resolver: located, not located. From the transactions: response, failure. From the transport:
//! nothing can be sent to the server, its connection broke, it sees us elsewhere. From the watch over
//! the server: it is silent. From the clock: refresh due, retry due, an answer is overdue, the way
//! back to the preferred server is worth a try.

use std::time::{Duration, Instant};

use sip_core::{ClientKey, Failure, Route, Target};
use sip_types::{ContactValue, NameAddr, Request, Response, StatusCode, Transport, Uri};

use crate::{
    Event, QueryId, RegistrationState, ResolveError,
    account::Account,
    authentication::{self, Unanswered},
    backoff::Backoff,
    liveness::{self, Liveness},
    register_message::{self, Wish},
    shared::{Cx, Owner},
};

/// How long the server of an account that does not register is not looked for again.
const LOCATE_AGAIN: Duration = Duration::from_secs(30);
/// How often a registrar may send us elsewhere (3xx) in one attempt.
const REDIRECTIONS: u8 = 3;

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

/// A REGISTER under way.
#[derive(Debug)]
struct Pending {
    key: ClientKey,
    request: Request,
    route: Route,
    /// How often it has been signed anew.
    tries: u8,
}

/// What the resolver has been asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// The account's server.
    Server,
    /// The way to the target that held the registration: no name has to be looked up for that.
    Target,
    /// Where the registrar has sent us (3xx).
    Elsewhere,
}

/// One account's registration.
#[derive(Debug)]
pub(crate) struct Registration {
    /// Which flow of the account it is: the reg-id of RFC 5626, from 1.
    number: u8,
    /// The first hop of this flow, if that is not the registrar.
    proxy: Option<Uri>,
    /// Where the server was located at, best first.
    pub routes: Vec<Route>,
    /// The watch over the server that holds it.
    pub liveness: Liveness,
    state: State,
    call_id: String,
    from_tag: String,
    seq: u32,
    /// Seconds to ask for, as a 423 may have raised them.
    expires: u32,
    backoff: Backoff,
    /// Targets not tried yet in this attempt.
    remaining: Vec<Route>,
    /// They are what held the registration before; the name has not been looked up.
    by_target: bool,
    /// The target that was to be tried first.
    preferred: Option<Target>,
    /// The target that holds the registration, or held it last.
    current: Option<Route>,
    query: Option<(QueryId, Question)>,
    /// When to look for the server again, for an account that does not register.
    locate_at: Option<Instant>,
    pending: Option<Pending>,
    /// When the request under way counts as unanswered, although its transaction goes on.
    give_up_at: Option<Instant>,
    /// When to try the preferred target again while another holds the registration.
    return_at: Option<Instant>,
    /// Held by the registrar as far as we know.
    bound: bool,
    /// The Contact it holds, as we wrote it.
    contact: Option<Uri>,
    /// Where requests outside dialogs travel (RFC 3608).
    service_route: Vec<NameAddr>,
    /// The public GRUU (RFC 5627).
    gruu: Option<Uri>,
    /// The latest temporary one; earlier ones stay good.
    temporary_gruu: Option<Uri>,
    /// Ask for a flow (RFC 5626); not any more once a proxy on the way cannot (439).
    ask_outbound: bool,
    /// The registrar granted it.
    outbound: bool,
    redirections: u8,
    /// The Request-URI a 3xx gave.
    elsewhere: Option<Uri>,
    reported: Option<RegistrationState>,
}

impl Registration {
    pub(crate) fn new(
        (call_id, from_tag): (String, String),
        expires: u32,
        (number, proxy): (u8, Option<Uri>),
    ) -> Self {
        Self {
            number,
            proxy,
            routes: Vec::new(),
            liveness: Liveness::default(),
            state: State::Idle,
            call_id,
            from_tag,
            seq: 0,
            expires,
            backoff: Backoff::default(),
            remaining: Vec::new(),
            by_target: false,
            preferred: None,
            current: None,
            query: None,
            locate_at: None,
            pending: None,
            give_up_at: None,
            return_at: None,
            bound: false,
            contact: None,
            service_route: Vec::new(),
            gruu: None,
            temporary_gruu: None,
            ask_outbound: true,
            outbound: false,
            redirections: 0,
            elsewhere: None,
            reported: None,
        }
    }

    /// Which flow of the account it is.
    pub(crate) fn number(&self) -> u8 {
        self.number
    }

    /// The first hop of this flow, if that is not the registrar.
    pub(crate) fn proxy(&self) -> Option<&Uri> {
        self.proxy.as_ref()
    }

    /// What its owner would be told of this flow, as long as it stands.
    fn standing(&self) -> Option<(&RegistrationState, Target)> {
        let target = self.server()?.target;
        let stands = matches!(self.reported, Some(RegistrationState::Registered { .. }))
            && self.state != State::Unregistering;
        self.reported.as_ref().filter(|_| stands).map(|state| (state, target))
    }

    pub(crate) fn service_route(&self) -> &[NameAddr] {
        &self.service_route
    }

    /// What our Contact in dialogs is, if the registrar gave us a name of our own (RFC 5627).
    pub(crate) fn gruu(&self) -> Option<&Uri> {
        self.gruu.as_ref().filter(|_| self.bound)
    }

    /// The same for whoever must not know who we are.
    pub(crate) fn temporary_gruu(&self) -> Option<&Uri> {
        self.temporary_gruu.as_ref().filter(|_| self.bound)
    }

    /// Whether the registrar keeps our flow (RFC 5626).
    pub(crate) fn has_outbound(&self) -> bool {
        self.outbound && self.bound
    }

    /// The target that holds the registration.
    pub(crate) fn server(&self) -> Option<Route> {
        self.current.filter(|_| self.bound)
    }

    /// Whether nothing is under way: what a removed account waits for.
    pub(crate) fn is_idle(&self) -> bool {
        self.pending.is_none() && self.query.is_none()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let state = match self.state {
            State::Registered { refresh_at: at } | State::Waiting { retry_at: at } => Some(at),
            _ => None,
        };
        let back = self.return_at.filter(|_| self.may_return());
        let overdue = self.give_up_at.filter(|_| self.pending.is_some());
        [state, back, overdue, self.locate_at].into_iter().flatten().min()
    }

    fn may_return(&self) -> bool {
        matches!(self.state, State::Registered { .. }) && self.pending.is_none()
    }

    /// Whether a new network is a reason to register: not after the owner took the registration
    /// back, and not with a password that is wrong everywhere.
    fn wants_network(&self) -> bool {
        let wrong = [StatusCode::UNAUTHORIZED, StatusCode::PROXY_AUTHENTICATION_REQUIRED];
        match &self.reported {
            Some(RegistrationState::Failed { status, .. }) if self.state == State::Failed => {
                status.is_some_and(|status| !wrong.contains(&status))
            }
            _ => !matches!(self.state, State::Idle | State::Unregistering),
        }
    }

    /// Forgets what is under way.
    fn drop_attempt(&mut self) {
        self.pending = None;
        self.give_up_at = None;
        self.query = None;
        self.remaining.clear();
        self.by_target = false;
        self.redirections = 0;
        self.elsewhere = None;
    }
}

/// The owner wants the account registered, now.
pub(crate) fn register(cx: &mut Cx<'_>) {
    let registration = &mut cx.account.registration;
    registration.backoff.forgive();
    registration.drop_attempt();
    registration.ask_outbound = true;
    enter(cx, State::Locating, "register");
    report(cx, RegistrationState::Registering, None);
    locate(cx);
}

/// Our addresses or the way to the server have changed: registers over the new way at once, with
/// the server that held the registration if there was one.
pub(crate) fn network_changed(cx: &mut Cx<'_>) {
    let now = cx.now;
    let registration = &mut cx.account.registration;
    if !registration.wants_network() {
        return;
    }
    registration.backoff.forgive();
    registration.backoff.hurry(now);
    registration.drop_attempt();
    registration.bound = false;
    registration.return_at = None;
    enter(cx, State::Locating, "network changed");
    report(cx, RegistrationState::Registering, None);
    let known = cx.account.registration.current.and_then(|route| target_uri(route.target));
    match known {
        Some(uri) => ask(cx, uri, Question::Target),
        None => locate(cx),
    }
}

/// No address of ours leads anywhere: says so, and waits for a change.
pub(crate) fn network_gone(cx: &mut Cx<'_>) {
    let registration = &mut cx.account.registration;
    if matches!(registration.state, State::Idle | State::Failed | State::Unregistering) {
        return;
    }
    registration.drop_attempt();
    registration.bound = false;
    let retry_at = cx.now + LOCATE_AGAIN;
    enter(cx, State::Waiting { retry_at }, "network gone");
    let cause = "there is no network".to_owned();
    report(cx, RegistrationState::Unreachable { cause }, Some(retry_at));
}

/// The owner wants the registration taken back.
pub(crate) fn unregister(cx: &mut Cx<'_>) {
    let registration = &mut cx.account.registration;
    // A REGISTER under way may still reach the registrar, so that one is taken back as well.
    let asked = registration.pending.as_ref().map(|pending| pending.route);
    let held = registration.current.filter(|_| registration.bound);
    registration.drop_attempt();
    match asked.or(held) {
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
    ask(cx, uri, Question::Server);
}

fn ask(cx: &mut Cx<'_>, uri: Uri, question: Question) {
    let owner = Owner::Registration(cx.account.id, cx.account.registration.number);
    let query = cx.shared.resolve(owner, uri);
    cx.account.registration.query = Some((query, question));
}

/// A target as a URI that needs no name service. `None` for the transports that check a name.
fn target_uri(target: Target) -> Option<Uri> {
    matches!(target.transport, Transport::Udp | Transport::Tcp).then(|| {
        let uri = Uri::sip(None, target.addr.ip().into(), Some(target.addr.port()));
        let transport = target.transport.to_string().to_ascii_lowercase();
        uri.with_param("transport", Some(&transport))
    })
}

/// The resolver's answer.
pub(crate) fn on_resolved(
    cx: &mut Cx<'_>,
    query: QueryId,
    result: Result<Vec<Route>, ResolveError>,
) {
    let registration = &mut cx.account.registration;
    let Some((_, question)) = registration.query.take_if(|(asked, _)| *asked == query) else {
        return;
    };
    let trying = registration.state == State::Locating;
    match (result, question) {
        (Ok(routes), Question::Server) if !routes.is_empty() => {
            cx.account.located(routes.clone());
            if trying { begin(cx, routes) } else { compare(cx, &routes) }
        }
        (Ok(routes), _) if !routes.is_empty() && trying => {
            cx.account.learn(&routes);
            begin(cx, routes);
            cx.account.registration.by_target = question == Question::Target;
        }
        (_, Question::Target) if trying => locate(cx),
        (Ok(_), _) if trying => {
            trouble(cx, "not located", "the server has no address".to_owned(), None, false);
        }
        (Err(error), _) if trying => trouble(cx, "not located", error.reason, None, false),
        _ => cx.account.registration.locate_at = Some(cx.now + LOCATE_AGAIN),
    }
}

/// Begins an attempt with these targets, best first.
fn begin(cx: &mut Cx<'_>, mut routes: Vec<Route>) {
    let now = cx.now;
    let registration = &mut cx.account.registration;
    registration.preferred = routes.first().map(|route| route.target);
    registration.backoff.order(now, &mut routes);
    registration.remaining = routes;
    try_next(cx, "located", "no server answers".to_owned(), None, false);
}

/// The server was looked up again while registered: one that is no longer named is left.
fn compare(cx: &mut Cx<'_>, routes: &[Route]) {
    let registration = &mut cx.account.registration;
    let named = |target| routes.iter().any(|route| route.target == target);
    if registration.server().is_some_and(|route| !named(route.target)) {
        registration.preferred = routes.first().map(|route| route.target);
        registration.return_at = Some(cx.now);
    }
}

/// A response to a REGISTER.
pub(crate) fn on_response(cx: &mut Cx<'_>, key: ClientKey, response: &Response) {
    let registration = &mut cx.account.registration;
    if response.status.is_provisional() {
        return;
    }
    let Some(pending) = registration.pending.take_if(|pending| pending.key == key) else { return };
    registration.give_up_at = None;
    if registration.state == State::Unregistering && !authentication::is_challenge(response) {
        return unregistered(cx, "response");
    }
    let wait = register_message::retry_after(response);
    match response.status.code() {
        200..=299 => on_success(cx, &pending, response),
        401 | 407 => on_challenge(cx, pending, response),
        _ if matches!(cx.account.registration.state, State::Registered { .. }) => {
            not_returned(cx, pending.route, wait);
        }
        423 => on_interval_too_brief(cx, pending.route, response),
        439 if cx.account.registration.ask_outbound => {
            // RFC 5626 section 6.1: the first hop cannot, so it is done without.
            cx.account.registration.ask_outbound = false;
            again(cx, pending.route);
        }
        300..=399 => on_redirection(cx, response),
        430 | 408 | 480 | 491 | 500..=599 => {
            cx.account.registration.backoff.punish(cx.now, pending.route.target, wait);
            try_next(cx, "server trouble", words(response), wait, true);
        }
        400..=499 if pending.request.headers.contacts().is_ok_and(|list| list.len() > 1) => {
            // Perhaps it does not like that the old address is taken out in the same breath.
            cx.account.registration.contact = None;
            again(cx, pending.route);
        }
        _ => refused(cx, Some(response.status), words(response)),
    }
}

/// A REGISTER got no answer.
pub(crate) fn on_failure(cx: &mut Cx<'_>, key: ClientKey, failure: &Failure) {
    let registration = &mut cx.account.registration;
    if let Some(pending) = registration.pending.take_if(|pending| pending.key == key) {
        unanswered(cx, pending.route, failure.to_string());
    }
}

fn unanswered(cx: &mut Cx<'_>, route: Route, cause: String) {
    let now = cx.now;
    cx.account.registration.liveness.unanswered();
    let registration = &mut cx.account.registration;
    registration.give_up_at = None;
    match registration.state {
        State::Unregistering => return unregistered(cx, "no answer"),
        State::Registered { .. } => return not_returned(cx, route, None),
        _ => {}
    }
    registration.backoff.punish(now, route.target, None);
    let siblings = registration.bound || registration.by_target;
    if siblings && registration.remaining.is_empty() {
        // The server that held the registration is gone; its siblings may be there.
        registration.bound = false;
        registration.by_target = false;
        registration.backoff.hurry(now);
        enter(cx, State::Locating, "no answer to a refresh");
        return locate(cx);
    }
    try_next(cx, "no answer", cause, None, false);
}

/// Nothing can be sent to a target, or the connection with it broke.
pub(crate) fn on_transport_failed(cx: &mut Cx<'_>, target: &Target, reason: &str) {
    let registration = &mut cx.account.registration;
    if registration.server().is_none_or(|route| route.target != *target) {
        return;
    }
    if !matches!(registration.state, State::Registered { .. }) {
        return;
    }
    registration.backoff.hurry(cx.now);
    if !target.transport.reliable() {
        // One datagram that could not be sent proves little: ask the server.
        registration.pending = None;
        return refresh(cx, "nothing can be sent");
    }
    // Everybody's connection breaks at once when a server restarts: do not come back at once.
    let retry_at = cx.now + cx.shared.delay(Duration::ZERO, Duration::from_millis(500));
    cx.account.registration.bound = false;
    enter(cx, State::Waiting { retry_at }, "connection broke");
    let cause = format!("the connection broke: {reason}");
    report(cx, RegistrationState::Unreachable { cause }, Some(retry_at));
}

/// The server sees us at another address than before: what it holds leads nowhere.
pub(crate) fn moved(cx: &mut Cx<'_>, target: &Target) {
    let registration = &mut cx.account.registration;
    if registration.may_return() && registration.server().is_some_and(|r| r.target == *target) {
        registration.backoff.hurry(cx.now);
        refresh(cx, "seen at another address");
    }
}

/// The server answers nothing any more. `certain`: it has answered such a question before.
pub(crate) fn silent(cx: &mut Cx<'_>, certain: bool) {
    let registration = &mut cx.account.registration;
    if !matches!(registration.state, State::Registered { .. }) {
        return;
    }
    registration.backoff.hurry(cx.now);
    registration.pending = None;
    if !certain {
        return refresh(cx, "silence");
    }
    let retry_at = cx.now + cx.shared.delay(Duration::ZERO, Duration::from_millis(500));
    cx.account.registration.bound = false;
    enter(cx, State::Waiting { retry_at }, "silence");
    let cause = "the server does not answer".to_owned();
    report(cx, RegistrationState::Unreachable { cause }, Some(retry_at));
}

/// Does what is due.
pub(crate) fn handle_timeout(cx: &mut Cx<'_>) {
    let now = cx.now;
    let registration = &mut cx.account.registration;
    let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
    if due(registration.give_up_at) {
        registration.give_up_at = None;
        if let Some(pending) = registration.pending.take() {
            unanswered(cx, pending.route, "no answer in time".to_owned());
        }
    }
    let registration = &mut cx.account.registration;
    match registration.state {
        State::Registered { refresh_at } if refresh_at <= now => refresh(cx, "refresh due"),
        State::Registered { .. } if due(registration.return_at) && registration.may_return() => {
            try_return(cx);
        }
        State::Waiting { retry_at } if retry_at <= now => {
            enter(cx, State::Locating, "retry due");
            report(cx, RegistrationState::Registering, None);
            locate(cx);
        }
        _ if due(registration.locate_at) => {
            registration.locate_at = None;
            locate(cx);
        }
        _ => {}
    }
}

/// Refreshes with the server that holds the registration, and looks its name up again.
fn refresh(cx: &mut Cx<'_>, event: &str) {
    cx.account.registration.drop_attempt();
    match cx.account.registration.current {
        Some(route) => {
            enter(cx, State::Trying, event);
            locate(cx);
            again(cx, route);
        }
        None => {
            enter(cx, State::Locating, event);
            locate(cx);
        }
    }
}

/// Registers with the preferred server while another still holds the registration.
fn try_return(cx: &mut Cx<'_>) {
    let registration = &mut cx.account.registration;
    registration.return_at = None;
    let wanted = |route: &&Route| Some(route.target) == registration.preferred;
    if let Some(route) = registration.routes.iter().find(wanted).copied() {
        let account = cx.account.id;
        tracing::debug!(%account, "Registered, back to {} -> Registered", route.target);
        again(cx, route);
        cx.account.registration.give_up_at = Some(cx.now + cx.shared.config.timers.t1 * 4);
    }
}

/// The preferred server is still not there; the other one goes on.
fn not_returned(cx: &mut Cx<'_>, route: Route, wait: Option<Duration>) {
    let registration = &mut cx.account.registration;
    registration.backoff.punish(cx.now, route.target, wait);
    registration.return_at = registration.backoff.punished_until(cx.now, route.target);
}

fn try_next(cx: &mut Cx<'_>, event: &str, cause: String, wait: Option<Duration>, answered: bool) {
    let registration = &mut cx.account.registration;
    if registration.remaining.is_empty() {
        return trouble(cx, event, cause, wait, answered);
    }
    let route = registration.remaining.remove(0);
    enter(cx, State::Trying, event);
    again(cx, route);
}

/// Asks `route` for the registration.
fn again(cx: &mut Cx<'_>, route: Route) {
    send(cx, route, cx.account.registration.expires);
    let registration = &mut cx.account.registration;
    // Who has another target, or has just lost the line, does not wait for 64*T1. A server that is
    // starting takes connections before it answers: with the wait that follows, three seconds suffice.
    let patience = match (registration.backoff.is_hurried(cx.now), registration.remaining.len()) {
        (true, _) => Some(cx.shared.config.timers.t1 * 3),
        (false, 0) => None,
        (false, _) => Some(cx.shared.config.timers.t1 * 4),
    };
    if let Some(patience) = patience {
        registration.give_up_at = Some(cx.now + patience);
    }
}

fn send(cx: &mut Cx<'_>, route: Route, expires: u32) {
    let registration = &mut cx.account.registration;
    registration.seq += 1;
    let outbound = registration.ask_outbound && !cx.account.config.instance_id.is_empty();
    // With a reg-id the new Contact takes the old one's place by itself (RFC 5626 section 6).
    let replaced = !(outbound && registration.outbound);
    let wish = Wish {
        call_id: registration.call_id.clone(),
        tag: registration.from_tag.clone(),
        seq: registration.seq,
        expires,
        outbound,
        old: registration.contact.clone().filter(|_| replaced),
        uri: registration.elsewhere.clone(),
    };
    let mut request = register_message::build(cx, &route, &wish);
    authentication::sign(cx, &mut request, &route);
    transmit(cx, route, request, 0);
}

fn transmit(cx: &mut Cx<'_>, route: Route, request: Request, tries: u8) {
    let owner = Owner::Registration(cx.account.id, cx.account.registration.number);
    let key = cx.shared.request(cx.now, request.clone(), &route, owner);
    cx.account.registration.pending = Some(Pending { key, request, route, tries });
}

fn on_success(cx: &mut Cx<'_>, pending: &Pending, response: &Response) {
    authentication::accepted(cx, &pending.request, response);
    let route = pending.route;
    let binding = register_message::read_binding(cx.account, &pending.request, response);
    let registration = &mut cx.account.registration;
    registration.backoff.succeeded(route.target);
    registration.redirections = 0;
    registration.remaining.clear();
    registration.bound = true;
    registration.current = Some(route);
    registration.contact = register_message::asked_contact(&pending.request);
    registration.service_route = register_message::service_route(response);
    registration.gruu = binding.gruu;
    registration.temporary_gruu = binding.temporary_gruu;
    registration.outbound = binding.outbound;
    let away = registration.preferred.filter(|preferred| *preferred != route.target);
    registration.return_at =
        away.map(|away| registration.backoff.punished_until(cx.now, away).unwrap_or(cx.now));
    let expires = Duration::from_secs(u64::from(binding.expires));
    let margin = margin(cx, expires);
    let jitter = cx.shared.delay(Duration::ZERO, margin / 4);
    let refresh_at = cx.now + expires.saturating_sub(margin + jitter);
    enter(cx, State::Registered { refresh_at }, "accepted");
    liveness::registered(cx, route.target);
    let state = RegistrationState::Registered {
        expires: binding.expires,
        contact: binding.contact,
        public_addr: binding.public_addr,
        server: route.target,
        outbound: binding.outbound,
        others: Vec::new(),
        software: register_message::software(response),
        events: register_message::events(response),
    };
    report(cx, state, Some(refresh_at));
}

/// How long before its end a registration is refreshed: time enough for a silent server to be
/// given up and the next to be asked.
fn margin(cx: &Cx<'_>, expires: Duration) -> Duration {
    let patience = cx.shared.patience() + Duration::from_secs(8);
    (expires / 6).max(patience.min(expires / 2))
}

fn on_challenge(cx: &mut Cx<'_>, pending: Pending, response: &Response) {
    let Pending { mut request, route, tries, .. } = pending;
    let registration = &mut cx.account.registration;
    let state = registration.state;
    registration.seq += 1;
    let seq = registration.seq;
    let answered = authentication::answer(cx, &mut request, response, (seq, &route));
    if answered.is_ok() && tries < authentication::TRIES {
        transmit(cx, route, request, tries + 1);
        let registration = &mut cx.account.registration;
        if !registration.remaining.is_empty() || registration.backoff.is_hurried(cx.now) {
            registration.give_up_at = Some(cx.now + cx.shared.config.timers.t1 * 4);
        }
        return;
    }
    let cause = match &answered {
        Ok(()) => "the server keeps asking for a sign-in".to_owned(),
        Err(error) => error.to_string(),
    };
    let trouble = answered.as_ref().map_or_else(Unanswered::is_trouble, |()| true);
    match state {
        State::Unregistering => unregistered(cx, "challenge"),
        State::Registered { .. } => not_returned(cx, route, None),
        _ if trouble => {
            // The password is not refused: the server is in disorder, and may come to itself.
            cx.account.registration.backoff.punish(cx.now, route.target, None);
            try_next(cx, "challenge", cause, None, true);
        }
        _ => refused(cx, Some(response.status), cause),
    }
}

/// The registrar sends us elsewhere (RFC 3261 section 8.1.3.4).
fn on_redirection(cx: &mut Cx<'_>, response: &Response) {
    let contacts = response.headers.contacts().unwrap_or_default();
    let there = contacts.into_iter().find_map(|contact| match contact {
        ContactValue::Address(address) if address.uri.is_sip() => Some(address.uri),
        _ => None,
    });
    let registration = &mut cx.account.registration;
    registration.redirections += 1;
    match there.filter(|_| registration.redirections <= REDIRECTIONS) {
        Some(uri) => {
            registration.remaining.clear();
            registration.elsewhere = Some(uri.clone().without_headers());
            enter(cx, State::Locating, "redirected");
            ask(cx, uri, Question::Elsewhere);
        }
        None => try_next(cx, "redirected", words(response), None, true),
    }
}

fn on_interval_too_brief(cx: &mut Cx<'_>, route: Route, response: &Response) {
    let least = response.headers.min_expires().ok().flatten();
    let registration = &mut cx.account.registration;
    match least {
        Some(least) if least > registration.expires => {
            registration.expires = least;
            again(cx, route);
        }
        _ => trouble(cx, "interval too brief", words(response), None, true),
    }
}

/// Trouble that passes: waits. `answered`: a server said so.
fn trouble(cx: &mut Cx<'_>, event: &str, cause: String, wait: Option<Duration>, answered: bool) {
    let registration = &mut cx.account.registration;
    registration.bound = false;
    registration.by_target = false;
    let wait = registration.backoff.wait(cx.now, cx.shared, wait, answered);
    let retry_at = cx.now + wait;
    enter(cx, State::Waiting { retry_at }, event);
    report(cx, RegistrationState::Unreachable { cause }, Some(retry_at));
}

/// A refusal that only the owner can mend.
fn refused(cx: &mut Cx<'_>, status: Option<StatusCode>, cause: String) {
    cx.account.registration.bound = false;
    cx.account.registration.drop_attempt();
    enter(cx, State::Failed, "refused");
    report(cx, RegistrationState::Failed { status, cause }, None);
}

fn unregistered(cx: &mut Cx<'_>, event: &str) {
    let registration = &mut cx.account.registration;
    registration.bound = false;
    registration.service_route.clear();
    registration.current = None;
    registration.contact = None;
    registration.gruu = None;
    registration.temporary_gruu = None;
    registration.outbound = false;
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
    if cx.account.spare.is_empty() {
        return cx.shared.event(Event::Registration { account, state, retry_at });
    }
    let (state, retry_at) = match shown(cx.account) {
        Some(standing) => (standing, None),
        None => (state, retry_at),
    };
    if cx.account.shown.as_ref() != Some(&state) {
        cx.account.shown = Some(state.clone());
        cx.shared.event(Event::Registration { account, state, retry_at });
    }
}

/// What an account with several flows shows while one stands: the first that does, and the servers of
/// the others.
fn shown(account: &Account) -> Option<RegistrationState> {
    let mut standing: Vec<_> = account
        .flows()
        .filter_map(|flow| flow.standing().map(|(state, target)| (flow.number, state, target)))
        .collect();
    standing.sort_by_key(|(number, ..)| *number);
    let targets = standing.iter().skip(1).map(|(_, _, target)| *target).collect();
    let mut first = standing.first().map(|(_, state, _)| (*state).clone())?;
    if let RegistrationState::Registered { others, .. } = &mut first {
        *others = targets;
    }
    Some(first)
}

fn words(response: &Response) -> String {
    format!("{} {}", response.status.code(), response.reason)
}
