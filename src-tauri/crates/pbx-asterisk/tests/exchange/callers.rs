//! Callers of queues, as events and lists tell of them.

use std::time::Duration;

use pbx::centre::{
    EntryEnd, EntryState, Input as Told, Measures, Priority, QueueChange, QueueEntry, UserId,
};

use crate::lab::{ANNA, CLOCK, Lab, caller_event, config, member, member_event, params, waiting};

const BERT: &str = "PJSIP/102";

fn joins(lab: &mut Lab, number: &str, position: u32) {
    let rest = format!("Position: {position}\nCount: {position}");
    lab.say(&caller_event("QueueCallerJoin", "support", number, &rest));
}

fn about(lab: &mut Lab, event: &str, number: &str, rest: &str) {
    lab.say(&caller_event(event, "support", number, rest));
}

fn called(lab: &mut Lab, number: &str, agent: &str) {
    about(lab, "AgentCalled", number, &format!("Interface: {agent}"));
}

fn ends(told: &[Told]) -> Vec<(String, EntryEnd)> {
    let end = |told: &Told| match told {
        Told::QueueChange { change: QueueChange::Left { call, end, .. }, .. } => {
            Some((call.0.clone(), end.clone()))
        }
        _ => None,
    };
    told.iter().filter_map(end).collect()
}

fn entries(told: &[Told]) -> Vec<(QueueEntry, Option<u32>)> {
    let entry = |told: &Told| match told {
        Told::QueueChange { change: QueueChange::Entry { entry, position }, .. } => {
            Some((entry.clone(), *position))
        }
        _ => None,
    };
    told.iter().filter_map(entry).collect()
}

fn measures(told: &[Told]) -> Option<Measures> {
    let measures = |told: &Told| match told {
        Told::Measures { measures, .. } => Some(measures.clone()),
        _ => None,
    };
    told.iter().filter_map(measures).next_back()
}

fn user(interface: &str) -> Option<UserId> {
    Some(UserId(interface.to_owned()))
}

#[test]
fn a_caller_comes_rings_and_is_answered() {
    let mut lab = Lab::live(config());
    lab.forget();
    joins(&mut lab, "061", 1);
    called(&mut lab, "061", BERT);
    lab.wait(Duration::from_secs(3));
    about(&mut lab, "AgentRingNoAnswer", "061", &format!("Interface: {BERT}\nRingTime: 3000"));
    called(&mut lab, "061", ANNA);
    about(&mut lab, "QueueCallerLeave", "061", "Position: 1\nCount: 0");
    about(&mut lab, "AgentConnect", "061", &format!("Interface: {ANNA}\nHoldTime: 3\nRingTime: 1"));
    insta::assert_snapshot!("answered", lab.log);
}

#[test]
fn a_caller_has_a_place_and_a_time() {
    let mut lab = Lab::live(config());
    joins(&mut lab, "061", 1);
    lab.wait(Duration::from_secs(2));
    joins(&mut lab, "062", 2);
    joins(&mut lab, "063", 1);
    let told = lab.take();
    let seen = entries(&told);
    let places: Vec<Option<u32>> = seen.iter().map(|(_, place)| *place).collect();
    assert_eq!(places, [Some(1), Some(2), Some(1)]);
    assert_eq!(seen[0].0.since, CLOCK);
    assert_eq!(seen[1].0.since, CLOCK + 2_000);
    assert_eq!(seen[1].0.caller.name, "Klant 062");
    assert_eq!(measures(&told).unwrap().waiting.unwrap().value, 3);
    assert_eq!(measures(&told).unwrap().longest_wait.unwrap().value, 2);
}

