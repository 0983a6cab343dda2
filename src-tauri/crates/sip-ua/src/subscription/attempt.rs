//! One SUBSCRIBE on its way: locating the next hop, trying one target after the other, answering
//! challenges.

use sip_core::{ClientKey, Route};
use sip_types::{HeaderName, Method, Request, Response, Uri};

use super::{Subscription, SubscriptionCause};
use crate::{
    Body, QueryId, ResolveError, authentication,
    first_hop::{FirstHop, known_routes},
    message::{self, name_addr},
    shared::{Cx, Owner},
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
    /// The query is for the account's own server.
    own_hop: bool,
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

    /// As it is sent.
    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    fn sign(&mut self, cx: &mut Cx<'_>) {
        if let Some(route) = self.route {
            authentication::sign(cx, &mut self.request, &route);
        }
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
        let (mut request, hop, own_hop) = self.request(cx, kind);
        message::request_body(&mut request, body);
        let remaining = known_routes(cx.account, &hop);
        let located = !remaining.is_empty();
        let query = (!located).then(|| cx.shared.resolve(Owner::Subscription(self.id), hop));
        self.attempt = Some(Attempt {
            kind,
            request,
            remaining,
            route: None,
            query,
            own_hop,
            key: None,
            tries: 0,
            raised: false,
        });
        if located {
            self.next_target(cx, SubscriptionCause::Unreachable { reason: "no route".to_owned() });
        }
    }

    /// The SUBSCRIBE, where it goes first, and whether that is the account's own server.
    fn request(&mut self, cx: &Cx<'_>, kind: Kind) -> (Request, Uri, bool) {
        let config = &cx.account.config;
        let (mut request, hop, own) = match &mut self.dialog {
            Some(dialog) => (dialog.request(Method::Subscribe), dialog.next_hop().clone(), false),
            None => {
                self.seq += 1;
                let uri = self.wish.uri.clone();
                let mut request = Request::new(Method::Subscribe, uri.clone());
                let from = name_addr(config.display_name.clone(), config.aor.clone());
                let headers = &mut request.headers;
                let FirstHop { routes, uri: hop, own } = FirstHop::of(cx.account, &uri);
                for route in routes {
                    headers.push(HeaderName::Route, route.to_string());
                }
                headers.push(HeaderName::MaxForwards, "70");
                headers.push(HeaderName::From, from.with_tag(&self.tag).to_string());
                headers.push(HeaderName::To, name_addr(None, uri).to_string());
                headers.push(HeaderName::CallId, self.call_id.clone());
                headers.push(HeaderName::CSeq, format!("{} SUBSCRIBE", self.seq));
                (request, hop, own)
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
        (request, hop, own)
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
                if attempt.own_hop {
                    cx.account.learn(&routes);
                }
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
            attempt.sign(cx);
        }
        self.transmit(cx);
    }

    /// Answers a challenge. `false`: it cannot be answered.
    pub(super) fn answer_challenge(&mut self, cx: &mut Cx<'_>, response: &Response) -> bool {
        let seq = self.renumber();
        let Some(attempt) = self.attempt.as_mut() else { return false };
        attempt.tries += 1;
        let Some(route) = attempt.route else { return false };
        let answered = attempt.tries <= authentication::TRIES
            && authentication::answer(cx, &mut attempt.request, response, (seq, &route)).is_ok();
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
            attempt.sign(cx);
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
        message::set_contact(&mut attempt.request.headers, cx, &route, false);
        attempt.key = Some(cx.shared.request(cx.now, attempt.request.clone(), &route, owner));
    }
}
