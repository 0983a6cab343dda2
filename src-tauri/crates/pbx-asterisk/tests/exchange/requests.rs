//! What the user asks for, as actions.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fmt::Write as _;
use std::time::Duration;

use pbx::centre::{
    AgentState, Answer, CallVerb, EntryEnd, Input as Told, Priority, QueueChange, QueueId,
    QueuedCallId, Refusal, Request, Supervision, UserId,
};

use crate::calls::talks;
use crate::lab::{
    ANNA, Lab, caller_event, config, member, member_event, params, quiet_queues, supervisor,
    waiting,
};
use pbx_asterisk::{Config, FeatureCodes};

const BERT: &str = "PJSIP/102";

fn queue(name: &str) -> QueueId {
    QueueId(name.to_owned())
}

fn call(number: &str) -> QueuedCallId {
    QueuedCallId(format!("{number}.1"))
}

fn set(state: AgentState, code: Option<&str>) -> Request {
    let code = code.map(str::to_owned);
    Request::SetAgentState { agent: None, state, code, validate: false }
}

/// A supervisor's view with three waiting callers in `support`.
fn crowded() -> Lab {
    let mut lab = Lab::new(supervisor());
    lab.sign_in();
    let queues = [
        params("support", 3, 3, 1),
        member("support", "Anna", ANNA, "Status: 1"),
        member("support", "Bert", BERT, "Status: 2"),
        waiting("support", 1, "1", 30, 5),
        waiting("support", 2, "2", 20, 0),
        waiting("support", 3, "3", 10, 0),
        params("sales", 0, 0, 0),
        member("sales", "Bert", BERT, "Status: 2"),
    ];
    lab.read(&queues.concat());
    lab.forget();
    lab
}

/// Asks, says yes to every action, and writes down what went out.
fn carried_out(lab: &mut Lab, name: &str, request: Request, story: &mut String) {
    let before = lab.sent.len();
    lab.log.clear();
    lab.take();
    lab.ask(request);
    let mut next = before;
    while let Some((action, _)) = lab.sent.get(next).cloned() {
        if action != "QueueStatus" {
            lab.answer(&action, "Message: Done");
        }
        next += 1;
    }
    writeln!(story, "{name}").unwrap();
    for line in lab.log.lines() {
        let line = line.get(8..).unwrap_or_default();
        if line.starts_with("send") || line.contains("Done {") {
            writeln!(story, "  {line}").unwrap();
        }
    }
}

#[test]
fn states_and_queues_as_actions() {
    let mut lab = Lab::live(config());
    let mut story = String::new();
    let support = || queue("support");
    carried_out(&mut lab, "lunch", set(AgentState::Unavailable, Some("Lunch")), &mut story);
    carried_out(&mut lab, "wrap-up", set(AgentState::WrapUp, None), &mut story);
    carried_out(&mut lab, "available", set(AgentState::Available, None), &mut story);
    let join = |joined| Request::Join { agent: None, queue: queue("sales"), joined };
    carried_out(&mut lab, "join", join(true), &mut story);
    lab.say(&member_event("QueueMemberPause", "support", ANNA, "Paused: 1\nPausedReason: Lunch"));
    carried_out(&mut lab, "join while at lunch", join(true), &mut story);
    carried_out(&mut lab, "leave where he is not", join(false), &mut story);
    let leave = Request::Join { agent: None, queue: support(), joined: false };
    carried_out(&mut lab, "leave", leave, &mut story);
    carried_out(&mut lab, "sign out", set(AgentState::SignedOut, None), &mut story);
    lab.say(&member_event("QueueMemberRemoved", "support", ANNA, ""));
    carried_out(&mut lab, "sign in", set(AgentState::Available, None), &mut story);
    carried_out(
        &mut lab,
        "sign in at lunch",
        set(AgentState::Unavailable, Some("Lunch")),
        &mut story,
    );
    insta::assert_snapshot!("agent_actions", story);
}

