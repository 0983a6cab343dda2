//! Whatever happens in whatever order: everybody who came is in one place, and gone with one end.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// One step of a course.
#[derive(Debug, Clone)]
enum Step {
    Enter { queue: usize, priority: usize, to_front: bool },
    Gone(usize),
    Answer(usize),
    Refuse(usize),
    AnswerOutOfTurn(usize, usize),
    Finish(usize),
    Digit(usize, char),
    Line { agent: usize, reachable: bool, personal: u32 },
    Disturb(usize, bool),
    State(usize, usize),
    Join(usize, usize, bool),
    Reorder(usize, usize),
    Promote(usize, usize),
    Transfer(usize),
    Release(usize),
    Night(usize, usize),
    Force(usize, bool),
    Policy(usize, usize),
    Pass(u64),
}

const STATES: [AgentState; 5] = [
    AgentState::SignIn,
    AgentState::Available,
    AgentState::Unavailable,
    AgentState::WrapUp,
    AgentState::SignOut,
];
const POLICIES: [Policy; 5] =
    [Policy::Circular, Policy::Regular, Policy::Simultaneous, Policy::Uniform, Policy::Weighted];

fn step() -> impl Strategy<Value = Step> {
    let call = 0..8_usize;
    let agent = 0..4_usize;
    let queue = 0..2_usize;
    prop_oneof![
        6 => (queue.clone(), 0..4_usize, any::<bool>())
            .prop_map(|(queue, priority, to_front)| Step::Enter { queue, priority, to_front }),
        2 => call.clone().prop_map(Step::Gone),
        5 => call.clone().prop_map(Step::Answer),
        3 => call.clone().prop_map(Step::Refuse),
        1 => (call.clone(), agent.clone()).prop_map(|(c, a)| Step::AnswerOutOfTurn(c, a)),
        4 => call.clone().prop_map(Step::Finish),
        1 => (call.clone(), prop_oneof![Just('0'), Just('7')]).prop_map(|(c, d)| Step::Digit(c, d)),
        2 => (agent.clone(), any::<bool>(), 0..2_u32)
            .prop_map(|(agent, reachable, personal)| Step::Line { agent, reachable, personal }),
        1 => (agent.clone(), any::<bool>()).prop_map(|(a, on)| Step::Disturb(a, on)),
        4 => (agent.clone(), 0..5_usize).prop_map(|(a, s)| Step::State(a, s)),
        1 => (agent, queue.clone(), any::<bool>()).prop_map(|(a, q, on)| Step::Join(a, q, on)),
        1 => (call.clone(), 0..5_usize).prop_map(|(c, i)| Step::Reorder(c, i)),
        1 => (call.clone(), 0..4_usize).prop_map(|(c, p)| Step::Promote(c, p)),
        1 => call.clone().prop_map(Step::Transfer),
        1 => call.prop_map(Step::Release),
        1 => (queue.clone(), 0..3_usize).prop_map(|(q, m)| Step::Night(q, m)),
        1 => (queue.clone(), any::<bool>()).prop_map(|(q, on)| Step::Force(q, on)),
        1 => (queue, 0..5_usize).prop_map(|(q, p)| Step::Policy(q, p)),
        6 => (0..90_u64).prop_map(Step::Pass),
    ]
}

fn centre(centre: &mut CallCentre, treatments: [Treatment; 4], (wrap_up, mandatory): (bool, bool)) {
    let [size, time, stranded, unavailable] = treatments;
    let first = queue(centre);
    first.length = 4;
    first.overflow_size = size;
    first.overflow_time = time;
    first.overflow_after_s = Some(100);
    first.stranded = stranded;
    first.stranded_unavailable = unavailable;
    first.escape_digit = Some('0');
    first.escape_to = "101".into();
    first.promote_after_s = PromoteAfter { high: Some(20), medium: Some(20), low: Some(20) };
    first.post_call = wrap_up.then(PostCall::default);
    first.night.action = Treatment::Transfer("101".into());
    first.night.mode = Night::Off;
    let message = Announcement { clip: "welcome".into(), length_ms: 3_000 };
    first.entrance = Some(Entrance { message, mandatory });
    let mut second = first.clone();
    second.id = QueueId::from("196");
    second.members.truncate(2);
    second.policy = Policy::Simultaneous;
    second.allow_call_waiting = true;
    second.allow_calls_in_wrap_up = true;
    second.bounce_on_unavailable = false;
    centre.queues.push(second);
    centre.agents[0].bounce_limit = Some(2);
    centre.agents[1].guard_s = Some(3);
    centre.agents[2].unavailable_on_personal_call = true;
}

