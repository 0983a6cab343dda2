//! Losing the exchange and coming back.

use std::time::Duration;

use pbx::centre::{Answer, Input as Told, LinkState, QueueId, Refusal, Request};

use crate::lab::{Lab, caller_event, config, member, params, quiet_queues, waiting};
use pbx_asterisk::{ENDLESS, Input};

fn links(told: &[Told]) -> Vec<LinkState> {
    let link = |told: &Told| if let Told::Link(link) = told { Some(*link) } else { None };
    told.iter().filter_map(link).collect()
}

#[test]
fn a_quiet_exchange_is_asked_whether_it_is_there() {
    let mut lab = Lab::live(config());
    lab.answers_pings = false;
    lab.forget();
    lab.wait(Duration::from_secs(16));
    assert_eq!(lab.sent.first().map(|(name, _)| name.as_str()), Some("Ping"));
    lab.answer("Ping", "Timestamp: 1795657316.5");
    lab.wait(Duration::from_secs(14));
    assert_eq!(links(&lab.take()), []);
}

#[test]
fn one_that_does_not_answer_is_lost() {
    let mut lab = Lab::live(config());
    lab.answers_pings = false;
    lab.wait(Duration::from_secs(24));
    assert_eq!(links(&lab.take()), []);
    lab.wait(Duration::from_secs(2));
    assert_eq!(links(&lab.take()), [LinkState::Lost]);
    assert!(lab.log.contains("Close"));
}

#[test]
fn tries_come_later_and_later_and_never_all_at_the_same_time() {
    let mut lab = Lab::new(config());
    let mut waits = Vec::new();
    for _ in 0..10 {
        let failed = lab.now;
        lab.input(Input::Disconnected("connection refused".to_owned()));
        let due = lab.session.poll_timeout().unwrap();
        waits.push(due.duration_since(failed).as_secs_f64());
        lab.wait(due.duration_since(lab.now));
    }
    let expected = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0];
    for (wait, expected) in waits.iter().zip(expected) {
        assert!((expected * 0.75..=expected * 1.25).contains(wait), "{waits:?}");
    }
    let exact = waits.iter().zip(expected).filter(|(wait, expected)| *wait == expected).count();
    assert!(exact < 5, "no jitter: {waits:?}");
    assert_eq!(lab.connects, 11);
}

#[test]
fn everything_is_read_anew_after_a_loss() {
    let mut lab = Lab::live(config());
    lab.say(&caller_event("QueueCallerJoin", "support", "061", "Position: 1\nCount: 1"));
    lab.forget();
    lab.input(Input::Disconnected("reset by peer".to_owned()));
    lab.wait(Duration::from_secs(2));
    lab.sign_in();
    let queues = [
        params("support", 1, 4, 1),
        member("support", "Anna", "PJSIP/101", "Status: 1\nPaused: 1\nPausedReason: Lunch"),
        waiting("support", 1, "062", 7, 0),
    ];
    lab.read(&queues.concat());
    insta::assert_snapshot!("read_anew_whole", lab.log);
}

#[test]
fn a_loss_ends_what_was_asked_for() {
    let mut lab = Lab::live(config());
    lab.ask(Request::Join { agent: None, queue: QueueId("support".to_owned()), joined: false });
    lab.ask(Request::Refresh);
    lab.take();
    lab.input(Input::Disconnected("reset by peer".to_owned()));
    let told = lab.take();
    let refused = told
        .iter()
        .filter(|told| matches!(told, Told::Done { result: Err(Refusal::Unavailable), .. }));
    assert_eq!(refused.count(), 2, "{told:?}");
    lab.ask(Request::Dial { number: "102".to_owned() });
    assert_eq!(lab.done(), Some(Err(Refusal::Unavailable)));
    // To read everything again is to try again at once.
    let before = lab.connects;
    lab.ask(Request::Refresh);
    assert_eq!(lab.done(), Some(Ok(Answer::Accepted)));
    lab.wait(Duration::ZERO);
    assert_eq!(lab.connects, before + 1);
}

#[test]
fn an_action_that_is_never_answered_loses_the_exchange() {
    let mut lab = Lab::live(config());
    lab.ask(Request::Join { agent: None, queue: QueueId("support".to_owned()), joined: false });
    lab.wait(Duration::from_secs(11));
    let told = lab.take();
    assert_eq!(links(&told), [LinkState::Lost]);
    assert!(told.iter().any(|told| matches!(told, Told::Done { .. })), "{told:?}");
}

#[test]
fn a_stream_without_an_end_is_left() {
    let mut lab = Lab::live(config());
    for _ in 0..=ENDLESS / 8_000 + 2 {
        lab.say(&"x".repeat(8_000));
    }
    assert_eq!(links(&lab.take()), [LinkState::Lost]);
}

#[test]
fn what_is_too_large_costs_nothing_else() {
    let mut lab = Lab::live(config());
    lab.say(&format!("Event: VarSet\nValue: {}\n\n", "x".repeat(9_000)));
    lab.say(&caller_event("QueueCallerJoin", "support", "061", "Position: 1"));
    assert!(matches!(lab.take().as_slice(), [Told::QueueChange { .. }, Told::Measures { .. }]));
}

#[test]
fn an_exchange_that_was_started_again_is_read_again() {
    let mut lab = Lab::live(config());
    lab.forget();
    lab.say("Event: FullyBooted\nStatus: Fully Booted\n\n");
    // Rights too: one that is starting does not know all of its own actions.
    assert_eq!(lab.sent.first().map(|(name, _)| name.as_str()), Some("ListCommands"));
    lab.answer("ListCommands", "QueueStatus: x\nQueuePause: x");
    lab.list("QueueStatus", &params("nieuw", 0, 0, 0));
    let told = lab.take();
    let queues = told.iter().find_map(|told| match told {
        Told::Queues(queues) => Some(queues.len()),
        _ => None,
    });
    assert_eq!(queues, Some(1));
    let rights =
        |told: &Told| matches!(told, Told::Capabilities { present, .. } if present.len() == 2);
    assert!(told.iter().any(rights), "{told:?}");
}

#[test]
fn another_network_is_not_waited_for() {
    let mut lab = Lab::live(config());
    lab.input(Input::Reconnect);
    assert_eq!(links(&lab.take()), [LinkState::Lost]);
    lab.wait(Duration::from_millis(1));
    assert_eq!(lab.connects, 2);
    lab.input(Input::Reconnect);
    lab.wait(Duration::from_millis(1));
    assert_eq!(lab.connects, 3, "a try over the old network is given up");
}

#[test]
fn everything_is_read_again_at_intervals() {
    let mut lab = Lab::live(config());
    lab.forget();
    for _ in 0..3 {
        lab.wait(Duration::from_secs(10));
        lab.say("Event: Nothing\n\n");
    }
    let names: Vec<&str> = lab.sent.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["QueueStatus"]);
    lab.take();
    lab.list("QueueStatus", &quiet_queues());
    assert_eq!(lab.take(), [], "nothing has changed, so nothing is told");
}