#[test]
fn callers_as_actions() {
    let mut lab = crowded();
    let mut story = String::new();
    let support = || queue("support");
    let moved =
        Request::MoveToNumber { queue: support(), call: call("1"), number: "102".to_owned() };
    carried_out(&mut lab, "to a number", moved, &mut story);
    let mut lab = crowded();
    let reorder = |number, index| Request::Reorder { queue: support(), call: call(number), index };
    carried_out(&mut lab, "to the front", reorder("3", 0), &mut story);
    carried_out(&mut lab, "second", reorder("3", 1), &mut story);
    carried_out(&mut lab, "behind", reorder("1", 9), &mut story);
    let promote = Request::Promote { queue: support(), call: call("2"), priority: Priority::High };
    carried_out(&mut lab, "promote", promote, &mut story);
    let release = Request::ReleaseQueued { queue: support(), call: call("2") };
    carried_out(&mut lab, "release", release, &mut story);
    insta::assert_snapshot!("caller_actions", story);
}

#[test]
fn calls_as_actions() {
    let mut lab = crowded();
    let mut story = String::new();
    talks(&mut lab, 1, "b-1", "061");
    talks(&mut lab, 2, "b-2", "062");
    lab.sent.clear();
    let control = |verb| Request::Control { call: "own.1".to_owned(), verb };
    let give = CallVerb::BlindTransfer("102".to_owned());
    carried_out(&mut lab, "transfer", control(give), &mut story);
    let together = CallVerb::ConsultTransfer("own.2".to_owned());
    carried_out(&mut lab, "after asking", control(together), &mut story);
    carried_out(&mut lab, "hang up", control(CallVerb::Release), &mut story);
    carried_out(&mut lab, "busy", control(CallVerb::Decline(true)), &mut story);
    carried_out(&mut lab, "park", control(CallVerb::Park(None)), &mut story);
    carried_out(&mut lab, "dial", Request::Dial { number: "+31302318800".to_owned() }, &mut story);
    carried_out(&mut lab, "retrieve", Request::Retrieve { at: Some("701".to_owned()) }, &mut story);
    carried_out(&mut lab, "pick up", Request::Pickup { at: Some("102".to_owned()) }, &mut story);
    carried_out(&mut lab, "pick up in the group", Request::Pickup { at: None }, &mut story);
    let spy = |how| Request::Supervise { agent: BERT.to_owned(), how };
    carried_out(&mut lab, "listen", spy(Supervision::Listen), &mut story);
    carried_out(&mut lab, "coach", spy(Supervision::Coach), &mut story);
    carried_out(&mut lab, "barge in", spy(Supervision::BargeIn), &mut story);
    insta::assert_snapshot!("call_actions", story);
}

#[test]
fn what_cannot_be_done_is_refused_without_an_action() {
    let mut lab = Lab::live(config());
    let other = Some(UserId(BERT.to_owned()));
    lab.say(&caller_event("QueueCallerJoin", "support", "1", "Position: 1"));
    lab.forget();
    let cases = [
        (
            Request::SetAgentState {
                agent: other,
                state: AgentState::Available,
                code: None,
                validate: false,
            },
            Refusal::NotAllowed,
        ),
        (set(AgentState::Unavailable, Some(&"x".repeat(80))), Refusal::BadValue("x".repeat(80))),
        (
            Request::MoveToNumber {
                queue: queue("support"),
                call: call("1"),
                number: "102".into(),
            },
            Refusal::NotAllowed,
        ),
        (
            Request::Dial { number: "102\r\nAction: Command".into() },
            Refusal::BadValue("102\r\nAction: Command".into()),
        ),
        (Request::Dial { number: String::new() }, Refusal::BadValue(String::new())),
        (Request::Join { agent: None, queue: queue("nowhere"), joined: true }, Refusal::Gone),
        (Request::Control { call: "own.9".into(), verb: CallVerb::Release }, Refusal::Gone),
        (Request::Retrieve { at: None }, Refusal::Gone),
        (Request::Supervise { agent: BERT.into(), how: Supervision::Listen }, Refusal::NotAllowed),
        (Request::ReadDirectory, Refusal::NotAllowed),
    ];
    for (request, expected) in cases {
        let what = format!("{request:?}");
        lab.ask(request);
        assert_eq!(lab.done(), Some(Err(expected)), "{what}");
    }
    assert_eq!(lab.sent, []);
}

