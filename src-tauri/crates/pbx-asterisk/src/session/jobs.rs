//! Requests on their way: one action after the other, then what ends them.

use std::time::{Duration, Instant};

use pbx::centre::{Answer, Input as Told, Refusal, Request, RequestId};

use super::answers::Purpose;
use super::{ANSWER_WITHIN, Phase, Session};
use crate::Message;
use crate::requests::{After, Ending, Job, Planner, refusal};

/// How long the user's telephone may ring and the exchange may take to say how that went.
const RINGS_WITHIN: Duration = Duration::from_secs(40);

/// Most requests at one time.
const MOST_REQUESTS: usize = 64;

/// A request on its way.
#[derive(Debug)]
pub(super) struct Running {
    job: Job,
    pub(super) until: Instant,
    /// Number of the action that was sent last.
    action: u64,
    /// How it ended, when that was told before the action was answered.
    ended: Option<Result<Answer, Refusal>>,
    /// All actions were taken.
    taken: bool,
}

impl Session {
    pub(super) fn request(&mut self, now: Instant, id: RequestId, request: Request) {
        if request == Request::Refresh {
            self.refresh(now, id);
            return;
        }
        if self.phase != Phase::Live || self.running.len() >= MOST_REQUESTS {
            self.finish(id, Err(Refusal::Unavailable));
            return;
        }
        let mut planner = Planner {
            view: &mut self.view,
            config: &self.config,
            commands: &self.commands,
            left: &mut self.left,
        };
        match planner.plan(request) {
            Ok(job) => {
                let until = now + ANSWER_WITHIN;
                let running = Running { job, until, action: 0, ended: None, taken: false };
                self.running.insert(id, running);
                self.next_step(now, id);
            }
            Err(refusal) => self.finish(id, Err(refusal)),
        }
    }

    /// Reads everything again. Without a connection one is tried at once, which reads everything when it stands.
    fn refresh(&mut self, now: Instant, id: RequestId) {
        match self.phase {
            Phase::Idle => self.finish(id, Err(Refusal::Unavailable)),
            Phase::Reading | Phase::Live if self.refreshing.len() >= MOST_REQUESTS => {
                self.finish(id, Err(Refusal::Unavailable));
            }
            Phase::Reading => self.refreshing.push(id),
            Phase::Live => {
                self.refreshing.push(id);
                self.read_all(now);
            }
            _ => {
                self.start(now);
                self.finish(id, Ok(Answer::Accepted));
            }
        }
    }

    /// Sends the next action of a request, or ends it.
    fn next_step(&mut self, now: Instant, id: RequestId) {
        let Some(running) = self.running.get_mut(&id) else { return };
        if let Some(step) = running.job.steps.front() {
            let action = step.action.clone();
            running.until = now + ANSWER_WITHIN * 2;
            running.action = self.next_action + 1;
            self.send(now, &action, Purpose::Step(id));
            return;
        }
        running.taken = true;
        match (&running.job.ending, running.ended.take()) {
            (Ending::Answer(answer), _) => {
                let answer = answer.clone();
                self.conclude(now, id, Ok(answer));
            }
            (_, Some(result)) => self.conclude(now, id, result),
            (Ending::Originated, None) => running.until = now + RINGS_WITHIN,
            (Ending::Parked(_), None) => running.until = now + ANSWER_WITHIN,
        }
    }

    pub(super) fn step_answered(
        &mut self,
        now: Instant,
        id: RequestId,
        number: u64,
        message: &Message,
    ) {
        let Some(running) = self.running.get_mut(&id).filter(|running| running.action == number)
        else {
            return;
        };
        let Some(step) = running.job.steps.pop_front() else { return };
        let words = message.get("Message").unwrap_or_default().to_ascii_lowercase();
        let as_good = !step.or.is_empty() && words.contains(step.or);
        if message.get("Response") == Some("Success") || as_good {
            self.next_step(now, id);
        } else {
            self.conclude(now, id, Err(refusal(message)));
        }
    }

    /// The user's telephone answered, or did not: `OriginateResponse`.
    pub(super) fn originated(&mut self, number: u64, message: &Message) {
        let found = self.running.iter().find(|(_, running)| running.action == number);
        let Some((&id, _)) = found else { return };
        let result = if message.get("Response") == Some("Success") {
            Ok(Answer::Call(message.text("Uniqueid").to_owned()))
        } else {
            let code = message.number("Reason").and_then(|code| code.try_into().ok()).unwrap_or(0);
            Err(Refusal::Exchange { code, words: message.text("Response").to_owned() })
        };
        self.ended(id, result);
    }

    /// A call was parked: `ParkedCall`.
    pub(super) fn parked(&mut self, message: &Message) {
        let channel = message.text("ParkeeChannel");
        let is_it = |running: &Running| matches!(&running.job.ending, Ending::Parked(own) if own == channel);
        let found = self.running.iter().find(|(_, running)| is_it(running));
        let Some((&id, _)) = found else { return };
        self.ended(id, Ok(Answer::Parked(message.text("ParkingSpace").to_owned())));
    }

    /// The end of a request was told. It counts when its action was taken, which may come after it.
    fn ended(&mut self, id: RequestId, result: Result<Answer, Refusal>) {
        let Some(running) = self.running.get_mut(&id) else { return };
        if running.taken {
            self.running.remove(&id);
            self.finish(id, result);
        } else {
            running.ended = Some(result);
        }
    }

    /// Ends requests of whose end nothing was heard.
    pub(super) fn end_overdue(&mut self, now: Instant) {
        let over = self.running.iter().filter(|(_, running)| running.until <= now);
        let over: Vec<RequestId> = over.map(|(&id, _)| id).collect();
        for id in over {
            let parks = |running: &Running| matches!(running.job.ending, Ending::Parked(_));
            // Taken, but nobody said where: that is no refusal.
            let done = self.running.get(&id).is_some_and(|running| running.taken && parks(running));
            let result = if done { Ok(Answer::Accepted) } else { Err(Refusal::Unavailable) };
            self.conclude(now, id, result);
        }
    }

    fn conclude(&mut self, now: Instant, id: RequestId, result: Result<Answer, Refusal>) {
        let Some(running) = self.running.remove(&id) else { return };
        match running.job.after {
            After::Read(queue) => self.read_queue(now, &queue),
            After::Unsend(queue, call) if result.is_err() => {
                self.view.mark_sent(&queue, &call, None);
            }
            After::Unsend(..) | After::Nothing => {}
        }
        self.finish(id, result);
    }

    pub(super) fn finish(&mut self, id: RequestId, result: Result<Answer, Refusal>) {
        self.running.remove(&id);
        tracing::debug!(request = id.0, "-> {result:?}");
        self.tell(Told::Done { request: id, result });
    }
}
