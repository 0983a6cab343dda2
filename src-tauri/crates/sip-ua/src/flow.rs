//! A dialog together with the way its requests travel: locating the next hop, holding requests
//! back until it is known, answering challenges, trying the next target, going another way when
//! our own addresses change.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use sip_core::{ClientKey, Failure, Route};
use sip_types::{HeaderName, Method, Request, Response, StatusCode};

use crate::{
    QueryId, ReferralId, ResolveError, authentication,
    dialog::Dialog,
    shared::{Cx, Owner},
    target::serves,
};

/// What a request inside a dialog is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It ends the dialog.
    Bye,
    /// It changes the session.
    Reinvite,
    /// It acknowledges a provisional response.
    Prack,
    /// UPDATE: it changes or refreshes the session.
    Update,
    /// It has the peer call somebody.
    Refer,
    /// It tells how a call goes that the peer asked for.
    Notify(ReferralId),
    /// INFO.
    Info,
    /// Sent with `send_in_session`.
    Other,
    /// A re-INVITE or UPDATE whose answer nobody waits for any more: it left by a way that is gone.
    /// If a re-INVITE is accepted after all, it is acknowledged and that is all.
    Overtaken,
}

impl Purpose {
    /// Whether the request may carry an offer, which speaks of our address.
    fn offers(self) -> bool {
        matches!(self, Self::Reinvite | Self::Update)
    }
}

/// How often a request is sent again because its way broke under it, or a later one was faster.
const DETOURS: u8 = 3;
/// How often a way is looked for on behalf of a BYE, when there is none.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// A request under way.
#[derive(Debug)]
pub(crate) struct Pending {
    pub purpose: Purpose,
    /// As sent, without Via: it may have to be sent again.
    pub request: Request,
    tries: u8,
    /// It carries the answer to a challenge and is not to be signed again.
    signed: bool,
    /// The way it was sent.
    route: Option<Route>,
    /// How often its way broke, or a later one was faster.
    detours: u8,
    /// The next hop has said something.
    heard: bool,
    /// When it was sent last.
    sent: Instant,
}

/// What has become of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Not for the dialog's user: a provisional answer, or the request was sent again.
    Continues,
    /// A final response. For INVITE any repeated 2xx comes this way as well.
    Final(Purpose, Request, Response),
    /// No final response came.
    Failed(Purpose, Request, Failure),
}

impl Outcome {
    /// What the request was for that has come to an end.
    pub(crate) fn purpose(&self) -> Option<Purpose> {
        match self {
            Self::Continues => None,
            Self::Final(purpose, ..) | Self::Failed(purpose, ..) => Some(*purpose),
        }
    }
}

#[derive(Debug)]
enum Queued {
    Request(Pending),
    Ack(Request),
}

/// A dialog and how its requests travel.
#[derive(Debug)]
pub(crate) struct Flow {
    pub dialog: Dialog,
    owner: Owner,
    routes: Vec<Route>,
    /// The peer must not know who we are.
    pub private: bool,
    /// The route is the peer's own address and does not follow its Contact.
    pinned: bool,
    query: Option<QueryId>,
    queue: Vec<Queued>,
    pending: BTreeMap<ClientKey, Pending>,
    /// Our address changed and the peer has not confirmed the new one.
    moved: bool,
    /// A BYE found no way and waits for one.
    held: Option<Held>,
}

/// A BYE that waits for a way.
#[derive(Clone, Copy, Debug)]
struct Held {
    next: Instant,
    until: Instant,
}

impl Flow {
    /// A dialog reached over `route` if that serves its next hop, else wherever the resolver says.
    pub(crate) fn new(dialog: Dialog, owner: Owner, route: Option<Route>, pinned: bool) -> Self {
        let mut flow = Self {
            dialog,
            owner,
            routes: route.into_iter().collect(),
            private: false,
            pinned,
            query: None,
            queue: Vec::new(),
            pending: BTreeMap::new(),
            moved: false,
            held: None,
        };
        flow.retarget();
        flow
    }

