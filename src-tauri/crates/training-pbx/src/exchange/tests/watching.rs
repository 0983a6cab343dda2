//! Who watches lines, lists and mailboxes sees what happens, and only what is his to see.

use event_packages::{
    Basic, ContactEvent, DialogInfo, DialogState, EventList, InstanceState, MessageSummary,
    Presence, RegistrationInfo, RegistrationPhase,
};
use sip_core::digest::DigestClient;

use super::*;
use crate::desk::LineState;
use crate::knob::{DropReason, Knob, RemovalEvent};
use crate::notifier::NotifyLoss;

/// A watcher: one subscription, by hand.
pub(super) struct Watcher {
    pub(super) address: SocketAddr,
    digest: DigestClient,
    random: Random,
    user: String,
    call_id: String,
    to: String,
    cseq: u32,
    responses: Vec<Response>,
    pub(super) notifies: Vec<Request>,
    /// What NOTIFYs are answered with; not at all if `None`.
    answer: Option<StatusCode>,
    /// What the next SUBSCRIBE carries.
    pub(super) body: Option<(String, Vec<u8>)>,
}

impl Watcher {
    /// Takes a message; yields the answer.
    pub(super) fn take(&mut self, message: Message) -> Option<Message> {
        match message {
            Message::Response(response) => {
                self.responses.push(response);
                None
            }
            Message::Request(notify) => {
                let answer = self.answer.map(|status| Response::to_request(&notify, status));
                self.notifies.push(notify);
                answer.map(Message::Response)
            }
        }
    }

    fn last(&self) -> &Request {
        self.notifies.last().unwrap()
    }

    fn state(&self) -> String {
        self.last().headers.get(&HeaderName::SubscriptionState).unwrap().into_owned()
    }

    fn line(&self) -> DialogInfo {
        DialogInfo::read(&self.last().body).unwrap()
    }

    fn states(&self) -> Vec<DialogState> {
        self.line().dialogs.into_iter().map(|dialog| dialog.state).collect()
    }

    fn list(&self) -> EventList<'_> {
        let kind = self.last().headers.get(&HeaderName::ContentType).unwrap().into_owned();
        EventList::read(&kind, &self.last().body).unwrap()
    }

    fn version(&self) -> u32 {
        self.line().version
    }
}

impl World {
    pub(super) fn watcher(&mut self, user: &str) -> usize {
        let index = self.watchers.len();
        let port = 9_000 + u16::try_from(index).unwrap();
        let credentials = Credentials { username: user.into(), password: "geheim".into() };
        self.watchers.push(Watcher {
            address: SocketAddr::new(PBX.ip(), port),
            digest: DigestClient::new(credentials),
            random: Random::from_seed([u8::try_from(index).unwrap() + 100; 32]),
            user: user.to_owned(),
            call_id: format!("watch-{index}"),
            to: String::new(),
            cseq: 0,
            responses: Vec::new(),
            notifies: Vec::new(),
            answer: Some(StatusCode::OK),
            body: None,
        });
        index
    }

    /// Subscribes, or refreshes when that has been done before; the final status.
    pub(super) fn subscribe(
        &mut self,
        watcher: usize,
        target: &str,
        event: &str,
        expires: u32,
    ) -> u16 {
        self.subscribe_with(watcher, target, event, expires, &[])
    }

    fn subscribe_with(
        &mut self,
        watcher: usize,
        target: &str,
        event: &str,
        expires: u32,
        headers: &[(HeaderName, &str)],
    ) -> u16 {
        let w = &mut self.watchers[watcher];
        let uri = Uri::parse(&format!("sip:{target}@{PBX}")).unwrap();
        if w.to.is_empty() {
            w.to = format!("<{uri}>");
        }
        let mut request = Request::new(Method::Subscribe, uri)
            .header(HeaderName::MaxForwards, "70")
            .header(HeaderName::From, format!("<sip:{}@{PBX}>;tag=w{watcher}", w.user))
            .header(HeaderName::To, w.to.clone())
            .header(HeaderName::CallId, w.call_id.clone())
            .header(HeaderName::Contact, format!("<sip:{}@{}>", w.user, w.address))
            .header(HeaderName::Event, event.to_owned())
            .header(HeaderName::Expires, expires.to_string());
        for (name, value) in headers {
            request.headers.push(name.clone(), *value);
        }
        if let Some((kind, body)) = w.body.take() {
            request.set_body(&kind, body);
        }
        w.digest.authorize(&mut request, &mut w.random);
        for _ in 0..3 {
            self.send_subscribe(watcher, &mut request);
            let w = &mut self.watchers[watcher];
            let response = w.responses.last().unwrap().clone();
            if response.status != StatusCode::UNAUTHORIZED {
                if response.status.is_success() {
                    w.to = response.headers.get(&HeaderName::To).unwrap().into_owned();
                }
                return response.status.code();
            }
            let cseq = format!("{} SUBSCRIBE", w.cseq + 1);
            request.headers.set(HeaderName::CSeq, cseq);
            w.digest.answer(&mut request, &response, &mut w.random).unwrap();
        }
        panic!("challenged for ever");
    }

