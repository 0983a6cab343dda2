//! One call.
//!
//! Inputs from the user: [`Command`] (answer, ring, progress, reject, redirect, hang up, hold,
//! resume, mute, digits, refresh). Inputs from the line: [`Signal`] (ringing there, early media,
//! answered, hold and resume agreed or refused, held by the peer, ended). Input from the other
//! calls: [`Call::make_way`], since only one call may be live.
//!
//! Hold is a wish and an agreement: the wish acts at once on our own sound, the agreement is what the
//! peer has confirmed. While both differ and no offer is under way, an offer is made; so commands
//! given during an offer are kept, not refused.

use std::fmt;
use std::time::Instant;

use tracing::debug;

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
    /// Offer hold (true), resume or a refresh of either.
    Offer {
        /// True: we hold.
        hold: bool,
    },
    /// Send the microphone no longer (true), or again.
    Mute(bool),
    /// Send digits.
    Dtmf(String),
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

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }

    /// Can this be asked now? Arguments are not looked at.
    pub fn allows(&self, command: &Command) -> bool {
        let incoming = self.direction == Direction::In && self.phase == Phase::Ringing;
        match command {
            Command::Answer
            | Command::Ring
            | Command::Progress
            | Command::Reject(_)
            | Command::Redirect(_) => incoming,
            Command::Hangup => !self.is_over(),
            Command::Hold => self.is_live(),
            Command::Resume => self.phase == Phase::Up && self.hold.wanted,
            Command::Mute(_) => !self.is_over() && !incoming,
            Command::Dtmf(_) => self.is_live() || self.is_early(),
            Command::Refresh => self.phase == Phase::Up && self.hold.offering.is_none(),
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
            Command::Hold => self.wish(now, true, "hold", actions),
            Command::Resume => self.wish(now, false, "resume", actions),
            Command::Mute(on) => {
                self.muted = on;
                actions.push(Action::Mute(on));
            }
            Command::Dtmf(digits) => actions.push(Action::Dtmf(digits)),
            Command::Refresh => {
                self.hold.offering = Some(self.hold.wanted);
                actions.push(Action::Offer { hold: self.hold.wanted });
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
            (_, Signal::Ended(end)) => self.finish(now, end, "ended"),
            (Phase::Dialing, Signal::Ringing) => self.enter(now, Phase::Ringing, "ringing"),
            (Phase::Dialing | Phase::Ringing, Signal::EarlyMedia) if outgoing => {
                self.enter(now, Phase::Early, "early media");
            }
            (Phase::Dialing | Phase::Ringing | Phase::Early, Signal::Answered) if outgoing => {
                self.answered = Some(now);
                self.enter(now, Phase::Up, "answered");
                if contended {
                    // The user talks to somebody else meanwhile; this one waits with music.
                    self.wish(now, true, "make way", actions);
                }
            }
            (Phase::Up, Signal::HeldByPeer(on)) => {
                self.hold_change(now, "held by peer", |hold| hold.by_peer = on);
            }
            (Phase::Up, Signal::OfferAccepted) => self.offer_done(now, true, contended, actions),
            (Phase::Up, Signal::OfferRefused) => self.offer_done(now, false, contended, actions),
            (phase, signal) => debug!(call = self.id.0, "{phase:?}, {signal:?} -> ignored"),
        }
    }

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
        self.hold_change(now, event, |hold| {
            hold.offering = None;
            if accepted {
                hold.agreed = offered;
            } else if offered && hold.wanted && !contended {
                // The peer would not be held: the user has it again.
                hold.wanted = false;
            } else if offered {
                // Silent all the same, since somebody else has the user's ear.
                hold.agreed = true;
            } else {
                // A refused resume leaves it on hold; the user may try again.
                hold.wanted = hold.agreed;
            }
        });
        self.converge(actions);
    }

    fn wish(&mut self, now: Instant, hold: bool, event: &str, actions: &mut Vec<Action>) {
        self.hold_change(now, event, |state| state.wanted = hold);
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

    fn hold_change(&mut self, now: Instant, event: &str, change: impl FnOnce(&mut HoldState)) {
        let before = self.state();
        change(&mut self.hold);
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
        self.enter(now, Phase::Over(end), event);
        self.hold = HoldState::default();
    }
}

fn check_arguments(command: &Command) -> Result<(), Refusal> {
    let digit = |c: char| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D' | 'a'..='d');
    match command {
        Command::Dtmf(digits) if digits.is_empty() || !digits.chars().all(digit) => {
            Err(Refusal::BadDigits)
        }
        Command::Reject(status) if !(400..=699).contains(status) => Err(Refusal::BadStatus),
        _ => Ok(()),
    }
}