/// Picks one of the calls that were ever there.
fn pick(floor: &Floor, index: usize) -> CallNumber {
    let last = usize::try_from(floor.last).unwrap();
    // Of the latest, so that most choices are of calls that are still there.
    let back = if last == 0 { 0 } else { index % last.min(8) };
    CallNumber(u64::try_from(last - back).unwrap().max(1))
}

fn agent_at(index: usize) -> AgentId {
    // The fourth is nobody.
    AgentId::from(["1", "2", "3", "9"][index])
}

fn queue_at(index: usize) -> QueueId {
    QueueId::from(["195", "196"][index])
}

fn rung(floor: &Floor, call: CallNumber) -> Option<AgentId> {
    floor.rings_at(call).first().map(|agent| AgentId(agent.clone()))
}

fn request(floor: &mut Floor, step: &Step) {
    let request = match *step {
        Step::State(agent, state) => Request::SetState {
            agent: agent_at(agent),
            state: STATES[state],
            code: None,
            validate: false,
        },
        Step::Join(agent, queue, joined) => {
            Request::Join { agent: agent_at(agent), queue: queue_at(queue), joined }
        }
        Step::Reorder(call, index) => Request::Reorder { call: pick(floor, call), index },
        Step::Promote(call, priority) => {
            Request::Promote { call: pick(floor, call), priority: Priority::ALL[priority] }
        }
        Step::Transfer(call) => Request::Transfer { call: pick(floor, call), to: "201".into() },
        Step::Release(call) => Request::Release { call: pick(floor, call) },
        Step::Night(queue, mode) => {
            let mode = [Night::Off, Night::On, Night::Automatic][mode];
            Request::Night { queue: queue_at(queue), mode, action: None }
        }
        Step::Force(queue, active) => {
            Request::ForcedForwarding { queue: queue_at(queue), active, to: Some("102".into()) }
        }
        Step::Policy(queue, policy) => {
            let view = floor.acd.view(floor.now);
            let mut config = view.queue(&queue_at(queue)).unwrap().config.clone();
            config.policy = POLICIES[policy];
            Request::Configure { config: Box::new(config) }
        }
        _ => return,
    };
    // Refused or not: nobody may be lost.
    let _ = floor.ask(request);
}

fn take(floor: &mut Floor, step: &Step) {
    match *step {
        Step::Enter { queue, priority, to_front } => {
            floor.enter_as(|arrival| {
                arrival.queue = queue_at(queue);
                arrival.priority = Some(Priority::ALL[priority]);
                arrival.to_front = to_front;
            });
        }
        Step::Gone(call) => floor.tell(Input::CallerGone { call: pick(floor, call) }),
        Step::Answer(call) => {
            let call = pick(floor, call);
            if let Some(agent) = rung(floor, call) {
                floor.tell(Input::Answered { call, agent });
            }
        }
        Step::Refuse(call) => {
            let call = pick(floor, call);
            if let Some(agent) = rung(floor, call) {
                floor.tell(Input::Refused { call, agent });
            }
        }
        Step::AnswerOutOfTurn(call, agent) => {
            let input = Input::Answered { call: pick(floor, call), agent: agent_at(agent) };
            floor.tell(input);
        }
        Step::Finish(call) => floor.tell(Input::Finished { call: pick(floor, call) }),
        Step::Digit(call, digit) => floor.tell(Input::Digit { call: pick(floor, call), digit }),
        Step::Line { agent, reachable, personal } => {
            let agent = agent_at(agent);
            floor.tell(Input::Line { agent, reachable, personal_calls: personal });
        }
        Step::Disturb(agent, on) => floor.tell(Input::DoNotDisturb { agent: agent_at(agent), on }),
        Step::Pass(seconds) => floor.pass(seconds),
        _ => request(floor, step),
    }
}

