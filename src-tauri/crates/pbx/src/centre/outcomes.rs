//! Outcomes and the agent's state: who must give an outcome stays in wrap-up until he has.
//!
//! Inputs: calls of queues end; the user answers or leaves a question; the exchange tells states and outcomes;
//! time. The exchange itself only says that an outcome is forced (reference, section 3.5): that its agent is
//! offered no call meanwhile is the client's affair. So shortly before a wrap-up ends, or when none follows a call, the
//! exchange is asked for one that lasts; and once the last forced question is answered, for the state that was
//! wanted before. It is asked once for each question: if it takes the agent out all the same, its word holds.

use std::time::{Duration, Instant};

use super::disposition::Question;
use super::exchange::{Centre, Change};
use super::model::{AgentState, ExchangeCallState, Party, QueueId};
use super::port::{Capability, Refusal, Request, RequestId};

/// So long before the end of a wrap-up the exchange is asked for a longer one.
const BEFORE: Duration = Duration::from_secs(2);
/// So long after the end of a call the exchange may take to begin a wrap-up.
const AFTER: Duration = Duration::from_secs(2);

impl Centre {
    /// Calls that want an outcome, oldest first.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.questions.iter()
    }

    /// The question that must be answered before the agent can get calls again.
    pub fn needed_outcome(&self) -> Option<&Question> {
        self.questions.forced()
    }

    /// An answered call of a queue is over: it may want an outcome.
    pub fn call_over(
        &mut self,
        now: Instant,
        call: Option<String>,
        local: Option<u64>,
        queue: &QueueId,
        party: Party,
    ) {
        let Some(state) = self.queues.get(queue) else { return };
        if state.queue.dispositions.is_empty() || !self.can(Capability::Disposition) {
            return;
        }
        self.questions.ask(Question {
            id: 0,
            call,
            local,
            queue: queue.clone(),
            party,
            ended: now,
            codes: state.queue.dispositions.clone(),
            forced: state.queue.disposition_forced,
            chosen: None,
            refused: None,
            held: false,
        });
        self.questions_changed(now);
    }

    /// The outcome of a call that is asked for. `None`: no such question, or no such outcome.
    pub fn answer_question(
        &mut self,
        now: Instant,
        question: u64,
        code: &str,
    ) -> Option<RequestId> {
        let asked = self.questions.get(question)?;
        asked.codes.iter().find(|known| known.code == code)?;
        let call = asked.call.clone();
        let last = self.questions.is_newest(question) && !self.has_queued_call(call.as_deref());
        let id = self.ask(now, Request::SetDisposition { call, code: code.to_owned(), last });
        if self.asked.contains_key(&id) {
            self.questions.choose(question, id, code.to_owned());
            self.changed(Change::General);
        }
        Some(id)
    }

    /// The user gives a call no outcome. False: one is forced, or there is no such question.
    pub fn skip_question(&mut self, id: u64) -> bool {
        let gone = self.questions.skip(id);
        if gone {
            self.changed(Change::General);
        }
        gone
    }

    pub(super) fn outcome_done(
        &mut self,
        now: Instant,
        id: RequestId,
        call: Option<&str>,
        refusal: Option<&Refusal>,
    ) {
        self.questions.done(now, id, refusal);
        if let (None, Some(call)) = (refusal, call) {
            self.questions.given(call);
        }
        self.questions_changed(now);
    }

    /// The exchange tells that a call got an outcome.
    pub(super) fn outcome_told(&mut self, now: Instant, call: &str) {
        if self.questions.given(call) {
            self.questions_changed(now);
        }
    }

    /// The exchange told the state of the own agent.
    pub(super) fn state_told_to_outcomes(&mut self, now: Instant) {
        let out = self.status().is_some_and(|status| status.state == AgentState::SignedOut);
        if out && self.questions.let_go() {
            self.questions_changed(now);
        }
        self.hold_wrap_up(now);
    }

    fn questions_changed(&mut self, now: Instant) {
        self.changed(Change::General);
        self.changed(Change::OwnAgent);
        match self.questions.forced() {
            Some(_) => self.hold_wrap_up(now),
            None => self.release_wrap_up(now),
        }
    }

    /// When the exchange is to be asked for a wrap-up that lasts.
    pub(super) fn hold_due(&self) -> Option<Instant> {
        let question = self.questions.forced().filter(|question| !question.held)?;
        if self.own.is_held() || !self.link.is_up() || !self.can(Capability::Agent) {
            return None;
        }
        let status = self.status()?;
        match status.state {
            AgentState::WrapUp => {
                let told = status.wrap_up.as_ref().and_then(|wrap_up| wrap_up.until);
                let until = self.own.extended_until().or(told.map(|ms| self.clock.at(ms)))?;
                Some(until.checked_sub(BEFORE).unwrap_or(until))
            }
            AgentState::Available if !self.has_queued_call(question.call.as_deref()) => {
                Some(question.ended + AFTER)
            }
            _ => None,
        }
    }

    pub(super) fn hold_wrap_up(&mut self, now: Instant) {
        if self.hold_due().is_none_or(|due| due > now) {
            return;
        }
        self.questions.hold();
        let (state, code) = (AgentState::WrapUp, None);
        let id =
            self.ask(now, Request::SetAgentState { agent: None, state, code, validate: false });
        if self.asked.contains_key(&id) {
            self.own.hold();
            self.changed(Change::OwnAgent);
        }
    }

    /// Nothing keeps the agent in wrap-up any more.
    fn release_wrap_up(&mut self, now: Instant) {
        let Some(next) = self.own.release() else { return };
        if self.status().is_some_and(|status| status.state == AgentState::WrapUp) {
            let (state, code) = (next.state, next.code);
            self.ask(now, Request::SetAgentState { agent: None, state, code, validate: false });
        }
    }

    /// The agent has a call of a queue, other than this one.
    fn has_queued_call(&self, but: Option<&str>) -> bool {
        self.calls.values().any(|call| {
            let over =
                matches!(call.state, ExchangeCallState::Released | ExchangeCallState::Detached);
            call.queue.is_some() && !over && but != Some(call.id.as_str())
        })
    }
}
