//! Features over SIP: what is told counts, what is wished is sent, what is refused is named.

use event_packages::write_features;

use super::*;

struct Lab {
    events: ByEvent,
    requests: u64,
    told: Vec<Input>,
    sent: Vec<FeatureDocument>,
    subscribed: u32,
    refreshed: u32,
}

impl Lab {
    fn new() -> Lab {
        let text = "[[account]]\naor = \"sip:101@pbx.example\"\n[account.codes]\nreasons = [\"7\"]";
        let settings = crate::config::Config::parse(text).unwrap().accounts.remove(0);
        let events = ByEvent::new(&settings);
        let (requests, subscribed, refreshed) = (0, 0, 0);
        let (told, sent) = (Vec::new(), Vec::new());
        let mut lab = Lab { events, requests, told, sent, subscribed, refreshed };
        lab.events.begin();
        lab.drain();
        lab
    }

    /// One whose exchange has told all of this.
    fn live(documents: &[FeatureDocument]) -> Lab {
        let mut lab = Lab::new();
        lab.notify(documents);
        lab
    }

    fn drain(&mut self) {
        while let Some(out) = self.events.poll_output() {
            match out {
                Out::Subscribe => self.subscribed += 1,
                Out::Refresh => self.refreshed += 1,
                Out::Send(document) => self.sent.push(document),
                Out::Tell(input) => self.told.push(*input),
            }
        }
    }

    fn notify(&mut self, documents: &[FeatureDocument]) {
        let (kind, body) = write_features(documents, "part");
        self.events.notified(&kind, &body);
        self.drain();
    }

    fn ask(&mut self, request: Request) -> RequestId {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.events.request(id, request);
        self.drain();
        id
    }

    fn answer(&mut self, status: Option<u16>) {
        self.events.answered(status.and_then(StatusCode::new));
        self.drain();
    }

    fn ends(&mut self, cause: SubscriptionCause) {
        self.events.subscription(&SubscriptionState::Ended { cause });
        self.drain();
    }

    fn done(&self, id: RequestId) -> Option<&Result<Answer, Refusal>> {
        self.told.iter().find_map(|told| match told {
            Input::Done { request, result } if *request == id => Some(result),
            _ => None,
        })
    }

    fn link(&self) -> Option<LinkState> {
        self.told.iter().rev().find_map(|told| match told {
            Input::Link(state) => Some(*state),
            _ => None,
        })
    }
}

fn forwarding(kind: ForwardKind, to: Option<&str>, rings: Option<u32>) -> FeatureDocument {
    let (active, to) = (to.is_some(), to.map(str::to_owned));
    FeatureDocument::Forwarding { kind, active, to, rings }
}

fn agent(state: Word, reason: Option<&str>) -> FeatureDocument {
    let (reason, agent) = (reason.map(str::to_owned), Some("someone".to_owned()));
    FeatureDocument::Agent { state, reason, agent }
}

fn do_not_disturb(active: bool) -> Request {
    Request::SetService(Service::DoNotDisturb { active })
}

#[test]
fn what_is_told_is_what_the_exchange_has() {
    let mut lab = Lab::new();
    assert_eq!((lab.subscribed, lab.link()), (1, None));
    assert!(lab.events.present().is_empty());
    lab.notify(&[
        FeatureDocument::DoNotDisturb(true),
        forwarding(ForwardKind::NoAnswer, Some("tel:+31201234567"), Some(4)),
    ]);
    assert_eq!(lab.link(), Some(LinkState::Live));
    let services = [ServiceKind::DoNotDisturb, ServiceKind::ForwardNoAnswer];
    assert_eq!(lab.events.present(), services.map(Capability::Service));
    let told = Forwarding { active: true, to: "+31201234567".to_owned(), rings: Some(4) };
    let kind = ServiceKind::ForwardNoAnswer;
    assert!(lab.told.contains(&Input::Service(Service::Forwarding { kind, forwarding: told })));
    // An agent is told of later, and has been made one by it.
    lab.notify(&[agent(Word::NotReady, Some("7"))]);
    assert_eq!(lab.events.present().last(), Some(&Capability::Agent));
    let me = UserId("sip:101@pbx.example".to_owned());
    let status = AgentStatus {
        state: AgentState::Unavailable,
        code: Some("7".to_owned()),
        ..AgentStatus::default()
    };
    assert_eq!(lab.told.last(), Some(&Input::AgentStatus { agent: me, status }));
    // A reason belongs to nothing else.
    lab.notify(&[agent(Word::Ready, Some("7"))]);
    assert!(matches!(
        lab.told.last(),
        Some(Input::AgentStatus { status: AgentStatus { code: None, .. }, .. })
    ));
}

