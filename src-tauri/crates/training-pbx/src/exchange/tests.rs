//! The exchange against real user agents as phones, in virtual time and without sockets.

mod elsewhere;
mod features;
mod hoteling;
mod queues;
mod rooms;
mod routing;
mod searching;
mod services;
mod transfers;
mod watching;

use std::net::{Ipv4Addr, SocketAddr};

use sip_core::digest::Credentials;
use sip_ua::{Body, EndCause, EndedBy, Incoming, OutgoingCall, RegistrationState};

use super::*;
use crate::endpoint::Step;
use crate::pbx::{CustomerCall, PbxError};

const PBX: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5060);
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 30000 RTP/AVP 9 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";
const ANSWER: &str = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 31000 RTP/AVP 9\r\n";

/// A phone on the desk.
struct Phone {
    ua: UserAgent,
    account: AccountId,
    address: SocketAddr,
    events: Vec<Event>,
    /// Answers what comes inside its calls by itself.
    automatic: bool,
}

impl Phone {
    /// Its own description, which no other phone has.
    fn description(&self) -> Body {
        Body::sdp(OFFER.replace("30000", &(self.address.port() + 23_000).to_string()))
    }

    fn react(&mut self, now: Instant, event: &Event) {
        match event {
            Event::InDialog { key, request, .. } | Event::OutOfDialog { key, request, .. } => {
                let response = Response::to_request(request, StatusCode::OK);
                self.ua.respond(now, key, response);
            }
            Event::Reoffered { session, .. } if self.automatic => {
                let own = self.description();
                self.ua.answer_reoffer(now, *session, Some(own)).unwrap();
            }
            _ => {}
        }
    }

    /// The statuses that NOTIFYs inside calls have told.
    fn reports(&self) -> Vec<u16> {
        let status = |event: &Event| match event {
            Event::InDialog { request, .. } if request.method == Method::Notify => {
                let line = String::from_utf8_lossy(&request.body).into_owned();
                line.split(' ').nth(1)?.parse().ok()
            }
            _ => None,
        };
        self.events.iter().filter_map(status).collect()
    }

    /// The RTP port of the description it was sent last.
    fn hears(&self) -> Option<u16> {
        let body = |event: &Event| match event {
            Event::Incoming(incoming) => incoming.body.clone(),
            Event::Answered { body, .. }
            | Event::Confirmed { body, .. }
            | Event::Reoffered { body, .. }
            | Event::ReofferAnswered { body, .. } => body.clone(),
            _ => None,
        };
        let body = self.events.iter().rev().find_map(body)?;
        let text = String::from_utf8_lossy(&body.bytes).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("m=audio "))?;
        line.split(' ').next()?.parse().ok()
    }
}

/// The exchange, the phones and the wires between them.
struct World {
    now: Instant,
    exchange: Exchange,
    phones: Vec<Phone>,
    watchers: Vec<watching::Watcher>,
    media: Vec<MediaCommand>,
    acd: Vec<AcdEvent>,
    ports: u16,
}

