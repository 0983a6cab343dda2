//! One agent's state.
//!
//! Inputs: from people `wish`; from the exchange `line`, `do_not_disturb`; from the core `offered`, `withdrawn`,
//! `bounced`, `answered`, `finished`, `disposed`, `extend`; from time `handle_timeout`.
//! States: SignOut, SignIn (lasts [`SIGNING_IN`]), Available, Unavailable, WrapUp. Every one may follow every other; but a
//! wrap-up after a call whose queue forces an outcome lasts until the outcome is given.

use std::time::{Duration, Instant};

use super::config::{AgentConfig, PostCall, Threshold, UnavailableCodes};
use super::measures::severity;
use super::model::{AgentCounts, AgentId, AgentState, AgentStatus, Measure, QueueId, Severity};
use crate::pbx::CallNumber;

/// How long signing in takes.
pub(crate) const SIGNING_IN: Duration = Duration::from_secs(1);
/// Longest extension of a wrap-up.
const LONGEST_EXTENSION_S: u64 = 3_600;

/// The end of a wrap-up, and what it was for.
#[derive(Debug, Clone)]
struct WrapUp {
    call: CallNumber,
    queue: QueueId,
    ends: Option<Instant>,
    then: AgentState,
    /// With [`AgentState::Unavailable`].
    code: Option<String>,
}

/// What became of an agent, for the core to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The state, or its severity.
    Status(Box<AgentStatus>),
    /// On a call, or idle, for too long.
    Alert { on_call: bool, since: Instant },
    /// A wrap-up is over.
    WrappedUp { queue: QueueId, seconds: u64 },
}

/// One agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) config: AgentConfig,
    state: AgentState,
    since: Instant,
    code: Option<String>,
    signed_in_at: Option<Instant>,
    total_available: Duration,
    wrap_up: Option<WrapUp>,
    /// The state before a personal call made unavailable.
    before_personal: Option<AgentState>,
    /// The agent chose a state during a call: it stays after it.
    chosen: bool,
    pub(crate) offered: Option<CallNumber>,
    pub(crate) calls: Vec<CallNumber>,
    /// The agent's last call of a queue.
    pub(crate) last_call: Option<(CallNumber, QueueId)>,
    /// Calls that are over and whose outcome must be given.
    owes: Vec<CallNumber>,
    /// The call that got an outcome last.
    disposed: Option<CallNumber>,
    pub(crate) personal_calls: u32,
    reachable: bool,
    do_not_disturb: bool,
    pub(crate) bounces: u32,
    pub(crate) idle_since: Instant,
    on_call_since: Instant,
    guard_until: Option<Instant>,
    severity: Severity,
    previous: Severity,
    alerted: bool,
    pub(crate) counts: AgentCounts,
    changes: Vec<Change>,
}

impl Agent {
    pub(crate) fn new(now: Instant, config: AgentConfig) -> Self {
        // Signing in is something that happens, not something to begin with.
        let state = match config.starts {
            AgentState::SignIn => AgentState::Available,
            state => state,
        };
        Self {
            state,
            since: now,
            code: None,
            signed_in_at: state.is_signed_in().then_some(now),
            total_available: Duration::ZERO,
            wrap_up: None,
            before_personal: None,
            chosen: false,
            offered: None,
            calls: Vec::new(),
            last_call: None,
            owes: Vec::new(),
            disposed: None,
            personal_calls: 0,
            // The exchange tells, as soon as it knows.
            reachable: false,
            do_not_disturb: false,
            bounces: 0,
            idle_since: now,
            on_call_since: now,
            guard_until: None,
            severity: Severity::Normal,
            previous: Severity::Normal,
            alerted: false,
            counts: AgentCounts::default(),
            changes: Vec::new(),
            config,
        }
    }

    pub(crate) fn state(&self) -> AgentState {
        self.state
    }

    /// Whether anything became of the agent since it was last asked what.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// What became of the agent since this was last asked.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Whether a call may be offered, the queue's set-up given.
    pub(crate) fn is_free(&self, now: Instant, call_waiting: bool, in_wrap_up: bool) -> bool {
        let ready = match self.state {
            AgentState::Available => true,
            AgentState::WrapUp => in_wrap_up,
            _ => false,
        };
        let calls = self.calls.len() + usize::try_from(self.personal_calls).unwrap_or(usize::MAX);
        let room = calls == 0 || (call_waiting && calls == 1);
        let guarded = self.guard_until.is_some_and(|until| until > now);
        ready
            && room
            && !guarded
            && self.offered.is_none()
            && self.reachable
            && !self.do_not_disturb
    }

