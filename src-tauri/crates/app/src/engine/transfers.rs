//! Transfers. What the domain wants is asked of the peer, what the peer tells is told to the domain;
//! and what a peer asks of us is done: a call to somebody else, or a change of peers.

use std::time::Instant;

use call_control::{Call, CallId, Command, Failure, Input, Party, Plan, Progress, Signal, State};
use sip_types::{NameAddr, Replaces, StatusCode, Uri};
use sip_ua::{Body, Incoming, Refer, ReferProgress, ReferRequest, ReferralId, SessionId, UaError};
use tracing::{debug, warn};

use super::accounts::{Account, unknown_account};
use super::calls::{StepError, status_or};
use super::commands::{Outcome, on_account, refused, unknown_call};
use super::desk::Desk;
use super::encryption::Wanted;
use super::line::{Dialled, Line, Media, media_direction, peer_of, peer_of_uri};
use crate::cause;
use crate::code::Code;
use crate::config::BlindTransfer;
use crate::control::{Answer, ConsultCreated, ErrorReply};
use crate::event::{Event, TransferState};
use crate::view::TransferView;

/// Callers remembered whose line ended before their transfer was reported.
const DEPARTED: usize = 20;

/// A caller whose line ended after his side had agreed to a transfer. How that went is still to be
/// reported.
pub(super) struct Departed {
    session: SessionId,
    call: CallId,
    /// He was to be parked, there if that is known.
    parking: Option<Option<String>>,
}

/// The call that a peer asked for, in the place of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Errand {
    referral: ReferralId,
    /// The call of the peer who asked.
    of: CallId,
    /// The user was talking in it.
    was_live: bool,
    /// The last status that the peer was told.
    told: u16,
}

/// For whom, and in whose place, we call.
#[derive(Debug, Clone, Default)]
pub(super) struct Reference {
    pub(super) replaces: Option<Replaces>,
    pub(super) referred_by: Option<NameAddr>,
}

impl Desk {
    // --- the user ---

    pub(super) fn transfer_blind(&mut self, now: Instant, call: u64, to: &str) -> Outcome {
        let target = self.transfer_target(call, to)?;
        let line = self.lines.get(&CallId(call)).ok_or_else(|| unknown_call(call))?;
        let account = self.account(&line.account).ok_or_else(|| unknown_account(""))?;
        if is_supervised(account) && !Desk::is_parking_lot(account, &target) {
            return self.transfer_supervised(now, call, target);
        }
        let command = Command::TransferBlind(target.to_string());
        let asked = self.calls.handle_input(now, Input::Command(CallId(call), command));
        asked.map_err(|refusal| refused(call, refusal))?;
        self.parks_no_longer(CallId(call));
        Ok(Answer::done())
    }

    /// The next transfer is no parking, whatever has become of that.
    fn parks_no_longer(&mut self, call: CallId) {
        if let Some(line) = self.lines.get_mut(&call) {
            line.parking = None;
        }
    }

    /// Rings the new party for the caller, who is handed over when it answers.
    fn transfer_supervised(&mut self, now: Instant, call: u64, target: Uri) -> Outcome {
        if self.is_quitting() {
            return Err(ErrorReply::new(Code::WrongState, "the program is ending"));
        }
        let line = self.line_for(CallId(call), target)?;
        let to = line.dialled.as_ref().map(|dialled| dialled.uri.to_string()).unwrap_or_default();
        let sent = self.calls.send_supervised(now, CallId(call), to);
        let id = sent.map_err(|error| refused(call, error))?;
        self.lines.insert(id, line);
        self.parks_no_longer(CallId(call));
        Ok(Answer::done())
    }

    /// Connects a caller with the consulted party. One that still rings goes on ringing for him where that is the
    /// account's way of sending callers on.
    pub(super) fn transfer_complete(&mut self, now: Instant, call: u64) -> Outcome {
        let id = CallId(call);
        let caller = self.calls.get(id).and_then(Call::consult_of).unwrap_or(id);
        let account = self.lines.get(&id).and_then(|line| self.account(&line.account));
        let done = match account.is_some_and(is_supervised) {
            true => self.calls.complete_supervised(now, id),
            false => self.calls.handle_input(now, Input::Command(id, Command::TransferComplete)),
        };
        done.map_err(|refusal| refused(call, refusal))?;
        self.parks_no_longer(caller);
        Ok(Answer::done())
    }