impl World {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        let now = Instant::now();
        let company = Company::demo();
        let secret =
            |a: &crate::company::Account| (a.extension.clone(), SecretString::from("geheim"));
        let settings = Settings {
            passwords: company.accounts.iter().map(secret).collect(),
            company,
            address: PBX.ip(),
            port: PBX.port(),
            ring_time: Duration::from_secs(30),
            pace: Pace::default(),
            // A Wednesday, at noon.
            calendar: Calendar { told_at: now, local_s: 6 * 86_400 + 12 * 3600 },
            records: true,
        };
        let exchange = Exchange::new(now, settings, Random::from_seed([1; 32]));
        Self {
            now,
            exchange,
            phones: Vec::new(),
            watchers: Vec::new(),
            media: Vec::new(),
            acd: Vec::new(),
            ports: 40_000,
        }
    }

    /// Adds a phone for `user`, registering with `password`, presenting itself as `aor`.
    fn phone_as(&mut self, user: &str, password: &str, aor: &str) -> usize {
        let index = self.phones.len();
        let seed = [u8::try_from(index).unwrap() + 10; 32];
        let pass_through = [Method::Notify].into();
        let config = Config { pass_through, ..Config::default() };
        let mut ua = UserAgent::new(config, Random::from_seed(seed));
        let uri = |text: &str| Uri::parse(text).unwrap();
        let account = AccountConfig {
            credentials: Some(Credentials { username: user.into(), password: password.into() }),
            accept_from: AcceptFrom::Any,
            ..AccountConfig::new(uri(&format!("sip:{aor}@{PBX}")), uri(&format!("sip:{PBX}")))
        };
        let account = ua.add_account(self.now, account);
        let port = 7000 + u16::try_from(index).unwrap();
        let address = SocketAddr::new(PBX.ip(), port);
        self.phones.push(Phone { ua, account, address, events: Vec::new(), automatic: false });
        self.settle();
        index
    }

    fn phone(&mut self, user: &str) -> usize {
        let phone = self.phone_as(user, "geheim", user);
        assert!(self.registered(phone), "{:?}", self.phones[phone].events);
        phone
    }

    fn registered(&self, phone: usize) -> bool {
        self.phones[phone].events.iter().any(|event| {
            matches!(event, Event::Registration { state: RegistrationState::Registered { .. }, .. })
        })
    }

    /// Carries everything back and forth until all is quiet.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            if !self.step() {
                return;
            }
        }
        panic!("never quiet");
    }

    fn step(&mut self) -> bool {
        let now = self.now;
        if let Some(output) = self.exchange.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    let source = Source {
                        transport: transmit.target.transport,
                        local: transmit.target.addr,
                        remote: PBX,
                    };
                    let message = Message::parse(&transmit.payload).unwrap();
                    let watches = |w: &&mut watching::Watcher| w.address == transmit.target.addr;
                    if let Some(watcher) = self.watchers.iter_mut().find(watches) {
                        let source = Source { local: PBX, remote: watcher.address, ..source };
                        if let Some(message) = watcher.take(message) {
                            self.exchange.handle_input(now, Input::Received { source, message });
                        }
                        return true;
                    }
                    let to = |phone: &&mut Phone| phone.address == transmit.target.addr;
                    if let Some(phone) = self.phones.iter_mut().find(to) {
                        phone.ua.handle_input(now, sip_ua::Input::Received { source, message });
                    }
                }
                Output::OpenEndpoint(endpoint, _) => {
                    self.ports += 2;
                    let port = Some(self.ports);
                    self.exchange.handle_input(now, Input::EndpointOpened { endpoint, port });
                }
                Output::Media(command) => self.media.push(command),
                Output::Acd(event) => self.acd.push(*event),
            }
            return true;
        }
        let Some((phone, output)) = self
            .phones
            .iter_mut()
            .find_map(|phone| Some((phone.ua.poll_output()?, phone)))
            .map(|(output, phone)| (phone, output))
        else {
            return false;
        };
        match output {
            UaOutput::Transmit(transmit) => {
                let transport = transmit.target.transport;
                let source = Source { transport, local: PBX, remote: phone.address };
                let message = Message::parse(&transmit.payload).unwrap();
                self.exchange.handle_input(now, Input::Received { source, message });
            }
            UaOutput::Resolve { query, .. } => {
                let target = Target { transport: Transport::Udp, addr: PBX };
                let result = Ok(vec![Route { target, local: phone.address }]);
                phone.ua.handle_input(now, sip_ua::Input::Resolved { query, result });
            }
            UaOutput::Event(event) => {
                phone.react(now, &event);
                phone.events.push(event);
            }
        }
        true
    }

    /// Lets time pass, from timer to timer.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.settle();
            let timers = self.phones.iter().filter_map(|phone| phone.ua.poll_timeout());
            let next = timers.chain(self.exchange.poll_timeout()).min();
            let Some(next) = next.filter(|&next| next <= end) else { break };
            self.now = self.now.max(next);
            let now = self.now;
            self.exchange.handle_timeout(now);
            self.phones.iter_mut().for_each(|phone| phone.ua.handle_timeout(now));
        }
        self.now = end;
    }

    fn call(&mut self, phone: usize, number: &str) -> SessionId {
        let to = Uri::parse(&format!("sip:{number}@{PBX}")).unwrap();
        self.call_with(phone, OutgoingCall::new(to, Some(Body::sdp(OFFER))))
    }

    fn call_with(&mut self, phone: usize, call: OutgoingCall) -> SessionId {
        let Phone { ua, account, .. } = &mut self.phones[phone];
        let session = ua.invite(self.now, *account, call).unwrap();
        self.settle();
        session
    }

    fn accept(&mut self, phone: usize) -> SessionId {
        let session = self.incoming(phone).unwrap().session;
        self.phones[phone].ua.accept(self.now, session, Some(Body::sdp(ANSWER))).unwrap();
        self.settle();
        session
    }

    /// A phone that answers what comes inside its calls by itself, with a description of its own.
    fn automatic(&mut self, user: &str) -> usize {
        let phone = self.phone(user);
        self.phones[phone].automatic = true;
        phone
    }

    /// Calls with the phone's own description.
    fn dial(&mut self, phone: usize, number: &str) -> SessionId {
        let to = Uri::parse(&format!("sip:{number}@{PBX}")).unwrap();
        let own = self.phones[phone].description();
        self.call_with(phone, OutgoingCall::new(to, Some(own)))
    }

    /// Lifts; answers an empty INVITE with an offer.
    fn lift(&mut self, phone: usize) -> SessionId {
        let session = self.incoming(phone).unwrap().session;
        let own = self.phones[phone].description();
        self.phones[phone].ua.accept(self.now, session, Some(own)).unwrap();
        self.settle();
        session
    }

    fn refer(&mut self, phone: usize, session: SessionId, refer_to: &str) {
        self.refer_with(phone, session, refer_to, Vec::new());
    }

    fn refer_with(
        &mut self,
        phone: usize,
        session: SessionId,
        refer_to: &str,
        mut headers: Vec<(HeaderName, String)>,
    ) {
        headers.push((HeaderName::ReferTo, refer_to.to_owned()));
        let ua = &mut self.phones[phone].ua;
        ua.send_in_session(self.now, session, Method::Refer, headers, None).unwrap();
        self.settle();
    }

    /// Refer-To with a Replaces for the dialog of this session, as its phone knows it.
    fn replacing(&self, phone: usize, session: SessionId) -> String {
        let name = self.phones[phone].ua.dialog_name(session).unwrap();
        let (to, from) = (name.remote_tag, name.local_tag);
        let value = format!("{}%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}", name.call_id);
        format!("<sip:someone@{PBX}?Replaces={value}>")
    }

    /// Whether two phones send to each other.
    fn talk(&self, one: usize, other: usize) -> bool {
        let port = |phone: usize| Some(self.phones[phone].address.port() + 23_000);
        self.phones[one].hears() == port(other) && self.phones[other].hears() == port(one)
    }

    fn lamps(&self, line: &str) -> Vec<Stage> {
        let lines = self.exchange.lines();
        let dialogs = lines.get(line).map(|line| line.dialogs.clone()).unwrap_or_default();
        dialogs.into_iter().map(|dialog| dialog.stage).collect()
    }

    fn incoming(&self, phone: usize) -> Option<Incoming> {
        self.phones[phone].events.iter().rev().find_map(|event| match event {
            Event::Incoming(incoming) => Some((**incoming).clone()),
            _ => None,
        })
    }

    fn ended(&self, phone: usize, session: SessionId) -> Option<EndCause> {
        self.phones[phone].events.iter().find_map(|event| match event {
            Event::Ended { session: ended, cause } if *ended == session => Some(cause.clone()),
            _ => None,
        })
    }

    fn status_of(&self, phone: usize, session: SessionId) -> Option<u16> {
        self.ended(phone, session)?.status.map(StatusCode::code)
    }

    fn answered(&self, phone: usize, session: SessionId) -> Option<Body> {
        self.phones[phone].events.iter().find_map(|event| match event {
            Event::Answered { session: answered, body, .. } if *answered == session => body.clone(),
            _ => None,
        })
    }

    fn played(&self) -> Option<&[Step]> {
        self.media.iter().rev().find_map(|command| match command {
            MediaCommand::Play(_, steps) => Some(steps.as_slice()),
            _ => None,
        })
    }

    fn assert_nothing_left(&mut self) {
        self.pass(Duration::from_secs(70));
        let status = self.exchange.status();
        assert_eq!((status.calls, status.sessions, status.endpoints), (0, 0, 0));
        assert!(self.exchange.sessions.is_empty());
        let opened = self.exchange.last_endpoint;
        let closed = self.media.iter().filter(|c| matches!(c, MediaCommand::Close(_))).count();
        assert_eq!(closed as u64, opened);
    }
}

