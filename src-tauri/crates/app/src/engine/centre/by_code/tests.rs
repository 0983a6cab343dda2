//! Codes in virtual time: what is dialled for what, and what counts as told.

use super::*;

const CODES: &str = "queues = [\"400\", \"401\"]\njoin = \"*45{queue}\"\nleave = \"*46{queue}\"\n\
    pause = \"*47{reason}\"\nresume = \"*48\"\nreasons = [\"1\", \"2\"]\n\
    dnd_on = \"*78\"\ndnd_off = \"*79\"\nforward_on = \"*72{number}\"\nforward_off = \"*73\"\n";

struct Lab {
    codes: ByCode,
    now: Instant,
    requests: u64,
    sessions: u64,
    told: Vec<Input>,
    hung_up: Vec<SessionId>,
    /// A code whose call has not been answered for.
    dialled: Option<String>,
}

impl Lab {
    fn new(lines: &str) -> Lab {
        let text = format!("[[account]]\naor = \"sip:101@pbx.example\"\n[account.codes]\n{lines}");
        let settings = crate::config::Config::parse(&text).unwrap().accounts.remove(0);
        let mut lab = Lab {
            codes: ByCode::of(&settings).expect("an exchange"),
            now: super::super::super::desk::now(),
            requests: 0,
            sessions: 0,
            told: Vec::new(),
            hung_up: Vec::new(),
            dialled: None,
        };
        lab.codes.registered(true);
        lab.drain();
        lab
    }

    fn drain(&mut self) {
        while let Some(out) = self.codes.poll_output() {
            match out {
                Out::Tell(input) => self.told.push(*input),
                Out::HangUp(session) => self.hung_up.push(session),
                Out::Dial(number) => {
                    assert_eq!(self.dialled, None, "one code at a time");
                    self.sessions += 1;
                    self.codes.dialled(SessionId(self.sessions));
                    self.dialled = Some(number);
                }
            }
        }
    }

    fn ask(&mut self, request: Request) -> RequestId {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.codes.request(self.now, id, request);
        self.drain();
        id
    }

    fn state(&mut self, state: AgentState, reason: Option<&str>) -> RequestId {
        let code = reason.map(str::to_owned);
        self.ask(Request::SetAgentState { agent: None, state, code, validate: false })
    }

    /// The exchange answers the code that was dialled and hangs up; which one it was.
    fn takes(&mut self) -> String {
        let number = self.dialled.take().expect("nothing was dialled");
        let session = SessionId(self.sessions);
        assert!(self.codes.answered(self.now, session));
        assert!(self.codes.ended(self.now, session, (None, "")));
        self.drain();
        number
    }

    fn refuses(&mut self, status: u16) {
        self.dialled.take().expect("nothing was dialled");
        assert!(self.codes.ended(self.now, SessionId(self.sessions), (Some(status), "no")));
        self.drain();
    }

    fn done(&self, id: RequestId) -> Option<&Result<Answer, Refusal>> {
        self.told.iter().find_map(|told| match told {
            Input::Done { request, result } if *request == id => Some(result),
            _ => None,
        })
    }

    fn shown(&self) -> Option<(AgentState, Option<&str>)> {
        self.told.iter().rev().find_map(|told| match told {
            Input::AgentStatus { status, .. } => Some((status.state, status.code.as_deref())),
            _ => None,
        })
    }
}

#[test]
fn only_what_has_codes_is_offered() {
    let present = |lines: &str| {
        let lab = Lab::new(lines);
        let told = lab.told.into_iter().find_map(|told| match told {
            Input::Capabilities { present, .. } => Some(present),
            _ => None,
        });
        told.unwrap()
    };
    let all = present(CODES);
    let services = [ServiceKind::DoNotDisturb, ServiceKind::ForwardAlways];
    let expected = [Capability::Agent, Capability::JoinQueues].into_iter();
    assert!(expected.chain(services.map(Capability::Service)).eq(all));
    let only = present("dnd_on = \"*78\"\ndnd_off = \"*79\"");
    assert_eq!(only, [Capability::Service(ServiceKind::DoNotDisturb)]);
    let text = "[[account]]\naor = \"sip:101@pbx.example\"\n[account.codes]\npark = \"700\"";
    let settings = crate::config::Config::parse(text).unwrap().accounts.remove(0);
    assert!(ByCode::of(&settings).is_none(), "parking alone is no exchange");
}