    /// A line to `uri` on the account of another call.
    fn line_for(&mut self, call: CallId, uri: Uri) -> Result<Line, ErrorReply> {
        let line = self.lines.get(&call).ok_or_else(|| unknown_call(call.0))?;
        let account = self.account(&line.account).ok_or_else(|| unknown_account(""))?;
        let mut line = Line::new(&account.settings.clone(), self.random.u64());
        line.peer = self.target_peer(self.account(&line.account), &uri);
        let dialled = Dialled { uri, withhold: false, reference: Reference::default() };
        self.dials(&mut line, dialled);
        Ok(line)
    }

    pub(super) fn transfer_consult(&mut self, now: Instant, call: u64, to: &str) -> Outcome {
        if self.is_quitting() {
            return Err(ErrorReply::new(Code::WrongState, "the program is ending"));
        }
        let uri = self.transfer_target(call, to)?;
        let to = uri.to_string();
        let line = self.line_for(CallId(call), uri)?;
        let id = self.calls.consult(now, CallId(call), to).map_err(|error| refused(call, error))?;
        self.lines.insert(id, line);
        Ok(Answer::Consult(ConsultCreated { call: id.0, consult: id.0 }))
    }

    fn transfer_target(&self, call: u64, to: &str) -> Result<Uri, ErrorReply> {
        let line = self.lines.get(&CallId(call)).ok_or_else(|| unknown_call(call))?;
        let account = self.account(&line.account).ok_or_else(|| unknown_account(""))?;
        self.target(account, to)
    }

    // --- what the domain wants ---

    /// Asks the peer to call `to`, or to take the place of another call's peer. While he still reports
    /// about an earlier wish, that the user has taken back, the new one waits.
    pub(super) fn refer(
        &mut self,
        now: Instant,
        id: CallId,
        to: &ReferTo,
    ) -> Result<(), StepError> {
        if let Some(line) = self.lines.get_mut(&id).filter(|line| line.reports) {
            line.next_wish = Some(to.clone());
            return Ok(());
        }
        let asked = self.try_refer(now, id, to);
        if asked.is_err() {
            self.tell(now, id, Signal::TransferRefused { status: None });
        }
        asked
    }

    fn try_refer(&mut self, now: Instant, id: CallId, to: &ReferTo) -> Result<(), StepError> {
        let line = self.lines.get(&id).ok_or(StepError::Gone)?;
        let session = line.session.ok_or(StepError::Gone)?;
        let account = self.account(&line.account).ok_or(StepError::Gone)?;
        let no_subscription = account.settings.norefersub;
        let bad = |_| StepError::Session(UaError::BadTarget);
        let (to, replaces) = match to {
            ReferTo::Target(to) => (Uri::parse(to).map_err(bad)?, None),
            ReferTo::Instead(other) => {
                let other = self.lines.get(other).ok_or(StepError::Gone)?;
                let dialled = other.dialled.as_ref().ok_or(StepError::Gone)?;
                (dialled.uri.clone(), Some(other.session.ok_or(StepError::Gone)?))
            }
        };
        let refer = Refer { replaces, no_subscription, ..Refer::new(to) };
        self.ua.refer(now, session, refer)?;
        if let Some(line) = self.lines.get_mut(&id) {
            line.reports = true;
        }
        Ok(())
    }

    /// Tells front ends how a transfer goes.
    pub(super) fn transfer_news(
        &mut self,
        now: Instant,
        call: CallId,
        plan: &Plan,
        progress: Progress,
    ) {
        debug!(call = call.0, to = %plan.to, ?progress, "transfer");
        self.publisher.changed();
        if progress == Progress::Trying {
            self.log_transfer(now, call, plan);
        }
        if matches!(progress, Progress::Done { .. })
            && let Some(line) = self.lines.get_mut(&call)
        {
            // He had been given back for want of a word, and is in other hands after all.
            line.returned = false;
        }
        let line = self.lines.get(&call).filter(|line| line.reports);
        if progress == (Progress::Done { confirmed: false })
            && let Some(session) = line.and_then(|line| line.session)
        {
            // The exchange has taken the caller; it will say how it went.
            let parking = self.lines.get_mut(&call).and_then(|line| line.parking.take());
            self.departed.push_back(Departed { session, call, parking });
            self.departed.drain(..self.departed.len().saturating_sub(DEPARTED));
            return;
        }
        if let Progress::Failed(Failure::NotReached(_) | Failure::Refused(_) | Failure::Unknown) =
            progress
            && let Some(line) = self.lines.get_mut(&call)
        {
            line.returned = true;
        }
        let rang = self.calls.get(call).is_some_and(|call| call.transfer().rang());
        let (status, reason) = match progress {
            Progress::Failed(failure) => {
                (status_of(failure), self.transfer_reason(call, failure, rang))
            }
            _ => (None, None),
        };
        let state = state_of(progress);
        self.event(now, Event::CallTransfer { call: call.0, state, status, reason });
        let gone = matches!(progress, Progress::Failed(Failure::CallerGone | Failure::LineLost));
        self.log_outcome(now, call.0, (state, status, reason), gone);
        // A peer that has not answered may have parked him all the same.
        if progress != Progress::Failed(Failure::Refused(Some(408))) {
            self.parked(now, call, state);
        }
    }

