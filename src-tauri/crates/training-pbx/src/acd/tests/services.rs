//! What a queue does besides ringing agents: messages, overflow, stranded calls, escape, night, holiday, forwarding.

use super::*;

fn message(clip: &str, seconds: u64) -> Announcement {
    Announcement { clip: clip.into(), length_ms: seconds * 1000 }
}

fn transfer(to: &str) -> Treatment {
    Treatment::Transfer(to.to_owned())
}

fn sounds(floor: &Floor, call: CallNumber) -> Vec<Sound> {
    let sound = |command: Command| match command {
        Command::Play { sound, .. } => Some(sound),
        _ => None,
    };
    floor.commands_for(call).into_iter().filter_map(sound).collect()
}

fn sent(floor: &Floor, call: CallNumber) -> Vec<String> {
    let to = |command: Command| match command {
        Command::SendTo { to, .. } => Some(to),
        _ => None,
    };
    floor.commands_for(call).into_iter().filter_map(to).collect()
}

#[test]
fn a_full_queue_turns_calls_away() {
    let mut floor = floor(|centre| {
        queue(centre).length = 1;
        queue(centre).overflow_size = transfer("101");
    });
    floor.only(&[]);
    let first = floor.enter();
    let second = floor.enter();
    assert_eq!(floor.order(), [first.0]);
    let news = QueueNews::Overflowed { time: false, treatment: transfer("101") };
    assert_eq!(floor.story(second), [news]);
    assert_eq!(sent(&floor, second), ["101"]);
    assert_eq!((floor.counts().overflowed_size, floor.counts().most_waiting), (1, 1));
}

#[test]
fn a_wait_that_is_too_long_ends() {
    let mut floor = floor(|centre| {
        queue(centre).overflow_after_s = Some(40);
        queue(centre).overflow_time = Treatment::Ring;
    });
    floor.only(&["1"]);
    let call = floor.enter();
    floor.pass(39);
    assert_eq!(floor.order(), [call.0]);
    floor.pass(1);
    assert_eq!(floor.order(), Vec::<u64>::new());
    // It rang at the agent, who is free again.
    assert_eq!(floor.agent("1").offered, None);
    assert!(floor.commands_for(call).contains(&Command::Ring { call }));
    assert!(floor.acd.is_treated(call));
    floor.tell(Input::CallerGone { call });
    assert!(!floor.acd.is_treated(call));
    let over =
        |news: &News| matches!(news, News::TreatmentCompleted { why: Left::OverflowTime, .. });
    assert!(floor.events.iter().any(over));
    assert_eq!(floor.counts().abandoned, 0);
}

#[test]
fn calls_are_stranded_when_the_last_agent_signs_out() {
    let mut floor = floor(|centre| queue(centre).stranded = Treatment::Busy);
    for agent in ["1", "2", "3"] {
        floor.set(agent, AgentState::Unavailable);
    }
    let calls = [floor.enter(), floor.enter()];
    floor.set("1", AgentState::SignOut);
    floor.set("2", AgentState::SignOut);
    assert_eq!(floor.order(), [1, 2]);
    floor.set("3", AgentState::SignOut);
    for call in calls {
        let news = QueueNews::Stranded { unavailable: false, treatment: Treatment::Busy };
        assert_eq!(floor.story(call).last(), Some(&news));
        assert!(floor.commands_for(call).contains(&Command::Refuse { call }));
    }
    // Nor does anybody wait who comes now.
    let late = floor.enter();
    assert!(matches!(floor.story(late).last(), Some(QueueNews::Stranded { .. })));
    assert_eq!(floor.counts().stranded, 3);
}

#[test]
fn calls_are_stranded_when_all_are_unavailable() {
    let mut floor = floor(|centre| queue(centre).stranded_unavailable = transfer("102"));
    floor.set("1", AgentState::SignOut);
    floor.set("2", AgentState::Unavailable);
    let call = floor.enter();
    assert_eq!(floor.rings_at(call), ["3"]);
    floor.set("3", AgentState::Unavailable);
    let news = QueueNews::Stranded { unavailable: true, treatment: transfer("102") };
    assert_eq!(floor.story(call).last(), Some(&news));
    assert_eq!(sent(&floor, call), ["102"]);
}

#[test]
fn a_digit_leads_out() {
    let mut floor = floor(|centre| {
        queue(centre).escape_digit = Some('0');
        queue(centre).escape_to = "*55104".into();
    });
    let call = floor.enter();
    floor.tell(Input::Digit { call, digit: '5' });
    assert_eq!(floor.order(), [call.0]);
    floor.tell(Input::Digit { call, digit: '0' });
    assert_eq!(floor.story(call).last(), Some(&QueueNews::Escaped { to: "*55104".into() }));
    assert_eq!(sent(&floor, call), ["*55104"]);
    assert_eq!((floor.agent("1").offered, floor.counts().escaped), (None, 1));
}

#[test]
fn the_entrance_message_is_heard_first_and_to_its_end_if_it_must() {
    let mut floor = floor(|centre| {
        let message = message("welcome", 7);
        queue(centre).entrance = Some(Entrance { message, mandatory: true });
    });
    let call = floor.enter();
    assert_eq!(sounds(&floor, call), [Sound::Message("welcome".into())]);
    assert_eq!(floor.rings_at(call), Vec::<String>::new());
    assert_eq!(floor.ask(Request::Reorder { call, index: 0 }), Err(Refusal::CannotMove));
    floor.pass(7);
    assert_eq!(sounds(&floor, call), [Sound::Message("welcome".into()), Sound::Music]);
    assert_eq!(floor.rings_at(call), ["1"]);
    let other = floor.enter();
    floor.pass(3);
    floor.tell(Input::CallerGone { call: other });
    assert_eq!(floor.story(other).last(), Some(&QueueNews::Abandoned { entrance_playing: true }));
}

