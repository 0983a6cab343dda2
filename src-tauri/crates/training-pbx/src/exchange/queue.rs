//! The call centre at the exchange: callers wait with music, agents are rung, and the engine is told what became of it.
//!
//! Inputs: from the dial plan `enqueue`; from the engine its commands; from the calls that ring agents their answer
//! (`agent_answered`), failure (`agent_refused`) and end (`conversation_over`); from the lines `tell_lines`.
//!
//! Who waits is a call of its own with `queue` set. An agent is rung by a second call whose near side is the waiting
//! one; its answer takes the caller over as after a transfer, and the engine goes on naming the caller by the first.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sip_types::StatusCode;

use super::script::sound_steps;
use super::{Exchange, LONGEST_CALL, Output};
use crate::acd::{
    Acd, AcdEvent, AcdView, AgentId, Arrival, Caller, Command, Done, Input, News,
    Output as AcdOutput, QueueId, Redirection, Refusal, Request, Sound,
};
use crate::call::{Call, Overflow, Party, State, Then, Who};
use crate::endpoint::Step;
use crate::media_task::MediaCommand;
use crate::pbx::CallNumber;

/// How long a caller who is only to hear ringing may listen to it.
const RING_ON: Duration = Duration::from_secs(180);
/// An agent is rung no longer, whatever the engine says.
const LONGEST_RING: Duration = Duration::from_secs(600);

