//! The own agent: the state that he wants and the one that the exchange says he has.
//!
//! Inputs: what the user asks (state, longer wrap-up, settling a drift); that an outcome must be given (`hold`) or
//! has been (`release`); what the exchange tells (state, its cause); the outcome of requests; time. The exchange's word is the state. A difference that lasts longer
//! than five seconds is a drift and has a cause.

use std::time::{Duration, Instant};

use tracing::debug;

use super::model::{AgentState, AgentStatus, Cause};
use super::port::{Refusal, RequestId};
use super::wish::Wish;

/// How long wanted and actual state may differ before that is a drift.
pub const DRIFT_AFTER: Duration = Duration::from_secs(5);

/// The state that an agent wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedState {
    /// State. [`AgentState::SigningIn`]: signed in, in whatever state follows.
    pub state: AgentState,
    /// Code, with [`AgentState::Unavailable`]; `None`: whichever.
    pub code: Option<String>,
}

impl WantedState {
    fn of(status: &AgentStatus) -> WantedState {
        WantedState { state: status.state, code: status.code.clone() }
    }

    /// Whether an agent who wants this has it.
    pub fn is_like(&self, status: &AgentStatus) -> bool {
        match (self.state, status.state) {
            // After a call of a queue the exchange has him finish it, and makes him available by itself.
            (AgentState::Available, AgentState::WrapUp) => true,
            (AgentState::SigningIn, actual) => actual != AgentState::SignedOut,
            (AgentState::Unavailable, AgentState::Unavailable) => {
                self.code.is_none() || self.code == status.code
            }
            (wanted, actual) => wanted == actual,
        }
    }
}

/// A wrap-up that is to last longer than the exchange has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extension {
    /// `None`: until it is released.
    until: Option<Instant>,
    /// The exchange ended it all the same, and was asked for it again.
    again: bool,
}

/// The own agent.
#[derive(Clone, Debug)]
pub struct OwnAgent {
    wish: Wish<WantedState>,
    extension: Option<Extension>,
    /// What the exchange told as the cause of the present state.
    cause: Option<Cause>,
    /// What he wanted before he finished a call.
    after_wrap_up: Option<WantedState>,
}

impl Default for OwnAgent {
    fn default() -> OwnAgent {
        OwnAgent {
            wish: Wish::new(DRIFT_AFTER, true),
            extension: None,
            cause: None,
            after_wrap_up: None,
        }
    }
}

impl OwnAgent {
    /// The wish.
    pub fn wish(&self) -> &Wish<WantedState> {
        &self.wish
    }

    /// When a wrap-up ends that the user has extended.
    pub fn extended_until(&self) -> Option<Instant> {
        self.extension.and_then(|extension| extension.until)
    }

    /// A wrap-up lasts until an outcome is given.
    pub fn is_held(&self) -> bool {
        self.extension.is_some_and(|extension| extension.until.is_none())
    }

    /// What the exchange told as the cause.
    pub(super) fn told_cause(&self) -> Option<Cause> {
        self.cause
    }

