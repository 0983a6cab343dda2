//! What supervisors see and do.

use super::*;

#[test]
fn waiting_calls_are_moved_promoted_sent_on_and_ended() {
    let mut floor = floor(|centre| queue(centre).length = 10);
    floor.only(&[]);
    let calls: Vec<CallNumber> = (0..4).map(|_| floor.enter()).collect();
    let low = floor.enter_as(|arrival| arrival.priority = Some(Priority::Low));
    let front = floor.enter_as(|arrival| arrival.to_front = true);
    assert_eq!(floor.order(), [6, 1, 2, 3, 4, 5]);
    assert_eq!(floor.ask(Request::Reorder { call: calls[3], index: 0 }), Ok(Done::Position(1)));
    assert_eq!(floor.order(), [4, 6, 1, 2, 3, 5]);
    let promote = |priority| Request::Promote { call: low, priority };
    assert_eq!(floor.ask(promote(Priority::Low)), Err(Refusal::NotHigher));
    assert_eq!(floor.ask(promote(Priority::Highest)), Ok(Done::Position(6)));
    assert_eq!(floor.story(low).last(), Some(&QueueNews::Promoted { position: 6 }));
    assert_eq!(floor.ask(Request::Transfer { call: front, to: "201".into() }), Ok(Done::Done));
    assert_eq!(floor.story(front).last(), Some(&QueueNews::Transferred { to: "201".into() }));
    assert_eq!(floor.ask(Request::Release { call: calls[0] }), Ok(Done::Done));
    assert!(floor.commands_for(calls[0]).contains(&Command::Release { call: calls[0] }));
    assert_eq!(floor.order(), [4, 2, 3, 5]);
    assert_eq!(floor.acd.place_of(calls[2]), Some(("195".into(), 3)));
    let gone = Request::Release { call: calls[0] };
    assert_eq!(floor.ask(gone), Err(Refusal::NotWaiting(calls[0])));
}

#[test]
fn only_premium_queues_promote() {
    let mut floor = floor(|centre| {
        queue(centre).kind = Kind::Standard;
        queue(centre).priority = Priority::Low;
    });
    floor.only(&[]);
    let call = floor.enter();
    let request = Request::Promote { call, priority: Priority::High };
    assert_eq!(floor.ask(request), Err(Refusal::NotOffered("195".into())));
}

#[test]
fn calls_are_promoted_by_themselves() {
    let mut floor = floor(|centre| {
        queue(centre).priority = Priority::Low;
        queue(centre).promote_after_s =
            PromoteAfter { high: None, medium: Some(60), low: Some(30) };
    });
    floor.only(&[]);
    let call = floor.enter();
    let priority = |floor: &Floor| floor.acd.view(floor.now).queues[0].entries[0].priority;
    floor.pass(29);
    assert_eq!(priority(&floor), Priority::Low);
    floor.pass(1);
    assert_eq!(priority(&floor), Priority::Medium);
    floor.pass(60);
    assert_eq!(priority(&floor), Priority::High);
    floor.pass(1_000);
    assert_eq!(priority(&floor), Priority::High);
    let promoted = |news: &&QueueNews| matches!(news, QueueNews::Promoted { .. });
    assert_eq!(floor.story(call).iter().filter(promoted).count(), 2);
}

#[test]
fn measures_are_told_while_calls_wait_and_when_something_changes() {
    let mut floor = floor(|centre| {
        queue(centre).thresholds.longest_wait = Threshold { yellow: Some(10), red: Some(20) };
        queue(centre).thresholds.calls = Threshold { yellow: Some(1), red: None };
        queue(centre).wait_message =
            Some(WaitMessage { every_s: 60, usual_call_minutes: 2, longest_minutes: 0 });
    });
    floor.pass(10);
    floor.events.clear();
    floor.pass(600);
    assert!(floor.events.is_empty(), "a quiet queue has nothing to tell");
    floor.set("2", AgentState::Unavailable);
    floor.set("3", AgentState::Unavailable);
    let call = floor.enter();
    floor.answer(call, "1");
    floor.pass(10);
    floor.enter();
    floor.events.clear();
    floor.pass(30);
    let told: Vec<Monitoring> = floor
        .events
        .iter()
        .filter_map(|news| match news {
            News::Monitoring { monitoring, .. } => Some(**monitoring),
            _ => None,
        })
        .collect();
    assert!((6..=7).contains(&told.len()), "{}", told.len());
    let last = told.last().unwrap();
    assert_eq!((last.assigned, last.staffed, last.idle, last.unavailable), (3, 3, 0, 2));
    assert_eq!((last.calls.value, last.calls.severity), (1, Severity::Yellow));
    assert!((25..=30).contains(&last.longest_wait.value));
    assert_eq!(
        (last.longest_wait.severity, last.longest_wait.threshold),
        (Severity::Red, Some(20))
    );
    // The second in the line, two minutes each, three agents.
    assert_eq!(last.expected_wait.value, 80);
    let grew = told.iter().map(|told| (told.longest_wait.previous, told.longest_wait.severity));
    assert!(grew.clone().any(|change| change == (Severity::Normal, Severity::Yellow)));
    assert!(grew.clone().any(|change| change == (Severity::Yellow, Severity::Red)));
}

