//! One subscription to somebody's events (RFC 6665 section 4.1), as the subscriber.
//!
//! Inputs from the owner: subscribe, refresh, change, unsubscribe, the network changed, the account
//! is registered again. From the resolver: located, not located. From the transactions: 2xx,
//! challenge, 423, refusal, failure. From the notifier: NOTIFY with its Subscription-State. From
//! the clock: refresh due, expired, no NOTIFY in time (timer N), retry due.
//!
//! The dialog is founded by the first NOTIFY and not by the 2xx (section 4.4.1), so it does not
//! matter which of them comes first. What a body says is not read here.

mod agent;
mod answers;
mod attempt;
mod notify;
mod timing;

use std::{
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

use sip_types::{StatusCode, Uri};

use crate::{AccountId, Body, Event, SubscriptionId, dialog::Dialog, shared::Cx};

pub(crate) use agent::Names;

use attempt::{Attempt, Kind};

/// Changes that wait for the SUBSCRIBE under way; more are refused.
const MAX_WAITING: usize = 16;

/// What to subscribe to.
#[derive(Clone, Debug)]
pub struct Subscribe {
    /// Whose events: the Request-URI and To.
    pub uri: Uri,
    /// The Event header: a package and perhaps an id, `dialog`, `dialog;id=7`.
    pub event: String,
    /// The Accept header, one media type each.
    pub accept: Vec<String>,
    /// Seconds to ask for, at least 1. The server may grant less, or ask for more (423).
    pub expires: u32,
    /// The URI may be a list of resources (RFC 4662): the server is told that we can read one.
    pub event_list: bool,
    /// Keep every subscription that a forking proxy installs, not only the first. Only for
    /// packages that allow it (`message-summary`, RFC 3842 section 3.9).
    pub all_forks: bool,
}

impl Subscribe {
    /// A subscription for 600 seconds to one resource.
    #[must_use]
    pub fn new(uri: Uri, event: impl Into<String>, accept: &[&str]) -> Self {
        Self {
            uri,
            event: event.into(),
            accept: accept.iter().map(|&kind| kind.to_owned()).collect(),
            expires: 600,
            event_list: false,
            all_forks: false,
        }
    }
}

/// How a subscription stands. Only `Ended` is final: from everything else it comes back by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    /// Asked for, or waiting for somebody's permission.
    Pending,
    /// Notifications come.
    Active {
        /// Seconds granted when it last changed.
        expires: u32,
    },
    /// It does not stand at the moment and is tried again by itself.
    Retrying {
        /// When.
        at: Instant,
        /// What went wrong.
        cause: SubscriptionCause,
    },
    /// It is over. Comes exactly once, and last.
    Ended {
        /// Why.
        cause: SubscriptionCause,
    },
}

/// Why a subscription does not stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionCause {
    /// The owner wished it.
    Unsubscribed,
    /// The SUBSCRIBE was refused.
    Refused {
        /// The final response.
        status: StatusCode,
        /// In the server's words.
        reason: String,
    },
    /// The notifier ended it with this reason (RFC 6665 section 4.1.3): `deactivated`,
    /// `probation`, `rejected`, `timeout`, `giveup`, `noresource`, `invariant`, another, or none.
    Terminated {
        /// The reason, in lower case.
        reason: Option<String>,
    },
    /// The SUBSCRIBE was accepted and no NOTIFY followed (timer N).
    NoNotify,
    /// It could not be refreshed before it expired.
    Expired,
    /// The server cannot be reached.
    Unreachable {
        /// In words.
        reason: String,
    },
}

impl fmt::Display for SubscriptionCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsubscribed => f.write_str("unsubscribed"),
            Self::Refused { status, reason } => write!(f, "{} {reason}", status.code()),
            Self::Terminated { reason: Some(reason) } => write!(f, "terminated: {reason}"),
            Self::Terminated { reason: None } => f.write_str("terminated"),
            Self::NoNotify => f.write_str("no NOTIFY came"),
            Self::Expired => f.write_str("expired"),
            Self::Unreachable { reason } => f.write_str(reason),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first SUBSCRIBE is under way, or its NOTIFY is waited for.
    Trying,
    /// The notifier knows us but may not tell us yet.
    Pending,
    /// The notifier tells us.
    Active,
    /// Tried again by itself, with a new dialog.
    Retrying { at: Instant },
    /// The last SUBSCRIBE is under way, or its NOTIFY is waited for.
    Leaving,
    /// Nothing is left to do.
    Gone,
}

