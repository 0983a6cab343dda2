//! Who is offered a call, and what becomes of it.

use super::*;

#[test]
fn a_call_is_offered_answered_and_over() {
    let mut floor = floor(|_| {});
    let call = floor.enter();
    assert_eq!(floor.rings_at(call), ["1"]);
    floor.pass(4);
    floor.answer(call, "1");
    assert_eq!(
        floor.story(call),
        [
            QueueNews::Added { position: 1, redirections: vec![] },
            QueueNews::OfferedToAgent("1".into()),
            QueueNews::AnsweredByAgent("1".into()),
        ]
    );
    assert_eq!(floor.agent("1").calls, [call]);
    assert_eq!(floor.acd.agent_of(call), Some(&AgentId::from("1")));
    floor.pass(60);
    floor.tell(Input::Finished { call });
    let talked = floor.events.iter().find_map(|news| match news {
        News::ConversationEnded { talked, .. } => Some(talked.as_secs()),
        _ => None,
    });
    assert_eq!(talked, Some(60));
    let counts = floor.counts();
    assert_eq!((counts.received, counts.answered, counts.answered_in_time), (1, 1, 1));
    assert_eq!((counts.wait_s, counts.talk_s, counts.handled), (4, 60, 1));
    assert!(floor.acd.view(floor.now).conversations.is_empty());
}

#[test]
fn a_call_bounces_after_its_rings_to_the_head_and_to_the_next_agent() {
    let mut floor = floor(|_| {});
    let first = floor.enter();
    floor.set("2", AgentState::Unavailable);
    floor.set("3", AgentState::Unavailable);
    let second = floor.enter();
    floor.pass(14);
    assert_eq!(floor.rings_at(first), ["1"]);
    floor.set("2", AgentState::Available);
    assert_eq!(floor.rings_at(second), ["2"]);
    floor.pass(1);
    // Three rings of five seconds are over: agent 1 is free again, but not for this call.
    assert!(floor.story(first).contains(&QueueNews::Bounced { agent: "1".into(), position: 1 }));
    assert!(floor.commands_for(first).contains(&Command::Stop {
        call: first,
        agent: "1".into(),
        elsewhere: false
    }));
    floor.set("3", AgentState::Available);
    floor.pass(4);
    assert_eq!(floor.counts().bounced, 1);
    assert_eq!(floor.agent("1").counts.bounced, 1);
    assert_eq!(floor.order(), [1, 2]);
}

#[test]
fn who_let_a_call_go_by_is_rung_again_when_nobody_else_is_free() {
    let mut floor = floor(|_| {});
    floor.only(&["1"]);
    let call = floor.enter();
    floor.tell(Input::Refused { call, agent: "1".into() });
    assert_eq!(floor.rings_at(call), Vec::<String>::new());
    floor.pass(2);
    assert_eq!(floor.rings_at(call), Vec::<String>::new());
    floor.pass(1);
    assert_eq!(floor.rings_at(call), ["1"]);
}

#[test]
fn too_many_bounces_make_unavailable() {
    let mut floor = floor(|centre| {
        centre.agents[0].bounce_limit = Some(2);
        centre.unavailable_codes.on_bounces = Some("BOUNCE".into());
    });
    floor.only(&["1"]);
    let call = floor.enter();
    floor.pass(15);
    assert_eq!((floor.state("1"), floor.agent("1").bounces), (AgentState::Available, 1));
    floor.pass(3 + 15);
    assert_eq!(floor.state("1"), AgentState::Unavailable);
    assert_eq!(floor.agent("1").status.code.as_deref(), Some("BOUNCE"));
    assert_eq!(floor.rings_at(call), Vec::<String>::new());
    // An answer ends the row.
    floor.set("1", AgentState::Available);
    floor.pass(3 + 15);
    floor.pass(3);
    floor.answer(call, "1");
    assert_eq!(floor.agent("1").bounces, 0);
}

#[test]
fn the_simultaneous_policy_rings_all_and_the_first_has_it() {
    let mut floor = floor(|centre| queue(centre).policy = Policy::Simultaneous);
    let call = floor.enter();
    assert_eq!(floor.rings_at(call), ["1", "2", "3"]);
    floor.tell(Input::Refused { call, agent: "2".into() });
    assert_eq!(floor.rings_at(call), ["1", "3"]);
    floor.answer(call, "3");
    let stop = |agent: &str, elsewhere| Command::Stop { call, agent: agent.into(), elsewhere };
    let stops = |command: &Command| matches!(command, Command::Stop { .. });
    let stopped: Vec<Command> = floor.commands_for(call).into_iter().filter(stops).collect();
    assert_eq!(stopped, [stop("1", true)]);
    assert_eq!(floor.agent("1").offered, None);
    // Who is too late has nothing.
    floor.answer(call, "1");
    assert!(floor.agent("1").calls.is_empty());
}

#[test]
fn the_simultaneous_policy_bounces_once_nobody_is_left() {
    let mut floor = floor(|centre| queue(centre).policy = Policy::Simultaneous);
    let call = floor.enter();
    floor.pass(15);
    let bounced = |news: &&QueueNews| matches!(news, QueueNews::Bounced { .. });
    assert_eq!(floor.story(call).iter().filter(bounced).count(), 1);
    assert_eq!(floor.agent("1").bounces + floor.agent("2").bounces + floor.agent("3").bounces, 3);
    floor.pass(3);
    assert_eq!(floor.rings_at(call), ["1", "2", "3"]);
}