    /// Tells that a call is parked, once its transfer to the parking lot is done.
    fn parked(&mut self, now: Instant, call: CallId, state: TransferState) {
        let over = matches!(state, TransferState::Done | TransferState::Failed);
        let line = self.lines.get_mut(&call).filter(|_| over);
        if let Some(slot) = line.and_then(|line| line.parking.take())
            && state == TransferState::Done
        {
            self.event(now, Event::CallParked { call: call.0, slot });
        }
    }

    // --- what the peer tells of our transfer ---

    pub(super) fn refer_progress(
        &mut self,
        now: Instant,
        session: SessionId,
        progress: ReferProgress,
    ) {
        let Some(id) = self.call_of(session) else {
            return self.late_progress(now, session, progress);
        };
        let Some(line) = self.lines.get_mut(&id) else { return };
        line.reports &= !progress.is_terminal();
        let done = matches!(progress, ReferProgress::Succeeded(_));
        if let Some(wish) = line.next_wish.take_if(|_| progress.is_terminal()) {
            if !done && self.calls.get(id).is_some_and(|call| call.transfer().is_under_way()) {
                let asked = self.refer(now, id, &wish);
                debug!(?asked, "the next wish");
                return;
            }
        } else if line.next_wish.is_some() {
            // News of the wish that the user has taken back.
            return;
        }
        let code = |status: StatusCode| Some(status.code());
        match progress {
            ReferProgress::Accepted { subscribed } => {
                self.tell(now, id, Signal::TransferAccepted);
                if !subscribed {
                    self.tell(now, id, Signal::TransferUnknown);
                }
            }
            ReferProgress::Provisional(status) => {
                if (180..=199).contains(&status.code()) {
                    self.tell(now, id, Signal::TransferRinging);
                }
            }
            ReferProgress::Succeeded(_) => self.tell(now, id, Signal::TransferDone),
            ReferProgress::Failed(status) => {
                let status = status.and_then(code);
                self.tell(now, id, Signal::TransferFailed { status });
            }
            ReferProgress::Refused(status) => {
                let silent = [StatusCode::REQUEST_TIMEOUT, StatusCode::SERVICE_UNAVAILABLE]
                    .contains(&status);
                let trouble = self.trouble.filter(|_| silent);
                if let Some(line) = self.lines.get_mut(&id) {
                    line.unreached = trouble;
                }
                self.tell(now, id, Signal::TransferRefused { status: code(status) });
            }
            ReferProgress::Unknown => self.tell(now, id, Signal::TransferUnknown),
        }
    }

    /// News of a caller whose line to us is over already.
    fn late_progress(&mut self, now: Instant, session: SessionId, progress: ReferProgress) {
        let found = self.departed.iter().position(|departed| departed.session == session);
        let Some(at) = found else { return };
        let Some(call) = self.departed.get(at).map(|departed| departed.call.0) else { return };
        let last = progress.is_terminal().then(|| self.departed.remove(at)).flatten();
        let (state, status) = match progress {
            ReferProgress::Provisional(status) if status.code() < 180 => return,
            ReferProgress::Provisional(_) => (TransferState::Ringing, None),
            ReferProgress::Failed(status) => (TransferState::Failed, status.map(StatusCode::code)),
            // Nobody says otherwise, and he is not with us.
            _ => (TransferState::Done, None),
        };
        let failed = state == TransferState::Failed;
        let reason =
            status.map_or(Code::TransferFailed, |status| cause::of_call_status(status, true));
        let reason = Some(reason).filter(|_| failed);
        self.event(now, Event::CallTransfer { call, state, status, reason });
        self.log_outcome(now, call, (state, status, reason), failed);
        if let Some(slot) = last.and_then(|departed| departed.parking).filter(|_| !failed) {
            self.event(now, Event::CallParked { call, slot });
        }
        if failed {
            let past = self.history.iter().find(|past| past.id == call);
            let number = past.map(|past| past.peer.number.clone());
            self.caller_gone(now, number.unwrap_or_default());
        }
    }

