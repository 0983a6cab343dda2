//! The target that drives INVITE sessions: two user agents on a wire that loses, doubles and garbles, in virtual
//! time. The bytes say what their owners do, what happens to the messages and how much time passes.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip_core::{Random, Route, Source, Target};
use sip_types::{HeaderName, Message, Method, ParseError, StatusCode, Transport, Uri};
use sip_ua::{
    AcceptFrom, AccountConfig, AccountId, Body, Config, Event, Input, OutgoingCall, Output, Refer,
    ReferralId, Reliable, ResolveError, SessionId, UaError, UserAgent,
};

/// The most steps of one course.
const STEPS: usize = 400;
/// The most sessions begun in one course.
const CALLS: usize = 24;
/// Messages kept to be garbled and said again.
const REMEMBERED: usize = 16;
/// After this long without anybody doing anything nothing may be left over: longer than every timer of a session
/// that is being wound up, and than the reports on a transfer.
const QUIET: Duration = Duration::from_secs(900);

const NAMES: [&str; 2] = ["alice", "bob"];
const METHODS: [Method; 12] = [
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Cancel,
    Method::Update,
    Method::Prack,
    Method::Info,
    Method::Refer,
    Method::Notify,
    Method::Options,
    Method::Message,
    Method::Subscribe,
];

/// Headers that a garbled message loses or has changed, with what they become.
const HEADERS: [(HeaderName, &str); 22] = [
    (HeaderName::Contact, "<sip:x@192.0.2.9>"),
    (HeaderName::Contact, "*"),
    (HeaderName::RecordRoute, "<sip:192.0.2.1;lr>, <sip:192.0.2.2>"),
    (HeaderName::Require, "100rel"),
    (HeaderName::Require, "magic"),
    (HeaderName::RSeq, "1"),
    (HeaderName::RSeq, "4294967295"),
    (HeaderName::RAck, "1 1 INVITE"),
    (HeaderName::SessionExpires, "90;refresher=uas"),
    (HeaderName::SessionExpires, "1"),
    (HeaderName::MinSe, "86400"),
    (HeaderName::Event, "refer"),
    (HeaderName::SubscriptionState, "active;expires=4294967295"),
    (HeaderName::SubscriptionState, "terminated;reason=x"),
    (HeaderName::ReferTo, "<sip:carol@192.0.2.3?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>"),
    (HeaderName::Replaces, "a;to-tag=b;from-tag=c"),
    (HeaderName::RetryAfter, "0"),
    (HeaderName::CallId, "another"),
    (HeaderName::From, "<sip:x@192.0.2.9>"),
    (HeaderName::CSeq, "nonsense"),
    (HeaderName::ContentType, "multipart/alternative;boundary=\"v=0\""),
    (HeaderName::ContentDisposition, "x;handling=optional"),
];

/// Bodies of several parts: one that is a description, one that must be understood, one that need not, and none.
const PARTS: [&[u8]; 4] = [
    b"--b\r\nContent-Type: application/sdp\r\n\r\nv=0 part\r\n--b--\r\n",
    b"--b\r\nContent-Type: application/sdp\r\n\r\nv=0 part\r\n--b\r\n\r\nhello\r\n--b--\r\n",
    b"--b\r\nContent-Disposition: render;handling=optional\r\n\r\nhello\r\n--b--\r\n",
    b"v=0",
];

/// The bytes that are left.
struct Script<'a>(std::slice::Iter<'a, u8>);

impl Script<'_> {
    fn next(&mut self) -> Option<u8> {
        self.0.next().copied()
    }

    fn number(&mut self) -> u64 {
        u64::from(self.next().unwrap_or(0))
    }

    /// A number below `limit`; 0 when there is nothing left.
    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.next().unwrap_or(0)) % limit.max(1)
    }
}

/// One user agent and what its owner knows.
struct Side {
    agent: UserAgent,
    account: AccountId,
    /// Sessions that have not ended.
    open: Vec<SessionId>,
    referrals: Vec<ReferralId>,
    /// How often each session has ended.
    ends: BTreeMap<SessionId, u32>,
}

struct World {
    now: Instant,
    sides: [Side; 2],
    /// To whom, and what.
    wire: VecDeque<(usize, Vec<u8>)>,
    seen: VecDeque<(usize, Vec<u8>)>,
    begun: usize,
    serial: u32,
}

/// A course of calls between two user agents.
///
/// # Panics
/// When time stands still, a session ends twice or never, or something is left over long after everybody hung up.
pub fn sip_session(data: &[u8]) {
    let mut script = Script(data.iter());
    let mut world = World::new(&mut script);
    for _ in 0..STEPS {
        let Some(step) = script.next() else { break };
        world.step(step, &mut script);
    }
    world.wind_up();
}