    fn send_subscribe(&mut self, watcher: usize, request: &mut Request) {
        let w = &mut self.watchers[watcher];
        w.cseq += 1;
        request.headers.set(HeaderName::CSeq, format!("{} SUBSCRIBE", w.cseq));
        let branch = w.random.branch();
        request
            .headers
            .set(HeaderName::Via, format!("SIP/2.0/UDP {};branch={branch};rport", w.address));
        let source = Source { transport: Transport::Udp, local: PBX, remote: w.address };
        let message = Message::Request(request.clone());
        self.exchange.handle_input(self.now, Input::Received { source, message });
        self.settle();
    }

    pub(super) fn turn(&mut self, knob: Knob) -> usize {
        let touched = self.exchange.turn(self.now, knob).unwrap();
        self.settle();
        touched
    }
}

const EVENTLIST: [(HeaderName, &str); 1] = [(HeaderName::Supported, "eventlist")];

#[test]
fn a_watched_line_rings_talks_is_held_and_is_free_again() {
    let mut world = World::new();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    let w = world.watcher("103");
    assert_eq!(world.subscribe(w, "102", "dialog", 600), 200);
    assert_eq!(world.watchers[w].state(), "active;expires=600");
    assert_eq!((world.watchers[w].states(), world.watchers[w].version()), (vec![], 0));

    let call = world.dial(desk, "102");
    let incoming = world.incoming(joris).unwrap().session;
    world.phones[joris].ua.ring(world.now, incoming).unwrap();
    world.settle();
    assert_eq!(world.watchers[w].states(), [DialogState::Early]);
    let dialog = world.watchers[w].line().dialogs.remove(0);
    let name = world.phones[joris].ua.dialog_name(incoming).unwrap();
    assert_eq!(dialog.name.unwrap().call_id, name.call_id);
    assert_eq!(dialog.direction, Some(event_packages::Direction::Incoming));
    assert_eq!(dialog.remote.unwrap().display.as_deref(), Some("Maud Vermeulen"));

    let session = world.lift(joris);
    assert_eq!(world.watchers[w].states(), [DialogState::Confirmed]);
    let hold = OFFER.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n");
    world.phones[joris].ua.reoffer(world.now, session, Body::sdp(hold)).unwrap();
    world.settle();
    let local = world.watchers[w].line().dialogs.remove(0).local.unwrap();
    assert_eq!(local.rendering(), Some(false));
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    world.settle();
    assert_eq!(world.watchers[w].states(), []);
    let versions: Vec<u32> = world.watchers[w]
        .notifies
        .iter()
        .map(|n| DialogInfo::read(&n.body).unwrap().version)
        .collect();
    assert!(versions.is_sorted() && versions.windows(2).all(|pair| pair[0] + 1 == pair[1]));
    world.watchers.clear();
}

#[test]
fn a_list_is_told_in_full_and_then_by_what_changes() {
    let mut world = World::new();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    let w = world.watcher("101");
    assert_eq!(world.subscribe(w, "blf-101", "dialog", 600), 421);
    assert_eq!(world.subscribe_with(w, "blf-102", "dialog", 600, &EVENTLIST), 403);
    assert_eq!(world.subscribe_with(w, "blf-101", "dialog", 600, &EVENTLIST), 200);
    let require = world.watchers[w].last().headers.require();
    assert_eq!(require, ["eventlist"]);
    let list = world.watchers[w].list().list;
    assert!(list.full && list.version == 0 && !world.watchers[w].list().has_dangling());
    assert_eq!(list.resources.len(), 45);
    assert!(list.resources.iter().all(|resource| !resource.uri.contains(":101@")));
    let of = |world: &World, line: &str| {
        let list = world.watchers[w].list().list;
        list.resources.into_iter().find(|r| r.uri.contains(&format!(":{line}@"))).unwrap()
    };
    assert_eq!(of(&world, "103").instances[0].state, InstanceState::Terminated);
    assert_eq!(of(&world, "102").instances[0].state, InstanceState::Active);

    let before = world.watchers[w].notifies.len();
    world.dial(desk, "102");
    let list = world.watchers[w].list();
    assert!(!list.list.full && !list.has_dangling());
    assert_eq!(list.list.resources.len(), 1);
    let (_, body) = list.state(&list.list.resources[0].instances[0]).unwrap();
    let info = DialogInfo::read(body).unwrap();
    assert_eq!(info.dialogs[0].state, DialogState::Early);
    assert_eq!(world.watchers[w].notifies.len(), before + 1);
    // A second call of the same line is a second instance.
    let samira = world.automatic("103");
    world.lift(joris);
    world.dial(samira, "102");
    assert_eq!(of(&world, "102").instances.len(), 2);
    let account = world.phones[samira].account;
    world.phones[samira].ua.unregister(world.now, account).unwrap();
    world.settle();
    assert_eq!(world.subscribe_with(w, "blf-101", "dialog", 600, &EVENTLIST), 200);
    assert!(world.watchers[w].list().list.full);
}

