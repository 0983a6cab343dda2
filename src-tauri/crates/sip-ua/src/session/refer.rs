//! A transfer that we ask the peer for: REFER and what its NOTIFYs tell (RFC 3515, RFC 4488).
//!
//! Inputs from the owner: refer. From the transactions: the end of the REFER. From the peer:
//! NOTIFY, which may overtake the answer to the REFER and may outlive the call. From the clock:
//! nothing was heard for too long.

use std::time::{Duration, Instant};

use sip_core::{Failure, ServerKey};
use sip_types::{
    HeaderName, Method, NameAddr, Replaces, Request, Response, StatusCode, SubscriptionPhase, Uri,
    sipfrag_status,
};

use super::{Phase, Session};
use crate::{
    EndCause, Event, Refer, ReferProgress, UaError,
    flow::{Outcome, Purpose},
    message::{self, name_addr},
    shared::Cx,
};

/// What a subscription lasts whose NOTIFY does not say it.
const UNSAID: Duration = Duration::from_secs(180);

/// The longest that a NOTIFY's word for a subscription's length is taken.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No answer to the REFER, no NOTIFY.
    Sent,
    /// The peer does it and will tell.
    Subscribed,
    /// The owner knows the end; later NOTIFYs are answered and mean nothing.
    Told,
}

/// Our latest REFER.
#[derive(Debug)]
pub(super) struct Referring {
    state: State,
    /// CSeq of the REFER: the `id` of its subscription (RFC 3515 section 2.4.6).
    seq: Option<u32>,
    /// When the peer's silence has lasted too long.
    at: Option<Instant>,
}

impl Referring {
    /// Whether something may still be heard that the owner waits for.
    pub(super) fn is_open(&self) -> bool {
        self.state != State::Told
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.at.filter(|_| self.is_open())
    }

    /// The call is over: the subscription may outlive it, but not for long.
    pub(super) fn bound(&mut self, at: Instant) {
        self.at = Some(self.at.map_or(at, |own| own.min(at)));
    }
}

impl Session {
    /// The Refer-To of an attended transfer to this session's peer: its remote target, with the
    /// dialog as that peer sees it (RFC 3891 section 6.1).
    pub(crate) fn replacement(&self) -> Result<Uri, UaError> {
        let Phase::Established(established) = &self.phase else { return Err(UaError::WrongState) };
        let dialog = &established.flow.dialog;
        let (Some(local), Some(remote)) = (dialog.local.tag(), dialog.remote.tag()) else {
            return Err(UaError::WrongState);
        };
        let replaces = Replaces {
            call_id: dialog.call_id.clone(),
            to_tag: remote.to_owned(),
            from_tag: local.to_owned(),
            early_only: false,
        };
        let target = dialog.remote_target.clone().without_headers();
        Ok(target.with_header("Replaces", &replaces.to_string()))
    }

    /// The owner has the peer call somebody.
    pub(crate) fn refer(
        &mut self,
        cx: &mut Cx<'_>,
        refer: &Refer,
        target: Uri,
    ) -> Result<(), UaError> {
        if self.referring.as_ref().is_some_and(Referring::is_open) {
            return Err(UaError::WrongState);
        }
        let session = self.id;
        let Phase::Established(established) = &mut self.phase else {
            return Err(UaError::WrongState);
        };
        let flow = &mut established.flow;
        let mut request = flow.dialog.request(Method::Refer);
        let referrer = NameAddr { params: sip_types::Params::new(), ..flow.dialog.local.clone() };
        let headers = &mut request.headers;
        headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
        message::set_capabilities(headers, &cx.shared.config, Some(&cx.account.config));
        headers.push(HeaderName::ReferTo, name_addr(refer.display.clone(), target).to_string());
        headers.push(HeaderName::ReferredBy, referrer.to_string());
        if refer.no_subscription {
            headers.push(HeaderName::ReferSub, "false");
        }
        flow.send(cx, request, Purpose::Refer);
        self.referring = Some(Referring { state: State::Sent, seq: None, at: None });
        tracing::debug!(%session, "no transfer, REFER -> sent");
        Ok(())
    }

    /// The end of our REFER's transaction.
    pub(super) fn refer_outcome(&mut self, cx: &mut Cx<'_>, outcome: Outcome) {
        match outcome {
            Outcome::Continues => {}
            Outcome::Final(_, request, response) => self.refer_answered(cx, &request, &response),
            // Nothing left the house: the peer cannot have begun.
            Outcome::Failed(_, _, Failure::Transport(_) | Failure::TooMany) => {
                let progress = ReferProgress::Refused(StatusCode::SERVICE_UNAVAILABLE);
                self.tell(cx, progress, "transport failed");
            }
            Outcome::Failed(..) => {
                // A NOTIFY may have come all the same; then it goes on.
                if self.referring.as_ref().is_some_and(|r| r.state == State::Sent) {
                    let progress = ReferProgress::Refused(StatusCode::REQUEST_TIMEOUT);
                    self.tell(cx, progress, "no answer");
                }
            }
        }
    }