#[test]
fn averages_are_of_what_was_answered_and_handled() {
    let mut floor = floor(|centre| {
        let post = PostCall { wrap_up_s: Some(10), ..PostCall::default() };
        queue(centre).post_call = Some(post);
    });
    floor.only(&["1"]);
    for (wait, talk) in [(2, 20), (4, 40)] {
        let call = floor.enter();
        floor.pass(wait);
        floor.answer(call, "1");
        floor.pass(talk);
        floor.tell(Input::Finished { call });
        floor.pass(10);
    }
    let measured = floor.acd.monitoring(floor.now, &"195".into()).unwrap();
    assert_eq!(measured.average_speed_of_answer.value, 3);
    assert_eq!(measured.average_handling_time.value, 40);
    assert_eq!((measured.expected_wait.value, measured.idle), (0, 1));
}

#[test]
fn disposition_codes_are_for_the_last_call_or_a_running_one() {
    let code = |code: &str| Code {
        code: code.into(),
        description: code.into(),
        active: true,
        default: false,
        level: Level::Queue,
    };
    let mut floor = floor(|centre| {
        centre.dispositions = vec![code("SALE")];
        queue(centre).dispositions = DispositionCodes {
            enabled: true,
            with_organization: true,
            forced: false,
            codes: vec![code("FAULT")],
        };
    });
    let dispose =
        |call, text: &str| Request::Disposition { agent: "1".into(), call, code: text.into() };
    assert_eq!(floor.ask(dispose(None, "FAULT")), Err(Refusal::NoCall("1".into())));
    let call = floor.enter();
    floor.answer(call, "1");
    assert_eq!(floor.ask(dispose(Some(call), "FAULT")), Ok(Done::Done));
    floor.tell(Input::Finished { call });
    assert_eq!(floor.ask(dispose(None, "SALE")), Ok(Done::Done));
    assert_eq!(floor.ask(dispose(None, "NONE")), Err(Refusal::BadCode(Some("NONE".into()))));
    assert_eq!(floor.ask(dispose(Some(CallNumber(77)), "SALE")), Err(Refusal::NoCall("1".into())));
    let codes = floor.events.iter().filter_map(|news| match news {
        News::Disposition { call, code, .. } => Some((call.0, code.clone())),
        _ => None,
    });
    assert_eq!(codes.collect::<Vec<_>>(), [(1, "FAULT".to_owned()), (1, "SALE".to_owned())]);
}

#[test]
fn a_set_up_out_of_range_is_refused_and_changes_nothing() {
    let mut floor = floor(|_| {});
    let configure = |change: fn(&mut QueueConfig)| {
        let mut config =
            QueueConfig { id: "195".into(), name: "Neu".into(), ..QueueConfig::default() };
        change(&mut config);
        Request::Configure { config: Box::new(config) }
    };
    let bad: [fn(&mut QueueConfig); 6] = [
        |config| config.length = 526,
        |config| config.bounce_rings = Some(0),
        |config| config.ring_ms = 10,
        |config| config.escape_digit = Some('0'),
        |config| config.stranded = Treatment::Transfer("sip:x".into()),
        |config| config.id = "9".into(),
    ];
    for change in bad {
        floor.ask(configure(change)).unwrap_err();
        assert_eq!(floor.acd.view(floor.now).queues[0].config.name, "Support");
    }
    assert_eq!(floor.ask(configure(|_| {})), Ok(Done::Done));
    let config = floor.acd.view(floor.now).queues[0].config.clone();
    assert_eq!((config.name.as_str(), config.members.len()), ("Neu", 3));
    assert!(floor.events.contains(&News::Configured { queue: "195".into() }));
}

#[test]
fn after_a_power_cut_nobody_waits_and_agents_keep_their_state() {
    let mut floor = floor(|_| {});
    let first = floor.enter();
    floor.answer(first, "1");
    floor.enter();
    floor.set("3", AgentState::Unavailable);
    floor.commands.clear();
    floor.acd.forget_calls(floor.now);
    floor.drain();
    assert_eq!(floor.commands, []);
    assert_eq!(floor.order(), Vec::<u64>::new());
    assert_eq!(floor.agent("1").calls, []);
    assert_eq!(floor.state("3"), AgentState::Unavailable);
    let later = floor.enter();
    assert_eq!(floor.rings_at(later), Vec::<String>::new(), "no phone is registered");
}