#[test]
fn an_agent_signs_in_pauses_and_signs_out() {
    let mut lab = Lab::new(CODES);
    assert_eq!(lab.shown(), None, "nothing was told yet");
    let signed_in = lab.state(AgentState::SigningIn, None);
    assert_eq!((lab.takes(), lab.done(signed_in)), ("*45400".to_owned(), None));
    assert_eq!(lab.takes(), "*45401");
    assert_eq!(lab.done(signed_in), Some(&Ok(Answer::Accepted)));
    assert_eq!(lab.shown(), Some((AgentState::Available, None)));
    lab.state(AgentState::Unavailable, Some("2"));
    assert_eq!(lab.takes(), "*472");
    assert_eq!(lab.shown(), Some((AgentState::Unavailable, Some("2"))));
    lab.state(AgentState::Available, None);
    assert_eq!(lab.takes(), "*48");
    assert_eq!(lab.shown(), Some((AgentState::Available, None)));
    let gone = lab.state(AgentState::SignedOut, None);
    assert_eq!((lab.takes(), lab.takes()), ("*46400".to_owned(), "*46401".to_owned()));
    assert_eq!(lab.done(gone), Some(&Ok(Answer::Accepted)));
    assert_eq!(lab.shown(), Some((AgentState::SignedOut, None)));
    let reasonless = lab.state(AgentState::Unavailable, None);
    assert!(matches!(lab.done(reasonless), Some(Err(Refusal::BadValue(_)))));
    let wrap_up = lab.state(AgentState::WrapUp, None);
    assert_eq!(lab.done(wrap_up), Some(&Err(Refusal::NotAllowed)));
}

#[test]
fn a_queue_is_joined_and_services_are_set() {
    let mut lab = Lab::new(CODES);
    let queue = |name: &str| QueueId(name.to_owned());
    let join = lab.ask(Request::Join { agent: None, queue: queue("401"), joined: true });
    assert_eq!(lab.takes(), "*45401");
    assert_eq!(lab.done(join), Some(&Ok(Answer::Accepted)));
    assert_eq!(lab.shown(), Some((AgentState::Available, None)), "he is in a queue");
    let other = lab.ask(Request::Join { agent: None, queue: queue("402"), joined: true });
    assert_eq!(lab.done(other), Some(&Err(Refusal::Gone)));
    let forward = |active, to: &str| {
        let forwarding = Forwarding { active, to: to.to_owned(), rings: None };
        Service::Forwarding { kind: ServiceKind::ForwardAlways, forwarding }
    };
    for (service, number) in [
        (Service::DoNotDisturb { active: true }, "*78"),
        (Service::DoNotDisturb { active: false }, "*79"),
        (forward(true, "0612345678"), "*720612345678"),
        (forward(false, "0612345678"), "*73"),
    ] {
        lab.ask(Request::SetService(service.clone()));
        assert_eq!(lab.takes(), number);
        assert!(lab.told.contains(&Input::Service(service)));
    }
    for evil in ["", "06;ext=1", "*73", "06 12"] {
        let bad = lab.ask(Request::SetService(forward(true, evil)));
        assert!(matches!(lab.done(bad), Some(Err(Refusal::BadValue(_)))), "{evil}");
    }
    // Nobody tells whether it is so still.
    let read = lab.ask(Request::ReadService(ServiceKind::ForwardAlways));
    assert_eq!(lab.done(read), Some(&Err(Refusal::NotAllowed)));
    assert!(!lab.codes.sees_forwarding());
}

#[test]
fn a_lamp_is_the_exchanges_word() {
    let lamps = "queue_lamp = \"*45101*{queue}\"\ndnd_lamp = \"*78101\"\nforward_lamp = \"*72101\"";
    let mut lab = Lab::new(&format!("{CODES}{lamps}"));
    assert_eq!(lab.codes.lamps(), ["*45101*400", "*45101*401", "*78101", "*72101"]);
    let dnd = lab.ask(Request::SetService(Service::DoNotDisturb { active: true }));
    assert_eq!(lab.takes(), "*78");
    assert_eq!(lab.done(dnd), Some(&Ok(Answer::Accepted)));
    let on = Input::Service(Service::DoNotDisturb { active: true });
    assert!(!lab.told.contains(&on), "the lamp is still dark");
    lab.codes.lamp("*78101", true);
    lab.drain();
    assert!(lab.told.contains(&on));
    // Somebody signs him in at another telephone.
    lab.codes.lamp("*45101*400", true);
    lab.drain();
    assert_eq!(lab.shown(), Some((AgentState::Available, None)));
    lab.codes.lamp("*45101*400", false);
    lab.codes.lamp("*45101*401", false);
    lab.drain();
    assert_eq!(lab.shown(), Some((AgentState::SignedOut, None)));
    // It does not show where calls go to, which was asked for here.
    let forwarding = Forwarding { active: true, to: "0612345678".to_owned(), rings: None };
    let service = Service::Forwarding { kind: ServiceKind::ForwardAlways, forwarding };
    lab.ask(Request::SetService(service.clone()));
    lab.takes();
    assert!(!lab.told.contains(&Input::Service(service.clone())));
    lab.codes.lamp("*72101", true);
    lab.drain();
    assert!(lab.told.contains(&Input::Service(service)));
}