    /// Pins the route to where the peer's messages come from.
    pub(crate) fn pin(&mut self, route: Route) {
        self.routes = vec![route];
        self.pinned = true;
    }

    /// Our addresses have changed: the way is looked for anew, unless it is pinned, and what is
    /// under way is sent again over it. A re-INVITE or UPDATE is not, since it speaks of the old
    /// address: its owner has to offer anew. `true`: there was one.
    pub(crate) fn network_changed(&mut self, cx: &mut Cx<'_>) -> bool {
        if self.pinned {
            return false;
        }
        self.routes.clear();
        self.query = None;
        self.moved = true;
        let queued = self.queue.len();
        self.queue.retain(|q| !matches!(q, Queued::Request(p) if p.purpose.offers()));
        let mut overtaken = self.queue.len() < queued;
        for (key, mut pending) in std::mem::take(&mut self.pending) {
            match pending.purpose {
                Purpose::Reinvite | Purpose::Update | Purpose::Overtaken => {
                    overtaken |= pending.purpose.offers();
                    pending.purpose = Purpose::Overtaken;
                    self.pending.insert(key, pending);
                }
                // Twice would be two transfers.
                Purpose::Refer => {
                    self.pending.insert(key, pending);
                }
                _ => self.send_again(cx, pending),
            }
        }
        if !self.queue.is_empty() {
            self.find_way(cx);
        }
        overtaken
    }

    /// Whether a re-INVITE was sent over a new way, and sent again, and nothing at all has been
    /// heard of it.
    pub(crate) fn is_unheard(&self, cx: &Cx<'_>) -> bool {
        let repeated = |sent: Instant| cx.now >= sent + cx.shared.config.timers.t1;
        let unheard = |p: &Pending| p.purpose.offers() && !p.heard && repeated(p.sent);
        self.moved && self.pending.values().any(unheard)
    }

    /// Whether the peer has not confirmed our new address yet: a failure to reach it does not mean
    /// that it is gone.
    pub(crate) fn has_moved(&self) -> bool {
        self.moved
    }

    /// The peer has confirmed our address.
    pub(crate) fn settled(&mut self) {
        self.moved = false;
    }

    /// To be called when the dialog's target or route set changed.
    pub(crate) fn retarget(&mut self) {
        if !self.pinned {
            let hop = self.dialog.next_hop();
            self.routes.retain(|route| serves(route, hop));
        }
    }

    /// Sends a request; its outcome comes through [`Self::on_response`] or [`Self::on_failure`].
    pub(crate) fn send(&mut self, cx: &mut Cx<'_>, request: Request, purpose: Purpose) {
        let pending = Pending {
            purpose,
            request,
            tries: 0,
            signed: false,
            route: None,
            detours: 0,
            heard: false,
            sent: cx.now,
        };
        self.dispatch(cx, Queued::Request(pending));
    }

    /// Sends a request again as a new one: it may have arrived, or have left its way half done.
    fn send_again(&mut self, cx: &mut Cx<'_>, mut pending: Pending) {
        self.dialog.local_seq = self.dialog.local_seq.wrapping_add(1);
        let cseq = format!("{} {}", self.dialog.local_seq, pending.request.method.as_str());
        pending.heard = false;
        pending.request.headers.set(HeaderName::CSeq, cseq);
        self.dispatch(cx, Queued::Request(pending));
    }

    /// Sends the ACK for a 2xx.
    pub(crate) fn send_ack(&mut self, cx: &mut Cx<'_>, ack: Request) {
        self.dispatch(cx, Queued::Ack(ack));
    }

    /// Whether a request with this purpose is under way or waits for a route; its key, if it has
    /// been sent.
    pub(crate) fn find(&self, purpose: Purpose) -> Option<Option<ClientKey>> {
        let sent =
            self.pending.iter().find(|(_, p)| p.purpose == purpose).map(|(key, _)| Some(*key));
        let waits = |q: &Queued| matches!(q, Queued::Request(p) if p.purpose == purpose);
        sent.or_else(|| self.queue.iter().any(waits).then_some(None))
    }

