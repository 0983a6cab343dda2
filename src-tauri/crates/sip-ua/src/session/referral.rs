//! A transfer that the peer asks us for: its REFER and the NOTIFYs we owe it (RFC 3515, RFC 4488).
//!
//! Inputs from the peer: REFER. From the owner: accept, reject, report. From the transactions: the
//! end of a NOTIFY. From the clock: the owner did not decide, the subscription ran out.

use std::time::{Duration, Instant};

use sip_core::{ServerKey, Source};
use sip_types::{HeaderName, Method, Params, Replaces, Request, StatusCode, Uri};

use super::{Closing, Established, Phase, Session};
use crate::{
    Event, ReferRequest, ReferralId, SessionId, UaError,
    dialog::{Dialog, NoDialog},
    flow::{Flow, Outcome, Purpose},
    message, refusal,
    shared::{Cx, Owner},
};

/// How long we report for one REFER.
const LASTS: Duration = Duration::from_secs(180);

/// Open REFERs of one dialog; more are refused.
const MOST: usize = 4;

enum State {
    /// The owner has not decided.
    Asked { key: ServerKey, request: Box<Request>, source: Source },
    /// Accepted, and reports are owed.
    Open,
    /// The last report is under way.
    Ending,
}

/// One REFER of the peer.
pub(super) struct Referral {
    id: ReferralId,
    state: State,
    /// CSeq of the REFER: the `id` of its subscription.
    seq: u32,
    /// When the owner must have decided, or when the subscription ends.
    at: Instant,
    /// The latest word on the call.
    last: StatusCode,
    /// A NOTIFY is under way; the next word waits for its end, so that they arrive in order.
    busy: bool,
    /// A word to be sent when that is over.
    waiting: bool,
}

impl Referral {
    fn is_asked(&self) -> bool {
        matches!(self.state, State::Asked { .. })
    }
}

/// What a REFER asks for, once it has been found to make sense.
struct Wish {
    to: sip_types::NameAddr,
    replaces: Option<Replaces>,
}

impl Session {
    /// A REFER outside any dialog, where the account allows it, or `about` a call that its sender has
    /// shown to know of (RFC 4538): it founds a dialog of its own.
    pub(crate) fn referred_outside(
        cx: &mut Cx<'_>,
        id: SessionId,
        (key, request, source): (ServerKey, &Request, &Source),
        about: Option<SessionId>,
    ) -> Result<Self, NoDialog> {
        let tag = cx.shared.random.token(10);
        let dialog = Dialog::from_request(request, &tag, 0)?;
        let back = message::route_back(source);
        let flow = Flow::new(dialog, Owner::Session(id), Some(back), cx.shared.config.symmetric);
        let closing = Closing::ended(Established::new(flow));
        let mut session = Self::with_phase(id, cx.account.id, Phase::Closing(Box::new(closing)));
        session.ended = true;
        session.refer_received(cx, key, request.clone(), source, about);
        session.settle_closing("REFER refused");
        Ok(session)
    }

    /// A REFER of the peer. `about`: the call it belongs to.
    pub(super) fn refer_received(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        request: Request,
        source: &Source,
        about: Option<SessionId>,
    ) {
        let wish = match wish(&request) {
            Ok(_) if self.referrals.len() >= MOST => Err(StatusCode::BUSY_HERE),
            other => other,
        };
        let wish = match wish {
            Ok(wish) => wish,
            Err(status) => return self.answer(cx, key, &request, status),
        };
        let id = cx.shared.referral();
        let seq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        cx.shared.event(Event::ReferRequested(Box::new(ReferRequest {
            session: about,
            account: cx.account.id,
            id,
            to: wish.to.uri,
            display: wish.to.display,
            replaces: wish.replaces,
            referred_by: request.headers.referred_by().ok().flatten(),
        })));
        let at = cx.now + cx.shared.patience() * 3 / 4;
        let state = State::Asked { key, request: Box::new(request), source: *source };
        let last = StatusCode::TRYING;
        self.referrals.push(Referral { id, state, seq, at, last, busy: false, waiting: false });
        tracing::debug!(session = %self.id, "no referral, REFER -> asked");
    }