    /// Available and with no call at all.
    pub(crate) fn is_idle(&self) -> bool {
        let quiet = self.calls.is_empty() && self.offered.is_none() && self.personal_calls == 0;
        self.state == AgentState::Available && quiet
    }

    /// The agent, or a supervisor, chooses a state.
    pub(crate) fn wish(&mut self, now: Instant, state: AgentState, code: Option<String>) {
        if state == AgentState::SignIn && self.state.is_signed_in() {
            return;
        }
        if state == AgentState::SignOut {
            self.owes.clear();
        }
        self.before_personal = None;
        self.chosen = !self.calls.is_empty();
        self.bounces = 0;
        self.enter(now, state, code);
    }

    fn enter(&mut self, now: Instant, state: AgentState, code: Option<String>) {
        let code = code.filter(|_| state == AgentState::Unavailable);
        if self.state == state && self.code == code && self.wrap_up.is_none() {
            return;
        }
        tracing::debug!(agent = %self.config.id, code = ?code, "{:?} -> {state:?}", self.state);
        self.leave_state(now);
        if state == AgentState::SignOut {
            self.signed_in_at = None;
        } else if self.signed_in_at.is_none() {
            self.signed_in_at = Some(now);
            self.total_available = Duration::ZERO;
        }
        if state == AgentState::Available {
            self.idle_since = now;
        }
        self.state = state;
        self.since = now;
        self.code = code;
        self.wrap_up = None;
        self.severity = Severity::Normal;
        self.previous = Severity::Normal;
        self.alerted = false;
        self.tell();
    }

    fn leave_state(&mut self, now: Instant) {
        let lasted = now.saturating_duration_since(self.since);
        match self.state {
            AgentState::Available => self.total_available += lasted,
            AgentState::Unavailable => self.counts.unavailable_s += lasted.as_secs(),
            AgentState::WrapUp => {
                self.counts.wrap_up_s += lasted.as_secs();
                self.counts.wrap_ups += 1;
                if let Some(WrapUp { queue, .. }) = &self.wrap_up {
                    let (queue, seconds) = (queue.clone(), lasted.as_secs());
                    self.changes.push(Change::WrappedUp { queue, seconds });
                }
            }
            AgentState::SignIn | AgentState::SignOut => {}
        }
    }

    fn tell(&mut self) {
        let status = Box::new(self.status());
        self.changes.push(Change::Status(status));
    }

    /// Lets a wrap-up last longer. False if there is none.
    pub(crate) fn extend(&mut self, now: Instant, by_s: u64) -> bool {
        if self.state != AgentState::WrapUp {
            return false;
        }
        if let Some(WrapUp { ends: Some(ends), .. }) = &mut self.wrap_up {
            *ends = (*ends).max(now) + Duration::from_secs(by_s.min(LONGEST_EXTENSION_S));
            self.tell();
        }
        true
    }

    /// The first call whose outcome must be given before anything else.
    pub(crate) fn owes(&self) -> Option<CallNumber> {
        self.owes.first().copied()
    }

    /// A call got its outcome. A wrap-up that waited for it ends if its time is up.
    pub(crate) fn disposed(&mut self, now: Instant, call: CallNumber) {
        self.disposed = Some(call);
        let owed = !self.owes.is_empty();
        self.owes.retain(|own| *own != call);
        if owed && self.owes.is_empty() {
            self.wrap_up_due(now);
        }
    }

    /// The agent's line is in another state.
    pub(crate) fn line(
        &mut self,
        now: Instant,
        reachable: bool,
        personal_calls: u32,
        codes: &UnavailableCodes,
    ) {
        self.reachable = reachable;
        let before = std::mem::replace(&mut self.personal_calls, personal_calls);
        if before == personal_calls {
            return;
        }
        if personal_calls == 0 {
            self.idle_since = now;
            if let Some(state) = self.before_personal.take() {
                self.enter(now, state, None);
            }
        } else if before == 0
            && self.config.unavailable_on_personal_call
            && self.state == AgentState::Available
        {
            self.before_personal = Some(self.state);
            self.enter(now, AgentState::Unavailable, codes.on_personal_call.clone());
        }
    }