    fn refer_answered(&mut self, cx: &mut Cx<'_>, request: &Request, response: &Response) {
        let Some(referring) = &mut self.referring else { return };
        let asked_for_none = request.headers.refer_sub() == Some(false);
        let subscribed = !asked_for_none || response.headers.refer_sub() != Some(false);
        match (response.status.is_success(), referring.state) {
            (_, State::Told) => {}
            (false, _) => self.tell(cx, ReferProgress::Refused(response.status), "refused"),
            (true, State::Subscribed) => {}
            (true, State::Sent) if subscribed => {
                referring.seq = request.headers.cseq().ok().map(|cseq| cseq.number);
                self.subscribed(cx);
            }
            (true, State::Sent) => {
                self.tell(cx, ReferProgress::Accepted { subscribed: false }, "accepted, no NOTIFY");
            }
        }
        if response.status == StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST {
            self.leave(cx, EndCause::response(response));
        }
    }

    /// The peer has accepted, by its answer or by a NOTIFY that overtook it.
    fn subscribed(&mut self, cx: &mut Cx<'_>) {
        let session = self.id;
        let Some(referring) = &mut self.referring else { return };
        referring.state = State::Subscribed;
        let wait = cx.now + cx.shared.patience();
        referring.at = Some(wait);
        tracing::debug!(%session, "sent, accepted -> subscribed");
        let progress = ReferProgress::Accepted { subscribed: true };
        cx.shared.event(Event::ReferProgress { session, progress });
    }

    /// A terminal word, once.
    fn tell(&mut self, cx: &mut Cx<'_>, progress: ReferProgress, event: &str) {
        let session = self.id;
        let Some(referring) = self.referring.as_mut().filter(|r| r.is_open()) else { return };
        tracing::debug!(%session, "{:?}, {event} -> told", referring.state);
        referring.state = State::Told;
        referring.at = None;
        cx.shared.event(Event::ReferProgress { session, progress });
        self.settle_closing("end of the transfer");
    }

    /// A NOTIFY with `Event: refer`.
    pub(super) fn refer_notified(&mut self, cx: &mut Cx<'_>, key: ServerKey, request: &Request) {
        let headers = &request.headers;
        let id = headers.event().ok().flatten().and_then(|event| event.id().map(str::to_owned));
        let ours = |referring: &Referring| match (&id, referring.seq) {
            (Some(id), Some(seq)) => id.parse() == Ok(seq),
            // The first REFER of a dialog may go without, and its own CSeq is not sure before it
            // is answered (a challenge renumbers it).
            _ => true,
        };
        let Some(referring) = self.referring.as_ref().filter(|referring| ours(referring)) else {
            let status = StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST;
            return self.answer(cx, key, request, status);
        };
        self.answer(cx, key, request, StatusCode::OK);
        match referring.state {
            State::Sent => self.subscribed(cx),
            State::Subscribed => {}
            State::Told => return,
        }
        self.referred(cx, request);
    }

    /// What a NOTIFY says of the referred call.
    fn referred(&mut self, cx: &mut Cx<'_>, notify: &Request) {
        let session = self.id;
        let status = sipfrag_status(&notify.body);
        let state = notify.headers.subscription_state().ok().flatten();
        let over = state.as_ref().is_some_and(|s| s.phase == SubscriptionPhase::Terminated);
        match status {
            Some(status) if status.is_success() => {
                return self.tell(cx, ReferProgress::Succeeded(status), "final NOTIFY");
            }
            Some(status) if status.is_final() => {
                return self.tell(cx, ReferProgress::Failed(Some(status)), "final NOTIFY");
            }
            Some(status) => {
                let progress = ReferProgress::Provisional(status);
                cx.shared.event(Event::ReferProgress { session, progress });
            }
            None => {}
        }
        if over {
            let reason = state.as_ref().and_then(|s| s.reason()).unwrap_or_default();
            let progress = match reason.to_ascii_lowercase().as_str() {
                "rejected" => ReferProgress::Failed(None),
                _ => ReferProgress::Unknown,
            };
            return self.tell(cx, progress, "subscription ended");
        }
        let lasts = state
            .and_then(|s| s.expires())
            .map_or(UNSAID, |seconds| Duration::from_secs(u64::from(seconds)).min(LONGEST));
        let limit = cx.now + cx.shared.patience();
        let ended = self.ended;
        if let Some(referring) = &mut self.referring {
            // After the call's end nobody waits for longer than a transaction lasts.
            referring.at = Some(if ended { limit } else { limit + lasts });
        }
    }

    /// The peer has been silent for too long.
    pub(super) fn refer_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.referring.as_ref().and_then(Referring::poll_timeout).is_some_and(|at| at <= cx.now)
        {
            self.tell(cx, ReferProgress::Unknown, "silence");
        }
    }
}
