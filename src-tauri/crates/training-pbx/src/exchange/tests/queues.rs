//! Queues at the exchange: real phones wait, are rung, and talk.

use super::*;
use crate::acd::{AgentState, News, Night, QueueNews, Request as Ask, Treatment};

impl World {
    fn ask(&mut self, request: Ask) {
        self.exchange.ask_centre(self.now, request).unwrap();
        self.settle();
    }

    fn set(&mut self, agent: &str, state: AgentState) {
        self.ask(Ask::SetState { agent: agent.into(), state, code: None, validate: false });
    }

    /// The simulated agents of the second queue are away.
    fn no_simulated_agents(&mut self) {
        for agent in ["222", "223", "224", "226"] {
            self.set(agent, AgentState::SignOut);
        }
    }

    fn stories(&self) -> Vec<QueueNews> {
        let news = |event: &AcdEvent| match &event.news {
            News::Queue(news, _) => Some(news.clone()),
            _ => None,
        };
        self.acd.iter().filter_map(news).collect()
    }

    fn state(&self, agent: &str) -> AgentState {
        self.exchange.acd.agent(&agent.into()).unwrap().status.state
    }

    fn waiting(&self, queue: &str) -> usize {
        let view = self.exchange.centre(self.now);
        view.queue(&queue.into()).unwrap().entries.len()
    }

    fn press(&mut self, digit: char) {
        let endpoint = EndpointId(self.exchange.last_endpoint);
        let what = Happened::Digit(digit);
        self.exchange.handle_input(self.now, Input::Happened { endpoint, what });
        self.settle();
    }
}

#[test]
fn an_agent_answers_talks_and_wraps_up() {
    let mut world = World::new();
    let [desk, agent] = ["101", "104"].map(|user| world.automatic(user));
    let call = world.dial(desk, "195");
    let incoming = world.incoming(agent).unwrap();
    let diversion = incoming.headers.get(&HeaderName::Diversion).unwrap().into_owned();
    assert!(diversion.contains("Klantenservice") && diversion.contains("195@"), "{diversion}");
    assert!(diversion.contains("hg-cc"), "{diversion}");
    let asserted = incoming.headers.get(&HeaderName::PAssertedIdentity).unwrap().into_owned();
    assert!(asserted.contains("Maud Vermeulen"), "{asserted}");
    world.lift(agent);
    assert!(world.talk(desk, agent));
    assert_eq!(world.state("104"), AgentState::Available);
    world.pass(Duration::from_secs(10));
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    world.settle();
    assert_eq!(world.state("104"), AgentState::WrapUp);
    world.pass(Duration::from_secs(20));
    assert_eq!(world.state("104"), AgentState::Available);
    assert_eq!(
        world.stories(),
        [
            QueueNews::Added { position: 1, redirections: vec![] },
            QueueNews::OfferedToAgent("104".into()),
            QueueNews::AnsweredByAgent("104".into()),
        ]
    );
    world.assert_nothing_left();
}

#[test]
fn a_call_that_is_not_taken_rings_at_the_other_agent() {
    let mut world = World::new();
    let [desk, bas, nynke] = ["101", "104", "105"].map(|user| world.automatic(user));
    let call = world.dial(desk, "195");
    let first = if world.incoming(bas).is_some() { bas } else { nynke };
    let second = if first == bas { nynke } else { bas };
    assert!(world.incoming(second).is_none());
    let ringing = world.incoming(first).unwrap().session;
    world.phones[first].ua.ring(world.now, ringing).unwrap();
    world.pass(Duration::from_secs(15));
    assert!(!world.ended(first, ringing).unwrap().answered_elsewhere);
    assert!(world.incoming(second).is_some());
    // The second declines.
    let ringing = world.incoming(second).unwrap().session;
    world.phones[second].ua.reject(world.now, ringing, StatusCode::BUSY_HERE).unwrap();
    world.settle();
    let bounced = |news: &QueueNews| matches!(news, QueueNews::Bounced { .. });
    assert_eq!(world.stories().iter().filter(|news| bounced(news)).count(), 2);
    world.pass(Duration::from_secs(4));
    assert_eq!(world.waiting("195"), 1);
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    world.settle();
    assert_eq!(world.stories().last(), Some(&QueueNews::Abandoned { entrance_playing: false }));
    world.assert_nothing_left();
}