    /// The user wants a state.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        request: RequestId,
        wanted: WantedState,
        actual: Option<&AgentStatus>,
    ) {
        debug!("agent: {:?}, asked -> {:?}", actual.map(|a| a.state), wanted.state);
        if wanted.state == AgentState::WrapUp {
            let before = self.wish.wanted().filter(|w| w.state != AgentState::WrapUp).cloned();
            self.after_wrap_up = before.or(self.after_wrap_up.take());
        } else {
            self.extension = None;
        }
        let like = actual.is_some_and(|actual| wanted.is_like(actual));
        self.cause = None;
        self.wish.ask(now, request, wanted, like);
    }

    /// The wrap-up is to last until then.
    pub(super) fn extend(&mut self, until: Instant) {
        self.extension = Some(Extension { until: Some(until), again: false });
    }

    /// The wrap-up is to last until [`OwnAgent::release`].
    pub(super) fn hold(&mut self) {
        self.extension = Some(Extension { until: None, again: false });
    }

    /// It need not last any longer. `Some`: it was held, and this is wanted now.
    pub(super) fn release(&mut self) -> Option<WantedState> {
        self.is_held().then(|| {
            self.extension = None;
            self.next_state()
        })
    }

    /// What is wanted after a wrap-up.
    fn next_state(&mut self) -> WantedState {
        let available = WantedState { state: AgentState::Available, code: None };
        let next = self.after_wrap_up.take().filter(|w| w.state != AgentState::WrapUp);
        next.unwrap_or(available)
    }

    /// The exchange tells the state. `explained`: something is known that takes agents out. True: it ended
    /// an extended wrap-up, and is to be asked for it again.
    pub(super) fn told(
        &mut self,
        now: Instant,
        before: Option<&AgentStatus>,
        actual: &AgentStatus,
        explained: bool,
    ) -> bool {
        if before.map(|b| (b.state, &b.code)) != Some((actual.state, &actual.code)) {
            debug!("agent: {:?}, told -> {:?}", before.map(|b| b.state), actual.state);
            if before.is_some_and(|b| b.state != actual.state) && !self.wish.is_drift() {
                // A cause may be told right before the state that it explains.
                self.cause = self.cause.filter(|_| actual.state == AgentState::Unavailable);
            }
        }
        let Some(wanted) = self.wish.wanted().cloned() else {
            // The wish that was there first: what is so.
            if !self.wish.is_open() {
                self.wish.adopt(WantedState::of(actual));
            }
            return false;
        };
        let like = wanted.is_like(actual);
        if wanted.state == AgentState::WrapUp && !like {
            return self.wrap_up_over(now, before, actual);
        }
        if !like && !explained && self.wish.asked().is_none() && self.cause.is_none() {
            // He never asked for anything here: he does it at his phone.
            self.wish.adopt(WantedState::of(actual));
            return false;
        }
        self.wish.told(now, like);
        self.settle_sign_in(actual, like);
        false
    }

    /// A wrap-up that was wanted is over.
    fn wrap_up_over(
        &mut self,
        now: Instant,
        before: Option<&AgentStatus>,
        actual: &AgentStatus,
    ) -> bool {
        let was_so = before.is_some_and(|before| before.state == AgentState::WrapUp);
        let lasts = |extension: &Extension| extension.until.is_none_or(|until| now < until);
        match &mut self.extension {
            Some(extension) if was_so && lasts(extension) && !extension.again => {
                extension.again = true;
                self.wish.told(now, false);
                true
            }
            Some(extension) if lasts(extension) => {
                self.wish.told(now, false);
                false
            }
            _ if was_so => {
                // It came to its end; what follows is the exchange's affair.
                self.extension = None;
                self.wish.adopt(WantedState::of(actual));
                false
            }
            _ => {
                self.wish.told(now, false);
                false
            }
        }
    }

    /// Who has signed in wants what the exchange made of it.
    fn settle_sign_in(&mut self, actual: &AgentStatus, like: bool) {
        let signing = self.wish.wanted().is_some_and(|w| w.state == AgentState::SigningIn);
        if signing && like && actual.state != AgentState::SigningIn {
            self.wish.adopt(WantedState::of(actual));
        }
    }

    /// The exchange tells why.
    pub(super) fn told_cause_of(&mut self, cause: Cause) {
        self.cause = Some(cause);
    }

    /// The outcome of a request. What is so is wanted again after a refusal.
    pub(super) fn done(
        &mut self,
        now: Instant,
        request: RequestId,
        refusal: Option<&Refusal>,
        actual: Option<&AgentStatus>,
    ) -> bool {
        let mine = self.wish.done(now, request, refusal);
        if mine && refusal.is_some() {
            self.extension = None;
            if let Some(actual) = actual {
                self.wish.adopt(WantedState::of(actual));
            }
        }
        mine
    }

    /// The user wants what is so.
    pub(super) fn accept(&mut self, actual: Option<&AgentStatus>) {
        self.extension = None;
        match actual {
            Some(actual) => self.wish.adopt(WantedState::of(actual)),
            None => self.wish.drop_wish(),
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        [self.wish.due(), self.extended_until()].into_iter().flatten().min()
    }

    /// Time passed. `Some`: an extended wrap-up is over, and this is wanted now.
    pub(super) fn on_time(&mut self, now: Instant) -> (bool, Option<WantedState>) {
        let changed = self.wish.on_time(now);
        let over = self.extended_until().is_some_and(|until| until <= now);
        if !over {
            return (changed, None);
        }
        self.extension = None;
        (true, Some(self.next_state()))
    }
}