#[test]
fn a_phone_registers_and_another_with_a_wrong_password_does_not() {
    let mut world = World::new();
    world.phone("101");
    let thief = world.phone_as("102", "fout", "102");
    assert!(!world.registered(thief));
    let status = world.exchange.status();
    assert_eq!(status.registrations.len(), 1);
    assert_eq!(status.registrations[0].0, "101");
}

#[test]
fn nobody_registers_for_somebody_else() {
    let mut world = World::new();
    let phone = world.phone_as("102", "geheim", "101");
    assert!(!world.registered(phone));
    assert!(world.exchange.status().registrations.is_empty());
}

#[test]
fn numbers_that_never_talk_refuse_as_they_should() {
    for (number, status, after) in
        [("603", 486, 0), ("999", 404, 0), ("221", 486, 0), ("605", 603, 2), ("604", 480, 31)]
    {
        let mut world = World::new();
        let phone = world.phone("101");
        let call = world.call(phone, number);
        world.pass(Duration::from_secs(after));
        assert_eq!(world.status_of(phone, call), Some(status), "{number}");
        world.assert_nothing_left();
    }
}

#[test]
fn services_answer_at_once_with_a_description() {
    for number in ["600", "601", "602", "606"] {
        let mut world = World::new();
        let phone = world.phone("101");
        let call = world.call(phone, number);
        let body = world.answered(phone, call).expect(number);
        assert!(String::from_utf8_lossy(&body.bytes).contains("m=audio 40002"), "{number}");
        assert!(world.played().is_some_and(|steps| !steps.is_empty()));
        world.phones[phone].ua.hangup(world.now, call).unwrap();
        world.assert_nothing_left();
    }
}

