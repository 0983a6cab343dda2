//! One SUBSCRIBE on its way: locating the next hop, trying one target after the other, answering
//! challenges.

use sip_core::{ClientKey, Route};
use sip_types::{HeaderName, Method, Request, Response, Uri};

use super::{Subscription, SubscriptionCause};
use crate::{
    Body, QueryId, ResolveError, authentication,
    message::{self, name_addr},
    shared::{Cx, Owner},
    target::serves,
};

/// What a SUBSCRIBE is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It asks for a new subscription.
    First,
    /// It keeps the subscription and asks for the full state.
    Refresh,
    /// It brings the notifier a document, and refreshes.
    Change,
    /// It ends the subscription.
    Last,
}

/// A SUBSCRIBE that has no final answer yet.
pub(super) struct Attempt {
    kind: Kind,
    /// As sent last, without Via.
    request: Request,
    /// Targets not tried yet.
    remaining: Vec<Route>,
    route: Option<Route>,
    query: Option<QueryId>,
    key: Option<ClientKey>,
    tries: u8,
    /// A 423 has been obeyed.
    pub(super) raised: bool,
}

impl Attempt {
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the notifier may have received it.
    pub(super) fn is_sent(&self) -> bool {
        self.key.is_some()
    }

    pub(super) fn has_key(&self, key: ClientKey) -> bool {
        self.key == Some(key)
    }

    pub(super) fn has_more_targets(&self) -> bool {
        !self.remaining.is_empty()
    }
}

impl Subscription {
    /// Sends a SUBSCRIBE. What was under way before is given up.
    pub(super) fn send(&mut self, cx: &mut Cx<'_>, kind: Kind, body: Option<&Body>) {
        self.give_up_attempt(cx);
        self.heard = false;
        self.refresh_at = None;
        let (mut request, hop) = self.request(cx, kind);
        message::request_body(&mut request, body);
        let remaining = known_routes(cx, &hop);
        let located = !remaining.is_empty();
        let query = (!located).then(|| cx.shared.resolve(Owner::Subscription(self.id), hop));
        self.attempt = Some(Attempt {
            kind,
            request,
            remaining,
            route: None,
            query,
            key: None,
            tries: 0,
            raised: false,
        });
        if located {
            self.next_target(cx, SubscriptionCause::Unreachable { reason: "no route".to_owned() });
        }
    }

    /// The SUBSCRIBE, and where it goes first.
    fn request(&mut self, cx: &Cx<'_>, kind: Kind) -> (Request, Uri) {
        let config = &cx.account.config;
        let (mut request, hop) = match &mut self.dialog {
            Some(dialog) => (dialog.request(Method::Subscribe), dialog.next_hop().clone()),
            None => {
                self.seq += 1;
                let uri = self.wish.uri.clone();
                let mut request = Request::new(Method::Subscribe, uri.clone());
                let own = name_addr(config.display_name.clone(), config.aor.clone());
                let headers = &mut request.headers;
                let (routes, hop) = first_hop(cx, &uri);
                for route in routes {
                    headers.push(HeaderName::Route, route.to_string());
                }
                headers.push(HeaderName::MaxForwards, "70");
                headers.push(HeaderName::From, own.with_tag(&self.tag).to_string());
                headers.push(HeaderName::To, name_addr(None, uri).to_string());
                headers.push(HeaderName::CallId, self.call_id.clone());
                headers.push(HeaderName::CSeq, format!("{} SUBSCRIBE", self.seq));
                (request, hop)
            }
        };
        let expires = if kind == Kind::Last { 0 } else { self.expires };
        let headers = &mut request.headers;
        headers.push(HeaderName::Event, self.event.to_string());
        headers.push(HeaderName::Expires, expires.to_string());
        if !self.wish.accept.is_empty() {
            headers.push(HeaderName::Accept, self.wish.accept.join(", "));
        }
        if self.wish.event_list {
            headers.push(HeaderName::Supported, "eventlist");
        }
        let mut allow = message::allow(&cx.shared.config);
        if !allow.contains("NOTIFY") {
            allow.push_str(", NOTIFY");
        }
        headers.push(HeaderName::Allow, allow);
        headers.push(HeaderName::AllowEvents, self.event.package.clone());
        headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
        (request, hop)
    }