    /// A transfer failed and the exchange has not given the caller back: the user should know, and
    /// call him.
    fn caller_gone(&mut self, now: Instant, number: String) {
        let detail = Some(number).filter(|number| !number.is_empty());
        self.notice(now, Code::TransferFailed, detail, true);
    }

    /// Looks whether a caller who came back from a failed transfer stays.
    pub(super) fn watch_returned(&mut self, now: Instant, call: &Call) {
        let Some(line) = self.lines.get_mut(&call.id()).filter(|line| line.returned) else {
            return;
        };
        line.returned = !matches!(call.state(), State::Active | State::HeldByPeer);
        if call.end().is_some_and(|end| end.by != Party::Local) {
            let number = line.peer.number.clone();
            self.log_lost(now, call.id().0);
            self.caller_gone(now, number);
        }
    }

    // --- what a peer asks of us ---

    /// The peer asks us to call somebody else.
    pub(super) fn refer_requested(&mut self, now: Instant, request: &ReferRequest) {
        let id = request.id;
        let (of, uri) = match self.errand_allowed(request) {
            Ok(allowed) => allowed,
            Err(status) => {
                if let Err(error) = self.ua.reject_referral(now, id, status) {
                    debug!(%error, "already gone");
                }
                return;
            }
        };
        if let Err(error) = self.ua.accept_referral(now, id) {
            debug!(%error, "already gone");
            return;
        }
        let Some(settings) = self
            .lines
            .get(&of)
            .and_then(|line| self.account(&line.account))
            .map(|account| account.settings.clone())
        else {
            return;
        };
        let mut line = Line::new(&settings, self.random.u64());
        line.peer = self.recognised(peer_of_uri(&uri.to_string(), None));
        if let Some(name) = request.display.clone().filter(|_| line.peer.name.is_empty()) {
            line.peer.name = name;
        }
        let reference = Reference {
            replaces: request.replaces.clone(),
            referred_by: request.referred_by.clone(),
        };
        line.dialled = Some(Dialled { uri, withhold: false, reference });
        let was_live = self.calls.get(of).is_some_and(Call::is_live);
        line.errand = Some(Errand { referral: id, of, was_live, told: 100 });
        let call = self.calls.dial(now);
        self.lines.insert(call, line);
    }

    /// Only the peer of an answered call may send us elsewhere, to one place at a time, and only where
    /// the user could have dialled.
    fn errand_allowed(&self, request: &ReferRequest) -> Result<(CallId, Uri), StatusCode> {
        let declined = StatusCode::DECLINE;
        let of = request.session.and_then(|session| self.call_of(session)).ok_or(declined)?;
        let answered = self.calls.get(of).is_some_and(|call| call.answered().is_some());
        if !answered || self.is_quitting() {
            return Err(declined);
        }
        if self.lines.values().any(|line| line.errand.is_some_and(|errand| errand.of == of)) {
            return Err(StatusCode::BUSY_HERE);
        }
        let line = self.lines.get(&of).ok_or(declined)?;
        let account = self.account(&line.account).ok_or(declined)?;
        let uri = match request.to.is_sip() {
            true => request.to.clone(),
            false => {
                let number = request.to.user().ok_or(StatusCode::NOT_FOUND)?;
                on_account(account, &number).map_err(|_| StatusCode::NOT_FOUND)?
            }
        };
        Ok((of, uri))
    }