    /// Takes a request back that has not been sent yet.
    pub(crate) fn withdraw(&mut self, purpose: Purpose) {
        self.queue.retain(|q| !matches!(q, Queued::Request(p) if p.purpose == purpose));
    }

    /// A response to a request of this dialog; `None` if the key is not ours (any more).
    pub(crate) fn on_response(
        &mut self,
        cx: &mut Cx<'_>,
        key: ClientKey,
        response: Response,
    ) -> Option<Outcome> {
        if response.status.is_provisional() {
            let pending = self.pending.get_mut(&key)?;
            pending.heard = true;
            return Some(Outcome::Continues);
        }
        let mut pending = self.pending.remove(&key)?;
        if authentication::is_challenge(&response) && pending.tries < authentication::TRIES {
            let mut request = pending.request.clone();
            self.dialog.local_seq = self.dialog.local_seq.wrapping_add(1);
            let seq = self.dialog.local_seq;
            let answered = pending.route.is_some_and(|route| {
                authentication::answer(cx, &mut request, &response, (seq, &route)).is_ok()
            });
            if answered {
                pending.tries += 1;
                (pending.heard, pending.signed) = (true, true);
                pending.request = request;
                self.dispatch(cx, Queued::Request(pending));
                return Some(Outcome::Continues);
            }
        }
        if self.was_overtaken(&pending, &response) {
            pending.detours += 1;
            self.send_again(cx, pending);
            return Some(Outcome::Continues);
        }
        authentication::accepted(cx, &pending.request, &response);
        Some(Outcome::Final(pending.purpose, pending.request, response))
    }

    /// Whether a request was refused for arriving behind a later one of ours (RFC 3261 section 12.2.2): proxies keep
    /// no order, and what is large goes by TCP. It has done nothing, and is sent again as a new one.
    fn was_overtaken(&self, pending: &Pending, response: &Response) -> bool {
        let at_once = response.headers.retry_after().ok().flatten().is_none_or(|r| r.seconds == 0);
        let later = pending.request.headers.cseq().is_ok_and(|c| c.number < self.dialog.local_seq);
        let refused = response.status == StatusCode::SERVER_INTERNAL_ERROR;
        let wanted = pending.purpose != Purpose::Overtaken && pending.detours < DETOURS;
        refused && later && at_once && wanted
    }

    /// A request of this dialog got no final response; `None` if the key is not ours.
    pub(crate) fn on_failure(
        &mut self,
        cx: &mut Cx<'_>,
        key: ClientKey,
        failure: Failure,
    ) -> Option<Outcome> {
        let mut pending = self.pending.remove(&key)?;
        if matches!(failure, Failure::Transport(_)) && self.routes.len() > 1 {
            self.routes.remove(0);
            self.dispatch(cx, Queued::Request(pending));
            return Some(Outcome::Continues);
        }
        let once = matches!(pending.purpose, Purpose::Overtaken | Purpose::Refer);
        let free = !self.pinned && !once && pending.detours < DETOURS;
        if free && self.take_other_way(cx, &mut pending) {
            pending.detours += 1;
            self.send_again(cx, pending);
            return Some(Outcome::Continues);
        }
        let broke = matches!(failure, Failure::Transport(_)) && !self.pinned;
        if broke && !once && pending.detours < DETOURS {
            // A connection that broke, or an address that has just gone: there may be another way.
            pending.detours += 1;
            self.routes.clear();
            self.send_again(cx, pending);
            return Some(Outcome::Continues);
        }
        Some(Outcome::Failed(pending.purpose, pending.request, failure))
    }