    /// The agent's do-not-disturb.
    pub(crate) fn do_not_disturb(&mut self, now: Instant, on: bool, codes: &UnavailableCodes) {
        let before = std::mem::replace(&mut self.do_not_disturb, on);
        let newly = on && !before;
        let forces = self.config.unavailable_on_do_not_disturb && self.state.is_signed_in();
        if newly && forces && self.state != AgentState::Unavailable {
            self.before_personal = None;
            self.enter(now, AgentState::Unavailable, codes.on_do_not_disturb.clone());
        }
    }

    /// A call rings.
    pub(crate) fn offered(&mut self, call: CallNumber) {
        self.offered = Some(call);
    }

    /// It does not ring any more.
    pub(crate) fn withdrawn(&mut self) {
        self.offered = None;
    }

    /// The agent did not take a call.
    pub(crate) fn bounced(&mut self, now: Instant, codes: &UnavailableCodes) {
        self.offered = None;
        self.bounces += 1;
        self.counts.bounced += 1;
        let over = self.config.bounce_limit.is_some_and(|limit| self.bounces >= limit);
        if over && matches!(self.state, AgentState::Available | AgentState::WrapUp) {
            self.bounces = 0;
            self.enter(now, AgentState::Unavailable, codes.on_bounces.clone());
        }
    }

    /// The agent has a call of a queue.
    pub(crate) fn answered(&mut self, now: Instant, call: CallNumber, queue: QueueId) {
        self.offered = None;
        self.bounces = 0;
        self.counts.answered += 1;
        if self.calls.is_empty() {
            self.on_call_since = now;
            self.alerted = false;
            self.chosen = false;
            (self.severity, self.previous) = (Severity::Normal, Severity::Normal);
        }
        self.calls.push(call);
        self.last_call = Some((call, queue));
        if self.state == AgentState::WrapUp {
            self.enter(now, AgentState::Available, None);
        }
    }

    /// A call of a queue is over for the agent.
    pub(crate) fn finished(
        &mut self,
        now: Instant,
        (call, queue): (CallNumber, QueueId),
        talked: Duration,
        (post, outcome_forced): (Option<&PostCall>, bool),
    ) {
        self.calls.retain(|own| *own != call);
        self.counts.talk_s += talked.as_secs();
        let signed_in = self.state.is_signed_in();
        if outcome_forced && signed_in && self.disposed != Some(call) {
            self.owes.push(call);
        }
        if !self.calls.is_empty() {
            return;
        }
        self.idle_since = now;
        self.alerted = false;
        self.guard_until =
            self.config.guard_s.map(|guard| now + Duration::from_secs(guard.clamp(1, 25)));
        let chosen = std::mem::take(&mut self.chosen);
        let post = post.filter(|_| !chosen && signed_in);
        let wraps_up = post.is_some_and(|post| post.state == AgentState::WrapUp);
        if wraps_up || !self.owes.is_empty() {
            return self.begin_wrap_up(now, (call, queue), post);
        }
        let Some(post) = post else { return };
        match post.state {
            AgentState::Unavailable => self.enter(now, AgentState::Unavailable, post.code.clone()),
            _ if self.state == AgentState::Available => {}
            _ => self.enter(now, AgentState::Available, None),
        }
    }

    /// Wraps up as the queue has it; or until the outcome is given, and then does what would have followed the call.
    fn begin_wrap_up(
        &mut self,
        now: Instant,
        (call, queue): (CallNumber, QueueId),
        post: Option<&PostCall>,
    ) {
        let after = |seconds| now + Duration::from_secs(seconds);
        let (ends, then, code) = match post {
            Some(post) if post.state == AgentState::WrapUp => {
                (post.wrap_up_s.map(after), post.then, None)
            }
            Some(post) => (Some(now), post.state, post.code.clone()),
            // The agent has chosen to wrap up for as long as it takes.
            None if self.state == AgentState::WrapUp => (None, AgentState::Available, None),
            None => (Some(now), self.state, self.code.clone()),
        };
        let then = match then {
            AgentState::Unavailable => AgentState::Unavailable,
            _ => AgentState::Available,
        };
        self.enter(now, AgentState::WrapUp, None);
        self.wrap_up = Some(WrapUp { call, queue, ends, then, code });
        self.renew_last();
    }