#[test]
fn a_message_lights_the_lamp_and_listening_puts_it_out() {
    let mut world = World::new();
    let desk = world.automatic("101");
    let w = world.watcher("101");
    assert_eq!(world.subscribe(w, "102", "message-summary", 600), 403);
    assert_eq!(world.subscribe(w, "101", "message-summary", 600), 200);
    let summary = |world: &World| MessageSummary::read(&world.watchers[w].last().body).unwrap();
    assert!(!summary(&world).waiting);
    world.turn(Knob::Deposit { line: "101".into() });
    assert!(summary(&world).waiting && summary(&world).voice().new == 1);
    world.dial(desk, "606");
    assert!(!summary(&world).waiting);
    assert_eq!((summary(&world).voice().new, summary(&world).voice().old), (0, 1));
}

#[test]
fn presence_tells_who_is_there_and_on_the_phone() {
    let mut world = World::new();
    let w = world.watcher("101");
    assert_eq!(world.subscribe(w, "201", "presence", 600), 200);
    let presence = |world: &World| Presence::read(&world.watchers[w].last().body).unwrap();
    assert_eq!(
        (presence(&world).basic(), presence(&world).activities),
        (Some(Basic::Open), vec![])
    );
    world.turn(Knob::Line { line: "201".into(), state: Some(LineState::Busy) });
    assert_eq!(presence(&world).activities, ["on-the-phone"]);
    world.turn(Knob::Line { line: "201".into(), state: Some(LineState::Unreachable) });
    assert_eq!(presence(&world).basic(), Some(Basic::Closed));
    // An exchange may have less to offer.
    world.turn(Knob::Packages { packages: vec!["presence".into()] });
    let w = world.watcher("101");
    assert_eq!(world.subscribe(w, "201", "dialog", 600), 489);
    let unknown = Knob::Packages { packages: vec!["weather".into()] };
    assert!(world.exchange.turn(world.now, unknown).is_err());
}

#[test]
fn a_user_sees_his_phones_come_and_go() {
    use RegistrationPhase::{Active, Terminated};
    let mut world = World::new();
    let w = world.watcher("101");
    assert_eq!(world.subscribe(w, "101", "reg", 600), 200);
    let told = |world: &World| {
        let info = RegistrationInfo::read(&world.watchers[w].last().body).unwrap();
        let contacts = info.registrations.into_iter().flat_map(|record| record.contacts);
        contacts.map(|contact| (contact.phase, contact.event)).collect::<Vec<_>>()
    };
    assert_eq!(told(&world), []);
    world.automatic("101");
    assert_eq!(told(&world), [(Active, ContactEvent::Registered)]);
    let event = RemovalEvent::Rejected;
    assert_eq!(world.turn(Knob::RemoveRegistration { user: "101".into(), event }), 1);
    assert_eq!(told(&world), [(Terminated, ContactEvent::Rejected)]);
}

#[test]
fn subscriptions_are_refreshed_run_out_and_are_fetched() {
    let mut world = World::new();
    let w = world.watcher("101");
    assert_eq!(world.subscribe(w, "201", "dialog", 30), 423);
    assert_eq!(world.subscribe(w, "201", "dialog", 100_000), 200);
    assert_eq!(world.watchers[w].state(), "active;expires=3600");
    assert_eq!(world.subscribe(w, "201", "dialog", 60), 200);
    world.pass(Duration::from_secs(61));
    assert_eq!(world.watchers[w].state(), "terminated;reason=timeout");
    assert_eq!(world.exchange.status().subscriptions, 0);
    assert_eq!(world.subscribe(w, "201", "dialog", 60), 481);
    let fetch = world.watcher("101");
    assert_eq!(world.subscribe(fetch, "201", "dialog", 0), 200);
    assert_eq!(world.watchers[fetch].state(), "terminated;reason=timeout");
    assert_eq!(world.exchange.status().subscriptions, 0);
}

#[test]
fn what_does_not_exist_or_is_not_understood_is_refused() {
    let mut world = World::new();
    for (target, event, headers, status) in [
        ("999", "dialog", vec![], 404),
        ("201", "conference", vec![], 489),
        ("999", "presence", vec![], 404),
        ("102", "reg", vec![], 403),
        ("201", "", vec![], 489),
        ("201", "dialog", vec![(HeaderName::Accept, "text/plain")], 406),
        ("600", "message-summary", vec![], 404),
    ] {
        let w = world.watcher("101");
        assert_eq!(
            world.subscribe_with(w, target, event, 600, &headers),
            status,
            "{target} {event}"
        );
        assert!(world.watchers[w].notifies.is_empty());
    }
    assert_eq!(world.exchange.status().subscriptions, 0);
}