#[test]
fn ends_are_told_apart() {
    let mut lab = Lab::live(config());
    for (number, place) in [("1", 1), ("2", 2), ("3", 3), ("4", 4)] {
        joins(&mut lab, number, place);
    }
    about(&mut lab, "QueueCallerAbandon", "1", "Position: 1\nOriginalPosition: 1\nHoldTime: 4");
    about(&mut lab, "QueueCallerLeave", "1", "Position: 1");
    about(&mut lab, "QueueCallerLeave", "2", "Position: 1");
    called(&mut lab, "3", BERT);
    about(&mut lab, "AgentConnect", "3", &format!("Interface: {BERT}"));
    about(&mut lab, "QueueCallerLeave", "3", "Position: 1");
    for agent in [ANNA, BERT] {
        lab.say(&member_event("QueueMemberPause", "support", agent, "Status: 1\nPaused: 1"));
    }
    about(&mut lab, "QueueCallerLeave", "4", "Position: 1");
    let told = lab.take();
    let ended: Vec<EntryEnd> = ends(&told).into_iter().map(|(_, end)| end).collect();
    let expected = [
        EntryEnd::Abandoned,
        EntryEnd::Overflowed,
        EntryEnd::Answered(user(BERT)),
        EntryEnd::Stranded,
    ];
    assert_eq!(ended, expected);
    assert_eq!(measures(&told).unwrap().waiting.unwrap().value, 0);
}

#[test]
fn an_end_that_nobody_explains_is_told_after_a_second() {
    let mut lab = Lab::live(config());
    joins(&mut lab, "061", 1);
    called(&mut lab, "061", BERT);
    about(&mut lab, "QueueCallerLeave", "061", "Position: 1");
    let told = lab.take();
    assert_eq!(ends(&told), []);
    assert_eq!(measures(&told).unwrap().waiting.unwrap().value, 0, "he does not wait any more");
    lab.wait(Duration::from_millis(1_100));
    assert_eq!(ends(&lab.take()), [("061.1".to_owned(), EntryEnd::Answered(user(BERT)))]);
}

#[test]
fn a_caller_who_gave_up_while_it_rang_gave_up() {
    let mut lab = Lab::live(config());
    joins(&mut lab, "061", 1);
    called(&mut lab, "061", BERT);
    called(&mut lab, "061", ANNA);
    let rings: Vec<EntryState> =
        entries(&lab.take()).into_iter().map(|(entry, _)| entry.state).collect();
    let expected = [EntryState::Queued, EntryState::Offered(user(BERT)), EntryState::Offered(None)];
    assert_eq!(rings, expected);
    about(&mut lab, "QueueCallerLeave", "061", "Position: 1");
    about(&mut lab, "QueueCallerAbandon", "061", "Position: 1");
    assert_eq!(ends(&lab.take()), [("061.1".to_owned(), EntryEnd::Abandoned)]);
}

#[test]
fn figures_are_read_again_after_a_change_once() {
    let mut lab = Lab::live(config());
    lab.forget();
    joins(&mut lab, "061", 1);
    joins(&mut lab, "062", 2);
    about(&mut lab, "QueueCallerAbandon", "061", "Position: 1");
    about(&mut lab, "QueueCallerLeave", "061", "Position: 1");
    about(&mut lab, "QueueCallerAbandon", "062", "Position: 1");
    about(&mut lab, "QueueCallerLeave", "062", "Position: 1");
    lab.take();
    lab.wait(Duration::from_millis(1_100));
    assert_eq!(lab.sent.len(), 1, "{:?}", lab.sent);
    let list = [params("support", 0, 3, 3), member("support", "Anna", ANNA, "Status: 1")];
    lab.list("QueueStatus", &list.concat());
    let told = lab.take();
    let figures = measures(&told).unwrap();
    assert_eq!((figures.answered, figures.abandoned), (Some(3), Some(3)));
    assert_eq!(figures.service_level.unwrap().value, 67);
    assert_eq!(figures.average_handling.unwrap().value, 30, "20 s of talking, 10 s of wrapping up");
    assert_eq!(figures.agents_assigned, Some(1));
}

#[test]
fn an_event_older_than_the_list_before_it_changes_nothing() {
    let mut lab = Lab::live(config());
    joins(&mut lab, "061", 1);
    joins(&mut lab, "062", 2);
    about(&mut lab, "QueueCallerAbandon", "061", "Position: 1");
    about(&mut lab, "QueueCallerLeave", "061", "Position: 1");
    lab.wait(Duration::from_millis(1_100));
    let list = [
        params("support", 2, 3, 2),
        waiting("support", 1, "062", 1, 0),
        waiting("support", 2, "063", 0, 0),
    ];
    lab.list("QueueStatus", &list.concat());
    let told = lab.take();
    let snapshot = told.iter().find_map(|told| match told {
        Told::QueueSnapshot { entries, .. } => Some(entries.len()),
        _ => None,
    });
    assert_eq!(snapshot, Some(2));
    joins(&mut lab, "063", 2);
    about(&mut lab, "QueueCallerLeave", "061", "Position: 1");
    called(&mut lab, "061", ANNA);
    assert_eq!(lab.take_but_measures(), []);
}

