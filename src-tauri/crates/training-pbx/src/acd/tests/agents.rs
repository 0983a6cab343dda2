//! What agents do.

use super::*;
use crate::acd::agent::SIGNING_IN;

use AgentState::{Available, SignIn, SignOut, Unavailable, WrapUp};

#[test]
fn signing_in_lasts_a_moment_and_ends_as_configured() {
    let mut floor = floor(|centre| {
        centre.agents[0].starts = SignOut;
        centre.agents[1].starts = SignOut;
        centre.agents[1].after_sign_in = Unavailable;
    });
    let call = floor.enter();
    floor.tell(Input::CallerGone { call });
    floor.set("1", SignIn);
    floor.set("2", SignIn);
    assert_eq!(floor.agent("1").status.signed_in_at, Some(floor.now));
    floor.pass(SIGNING_IN.as_secs());
    assert_eq!(floor.states("1"), [SignIn, Available]);
    assert_eq!(floor.states("2"), [SignIn, Unavailable]);
    // Signing in twice is nothing.
    floor.set("1", SignIn);
    assert_eq!(floor.states("1"), [SignIn, Available]);
    floor.set("1", SignOut);
    assert_eq!(floor.agent("1").status.signed_in_at, None);
}

#[test]
fn wrap_up_ends_by_itself_and_can_be_extended() {
    let mut floor = floor(|centre| {
        let then = Unavailable;
        let state = WrapUp;
        queue(centre).post_call = Some(PostCall { state, code: None, wrap_up_s: Some(20), then });
    });
    let call = floor.enter();
    floor.answer(call, "1");
    floor.pass(30);
    floor.tell(Input::Finished { call });
    let status = floor.agent("1").status;
    assert_eq!((status.state, status.wrap_up_call), (WrapUp, Some(call)));
    assert_eq!(status.wrap_up_queue, Some("195".into()));
    assert_eq!(status.wrap_up_ends, Some(floor.now + Duration::from_secs(20)));
    // What was told has the call in it as well.
    let told = floor.events.iter().rev().find_map(|news| match news {
        News::AgentState { status, .. } => Some(status.clone()),
        _ => None,
    });
    assert_eq!(told.unwrap().wrap_up_call, Some(call));
    floor.pass(10);
    assert_eq!(floor.ask(Request::ExtendWrapUp { agent: "1".into(), by_s: 30 }), Ok(Done::Done));
    floor.pass(39);
    assert_eq!(floor.state("1"), WrapUp);
    floor.pass(1);
    assert_eq!(floor.state("1"), Unavailable);
    let counts = floor.agent("1").counts;
    assert_eq!((counts.wrap_up_s, counts.wrap_ups, counts.talk_s), (50, 1, 30));
    assert_eq!(floor.counts().wrap_up_s, 50);
    assert_eq!(floor.agent("1").status.average_wrap_up, Duration::from_secs(50));
    let refused = floor.ask(Request::ExtendWrapUp { agent: "1".into(), by_s: 30 });
    assert_eq!(refused, Err(Refusal::NotWrappingUp("1".into())));
}

#[test]
fn a_wrap_up_without_a_timer_ends_when_the_agent_says_so() {
    let mut floor = floor(|_| {});
    floor.set("1", WrapUp);
    floor.pass(10_000);
    assert_eq!(floor.state("1"), WrapUp);
    assert_eq!(floor.ask(Request::ExtendWrapUp { agent: "1".into(), by_s: 30 }), Ok(Done::Done));
    floor.set("1", Available);
    assert_eq!(floor.state("1"), Available);
}

#[test]
fn the_state_after_a_call_is_the_queues_unless_the_agent_chose_one() {
    let mut floor = floor(|centre| {
        let code = Some("ADMIN".to_owned());
        let then = Available;
        queue(centre).post_call =
            Some(PostCall { state: Unavailable, code, wrap_up_s: None, then });
    });
    let call = floor.enter();
    floor.answer(call, "1");
    floor.tell(Input::Finished { call });
    assert_eq!(
        (floor.state("1"), floor.agent("1").status.code),
        (Unavailable, Some("ADMIN".into()))
    );
    let call = floor.enter();
    floor.answer(call, "2");
    floor.set("2", WrapUp);
    floor.tell(Input::Finished { call });
    assert_eq!(floor.state("2"), WrapUp);
    let call = floor.enter();
    floor.answer(call, "3");
    floor.set("3", SignOut);
    floor.tell(Input::Finished { call });
    assert_eq!(floor.state("3"), SignOut);
}