/// How often each call has come to an end, by what was told.
fn ends(floor: &Floor) -> BTreeMap<u64, (usize, usize)> {
    let mut ends: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for news in &floor.events {
        match news {
            News::Queue(QueueNews::AnsweredByAgent(_), entry) => {
                ends.entry(entry.call.0).or_default().0 += 1;
            }
            News::Queue(news, entry) if news.is_end() => {
                ends.entry(entry.call.0).or_default().1 += 1;
            }
            News::TurnedAway(away) => ends.entry(away.call.0).or_default().1 += 1,
            News::ConversationEnded { entry, .. } => ends.entry(entry.call.0).or_default().1 += 1,
            _ => {}
        }
    }
    ends
}

fn check(floor: &Floor) {
    let view = floor.acd.view(floor.now);
    let ends = ends(floor);
    for call in 1..=floor.last {
        let waiting = view.queues.iter().flat_map(|queue| &queue.entries);
        let waits = waiting.filter(|entry| entry.call.0 == call).count();
        let talks = view.conversations.iter().filter(|entry| entry.call.0 == call).count();
        let (answers, gone) = ends.get(&call).copied().unwrap_or_default();
        assert_eq!(
            waits + talks + gone,
            1,
            "call {call}: waits {waits}, talks {talks}, gone {gone}"
        );
        assert!(answers <= 1, "call {call} was answered {answers} times");
    }
    for queue in &view.queues {
        for (index, entry) in queue.entries.iter().enumerate() {
            assert_eq!(floor.acd.place_of(entry.call), Some((queue.config.id.clone(), index + 1)));
            for agent in &entry.offered_to {
                assert_eq!(view.agent(agent).unwrap().offered, Some(entry.call));
            }
        }
        let ranks: Vec<_> = queue
            .entries
            .iter()
            .map(|entry| {
                (!entry.bounced, if entry.bounced { Priority::Highest } else { entry.priority })
            })
            .collect();
        assert!(ranks.is_sorted(), "{ranks:?}");
    }
    for agent in &view.agents {
        let rings = view
            .queues
            .iter()
            .flat_map(|queue| &queue.entries)
            .filter(|entry| entry.offered_to.contains(&agent.agent))
            .count();
        assert_eq!(rings, usize::from(agent.offered.is_some()), "{}", agent.agent);
        assert!(agent.status.state.is_signed_in() || agent.offered.is_none());
        for call in &agent.calls {
            assert_eq!(floor.acd.agent_of(*call), Some(&agent.agent));
        }
    }
}

/// What the exchange was told to ring and to stop ringing is what rings.
fn check_commands(floor: &Floor) {
    let mut ringing: BTreeMap<String, u64> = BTreeMap::new();
    let mut refused: Vec<(String, u64)> = Vec::new();
    for command in &floor.commands {
        match command {
            Command::Offer { call, agent, .. } => {
                ringing.insert(agent.0.clone(), call.0);
            }
            Command::Stop { call, agent, .. } => {
                assert_eq!(ringing.remove(&agent.0), Some(call.0), "{agent} was not rung");
                refused.push((agent.0.clone(), call.0));
            }
            _ => {}
        }
    }
    for agent in floor.acd.view(floor.now).agents {
        if let Some(call) = agent.offered {
            assert_eq!(ringing.get(&agent.agent.0), Some(&call.0));
        }
    }
}

fn treatment() -> impl Strategy<Value = Treatment> {
    prop_oneof![
        Just(Treatment::Leave),
        Just(Treatment::Busy),
        Just(Treatment::Transfer("101".into())),
        Just(Treatment::Ring),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_lost_and_nobody_is_twice(
        steps in prop::collection::vec(step(), 1..120),
        treatments in [treatment(), treatment(), treatment(), treatment()],
        flags in any::<(bool, bool)>(),
    ) {
        let mut floor = floor(|set_up| centre(set_up, treatments, flags));
        for step in &steps {
            take(&mut floor, step);
            check(&floor);
        }
        check_commands(&floor);
        // In the end all hang up, and everybody is gone.
        for call in 1..=floor.last {
            floor.tell(Input::CallerGone { call: CallNumber(call) });
        }
        floor.pass(600);
        check(&floor);
        let view = floor.acd.view(floor.now);
        prop_assert!(view.conversations.is_empty());
        prop_assert!(view.queues.iter().all(|queue| queue.entries.is_empty()));
        prop_assert!(view.agents.iter().all(|agent| agent.offered.is_none() && agent.calls.is_empty()));
    }
}
