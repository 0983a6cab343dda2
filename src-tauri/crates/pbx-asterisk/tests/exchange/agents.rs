//! Agents as they follow from their queues.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::time::Duration;

use pbx::centre::{AgentState, AgentStatus, Input as Told, QueueId};

use crate::lab::{
    ANNA, CLOCK, Lab, caller_event, config, member, member_event, params, supervisor,
};
use pbx_asterisk::Config;

const BERT: &str = "PJSIP/102";

fn pause(lab: &mut Lab, queue: &str, agent: &str, paused: bool, reason: &str) {
    let seconds = CLOCK / 1_000;
    let rest = format!(
        "Status: 1\nPaused: {}\nPausedReason: {reason}\nLastPause: {seconds}",
        u8::from(paused)
    );
    lab.say(&member_event("QueueMemberPause", queue, agent, &rest));
}

fn last_state(lab: &mut Lab, agent: &str) -> AgentStatus {
    lab.states(agent).pop().unwrap()
}

fn memberships(told: &[Told]) -> Vec<(String, bool)> {
    let of = |told: &Told| match told {
        Told::Memberships { memberships, .. } => Some(memberships.clone()),
        _ => None,
    };
    let last = told.iter().filter_map(of).next_back().unwrap_or_default();
    last.into_iter().map(|membership| (membership.queue.0, membership.joined)).collect()
}

#[test]
fn a_pause_of_all_queues_is_being_unavailable() {
    let mut lab = Lab::live(config());
    lab.wait(Duration::from_secs(5));
    pause(&mut lab, "support", ANNA, true, "Lunch");
    let status = last_state(&mut lab, ANNA);
    assert_eq!((status.state, status.code.as_deref()), (AgentState::Unavailable, Some("Lunch")));
    assert_eq!(status.since, Some(CLOCK + 5_000));
    pause(&mut lab, "support", ANNA, true, "Meeting");
    assert_eq!(last_state(&mut lab, ANNA).code.as_deref(), Some("Meeting"));
    pause(&mut lab, "support", ANNA, false, "");
    assert_eq!(last_state(&mut lab, ANNA).state, AgentState::Available);
}

#[test]
fn a_pause_of_one_queue_is_not_taking_its_calls() {
    let mut lab = Lab::live(config());
    pause(&mut lab, "sales", BERT, true, "");
    let told = lab.take();
    assert_eq!(memberships(&told), [("sales".to_owned(), false), ("support".to_owned(), true)]);
    assert!(!told.iter().any(|told| matches!(told, Told::AgentStatus { .. })), "{told:?}");
    pause(&mut lab, "support", BERT, true, "");
    let told = lab.take();
    assert_eq!(memberships(&told), [("sales".to_owned(), true), ("support".to_owned(), true)]);
    assert!(told.iter().any(|told| matches!(
        told,
        Told::AgentStatus { status, .. } if status.state == AgentState::Unavailable
    )));
}

#[test]
fn who_is_in_no_queue_is_signed_out() {
    let mut lab = Lab::live(config());
    lab.say(&member_event("QueueMemberRemoved", "sales", BERT, "Status: 1"));
    assert!(lab.states(BERT).is_empty());
    lab.say(&member_event("QueueMemberRemoved", "support", BERT, "Status: 1"));
    assert_eq!(last_state(&mut lab, BERT).state, AgentState::SignedOut);
    lab.say(&member_event("QueueMemberAdded", "support", BERT, "Status: 1\nPaused: 1"));
    let status = last_state(&mut lab, BERT);
    assert_eq!((status.state, status.code), (AgentState::Unavailable, None));
    assert_eq!(status.signed_in_at, Some(1_795_657_200_000));
}

#[test]
fn the_user_is_known_even_in_no_queue() {
    let mut lab = Lab::new(config());
    lab.sign_in();
    lab.read(&params("support", 0, 0, 0));
    assert_eq!(last_state(&mut lab, ANNA).state, AgentState::SignedOut);
}