#[test]
fn a_device_with_signs_of_the_dial_plan_is_not_spied_on() {
    let mut lab = Lab::new(supervisor());
    lab.sign_in();
    let odd = "Local/102,b@phones";
    lab.read(&[params("support", 0, 0, 0), member("support", "Bert", odd, "Status: 1")].concat());
    lab.ask(Request::Supervise { agent: odd.to_owned(), how: Supervision::Listen });
    assert_eq!(lab.done(), Some(Err(Refusal::Gone)));
}

#[test]
fn the_last_one_of_a_queue_is_asked_again() {
    let mut lab = Lab::live(config());
    let sign_out = |validate| Request::SetAgentState {
        agent: None,
        state: AgentState::SignedOut,
        code: None,
        validate,
    };
    lab.ask(sign_out(true));
    lab.answer("QueueRemove", "Message: Removed interface from queue");
    assert_eq!(lab.done(), Some(Ok(Answer::Accepted)), "Bert is still there");
    lab.say(&member_event("QueueMemberPause", "support", BERT, "Paused: 1"));
    lab.ask(sign_out(true));
    assert_eq!(lab.done(), Some(Err(Refusal::LastStaffed(vec![queue("support")]))));
    lab.ask(sign_out(false));
    lab.answer("QueueRemove", "Message: Removed interface from queue");
    assert_eq!(lab.done(), Some(Ok(Answer::Accepted)));
}

#[test]
fn who_was_put_into_a_queue_by_the_settings_cannot_leave_it() {
    let mut lab = Lab::live(config());
    let rest = "Status: 1\nMembership: static";
    let list = [params("support", 0, 0, 0), member("support", "Anna", ANNA, rest)].concat();
    let list = list.replacen("Membership: dynamic\n", "", 1);
    lab.wait(Duration::from_secs(30));
    lab.list("QueueStatus", &list);
    lab.ask(set(AgentState::SignedOut, None));
    assert_eq!(lab.done(), Some(Err(Refusal::NotAllowed)));
    lab.ask(Request::Join { agent: None, queue: queue("support"), joined: false });
    assert_eq!(lab.done(), Some(Err(Refusal::NotAllowed)));
}

#[test]
fn what_the_exchange_refuses_is_told_in_its_words() {
    let mut lab = Lab::live(config());
    for (words, expected) in [
        ("Permission denied", Refusal::NotAllowed),
        ("Interface not found", Refusal::Gone),
        ("Zo niet", Refusal::Exchange { code: 0, words: "Zo niet".to_owned() }),
    ] {
        lab.ask(set(AgentState::Unavailable, None));
        lab.refuse("QueuePause", words);
        assert_eq!(lab.done(), Some(Err(expected)));
    }
    let join = Request::Join { agent: None, queue: queue("sales"), joined: true };
    lab.ask(join);
    lab.refuse("QueueAdd", "Unable to add interface: Already there");
    assert_eq!(lab.done(), Some(Ok(Answer::Accepted)), "it is so already");
}

#[test]
fn a_right_that_the_account_does_not_have_is_not_used() {
    let mut lab = Lab::new(Config { supervisor: true, ..config() });
    lab.sign_in();
    lab.answer("Ping", "Timestamp: 1795657300.0");
    lab.answer("ListCommands", "QueueStatus: x\nQueueWithdrawCaller: x");
    lab.list("QueueStatus", &[quiet_queues(), waiting("support", 1, "1", 30, 0)].concat());
    lab.forget();
    lab.ask(Request::Dial { number: "102".to_owned() });
    assert_eq!(lab.done(), Some(Err(Refusal::NotAllowed)));
    let number = "102".to_owned();
    lab.ask(Request::MoveToNumber { queue: queue("support"), call: call("1"), number });
    assert_eq!(lab.done(), Some(Err(Refusal::NotAllowed)));
    assert_eq!(lab.sent, []);
    // Without the right to hang up he is handed back to the dial plan.
    lab.ask(Request::ReleaseQueued { queue: queue("support"), call: call("1") });
    assert_eq!(lab.sent.first().map(|(name, _)| name.as_str()), Some("QueueWithdrawCaller"));
}