#[test]
fn a_call_without_an_offer_gets_one() {
    let mut world = World::new();
    let phone = world.phone("101");
    let to = Uri::parse(&format!("sip:600@{PBX}")).unwrap();
    let call = world.call_with(phone, OutgoingCall::new(to, None));
    assert!(world.answered(phone, call).is_some());
    assert!(world.played().is_none());
    world.phones[phone].ua.provide_answer(world.now, call, Body::sdp(ANSWER)).unwrap();
    world.settle();
    assert!(world.played().is_some());
}

#[test]
fn an_unusable_offer_is_refused() {
    let mut world = World::new();
    let phone = world.phone("101");
    let to = Uri::parse(&format!("sip:600@{PBX}")).unwrap();
    let offer = OFFER.replace("RTP/AVP 9 8 101", "RTP/AVP 18");
    let call = world.call_with(phone, OutgoingCall::new(to, Some(Body::sdp(offer))));
    assert_eq!(world.status_of(phone, call), Some(488));
    world.assert_nothing_left();
}

#[test]
fn people_answer_after_some_seconds_and_are_then_busy() {
    let mut world = World::new();
    let phone = world.phone("101");
    let call = world.call(phone, "201");
    world.pass(Duration::from_millis(900));
    assert!(world.answered(phone, call).is_none());
    world.pass(Duration::from_millis(3_200));
    assert!(world.answered(phone, call).is_some());
    assert!(matches!(world.played(), Some([Step::Pause(_), Step::Say(_), Step::Listen])));
    let second = world.call(phone, "201");
    assert_eq!(world.status_of(phone, second), Some(486));
}

#[test]
fn who_does_not_answer_has_voicemail() {
    let mut world = World::new();
    let phone = world.phone("101");
    let call = world.call(phone, "210");
    world.pass(Duration::from_secs(29));
    assert!(world.answered(phone, call).is_none());
    world.pass(Duration::from_secs(2));
    assert!(world.answered(phone, call).is_some());
    assert!(world.played().is_some_and(|steps| steps.contains(&Step::Beep)));
}