#[test]
fn the_simultaneous_policy_rings_both_and_tells_the_slower() {
    let mut world = World::new();
    let mut config = world.exchange.centre(world.now).queue(&"195".into()).unwrap().config.clone();
    config.policy = crate::acd::Policy::Simultaneous;
    world.ask(Ask::Configure { config: Box::new(config) });
    let [desk, bas, nynke] = ["101", "104", "105"].map(|user| world.automatic(user));
    let call = world.dial(desk, "195");
    let ringing = world.incoming(bas).unwrap().session;
    world.phones[bas].ua.ring(world.now, ringing).unwrap();
    world.settle();
    assert!(world.incoming(nynke).is_some());
    world.lift(nynke);
    assert!(world.ended(bas, ringing).unwrap().answered_elsewhere);
    assert!(world.talk(desk, nynke));
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    world.assert_nothing_left();
}

#[test]
fn an_agent_sends_the_caller_on_and_is_done() {
    let mut world = World::new();
    let [desk, agent, joris] = ["101", "104", "102"].map(|user| world.automatic(user));
    let call = world.dial(desk, "195");
    let session = world.lift(agent);
    world.refer(agent, session, &format!("<sip:102@{PBX}>"));
    assert_eq!(world.state("104"), AgentState::Available);
    world.lift(joris);
    assert!(world.talk(desk, joris));
    assert_eq!(world.state("104"), AgentState::WrapUp);
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    world.assert_nothing_left();
}

#[test]
fn the_escape_digit_leads_to_the_voicemail() {
    let mut world = World::new();
    let desk = world.automatic("101");
    let call = world.dial(desk, "195");
    assert_eq!(world.played(), Some(&[Step::Music][..]));
    world.press('5');
    assert_eq!(world.waiting("195"), 1);
    world.press('0');
    assert_eq!(world.waiting("195"), 0);
    assert!(matches!(
        world.played(),
        Some([Step::Pause(_), Step::Say(_), Step::Beep, Step::Record])
    ));
    world.pass(Duration::from_secs(10));
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    world.settle();
    assert_eq!(world.exchange.mailboxes.of("104").new, 1);
    world.assert_nothing_left();
}

#[test]
fn at_night_calls_go_elsewhere_before_they_are_answered() {
    let mut world = World::new();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    let action = Some(Treatment::Transfer("102".into()));
    world.ask(Ask::Night { queue: "195".into(), mode: Night::On, action });
    let call = world.dial(desk, "195");
    let incoming = world.incoming(joris).unwrap();
    let diversion = incoming.headers.get(&HeaderName::Diversion).unwrap().into_owned();
    assert!(diversion.contains("time-of-day"), "{diversion}");
    assert!(world.answered(desk, call).is_none());
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    world.settle();
    world.ask(Ask::Night { queue: "195".into(), mode: Night::On, action: Some(Treatment::Busy) });
    let call = world.dial(desk, "195");
    assert_eq!(world.status_of(desk, call), Some(486));
    world.assert_nothing_left();
}

#[test]
fn a_waiting_call_is_sent_on_and_ends_when_nobody_is_there() {
    let mut world = World::new();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    let first = world.dial(desk, "195");
    let number = *world.exchange.calls.keys().next().unwrap();
    world.ask(Ask::Transfer { call: number, to: "102".into() });
    world.lift(joris);
    assert!(world.talk(desk, joris));
    world.phones[desk].ua.hangup(world.now, first).unwrap();
    world.settle();
    let second = world.dial(desk, "195");
    let number = *world.exchange.calls.keys().next().unwrap();
    world.ask(Ask::Transfer { call: number, to: "603".into() });
    assert!(world.ended(desk, second).is_some());
    world.assert_nothing_left();
}

#[test]
fn customers_wait_with_patience_and_are_served_by_phones() {
    let mut world = World::new();
    let wish = |patience| CustomerCall { patience_s: Some(patience), ..CustomerCall::to("195") };
    world.exchange.customer_call(world.now, &wish(60)).unwrap();
    world.exchange.customer_call(world.now, &wish(5)).unwrap();
    world.settle();
    assert_eq!(world.waiting("195"), 2);
    world.pass(Duration::from_secs(6));
    assert_eq!(world.waiting("195"), 1);
    let agent = world.automatic("104");
    world.pass(Duration::from_secs(1));
    assert!(world.incoming(agent).unwrap().body.is_some(), "a customer offers");
    world.lift(agent);
    // The customer tells the story.
    assert!(world.played().is_some_and(|steps| steps.len() > 2));
    assert_eq!(world.phones[agent].hears(), Some(40_002));
    assert_eq!(world.waiting("195"), 0);
    let session = world.incoming(agent).unwrap().session;
    world.phones[agent].ua.hangup(world.now, session).unwrap();
    world.settle();
    assert_eq!(world.state("104"), AgentState::WrapUp);
    world.assert_nothing_left();
}

