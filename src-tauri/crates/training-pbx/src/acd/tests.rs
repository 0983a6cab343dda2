//! The call centre in virtual time: a small exchange that does what it is told, and remembers it.

mod agents;
mod offering;
mod places;
mod services;
mod supervision;

use std::time::{Duration, Instant};

use sip_core::Random;

use super::*;
use crate::pbx::CallNumber;

/// Wednesday, 1970-01-07, 12:00.
const NOON: i64 = 6 * 86_400 + 12 * 3600;

/// A call centre and everything that came out of it.
struct Floor {
    now: Instant,
    acd: Acd,
    commands: Vec<Command>,
    events: Vec<News>,
    last: u64,
}

/// Queue 195 with agents 1, 2 and 3, who are available and whose phones are there.
fn floor(change: impl FnOnce(&mut CallCentre)) -> Floor {
    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    let now = Instant::now();
    let queue = QueueConfig {
        id: QueueId::from("195"),
        name: "Support".into(),
        policy: Policy::Regular,
        members: ["1", "2", "3"].map(Member::new).to_vec(),
        post_call: None,
        ..QueueConfig::default()
    };
    let agent = |id: &str| AgentConfig {
        id: AgentId::from(id),
        starts: AgentState::Available,
        ..AgentConfig::default()
    };
    let mut centre = CallCentre {
        queues: vec![queue],
        agents: ["1", "2", "3"].map(agent).to_vec(),
        ..CallCentre::default()
    };
    change(&mut centre);
    let ids: Vec<AgentId> = centre.agents.iter().map(|agent| agent.id.clone()).collect();
    let calendar = Calendar { told_at: now, local_s: NOON };
    let acd = Acd::new(now, centre, calendar, Random::from_seed([5; 32]));
    let mut floor = Floor { now, acd, commands: Vec::new(), events: Vec::new(), last: 0 };
    for agent in ids {
        floor.tell(Input::Line { agent, reachable: true, personal_calls: 0 });
    }
    floor
}

impl Floor {
    fn tell(&mut self, input: Input) {
        self.acd.handle_input(self.now, input);
        self.drain();
    }

    fn ask(&mut self, request: Request) -> Result<Done, Refusal> {
        let done = self.acd.handle_request(self.now, request);
        self.drain();
        done
    }

    fn drain(&mut self) {
        while let Some(output) = self.acd.poll_output() {
            match output {
                Output::Command(command) => self.commands.push(command),
                Output::Event(AcdEvent { news, at }) => {
                    assert_eq!(at, self.now);
                    self.events.push(news);
                }
            }
        }
    }

    /// Lets time pass, from timer to timer.
    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        let mut turns = 0;
        while let Some(next) = self.acd.poll_timeout().filter(|&next| next <= end) {
            self.now = self.now.max(next);
            self.acd.handle_timeout(self.now);
            self.drain();
            turns += 1;
            assert!(turns < 100_000, "never quiet");
        }
        self.now = end;
    }

    fn enter_as(&mut self, change: impl FnOnce(&mut Arrival)) -> CallNumber {
        self.last += 1;
        let call = CallNumber(self.last);
        let number = format!("+3120555{:04}", self.last);
        let caller = Caller { number, ..Caller::default() };
        let mut arrival = Arrival::new(call, QueueId::from("195"), caller);
        change(&mut arrival);
        self.tell(Input::Entered(Box::new(arrival)));
        call
    }

    fn enter(&mut self) -> CallNumber {
        self.enter_as(|_| {})
    }

    fn answer(&mut self, call: CallNumber, agent: &str) {
        self.tell(Input::Answered { call, agent: AgentId::from(agent) });
    }

    fn set(&mut self, agent: &str, state: AgentState) {
        let agent = AgentId::from(agent);
        let request = Request::SetState { agent, state, code: None, validate: false };
        assert_eq!(self.ask(request), Ok(Done::Done));
    }

    /// All agents but these are away.
    fn only(&mut self, agents: &[&str]) {
        for agent in ["1", "2", "3"] {
            if !agents.contains(&agent) {
                self.set(agent, AgentState::SignOut);
            }
        }
    }

    fn agent(&self, agent: &str) -> AgentView {
        self.acd.agent(&AgentId::from(agent)).unwrap()
    }

    fn state(&self, agent: &str) -> AgentState {
        self.agent(agent).status.state
    }

    /// At whom a call rings.
    fn rings_at(&self, call: CallNumber) -> Vec<String> {
        let view = self.acd.view(self.now);
        let entries = view.queues.iter().flat_map(|queue| &queue.entries);
        let entry = entries.into_iter().find(|entry| entry.call == call);
        entry.map(|e| e.offered_to.iter().map(|a| a.0.clone()).collect()).unwrap_or_default()
    }

    fn order(&self) -> Vec<u64> {
        let view = self.acd.view(self.now);
        view.queues[0].entries.iter().map(|entry| entry.call.0).collect()
    }

    /// What happened with a call, without who waits.
    fn story(&self, call: CallNumber) -> Vec<QueueNews> {
        let own = |news: &News| match news {
            News::Queue(news, entry) if entry.call == call => Some(news.clone()),
            _ => None,
        };
        self.events.iter().filter_map(own).collect()
    }

    fn commands_for(&self, call: CallNumber) -> Vec<Command> {
        let own = |command: &&Command| match command {
            Command::Offer { call: own, .. }
            | Command::Stop { call: own, .. }
            | Command::Play { call: own, .. }
            | Command::SendTo { call: own, .. }
            | Command::Refuse { call: own }
            | Command::Ring { call: own }
            | Command::Release { call: own } => *own == call,
        };
        self.commands.iter().filter(own).cloned().collect()
    }

    /// The states an agent was told to be in.
    fn states(&self, agent: &str) -> Vec<AgentState> {
        let own = |news: &News| match news {
            News::AgentState { agent: own, status } if own.0 == agent => Some(status.state),
            _ => None,
        };
        self.events.iter().filter_map(own).collect()
    }

    fn counts(&self) -> QueueCounts {
        self.acd.view(self.now).queues[0].counts
    }
}

fn queue(centre: &mut CallCentre) -> &mut QueueConfig {
    &mut centre.queues[0]
}
