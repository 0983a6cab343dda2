//! One call.
//!
//! Inputs from the user: [`Command`] (answer, ring, progress, reject, redirect, hang up, hold,
//! resume, mute, digits, refresh, update, transfers). Inputs from the line: [`Signal`] (ringing there, early
//! media, answered, hold and resume agreed or refused, held by the peer, replaced, news of a
//! transfer, ended). Input from the other calls: [`Call::make_way`], since only one call may be
//! live. Input from the clock: [`Call::overdue`], for a transfer that nobody reports about.
//!
//! Hold is a wish and an agreement: the wish acts at once on our own sound, the agreement is what the
//! peer has confirmed. While both differ and no offer is under way, an offer is made; so commands
//! given during an offer are kept, not refused.

use std::fmt;
use std::time::Instant;

use tracing::debug;

use crate::transfer::{Failure, News, Plan, Transfer};

/// Names a call for its whole life; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Somebody calls us.
    In,
    /// We call somebody.
    Out,
}

/// What a person sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Outgoing, nothing heard yet.
    Dialing,
    /// It rings, here (in) or there (out).
    Ringing,
    /// Outgoing, with sound before the answer.
    Early,
    /// In conversation.
    Active,
    /// We hold the peer.
    Held,
    /// The peer holds us.
    HeldByPeer,
    /// Being transferred.
    Transferring,
    /// Over.
    Ended,
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The user here.
    Local,
    /// The other side or its exchange.
    Remote,
    /// Nobody: the way between went away.
    Network,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// By whom.
    pub by: Party,
    /// SIP status, when one was sent or received.
    pub status: Option<u16>,
    /// Words that came with it, for support.
    pub text: String,
    /// True when another device of the user took the call.
    pub elsewhere: bool,
}

impl End {
    /// An end without words.
    pub fn new(by: Party, status: Option<u16>) -> End {
        End { by, status, text: String::new(), elsewhere: false }
    }
}

/// How a call went, in retrospect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was a conversation.
    Answered,
    /// Incoming, nobody answered.
    Missed,
    /// Incoming, declined or sent elsewhere, here.
    Declined,
    /// Outgoing, not answered or given up.
    NoAnswer,
    /// Outgoing, busy or declined there.
    Busy,
    /// Outgoing, failed.
    Failed,
}

/// What the user may ask of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Answer it.
    Answer,
    /// Tell the caller that it rings.
    Ring,
    /// Let sound flow before the answer.
    Progress,
    /// Decline with a SIP status.
    Reject(u16),
    /// Send it elsewhere.
    Redirect(String),
    /// End it, whatever its state.
    Hangup,
    /// End it before it is answered, for a call that fetches somebody who waits: should the answer be on its way, he is
    /// here, and is put on hold rather than hung up on.
    GiveUp,
    /// Put on hold.
    Hold,
    /// Take back.
    Resume,
    /// Stop (true) or start sending the microphone.
    Mute(bool),
    /// Send digits.
    Dtmf(String),
    /// Offer the present description again.
    Refresh,
    /// The same by UPDATE, where the peer takes one.
    Update,
    /// Send the peer to this number or address.
    TransferBlind(String),
    /// Call this number or address first, with the peer on hold. See
    /// [`CallControl::consult`](crate::CallControl::consult).
    TransferConsult(String),
    /// Connect the peer with the consulted party. For either of both calls.
    TransferComplete,
    /// Take the peer back, whatever the transfer's or the consultation's state. For either of both calls.
    TransferCancel,
}

/// What the line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// It rings at the peer.
    Ringing,
    /// Sound flows before the answer.
    EarlyMedia,
    /// The peer answered.
    Answered,
    /// The peer holds us (true) or took us back.
    HeldByPeer(bool),
    /// Our offer of hold, resume or refresh was accepted.
    OfferAccepted,
    /// It was refused; the call goes on as it was.
    OfferRefused,
    /// Somebody else has taken the peer's place; he hears and is heard.
    Replaced,
    /// The peer agreed to transfer itself.
    TransferAccepted,
    /// It rings at the new party.
    TransferRinging,
    /// The peer is connected with the new party.
    TransferDone,
    /// The new party was not reached.
    TransferFailed {
        /// SIP status that was told.
        status: Option<u16>,
    },
    /// The peer would not transfer itself, or could not be asked.
    TransferRefused {
        /// SIP status of the refusal.
        status: Option<u16>,
    },
    /// Nobody will tell what becomes of the transfer.
    TransferUnknown,
    /// It is over.
    Ended(End),
}