#[test]
fn two_phones_talk_with_their_own_descriptions_hold_and_hang_up() {
    let mut world = World::new();
    let (desk, joris) = (world.phone("101"), world.phone("102"));
    let call = world.call(joris, "101");
    let incoming = world.incoming(desk).unwrap();
    assert_eq!(incoming.body, Some(Body::sdp(OFFER)));
    assert_eq!(incoming.caller.display.as_deref(), Some("Joris Hendriks"));
    assert_eq!(incoming.caller.uri.user().as_deref(), Some("102"));
    world.phones[desk].ua.ring(world.now, incoming.session).unwrap();
    world.settle();
    let rings = |event: &Event| matches!(event, Event::Provisional { status, .. } if *status == StatusCode::RINGING);
    assert!(world.phones[joris].events.iter().any(rings));
    let session = world.accept(desk);
    assert_eq!(world.answered(joris, call), Some(Body::sdp(ANSWER)));

    let hold = OFFER.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n");
    world.phones[joris].ua.reoffer(world.now, call, Body::sdp(hold.clone())).unwrap();
    world.settle();
    let held = |event: &Event| matches!(event, Event::Reoffered { body: Some(b), .. } if *b == Body::sdp(hold.clone()));
    assert!(world.phones[desk].events.iter().any(held));
    world.phones[desk].ua.answer_reoffer(world.now, session, Some(Body::sdp(ANSWER))).unwrap();
    world.settle();
    let done = |event: &Event| matches!(event, Event::ReofferAnswered { .. });
    assert!(world.phones[joris].events.iter().any(done));

    world.phones[desk].ua.hangup(world.now, session).unwrap();
    world.settle();
    assert_eq!(world.ended(joris, call).unwrap().by, EndedBy::Remote);
    world.assert_nothing_left();
}

#[test]
fn a_refused_hold_is_told_to_who_asked() {
    let mut world = World::new();
    let (desk, joris) = (world.phone("101"), world.phone("102"));
    let call = world.call(joris, "101");
    let session = world.accept(desk);
    world.phones[joris].ua.reoffer(world.now, call, Body::sdp(OFFER)).unwrap();
    world.settle();
    world.phones[desk]
        .ua
        .reject_reoffer(world.now, session, StatusCode::NOT_ACCEPTABLE_HERE)
        .unwrap();
    world.settle();
    let told = |event: &Event| matches!(event, Event::ReofferFailed { status: Some(s), .. } if s.code() == 488);
    assert!(world.phones[joris].events.iter().any(told));
    assert!(world.ended(joris, call).is_none());
}

#[test]
fn the_first_of_several_phones_wins_and_the_others_are_told() {
    let mut world = World::new();
    let (desk, kitchen, joris) = (world.phone("101"), world.phone("101"), world.phone("102"));
    let call = world.call(joris, "101");
    let lost = world.incoming(kitchen).unwrap().session;
    world.phones[kitchen].ua.ring(world.now, lost).unwrap();
    world.settle();
    world.accept(desk);
    assert!(world.answered(joris, call).is_some());
    assert!(world.ended(kitchen, lost).unwrap().answered_elsewhere);
    world.phones[joris].ua.hangup(world.now, call).unwrap();
    world.assert_nothing_left();
}

#[test]
fn one_of_several_phones_refuses_and_the_other_goes_on_ringing() {
    let mut world = World::new();
    let (desk, kitchen, joris) = (world.phone("101"), world.phone("101"), world.phone("102"));
    let call = world.call(joris, "101");
    let refuse = world.incoming(kitchen).unwrap().session;
    world.phones[kitchen].ua.reject(world.now, refuse, StatusCode::BUSY_HERE).unwrap();
    world.settle();
    assert!(world.ended(joris, call).is_none());
    let last = world.incoming(desk).unwrap().session;
    world.phones[desk].ua.reject(world.now, last, StatusCode::TEMPORARILY_UNAVAILABLE).unwrap();
    world.settle();
    assert_eq!(world.status_of(joris, call), Some(486));
    world.assert_nothing_left();
}

#[test]
fn a_caller_who_gives_up_stops_the_ringing() {
    let mut world = World::new();
    let (desk, joris) = (world.phone("101"), world.phone("102"));
    let call = world.call(joris, "101");
    let ringing = world.incoming(desk).unwrap().session;
    // CANCEL waits for the first provisional response (RFC 3261 section 9.1).
    world.pass(Duration::from_secs(1));
    world.phones[joris].ua.hangup(world.now, call).unwrap();
    world.settle();
    let cause = world.ended(desk, ringing).unwrap();
    assert!(!cause.answered_elsewhere && cause.by == EndedBy::Remote);
    world.assert_nothing_left();
}

#[test]
fn without_a_phone_480_and_without_an_answer_voicemail() {
    let mut world = World::new();
    let joris = world.phone("102");
    let call = world.call(joris, "101");
    assert_eq!(world.status_of(joris, call), Some(480));
    let desk = world.phone("101");
    let call = world.call(joris, "101");
    world.pass(Duration::from_secs(31));
    assert!(world.answered(joris, call).is_some());
    let missed = world.incoming(desk).unwrap().session;
    assert!(world.ended(desk, missed).is_some());
}