#[test]
fn a_wish_is_sent_and_answered_in_its_turn() {
    let mut lab = Lab::live(&[
        FeatureDocument::DoNotDisturb(false),
        forwarding(ForwardKind::Always, None, None),
        agent(Word::LoggedOff, None),
    ]);
    let first = lab.ask(do_not_disturb(true));
    let to = Forwarding { active: true, to: "0612345678".to_owned(), rings: None };
    let kind = ServiceKind::ForwardAlways;
    let second = lab.ask(Request::SetService(Service::Forwarding { kind, forwarding: to }));
    let third = lab.ask(Request::SetAgentState {
        agent: None,
        state: AgentState::Unavailable,
        code: Some("7".to_owned()),
        validate: true,
    });
    let sent = [
        FeatureDocument::SetDoNotDisturb(true),
        FeatureDocument::SetForwarding {
            kind: ForwardKind::Always,
            active: true,
            to: Some("0612345678".to_owned()),
            rings: None,
        },
        FeatureDocument::SetAgentState { state: Word::NotReady, reason: Some("7".to_owned()) },
    ];
    assert_eq!(lab.sent, sent);
    assert_eq!(lab.done(first), None, "it was not answered yet");
    lab.answer(Some(200));
    lab.answer(Some(403));
    lab.answer(None);
    assert_eq!(lab.done(first), Some(&Ok(Answer::Accepted)));
    let refused = Refusal::Exchange { code: 403, words: String::new() };
    assert_eq!(lab.done(second), Some(&Err(refused)));
    assert_eq!(lab.done(third), Some(&Err(Refusal::Unavailable)));
    let read = lab.ask(Request::ReadService(kind));
    assert_eq!((lab.done(read), lab.refreshed), (Some(&Ok(Answer::Accepted)), 1));
}

#[test]
fn what_it_does_not_have_is_not_allowed() {
    let mut lab = Lab::live(&[FeatureDocument::DoNotDisturb(false)]);
    let kind = ServiceKind::ForwardBusy;
    let forwarding = Forwarding::default();
    let queue = pbx::centre::QueueId("400".to_owned());
    for request in [
        Request::SetService(Service::Forwarding { kind, forwarding }),
        Request::ReadService(ServiceKind::VoiceMail),
        Request::SetAgentState {
            agent: None,
            state: AgentState::Available,
            code: None,
            validate: false,
        },
        Request::Join { agent: None, queue, joined: true },
    ] {
        let id = lab.ask(request.clone());
        assert_eq!(lab.done(id), Some(&Err(Refusal::NotAllowed)), "{request:?}");
    }
    assert!(lab.sent.is_empty());
    // Too many at one time are not kept.
    let asked: Vec<RequestId> = (0..=MOST_ASKED).map(|_| lab.ask(do_not_disturb(true))).collect();
    assert_eq!(lab.sent.len(), MOST_ASKED);
    assert_eq!(asked.last().and_then(|id| lab.done(*id)), Some(&Err(Refusal::Unavailable)));
}

#[test]
fn a_refusal_is_told_in_words_and_tried_again_with_the_next_registration() {
    for (status, link) in [(489, LinkState::Live), (403, LinkState::Lost)] {
        let mut lab = Lab::new();
        let (status, reason) = (StatusCode::new(status).unwrap(), "Never".to_owned());
        lab.ends(SubscriptionCause::Refused { status, reason });
        assert_eq!(lab.link(), Some(link));
        let why = format!("as-feature-event ({} Never)", status.code());
        let missing = lab.told.iter().find_map(|told| match told {
            Input::Capabilities { present, missing } if present.is_empty() => Some(missing),
            _ => None,
        });
        let expected = SERVICES.map(|kind| (Capability::Service(kind), why.clone()));
        assert_eq!(missing.map(Vec::as_slice), Some(expected.as_slice()));
        let id = lab.ask(do_not_disturb(true));
        assert_eq!(lab.done(id), Some(&Err(Refusal::Unavailable)));
        lab.events.begin();
        lab.drain();
        assert_eq!(lab.subscribed, 2);
        lab.notify(&[FeatureDocument::DoNotDisturb(false)]);
        assert!(lab.events.missing().is_empty());
    }
}

#[test]
fn what_is_lost_is_shown_as_lost_until_it_is_told_again() {
    let mut lab = Lab::live(&[FeatureDocument::DoNotDisturb(false)]);
    let waits = lab.ask(do_not_disturb(true));
    lab.events.unregistered();
    lab.drain();
    assert_eq!(lab.link(), Some(LinkState::Lost));
    assert_eq!(lab.done(waits), Some(&Err(Refusal::Unavailable)));
    lab.events.begin();
    lab.drain();
    assert_eq!((lab.subscribed, lab.refreshed), (1, 1), "the subscription may stand");
    // A NOTIFY without a body tells that nothing has changed.
    lab.events.notified("", b"");
    lab.drain();
    assert_eq!(lab.link(), Some(LinkState::Live));
    lab.ends(SubscriptionCause::Expired);
    assert_eq!(lab.link(), Some(LinkState::Lost));
    lab.events.begin();
    lab.drain();
    assert_eq!(lab.subscribed, 2);
}

#[test]
fn what_cannot_be_read_changes_nothing() {
    let mut lab = Lab::live(&[FeatureDocument::DoNotDisturb(true)]);
    let before = lab.told.len();
    for body in [
        "<DoNotDisturbEvent",
        "<SetDoNotDisturb><doNotDisturbOn>false</doNotDisturbOn></SetDoNotDisturb>",
    ] {
        lab.events.notified(DOCUMENT, body.as_bytes());
        lab.drain();
    }
    lab.events.notified("text/html", b"<p>");
    lab.drain();
    assert_eq!(lab.told.len(), before);
    let long = "9".repeat(500);
    lab.notify(&[forwarding(ForwardKind::Always, Some(&long), None)]);
    let kept = lab.told.iter().rev().find_map(|told| match told {
        Input::Service(Service::Forwarding { forwarding, .. }) => Some(forwarding.to.len()),
        _ => None,
    });
    assert_eq!(kept, Some(NUMBER));
}