impl World {
    fn new(script: &mut Script<'_>) -> Self {
        let now = base();
        let sides = [0, 1].map(|side| {
            let choice = script.below(12);
            Side::new(now, side, choice)
        });
        let (wire, seen) = (VecDeque::new(), VecDeque::new());
        let mut world = Self { now, sides, wire, seen, begun: 0, serial: 0 };
        world.drain(0);
        world.drain(1);
        world
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        let side = usize::from(step & 1);
        match (step >> 1) % 16 {
            0 => self.dial(side, script),
            // What an owner does with one of its calls is most of what there is.
            1..=6 => self.command(side, script),
            7 => self.referral(side, script),
            8 => {
                self.wire.pop_front();
            }
            9 => {
                let again = self.wire.front().cloned();
                self.wire.extend(again);
            }
            10 => {
                if let Some(late) = self.wire.pop_front() {
                    self.wire.push_back(late);
                }
            }
            11 => self.garble(script),
            12 => self.trouble(side, script),
            13 => self.run(Duration::from_millis(20)),
            14 => self.run(Duration::from_millis(10 * (1 + script.number()))),
            _ => self.run(Duration::from_millis(500 * (1 + script.number()))),
        }
    }

    fn dial(&mut self, side: usize, script: &mut Script<'_>) {
        if self.begun >= CALLS {
            return;
        }
        let choice = script.below(8);
        let offer = (choice & 1 == 0).then(|| Body::sdp("v=0 offer"));
        let to = NAMES.get(1 - side).copied().unwrap_or_default();
        let Some(uri) = sip(&format!("sip:{to}@{}", address(1 - side).ip())) else { return };
        let mut call = OutgoingCall::new(uri, offer);
        call.withhold_identity = choice & 2 != 0;
        if let (true, Some(target)) = (choice & 4 != 0, self.picked(1 - side, choice)) {
            let name = self.side(1 - side).agent.dialog_name(target);
            call.replaces = name.map(|name| sip_types::Replaces {
                call_id: name.call_id,
                to_tag: name.local_tag,
                from_tag: name.remote_tag,
                early_only: false,
            });
        }
        self.begun += 1;
        let now = self.now;
        let Side { agent, account, .. } = self.side(side);
        if let Ok(session) = agent.invite(now, *account, call) {
            self.side(side).open.push(session);
        }
        self.drain(side);
    }

    fn picked(&mut self, side: usize, choice: usize) -> Option<SessionId> {
        let open = &self.side(side).open;
        open.get(choice % open.len().max(1)).copied()
    }

    fn command(&mut self, side: usize, script: &mut Script<'_>) {
        let (which, what) = (script.below(8), script.below(20));
        let Some(id) = self.picked(side, which) else { return };
        let other = self.picked(side, which + 1).filter(|other| *other != id);
        let now = self.now;
        // Refused where it makes no sense: that is part of what is looked at.
        let _ = obey(&mut self.side(side).agent, now, id, what, other);
        self.drain(side);
    }

    fn referral(&mut self, side: usize, script: &mut Script<'_>) {
        let choice = script.below(6);
        let Some(id) = self.side(side).referrals.last().copied() else { return };
        let now = self.now;
        let agent = &mut self.side(side).agent;
        let _ = match choice {
            0 | 1 => agent.accept_referral(now, id),
            2 => agent.reject_referral(now, id, StatusCode::DECLINE),
            3 => agent.report_referral(now, id, StatusCode::RINGING),
            _ => agent.report_referral(now, id, StatusCode::OK),
        };
        self.drain(side);
    }

    fn trouble(&mut self, side: usize, script: &mut Script<'_>) {
        let now = self.now;
        let target = Target { transport: Transport::Udp, addr: address(1 - side) };
        let agent = &mut self.side(side).agent;
        match script.below(3) {
            0 => agent.network_changed(now),
            1 => agent.network_gone(now),
            _ => {
                let reason = "broken".to_owned();
                agent.handle_input(now, Input::TransportFailed { target, reason });
            }
        }
        self.drain(side);
    }