    fn referral(&mut self, id: ReferralId) -> Option<&mut Referral> {
        self.referrals.iter_mut().find(|referral| referral.id == id)
    }

    /// Whether that REFER is this session's.
    pub(crate) fn has_referral(&self, id: ReferralId) -> bool {
        self.referrals.iter().any(|referral| referral.id == id)
    }

    /// 202, and the first NOTIFY.
    pub(crate) fn accept_referral(
        &mut self,
        cx: &mut Cx<'_>,
        id: ReferralId,
    ) -> Result<(), UaError> {
        let private = self.private;
        let tag =
            self.dialog().and_then(|dialog| dialog.local.tag()).unwrap_or_default().to_owned();
        let referral = self.referral(id).ok_or(UaError::UnknownReferral)?;
        let State::Asked { key, request, source } = &referral.state else {
            return Err(UaError::WrongState);
        };
        let silent = request.headers.refer_sub() == Some(false);
        let mut response = message::response(request, StatusCode::ACCEPTED, &tag);
        let headers = &mut response.headers;
        headers.copy_from(&request.headers, &HeaderName::RecordRoute);
        message::set_contact_for(headers, cx, source, private);
        headers.set(HeaderName::Server, cx.shared.config.user_agent.clone());
        if silent {
            headers.set(HeaderName::ReferSub, "false");
        }
        cx.shared.layer.respond(cx.now, key, response);
        tracing::debug!(%id, "asked, accept -> open");
        if silent {
            self.forget_referral(id, "no NOTIFY wanted");
            return Ok(());
        }
        referral.state = State::Open;
        referral.at = cx.now + LASTS;
        self.notify_referral(cx, id);
        Ok(())
    }

    /// Refuses a REFER.
    pub(crate) fn reject_referral(
        &mut self,
        cx: &mut Cx<'_>,
        id: ReferralId,
        status: StatusCode,
    ) -> Result<(), UaError> {
        let referral = self.referral(id).ok_or(UaError::UnknownReferral)?;
        let State::Asked { key, request, .. } = &referral.state else {
            return Err(UaError::WrongState);
        };
        let response = refusal::answer(cx.shared, request, status);
        cx.shared.layer.respond(cx.now, key, response);
        self.forget_referral(id, "refused");
        Ok(())
    }

    /// How the call goes that the peer asked for. A final status is the last word.
    pub(crate) fn report_referral(
        &mut self,
        cx: &mut Cx<'_>,
        id: ReferralId,
        status: StatusCode,
    ) -> Result<(), UaError> {
        let referral = self.referral(id).ok_or(UaError::UnknownReferral)?;
        if !matches!(referral.state, State::Open) {
            return Err(UaError::WrongState);
        }
        referral.last = status;
        if status.is_final() {
            referral.state = State::Ending;
        }
        self.notify_referral(cx, id);
        Ok(())
    }

    /// Sends the latest word, or notes that there is one.
    fn notify_referral(&mut self, cx: &mut Cx<'_>, id: ReferralId) {
        let Some(at) = self.referrals.iter().position(|referral| referral.id == id) else { return };
        let Some(referral) = self.referrals.get_mut(at) else { return };
        let flow = match &mut self.phase {
            Phase::Incoming(incoming) => &mut incoming.flow,
            Phase::Established(established) => &mut established.flow,
            Phase::Closing(closing) => closing.flow_mut(),
            Phase::Outgoing(_) | Phase::Gone => return,
        };
        referral.waiting = referral.busy;
        if referral.busy {
            return;
        }
        referral.busy = true;
        let state = match referral.state {
            State::Ending if referral.last.is_final() => "terminated;reason=noresource".to_owned(),
            State::Ending => "terminated;reason=timeout".to_owned(),
            _ => {
                let left = referral.at.saturating_duration_since(cx.now).as_secs().max(1);
                format!("active;expires={left}")
            }
        };
        let mut request = flow.dialog.request(Method::Notify);
        let headers = &mut request.headers;
        headers.push(HeaderName::UserAgent, cx.shared.config.user_agent.clone());
        headers.push(HeaderName::Event, format!("refer;id={}", referral.seq));
        headers.push(HeaderName::SubscriptionState, state);
        headers.push(HeaderName::Allow, message::allow(&cx.shared.config));
        let line = format!("SIP/2.0 {} {}\r\n", referral.last, referral.last.reason());
        let content_type = "message/sipfrag;version=2.0".to_owned();
        let body = crate::Body { content_type, bytes: line.into_bytes() };
        message::request_body(&mut request, Some(&body));
        flow.send(cx, request, Purpose::Notify(id));
    }