    /// Tells the peer how the call goes that he asked for.
    pub(super) fn report_errand(&mut self, now: Instant, call: &Call) {
        let id = call.id();
        let Some(errand) = self.lines.get(&id).and_then(|line| line.errand) else { return };
        let status = match call.end() {
            _ if call.answered().is_some() => 200,
            Some(end) => end.status.filter(|status| *status >= 300).unwrap_or(487),
            None if call.state() == State::Ringing => 180,
            None if call.state() == State::Early => 183,
            None => return,
        };
        if status == errand.told {
            return;
        }
        let word = status_or(status, StatusCode::SERVICE_UNAVAILABLE);
        if let Err(error) = self.ua.report_referral(now, errand.referral, word) {
            debug!(%error, "nobody wants to know");
        }
        if let Some(line) = self.lines.get_mut(&id) {
            let open = Errand { told: status, ..errand };
            line.errand = Some(open).filter(|_| status < 200);
        }
        if status >= 300 && errand.was_live && self.calls.live().is_none() {
            // It came to nothing: the user talks on with the peer who asked.
            let resume = Input::Command(errand.of, Command::Resume);
            if let Err(refusal) = self.calls.handle_input(now, resume) {
                debug!(%refusal, "not taken back");
            }
        }
    }

    /// The peer holds us or took us back. When he does so while we call somebody for him, he has
    /// changed his mind: that call ends, and the talk with him goes on.
    pub(super) fn peer_holds(&mut self, now: Instant, id: CallId, held: bool) {
        let before = self.calls.get(id).is_some_and(|call| call.hold().by_peer);
        self.tell(now, id, Signal::HeldByPeer(held));
        let errand = self.lines.iter().find(|(_, line)| line.errand.is_some_and(|e| e.of == id));
        if let Some(call) = errand.map(|(call, _)| *call).filter(|_| before && !held) {
            let hangup = Input::Command(call, Command::Hangup);
            if let Err(refusal) = self.calls.handle_input(now, hangup) {
                debug!(%refusal, "the errand is over");
            }
        }
    }

    // --- change of peers ---

    /// Somebody takes the place of a call's peer (RFC 3891): the same call goes on with him.
    pub(super) fn replaced(&mut self, now: Instant, id: CallId, incoming: &Incoming) {
        let before = match self.change_session(id, incoming) {
            Ok(before) => before,
            Err(error) => {
                warn!(call = id.0, %error, "nobody can take the peer's place");
                let status = status_or(error.status(), StatusCode::NOT_ACCEPTABLE_HERE);
                return self.turn_away(now, incoming.session, status);
            }
        };
        self.tell(now, id, Signal::Replaced);
        match self.accept_replacing(now, id) {
            Ok(()) => {
                if let Some(media) = before.media {
                    self.sounds.engine.close(media.stream);
                }
                self.rename(id, incoming);
                self.tell_call(now, id);
            }
            Err(error) => {
                warn!(call = id.0, %error, "nobody can take the peer's place");
                let status = status_or(error.status(), StatusCode::NOT_ACCEPTABLE_HERE);
                self.turn_away(now, incoming.session, status);
                self.restore_session(id, before);
            }
        }
    }

    /// Lets a call run on the new session; what it ran on before is given back.
    fn change_session(&mut self, id: CallId, incoming: &Incoming) -> Result<Before, StepError> {
        let number = self.random.u64() >> 1;
        let line = self.lines.get_mut(&id).ok_or(StepError::Gone)?;
        let mut negotiator = sdp::Negotiator::new(number);
        if let Some(offer) = &incoming.body {
            let Wanted { policy, keying, .. } = line.terms_now();
            negotiator.receive_offer(&offer.bytes, &line.codecs, policy, keying)?;
        }
        Ok(Before {
            session: line.session.replace(incoming.session),
            negotiator: std::mem::replace(&mut line.negotiator, negotiator),
            media: line.media.take(),
            source: line.source.replace(incoming.source.remote.ip()),
            secret: std::mem::replace(&mut line.secret, incoming.source.transport.secure()),
            offered: std::mem::replace(&mut line.offered, incoming.body.is_some()),
            answer: line.answer.take(),
        })
    }