#[test]
fn a_code_that_turns_over_is_dialled_only_when_it_is_known_what_it_does() {
    let toggles = "queues = [\"400\"]\njoin = \"*45{queue}\"\nleave = \"*45{queue}\"\n\
        queue_lamp = \"*45101*{queue}\"";
    let mut lab = Lab::new(toggles);
    let join = |joined| Request::Join { agent: None, queue: QueueId("400".to_owned()), joined };
    let blind = lab.ask(join(true));
    assert!(matches!(lab.done(blind), Some(Err(Refusal::BadValue(_)))));
    lab.codes.lamp("*45101*400", false);
    lab.drain();
    lab.ask(join(true));
    assert_eq!(lab.takes(), "*45400");
    lab.codes.lamp("*45101*400", true);
    lab.drain();
    let again = lab.ask(join(true));
    assert!(matches!(lab.done(again), Some(Err(Refusal::BadValue(_)))));
}

#[test]
fn what_is_refused_or_not_answered_is_not_so() {
    let mut lab = Lab::new(CODES);
    let refused = lab.ask(Request::SetService(Service::DoNotDisturb { active: true }));
    lab.refuses(403);
    let words = Refusal::Exchange { code: 403, words: "no".to_owned() };
    assert_eq!(lab.done(refused), Some(&Err(words)));
    let unknown = lab.ask(Request::SetService(Service::DoNotDisturb { active: true }));
    lab.refuses(404);
    assert_eq!(lab.done(unknown), Some(&Err(Refusal::NotAllowed)));
    // The second waits for the first, which is never answered.
    let silent = lab.ask(Request::SetService(Service::DoNotDisturb { active: true }));
    let next = lab.state(AgentState::Unavailable, Some("1"));
    assert_eq!(lab.dialled.take().as_deref(), Some("*78"));
    lab.now = lab.codes.poll_timeout().unwrap();
    lab.codes.handle_timeout(lab.now);
    lab.drain();
    assert_eq!(lab.hung_up, [SessionId(3)]);
    assert_eq!(lab.done(silent), Some(&Err(Refusal::Unavailable)));
    assert_eq!(lab.takes(), "*471");
    assert_eq!(lab.done(next), Some(&Ok(Answer::Accepted)));
    assert!(!lab.told.iter().any(|told| matches!(told, Input::Service(_))));
}

#[test]
fn an_exchange_that_speaks_for_long_is_hung_up_on() {
    let mut lab = Lab::new(CODES);
    let done = lab.ask(Request::SetService(Service::DoNotDisturb { active: true }));
    lab.dialled.take();
    assert!(lab.codes.answered(lab.now, SessionId(1)));
    lab.drain();
    assert_eq!(lab.done(done), Some(&Ok(Answer::Accepted)));
    lab.state(AgentState::Unavailable, Some("1"));
    assert_eq!(lab.dialled, None, "it still speaks");
    lab.now = lab.codes.poll_timeout().unwrap();
    lab.codes.handle_timeout(lab.now);
    lab.drain();
    assert_eq!(lab.hung_up, [SessionId(1)]);
    assert_eq!(lab.takes(), "*471");
    assert!(!lab.codes.answered(lab.now, SessionId(9)), "somebody else's call");
}

#[test]
fn without_a_registration_nothing_is_dialled() {
    let mut lab = Lab::new(CODES);
    let waits = lab.ask(Request::SetService(Service::DoNotDisturb { active: true }));
    lab.codes.registered(false);
    lab.drain();
    assert_eq!(lab.done(waits), Some(&Err(Refusal::Unavailable)));
    assert_eq!(
        lab.told.last(),
        Some(&Input::Done { request: waits, result: Err(Refusal::Unavailable) })
    );
    lab.dialled.take();
    let refused = lab.state(AgentState::SignedOut, None);
    assert_eq!(lab.done(refused), Some(&Err(Refusal::Unavailable)));
    assert!(lab.told.contains(&Input::Link(LinkState::Lost)));
}