/// What the line must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Call the peer.
    Invite,
    /// Answer 180.
    Ring,
    /// Answer 183 with a description.
    Progress,
    /// Answer 200.
    Accept,
    /// Answer this status.
    Reject(u16),
    /// Answer 302.
    Redirect(String),
    /// CANCEL, BYE or a refusal, as the dialog demands.
    Hangup,
    /// CANCEL; an answer that crosses it counts.
    GiveUp,
    /// The peer has passed the call on: leave its end to the peer for a moment, then as `Hangup`.
    HandOver,
    /// Offer hold (true), resume or a refresh of either.
    Offer {
        /// True: we hold.
        hold: bool,
    },
    /// The same by UPDATE, where the peer takes one.
    Update {
        /// True: we hold.
        hold: bool,
    },
    /// Send the microphone no longer (true), or again.
    Mute(bool),
    /// Send digits.
    Dtmf(String),
    /// Ask the peer to call this number or address.
    Refer {
        /// Whom.
        to: String,
    },
    /// Ask the peer to take another call's place.
    ReferReplacing {
        /// The other call; its peer and this one will be connected.
        other: CallId,
    },
}

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such call, or it is over.
    #[error("there is no such call")]
    UnknownCall,
    /// Not in this state.
    #[error("not possible while the call is {0:?}")]
    WrongState(State),
    /// No digits that a telephone has.
    #[error("digits are 0-9, *, #, A-D")]
    BadDigits,
    /// Nowhere to go.
    #[error("a transfer needs a target")]
    NoTarget,
    /// Nobody to talk with at once.
    #[error("a conference needs two calls or more")]
    TooFew,
    /// No status a call can be declined with.
    #[error("a call is declined with a status from 400 to 699")]
    BadStatus,
}

/// What is wished and what is agreed about hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HoldState {
    /// We want the peer on hold.
    pub wanted: bool,
    /// The peer knows that it is on hold.
    pub agreed: bool,
    /// An offer is under way, of hold (true) or of talking.
    pub offering: Option<bool>,
    /// The peer holds us.
    pub by_peer: bool,
}

impl HoldState {
    /// The peer is on hold, is to be, or is about to be.
    fn holds(self) -> bool {
        self.wanted || self.agreed || self.offering == Some(true)
    }
}

/// How far a call is, without hold.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Dialing,
    Ringing,
    Early,
    Up,
    Over(End),
}

/// Whom a consultation is for, and who is consulted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Consult {
    pub(crate) of: CallId,
    pub(crate) to: String,
    /// It is only called for the other; nobody here has anything to say to it.
    pub(crate) supervised: bool,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    id: CallId,
    direction: Direction,
    phase: Phase,
    hold: HoldState,
    muted: bool,
    started: Instant,
    answered: Option<Instant>,
    since: Instant,
    declined: bool,
    consult: Option<Consult>,
    transfer: Transfer,
    conference: bool,
    /// The user has given it up; its end is on the way, or its answer.
    given_up: bool,
}

impl Call {
    pub(crate) fn new(id: CallId, direction: Direction, now: Instant) -> Call {
        let phase = match direction {
            Direction::In => Phase::Ringing,
            Direction::Out => Phase::Dialing,
        };
        debug!(call = id.0, "new, {direction:?} -> {phase:?}");
        Call {
            id,
            direction,
            phase,
            hold: HoldState::default(),
            muted: false,
            started: now,
            answered: None,
            since: now,
            declined: false,
            consult: None,
            transfer: Transfer::default(),
            conference: false,
            given_up: false,
        }
    }

    /// Its id.
    pub fn id(&self) -> CallId {
        self.id
    }