#[test]
fn one_that_a_list_does_not_name_any_more_may_still_be_explained() {
    for explained in [true, false] {
        let mut lab = Lab::live(config());
        joins(&mut lab, "061", 1);
        joins(&mut lab, "062", 2);
        lab.wait(Duration::from_secs(30));
        lab.take();
        let list = [params("support", 1, 3, 2), waiting("support", 1, "062", 31, 0)].concat();
        lab.list("QueueStatus", &list);
        let told = lab.take();
        assert_eq!(ends(&told), []);
        assert_eq!(measures(&told).unwrap().waiting.unwrap().value, 1);
        if explained {
            about(&mut lab, "QueueCallerAbandon", "061", "Position: 1");
        }
        lab.wait(Duration::from_millis(1_050));
        let end = if explained { EntryEnd::Abandoned } else { EntryEnd::Unseen };
        assert_eq!(ends(&lab.take()), [("061.1".to_owned(), end)]);
    }
}

#[test]
fn what_happens_in_the_middle_of_a_list_is_taken_in_after_it() {
    let mut lab = Lab::live(config());
    joins(&mut lab, "061", 1);
    lab.wait(Duration::from_secs(30));
    lab.take();
    lab.list_begin("QueueStatus");
    joins(&mut lab, "062", 2);
    assert_eq!(lab.take(), []);
    lab.list_end(
        "QueueStatus",
        &[params("support", 1, 3, 1), waiting("support", 1, "061", 30, 0)].concat(),
    );
    let seen = entries(&lab.take());
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].0.call.0.as_str(), seen[0].1), ("062.1", Some(2)));
}

#[test]
fn priorities_and_an_order_of_others_come_with_a_list() {
    let mut lab = Lab::live(config());
    joins(&mut lab, "061", 1);
    joins(&mut lab, "062", 2);
    called(&mut lab, "061", BERT);
    lab.wait(Duration::from_secs(30));
    lab.take();
    let list = [
        params("support", 2, 3, 1),
        waiting("support", 1, "062", 30, 10),
        waiting("support", 2, "061", 30, 0),
    ];
    lab.list("QueueStatus", &list.concat());
    let snapshot = lab.take().into_iter().find_map(|told| match told {
        Told::QueueSnapshot { entries, .. } => Some(entries),
        _ => None,
    });
    let snapshot = snapshot.unwrap();
    assert_eq!(snapshot[0].call.0, "062.1");
    assert_eq!(snapshot[0].priority, Some(Priority::High));
    assert_eq!(snapshot[1].priority, Some(Priority::Low));
    assert_eq!(
        snapshot[1].state,
        EntryState::Offered(user(BERT)),
        "what a list does not tell stays"
    );
}

#[test]
fn a_caller_who_comes_back_is_a_new_one() {
    let mut lab = Lab::live(config());
    joins(&mut lab, "061", 1);
    called(&mut lab, "061", BERT);
    about(&mut lab, "QueueCallerLeave", "061", "Position: 1");
    joins(&mut lab, "061", 1);
    let told = lab.take();
    assert_eq!(ends(&told).len(), 1);
    let last = entries(&told).pop().unwrap();
    assert_eq!((last.0.state, last.1), (EntryState::Queued, Some(1)));
    lab.wait(Duration::from_secs(1));
    assert_eq!(ends(&lab.take()), []);
}

#[test]
fn queues_that_are_not_shown_are_passed_over() {
    let mut lab = Lab::live(config());
    lab.say(&caller_event("QueueCallerJoin", "elsewhere", "061", "Position: 1"));
    lab.say(&caller_event("AgentCalled", "elsewhere", "061", "Interface: PJSIP/109"));
    lab.say(&member_event("QueueMemberAdded", "elsewhere", "PJSIP/109", "Status: 1"));
    lab.say("Event: QueueCallerJoin\n\n");
    lab.say("Event: QueueCallerLeave\nQueue: support\n\n");
    assert_eq!(lab.take(), []);
}