#[test]
fn the_main_number_rings_one_after_the_other() {
    let mut world = World::new();
    let (desk, joris, samira) = (world.phone("101"), world.phone("102"), world.phone("104"));
    let call = world.call(samira, "0887654000");
    assert!(world.incoming(desk).is_some() && world.incoming(joris).is_none());
    assert!(world.incoming(desk).unwrap().diverted_from.is_some());
    world.pass(Duration::from_secs(16));
    assert!(world.incoming(joris).is_some());
    world.accept(joris);
    assert!(world.answered(samira, call).is_some());
    assert!(world.ended(desk, world.incoming(desk).unwrap().session).is_some());
}

#[test]
fn a_customer_rings_tells_the_story_and_hangs_up() {
    let mut world = World::new();
    let desk = world.phone("101");
    let wish = CustomerCall {
        name: Some("Garage Jansen".into()),
        number: Some("+31201234567".into()),
        ..CustomerCall::to("101")
    };
    world.exchange.customer_call(world.now, &wish).unwrap();
    world.settle();
    let incoming = world.incoming(desk).unwrap();
    assert_eq!(incoming.caller.display.as_deref(), Some("Garage Jansen"));
    assert_eq!(incoming.caller.uri.user().as_deref(), Some("+31201234567"));
    let session = world.accept(desk);
    assert!(matches!(world.played(), Some([Step::Pause(_), Step::Say(_), ..])));
    let endpoint = EndpointId(1);
    world.exchange.handle_input(world.now, Input::Happened { endpoint, what: Happened::Finished });
    world.settle();
    assert_eq!(world.ended(desk, session).unwrap().by, EndedBy::Remote);
    world.assert_nothing_left();
}

#[test]
fn a_customer_gives_up_when_nobody_answers() {
    let mut world = World::new();
    let desk = world.phone("101");
    let wish = CustomerCall { patience_s: Some(10), ..CustomerCall::to("100") };
    world.exchange.customer_call(world.now, &wish).unwrap();
    world.settle();
    let session = world.incoming(desk).unwrap().session;
    world.phones[desk].ua.ring(world.now, session).unwrap();
    world.pass(Duration::from_secs(9));
    assert!(world.ended(desk, session).is_none());
    world.pass(Duration::from_secs(2));
    let cause = world.ended(desk, session).unwrap();
    assert!(!cause.answered_elsewhere && cause.by == EndedBy::Remote);
    world.assert_nothing_left();
}

#[test]
fn a_customer_needs_somebody_to_ring() {
    let mut world = World::new();
    let ask = |world: &mut World, to: &str| {
        world.exchange.customer_call(world.now, &CustomerCall::to(to))
    };
    assert!(matches!(ask(&mut world, "101"), Err(PbxError::NotRegistered(_))));
    assert!(matches!(ask(&mut world, "999"), Err(PbxError::UnknownNumber(_))));
    world.assert_nothing_left();
}

#[test]
fn a_customer_on_hold_keeps_quiet() {
    let mut world = World::new();
    let desk = world.phone("101");
    world.exchange.customer_call(world.now, &CustomerCall::to("101")).unwrap();
    world.settle();
    let session = world.accept(desk);
    let hold = ANSWER.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n").replace("2 1 IN", "2 2 IN");
    world.phones[desk].ua.reoffer(world.now, session, Body::sdp(hold)).unwrap();
    world.settle();
    let agreed = world.media.iter().rev().find_map(|command| match command {
        MediaCommand::Configure(_, agreed) => Some(agreed),
        _ => None,
    });
    assert!(agreed.is_some_and(|agreed| !agreed.send));
}

#[test]
fn a_restart_forgets_everything() {
    let mut world = World::new();
    let phone = world.phone("101");
    world.call(phone, "600");
    world.exchange.restart(world.now);
    world.settle();
    assert!(world.exchange.status().registrations.is_empty());
    world.assert_nothing_left();
}

#[test]
fn two_hundred_calls_leave_nothing_behind() {
    let mut world = World::new();
    let (desk, joris) = (world.phone("101"), world.phone("102"));
    for round in 0..200 {
        let number = ["600", "101", "603", "201", "100"][round % 5];
        let call = world.call(joris, number);
        if round % 5 == 1 && round % 2 == 0 {
            world.accept(desk);
        }
        world.pass(Duration::from_millis(1_500));
        let _ = world.phones[joris].ua.hangup(world.now, call);
        world.settle();
    }
    world.assert_nothing_left();
}