    fn restore_session(&mut self, id: CallId, before: Before) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        line.session = before.session;
        line.negotiator = before.negotiator;
        let useless = std::mem::replace(&mut line.media, before.media);
        line.source = before.source;
        line.secret = before.secret;
        line.offered = before.offered;
        line.answer = before.answer;
        if let Some(media) = useless {
            self.sounds.engine.close(media.stream);
        }
        self.apply_sound();
    }

    fn accept_replacing(&mut self, now: Instant, id: CallId) -> Result<(), StepError> {
        let hold = self.calls.get(id).map(Call::hold).unwrap_or_default();
        let direction = media_direction(hold);
        let description = match self.answer_offer(now, id, direction)? {
            Some(answer) => answer,
            None => self.offer_in_answer(id, direction)?,
        };
        let line = self.lines.get(&id).ok_or(StepError::Gone)?;
        let session = line.session.ok_or(StepError::Gone)?;
        Ok(self.ua.accept(now, session, Some(Body::sdp(description)))?)
    }

    fn rename(&mut self, id: CallId, incoming: &Incoming) {
        let peer = self.recognised(peer_of(&incoming.caller));
        if let Some(line) = self.lines.get_mut(&id) {
            line.peer = peer;
        }
    }

    // --- what is shown ---

    /// Why a transfer failed: what kept the wish from the peer, or else what was said.
    fn transfer_reason(&self, call: CallId, failure: Failure, rang: bool) -> Option<Code> {
        let unreached = self.lines.get(&call).and_then(|line| line.unreached);
        let refused = matches!(failure, Failure::Refused(_));
        let reason = unreached.filter(|_| refused).or_else(|| reason_of(failure, rang));
        let to = self.calls.get(call).and_then(|call| call.transfer().plan());
        let number = to.and_then(|plan| Uri::parse(&plan.to).ok()).and_then(|to| to.user());
        let account = self.lines.get(&call).map(|line| line.account.as_str());
        self.why_forbidden(account.unwrap_or_default(), &number.unwrap_or_default(), reason)
    }

    /// A call's transfer, while it is under way and while the caller waits here after it failed.
    pub(super) fn transfer_view(&self, call: &Call) -> Option<TransferView> {
        let transfer = call.transfer();
        let failure = transfer.returned();
        let done = matches!(transfer.progress(), Some(Progress::Done { .. }));
        let progress = match failure {
            Some(failure) => Progress::Failed(failure),
            None if transfer.is_under_way() || done => transfer.progress()?,
            None => return None,
        };
        let to = transfer.plan().and_then(|plan| Uri::parse(&plan.to).ok());
        let account = self.lines.get(&call.id()).and_then(|line| self.account(&line.account));
        let to = to.map(|uri| self.target_peer(account, &uri));
        Some(TransferView {
            state: state_of(progress),
            to: to.unwrap_or_default(),
            reason: failure
                .and_then(|failure| self.transfer_reason(call.id(), failure, transfer.rang())),
            status: failure.and_then(status_of),
        })
    }
}

/// Whether callers are sent on by ringing the new party first.
fn is_supervised(account: &Account) -> bool {
    match account.settings.blind_transfer {
        BlindTransfer::Refer => false,
        BlindTransfer::Supervised => true,
        BlindTransfer::Auto => account.is_asterisk(),
    }
}

/// Whom to ask the peer to call.
#[derive(Debug, Clone)]
pub(super) enum ReferTo {
    /// This address.
    Target(String),
    /// The peer of that call, in our place.
    Instead(CallId),
}

/// What a call ran on before somebody took its peer's place.
struct Before {
    session: Option<SessionId>,
    negotiator: sdp::Negotiator,
    media: Option<Media>,
    source: Option<std::net::IpAddr>,
    secret: bool,
    offered: bool,
    answer: Option<Vec<u8>>,
}

fn state_of(progress: Progress) -> TransferState {
    match progress {
        Progress::Trying => TransferState::Trying,
        Progress::Ringing => TransferState::Ringing,
        Progress::Done { .. } => TransferState::Done,
        Progress::Failed(_) => TransferState::Failed,
    }
}

fn status_of(failure: Failure) -> Option<u16> {
    match failure {
        Failure::Refused(status) | Failure::NotReached(status) | Failure::ConsultOver(status) => {
            status
        }
        _ => None,
    }
}

/// Why a caller is ours again, in the program's words. `rang`: it rang at the new party.
fn reason_of(failure: Failure, rang: bool) -> Option<Code> {
    match failure {
        Failure::Refused(_) => Some(Code::TransferRefused),
        Failure::NotReached(status) => {
            Some(status.map_or(Code::TransferFailed, |status| cause::of_call_status(status, rang)))
        }
        Failure::ConsultOver(status) => status.map(|status| cause::of_call_status(status, false)),
        Failure::Unknown => Some(Code::TransferUnknown),
        Failure::TakenBack => Some(Code::TakenBack),
        Failure::CallerGone => Some(Code::Cancelled),
        Failure::LineLost => Some(Code::ConnectionLost),
        Failure::HungUp => None,
    }
}
