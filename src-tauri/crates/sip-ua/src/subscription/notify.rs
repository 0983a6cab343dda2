//! NOTIFY requests of a subscription (RFC 6665 section 4.1.3).

use std::time::Duration;

use sip_core::ServerKey;
use sip_types::{HeaderName, Request, StatusCode, SubscriptionPhase};

use super::{State, Subscription, SubscriptionCause, SubscriptionState, attempt::Kind};
use crate::{
    Event,
    dialog::{Dialog, DialogId},
    message,
    shared::Cx,
};

/// How a NOTIFY relates to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It has nothing to do with it.
    None,
    /// It is inside the dialog, or founds it.
    Own,
    /// It answers the same SUBSCRIBE from another place.
    Fork,
}

impl Subscription {
    /// How the NOTIFY with this name relates to this subscription.
    pub(super) fn relation(&self, id: &DialogId) -> Relation {
        let ours = id.call_id == self.call_id
            && id.local_tag.as_deref() == Some(self.tag.as_str())
            && id.remote_tag.is_some();
        match &self.dialog {
            _ if !ours => Relation::None,
            Some(dialog) if dialog.is_named(id) => Relation::Own,
            Some(_) if self.parent.is_none() => Relation::Fork,
            None if self.state == State::Trying => Relation::Own,
            _ => Relation::None,
        }
    }

    /// Whether another subscription of the same SUBSCRIBE is welcome, and for this event.
    pub(super) fn welcomes_fork(&self, request: &Request) -> bool {
        self.wish.all_forks && self.is_held() && !self.leaving && self.is_about(request)
    }

    fn is_about(&self, request: &Request) -> bool {
        let event = request.headers.event().ok().flatten();
        event.is_some_and(|event| event.matches(&self.event))
    }

    /// A NOTIFY of this subscription.
    pub(super) fn on_notify(&mut self, cx: &mut Cx<'_>, key: ServerKey, request: &Request) {
        let status = self.judge(request);
        let mut response = message::response(request, status, "");
        if status == StatusCode::BAD_EVENT {
            response.headers.set(HeaderName::AllowEvents, self.event.package.clone());
        }
        if status == StatusCode::BAD_EXTENSION {
            response.headers.set(HeaderName::Unsupported, self.unknown(request).join(", "));
        }
        cx.shared.layer.respond(cx.now, &key, response);
        if status.is_success() {
            self.heard = true;
            self.notify_by = None;
            self.take_state(cx, request);
        }
    }

    /// The answer a NOTIFY deserves. It may have founded the dialog then.
    fn judge(&mut self, request: &Request) -> StatusCode {
        if !self.is_about(request) {
            return StatusCode::BAD_EVENT;
        }
        if !self.unknown(request).is_empty() {
            return StatusCode::BAD_EXTENSION;
        }
        let Ok(cseq) = request.headers.cseq() else { return StatusCode::BAD_REQUEST };
        match &mut self.dialog {
            Some(dialog) => {
                if !dialog.advance_remote(cseq.number) {
                    return StatusCode::SERVER_INTERNAL_ERROR;
                }
                dialog.refresh_target(&request.headers);
            }
            None => match Dialog::from_request(request, &self.tag, self.seq) {
                Ok(dialog) => self.dialog = Some(dialog),
                Err(_) => return StatusCode::BAD_REQUEST,
            },
        }
        StatusCode::OK
    }

    /// The extensions the NOTIFY requires and we do not have.
    fn unknown(&self, request: &Request) -> Vec<String> {
        let list = self.wish.event_list;
        let mut required = request.headers.require();
        required.retain(|tag| !(list && tag.eq_ignore_ascii_case("eventlist")));
        required
    }

    fn take_state(&mut self, cx: &mut Cx<'_>, request: &Request) {
        let state = request.headers.subscription_state().ok().flatten();
        let wait = state.as_ref().and_then(sip_types::SubscriptionState::retry_after);
        let wait = wait.map(|seconds| Duration::from_secs(u64::from(seconds)));
        let reason = state.as_ref().and_then(|state| state.reason());
        let reason = reason.map(str::to_ascii_lowercase);
        let left = state.as_ref().and_then(sip_types::SubscriptionState::expires);
        match state.map(|state| state.phase) {
            Some(SubscriptionPhase::Terminated) => {
                self.tell(cx, request);
                self.terminated(cx, reason.as_deref(), wait);
            }
            // Some servers say nothing, and some say a word of their own: both mean that it stands.
            phase => {
                self.stands(cx, phase == Some(SubscriptionPhase::Pending), left);
                self.tell(cx, request);
            }
        }
    }

    /// The subscription stands, for `left` more seconds if told.
    fn stands(&mut self, cx: &mut Cx<'_>, pending: bool, left: Option<u32>) {
        match (left, self.until) {
            (Some(left), _) => self.grant(cx, left.min(self.expires)),
            (None, None) if self.granted > 0 => self.grant(cx, self.granted),
            (None, None) => self.grant(cx, self.expires),
            (None, Some(_)) => {}
        }
        if self.state == State::Leaving {
            return;
        }
        let founded = !self.is_held();
        let state = if pending { State::Pending } else { State::Active };
        if self.state != state {
            self.enter(state, "NOTIFY");
        }
        if founded {
            self.held_since = Some(cx.now);
        }
        if self.leaving {
            self.enter(State::Leaving, "unsubscribe");
            return self.send(cx, Kind::Last, None);
        }
        let expires = self.granted;
        match pending {
            true => self.report(cx, SubscriptionState::Pending),
            false => self.report(cx, SubscriptionState::Active { expires }),
        }
    }

    /// The notifier has ended the subscription (section 4.1.3).
    fn terminated(&mut self, cx: &mut Cx<'_>, reason: Option<&str>, wait: Option<Duration>) {
        if self.leaving {
            return self.end(cx, SubscriptionCause::Unsubscribed, "last NOTIFY");
        }
        let cause = SubscriptionCause::Terminated { reason: reason.map(str::to_owned) };
        match reason {
            Some("rejected" | "noresource" | "invariant") => self.end(cx, cause, "terminated"),
            Some("deactivated" | "timeout") => self.renew_soon(cx, cause, "terminated"),
            _ => self.renew(cx, cause, wait, "terminated"),
        }
    }

    fn tell(&self, cx: &mut Cx<'_>, request: &Request) {
        let headers = request.headers.clone();
        cx.shared.event(Event::Notified {
            id: self.parent.unwrap_or(self.id),
            event: self.event.to_string(),
            content_type: headers.get(&HeaderName::ContentType).unwrap_or_default().into_owned(),
            body: request.body.clone(),
            headers,
        });
    }
}
