//! What an exchange tells besides states and queues, as a front end sees it: what keeps calls away, parked calls, who
//! called back, greetings, schedules and hunt groups.

use app::code::Code;
use app::control::Answer;
use app::view::centre::{AgentStateName, CentreView, DriftCause};
use app::view::service::{FactName, GreetingName, RecursName, ServiceName};
use pbx::centre::{
    AgentState, Answer as Told, CallRecording, Capability, Day, End, EntryEnd, ExchangeCall,
    ExchangeCallState, Fact, FactKind, Greeting, GreetingChoice, GreetingKind, Greetings,
    HuntGroup, HuntPolicy, Input, Opening, Party, QueueChange, QueuedCallId, Recorded, Recurrence,
    Request, Schedule, Service, ServiceKind, UserId, VoiceMail, Zone,
};
use serde_json::json;

use crate::centre::begin;
use crate::desk::Desk;
use crate::exchange::{Exchange, bert, caller, me, queue};

fn call(id: &str, number: &str, state: ExchangeCallState) -> ExchangeCall {
    ExchangeCall {
        id: id.into(),
        party: Party { name: String::new(), number: number.into() },
        incoming: false,
        state,
        queue: None,
        waited: None,
        sip_call_id: None,
        digits: None,
        monitored: false,
        recording: CallRecording::default(),
        since: None,
    }
}

/// Waits until that is given as the cause that the agent gets no calls.
async fn caused(desk: &mut Desk, cause: Option<DriftCause>) -> CentreView {
    desk.centre(|view| view.agent.as_ref().is_some_and(|agent| agent.cause == cause)).await
}

#[tokio::test]
async fn what_keeps_calls_away_from_an_agent_is_named() {
    let (mut desk, exchange) = begin().await;
    caused(&mut desk, None).await;
    exchange.tell(Input::Service(Service::DoNotDisturb { active: true })).await;
    let view = caused(&mut desk, Some(DriftCause::Dnd)).await;
    assert_eq!(view.agent.unwrap().state, Some(AgentStateName::Available), "as the exchange says");
    exchange.tell(Input::Service(Service::DoNotDisturb { active: false })).await;
    caused(&mut desk, None).await;
    let forwarding = pbx::centre::Forwarding { active: true, to: "0612345678".into(), rings: None };
    let kind = ServiceKind::ForwardAlways;
    exchange.tell(Input::Service(Service::Forwarding { kind, forwarding })).await;
    caused(&mut desk, Some(DriftCause::Forwarding)).await;
    let forwarding = pbx::centre::Forwarding::default();
    exchange.tell(Input::Service(Service::Forwarding { kind, forwarding })).await;
    caused(&mut desk, None).await;
    // A call of his own, wherever it is made.
    exchange.tell(Input::Call(call("x1", "0201234567", ExchangeCallState::Active))).await;
    caused(&mut desk, Some(DriftCause::PersonalCall)).await;
    exchange.tell(Input::Call(call("x1", "0201234567", ExchangeCallState::Released))).await;
    caused(&mut desk, None).await;
    // The exchange took him out, and its own reason says why.
    let (do_not_disturb, personal_call) = ("DND".to_owned(), "PERSONAL".to_owned());
    let bounces = "BOUNCED".to_owned();
    exchange.tell(Input::AutomaticCodes { do_not_disturb, personal_call, bounces }).await;
    exchange.state(AgentState::Unavailable, Some("BOUNCED")).await;
    caused(&mut desk, Some(DriftCause::Bounces)).await;
    exchange.state(AgentState::Unavailable, Some("PERSONAL")).await;
    caused(&mut desk, Some(DriftCause::PersonalCall)).await;
    desk.quit().await;
}

#[tokio::test]
async fn an_agent_who_went_to_lunch_is_kept_away_by_nothing() {
    let (mut desk, mut exchange) = begin().await;
    let lunch = json!({"cmd": "agent.state", "state": "unavailable", "reason": "LUNCH"});
    let (answer, ()) = tokio::join!(desk.ask(lunch), async {
        let (id, _) = exchange.asked().await;
        exchange.takes(id).await;
    });
    answer.unwrap();
    exchange.state(AgentState::Unavailable, Some("LUNCH")).await;
    let view = desk
        .centre(|view| {
            view.agent.as_ref().is_some_and(|a| a.state == Some(AgentStateName::Unavailable))
        })
        .await;
    assert_eq!(view.agent.unwrap().cause, None);
    desk.quit().await;
}

