//! Whether the server that holds a registration over UDP is still there while nothing is heard of
//! it: a connection breaks, a datagram does not.
//!
//! Inputs from the registration: it stands. From the network: anything of the server's, its answer to
//! a STUN keep-alive, that it can no longer be reached. From the transactions: the end of an OPTIONS
//! (RFC 3261 section 11). From the clock: it has been silent for too long.
//!
//! ```text
//! off --registered over UDP--> quiet --silence--> asking --any answer--> quiet (asks less often)
//! quiet --STUN is answered--> watched          asking --no answer--> off; the registration is lost
//! ```

use std::time::{Duration, Instant};

use sip_core::{ClientKey, Source, Target};
use sip_types::{HeaderName, Method, Request, Transport};

use crate::{
    authentication,
    message::{self, name_addr},
    register_message, registration,
    shared::{Cx, Owner},
};

/// The longest silence of a server that answers.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing to look after.
    Off,
    /// Asked when nothing has been heard until then.
    Quiet { due: Instant },
    /// An OPTIONS is under way.
    Asking { key: ClientKey, since: Instant },
    /// The transport sees to it, by STUN.
    Watched,
}

/// The watch over one account's server.
#[derive(Debug)]
pub(crate) struct Liveness {
    state: State,
    target: Option<Target>,
    /// How long the server may be silent; longer with each question that is answered.
    interval: Duration,
    /// When the server was last heard.
    heard: Option<Instant>,
    /// It has answered an OPTIONS.
    answers: bool,
    /// It registers us and answers no OPTIONS: it is not asked again.
    deaf: bool,
    /// It has left an OPTIONS unanswered, and is being asked for the registration instead.
    doubted: bool,
}

impl Default for Liveness {
    fn default() -> Self {
        Self {
            state: State::Off,
            target: None,
            interval: Duration::ZERO,
            heard: None,
            answers: false,
            deaf: false,
            doubted: false,
        }
    }
}

impl Liveness {
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Quiet { due } => Some(due),
            _ => None,
        }
    }

    /// A message came from there.
    pub(crate) fn heard(&mut self, now: Instant, source: &Source, ping: Option<Duration>) {
        let ours =
            |target: &Target| target.addr.ip().to_canonical() == source.remote.ip().to_canonical();
        let Some(ping) = ping.filter(|_| self.target.as_ref().is_some_and(ours)) else { return };
        self.heard = Some(now);
        if let State::Quiet { due } = &mut self.state {
            self.interval = ping;
            *due = now + ping;
        }
    }

    /// The registration got no answer either: it is no matter of OPTIONS.
    pub(crate) fn unanswered(&mut self) {
        self.doubted = false;
    }

    fn enter(&mut self, state: State, event: &str) {
        tracing::debug!("server {:?}, {event} -> {state:?}", self.state);
        self.state = state;
    }
}

/// The registration stands at `target`.
pub(crate) fn registered(cx: &mut Cx<'_>, target: Target) {
    let ping = cx.account.config.ping.filter(|_| target.transport == Transport::Udp);
    let jitter = cx.shared.delay(Duration::ZERO, ping.unwrap_or_default() / 8);
    let liveness = &mut cx.account.registration.liveness;
    if liveness.target != Some(target) {
        *liveness = Liveness { target: Some(target), ..Liveness::default() };
    }
    liveness.deaf |= std::mem::take(&mut liveness.doubted);
    match (ping, liveness.state) {
        (Some(ping), State::Off | State::Quiet { .. }) if !liveness.deaf => {
            liveness.interval = ping;
            liveness.enter(State::Quiet { due: cx.now + ping + jitter }, "registered");
        }
        (None, _) => liveness.enter(State::Off, "registered"),
        _ => {}
    }
}

/// The server has answered a STUN keep-alive: it will be missed when it does not.
pub(crate) fn watched(cx: &mut Cx<'_>, target: &Target) {
    let liveness = &mut cx.account.registration.liveness;
    if liveness.target.as_ref() == Some(target) {
        liveness.enter(State::Watched, "STUN answered");
    }
}

/// The transport has lost the server: what comes of that is the registration's matter.
pub(crate) fn failed(cx: &mut Cx<'_>, target: &Target) {
    let liveness = &mut cx.account.registration.liveness;
    if liveness.target.as_ref() == Some(target) {
        liveness.enter(State::Off, "transport failed");
    }
}

/// Asks a server that has been silent for too long.
pub(crate) fn handle_timeout(cx: &mut Cx<'_>) {
    let liveness = &mut cx.account.registration.liveness;
    let State::Quiet { due } = liveness.state else { return };
    if due > cx.now {
        return;
    }
    let Some(route) = cx.account.registration.server().filter(|_| !cx.account.removed) else {
        return cx.account.registration.liveness.enter(State::Off, "not registered");
    };
    let mut request = options(cx);
    authentication::sign(cx, &mut request, &route);
    let owner = Owner::Liveness(cx.account.id, cx.account.registration.number());
    let key = cx.shared.request(cx.now, request, &route, owner);
    let since = cx.now;
    cx.account.registration.liveness.enter(State::Asking { key, since }, "silence");
}

fn options(cx: &mut Cx<'_>) -> Request {
    let (call_id, tag) = (cx.shared.random.token(24), cx.shared.random.token(10));
    let config = &cx.account.config;
    let domain = register_message::domain(config);
    let mut request = Request::new(Method::Options, domain.clone());
    let headers = &mut request.headers;
    if let Some(proxy) = cx.account.registration.proxy().filter(|proxy| proxy.lr()) {
        headers.push(HeaderName::Route, name_addr(None, proxy.clone()).to_string());
    }
    headers.push(HeaderName::MaxForwards, "70");
    headers.push(HeaderName::From, name_addr(None, config.aor.clone()).with_tag(&tag).to_string());
    headers.push(HeaderName::To, name_addr(None, domain).to_string());
    headers.push(HeaderName::CallId, call_id);
    headers.push(HeaderName::CSeq, "1 OPTIONS");
    headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
    message::set_accept(headers, &cx.shared.config);
    request
}

/// Any answer, a refusal too, shows that the server is there.
pub(crate) fn on_response(cx: &mut Cx<'_>, key: ClientKey) {
    let now = cx.now;
    let liveness = &mut cx.account.registration.liveness;
    let State::Asking { key: asked, .. } = liveness.state else { return };
    if asked != key {
        return;
    }
    liveness.answers = true;
    liveness.interval = (liveness.interval * 3 / 2).min(LONGEST.max(liveness.interval));
    let due = now + liveness.interval;
    liveness.enter(State::Quiet { due }, "answer");
}

/// The OPTIONS got no answer.
pub(crate) fn on_failure(cx: &mut Cx<'_>, key: ClientKey) {
    let now = cx.now;
    let liveness = &mut cx.account.registration.liveness;
    let State::Asking { key: asked, since } = liveness.state else { return };
    if asked != key {
        return;
    }
    let heard = liveness.heard.is_some_and(|heard| heard > since);
    if heard {
        // It is there, and has no ear for this.
        liveness.deaf |= !liveness.answers;
        let due = now + liveness.interval;
        let state = if liveness.deaf { State::Off } else { State::Quiet { due } };
        return liveness.enter(state, "heard otherwise");
    }
    // One that has never answered may be there all the same: its registration will show.
    let certain = liveness.answers;
    liveness.doubted = !certain;
    liveness.enter(State::Off, "no answer");
    registration::silent(cx, certain);
}