impl Exchange {
    /// A caller, or somebody who was transferred, comes for a queue.
    pub(super) fn enqueue(&mut self, now: Instant, number: CallNumber, queue: QueueId) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.queue = Some(queue.clone());
        call.person = None;
        let caller = caller(&call.caller);
        let redirections = call.diversions.iter().map(redirection).collect();
        let to_front = std::mem::take(&mut call.to_front);
        let arrival = Arrival { redirections, to_front, ..Arrival::new(number, queue, caller) };
        self.acd.handle_input(now, Input::Entered(Box::new(arrival)));
        self.run_centre(now);
    }

    /// Does what the engine says. True if there was anything.
    pub(super) fn run_centre(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(output) = self.acd.poll_output() {
            any = true;
            match output {
                AcdOutput::Command(command) => {
                    self.changed = true;
                    self.obey(now, command);
                }
                AcdOutput::Event(event) => {
                    self.centre_changed = true;
                    self.give_outcome(now, &event);
                    self.outputs.push_back(Output::Acd(Box::new(event)));
                }
            }
        }
        any
    }

    /// A simulated agent who has to give the outcome of a call gives one.
    fn give_outcome(&mut self, now: Instant, event: &AcdEvent) {
        let News::AgentState { agent, status } = &event.news else { return };
        let (Some(call), Some(queue)) = (status.owes, &status.wrap_up_queue) else { return };
        if self.company.person(&agent.0).is_none() {
            return;
        }
        let codes = self.acd.outcomes(queue);
        let last = codes.len().saturating_sub(1) as u64;
        let at = usize::try_from(self.random.between(0, last)).unwrap_or_default();
        let Some(code) = codes.get(at).map(|code| (*code).to_owned()) else { return };
        let request = Request::Disposition { agent: agent.clone(), call: Some(call), code };
        if let Err(refusal) = self.acd.handle_request(now, request) {
            tracing::debug!(%agent, %refusal, "no outcome");
        }
    }

    fn obey(&mut self, now: Instant, command: Command) {
        match command {
            Command::Offer { call, agent, queue } => self.ring_agent(now, call, agent, &queue),
            Command::Stop { call, agent, elsewhere } => {
                self.stop_ringing(now, &(call, agent), elsewhere);
            }
            Command::Play { call, sound } => self.let_hear(now, call, &sound),
            Command::SendTo { call, to, queue, reason } => {
                self.send_on(now, call, &to, &queue, reason);
            }
            Command::Refuse { call } => self.turn_down(now, call),
            Command::Ring { call } => self.ring_on(now, call),
            Command::Release { call } => self.end(now, call, "released"),
        }
    }

    /// The caller waits, and hears this from now on. A simulated caller needs no sound.
    fn let_hear(&mut self, now: Instant, number: CallNumber, sound: &Sound) {
        let steps = sound_steps(sound);
        let Some(call) = self.calls.get_mut(&number) else { return };
        if matches!(call.near, Party::Transferee(_)) {
            self.take_over(now, number);
            let Some(call) = self.calls.get_mut(&number) else { return };
            call.by = None;
            call.state = State::Alone;
            call.due = Some(now + LONGEST_CALL);
            return self.play_to_waiting(number, steps);
        }
        match (&call.near, &mut call.state) {
            (Party::Local(_), _) => {
                call.state = State::Alone;
                call.due = None;
            }
            (_, State::Answering(local)) if !local.steps.is_empty() => local.steps = steps,
            (_, State::Answering(local) | State::Talking { far: Party::Local(local), .. }) => {
                let endpoint = local.endpoint;
                self.media(MediaCommand::Play(endpoint, steps));
            }
            _ if call.answered => self.play_to_waiting(number, steps),
            _ => self.lift(now, number, steps),
        }
    }

    /// A phone that waits hears music; a simulated party needs none.
    pub(super) fn play_music(&mut self, number: CallNumber) {
        self.play_to_waiting(number, vec![Step::Music]);
    }

    fn play_to_waiting(&mut self, number: CallNumber, steps: Vec<Step>) {
        if self.calls.get(&number).is_some_and(|call| call.near_phone().is_some()) {
            let line = self.open_line(number, steps);
            if let Some(call) = self.calls.get_mut(&number) {
                call.state = State::Answering(line);
            }
        }
    }

    /// Rings an agent for somebody who waits.
    fn ring_agent(&mut self, now: Instant, first: CallNumber, agent: AgentId, queue: &QueueId) {
        let second = self.next_call();
        let queue = self.queue_identity(queue);
        let Some(waiting) = self.calls.get(&first) else {
            return self.acd.handle_input(now, Input::Refused { call: first, agent });
        };
        let mut call = Call::new(Party::Transferee(first), waiting.caller.clone(), None);
        call.hunting = true;
        call.called = self.who(&agent.0);
        call.diversions = vec![(queue, "unknown;hg-cc")];
        call.offered = Some((first, agent.clone()));
        tracing::debug!(call = second.0, of = first.0, %agent, "none, offered -> setting up");
        self.calls.insert(second, call);
        self.offers.insert((first, agent.clone()), second);
        let line = agent.0;
        let refusal = self.knobs.answer_of(&line).or_else(|| self.desk.refusal(&line));
        if let Some(status) = refusal {
            return self.give_up(now, second, status);
        }
        match self.company.person(&line).cloned() {
            Some(person) => self.ring_person(now, second, &person),
            None => self.ring_phones(now, second, &line),
        }
        let rung = self.calls.get_mut(&second);
        // Where he works elsewhere he answers when his time has come.
        let waits = |call: &Call| matches!(&call.state, State::Ringing { overflow, .. } if !matches!(overflow, Overflow::Remote(_)));
        if let Some(call) = rung.filter(|call| waits(call)) {
            call.due = Some(now + LONGEST_RING);
        }
    }

    fn queue_identity(&self, queue: &QueueId) -> Who {
        let name = self.queue_names.get(queue).filter(|name| !name.is_empty()).cloned();
        Who { display: name, uri: self.uri(&queue.0), withheld: false, extension: None }
    }

    /// An agent is not rung any more.
    fn stop_ringing(&mut self, now: Instant, offer: &(CallNumber, AgentId), elsewhere: bool) {
        let Some(second) = self.offers.remove(offer) else { return };
        let Some(call) = self.calls.get_mut(&second) else { return };
        call.offered = None;
        let mut endpoint = None;
        let forks = match &mut call.state {
            State::Ringing { forks, .. } => std::mem::take(forks),
            State::Answering(local) => {
                endpoint = Some(local.endpoint);
                Vec::new()
            }
            _ => Vec::new(),
        };
        tracing::debug!(call = second.0, "{}, not offered any more -> ended", call.state.name());
        if let Some(endpoint) = endpoint {
            self.close(endpoint);
        }
        match elsewhere {
            true => self.cancel_elsewhere(now, &forks),
            false => self.cancel(now, &forks, None),
        }
        self.calls.remove(&second);
    }

    /// The call that rang an agent has taken the caller over.
    pub(super) fn agent_answered(&mut self, now: Instant, second: CallNumber) {
        let Some(call) = self.calls.get_mut(&second) else { return };
        let Some((first, rung)) = call.offered.take() else { return };
        // Somebody else may have picked it up.
        let agent = call.called.extension.clone().map_or_else(|| rung.clone(), AgentId);
        call.conversation = Some(first);
        call.queue = None;
        self.offers.remove(&(first, rung));
        self.acd.handle_input(now, Input::Answered { call: first, agent });
    }

    /// The call that rang an agent has failed.
    pub(super) fn agent_refused(&mut self, now: Instant, call: &mut Call) {
        if let Some((first, agent)) = call.offered.take() {
            self.offers.remove(&(first, agent.clone()));
            self.acd.handle_input(now, Input::Refused { call: first, agent });
        }
    }

    /// The agent's conversation with a caller of a queue is over.
    pub(super) fn conversation_over(&mut self, now: Instant, call: &mut Call) {
        if let Some(first) = call.conversation.take() {
            self.acd.handle_input(now, Input::Finished { call: first });
        }
    }

    /// [`Self::conversation_over`] for a call that goes on without the agent.
    pub(super) fn conversation_left(&mut self, now: Instant, number: CallNumber) {
        let conversation = self.calls.get_mut(&number).and_then(|call| call.conversation.take());
        if let Some(first) = conversation {
            self.acd.handle_input(now, Input::Finished { call: first });
        }
    }

    /// The caller leaves the queue for a number.
    fn send_on(
        &mut self,
        now: Instant,
        number: CallNumber,
        to: &str,
        queue: &QueueId,
        reason: &'static str,
    ) {
        let queue = self.queue_identity(queue);
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.queue = None;
        tracing::debug!(call = number.0, %to, "{}, sent on -> setting up", call.state.name());
        if !call.answered {
            return self.divert_to(now, number, (queue, reason), to);
        }
        call.sent_on = true;
        let second = self.next_call();
        let Some(first) = self.calls.get_mut(&number) else { return };
        first.transfer = Some(second);
        let mut call = Call::new(Party::Transferee(number), first.caller.clone(), None);
        call.diversions = vec![(queue, reason)];
        self.calls.insert(second, call);
        self.go_to(now, second, to);
    }

    fn turn_down(&mut self, now: Instant, number: CallNumber) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.queue = None;
        if call.answered {
            self.end(now, number, "busy");
        } else {
            self.give_up(now, number, StatusCode::BUSY_HERE);
        }
    }

    fn ring_on(&mut self, now: Instant, number: CallNumber) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        match (&call.near, call.answered) {
            (Party::Local(_), _) => call.state = State::Alone,
            (_, true) => {
                call.due = Some(now + RING_ON);
                self.let_ring(number);
            }
            (_, false) => {
                let then = Then::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE);
                self.simulate(now, number, RING_ON, State::Simulated(then));
            }
        }
    }

    /// Who has been answered hears a ringing tone.
    fn let_ring(&mut self, number: CallNumber) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let tone = vec![Step::Repeat(crate::music::ringing())];
        match &mut call.state {
            State::Answering(local) if !local.steps.is_empty() => local.steps = tone,
            State::Answering(local) | State::Talking { far: Party::Local(local), .. } => {
                let endpoint = local.endpoint;
                self.media(MediaCommand::Play(endpoint, tone));
            }
            _ => self.play_to_waiting(number, tone),
        }
    }

    /// Tells the engine what the lines of agents do.
    pub(super) fn tell_lines(&mut self, now: Instant) {
        let mut busy: BTreeMap<&str, u32> = BTreeMap::new();
        for call in self.calls.values().filter(|call| call.is_personal()) {
            let sides = [&call.caller, &call.called];
            for line in sides.iter().filter_map(|who| who.extension.as_deref()) {
                *busy.entry(line).or_default() += 1;
            }
        }
        let mut news = Vec::new();
        for (agent, simulated) in &self.agents {
            let line = agent.0.as_str();
            let reachable = *simulated || self.can_ring(line);
            let personal =
                busy.get(line).copied().unwrap_or(0) + u32::from(self.life.is_busy_otherwise(line));
            let state = (reachable, personal, self.desk.do_not_disturb(line));
            if self.told_lines.get(agent) != Some(&state) {
                news.push((agent.clone(), state));
            }
        }
        for (agent, state) in news {
            self.told_lines.insert(agent.clone(), state);
            let (reachable, personal_calls, on) = state;
            self.acd.handle_input(now, Input::DoNotDisturb { agent: agent.clone(), on });
            self.acd.handle_input(now, Input::Line { agent, reachable, personal_calls });
        }
    }

    /// Simulated agents and callers have talked enough.
    pub(super) fn talks_over(&mut self, now: Instant) {
        for call in self.life.take_over() {
            self.acd.handle_input(now, Input::Finished { call });
        }
    }

    /// What somebody asks of the call centre.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(crate) fn ask_centre(&mut self, now: Instant, request: Request) -> Result<Done, Refusal> {
        let done = self.acd.handle_request(now, request);
        self.centre_changed = true;
        self.settle(now);
        done
    }

    /// The call centre itself, for what is looked up in it.
    pub(crate) fn acd(&self) -> &Acd {
        &self.acd
    }

    /// The call centre as it is, all of it: for many questions at once.
    pub(crate) fn centre(&self, now: Instant) -> AcdView {
        self.acd.view(now)
    }
}

fn caller(who: &Who) -> Caller {
    Caller {
        name: who.display.clone().filter(|_| !who.withheld),
        number: if who.withheld { String::new() } else { number(who) },
        withheld: who.withheld,
        line: who.extension.clone(),
    }
}

fn redirection((who, reason): &(Who, &'static str)) -> Redirection {
    let reason = reason.split(';').next().unwrap_or_default().to_owned();
    Redirection { number: number(who), name: who.display.clone(), reason }
}

fn number(who: &Who) -> String {
    who.uri.user().unwrap_or_default()
}