#[test]
fn do_not_disturb_makes_unavailable_and_keeps_calls_away() {
    let mut floor = floor(|centre| {
        centre.unavailable_codes.on_do_not_disturb = Some("DND".into());
        centre.agents[1].unavailable_on_do_not_disturb = false;
    });
    floor.only(&["1", "2"]);
    for agent in ["1", "2"] {
        floor.tell(Input::DoNotDisturb { agent: agent.into(), on: true });
    }
    assert_eq!((floor.state("1"), floor.state("2")), (Unavailable, Available));
    assert_eq!(floor.agent("1").status.code.as_deref(), Some("DND"));
    let call = floor.enter();
    assert_eq!(floor.rings_at(call), Vec::<String>::new());
    floor.tell(Input::DoNotDisturb { agent: "2".into(), on: false });
    assert_eq!(floor.rings_at(call), ["2"]);
    // Switching it off is no reason to be available.
    floor.tell(Input::DoNotDisturb { agent: "1".into(), on: false });
    assert_eq!(floor.state("1"), Unavailable);
}

#[test]
fn a_personal_call_makes_unavailable_until_it_is_over() {
    let mut floor = floor(|centre| {
        centre.agents[0].unavailable_on_personal_call = true;
        centre.unavailable_codes.on_personal_call = Some("PRIVATE".into());
    });
    let line = |personal_calls| Input::Line { agent: "1".into(), reachable: true, personal_calls };
    floor.tell(line(1));
    assert_eq!(floor.agent("1").status.code.as_deref(), Some("PRIVATE"));
    floor.tell(line(0));
    assert_eq!(floor.state("1"), Available);
    // A state chosen meanwhile stays.
    floor.tell(line(1));
    floor.set("1", WrapUp);
    floor.tell(line(0));
    assert_eq!(floor.state("1"), WrapUp);
}

#[test]
fn the_guard_timer_leaves_a_pause_between_calls() {
    let mut floor = floor(|centre| centre.agents[0].guard_s = Some(5));
    floor.only(&["1"]);
    let first = floor.enter();
    let second = floor.enter();
    floor.answer(first, "1");
    floor.tell(Input::Finished { call: first });
    assert_eq!(floor.rings_at(second), Vec::<String>::new());
    floor.pass(5);
    assert_eq!(floor.rings_at(second), ["1"]);
}

#[test]
fn codes_must_exist_and_be_given_where_they_are_forced() {
    let code = |code: &str, default| Code {
        code: code.into(),
        description: code.into(),
        active: code != "OLD",
        default,
        level: Level::Enterprise,
    };
    let set = |code: Option<&str>| Request::SetState {
        agent: "1".into(),
        state: Unavailable,
        code: code.map(str::to_owned),
        validate: false,
    };
    let mut floor = floor(|centre| {
        centre.unavailable_codes = UnavailableCodes {
            enabled: true,
            forced: true,
            codes: vec![code("LUNCH", false), code("OLD", false)],
            ..UnavailableCodes::default()
        };
    });
    assert_eq!(floor.ask(set(None)), Err(Refusal::BadCode(None)));
    assert_eq!(floor.ask(set(Some("OLD"))), Err(Refusal::BadCode(Some("OLD".into()))));
    assert_eq!(floor.state("1"), Available);
    assert_eq!(floor.ask(set(Some("LUNCH"))), Ok(Done::Done));
    assert_eq!(floor.agent("1").status.code.as_deref(), Some("LUNCH"));
    floor.acd.unavailable_codes.codes.push(code("BREAK", true));
    assert_eq!(floor.ask(set(None)), Ok(Done::Done));
    assert_eq!(floor.agent("1").status.code.as_deref(), Some("BREAK"));
}