#[test]
fn simulated_agents_serve_customers_and_phones() {
    let mut world = World::new();
    let desk = world.automatic("101");
    let wish = CustomerCall { patience_s: Some(600), ..CustomerCall::to("196") };
    world.exchange.customer_call(world.now, &wish).unwrap();
    world.settle();
    let call = world.dial(desk, "196");
    world.pass(Duration::from_secs(10));
    let answers = |news: &QueueNews| matches!(news, QueueNews::AnsweredByAgent(_));
    assert_eq!(world.stories().iter().filter(|news| answers(news)).count(), 2);
    assert_eq!(world.exchange.centre(world.now).conversations.len(), 2);
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    // The talk of the other two ends by itself.
    world.pass(Duration::from_secs(120));
    assert!(world.exchange.centre(world.now).conversations.is_empty());
    let view = world.exchange.centre(world.now);
    let handled = view.queue(&"196".into()).unwrap().counts.handled;
    assert_eq!(handled, 2);
    world.assert_nothing_left();
}

#[test]
fn who_waits_in_the_second_queue_hears_messages() {
    let mut world = World::new();
    world.no_simulated_agents();
    let desk = world.automatic("101");
    let call = world.dial(desk, "196");
    assert!(matches!(world.played(), Some([Step::Say(_), Step::Music])));
    world.pass(Duration::from_secs(9));
    // Then how long it will take.
    assert!(matches!(world.played(), Some([Step::Say(_), Step::Music])));
    world.pass(Duration::from_secs(6));
    assert_eq!(world.played(), Some(&[Step::Music][..]));
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    world.assert_nothing_left();
}

#[test]
fn an_agent_on_the_phone_is_not_rung_and_a_pickup_counts() {
    let mut world = World::new();
    let [desk, agent, other] = ["101", "104", "105"].map(|user| world.automatic(user));
    let private = world.dial(agent, "201");
    world.pass(Duration::from_secs(5));
    let call = world.dial(desk, "195");
    assert!(world.incoming(agent).is_none());
    let ringing = world.incoming(other).unwrap().session;
    world.phones[other].ua.ring(world.now, ringing).unwrap();
    world.settle();
    world.phones[agent].ua.hangup(world.now, private).unwrap();
    world.settle();
    world.dial(agent, "*97105");
    assert!(world.talk(agent, desk));
    assert_eq!(world.stories().last(), Some(&QueueNews::AnsweredByAgent("104".into())));
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    world.assert_nothing_left();
}

#[test]
fn a_restart_forgets_who_waits_but_not_what_agents_do() {
    let mut world = World::new();
    let desk = world.automatic("101");
    world.set("105", AgentState::Unavailable);
    world.dial(desk, "195");
    assert_eq!(world.waiting("195"), 1);
    world.exchange.restart(world.now);
    world.phones.clear();
    world.settle();
    assert_eq!(world.waiting("195"), 0);
    assert_eq!(world.state("105"), AgentState::Unavailable);
    assert!(world.exchange.offers.is_empty());
}

#[test]
fn a_simulated_agent_gives_the_outcome_that_is_forced() {
    let mut world = World::new();
    let desk = world.automatic("101");
    for agent in ["104", "105"] {
        world.set(agent, AgentState::SignOut);
    }
    let call = world.dial(desk, "196");
    world.pass(Duration::from_secs(10));
    assert_eq!(world.waiting("196"), 0, "a simulated agent has answered");
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    world.settle();
    let given = |event: &&AcdEvent| matches!(event.news, News::Disposition { .. });
    assert_eq!(world.acd.iter().filter(given).count(), 1);
    let owes = |world: &World| {
        let view = world.exchange.centre(world.now);
        view.agents.iter().any(|agent| agent.status.owes.is_some())
    };
    assert!(!owes(&world));
    world.assert_nothing_left();
}
