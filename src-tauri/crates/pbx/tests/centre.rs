//! An agent, his queues and his services, step by step in virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "virtual time needs a beginning")]

use std::time::{Duration, Instant};

use pbx::centre::{
    AgentState, AgentStatus, Answer, CallRecording, CalledBack, Capability, Cause, Centre, Change,
    Code, Day, End, EntryEnd, EntryState, ExchangeCall, ExchangeCallState, Fact, FactKind,
    Forwarding, Input, Left, LinkState, Main, MeasureKind, Membership, NightOverride, NightService,
    Opening, Output, Party, Phase, QueueChange, QueueEntry, QueueId, QueuePolicy, QueuedCallId,
    Recording, RecordingState, Recurrence, Refusal, Request, RequestId, Role, Schedule, Service,
    ServiceKind, Severity, Threshold, Thresholds, UserId, WrapUp, Zone,
};

const START_MS: u64 = 1_700_000_000_000;

struct Desk {
    start: Instant,
    now: Instant,
    centre: Centre,
    asked: Vec<(RequestId, Request)>,
    done: Vec<(RequestId, Result<Answer, Refusal>)>,
    left: Vec<Left>,
    changes: Vec<Change>,
}

impl Desk {
    /// The own agent is available in a queue, and the link is live.
    fn new() -> Desk {
        let now = Instant::now();
        let mut desk = Desk {
            start: now,
            now,
            centre: Centre::new(now, START_MS),
            asked: Vec::new(),
            done: Vec::new(),
            left: Vec::new(),
            changes: Vec::new(),
        };
        desk.tell(Input::Link(LinkState::Live));
        desk.tell(Input::Me { user: user("me"), name: "Anna".into() });
        let present = vec![Capability::Agent, Capability::QueueView, Capability::Disposition];
        desk.tell(Input::Capabilities { present, missing: Vec::new() });
        desk.tell(Input::Queues(vec![(queue("q"), "Support".into(), Role::Agent)]));
        let membership =
            Membership { queue: queue("q"), joined: true, may_leave: true, skill: None };
        let memberships = vec![membership];
        desk.tell(Input::Memberships { agent: user("me"), full: true, memberships });
        desk.state(AgentState::Available, None);
        desk
    }

    fn tell(&mut self, input: Input) {
        self.centre.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.centre.poll_output() {
            match output {
                Output::Request { id, request } => self.asked.push((id, request)),
                Output::Done { id, result } => self.done.push((id, result)),
                Output::Left(left) => self.left.push(left),
                Output::Changed(change) => self.changes.push(change),
                Output::CallOver(_) => {}
            }
        }
    }

    fn ask(&mut self, request: Request) -> RequestId {
        let id = self.centre.ask(self.now, request);
        self.drain();
        id
    }

    fn wish(&mut self, state: AgentState, code: Option<&str>) -> RequestId {
        let code = code.map(str::to_owned);
        self.ask(Request::SetAgentState { agent: None, state, code, validate: false })
    }

    fn state(&mut self, state: AgentState, code: Option<&str>) {
        let status = AgentStatus { state, code: code.map(str::to_owned), ..AgentStatus::default() };
        self.tell(Input::AgentStatus { agent: user("me"), status });
    }

    fn taken(&mut self, request: RequestId) {
        self.tell(Input::Done { request, result: Ok(Answer::Accepted) });
    }

    /// Lets time pass, with all that falls due meanwhile.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.centre.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.centre.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn ms(&self) -> u64 {
        START_MS + u64::try_from((self.now - self.start).as_millis()).unwrap()
    }

    fn is_drift(&self) -> bool {
        self.centre.own().wish().is_drift()
    }

    fn last_asked(&self) -> &Request {
        &self.asked.last().unwrap().1
    }

    fn positions(&self) -> Vec<String> {
        let state = self.centre.queue(&queue("q")).unwrap();
        state.queue.entries.iter().map(|entry| entry.call.0.clone()).collect()
    }

    fn entry(&mut self, call: &str, position: Option<u32>, state: EntryState) {
        let entry = QueueEntry { state, ..entry(call, START_MS) };
        let change = QueueChange::Entry { entry, position };
        self.tell(Input::QueueChange { queue: queue("q"), change });
    }

    fn leave(&mut self, call: &str, end: EntryEnd) {
        let at = Some(self.ms());
        let change = QueueChange::Left { call: QueuedCallId(call.into()), end, at };
        self.tell(Input::QueueChange { queue: queue("q"), change });
    }
}