#[test]
fn states_grow_yellow_and_red() {
    let mut floor = floor(|centre| {
        let threshold = Threshold { yellow: Some(60), red: Some(120) };
        centre.agents[0].thresholds.unavailable = threshold;
        centre.agents[0].thresholds.on_call = threshold;
        centre.agents[1].thresholds.idle = threshold;
    });
    floor.set("1", Unavailable);
    floor.pass(200);
    let severities: Vec<(Severity, Severity, Option<u32>)> = floor
        .events
        .iter()
        .filter_map(|news| match news {
            News::AgentState { agent, status } if agent.0 == "1" => Some((
                status.severity.severity,
                status.severity.previous,
                status.severity.threshold,
            )),
            _ => None,
        })
        .collect();
    let (normal, yellow, red) = (Severity::Normal, Severity::Yellow, Severity::Red);
    assert_eq!(
        severities,
        [(normal, normal, None), (yellow, normal, Some(60)), (red, yellow, Some(120))]
    );
    let alerts = |floor: &Floor, on_call: bool| {
        let own =
            |news: &&News| matches!(news, News::AgentAlert { on_call: own, .. } if *own == on_call);
        floor.events.iter().filter(own).count()
    };
    assert_eq!((alerts(&floor, false), alerts(&floor, true)), (1, 0));
    floor.set("1", Available);
    let call = floor.enter();
    floor.answer(call, "1");
    floor.pass(500);
    assert_eq!(alerts(&floor, true), 1);
}

#[test]
fn joining_is_for_one_queue_and_may_be_forbidden() {
    let mut floor = floor(|centre| queue(centre).members[1].may_leave = false);
    let join =
        |agent: &str, joined| Request::Join { agent: agent.into(), queue: "195".into(), joined };
    assert_eq!(floor.ask(join("1", false)), Ok(Done::Done));
    assert_eq!(floor.ask(join("1", false)), Ok(Done::Done));
    assert_eq!(floor.ask(join("2", false)), Err(Refusal::MayNotLeave("2".into(), "195".into())));
    assert_eq!(floor.ask(join("9", true)), Err(Refusal::UnknownAgent("9".into())));
    let joined = floor.events.iter().filter_map(|news| match news {
        News::AgentJoin { agent, join } => Some((agent.0.clone(), join.joined)),
        _ => None,
    });
    assert_eq!(joined.collect::<Vec<_>>(), [("1".to_owned(), false)]);
    let call = floor.enter();
    assert_eq!(floor.rings_at(call), ["2"]);
    assert_eq!(floor.state("1"), Available);
}

#[test]
fn signing_out_can_be_refused_to_the_last_agent() {
    let mut floor = floor(|_| {});
    let out =
        |validate| Request::SetState { agent: "1".into(), state: SignOut, code: None, validate };
    floor.set("2", SignOut);
    assert_eq!(floor.acd.last_staffed_by(&"1".into()), Vec::<QueueId>::new());
    floor.set("3", SignOut);
    let queues = vec![QueueId::from("195")];
    assert_eq!(floor.acd.view(floor.now).last_staffed_by(&"1".into()), queues);
    assert_eq!(floor.ask(out(true)), Err(Refusal::LastAgent { agent: "1".into(), queues }));
    assert_eq!(floor.state("1"), Available);
    assert_eq!(floor.ask(out(false)), Ok(Done::Done));
    // Who is out already is not the last.
    assert_eq!(floor.ask(out(true)), Ok(Done::Done));
}

/// Queue 195 forces an outcome, BREUK or LEK; its wrap-up is as given.
fn forced(post_call: Option<PostCall>) -> Floor {
    floor(|centre| {
        let code = |code: &str, active| Code {
            code: code.into(),
            description: code.into(),
            active,
            default: false,
            level: Level::Queue,
        };
        queue(centre).post_call = post_call;
        queue(centre).dispositions = DispositionCodes {
            enabled: true,
            forced: true,
            codes: vec![code("BREUK", true), code("LEK", true), code("OUD", false)],
            ..DispositionCodes::default()
        };
    })
}