    /// The end of a NOTIFY of ours.
    pub(super) fn notify_outcome(&mut self, cx: &mut Cx<'_>, id: ReferralId, outcome: &Outcome) {
        let Some(referral) = self.referral(id) else { return };
        let taken = match outcome {
            Outcome::Continues => return,
            Outcome::Final(_, _, response) => response.status.is_success(),
            Outcome::Failed(..) => false,
        };
        referral.busy = false;
        let ending = matches!(referral.state, State::Ending);
        if !taken || (ending && !referral.waiting) {
            // Refused or unheard: the subscription is gone (RFC 6665 section 4.2.2), the call not.
            return self.forget_referral(id, "end of NOTIFY");
        }
        if referral.waiting {
            self.notify_referral(cx, id);
        }
    }

    /// The owner did not decide, or the subscription ran out.
    pub(super) fn referral_timeout(&mut self, cx: &mut Cx<'_>) {
        let due = |r: &&Referral| r.at <= cx.now && !matches!(r.state, State::Ending);
        let due: Vec<_> = self.referrals.iter().filter(due).map(|r| (r.id, r.is_asked())).collect();
        for (id, asked) in due {
            if asked {
                let refused = self.reject_referral(cx, id, StatusCode::DECLINE);
                tracing::debug!(%id, ?refused, "asked, no decision -> refused");
            } else {
                if let Some(referral) = self.referral(id) {
                    referral.state = State::Ending;
                }
                self.notify_referral(cx, id);
            }
        }
    }

    pub(super) fn referral_poll_timeout(&self) -> Option<Instant> {
        let waits = self.referrals.iter().filter(|r| !matches!(r.state, State::Ending));
        waits.map(|referral| referral.at).min()
    }

    fn forget_referral(&mut self, id: ReferralId, event: &str) {
        tracing::debug!(%id, "{event} -> no referral");
        self.referrals.retain(|referral| referral.id != id);
        self.settle_closing(event);
    }
}

/// Reads a REFER: one Refer-To with an address that can be called (RFC 3515 section 2.4.2).
fn wish(request: &Request) -> Result<Wish, StatusCode> {
    let to = request.headers.refer_to().map_err(|_| StatusCode::BAD_REQUEST)?;
    let to = to.ok_or(StatusCode::BAD_REQUEST)?;
    if !to.uri.is_sip() && to.uri.scheme() != "tel" {
        return Err(StatusCode::UNSUPPORTED_URI_SCHEME);
    }
    let method = to.uri.param("method").flatten().unwrap_or("INVITE");
    if method != "INVITE" {
        return Err(StatusCode::DECLINE);
    }
    let headers = to.uri.headers();
    let mut replaces = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
    let replaces = match (replaces.next(), replaces.next()) {
        (Some((_, text)), None) => Some(text.parse().map_err(|_| StatusCode::BAD_REQUEST)?),
        (None, _) => None,
        (Some(_), Some(_)) => return Err(StatusCode::BAD_REQUEST),
    };
    // What else the peer would have in our INVITE is its own wish and not taken over.
    let uri: Uri = to.uri.without_headers().without_param("method");
    let to = sip_types::NameAddr { uri, display: to.display, params: Params::new() };
    Ok(Wish { to, replaces })
}