/// One subscription.
pub(crate) struct Subscription {
    pub id: SubscriptionId,
    pub account: AccountId,
    /// The subscription a proxy forked this one from. A fork is told of under its parent's id,
    /// and ends in silence.
    pub parent: Option<SubscriptionId>,
    wish: Subscribe,
    event: sip_types::Event,
    state: State,
    call_id: String,
    tag: String,
    /// CSeq of the SUBSCRIBE sent last, until there is a dialog.
    seq: u32,
    dialog: Option<Dialog>,
    attempt: Option<Attempt>,
    /// Changes that wait until the SUBSCRIBE under way is answered.
    waiting: VecDeque<Body>,
    /// A refresh was asked for while a SUBSCRIBE was under way.
    again: bool,
    /// Seconds to ask for, as a 423 may have raised them.
    expires: u32,
    /// Seconds granted last.
    granted: u32,
    /// When the notifier forgets us.
    until: Option<Instant>,
    refresh_at: Option<Instant>,
    /// Timer N.
    notify_by: Option<Instant>,
    /// A NOTIFY has come since the SUBSCRIBE under way was sent.
    heard: bool,
    failures: u32,
    held_since: Option<Instant>,
    /// The owner wants it over.
    leaving: bool,
    reported: Option<SubscriptionState>,
}

impl Subscription {
    /// Subscribes: the SUBSCRIBE leaves at once if the way is known.
    pub(crate) fn begin(
        cx: &mut Cx<'_>,
        id: SubscriptionId,
        wish: Subscribe,
        event: sip_types::Event,
    ) -> Self {
        let (call_id, tag) = (cx.shared.random.token(24), cx.shared.random.token(10));
        let mut subscription = Self {
            id,
            account: cx.account.id,
            parent: None,
            expires: wish.expires.max(1),
            wish,
            event,
            state: State::Trying,
            call_id,
            tag,
            seq: 0,
            dialog: None,
            attempt: None,
            waiting: VecDeque::new(),
            again: false,
            granted: 0,
            until: None,
            refresh_at: None,
            notify_by: None,
            heard: false,
            failures: 0,
            held_since: None,
            leaving: false,
            reported: None,
        };
        subscription.report(cx, SubscriptionState::Pending);
        subscription.send(cx, Kind::First, None);
        subscription
    }

    /// A fork of this subscription, which its first NOTIFY is about to found.
    fn fork(&self, id: SubscriptionId) -> Self {
        Self {
            id,
            account: self.account,
            parent: Some(self.id),
            wish: self.wish.clone(),
            event: self.event.clone(),
            state: State::Trying,
            call_id: self.call_id.clone(),
            tag: self.tag.clone(),
            seq: self.seq,
            dialog: None,
            attempt: None,
            waiting: VecDeque::new(),
            again: false,
            expires: self.expires,
            granted: self.granted,
            until: None,
            refresh_at: None,
            notify_by: None,
            heard: true,
            failures: 0,
            held_since: None,
            leaving: false,
            reported: None,
        }
    }

    /// Call-ID and our tag: what its NOTIFYs are told by.
    fn own_name(&self) -> (String, String) {
        (self.call_id.clone(), self.tag.clone())
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_gone(&self) -> bool {
        self.state == State::Gone
    }

    /// Whether commands are refused.
    pub(crate) fn has_ended(&self) -> bool {
        self.leaving || self.is_gone()
    }

    /// Whether its dialog stands: without one a fork is nothing.
    fn is_founded(&self) -> bool {
        self.dialog.is_some()
    }

    fn is_held(&self) -> bool {
        matches!(self.state, State::Active | State::Pending)
    }

    /// The owner wants the full state again, or its subscription renewed.
    pub(crate) fn refresh(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::Active | State::Pending if self.attempt.is_some() => self.again = true,
            State::Active | State::Pending => self.send(cx, Kind::Refresh, None),
            State::Retrying { .. } => self.retry(cx, "refresh"),
            State::Trying | State::Leaving | State::Gone => {}
        }
    }

    /// The owner sends the notifier a document. `false`: too many wait already, or the
    /// subscription does not stand.
    pub(crate) fn change(&mut self, cx: &mut Cx<'_>, body: Body) -> bool {
        if !self.is_held() || self.waiting.len() >= MAX_WAITING {
            return false;
        }
        match self.attempt.is_some() {
            true => self.waiting.push_back(body),
            false => self.send(cx, Kind::Change, Some(&body)),
        }
        true
    }