#[test]
fn an_entrance_message_that_may_be_cut_does_not_keep_agents_away() {
    let mut floor = floor(|centre| {
        let message = message("welcome", 7);
        queue(centre).entrance = Some(Entrance { message, mandatory: false });
    });
    let call = floor.enter();
    assert_eq!(floor.rings_at(call), ["1"]);
}

#[test]
fn comfort_messages_and_the_expected_wait_come_in_between() {
    let mut floor = floor(|centre| {
        let messages = vec![message("patience", 4), message("website", 6)];
        queue(centre).comfort = Some(Comfort { messages, every_s: 20 });
        queue(centre).wait_message =
            Some(WaitMessage { every_s: 60, usual_call_minutes: 4, longest_minutes: 30 });
    });
    floor.only(&["1"]);
    floor.set("1", AgentState::Unavailable);
    floor.enter();
    let call = floor.enter();
    floor.pass(62);
    let message = |clip: &str| Sound::Message(clip.into());
    let wait = Sound::Wait { position: 2, minutes: 8 };
    assert_eq!(
        sounds(&floor, call),
        [
            Sound::Music,
            wait.clone(),
            Sound::Music,
            message("patience"),
            Sound::Music,
            message("website"),
            Sound::Music,
            wait,
        ]
    );
    // Switched off, they are not due any more.
    let config = QueueConfig { id: "195".into(), ..QueueConfig::default() };
    floor.ask(Request::Configure { config: Box::new(config) }).unwrap();
    let before = floor.commands.len();
    floor.pass(600);
    assert_eq!(sounds(&floor, call).len(), 9, "only the music after the last message");
    assert!(floor.commands.len() <= before + 2);
}

#[test]
fn a_wait_that_is_too_long_is_not_announced() {
    let mut floor = floor(|centre| {
        queue(centre).wait_message =
            Some(WaitMessage { every_s: 60, usual_call_minutes: 40, longest_minutes: 30 });
    });
    floor.only(&[]);
    let call = floor.enter();
    floor.pass(10);
    assert_eq!(sounds(&floor, call), [Sound::Music]);
}

#[test]
fn night_service_follows_the_hours_or_the_hand() {
    let mut floor = floor(|centre| {
        let hours = Some(Schedule::working_days(8, 17));
        queue(centre).night = NightService {
            mode: Night::Automatic,
            business_hours: hours,
            action: transfer("*55101"),
        };
    });
    let day = floor.enter();
    assert_eq!(floor.order(), [day.0]);
    floor.answer(day, "1");
    // From noon to five.
    floor.pass(5 * 3600);
    let night = |news: &News| match news {
        News::NightService { active, forced, .. } => Some((*active, *forced)),
        _ => None,
    };
    assert_eq!(floor.events.iter().filter_map(night).collect::<Vec<_>>(), [(true, false)]);
    let late = floor.enter();
    assert_eq!(floor.story(late), []);
    let away = floor.events.iter().find_map(|news| match news {
        News::TurnedAway(away) if away.call == late => Some(away.why),
        _ => None,
    });
    assert_eq!((away, sent(&floor, late)), (Some(Policed::Night), vec!["*55101".to_owned()]));
    let set = |mode| Request::Night { queue: "195".into(), mode, action: None };
    floor.ask(set(Night::Off)).unwrap();
    let open = floor.enter();
    assert_eq!(floor.order(), [open.0]);
    floor.ask(set(Night::On)).unwrap();
    assert_eq!(floor.events.iter().rev().find_map(night), Some((true, true)));
    // Who waits already stays.
    assert_eq!(floor.order(), [open.0]);
    assert_eq!(floor.counts().diverted, 1);
}

#[test]
fn holidays_end_at_midnight_and_go_before_the_night() {
    let mut floor = floor(|centre| {
        queue(centre).holiday = HolidayService { days: vec![6], action: Treatment::Busy };
        queue(centre).night =
            NightService { mode: Night::On, business_hours: None, action: transfer("101") };
    });
    let call = floor.enter();
    assert_eq!(floor.commands_for(call), [Command::Refuse { call }]);
    floor.pass(12 * 3600);
    let over = News::HolidayService { queue: "195".into(), active: false };
    assert!(floor.events.contains(&over));
    let call = floor.enter();
    assert_eq!(sent(&floor, call), ["101"]);
}

#[test]
fn forced_forwarding_sends_calls_elsewhere() {
    let mut floor = floor(|_| {});
    let force = |active, to: Option<&str>| Request::ForcedForwarding {
        queue: "195".into(),
        active,
        to: to.map(str::to_owned),
    };
    assert_eq!(floor.ask(force(true, None)), Err(Refusal::BadNumber(String::new())));
    assert_eq!(floor.ask(force(true, Some("no"))), Err(Refusal::BadNumber("no".into())));
    floor.ask(force(true, Some("+31612345678"))).unwrap();
    let call = floor.enter();
    assert_eq!(sent(&floor, call), ["+31612345678"]);
    floor.ask(force(false, None)).unwrap();
    let told = News::ForcedForwarding { queue: "195".into(), active: false };
    assert!(floor.events.contains(&told));
    let call = floor.enter();
    assert_eq!(floor.order(), [call.0]);
}
