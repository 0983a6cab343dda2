//! A dialog together with the way its requests travel: locating the next hop, holding requests
//! back until it is known, answering challenges, trying the next target.

use std::collections::BTreeMap;

use sip_core::{ClientKey, Failure, Route};
use sip_types::{Method, Request, Response};

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
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct Pending {
    pub purpose: Purpose,
    /// As sent, without Via: it may have to be sent again.
    pub request: Request,
    tries: u8,
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
    /// The route is the peer's own address and does not follow its Contact.
    pinned: bool,
    query: Option<QueryId>,
    queue: Vec<Queued>,
    pending: BTreeMap<ClientKey, Pending>,
}

impl Flow {
    /// A dialog reached over `route` if that serves its next hop, else wherever the resolver says.
    pub(crate) fn new(dialog: Dialog, owner: Owner, route: Option<Route>, pinned: bool) -> Self {
        let mut flow = Self {
            dialog,
            owner,
            routes: route.into_iter().collect(),
            pinned,
            query: None,
            queue: Vec::new(),
            pending: BTreeMap::new(),
        };
        flow.retarget();
        flow
    }

    /// Pins the route to where the peer's messages come from.
    pub(crate) fn pin(&mut self, route: Route) {
        self.routes = vec![route];
        self.pinned = true;
    }

    /// Looks for the way anew with the next request, unless it is pinned.
    pub(crate) fn forget_routes(&mut self) {
        if !self.pinned {
            self.routes.clear();
        }
    }

    /// To be called when the dialog's target or route set changed.
    pub(crate) fn retarget(&mut self) {
        if !self.pinned {
            let hop = self.dialog.next_hop();
            self.routes.retain(|route| serves(route, hop));
        }
    }

    /// Sends a request; its outcome comes through [`Self::on_response`] or [`Self::on_failure`].
    pub(crate) fn send(&mut self, cx: &mut Cx<'_>, mut request: Request, purpose: Purpose) {
        authentication::sign(cx, &mut request);
        self.dispatch(cx, Queued::Request(Pending { purpose, request, tries: 0 }));
    }

    /// Sends the ACK for a 2xx.
    pub(crate) fn send_ack(&mut self, cx: &mut Cx<'_>, mut ack: Request) {
        authentication::sign(cx, &mut ack);
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
            return self.pending.contains_key(&key).then_some(Outcome::Continues);
        }
        let mut pending = self.pending.remove(&key)?;
        if authentication::is_challenge(&response) && pending.tries < authentication::TRIES {
            let mut request = pending.request.clone();
            self.dialog.local_seq = self.dialog.local_seq.wrapping_add(1);
            let seq = self.dialog.local_seq;
            if authentication::answer(cx, &mut request, &response, seq) {
                pending.tries += 1;
                pending.request = request;
                self.dispatch(cx, Queued::Request(pending));
                return Some(Outcome::Continues);
            }
        }
        authentication::accepted(cx, &response);
        Some(Outcome::Final(pending.purpose, pending.request, response))
    }

    /// A request of this dialog got no final response; `None` if the key is not ours.
    pub(crate) fn on_failure(
        &mut self,
        cx: &mut Cx<'_>,
        key: ClientKey,
        failure: Failure,
    ) -> Option<Outcome> {
        let pending = self.pending.remove(&key)?;
        if matches!(failure, Failure::Transport(_)) && self.routes.len() > 1 {
            self.routes.remove(0);
            self.dispatch(cx, Queued::Request(pending));
            return Some(Outcome::Continues);
        }
        Some(Outcome::Failed(pending.purpose, pending.request, failure))
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
                queue.into_iter().for_each(|queued| self.dispatch(cx, queued));
                return Vec::new();
            }
            Ok(_) => "the next hop has no address".to_owned(),
            Err(error) => error.reason,
        };
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
            if self.query.is_none() {
                let hop = self.dialog.next_hop().clone();
                self.query = Some(cx.shared.resolve(self.owner, hop));
            }
            return;
        };
        match queued {
            Queued::Ack(ack) => cx.shared.layer.send_ack(cx.now, ack, &route),
            Queued::Request(mut pending) => {
                let method = &pending.request.method;
                if matches!(
                    method,
                    Method::Invite | Method::Update | Method::Refer | Method::Notify
                ) {
                    crate::message::set_contact(&mut pending.request.headers, cx, &route);
                }
                let request = pending.request.clone();
                let key = cx.shared.request(cx.now, request, &route, self.owner);
                self.pending.insert(key, pending);
            }
        }
    }
}