async fn parked(exchange: &Exchange, line: UserId, name: &str, number: &str, who: Option<&str>) {
    let party = who.map(|number| Party { name: "Klant".into(), number: number.into() });
    let (name, number) = (name.to_owned(), number.to_owned());
    exchange.tell(Input::Parked { line, name, number, party }).await;
}

#[tokio::test]
async fn parked_calls_are_listed_until_they_are_fetched() {
    let (mut desk, exchange) = begin().await;
    parked(&exchange, me(), "Anna", "101", Some("0201234567")).await;
    parked(&exchange, bert(), "Bert", "102", Some("0301234567")).await;
    let view = desk.centre(|view| view.parked.len() == 2).await;
    let own = view.parked.iter().find(|call| call.own).unwrap();
    assert_eq!((own.slot.as_str(), own.name.as_str()), ("101", "Anna"));
    let other = view.parked.iter().find(|call| !call.own).unwrap();
    assert_eq!((other.slot.as_str(), other.name.as_str()), ("102", "Bert"));
    assert!(other.peer.number == "030 123 45 67" && other.peer.name == "Klant", "{other:?}");
    assert!(other.since_ms > 0);
    parked(&exchange, bert(), "Bert", "102", None).await;
    let view = desk.centre(|view| view.parked.len() == 1).await;
    assert!(view.parked[0].own);
    desk.quit().await;
}

#[tokio::test]
async fn a_colleague_who_calls_back_is_seen_by_all() {
    let (mut desk, exchange) = begin().await;
    let entries = vec![caller("c1", "+31201234567", 1000)];
    exchange.tell(Input::QueueSnapshot { queue: queue(), entries }).await;
    let change =
        QueueChange::Left { call: QueuedCallId("c1".into()), end: EntryEnd::Abandoned, at: None };
    exchange.tell(Input::QueueChange { queue: queue(), change }).await;
    desk.centre(|view| view.abandoned.len() == 1).await;
    let ringing = call("b1", "0201234567", ExchangeCallState::Alerting);
    exchange.tell(Input::AgentCall { agent: bert(), call: ringing }).await;
    let tried = |view: &CentreView| view.abandoned[0].called_back.is_some();
    let back = desk.centre(tried).await.abandoned[0].called_back.clone().unwrap();
    assert_eq!((back.by.as_str(), back.me, back.reached), ("Bert", false, false));
    let talks = call("b1", "0201234567", ExchangeCallState::Active);
    exchange.tell(Input::AgentCall { agent: bert(), call: talks }).await;
    let reached =
        |view: &CentreView| view.abandoned[0].called_back.as_ref().is_some_and(|b| b.reached);
    desk.centre(reached).await;
    desk.quit().await;
}

fn voicemail() -> VoiceMail {
    let greetings = Greetings {
        no_answer: Greeting { choice: GreetingChoice::Own, recording: "Vakantie".into() },
        ..Greetings::default()
    };
    VoiceMail { active: true, no_answer: true, greetings: Some(greetings), ..VoiceMail::default() }
}