    /// The owner wants it over.
    pub(crate) fn leave(&mut self, cx: &mut Cx<'_>) {
        self.leaving = true;
        match self.state {
            State::Active | State::Pending => {
                self.attempt = None;
                self.enter(State::Leaving, "unsubscribe");
                self.send(cx, Kind::Last, None);
            }
            // Without a dialog there is nothing to take back yet: the NOTIFY has to come first.
            State::Trying if self.attempt.as_ref().is_none_or(Attempt::is_sent) => {}
            _ => self.end(cx, SubscriptionCause::Unsubscribed, "unsubscribe"),
        }
    }

    /// Our addresses have changed: what the notifier knows as our Contact is no longer true.
    pub(crate) fn network_changed(&mut self, cx: &mut Cx<'_>) {
        let soon = cx.now + cx.shared.delay(Duration::ZERO, Duration::from_millis(500));
        self.failures = 0;
        match self.state {
            State::Active | State::Pending => {
                self.give_up_attempt(cx);
                self.refresh_at = Some(soon);
            }
            State::Trying if self.parent.is_none() && !self.leaving => {
                self.forget_dialog(cx);
                self.enter(State::Retrying { at: soon }, "the network changed");
            }
            State::Retrying { .. } => {
                self.enter(State::Retrying { at: soon }, "the network changed");
            }
            State::Leaving | State::Trying => {
                self.end(cx, SubscriptionCause::Unsubscribed, "the network changed");
            }
            State::Gone => {}
        }
    }

    /// The account is registered again after trouble: its server may have forgotten us.
    pub(crate) fn registered_again(&mut self, cx: &mut Cx<'_>) {
        let soon = cx.now + cx.shared.delay(Duration::ZERO, Duration::from_secs(2));
        match self.state {
            State::Active | State::Pending if self.attempt.is_none() => {
                self.refresh_at = Some(self.refresh_at.map_or(soon, |at| at.min(soon)));
            }
            State::Retrying { at } => {
                self.failures = 0;
                self.enter(State::Retrying { at: at.min(soon) }, "registered again");
            }
            _ => {}
        }
    }

    /// Nothing of the dialog is left; the next SUBSCRIBE founds another.
    fn forget_dialog(&mut self, cx: &mut Cx<'_>) {
        self.give_up_attempt(cx);
        let lost = std::mem::take(&mut self.waiting);
        lost.iter().for_each(|_| self.changed(cx, None));
        self.dialog = None;
        self.again = false;
        (self.until, self.refresh_at, self.notify_by) = (None, None, None);
        self.held_since = None;
        self.granted = 0;
        (self.call_id, self.tag) = (cx.shared.random.token(24), cx.shared.random.token(10));
        self.seq = 0;
    }

    /// The SUBSCRIBE under way is of no use any more; its answer will be ignored.
    fn give_up_attempt(&mut self, cx: &mut Cx<'_>) {
        if self.attempt.take().is_some_and(|attempt| attempt.kind() == Kind::Change) {
            self.changed(cx, None);
        }
    }

    /// Tells the owner what became of a change.
    fn changed(&self, cx: &mut Cx<'_>, status: Option<StatusCode>) {
        cx.shared.event(Event::SubscriptionChangeDone { id: self.id, status });
    }

    fn end(&mut self, cx: &mut Cx<'_>, cause: SubscriptionCause, event: &str) {
        self.forget_dialog(cx);
        self.enter(State::Gone, event);
        self.report(cx, SubscriptionState::Ended { cause });
    }

    fn enter(&mut self, state: State, event: &str) {
        tracing::debug!(subscription = %self.id, "{:?}, {event} -> {state:?}", self.state);
        self.state = state;
    }

    /// Tells the owner, unless it knows. A fork has nothing to tell.
    fn report(&mut self, cx: &mut Cx<'_>, state: SubscriptionState) {
        let known = match (&self.reported, &state) {
            (Some(SubscriptionState::Active { .. }), SubscriptionState::Active { .. }) => true,
            (Some(reported), state) => reported == state,
            (None, _) => false,
        };
        if self.parent.is_none() && !known {
            self.reported = Some(state.clone());
            cx.shared.event(Event::Subscription { id: self.id, state });
        }
    }
}