    /// Says one of the latest messages again, with something wrong.
    fn garble(&mut self, script: &mut Script<'_>) {
        let (which, how, value) = (script.below(REMEMBERED), script.below(8), script.below(256));
        let Some((to, payload)) = self.seen.get(which % self.seen.len().max(1)).cloned() else {
            return;
        };
        self.serial += 1;
        let garbled = match Message::parse(&payload) {
            Ok(message) if how < 7 => garbled(message, how, value, self.serial),
            _ => {
                let mut bytes = payload;
                let at = value * 7 % bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (value % 8);
                }
                bytes
            }
        };
        self.wire.push_back((to, garbled));
    }

    fn deliver(&mut self, to: usize, payload: Vec<u8>) {
        let source =
            Source { transport: Transport::Udp, local: address(to), remote: address(1 - to) };
        let input = match Message::parse(&payload) {
            Ok(message) => Input::Received { source, message },
            Err(error) => malformed(source, error),
        };
        let now = self.now;
        self.side(to).agent.handle_input(now, input);
        self.seen.push_front((to, payload));
        self.seen.truncate(REMEMBERED);
        self.drain(to);
    }

    /// Lets time pass, with everything on the wire arriving at once.
    fn run(&mut self, for_: Duration) {
        let until = self.now + for_;
        for round in 0.. {
            assert!(round < 200_000, "time stands still");
            if let Some((to, payload)) = self.wire.pop_front() {
                self.deliver(to, payload);
                continue;
            }
            let next = self.sides.iter().filter_map(|side| side.agent.poll_timeout()).min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            for side in [0, 1] {
                let now = self.now;
                if self.side(side).agent.poll_timeout().is_some_and(|at| at <= now) {
                    self.side(side).agent.handle_timeout(now);
                    self.drain(side);
                }
            }
        }
        self.now = until;
    }

    fn drain(&mut self, side: usize) {
        while let Some(output) = self.side(side).agent.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    assert!(Message::parse(&transmit.payload).is_ok(), "we send what reads");
                    let to = [0, 1].into_iter().find(|to| address(*to) == transmit.target.addr);
                    self.wire.extend(to.map(|to| (to, transmit.payload)));
                }
                Output::Resolve { query, uri } => {
                    let (now, result) = (self.now, located(side, &uri));
                    self.side(side).agent.handle_input(now, Input::Resolved { query, result });
                }
                Output::Event(event) => self.side(side).hear(event),
            }
        }
    }

    fn wind_up(&mut self) {
        self.hang_up();
        // What was on the wire may have made another telephone ring, and nobody is there to answer it.
        for _ in 0..REMEMBERED {
            if self.wire.is_empty() {
                break;
            }
            self.run(Duration::from_millis(20));
            self.hang_up();
        }
        self.run(QUIET);
        for (side, name) in self.sides.iter().zip(NAMES) {
            assert_eq!(side.agent.session_count(), 0, "{name} keeps sessions");
            assert_eq!(side.agent.transaction_count(), (0, 0), "{name} keeps transactions");
            assert!(side.open.is_empty(), "{name}: sessions that never ended: {:?}", side.open);
        }
    }

    fn hang_up(&mut self) {
        for side in [0, 1] {
            for id in self.side(side).open.clone() {
                let now = self.now;
                let _ = self.side(side).agent.hangup(now, id);
                self.drain(side);
            }
        }
    }

    fn side(&mut self, side: usize) -> &mut Side {
        let [one, other] = &mut self.sides;
        if side == 0 { one } else { other }
    }
}

impl Side {
    fn new(now: Instant, side: usize, choice: usize) -> Self {
        let name = NAMES.get(side).copied().unwrap_or_default();
        let seed = u8::try_from(side * 16 + choice).unwrap_or_default();
        let mut agent = UserAgent::new(Config::default(), Random::from_seed([seed; 32]));
        let own = Uri::sip(Some(name), address(side).ip().into(), None);
        let registrar = Uri::sip(None, address(side).ip().into(), None);
        let config = AccountConfig {
            register: false,
            accept_from: AcceptFrom::Any,
            refer_outside: true,
            reliable: [Reliable::Off, Reliable::Supported, Reliable::Required]
                .get(choice % 3)
                .copied()
                .unwrap_or(Reliable::Supported),
            session_expires: if choice >= 6 { 90 } else { 1800 },
            ..AccountConfig::new(own, registrar)
        };
        let account = agent.add_account(now, config);
        let (open, referrals) = (Vec::new(), Vec::new());
        Self { agent, account, open, referrals, ends: BTreeMap::new() }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Incoming(incoming) => self.open.push(incoming.session),
            Event::ReferRequested(request) => self.referrals.push(request.id),
            Event::Ended { session, .. } => {
                let ends = self.ends.entry(session).or_default();
                *ends += 1;
                assert_eq!(*ends, 1, "{session} has ended twice");
                self.open.retain(|open| *open != session);
            }
            Event::Answered { session, .. }
            | Event::Reoffered { session, .. }
            | Event::ReofferAnswered { session, .. }
            | Event::Provisional { session, .. } => {
                assert!(!self.ends.contains_key(&session), "{session} speaks after its end");
            }
            _ => {}
        }
    }
}