#[tokio::test]
async fn greetings_are_read_chosen_and_replaced() {
    let (mut desk, mut exchange) = begin().await;
    let present = vec![Capability::Agent, Capability::Service(ServiceKind::VoiceMail)];
    exchange.tell(Input::Capabilities { present, missing: Vec::new() }).await;
    exchange.tell(Input::Service(Service::VoiceMail(voicemail()))).await;
    let view = desk
        .centre(|view| {
            view.services.iter().any(|s| s.service == ServiceName::VoiceMail && s.actual.is_some())
        })
        .await;
    let shown = view.services.iter().find(|s| s.service == ServiceName::VoiceMail).unwrap();
    let values = shown.actual.clone().unwrap();
    assert_eq!(values.greeting_no_answer, Some(GreetingName::Own));
    assert_eq!(values.recording_no_answer.as_deref(), Some("Vakantie"));
    assert_eq!(values.greeting_busy, Some(GreetingName::Standard));

    let wav = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x04\0\0\0\x01\0\x02\0";
    let get = desk.ask(json!({"cmd": "greeting.get", "greeting": "no_answer"}));
    let (answer, ()) = tokio::join!(get, async {
        let (request, what) = exchange.asked().await;
        assert_eq!(what, Request::ReadGreeting(GreetingKind::NoAnswer));
        let recorded = Recorded { name: "Vakantie".into(), wav: wav.to_vec() };
        exchange.tell(Input::Done { request, result: Ok(Told::Recorded(recorded)) }).await;
    });
    let Answer::Greeting(read) = answer.unwrap() else { panic!("a greeting is answered with one") };
    assert_eq!(read.name, "Vakantie");

    let set =
        json!({"cmd": "greeting.set", "greeting": "busy", "name": "In gesprek", "wav": read.wav});
    let (answer, ()) = tokio::join!(desk.ask(set), async {
        let (id, what) = exchange.asked().await;
        let Request::SetGreeting { kind: GreetingKind::Busy, recorded } = what else {
            panic!("{what:?}")
        };
        assert_eq!((recorded.name.as_str(), recorded.wav.as_slice()), ("In gesprek", &wav[..]));
        exchange.takes(id).await;
    });
    answer.unwrap();
    let broken = json!({"cmd": "greeting.set", "greeting": "busy", "name": "X", "wav": "AAAA"});
    assert_eq!(desk.refused(broken).await, Code::BadValue);
    // One's own greeting is chosen only where there is one.
    let own =
        json!({"cmd": "service.set", "service": "voice_mail", "values": {"greeting_busy": "own"}});
    assert_eq!(desk.refused(own).await, Code::BadValue);
    let standard = json!({"cmd": "service.set", "service": "voice_mail", "values": {"greeting_no_answer": "standard"}});
    let (answer, ()) = tokio::join!(desk.ask(standard), async {
        let (id, what) = exchange.asked().await;
        let Request::SetService(Service::VoiceMail(mail)) = what else { panic!("{what:?}") };
        let greetings = mail.greetings.unwrap();
        assert_eq!(greetings.no_answer.choice, GreetingChoice::Standard);
        assert_eq!(greetings.no_answer.recording, "Vakantie", "the recording is kept");
        exchange.takes(id).await;
    });
    answer.unwrap();
    desk.quit().await;
}

#[tokio::test]
async fn schedules_menus_and_hunt_groups_are_shown() {
    let (mut desk, exchange) = begin().await;
    let opening = Opening {
        name: "Open".into(),
        day: Day::of(2024, 1, 1).unwrap(),
        from: 0,
        lasts: 24 * 60,
        recurs: Recurrence::Daily { every: 1 },
        end: End::Never,
    };
    let schedule = Schedule {
        holidays: false,
        zone: Zone::named("Europe/Amsterdam"),
        openings: vec![opening],
    };
    let fact = |kind, name: &str| Fact {
        kind,
        name: name.into(),
        value: String::new(),
        in_force: None,
        until: None,
        schedule: None,
    };
    let hours = Fact { schedule: Some(schedule), ..fact(FactKind::Schedule, "Kantoor") };
    let menu = Fact { value: "0201234500".into(), ..fact(FactKind::Menu, "Welkom") };
    exchange.tell(Input::Facts(vec![hours, menu])).await;
    let view = desk.centre(|view| view.facts.len() == 2).await;
    let hours = view.facts.iter().find(|fact| fact.fact == FactName::Schedule).unwrap();
    assert_eq!((hours.in_force, hours.openings.len()), (Some(true), 1), "{hours:?}");
    assert_eq!((hours.openings[0].recurs, hours.openings[0].lasts), (RecursName::Daily, 1440));
    let menu = view.facts.iter().find(|fact| fact.fact == FactName::Menu).unwrap();
    assert_eq!((menu.name.as_str(), menu.in_force), ("Welkom", None));

    let group = HuntGroup {
        id: "sales@company.example".into(),
        name: "Verkoop".into(),
        number: "160".into(),
        policy: Some(HuntPolicy::Circular),
        members: vec!["Anna".into(), "Bert".into()],
        next: Some("Bert".into()),
        told: true,
        joined: true,
        may_leave: false,
    };
    exchange.tell(Input::HuntGroups(vec![group])).await;
    let view = desk.centre(|view| !view.hunt_groups.is_empty()).await;
    let group = &view.hunt_groups[0];
    assert_eq!((group.name.as_str(), group.next.as_deref()), ("Verkoop", Some("Bert")));
    assert!(group.told && group.joined && group.members.len() == 2, "{group:?}");
    let leave = json!({"cmd": "hunt_group.leave", "group": "Verkoop"});
    assert_eq!(desk.refused(leave).await, Code::Forbidden);
    desk.quit().await;
}