    /// The resolver's answer.
    pub(crate) fn on_resolved(
        &mut self,
        cx: &mut Cx<'_>,
        query: QueryId,
        result: Result<Vec<Route>, ResolveError>,
    ) {
        let Some(attempt) = self.attempt.as_mut().filter(|a| a.query == Some(query)) else {
            return;
        };
        attempt.query = None;
        let reason = match result {
            Ok(routes) => {
                attempt.remaining = routes;
                "the address has no server".to_owned()
            }
            Err(error) => error.reason,
        };
        self.next_target(cx, SubscriptionCause::Unreachable { reason });
    }

    /// Sends the SUBSCRIBE to the next target; without one it has failed.
    pub(super) fn next_target(&mut self, cx: &mut Cx<'_>, cause: SubscriptionCause) {
        let Some(attempt) = self.attempt.as_mut() else { return };
        if attempt.remaining.is_empty() {
            return self.unanswered(cx, cause);
        }
        attempt.route = Some(attempt.remaining.remove(0));
        if attempt.is_sent() {
            self.renumber();
        }
        if let Some(attempt) = self.attempt.as_mut() {
            authentication::sign(cx, &mut attempt.request);
        }
        self.transmit(cx);
    }

    /// Answers a challenge. `false`: it cannot be answered.
    pub(super) fn answer_challenge(&mut self, cx: &mut Cx<'_>, response: &Response) -> bool {
        let seq = self.renumber();
        let Some(attempt) = self.attempt.as_mut() else { return false };
        attempt.tries += 1;
        let answered = attempt.tries <= authentication::TRIES
            && authentication::answer(cx, &mut attempt.request, response, seq);
        if answered {
            self.transmit(cx);
        }
        answered
    }

    /// Asks for longer, as a 423 demands (section 4.1.2.1).
    pub(super) fn ask_for_longer(&mut self, cx: &mut Cx<'_>) {
        self.renumber();
        let expires = self.expires.to_string();
        if let Some(attempt) = self.attempt.as_mut() {
            attempt.raised = true;
            attempt.request.headers.set(HeaderName::Expires, expires);
            authentication::sign(cx, &mut attempt.request);
        }
        self.transmit(cx);
    }

    /// Takes the next CSeq for a SUBSCRIBE that is sent again.
    fn renumber(&mut self) -> u32 {
        let seq = match &mut self.dialog {
            Some(dialog) => {
                // The dialog may have been founded after this SUBSCRIBE was first sent.
                dialog.local_seq = dialog.local_seq.wrapping_add(1);
                dialog.local_seq
            }
            None => {
                self.seq += 1;
                self.seq
            }
        };
        if let Some(attempt) = self.attempt.as_mut() {
            attempt.request.headers.set(HeaderName::CSeq, format!("{seq} SUBSCRIBE"));
        }
        seq
    }

    fn transmit(&mut self, cx: &mut Cx<'_>) {
        let owner = Owner::Subscription(self.id);
        let Some(attempt) = self.attempt.as_mut() else { return };
        let Some(route) = attempt.route else { return };
        message::set_contact(&mut attempt.request.headers, cx, &route);
        attempt.key = Some(cx.shared.request(cx.now, attempt.request.clone(), &route, owner));
    }
}

/// The Route headers and the next hop of a request outside any dialog.
fn first_hop(cx: &Cx<'_>, uri: &Uri) -> (Vec<sip_types::NameAddr>, Uri) {
    let config = &cx.account.config;
    let service = cx.account.registration.service_route();
    if let Some(first) = service.first() {
        return (service.to_vec(), first.uri.clone());
    }
    if let Some(proxy) = &config.outbound_proxy {
        let named = proxy.lr().then(|| name_addr(None, proxy.clone()));
        return (named.into_iter().collect(), proxy.clone());
    }
    let hop = if config.register { &config.registrar } else { uri };
    (Vec::new(), hop.clone())
}

/// The account's own routes where they lead to `hop`, the one that holds the registration first.
fn known_routes(cx: &Cx<'_>, hop: &Uri) -> Vec<Route> {
    let Some(server) = cx.account.registration.server() else { return Vec::new() };
    if cx.account.server() != hop && !serves(&server, hop) {
        return Vec::new();
    }
    let others = cx.account.routes.iter().filter(|route| route.target != server.target);
    std::iter::once(server).chain(others.copied()).collect()
}
