//! Outcomes of calls: asked for when a call of a queue ends, given by the user, confirmed by the exchange.
//!
//! Inputs: an answered call of a queue that has outcomes ended; the user chooses or leaves it; the outcome of
//! the request; the exchange tells that a call got one, here or elsewhere; the agent signed out, after which
//! nothing is forced any more; time, since a question that nobody must answer goes by itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::model::{Code, Party, QueueId};
use super::port::{Refusal, RequestId};
use super::queue::same_target;

/// Most questions at once.
const QUESTIONS: usize = 20;
/// How long a question stands that need not be answered.
const PATIENCE: Duration = Duration::from_secs(600);
/// The program and the exchange tell of the end of a call within so long of each other.
const TOGETHER: Duration = Duration::from_secs(10);
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

/// Whether two questions are about the same call: by one of its names; or one is asked for by the program and the other by
/// the exchange, before it was found out that both mean the same call.
fn is_same(known: &Question, new: &Question) -> bool {
    let by_exchange = known.call.is_some() && known.call == new.call;
    let by_program = known.local.is_some() && known.local == new.local;
    let sides = |a: &Question, b: &Question| {
        a.local.is_some() && a.call.is_none() && b.call.is_some() && b.local.is_none()
    };
    let together = new.ended.saturating_duration_since(known.ended) < TOGETHER;
    let alike = known.queue == new.queue && same_target(&known.party.number, &new.party.number);
    by_exchange || by_program || (sides(known, new) || sides(new, known)) && together && alike
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
        let known = self.open.iter_mut().find(|known| is_same(known, &question));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn question(call: Option<&str>, local: Option<u64>, number: &str, ended: Instant) -> Question {
        Question {
            id: 0,
            call: call.map(str::to_owned),
            local,
            queue: QueueId("support@pbx.example".to_owned()),
            party: Party { name: String::new(), number: number.to_owned() },
            ended,
            codes: Vec::new(),
            forced: true,
            chosen: None,
            refused: None,
            held: false,
        }
    }

    #[test]
    fn a_call_that_ended_before_it_was_known_at_the_exchange_is_asked_for_once() {
        #[expect(clippy::disallowed_methods, reason = "virtual time needs a beginning")]
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        for turned in [false, true] {
            let mut pair = [
                question(None, Some(7), "+31302310008", now),
                question(Some("c:0"), None, "0302310008", later),
            ];
            if turned {
                pair.reverse();
            }
            let mut questions = Questions::default();
            pair.into_iter().for_each(|one| questions.ask(one));
            let all: Vec<_> = questions.iter().map(|one| (one.call.clone(), one.local)).collect();
            assert_eq!(all, [(Some("c:0".to_owned()), Some(7))], "{turned}");
        }
        // Another caller, and the same one much later, are other calls.
        let mut questions = Questions::default();
        questions.ask(question(None, Some(7), "+31302310008", now));
        questions.ask(question(Some("c:1"), None, "+31302310009", later));
        questions.ask(question(Some("c:2"), None, "+31302310008", now + TOGETHER));
        assert_eq!(questions.iter().count(), 3);
    }
}