#[test]
fn a_caller_who_was_sent_on_has_not_given_up() {
    let mut lab = crowded();
    let number = "102".to_owned();
    lab.ask(Request::MoveToNumber { queue: queue("support"), call: call("1"), number });
    lab.answer("Redirect", "Message: Redirect successful");
    lab.say(&caller_event("QueueCallerAbandon", "support", "1", "Position: 1"));
    lab.say(&caller_event("QueueCallerLeave", "support", "1", "Position: 1"));
    let left = |told: Told| match told {
        Told::QueueChange { change: QueueChange::Left { end, .. }, .. } => Some(end),
        _ => None,
    };
    let ends: Vec<EntryEnd> = lab.take().into_iter().filter_map(left).collect();
    assert_eq!(ends, [EntryEnd::Transferred]);
}

#[test]
fn a_call_begins_when_the_telephone_was_rung() {
    let mut lab = crowded();
    lab.ask(Request::Dial { number: "102".to_owned() });
    let (_, id) = lab.sent.last().cloned().unwrap();
    let response = |result: &str| {
        format!(
            "Event: OriginateResponse\nActionID: {id}\nResponse: {result}\nReason: 4\nUniqueid: own.5\n\n"
        )
    };
    lab.answer("Originate", "Message: Originate successfully queued");
    assert_eq!(lab.done(), None);
    lab.say(&response("Success"));
    assert_eq!(lab.done(), Some(Ok(Answer::Call("own.5".to_owned()))));
    // Told before the answer, and refused.
    lab.ask(Request::Dial { number: "102".to_owned() });
    let (_, id) = lab.sent.last().cloned().unwrap();
    lab.say(&format!("Event: OriginateResponse\nActionID: {id}\nResponse: Failure\nReason: 3\n\n"));
    lab.answer("Originate", "Message: Originate successfully queued");
    let refused = Refusal::Exchange { code: 3, words: "Failure".to_owned() };
    assert_eq!(lab.done(), Some(Err(refused)));
}

#[test]
fn a_parked_call_has_a_place_and_comes_back() {
    let mut lab = crowded();
    talks(&mut lab, 1, "b-1", "061");
    lab.ask(Request::Control { call: "own.1".to_owned(), verb: CallVerb::Park(None) });
    lab.answer("Park", "Message: Park successful");
    lab.say("Event: ParkedCall\nParkeeChannel: PJSIP/trunk-061\nParkerDialString: PJSIP/101\nParkingSpace: 703\n\n");
    assert_eq!(lab.done(), Some(Ok(Answer::Parked("703".to_owned()))));
    lab.log.clear();
    lab.ask(Request::Retrieve { at: None });
    assert!(lab.log.contains("Exten: 703"), "{}", lab.log);
    lab.say("Event: UnParkedCall\nParkingSpace: 703\n\n");
    lab.ask(Request::Retrieve { at: None });
    assert_eq!(lab.done(), Some(Err(Refusal::Gone)));
}

#[test]
fn reading_everything_again_ends_with_it() {
    let mut lab = Lab::live(config());
    lab.ask(Request::Refresh);
    assert_eq!(lab.done(), None);
    lab.list("QueueStatus", &quiet_queues());
    assert_eq!(lab.done(), Some(Ok(Answer::Accepted)));
}

#[test]
fn nothing_is_picked_up_without_a_code() {
    let mut lab = Lab::live(Config { codes: FeatureCodes::none(), ..config() });
    lab.ask(Request::Pickup { at: None });
    assert_eq!(lab.done(), Some(Err(Refusal::NotAllowed)));
}