#[test]
fn circular_calls_go_round() {
    let mut floor = floor(|centre| queue(centre).policy = Policy::Circular);
    let calls = [floor.enter(), floor.enter()];
    assert_eq!(
        (floor.rings_at(calls[0]), floor.rings_at(calls[1])),
        (vec!["1".into()], vec!["2".into()])
    );
    floor.answer(calls[0], "1");
    floor.tell(Input::Finished { call: calls[0] });
    // Agent 1 is free again, but 3 is next.
    let third = floor.enter();
    assert_eq!(floor.rings_at(third), ["3"]);
}

#[test]
fn the_longest_idle_agent_is_rung_first() {
    let mut floor = floor(|centre| queue(centre).policy = Policy::Uniform);
    for agent in ["1", "2", "3"] {
        floor.set(agent, AgentState::Unavailable);
        floor.pass(1);
    }
    for agent in ["3", "1", "2"] {
        floor.set(agent, AgentState::Available);
        floor.pass(1);
    }
    let call = floor.enter();
    assert_eq!(floor.rings_at(call), ["3"]);
    floor.answer(call, "3");
    floor.tell(Input::Finished { call });
    let call = floor.enter();
    assert_eq!(floor.rings_at(call), ["1"]);
}

#[test]
fn skills_go_before_the_policy() {
    let mut floor = floor(|centre| {
        queue(centre).skill_based = true;
        queue(centre).members[0].skill = 5;
        queue(centre).members[1].skill = 2;
        queue(centre).members[2].skill = 2;
    });
    let calls = [floor.enter(), floor.enter(), floor.enter()];
    let rings: Vec<_> = calls.iter().flat_map(|&call| floor.rings_at(call)).collect();
    assert_eq!(rings, ["2", "3", "1"]);
    assert_eq!(floor.agent("1").queues[0].skill, Some(5));
}

#[test]
fn an_agent_of_two_queues_takes_the_higher_priority_first() {
    let mut floor = floor(|centre| {
        queue(centre).priority = Priority::Low;
        let second = QueueConfig {
            id: "196".into(),
            priority: Priority::High,
            members: vec![Member::new("1")],
            ..QueueConfig::default()
        };
        centre.queues.push(second);
    });
    floor.only(&["1"]);
    floor.set("1", AgentState::Unavailable);
    let low = floor.enter();
    let high = floor.enter_as(|arrival| arrival.queue = "196".into());
    floor.set("1", AgentState::Available);
    assert_eq!((floor.rings_at(low), floor.rings_at(high)), (vec![], vec!["1".into()]));
}

#[test]
fn a_call_goes_back_when_its_agent_leaves() {
    let mut floor = floor(|_| {});
    let call = floor.enter();
    floor.set("1", AgentState::Unavailable);
    assert_eq!(floor.rings_at(call), ["2"]);
    // That was no bounce of the agent's.
    assert_eq!(floor.agent("1").counts.bounced, 0);
    floor.set("2", AgentState::SignOut);
    assert_eq!(floor.rings_at(call), ["3"]);
}

#[test]
fn who_is_not_joined_away_or_on_the_phone_is_not_rung() {
    let mut floor = floor(|centre| queue(centre).members[0].joined = false);
    floor.tell(Input::Line { agent: "2".into(), reachable: true, personal_calls: 1 });
    floor.tell(Input::Line { agent: "3".into(), reachable: false, personal_calls: 0 });
    let call = floor.enter();
    assert_eq!(floor.rings_at(call), Vec::<String>::new());
    floor.tell(Input::Line { agent: "2".into(), reachable: true, personal_calls: 0 });
    assert_eq!(floor.rings_at(call), ["2"]);
}

#[test]
fn call_waiting_and_wrap_up_can_be_interrupted_where_it_is_allowed() {
    let mut floor = floor(|centre| {
        queue(centre).allow_call_waiting = true;
        queue(centre).allow_calls_in_wrap_up = true;
    });
    floor.only(&["1"]);
    let first = floor.enter();
    floor.answer(first, "1");
    let second = floor.enter();
    assert_eq!(floor.rings_at(second), ["1"]);
    floor.answer(second, "1");
    let third = floor.enter();
    assert_eq!(floor.rings_at(third), Vec::<String>::new());
    floor.tell(Input::Finished { call: first });
    floor.tell(Input::Finished { call: second });
    floor.set("1", AgentState::WrapUp);
    // It was offered when the first call ended, and rings on.
    assert_eq!(floor.rings_at(third), ["1"]);
    floor.answer(third, "1");
    assert_eq!(floor.state("1"), AgentState::Available);
}

#[test]
fn a_pickup_by_somebody_who_is_not_rung_takes_the_call() {
    let mut floor = floor(|_| {});
    let call = floor.enter();
    floor.answer(call, "3");
    assert_eq!(floor.agent("3").calls, [call]);
    assert_eq!(floor.agent("1").offered, None);
    let other = floor.enter();
    floor.answer(other, "201");
    assert_eq!(floor.story(other).last(), Some(&QueueNews::Transferred { to: "201".into() }));
    assert_eq!(floor.agent("1").offered, None);
}