fn user(id: &str) -> UserId {
    UserId(id.into())
}

fn queue(id: &str) -> QueueId {
    QueueId(id.into())
}

fn entry(call: &str, since: u64) -> QueueEntry {
    QueueEntry {
        call: QueuedCallId(call.into()),
        caller: Party { name: String::new(), number: format!("020123{call:0>4}") },
        since,
        priority: None,
        state: EntryState::Queued,
        bounced: false,
        reordered: false,
        entrance: false,
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn always(active: bool, to: &str) -> Service {
    let forwarding = Forwarding { active, to: to.into(), rings: None };
    Service::Forwarding { kind: ServiceKind::ForwardAlways, forwarding }
}

#[test]
fn a_wish_that_the_exchange_confirms_is_no_drift() {
    let mut desk = Desk::new();
    let id = desk.wish(AgentState::Unavailable, Some("LUNCH"));
    assert_eq!(desk.centre.own().wish().phase(), Phase::Pending);
    desk.taken(id);
    desk.pass(seconds(4));
    desk.state(AgentState::Unavailable, Some("LUNCH"));
    desk.pass(seconds(60));
    assert!(!desk.is_drift());
    assert_eq!(desk.done, [(id, Ok(Answer::Accepted))]);
}

#[test]
fn a_wish_that_is_not_confirmed_drifts_after_five_seconds() {
    let mut desk = Desk::new();
    let id = desk.wish(AgentState::Unavailable, Some("LUNCH"));
    desk.taken(id);
    desk.pass(Duration::from_millis(4999));
    assert!(!desk.is_drift());
    desk.pass(Duration::from_millis(1));
    assert!(desk.is_drift());
    desk.centre.accept_drift();
    assert!(!desk.is_drift());
    assert_eq!(desk.centre.own().wish().wanted().unwrap().state, AgentState::Available);
}

#[test]
fn the_cause_of_a_drift_is_named() {
    let mut desk = Desk::new();
    let id = desk.wish(AgentState::Available, None);
    desk.taken(id);
    desk.state(AgentState::Available, None);
    desk.state(AgentState::Unavailable, None);
    desk.pass(seconds(6));
    assert!(desk.is_drift());
    assert_eq!(desk.centre.cause(desk.now), None, "nobody knows");
    let call = ExchangeCall {
        id: "c".into(),
        party: Party::default(),
        incoming: true,
        state: ExchangeCallState::Active,
        queue: None,
        waited: None,
        sip_call_id: None,
        digits: None,
        monitored: false,
        recording: CallRecording::default(),
        since: None,
    };
    desk.tell(Input::Call(call.clone()));
    assert_eq!(desk.centre.cause(desk.now), Some(Cause::PersonalCall));
    desk.tell(Input::Call(ExchangeCall { state: ExchangeCallState::Released, ..call }));
    desk.tell(Input::Service(always(true, "0612345678")));
    assert_eq!(desk.centre.cause(desk.now), Some(Cause::Forwarding));
    desk.tell(Input::Service(Service::DoNotDisturb { active: true }));
    assert_eq!(desk.centre.cause(desk.now), Some(Cause::DoNotDisturb));
    desk.tell(Input::AgentCause { agent: user("me"), cause: Cause::Supervisor });
    assert_eq!(desk.centre.cause(desk.now), Some(Cause::Supervisor), "told goes before guessed");
}

#[test]
fn calls_that_were_let_ring_explain_too() {
    let mut desk = Desk::new();
    desk.entry("1", None, EntryState::Offered(Some(user("me"))));
    let bounced = QueueEntry { bounced: true, ..entry("1", START_MS) };
    let change = QueueChange::Entry { entry: bounced, position: Some(1) };
    desk.tell(Input::QueueChange { queue: queue("q"), change });
    desk.state(AgentState::Unavailable, None);
    desk.pass(seconds(5));
    assert!(desk.is_drift(), "he wanted what was so before");
    assert_eq!(desk.centre.cause(desk.now), Some(Cause::Bounces));
    desk.pass(seconds(60));
    assert_eq!(desk.centre.cause(desk.now), None);
}

#[test]
fn who_never_asked_follows_his_phone() {
    let mut desk = Desk::new();
    desk.state(AgentState::Unavailable, Some("LUNCH"));
    desk.pass(seconds(60));
    assert!(!desk.is_drift());
}

#[test]
fn a_refused_wish_leaves_what_is_so() {
    let mut desk = Desk::new();
    let id = desk.wish(AgentState::SignedOut, None);
    let refusal = Refusal::LastStaffed(vec![queue("q")]);
    desk.tell(Input::Done { request: id, result: Err(refusal.clone()) });
    desk.pass(seconds(60));
    assert!(!desk.is_drift());
    assert_eq!(desk.centre.own().wish().refused().unwrap().0, refusal);
    assert_eq!(desk.done, [(id, Err(refusal))]);
}

#[test]
fn a_wrap_up_is_extended_and_then_over() {
    let mut desk = Desk::new();
    let until = desk.ms() + 10_000;
    let wrap_up = WrapUp { queue: Some(queue("q")), call: None, until: Some(until) };
    let status =
        AgentStatus { state: AgentState::WrapUp, wrap_up: Some(wrap_up), ..AgentStatus::default() };
    desk.tell(Input::AgentStatus { agent: user("me"), status: status.clone() });
    desk.pass(seconds(4));
    assert!(desk.centre.extend_wrap_up(desk.now, seconds(30)));
    desk.drain();
    let (id, _) = desk.asked.last().unwrap().clone();
    desk.taken(id);
    assert_eq!(desk.centre.own().extended_until(), Some(desk.start + seconds(40)));
    // The exchange ends it all the same, and is asked for it once more.
    desk.pass(seconds(6));
    desk.state(AgentState::Available, None);
    let again = desk.asked.last().unwrap().clone();
    assert!(matches!(again.1, Request::SetAgentState { state: AgentState::WrapUp, .. }));
    assert_ne!(again.0, id);
    desk.taken(again.0);
    desk.tell(Input::AgentStatus { agent: user("me"), status });
    assert!(!desk.is_drift());
    desk.pass(seconds(31));
    let Request::SetAgentState { state, .. } = desk.last_asked() else { panic!("no state asked") };
    assert_eq!(*state, AgentState::Available, "what he wanted before");
}

#[test]
fn joining_a_queue_is_confirmed_or_shown() {
    let mut desk = Desk::new();
    let leave = Request::Join { agent: Some(user("me")), queue: queue("q"), joined: false };
    let id = desk.ask(leave);
    assert_eq!(desk.last_asked(), &Request::Join { agent: None, queue: queue("q"), joined: false });
    desk.taken(id);
    desk.pass(seconds(5));
    assert_eq!(desk.centre.join(&queue("q")).unwrap().phase(), Phase::Drift);
    let left = Membership { queue: queue("q"), joined: false, may_leave: true, skill: None };
    desk.tell(Input::Memberships { agent: user("me"), full: false, memberships: vec![left] });
    assert_eq!(desk.centre.join(&queue("q")).unwrap().phase(), Phase::Verified);
}

#[test]
fn callers_keep_their_places_and_leave_once() {
    let mut desk = Desk::new();
    for call in ["1", "2", "3"] {
        desk.entry(call, None, EntryState::Queued);
    }
    desk.entry("3", Some(1), EntryState::Queued);
    assert_eq!(desk.positions(), ["3", "1", "2"]);
    desk.entry("1", None, EntryState::Offered(None));
    assert_eq!(desk.positions(), ["3", "1", "2"], "no place told: where he was");
    desk.leave("1", EntryEnd::Answered(Some(user("me"))));
    desk.leave("1", EntryEnd::Abandoned);
    desk.entry("1", Some(1), EntryState::Queued);
    assert_eq!(desk.positions(), ["3", "2"], "late news brings nobody back");
    let snapshot = vec![entry("2", START_MS), entry("4", START_MS)];
    desk.tell(Input::QueueSnapshot { queue: queue("q"), entries: snapshot });
    assert_eq!(desk.positions(), ["2", "4"]);
    let ends: Vec<_> = desk.left.iter().map(|l| (l.entry.call.0.as_str(), l.end.clone())).collect();
    assert_eq!(ends, [("1", EntryEnd::Answered(Some(user("me")))), ("3", EntryEnd::Unseen)]);
    // Whoever is sent back to the queue has begun to wait anew.
    let back = QueueChange::Entry { entry: entry("1", START_MS + 5), position: Some(1) };
    desk.tell(Input::QueueChange { queue: queue("q"), change: back });
    assert_eq!(desk.positions(), ["1", "2", "4"]);
}

#[test]
fn a_caller_whom_an_old_list_leaves_out_comes_back_with_the_next_news() {
    let mut desk = Desk::new();
    let list = |calls: &[&str]| Input::QueueSnapshot {
        queue: queue("q"),
        entries: calls.iter().map(|call| entry(call, START_MS)).collect(),
    };
    desk.tell(list(&["1", "2", "3"]));
    // The exchange sends a list again that nobody had acknowledged.
    desk.tell(list(&["1"]));
    assert_eq!(desk.positions(), ["1"]);
    desk.entry("3", Some(2), EntryState::Queued);
    assert_eq!(desk.positions(), ["1", "3"]);
    desk.tell(list(&["1", "2", "3"]));
    assert_eq!(desk.positions(), ["1", "2", "3"]);
}

#[test]
fn a_long_wait_turns_yellow_and_red_by_itself() {
    let mut desk = Desk::new();
    let entries = vec![entry("1", START_MS)];
    desk.tell(Input::QueueSnapshot { queue: queue("q"), entries });
    let limits = Threshold { yellow: Some(30), red: Some(60) };
    let limits = Thresholds(vec![(MeasureKind::LongestWait, limits)]);
    desk.centre.set_thresholds(desk.now, &queue("q"), limits);
    desk.drain();
    let severity = |desk: &Desk| {
        let state = desk.centre.queue(&queue("q")).unwrap();
        let figures = desk.centre.figures(desk.now, state);
        figures.iter().find(|(kind, _)| *kind == MeasureKind::LongestWait).unwrap().1.severity
    };
    for (wait, wanted) in [(30, Severity::Yellow), (30, Severity::Red)] {
        desk.changes.clear();
        desk.pass(seconds(wait));
        assert_eq!(severity(&desk), Some(wanted));
        assert_eq!(desk.changes, [Change::Queue(queue("q"))]);
    }
    assert_eq!(desk.centre.poll_timeout(), None);
}

#[test]
fn emergency_forwarding_is_verified_by_reading_it_back() {
    let mut desk = Desk::new();
    desk.tell(Input::Service(always(false, "")));
    let id = desk.centre.forward_line(desk.now, "0612345678");
    desk.drain();
    assert_eq!(desk.last_asked(), &Request::SetService(always(true, "0612345678")));
    desk.taken(id);
    assert_eq!(desk.last_asked(), &Request::ReadService(ServiceKind::ForwardAlways));
    assert_eq!(desk.centre.emergency(&Main::Line).phase, Phase::Reading);
    desk.tell(Input::Service(always(true, "+31612345678")));
    let emergency = desk.centre.emergency(&Main::Line);
    assert_eq!(emergency.phase, Phase::Verified);
    assert!(emergency.is_active() && !emergency.has_failed());
    // Somebody takes it away.
    desk.tell(Input::Service(always(false, "0612345678")));
    desk.pass(seconds(10));
    let emergency = desk.centre.emergency(&Main::Line);
    assert!(!emergency.is_active() && emergency.has_failed(), "{emergency:?}");
}

#[test]
fn emergency_forwarding_that_is_not_read_back_has_failed() {
    let mut desk = Desk::new();
    let id = desk.ask(Request::SetForcedForwarding { queue: queue("q"), to: Some("06".into()) });
    desk.taken(id);
    assert_eq!(desk.last_asked(), &Request::ReadPolicy(queue("q")));
    let policy = QueuePolicy { forced_forwarding: Some(String::new()), ..QueuePolicy::default() };
    desk.tell(Input::Policy { queue: queue("q"), policy });
    desk.pass(seconds(10));
    assert!(desk.centre.emergency(&Main::Queue(queue("q"))).has_failed());
}

#[test]
fn night_is_read_back() {
    let mut desk = Desk::new();
    let id = desk.ask(Request::SetNight { queue: queue("q"), night: NightOverride::ForcedOn });
    desk.taken(id);
    assert_eq!(desk.last_asked(), &Request::ReadPolicy(queue("q")));
    let policy = QueuePolicy {
        night: Some(true),
        night_override: Some(NightOverride::ForcedOn),
        ..QueuePolicy::default()
    };
    desk.tell(Input::Policy { queue: queue("q"), policy });
    let state = desk.centre.queue(&queue("q")).unwrap();
    assert_eq!((state.night.phase(), state.queue.policy.night), (Phase::Verified, Some(true)));
}

#[test]
fn without_a_link_nothing_is_asked_and_everything_is_stale() {
    let mut desk = Desk::new();
    desk.pass(seconds(1));
    desk.tell(Input::Link(LinkState::Lost));
    desk.tell(Input::RetryAt(desk.ms() + 2000));
    assert_eq!(desk.centre.link().stale_since(), Some(desk.now));
    let before = desk.asked.len();
    let id = desk.wish(AgentState::Unavailable, None);
    assert_eq!(desk.asked.len(), before);
    assert_eq!(desk.done, [(id, Err(Refusal::Unavailable))]);
    desk.tell(Input::Link(LinkState::Connecting));
    assert_eq!(desk.centre.link().stale_since(), Some(desk.start + seconds(1)));
    assert_eq!(desk.centre.link().retry_at(), None);
    desk.tell(Input::Link(LinkState::Live));
    assert_eq!(desk.centre.link().stale_since(), None);
}

#[test]
fn what_is_never_answered_is_given_up() {
    let mut desk = Desk::new();
    let id = desk.ask(Request::ReadDirectory);
    desk.pass(seconds(21));
    assert_eq!(desk.done, [(id, Err(Refusal::Unavailable))]);
    desk.taken(id);
    assert_eq!(desk.done.len(), 1, "too late");
}

#[test]
fn a_call_of_a_queue_wants_an_outcome_at_its_end() {
    let mut desk = Desk::new();
    let code = Code { code: "SOLD".into(), description: "Verkocht".into(), is_default: false };
    desk.tell(Input::DispositionCodes { queue: queue("q"), codes: vec![code], forced: true });
    let call = ExchangeCall {
        id: "c1".into(),
        party: Party { name: "Jan".into(), number: "0201234567".into() },
        incoming: true,
        state: ExchangeCallState::Active,
        queue: Some(queue("q")),
        waited: Some(9),
        sip_call_id: None,
        digits: None,
        monitored: false,
        recording: CallRecording::default(),
        since: None,
    };
    desk.tell(Input::Call(call.clone()));
    let over = ExchangeCall { state: ExchangeCallState::Released, queue: None, ..call };
    desk.tell(Input::Call(over));
    // The program's own call ended as well; it is one question.
    desk.centre.call_over(desk.now, Some("c1".into()), Some(7), &queue("q"), Party::default());
    let questions: Vec<_> = desk.centre.questions().cloned().collect();
    let [question] = questions.as_slice() else { panic!("one question: {questions:?}") };
    assert_eq!((question.local, question.forced), (Some(7), true));
    assert!(!desk.centre.skip_question(question.id), "one is forced");
    assert!(desk.centre.answer_question(desk.now, question.id, "NONE").is_none());
    let id = desk.centre.answer_question(desk.now, question.id, "SOLD").unwrap();
    desk.drain();
    let wanted =
        Request::SetDisposition { call: Some("c1".into()), code: "SOLD".into(), last: true };
    assert_eq!(desk.last_asked(), &wanted);
    desk.taken(id);
    assert_eq!(desk.centre.questions().count(), 0);
}

/// A call of the queue, which forces outcomes, was answered and is over.
fn forced_outcome(desk: &mut Desk) -> u64 {
    let code = Code { code: "SOLD".into(), description: "Verkocht".into(), is_default: false };
    desk.tell(Input::DispositionCodes { queue: queue("q"), codes: vec![code], forced: true });
    desk.centre.call_over(desk.now, Some("c1".into()), None, &queue("q"), Party::default());
    desk.drain();
    desk.centre.needed_outcome().unwrap().id
}

fn wrap_up(desk: &mut Desk, lasts: Duration) {
    let until = Some(desk.ms() + u64::try_from(lasts.as_millis()).unwrap());
    let wrap_up = WrapUp { queue: Some(queue("q")), call: Some("c1".into()), until };
    let status =
        AgentStatus { state: AgentState::WrapUp, wrap_up: Some(wrap_up), ..AgentStatus::default() };
    desk.tell(Input::AgentStatus { agent: user("me"), status });
}

fn asked_state(desk: &Desk) -> Vec<AgentState> {
    let states = desk.asked.iter().filter_map(|(_, request)| match request {
        Request::SetAgentState { agent: None, state, .. } => Some(*state),
        _ => None,
    });
    states.collect()
}

#[test]
fn a_wrap_up_lasts_until_a_forced_outcome_is_given() {
    let mut desk = Desk::new();
    let question = forced_outcome(&mut desk);
    desk.pass(seconds(1));
    wrap_up(&mut desk, seconds(20));
    desk.pass(seconds(17));
    assert!(asked_state(&desk).is_empty(), "the exchange's own wrap-up lasts");
    desk.pass(seconds(2));
    assert_eq!(asked_state(&desk), [AgentState::WrapUp], "asked before it ends");
    assert!(desk.centre.own().is_held());
    let (id, _) = desk.asked.last().unwrap().clone();
    desk.taken(id);
    // The exchange ends it all the same, and is asked once more.
    desk.state(AgentState::Available, None);
    assert_eq!(asked_state(&desk), [AgentState::WrapUp, AgentState::WrapUp]);
    let (id, _) = desk.asked.last().unwrap().clone();
    desk.taken(id);
    desk.state(AgentState::WrapUp, None);
    desk.pass(seconds(600));
    assert_eq!(asked_state(&desk).len(), 2, "held, and not asked again");
    let id = desk.centre.answer_question(desk.now, question, "SOLD").unwrap();
    desk.drain();
    desk.taken(id);
    assert_eq!(asked_state(&desk).last(), Some(&AgentState::Available));
    assert_eq!(desk.centre.needed_outcome(), None);
    assert!(!desk.centre.own().is_held());
}

#[test]
fn an_outcome_given_in_time_leaves_the_wrap_up_to_the_exchange() {
    let mut desk = Desk::new();
    forced_outcome(&mut desk);
    wrap_up(&mut desk, seconds(20));
    // Given at another place, and told before and after the end of the call.
    desk.tell(Input::Outcome { call: "c1".into(), code: "SOLD".into() });
    assert_eq!(desk.centre.questions().count(), 0);
    desk.centre.call_over(desk.now, Some("c1".into()), Some(7), &queue("q"), Party::default());
    assert_eq!(desk.centre.questions().count(), 0, "it has one");
    desk.pass(seconds(30));
    assert!(asked_state(&desk).is_empty());
}

#[test]
fn where_no_wrap_up_follows_one_is_asked_for() {
    let mut desk = Desk::new();
    let question = forced_outcome(&mut desk);
    desk.pass(seconds(3));
    assert_eq!(asked_state(&desk), [AgentState::WrapUp]);
    let (id, _) = desk.asked.last().unwrap().clone();
    desk.tell(Input::Done { request: id, result: Err(Refusal::NotAllowed) });
    desk.pass(seconds(60));
    assert_eq!(asked_state(&desk).len(), 1, "the exchange has the last word");
    assert_eq!(desk.centre.needed_outcome().map(|q| q.id), Some(question), "it is still asked for");
    // Who goes home is forced to nothing.
    desk.state(AgentState::SignedOut, None);
    assert_eq!(desk.centre.needed_outcome(), None);
}

#[test]
fn who_gave_up_is_called_back_once() {
    let mut desk = Desk::new();
    desk.entry("1", None, EntryState::Queued);
    desk.pass(seconds(40));
    desk.leave("1", EntryEnd::Abandoned);
    let number = entry("1", 0).caller.number;
    assert_eq!(desk.centre.abandoned().len(), 1);
    desk.pass(seconds(1));
    let by = CalledBack { by: "Anna".into(), me: true, at: desk.ms(), reached: true };
    desk.centre.called(&number, &by);
    assert_eq!(desk.centre.abandoned()[0].called_back, Some(by));
}

#[test]
fn night_follows_the_schedules_as_time_goes_by() {
    let mut desk = Desk::new();
    // It is Tuesday, 23:13 in Amsterdam.
    let opening = |day: Option<Day>, from, lasts, recurs| Opening {
        name: String::new(),
        day: day.unwrap(),
        from,
        lasts,
        recurs,
        end: End::Never,
    };
    let days = [true, true, true, true, true, false, false];
    let weekly = Recurrence::Weekly { every: 1, days };
    let hours = opening(Day::of(2023, 1, 2), 8 * 60, 9 * 60, weekly);
    let holiday = opening(Day::of(2023, 11, 16), 0, 24 * 60, Recurrence::Once);
    let schedule = |name: &str, holidays, opening| Fact {
        kind: FactKind::Schedule,
        name: name.into(),
        value: String::new(),
        in_force: None,
        until: None,
        schedule: Some(Schedule {
            holidays,
            zone: Zone::named("Europe/Amsterdam"),
            openings: vec![opening],
        }),
    };
    desk.tell(Input::Facts(vec![
        schedule("Kantoor", false, hours),
        schedule("Vrij", true, holiday),
    ]));
    let night = NightService {
        schedule: "Kantoor".into(),
        holidays: "Vrij".into(),
        ..NightService::default()
    };
    desk.tell(Input::Service(Service::Night(night.clone())));
    let is_night = |desk: &Desk| match desk.centre.service(ServiceKind::Night) {
        Some(state) => match &state.actual {
            Some(Service::Night(night)) => night.active,
            _ => None,
        },
        None => None,
    };
    let hour = |hours: u64| seconds(hours * 3600);
    assert_eq!(is_night(&desk), Some(true));
    desk.pass(hour(10));
    assert_eq!(is_night(&desk), Some(false), "Wednesday morning");
    desk.pass(hour(9));
    assert_eq!(is_night(&desk), Some(true), "Wednesday evening");
    desk.pass(hour(15));
    assert_eq!(is_night(&desk), Some(true), "Thursday is a holiday");
    desk.pass(hour(24));
    assert_eq!(is_night(&desk), Some(false), "Friday");
    // What the user chose goes before any schedule.
    desk.tell(Input::Service(Service::Night(NightService { mode: Some(true), ..night })));
    assert_eq!(is_night(&desk), Some(true));
    desk.pass(hour(24));
    assert_eq!(is_night(&desk), Some(true));
}

#[test]
fn the_recording_of_a_call_is_kept_until_it_is_told_anew() {
    let mut desk = Desk::new();
    let told = |state, recording, may| {
        Input::Call(ExchangeCall {
            id: "c".into(),
            party: Party::default(),
            incoming: true,
            state,
            queue: None,
            waited: None,
            sip_call_id: None,
            digits: None,
            monitored: false,
            recording: CallRecording { state: recording, may },
            since: None,
        })
    };
    let shown = |desk: &Desk| {
        let call = desk.centre.calls().next().unwrap();
        (call.recording_state(), call.may_record())
    };
    desk.tell(told(ExchangeCallState::Alerting, None, None));
    assert_eq!(shown(&desk), (RecordingState::Off, vec![]), "nobody talks");
    desk.tell(told(ExchangeCallState::Active, None, None));
    assert_eq!(shown(&desk), (RecordingState::Off, vec![Recording::Start]));
    desk.tell(told(ExchangeCallState::Active, Some(RecordingState::On), None));
    // Held: not a word about the recording, which goes on.
    desk.tell(told(ExchangeCallState::Held, None, None));
    assert_eq!(shown(&desk), (RecordingState::On, vec![Recording::Pause, Recording::Stop]));
    desk.tell(told(ExchangeCallState::Held, Some(RecordingState::Paused), None));
    assert_eq!(shown(&desk), (RecordingState::Paused, vec![Recording::Resume, Recording::Stop]));
    // What the exchange allows goes before what follows from the state.
    desk.tell(told(ExchangeCallState::Active, Some(RecordingState::On), Some(vec![])));
    assert_eq!(shown(&desk), (RecordingState::On, vec![]));
    desk.tell(told(ExchangeCallState::Active, Some(RecordingState::Failed), None));
    assert_eq!(shown(&desk), (RecordingState::Failed, vec![Recording::Start]));
}