#[test]
fn a_call_is_finished_for_as_long_as_the_queue_says() {
    let mut lab = Lab::live(config());
    lab.answers_readings = true;
    lab.wait(Duration::from_secs(2));
    let agent = format!("Interface: {ANNA}");
    lab.say(&caller_event("QueueCallerJoin", "support", "061", "Position: 1"));
    lab.say(&caller_event("AgentCalled", "support", "061", &agent));
    lab.say(&caller_event("QueueCallerLeave", "support", "061", "Position: 1"));
    lab.say(&caller_event("AgentConnect", "support", "061", &agent));
    lab.say(&member_event("QueueMemberStatus", "support", ANNA, "Status: 2\nInCall: 1"));
    let told = lab.take();
    assert!(told.iter().any(|told| matches!(told, Told::AgentOnCall { on_call: true, .. })));
    assert!(!told.iter().any(|told| matches!(told, Told::AgentStatus { .. })), "{told:?}");
    lab.wait(Duration::from_secs(8));
    lab.say(&caller_event("AgentComplete", "support", "061", &agent));
    let ended = CLOCK / 1_000 + 10;
    let rest = format!("Status: 1\nInCall: 0\nLastCall: {ended}");
    lab.say(&member_event("QueueMemberStatus", "support", ANNA, &rest));
    let status = last_state(&mut lab, ANNA);
    assert_eq!(status.state, AgentState::WrapUp);
    let wrap_up = status.wrap_up.unwrap();
    assert_eq!(wrap_up.queue, Some(QueueId("support".to_owned())));
    assert_eq!(wrap_up.until, Some((ended + 10) * 1_000));
    lab.wait(Duration::from_millis(9_900));
    assert!(lab.states(ANNA).is_empty());
    lab.wait(Duration::from_millis(200));
    assert_eq!(last_state(&mut lab, ANNA).state, AgentState::Available);
}

#[test]
fn a_call_that_is_being_finished_is_found_again_after_a_loss() {
    let mut lab = Lab::new(config());
    lab.sign_in();
    let ended = CLOCK / 1_000 - 4;
    let rest = format!("Status: 1\nLastCall: {ended}");
    lab.read(&[params("support", 0, 1, 0), member("support", "Anna", ANNA, &rest)].concat());
    assert_eq!(last_state(&mut lab, ANNA).state, AgentState::WrapUp);
    lab.wait(Duration::from_millis(6_100));
    assert_eq!(last_state(&mut lab, ANNA).state, AgentState::Available);
}

#[test]
fn ones_own_time_goes_before_the_queues_and_settings_stand_in() {
    for (own, standing_in, expected) in [(25, 3, 25), (0, 3, 3)] {
        let wrap_up = Duration::from_secs(standing_in);
        let mut lab = Lab::new(Config { wrap_up, ..config() });
        lab.sign_in();
        lab.answer("Ping", &format!("Timestamp: {}.0", CLOCK / 1_000));
        lab.answer("ListCommands", "QueueStatus: no rights to read settings");
        let rest = format!("Status: 1\nLastCall: {}\nWrapuptime: {own}", CLOCK / 1_000);
        lab.list(
            "QueueStatus",
            &[params("support", 0, 1, 0), member("support", "Anna", ANNA, &rest)].concat(),
        );
        let status = last_state(&mut lab, ANNA);
        let until = status.wrap_up.and_then(|wrap_up| wrap_up.until);
        assert_eq!(until, Some(CLOCK + expected * 1_000));
    }
}

#[test]
fn a_pause_may_stand_for_finishing_a_call() {
    let mut lab = Lab::live(config());
    pause(&mut lab, "support", ANNA, true, "Wrap-up");
    let status = last_state(&mut lab, ANNA);
    assert_eq!((status.state, status.code), (AgentState::WrapUp, None));
    assert_eq!(status.wrap_up.and_then(|wrap_up| wrap_up.until), None);
}

#[test]
fn figures_of_agents_are_those_of_the_exchange() {
    let mut lab = Lab::live(supervisor());
    for (agent, status) in [("PJSIP/103", 5), ("PJSIP/104", 2), ("PJSIP/105", 0)] {
        let rest = format!("Status: {status}");
        lab.say(&member_event("QueueMemberAdded", "support", agent, &rest));
    }
    pause(&mut lab, "support", BERT, true, "");
    let told = lab.take();
    let mut figures = told.into_iter().filter_map(|told| match told {
        Told::Measures { measures, queue } if queue.0 == "support" => Some(measures),
        _ => None,
    });
    let figures = figures.next_back().unwrap();
    assert_eq!(figures.agents_assigned, Some(5));
    assert_eq!(figures.agents_staffed, Some(4), "all but the one who cannot be reached");
    assert_eq!(figures.agents_idle, Some(2), "Anna, and the one of whom nothing is known");
    assert_eq!(figures.agents_unavailable, Some(1));
}
