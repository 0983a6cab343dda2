//! Telephone and exchange keep the same features, whoever sets them.

use event_packages::{
    AgentState as Word, FeatureDocument, ForwardKind, read_features, write_features,
};

use super::*;
use crate::acd::{AgentState, Request as Ask};
use crate::knob::Knob;

const PACKAGE: &str = "as-feature-event";

impl World {
    /// The documents of the last NOTIFY.
    fn told(&self, watcher: usize) -> Vec<FeatureDocument> {
        let notify = self.watchers[watcher].notifies.last().unwrap();
        let kind = notify.headers.get(&HeaderName::ContentType).unwrap().into_owned();
        read_features(&kind, &notify.body).unwrap()
    }

    fn wish(&mut self, watcher: usize, line: &str, documents: &[FeatureDocument]) -> u16 {
        self.watchers[watcher].body = Some(write_features(documents, "wishes"));
        self.subscribe(watcher, line, PACKAGE, 600)
    }

    fn agent_state(&self, agent: &str) -> AgentState {
        self.exchange.acd.agent(&agent.into()).unwrap().status.state
    }
}

fn agent(state: Word, reason: Option<&str>) -> FeatureDocument {
    let (reason, agent) = (reason.map(str::to_owned), Some("104".to_owned()));
    FeatureDocument::Agent { state, reason, agent }
}

#[test]
fn who_subscribes_is_told_all_features_in_several_documents() {
    let mut world = World::new();
    let w = world.watcher("104");
    assert_eq!(world.subscribe(w, "104", PACKAGE, 600), 200);
    let forwarding =
        |kind| FeatureDocument::Forwarding { kind, active: false, to: None, rings: None };
    assert_eq!(
        world.told(w),
        [
            FeatureDocument::DoNotDisturb(false),
            forwarding(ForwardKind::Always),
            forwarding(ForwardKind::Busy),
            forwarding(ForwardKind::NoAnswer),
            agent(Word::Ready, None),
        ]
    );
    let notify = world.watchers[w].notifies.last().unwrap();
    let kind = notify.headers.get(&HeaderName::ContentType).unwrap().into_owned();
    assert!(kind.starts_with("multipart/mixed"), "{kind}");
    // Somebody who is no agent has no agent's state.
    let other = world.watcher("102");
    assert_eq!(world.subscribe(other, "102", PACKAGE, 600), 200);
    assert_eq!(world.told(other).len(), 4);
    let thief = world.watcher("103");
    assert_eq!(world.subscribe(thief, "104", PACKAGE, 600), 403);
}

#[test]
fn a_telephone_sets_features_and_is_told_what_came_of_it() {
    let mut world = World::new();
    let w = world.watcher("104");
    world.subscribe(w, "104", PACKAGE, 600);
    assert_eq!(world.wish(w, "104", &[FeatureDocument::SetDoNotDisturb(true)]), 200);
    // Do-not-disturb makes the agent unavailable as well.
    let code = Some("NIETST");
    assert_eq!(world.told(w), [FeatureDocument::DoNotDisturb(true), agent(Word::NotReady, code)]);
    assert!(world.exchange.desk.do_not_disturb("104"));
    let forward = FeatureDocument::SetForwarding {
        kind: ForwardKind::NoAnswer,
        active: true,
        to: Some("tel:+31 20 555 0123".into()),
        rings: Some(4),
    };
    let state =
        FeatureDocument::SetAgentState { state: Word::NotReady, reason: Some("LUNCH".into()) };
    assert_eq!(world.wish(w, "104", &[forward, state]), 200);
    let to = Some("+31205550123".to_owned());
    let kind = ForwardKind::NoAnswer;
    assert_eq!(
        world.told(w),
        [
            FeatureDocument::Forwarding { kind, active: true, to, rings: Some(4) },
            agent(Word::NotReady, Some("LUNCH")),
        ]
    );
    assert_eq!(world.agent_state("104"), AgentState::Unavailable);
    let state = FeatureDocument::SetAgentState { state: Word::LoggedOff, reason: None };
    world.wish(w, "104", &[state]);
    assert_eq!(
        (world.told(w), world.agent_state("104")),
        (vec![agent(Word::LoggedOff, None)], AgentState::SignOut)
    );
}

#[test]
fn what_is_set_elsewhere_is_told_to_the_telephone() {
    let mut world = World::new();
    let desk = world.automatic("104");
    let w = world.watcher("104");
    world.subscribe(w, "104", PACKAGE, 600);
    let set = Ask::SetState {
        agent: "104".into(),
        state: AgentState::WrapUp,
        code: None,
        validate: false,
    };
    world.exchange.ask_centre(world.now, set).unwrap();
    world.settle();
    assert_eq!(world.told(w), [agent(Word::WrapUp, None)]);
    world.turn(Knob::Forward { line: "104".into(), to: Some("101".into()) });
    let kind = ForwardKind::Always;
    let to = Some("101".to_owned());
    assert_eq!(
        world.told(w),
        [FeatureDocument::Forwarding { kind, active: true, to, rings: None }]
    );
    world.dial(desk, "*78");
    assert!(world.told(w).contains(&FeatureDocument::DoNotDisturb(true)));
    let before = world.watchers[w].notifies.len();
    world.pass(Duration::from_secs(30));
    assert_eq!(world.watchers[w].notifies.len(), before, "nothing has changed");
}

#[test]
fn wishes_that_cannot_be_granted_change_nothing() {
    let mut world = World::new();
    let w = world.watcher("104");
    world.subscribe(w, "104", PACKAGE, 600);
    let bad = FeatureDocument::SetForwarding {
        kind: ForwardKind::Always,
        active: true,
        to: Some("sip:<x>".into()),
        rings: None,
    };
    let unknown =
        FeatureDocument::SetAgentState { state: Word::NotReady, reason: Some("NONE".into()) };
    assert_eq!(world.wish(w, "104", &[bad, unknown]), 200);
    // All is told, as nothing has changed.
    assert_eq!((world.told(w).len(), world.agent_state("104")), (5, AgentState::Available));
    world.watchers[w].body = Some(("application/x-as-feature-event+xml".into(), b"<Set".to_vec()));
    assert_eq!(world.subscribe(w, "104", PACKAGE, 600), 400);
    world.watchers[w].body = Some(("text/plain".into(), b"hello".to_vec()));
    assert_eq!(world.subscribe(w, "104", PACKAGE, 600), 415);
    // Who has no subscription sets nothing.
    let thief = world.watcher("102");
    assert_eq!(world.wish(thief, "104", &[FeatureDocument::SetDoNotDisturb(true)]), 403);
    assert!(!world.exchange.desk.do_not_disturb("104"));
}

#[test]
fn a_telephone_is_told_who_is_parked_at_its_line() {
    let mut world = World::new();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    let w = world.watcher("102");
    assert_eq!(world.subscribe(w, "101", "call-info", 600), 403, "it is not his line");
    let w = world.watcher("101");
    assert_eq!(world.subscribe(w, "101", "call-info", 600), 200);
    let told = |world: &World| {
        event_packages::read_call_park(&world.watchers[w].notifies.last().unwrap().body).unwrap()
    };
    assert_eq!(told(&world), None);
    let call = world.dial(joris, "101");
    let own = world.lift(desk);
    world.refer(desk, own, &format!("<sip:*68@{PBX}>"));
    let parked = told(&world).unwrap();
    assert!(parked.uri.starts_with("sip:102@"), "{parked:?}");
    assert!(parked.display.is_some());
    world.phones[joris].ua.hangup(world.now, call).unwrap();
    world.settle();
    assert_eq!(told(&world), None);
}