fn give(agent: &str, code: &str) -> Request {
    Request::Disposition { agent: agent.into(), call: None, code: code.into() }
}

fn twenty(then: AgentState) -> Option<PostCall> {
    Some(PostCall { state: WrapUp, code: None, wrap_up_s: Some(20), then })
}

#[test]
fn a_forced_outcome_keeps_the_agent_in_wrap_up_until_it_is_given() {
    let mut floor = forced(twenty(Available));
    assert_eq!(floor.acd.outcomes(&"195".into()), ["BREUK", "LEK"]);
    let call = floor.enter();
    floor.answer(call, "1");
    floor.tell(Input::Finished { call });
    assert_eq!(floor.agent("1").status.owes, Some(call));
    floor.pass(3_600);
    assert_eq!(floor.state("1"), WrapUp, "its time was up long ago");
    let set = |state| Request::SetState { agent: "1".into(), state, code: None, validate: false };
    for state in [Available, Unavailable] {
        assert_eq!(floor.ask(set(state)), Err(Refusal::OutcomeNeeded("1".into())));
    }
    let wrong = floor.ask(give("1", "OUD"));
    assert_eq!(wrong, Err(Refusal::BadCode(Some("OUD".into()))));
    assert_eq!(floor.ask(give("1", "LEK")), Ok(Done::Done));
    assert_eq!((floor.state("1"), floor.agent("1").status.owes), (Available, None));
    // Early enough, the wrap-up lasts as long as it would have.
    let call = floor.enter();
    floor.answer(call, "1");
    floor.tell(Input::Finished { call });
    floor.ask(give("1", "BREUK")).unwrap();
    floor.pass(19);
    assert_eq!(floor.state("1"), WrapUp);
    floor.pass(1);
    assert_eq!(floor.state("1"), Available);
}

#[test]
fn an_outcome_that_was_given_during_the_call_is_not_asked_for() {
    let mut floor = forced(twenty(Unavailable));
    let call = floor.enter();
    floor.answer(call, "1");
    floor.ask(give("1", "BREUK")).unwrap();
    floor.tell(Input::Finished { call });
    assert_eq!(floor.agent("1").status.owes, None);
    floor.pass(20);
    assert_eq!(floor.state("1"), Unavailable);
}

#[test]
fn what_would_have_followed_the_call_follows_the_outcome() {
    let unavailable = PostCall {
        state: Unavailable,
        code: Some("ADMIN".into()),
        wrap_up_s: None,
        then: Available,
    };
    for (post, then, code) in
        [(None, Available, None), (Some(unavailable), Unavailable, Some("ADMIN"))]
    {
        let mut floor = forced(post);
        let call = floor.enter();
        floor.answer(call, "1");
        floor.tell(Input::Finished { call });
        floor.pass(600);
        assert_eq!(floor.state("1"), WrapUp);
        floor.ask(give("1", "LEK")).unwrap();
        assert_eq!((floor.state("1"), floor.agent("1").status.code.as_deref()), (then, code));
    }
    // Who chose to wrap up, or signs out, is taken at his word.
    let mut floor = forced(None);
    let call = floor.enter();
    floor.answer(call, "1");
    floor.set("1", WrapUp);
    floor.tell(Input::Finished { call });
    floor.ask(give("1", "LEK")).unwrap();
    assert_eq!(floor.state("1"), WrapUp);
    let call = floor.enter();
    floor.answer(call, "2");
    floor.tell(Input::Finished { call });
    floor.set("2", SignOut);
    assert_eq!((floor.state("2"), floor.agent("2").status.owes), (SignOut, None));
}

#[test]
fn no_outcome_is_forced_where_there_is_none() {
    let mut floor = forced(None);
    let mut config = floor.acd.queue_config(&"195".into()).unwrap().clone();
    config.dispositions.codes.retain(|code| !code.active);
    floor.ask(Request::Configure { config: Box::new(config) }).unwrap();
    let call = floor.enter();
    floor.answer(call, "1");
    floor.tell(Input::Finished { call });
    assert_eq!((floor.state("1"), floor.agent("1").status.owes), (Available, None));
}