    /// Who began.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// What a person sees.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Dialing => State::Dialing,
            Phase::Ringing => State::Ringing,
            Phase::Early => State::Early,
            Phase::Up if self.transfer.is_under_way() => State::Transferring,
            Phase::Up if self.hold.holds() => State::Held,
            Phase::Up if self.hold.by_peer => State::HeldByPeer,
            Phase::Up => State::Active,
            Phase::Over(_) => State::Ended,
        }
    }

    /// Hold in detail.
    pub fn hold(&self) -> HoldState {
        self.hold
    }

    /// True while the microphone is not sent.
    pub fn muted(&self) -> bool {
        self.muted
    }

    /// When it began.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// When it was answered.
    pub fn answered(&self) -> Option<Instant> {
        self.answered
    }

    /// Since when it is in its state.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// The call that this one is a consultation for, or is rung for in a supervised transfer.
    pub fn consult_of(&self) -> Option<CallId> {
        self.consult.as_ref().map(|consult| consult.of)
    }

    /// True while it is rung for another call's supervised transfer, and nobody here talks to it.
    pub fn is_rung_for_another(&self) -> bool {
        self.called_for().is_some()
    }

    /// Its transfer: under way, the last one, or none.
    pub fn transfer(&self) -> &Transfer {
        &self.transfer
    }

    /// True while it is a member of the conference: it hears the user and the other members that are not on
    /// hold.
    pub fn in_conference(&self) -> bool {
        self.conference
    }

    /// How it ended, when it did.
    pub fn end(&self) -> Option<&End> {
        match &self.phase {
            Phase::Over(end) => Some(end),
            _ => None,
        }
    }

    /// How it went; meaningful once it is over.
    pub fn outcome(&self) -> Outcome {
        if self.answered.is_some() {
            return Outcome::Answered;
        }
        let end = self.end();
        let status = end.and_then(|end| end.status);
        match self.direction {
            Direction::In if self.declined => Outcome::Declined,
            Direction::In if end.is_some_and(|end| end.elsewhere) => Outcome::Answered,
            Direction::In => Outcome::Missed,
            Direction::Out if end.is_some_and(|end| end.by == Party::Local) => Outcome::NoAnswer,
            Direction::Out => match status {
                Some(486 | 600 | 603) => Outcome::Busy,
                Some(408 | 480 | 487) => Outcome::NoAnswer,
                _ => Outcome::Failed,
            },
        }
    }

    /// True while it is answered and not put on hold by us: the call that has the user's ear.
    pub fn is_live(&self) -> bool {
        self.phase == Phase::Up && !self.hold.wanted
    }

    /// True while an answered or early call wants sound.
    pub(crate) fn is_early(&self) -> bool {
        self.phase == Phase::Early
    }

    /// True while it rings at the peer, or sounds before the answer.
    pub(crate) fn is_ringing(&self) -> bool {
        matches!(self.phase, Phase::Ringing | Phase::Early)
    }

    pub(crate) fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }

    /// Can this be asked now? Arguments are not looked at, and of a consultation not whom it is for.
    pub(crate) fn allows(&self, command: &Command) -> bool {
        let incoming = self.direction == Direction::In && self.phase == Phase::Ringing;
        match command {
            Command::Answer
            | Command::Ring
            | Command::Progress
            | Command::Reject(_)
            | Command::Redirect(_) => incoming,
            Command::Hangup => !self.is_over(),
            Command::GiveUp => self.direction == Direction::Out && !self.is_up() && !self.is_over(),
            Command::Hold => self.is_live(),
            Command::Resume => self.is_up() && self.hold.wanted && !self.transfer.is_under_way(),
            Command::Mute(_) => !self.is_over() && !incoming,
            Command::Dtmf(_) => self.is_live() || self.is_early(),
            Command::Refresh | Command::Update => self.is_up() && self.hold.offering.is_none(),
            Command::TransferBlind(_) | Command::TransferConsult(_) => {
                self.is_up() && self.consult.is_none() && self.transfer.may_begin()
            }
            Command::TransferComplete => self.is_up() && self.transfer.may_complete(),
            Command::TransferCancel => self.is_up() && self.transfer.may_take_back(),
        }
    }

    /// Obeys the user. The set of calls has made the others give way.
    pub(crate) fn command(
        &mut self,
        now: Instant,
        command: Command,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        if !self.allows(&command) {
            return Err(Refusal::WrongState(self.state()));
        }
        check_arguments(&command)?;
        match command {
            Command::Answer => {
                actions.push(Action::Accept);
                self.answered = Some(now);
                self.enter(now, Phase::Up, "answer");
            }
            Command::Ring => actions.push(Action::Ring),
            Command::Progress => actions.push(Action::Progress),
            Command::Reject(status) => {
                actions.push(Action::Reject(status));
                self.declined = true;
                self.finish(now, End::new(Party::Local, Some(status)), "reject");
            }
            Command::Redirect(to) => {
                actions.push(Action::Redirect(to));
                self.declined = true;
                self.finish(now, End::new(Party::Local, Some(302)), "redirect");
            }
            Command::Hangup => {
                actions.push(Action::Hangup);
                self.declined = self.direction == Direction::In && self.answered.is_none();
                self.finish(now, End::new(Party::Local, None), "hang up");
            }
            Command::GiveUp if self.given_up => {}
            Command::GiveUp => {
                actions.push(Action::GiveUp);
                self.given_up = true;
                // Nothing rings in the user's ear any more.
                self.enter(now, Phase::Dialing, "give up");
            }
            Command::Hold => self.wish(now, true, "hold", actions),
            Command::Resume => {
                self.transfer.seen();
                self.wish(now, false, "resume", actions);
            }
            Command::Mute(on) => {
                self.muted = on;
                actions.push(Action::Mute(on));
            }
            Command::Dtmf(digits) => actions.push(Action::Dtmf(digits)),
            Command::Refresh => {
                self.hold.offering = Some(self.hold.wanted);
                actions.push(Action::Offer { hold: self.hold.wanted });
            }
            Command::Update => {
                self.hold.offering = Some(self.hold.wanted);
                actions.push(Action::Update { hold: self.hold.wanted });
            }
            Command::TransferBlind(to) => self.send_to(now, Plan { to, with: None }, actions),
            // These concern two calls: the set of calls does the one with the other.
            Command::TransferConsult(_) | Command::TransferComplete | Command::TransferCancel => {
                return Err(Refusal::WrongState(self.state()));
            }
        }
        Ok(())
    }

    /// Another call takes the user's ear.
    pub(crate) fn make_way(&mut self, now: Instant, actions: &mut Vec<Action>) {
        if self.is_live() {
            self.wish(now, true, "make way", actions);
        }
    }

    /// Hears the line. `contended`: another call is live. What does not fit the state is ignored.
    pub(crate) fn signal(
        &mut self,
        now: Instant,
        signal: Signal,
        contended: bool,
        actions: &mut Vec<Action>,
    ) {
        let outgoing = self.direction == Direction::Out;
        match (&self.phase, signal) {
            (Phase::Over(_), signal) => debug!(call = self.id.0, "over, {signal:?} -> over"),
            // Where nobody confirmed it, he may have come for nothing: that is told as it is.
            (_, Signal::Ended(end))
                if self.given_up && !self.is_up() && end.by != Party::Network =>
            {
                self.finish(now, End::new(Party::Local, None), "given up");
            }
            (_, Signal::Ended(end)) => self.finish(now, end, "ended"),
            (Phase::Dialing, Signal::Ringing | Signal::EarlyMedia) if self.given_up => {
                debug!(call = self.id.0, "given up, it rings -> ignored");
            }
            (Phase::Dialing, Signal::Ringing) => self.enter(now, Phase::Ringing, "ringing"),
            (Phase::Dialing | Phase::Ringing, Signal::EarlyMedia) if outgoing => {
                self.enter(now, Phase::Early, "early media");
            }
            (Phase::Dialing | Phase::Ringing | Phase::Early, Signal::Answered) if outgoing => {
                self.answered = Some(now);
                self.enter(now, Phase::Up, "answered");
                if contended || self.given_up {
                    // The user talks to somebody else meanwhile, or wants nobody: this one waits with music.
                    self.wish(now, true, "make way", actions);
                }
            }
            (phase, Signal::Replaced) if outgoing || *phase == Phase::Up => {
                self.replaced(now, contended);
            }
            (Phase::Up, Signal::HeldByPeer(on)) => {
                self.hold_change(now, "held by peer", |call| call.hold.by_peer = on);
            }
            (Phase::Up, Signal::OfferAccepted) => self.offer_done(now, true, contended, actions),
            (Phase::Up, Signal::OfferRefused) => self.offer_done(now, false, contended, actions),
            (Phase::Up, signal) => match news(&signal) {
                Some(news) => self.transfer_news(now, news, actions),
                None => debug!(call = self.id.0, "up, {signal:?} -> ignored"),
            },
            (phase, signal) => debug!(call = self.id.0, "{phase:?}, {signal:?} -> ignored"),
        }
    }

    // --- conference ---

    /// Whether it can be a member of a conference.
    pub(crate) fn may_confer(&self) -> bool {
        self.is_up() && !self.transfer.is_under_way() && self.called_for().is_none()
    }

    /// Becomes a member: the user hears it together with the others.
    pub(crate) fn confer(&mut self, now: Instant, actions: &mut Vec<Action>) {
        self.conference = true;
        self.transfer.seen();
        self.wish(now, false, "conference", actions);
    }

    /// A call like any again.
    pub(crate) fn leave_conference(&mut self) {
        self.conference = false;
    }

    // --- transfer ---

    /// Begins a transfer: the peer is put on hold first, then asked.
    pub(crate) fn send_to(&mut self, now: Instant, plan: Plan, actions: &mut Vec<Action>) {
        self.conference = false;
        self.hold_change(now, "transfer", |call| {
            call.transfer.begin(plan);
            call.hold.wanted = true;
        });
        self.converge(actions);
        self.refer_when_held(now, actions);
    }

    /// This call waits while the user asks somebody else.
    pub(crate) fn waits_for(&mut self, with: CallId) {
        self.conference = false;
        self.transfer.begin_consult(with);
    }

    /// We ring the new party ourselves; this call is on hold meanwhile.
    pub(crate) fn send_supervised(
        &mut self,
        now: Instant,
        to: String,
        with: CallId,
        actions: &mut Vec<Action>,
    ) {
        self.conference = false;
        self.hold_change(now, "supervised transfer", |call| {
            call.transfer.begin_supervised(now, to, with);
            call.hold.wanted = true;
        });
        self.converge(actions);
    }

    /// The new party that is rung for this call has news.
    pub(crate) fn target_news(&mut self, now: Instant, answered: bool, actions: &mut Vec<Action>) {
        self.hold_change(now, "news of the new party", |call| match answered {
            true => call.transfer.answered(),
            false => call.transfer.rings(),
        });
        self.refer_when_held(now, actions);
    }

    pub(crate) fn is_consult(&mut self, of: CallId, to: String) {
        self.consult = Some(Consult { of, to, supervised: false });
    }

    /// It is called for `of` alone: nothing that is said here is for its ears.
    pub(crate) fn is_called_for(&mut self, of: CallId, to: String) {
        self.consult = Some(Consult { of, to, supervised: true });
        self.muted = true;
    }

    /// The user wants nothing of it any more but that it takes the caller.
    pub(crate) fn is_rung_from_here(&mut self, actions: &mut Vec<Action>) {
        if let Some(consult) = &mut self.consult {
            consult.supervised = true;
            self.muted = true;
            actions.push(Action::Mute(true));
        }
    }

    /// The call that this one is rung for, while it is nobody's consultation.
    pub(crate) fn called_for(&self) -> Option<CallId> {
        self.consult.as_ref().filter(|consult| consult.supervised).map(|consult| consult.of)
    }

    /// The caller could not be passed on: the user may talk to the new party, as in any consultation.
    pub(crate) fn becomes_consult(&mut self, actions: &mut Vec<Action>) {
        if let Some(consult) = self.consult.as_mut().filter(|consult| consult.supervised) {
            consult.supervised = false;
            self.muted = false;
            actions.push(Action::Mute(false));
        }
    }

    pub(crate) fn consulted(&self) -> Option<&str> {
        self.consult.as_ref().map(|consult| consult.to.as_str())
    }

    /// The call that this one was a consultation for is over or in other hands.
    pub(crate) fn stands_alone(&mut self) {
        self.consult = None;
    }

    /// Goes on without the consultation.
    pub(crate) fn leaves_consult(&mut self) {
        self.transfer.leave_consult();
    }

    pub(crate) fn consult_over(&mut self, status: Option<u16>) {
        self.transfer.consult_over(status);
    }

    /// The user wants the peer back; [`Call::take_ear`] follows.
    pub(crate) fn take_back(&mut self, now: Instant) {
        self.hold_change(now, "take back", |call| call.transfer.take_back(now));
    }

    pub(crate) fn take_ear(&mut self, now: Instant, actions: &mut Vec<Action>) {
        self.wish(now, false, "take back", actions);
    }

    /// Time is up for the transfer.
    pub(crate) fn overdue(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let mut probe = false;
        self.hold_change(now, "overdue", |call| probe = call.transfer.overdue(now));
        if probe && self.hold.offering.is_none() {
            self.hold.offering = Some(self.hold.wanted);
            actions.push(Action::Offer { hold: self.hold.wanted });
        }
    }

    fn refer_when_held(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let held = self.hold.agreed && self.hold.offering.is_none();
        let plan = self.transfer.plan().cloned();
        if let (true, true, Some(plan)) = (held, self.transfer.waits_for_hold(), plan) {
            actions.push(match plan.with {
                Some(other) => Action::ReferReplacing { other },
                None => Action::Refer { to: plan.to },
            });
            self.transfer.ask(now);
        }
    }

    fn transfer_news(&mut self, now: Instant, news: News, actions: &mut Vec<Action>) {
        let mut gone = false;
        self.hold_change(now, "news of the transfer", |call| gone = call.transfer.hear(now, news));
        if gone {
            self.hand_over(now, actions);
        }
    }

    /// Somebody else has taken our place in it.
    pub(crate) fn hand_over(&mut self, now: Instant, actions: &mut Vec<Action>) {
        if !self.is_over() {
            actions.push(Action::HandOver);
            self.finish(now, End::new(Party::Local, None), "handed over");
        }
    }

    /// Somebody else is at the other end: what was agreed about hold and transfer is void.
    fn replaced(&mut self, now: Instant, contended: bool) {
        if !self.is_up() {
            self.answered = Some(now);
            self.enter(now, Phase::Up, "replaced");
        }
        self.hold_change(now, "replaced", |call| {
            call.transfer.peer_changed();
            // The newcomer is answered as the user wishes it to stand.
            let wanted = call.hold.wanted || contended;
            call.hold = HoldState { wanted, agreed: wanted, ..HoldState::default() };
        });
    }

    // --- hold ---

    fn offer_done(
        &mut self,
        now: Instant,
        accepted: bool,
        contended: bool,
        actions: &mut Vec<Action>,
    ) {
        let Some(offered) = self.hold.offering else {
            debug!(call = self.id.0, "no offer, its answer -> ignored");
            return;
        };
        let event = if accepted { "offer accepted" } else { "offer refused" };
        let silent = contended || self.transfer.is_under_way();
        self.hold_change(now, event, |call| {
            call.transfer.stands();
            let hold = &mut call.hold;
            hold.offering = None;
            if accepted {
                hold.agreed = offered;
            } else if offered == hold.agreed {
                // A refresh was refused: nothing has changed.
            } else if offered && hold.wanted && !silent {
                // The peer would not be held: the user has it again.
                hold.wanted = false;
            } else if offered {
                // Silent all the same, since somebody else has the user's ear or is to have the peer.
                hold.agreed = true;
            } else {
                // A refused resume leaves it on hold; the user may try again.
                hold.wanted = hold.agreed;
            }
        });
        self.converge(actions);
        self.refer_when_held(now, actions);
    }

    fn wish(&mut self, now: Instant, hold: bool, event: &str, actions: &mut Vec<Action>) {
        self.hold_change(now, event, |call| call.hold.wanted = hold);
        self.converge(actions);
    }

    /// Makes an offer when wish and agreement differ.
    fn converge(&mut self, actions: &mut Vec<Action>) {
        let hold = &mut self.hold;
        if self.phase == Phase::Up && hold.offering.is_none() && hold.wanted != hold.agreed {
            hold.offering = Some(hold.wanted);
            actions.push(Action::Offer { hold: hold.wanted });
        }
    }

    fn hold_change(&mut self, now: Instant, event: &str, change: impl FnOnce(&mut Call)) {
        let before = self.state();
        change(self);
        let after = self.state();
        if before != after {
            self.since = now;
        }
        debug!(call = self.id.0, "{before:?}, {event} -> {after:?}");
    }

    fn enter(&mut self, now: Instant, phase: Phase, event: &str) {
        debug!(call = self.id.0, "{:?}, {event} -> {phase:?}", self.phase);
        self.phase = phase;
        self.since = now;
    }

    fn finish(&mut self, now: Instant, end: End, event: &str) {
        self.transfer.line_over(end.by);
        self.conference = false;
        self.enter(now, Phase::Over(end), event);
        self.hold = HoldState::default();
    }
}

/// What a signal says about a transfer.
fn news(signal: &Signal) -> Option<News> {
    match signal {
        Signal::TransferAccepted => Some(News::Accepted),
        Signal::TransferRinging => Some(News::Ringing),
        Signal::TransferDone => Some(News::Done),
        Signal::TransferFailed { status } => Some(News::Failed(Failure::NotReached(*status))),
        Signal::TransferRefused { status } => Some(News::Failed(Failure::Refused(*status))),
        Signal::TransferUnknown => Some(News::Unknown),
        _ => None,
    }
}

pub(crate) fn check_arguments(command: &Command) -> Result<(), Refusal> {
    let digit = |c: char| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D' | 'a'..='d');
    match command {
        Command::Dtmf(digits) if digits.is_empty() || !digits.chars().all(digit) => {
            Err(Refusal::BadDigits)
        }
        Command::TransferBlind(to) | Command::TransferConsult(to) if to.is_empty() => {
            Err(Refusal::NoTarget)
        }
        Command::Reject(status) if !(400..=699).contains(status) => Err(Refusal::BadStatus),
        _ => Ok(()),
    }
}