    /// Ends a wrap-up whose time is up and that waits for nothing.
    fn wrap_up_due(&mut self, now: Instant) {
        if let Some(WrapUp { ends: Some(ends), then, code, .. }) = &self.wrap_up
            && self.owes.is_empty()
            && *ends <= now
        {
            let (then, code) = (*then, code.clone());
            self.enter(now, then, code);
        }
    }

    /// The status last told gets the wrap-up that belongs to it.
    fn renew_last(&mut self) {
        let status = Box::new(self.status());
        match self.changes.last_mut() {
            Some(Change::Status(last)) => *last = status,
            _ => self.changes.push(Change::Status(status)),
        }
    }

    /// When something is due.
    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let signed_in = (self.state == AgentState::SignIn).then(|| self.since + SIGNING_IN);
        let wrap_up = self.wrap_up.as_ref().filter(|_| self.owes.is_empty());
        let wrap_up = wrap_up.and_then(|wrap_up| wrap_up.ends);
        let guard = self.guard_until.filter(|&at| at > now);
        let worse = self.lasting().and_then(|(since, threshold)| {
            let next = if self.severity == Severity::Normal { threshold.yellow } else { None };
            let red = threshold.red.filter(|_| self.severity < Severity::Red);
            let after = [next, red].into_iter().flatten().min()?;
            Some(since + Duration::from_secs(after.into()))
        });
        let on_call = self.on_call_alert();
        [signed_in, wrap_up, guard, worse, on_call].into_iter().flatten().min()
    }

    /// Since when the state lasts, and how long is too long.
    fn lasting(&self) -> Option<(Instant, Threshold)> {
        let thresholds = &self.config.thresholds;
        match self.state {
            AgentState::Available if self.calls.is_empty() => {
                Some((self.since.max(self.idle_since), thresholds.idle))
            }
            AgentState::Unavailable => Some((self.since, thresholds.unavailable)),
            AgentState::WrapUp => Some((self.since, thresholds.wrap_up)),
            _ => None,
        }
    }

    fn on_call_alert(&self) -> Option<Instant> {
        let after = self.config.thresholds.on_call.yellow?;
        let talking = !self.calls.is_empty() && !self.alerted;
        talking.then(|| self.on_call_since + Duration::from_secs(after.into()))
    }

    /// Lets everything happen that is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.state == AgentState::SignIn && self.since + SIGNING_IN <= now {
            let state = match self.config.after_sign_in {
                AgentState::Unavailable => AgentState::Unavailable,
                _ => AgentState::Available,
            };
            self.enter(now, state, None);
        }
        self.wrap_up_due(now);
        self.guard_until.take_if(|until| *until <= now);
        if self.on_call_alert().is_some_and(|at| at <= now) {
            self.alerted = true;
            self.changes.push(Change::Alert { on_call: true, since: self.on_call_since });
        }
        let Some((since, threshold)) = self.lasting() else { return };
        let seconds = now.saturating_duration_since(since).as_secs();
        let (found, _) = severity(seconds, threshold);
        if found > self.severity {
            self.previous = std::mem::replace(&mut self.severity, found);
            self.tell();
            if self.state == AgentState::Available && !self.alerted {
                self.alerted = true;
                self.changes.push(Change::Alert { on_call: false, since });
            }
        }
    }

    /// As it is told to those who watch.
    pub(crate) fn status(&self) -> AgentStatus {
        let average = self.counts.wrap_up_s.checked_div(self.counts.wrap_ups.into());
        let threshold = self.lasting().and_then(|(_, threshold)| match self.severity {
            Severity::Normal => None,
            Severity::Yellow => threshold.yellow,
            Severity::Red => threshold.red,
        });
        let value = threshold.map_or(0, u64::from);
        AgentStatus {
            state: self.state,
            since: self.since,
            code: self.code.clone(),
            severity: Measure {
                value,
                severity: self.severity,
                previous: self.previous,
                threshold,
            },
            wrap_up_call: self.wrap_up.as_ref().map(|wrap_up| wrap_up.call),
            wrap_up_queue: self.wrap_up.as_ref().map(|wrap_up| wrap_up.queue.clone()),
            wrap_up_ends: self.wrap_up.as_ref().and_then(|wrap_up| wrap_up.ends),
            owes: self.owes(),
            signed_in_at: self.signed_in_at,
            total_available: self.total_available,
            average_wrap_up: Duration::from_secs(average.unwrap_or(0)),
        }
    }

    pub(crate) fn id(&self) -> &AgentId {
        &self.config.id
    }
}