/// What the owner of a session does.
fn obey(
    agent: &mut UserAgent,
    now: Instant,
    id: SessionId,
    what: usize,
    other: Option<SessionId>,
) -> Result<(), UaError> {
    let body = || Some(Body::sdp("v=0 description"));
    match what {
        0 => agent.ring(now, id),
        1 => agent.progress(now, id, None),
        2 | 3 => agent.progress(now, id, body()),
        4..=6 => agent.accept(now, id, body()),
        7 => agent.reject(now, id, StatusCode::BUSY_HERE),
        8 => agent.hangup(now, id),
        9 => agent.reoffer(now, id, Body::sdp("v=0 change")),
        10 => agent.request_offer(now, id),
        11 => agent.update(now, id, body()),
        12 => agent.update(now, id, None),
        13 | 14 => agent.answer_reoffer(now, id, body()),
        15 => agent.reject_reoffer(now, id, StatusCode::NOT_ACCEPTABLE_HERE),
        16 => agent.provide_answer(now, id, Body::sdp("v=0 answer")),
        17 => agent.answer_early(now, id, sip_ua::EarlyDialogId(0), Body::sdp("v=0 early answer")),
        18 => agent.info(now, id, Body { content_type: "text/plain".to_owned(), bytes: vec![1] }),
        _ => {
            let to = sip("sip:carol@192.0.2.3").ok_or(UaError::BadTarget)?;
            agent.refer(now, id, Refer { replaces: other, ..Refer::new(to) })
        }
    }
}

fn garbled(mut message: Message, how: usize, value: usize, serial: u32) -> Vec<u8> {
    let (name, text) =
        HEADERS.get(value % HEADERS.len()).cloned().unwrap_or((HeaderName::Contact, "*"));
    let method = METHODS.get(value % METHODS.len()).cloned().unwrap_or(Method::Bye);
    let tag = |message: &mut Message, name: HeaderName| {
        let side = message.headers().get(&name).unwrap_or_default().into_owned();
        let bare = side.split(";tag=").next().unwrap_or_default().to_owned();
        let changed = if value & 1 == 0 { bare } else { format!("{bare};tag=forged{value}") };
        message.headers_mut().set(name, changed);
    };
    match how {
        0 => {
            let method = message.headers().cseq().map_or(Method::Bye, |cseq| cseq.method);
            message.headers_mut().set(HeaderName::CSeq, format!("{value} {method}"));
        }
        1 => {
            let number = message.headers().cseq().map_or(1, |cseq| cseq.number.wrapping_add(1));
            let number = number & 0x7fff_ffff;
            if let Message::Request(request) = &mut message {
                request.method = method.clone();
            }
            message.headers_mut().set(HeaderName::CSeq, format!("{number} {method}"));
        }
        2 => tag(&mut message, HeaderName::To),
        3 => tag(&mut message, HeaderName::From),
        4 => {
            message.headers_mut().remove(&name);
        }
        5 => {
            message.headers_mut().set(name, text);
        }
        _ => match &mut message {
            Message::Request(request) => {
                let (kind, body): (&str, &[u8]) = match value % 4 {
                    0 | 2 => ("application/sdp", b""),
                    1 => ("application/sdp", b"v=0 forged"),
                    _ => {
                        let body = PARTS.get(value / 4 % PARTS.len()).copied();
                        ("multipart/mixed;boundary=b", body.unwrap_or_default())
                    }
                };
                request.body = body.to_vec();
                request.headers.set(HeaderName::ContentType, kind);
                request.headers.remove(&HeaderName::ContentLength);
            }
            Message::Response(response) => {
                let code = 100 + u16::try_from(value * 2).unwrap_or(0);
                response.status = StatusCode::new(code).unwrap_or(StatusCode::OK);
            }
        },
    }
    if let (Message::Request(request), false) = (&mut message, value.is_multiple_of(4)) {
        // Else it would be taken for a repetition.
        let via = format!("SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKforged{serial};rport");
        request.headers.set(HeaderName::Via, via);
    }
    message.to_bytes()
}

fn malformed(source: Source, error: ParseError) -> Input {
    Input::Malformed { source, error }
}

fn located(side: usize, uri: &Uri) -> Result<Vec<Route>, ResolveError> {
    let unknown = || ResolveError { reason: "no such host".to_owned() };
    let ip = uri.host().and_then(sip_types::Host::ip).ok_or_else(unknown)?;
    let addr = SocketAddr::new(ip, uri.port().unwrap_or(5060));
    let target = Target { transport: Transport::Udp, addr };
    Ok(vec![Route { target, local: address(side) }])
}

fn address(side: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, if side == 0 { 1 } else { 2 }], 5060))
}

fn sip(text: &str) -> Option<Uri> {
    Uri::parse(text).ok()
}

#[expect(clippy::disallowed_methods, reason = "the cores want some instant to count from")]
fn base() -> Instant {
    Instant::now()
}