#[test]
fn a_watcher_who_knows_nothing_of_it_or_is_gone_is_forgotten() {
    let mut world = World::new();
    let strange = world.watcher("101");
    world.watchers[strange].answer = Some(StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST);
    world.subscribe(strange, "201", "dialog", 600);
    let gone = world.watcher("101");
    world.watchers[gone].answer = None;
    world.subscribe(gone, "201", "dialog", 600);
    let disordered = world.watcher("101");
    world.watchers[disordered].answer = Some(StatusCode::SERVER_INTERNAL_ERROR);
    world.subscribe(disordered, "201", "dialog", 600);
    world.pass(Duration::from_secs(40));
    assert_eq!(world.exchange.status().subscriptions, 1);
}

#[test]
fn subscriptions_are_dropped_with_a_reason_and_without_a_word() {
    let mut world = World::new();
    let w = world.watcher("101");
    world.subscribe(w, "201", "dialog", 600);
    let drop = |reason| Knob::DropSubscriptions { user: Some("101".into()), reason };
    assert_eq!(world.turn(drop(Some(DropReason::Probation))), 1);
    assert_eq!(world.watchers[w].state(), "terminated;reason=probation;retry-after=5");
    let w = world.watcher("101");
    world.subscribe(w, "201", "dialog", 600);
    assert_eq!(world.turn(drop(None)), 1);
    assert_eq!(world.watchers[w].notifies.len(), 1);
    assert_eq!(world.subscribe(w, "201", "dialog", 600), 481);
}

#[test]
fn lost_reordered_and_late_notifications_are_seen_by_their_versions() {
    let mut world = World::new();
    let w = world.watcher("101");
    world.subscribe(w, "201", "dialog", 3600);
    world.turn(Knob::NotifyLoss(NotifyLoss { lost: 30, reordered: 30 }));
    for round in 0..200 {
        let state = if round % 2 == 0 { Some(LineState::Busy) } else { Some(LineState::Idle) };
        world.turn(Knob::Line { line: "201".into(), state });
        world.pass(Duration::from_millis(300));
    }
    let versions: Vec<u32> = world.watchers[w]
        .notifies
        .iter()
        .map(|n| DialogInfo::read(&n.body).unwrap().version)
        .collect();
    assert!((100..=180).contains(&versions.len()), "{}", versions.len());
    assert!(!versions.is_sorted(), "nothing was reordered");
    world.turn(Knob::NotifyLoss(NotifyLoss::default()));
    world.turn(Knob::NotifyDelay { ms: 2_000 });
    world.pass(Duration::from_secs(5));
    let before = world.watchers[w].notifies.len();
    world.turn(Knob::Line { line: "201".into(), state: Some(LineState::Held) });
    world.pass(Duration::from_millis(1_900));
    assert_eq!(world.watchers[w].notifies.len(), before);
    world.pass(Duration::from_millis(200));
    assert_eq!(world.watchers[w].states(), [DialogState::Confirmed]);
}

#[test]
fn life_and_transfers_move_the_lamps() {
    let mut world = World::new();
    let [desk, joris] = ["101", "102"].map(|user| world.automatic(user));
    let w = world.watcher("103");
    world.subscribe_with(w, "blf-103", "dialog", 3600, &EVENTLIST);
    world.turn(Knob::Life(Pace { per_minute: 30.0, talk_s: 20 }));
    world.pass(Duration::from_secs(60));
    assert!(world.watchers[w].notifies.len() > 30, "{}", world.watchers[w].notifies.len());
    world.turn(Knob::Life(Pace::default()));
    world.pass(Duration::from_secs(60));
    let own = world.watcher("103");
    world.subscribe(own, "201", "dialog", 3600);
    let call = world.dial(desk, "102");
    let session = world.lift(joris);
    world.refer(joris, session, &format!("<sip:201@{PBX}>"));
    world.pass(Duration::from_secs(5));
    assert_eq!(world.watchers[own].states(), [DialogState::Confirmed]);
    world.phones[desk].ua.hangup(world.now, call).unwrap();
    world.settle();
    assert_eq!(world.watchers[own].states(), []);
}

#[test]
fn a_restart_forgets_who_watched() {
    let mut world = World::new();
    let w = world.watcher("101");
    world.subscribe(w, "201", "dialog", 600);
    world.exchange.restart(world.now);
    assert_eq!(world.exchange.status().subscriptions, 0);
    assert_eq!(world.subscribe(w, "201", "dialog", 600), 481);
}
