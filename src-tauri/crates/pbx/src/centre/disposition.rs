//! Outcomes of calls: asked for when a call of a queue ends, given by the user, confirmed by the exchange.
//!
//! Inputs: an answered call of a queue that has outcomes ended; the user chooses or leaves it; the outcome of
//! the request; the exchange tells that a call got one, here or elsewhere; the agent signed out, after which
//! nothing is forced any more; time, since a question that nobody must answer goes by itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::model::{Code, Party, QueueId};
use super::port::{Refusal, RequestId};

/// Most questions at once.
const QUESTIONS: usize = 20;
/// How long a question stands that need not be answered.
const PATIENCE: Duration = Duration::from_secs(600);
/// Calls remembered that have got an outcome, so that their end asks for none.
const GIVEN: usize = 50;

/// A call that is over and wants an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Names it for commands.
    pub id: u64,
    /// The exchange's own name of the call, where known.
    pub call: Option<String>,
    /// The program's own number of the call, where it was one of its calls.
    pub local: Option<u64>,
    /// The queue.
    pub queue: QueueId,
    /// Who it was.
    pub party: Party,
    /// When the call ended.
    pub ended: Instant,
    /// What can be chosen.
    pub codes: Vec<Code>,
    /// One must be chosen.
    pub forced: bool,
    /// What was chosen and is under way.
    pub chosen: Option<(RequestId, String)>,
    /// Why the last choice was refused.
    pub refused: Option<(Refusal, Instant)>,
    /// The exchange has been asked to keep the agent in wrap-up for it.
    pub(super) held: bool,
}

/// The questions, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Questions {
    open: VecDeque<Question>,
    /// Calls that have got an outcome.
    given: VecDeque<String>,
    last: u64,
}

impl Questions {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Question> {
        self.open.iter()
    }

    pub(super) fn get(&self, id: u64) -> Option<&Question> {
        self.open.iter().find(|question| question.id == id)
    }

    /// The newest one that must be answered.
    pub(super) fn forced(&self) -> Option<&Question> {
        self.open.iter().rev().find(|question| question.forced)
    }

    /// It is about the call that ended last.
    pub(super) fn is_newest(&self, id: u64) -> bool {
        self.open.back().is_some_and(|question| question.id == id)
    }

    /// The exchange has been asked to keep the agent in wrap-up, once for each.
    pub(super) fn hold(&mut self) {
        for question in self.open.iter_mut().filter(|question| question.forced) {
            question.held = true;
        }
    }

    /// A call got an outcome. True when that was asked for.
    pub(super) fn given(&mut self, call: &str) -> bool {
        self.note(call);
        let before = self.open.len();
        self.open.retain(|question| question.call.as_deref() != Some(call));
        self.open.len() != before
    }

    fn note(&mut self, call: &str) {
        self.given.retain(|known| known != call);
        self.given.push_back(call.to_owned());
        if self.given.len() > GIVEN {
            self.given.pop_front();
        }
    }

    /// Nothing must be answered any more. True when that changed something.
    pub(super) fn let_go(&mut self) -> bool {
        let any = self.forced().is_some();
        for question in &mut self.open {
            question.forced = false;
        }
        any
    }

    /// A call ended. Known already by its other name: then both are noted.
    pub(super) fn ask(&mut self, question: Question) {
        let has_one = |call: &String| self.given.contains(call);
        if question.call.as_ref().is_some_and(has_one) {
            return;
        }
        let known = self.open.iter_mut().find(|known| {
            let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
            same(&known.call, &question.call)
                || question.local.is_some() && known.local == question.local
        });
        if let Some(known) = known {
            known.call = known.call.take().or(question.call);
            known.local = known.local.or(question.local);
            return;
        }
        self.last += 1;
        self.open.push_back(Question { id: self.last, ..question });
        if self.open.len() > QUESTIONS {
            self.open.pop_front();
        }
    }

    pub(super) fn choose(&mut self, id: u64, request: RequestId, code: String) {
        if let Some(question) = self.open.iter_mut().find(|question| question.id == id) {
            question.chosen = Some((request, code));
            question.refused = None;
        }
    }

    /// True when the question went.
    pub(super) fn skip(&mut self, id: u64) -> bool {
        let before = self.open.len();
        self.open.retain(|question| question.id != id || question.forced);
        self.open.len() != before
    }

    pub(super) fn done(
        &mut self,
        now: Instant,
        request: RequestId,
        refusal: Option<&Refusal>,
    ) -> bool {
        let asked =
            |question: &Question| question.chosen.as_ref().map(|(id, _)| *id) == Some(request);
        let Some(place) = self.open.iter().position(asked) else { return false };
        match refusal {
            None => {
                let answered = self.open.remove(place);
                if let Some(call) = answered.and_then(|question| question.call) {
                    self.note(&call);
                }
            }
            Some(refusal) => {
                if let Some(question) = self.open.get_mut(place) {
                    question.chosen = None;
                    question.refused = Some((refusal.clone(), now));
                    // What the exchange has forgotten cannot be answered.
                    question.forced &= *refusal != Refusal::Gone;
                }
            }
        }
        true
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let idle = self.open.iter().filter(|question| !question.forced);
        idle.map(|question| question.ended + PATIENCE).min()
    }

    pub(super) fn on_time(&mut self, now: Instant) -> bool {
        let before = self.open.len();
        self.open.retain(|question| question.forced || question.ended + PATIENCE > now);
        self.open.len() != before
    }
}