    /// The server that led to the peer is gone, and another flow of the account stands (RFC 5626): what
    /// follows travels over that, with its proxy in the place of the one that is gone.
    fn take_other_way(&mut self, cx: &Cx<'_>, pending: &mut Pending) -> bool {
        let Some(gone) = pending.route else { return false };
        let Some((route, proxy)) = cx.account.other_way(&gone) else { return false };
        let named = self.dialog.route_set.first().is_some_and(|first| serves(&gone, &first.uri));
        if named {
            self.dialog.route_set.remove(0);
            let proxy = proxy.map(|proxy| crate::message::name_addr(None, proxy));
            self.dialog.route_set.splice(0..0, proxy);
            pending.request.headers.remove(&HeaderName::Route);
            for hop in &self.dialog.route_set {
                pending.request.headers.push(HeaderName::Route, hop.to_string());
            }
        }
        self.routes = vec![route];
        true
    }

    /// The resolver's answer; the requests that can never be sent come back.
    pub(crate) fn on_resolved(
        &mut self,
        cx: &mut Cx<'_>,
        query: QueryId,
        result: Result<Vec<Route>, ResolveError>,
    ) -> Vec<Outcome> {
        if self.query != Some(query) {
            return Vec::new();
        }
        self.query = None;
        let queue = std::mem::take(&mut self.queue);
        let reason = match result {
            Ok(routes) if !routes.is_empty() => {
                self.routes = routes;
                self.held = None;
                queue.into_iter().for_each(|queued| self.dispatch(cx, queued));
                return Vec::new();
            }
            Ok(_) => "the next hop has no address".to_owned(),
            Err(error) => error.reason,
        };
        if queue.iter().any(|q| matches!(q, Queued::Request(p) if p.purpose == Purpose::Bye)) {
            // The peer is not left in a call that is over: the network may come back.
            let until = self.held.map_or(cx.now + cx.shared.patience(), |held| held.until);
            self.held = Some(Held { next: cx.now + LOOK_AGAIN, until });
            self.queue = queue;
            return Vec::new();
        }
        let failed = |queued| match queued {
            Queued::Request(pending) => Some(Outcome::Failed(
                pending.purpose,
                pending.request,
                Failure::Transport(reason.clone()),
            )),
            Queued::Ack(_) => None,
        };
        queue.into_iter().filter_map(failed).collect()
    }

    fn dispatch(&mut self, cx: &mut Cx<'_>, queued: Queued) {
        let Some(route) = self.routes.first().copied() else {
            self.queue.push(queued);
            return self.find_way(cx);
        };
        match queued {
            Queued::Ack(mut ack) => {
                authentication::sign(cx, &mut ack, &route);
                cx.shared.layer.send_ack(cx.now, ack, &route);
            }
            Queued::Request(mut pending) => {
                let method = &pending.request.method;
                if matches!(
                    method,
                    Method::Invite | Method::Update | Method::Refer | Method::Notify
                ) {
                    crate::message::set_contact(
                        &mut pending.request.headers,
                        cx,
                        &route,
                        self.private,
                    );
                }
                if !std::mem::take(&mut pending.signed) || pending.route != Some(route) {
                    authentication::sign(cx, &mut pending.request, &route);
                }
                pending.route = Some(route);
                pending.sent = cx.now;
                let request = pending.request.clone();
                let key = cx.shared.request(cx.now, request, &route, self.owner);
                self.pending.insert(key, pending);
            }
        }
    }

    /// When a BYE that found no way is to be tried again.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.held.map(|held| held.next.min(held.until))
    }

    /// Looks for a way again. `true`: the time for that is over.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx<'_>) -> bool {
        match self.held {
            Some(held) if held.until <= cx.now => return true,
            Some(held) if held.next <= cx.now => {
                self.held = Some(Held { next: cx.now + LOOK_AGAIN, ..held });
                self.find_way(cx);
            }
            _ => {}
        }
        false
    }

    fn find_way(&mut self, cx: &mut Cx<'_>) {
        if self.query.is_none() {
            let hop = self.dialog.next_hop().clone();
            self.query = Some(cx.shared.resolve(self.owner, hop));
        }
    }
}
