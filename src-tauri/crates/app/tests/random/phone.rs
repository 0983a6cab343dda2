//! A telephone of the town: a customer's, who rings, or a colleague's, who is rung. It answers what comes inside its calls
//! with a description of its own, so that whom it talks with is seen by whose description it has got.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use sip_core::digest::Credentials;
use sip_core::{Random, Route, Source, Target};
use sip_types::{Message, StatusCode, Transport, Uri};
use sip_ua::{
    AcceptFrom, AccountConfig, AccountId, Body, Config, EndedBy, Event, Input, OutgoingCall,
    Output, RegistrationState, SessionId, UserAgent,
};

/// What its owner does when it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Answers after a while.
    Answers,
    /// Declines after a while.
    Declines,
    /// Lets it ring.
    LetsRing,
}

/// How far a call of the telephone is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Calling,
    Rung,
    Talking,
    Over,
}

/// One call of the telephone.
#[derive(Debug, Clone)]
pub(crate) struct Leg {
    pub(crate) stage: Stage,
    /// Its owner placed it.
    pub(crate) placed: bool,
    /// The port that it sends its sound to.
    pub(crate) sends_to: Option<u16>,
    /// The other side keeps it on hold.
    pub(crate) held: bool,
    /// Its owner ended it.
    pub(crate) own_end: bool,
    /// What was said at the end.
    pub(crate) end: String,
    /// When its owner does what he does.
    due: Option<Instant>,
}

pub(crate) struct Phone {
    pub(crate) number: String,
    pub(crate) habit: Habit,
    pub(crate) legs: BTreeMap<SessionId, Leg>,
    pub(crate) registered: bool,
    /// The port of its descriptions.
    pub(crate) port: u16,
    /// When its owner has had enough of waiting.
    pub(crate) leaves_at: Option<Instant>,
    ua: UserAgent,
    account: AccountId,
    exchange: SocketAddr,
    own: SocketAddr,
    version: u32,
    random: Random,
}

impl Phone {
    /// A telephone that begins to register.
    pub(crate) fn new(
        now: Instant,
        (number, password): (&str, &str),
        habit: Habit,
        (own, exchange): (SocketAddr, SocketAddr),
        (port, mut random): (u16, Random),
    ) -> Phone {
        let mut ua = UserAgent::new(Config::default(), random.fork());
        let uri = |text: String| Uri::parse(&text).unwrap();
        let account = AccountConfig {
            credentials: Some(Credentials {
                username: number.to_owned(),
                password: SecretString::from(password.to_owned()),
            }),
            accept_from: AcceptFrom::Any,
            expires: 3600,
            ..AccountConfig::new(
                uri(format!("sip:{number}@{exchange}")),
                uri(format!("sip:{exchange}")),
            )
        };
        let account = ua.add_account(now, account);
        Phone {
            number: number.to_owned(),
            habit,
            legs: BTreeMap::new(),
            registered: false,
            port,
            leaves_at: None,
            ua,
            account,
            exchange,
            own,
            version: 0,
            random,
        }
    }

    pub(crate) fn receive(&mut self, now: Instant, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else { return };
        let source = Source { transport: Transport::Udp, local: self.own, remote: self.exchange };
        self.ua.handle_input(now, Input::Received { source, message });
    }

    /// Does what is due.
    pub(crate) fn on_time(&mut self, now: Instant) {
        if self.ua.poll_timeout().is_some_and(|due| due <= now) {
            self.ua.handle_timeout(now);
        }
        let due = |leg: &Leg| leg.due.is_some_and(|due| due <= now);
        let ready: Vec<SessionId> =
            self.legs.iter().filter(|(_, leg)| due(leg)).map(|(session, _)| *session).collect();
        for session in ready {
            if let Some(leg) = self.legs.get_mut(&session) {
                leg.due = None;
            }
            match self.habit {
                Habit::Answers => self.lift(now, session),
                Habit::Declines => {
                    let _ = self.ua.reject(now, session, StatusCode::BUSY_HERE);
                }
                Habit::LetsRing => {}
            }
        }
        if self.leaves_at.is_some_and(|at| at <= now) {
            self.leaves_at = None;
            self.hang_up(now);
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        let legs = self.legs.values().filter_map(|leg| leg.due);
        legs.chain(self.ua.poll_timeout()).chain(self.leaves_at).min()
    }

    /// The next datagram for the exchange.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Vec<u8>> {
        while let Some(output) = self.ua.poll_output() {
            match output {
                Output::Transmit(transmit) => return Some(transmit.payload),
                Output::Resolve { query, .. } => {
                    let target = Target { transport: Transport::Udp, addr: self.exchange };
                    let result = Ok(vec![Route { target, local: self.own }]);
                    self.ua.handle_input(now, Input::Resolved { query, result });
                }
                Output::Event(event) => self.hear(now, event),
            }
        }
        None
    }

    /// Calls a number.
    pub(crate) fn dial(&mut self, now: Instant, number: &str) {
        let to = Uri::parse(&format!("sip:{number}@{}", self.exchange)).unwrap();
        let offer = self.description("sendrecv");
        let call = OutgoingCall::new(to, Some(offer));
        if let Ok(session) = self.ua.invite(now, self.account, call) {
            self.legs.insert(session, Leg::new(Stage::Calling));
        }
    }

    /// Ends all calls, as their owner does.
    pub(crate) fn hang_up(&mut self, now: Instant) {
        for (session, leg) in &mut self.legs {
            if leg.stage != Stage::Over {
                leg.own_end = true;
                let _ = self.ua.hangup(now, *session);
            }
        }
    }

    /// The call that its owner placed, while it is not over.
    pub(crate) fn leg(&self) -> Option<&Leg> {
        self.placed().filter(|leg| leg.stage != Stage::Over)
    }

    /// The call that its owner placed.
    pub(crate) fn placed(&self) -> Option<&Leg> {
        self.legs.values().find(|leg| leg.placed)
    }

    fn lift(&mut self, now: Instant, session: SessionId) {
        let own = self.description("sendrecv");
        if self.ua.accept(now, session, Some(own)).is_ok()
            && let Some(leg) = self.legs.get_mut(&session)
        {
            leg.stage = Stage::Talking;
        }
    }

    fn hear(&mut self, now: Instant, event: Event) {
        match event {
            Event::Registration { state, .. } => {
                self.registered = matches!(state, RegistrationState::Registered { .. });
            }
            Event::Incoming(incoming) => {
                let session = incoming.session;
                let mut leg = Leg::new(Stage::Rung);
                leg.take(incoming.body.as_ref());
                let after = Duration::from_millis(self.random.between(400, 2_500));
                leg.due = (self.habit != Habit::LetsRing).then_some(now + after);
                self.legs.insert(session, leg);
                let _ = self.ua.ring(now, session);
            }
            Event::Answered { session, body, role, .. } => {
                let answers = role == sip_ua::Role::Offer;
                if let Some(leg) = self.legs.get_mut(&session) {
                    leg.stage = Stage::Talking;
                    leg.take(body.as_ref());
                }
                if answers {
                    let own = self.answer(body.as_ref());
                    let _ = self.ua.provide_answer(now, session, own);
                }
            }
            Event::Confirmed { session, body } | Event::ReofferAnswered { session, body, .. } => {
                if let Some(leg) = self.legs.get_mut(&session) {
                    leg.take(body.as_ref());
                }
            }
            Event::Reoffered { session, body, .. } => {
                let own = self.answer(body.as_ref());
                if self.ua.answer_reoffer(now, session, Some(own)).is_ok()
                    && let Some(leg) = self.legs.get_mut(&session)
                {
                    leg.take(body.as_ref());
                }
            }
            Event::Ended { session, cause } => {
                if let Some(leg) = self.legs.get_mut(&session) {
                    leg.stage = Stage::Over;
                    leg.due = None;
                    leg.own_end |= cause.by == EndedBy::Local;
                    leg.end = cause.to_string();
                }
            }
            _ => {}
        }
    }

    fn answer(&mut self, offer: Option<&Body>) -> Body {
        let direction = match offer.map(direction_of) {
            Some("sendonly") => "recvonly",
            Some("recvonly") => "sendonly",
            Some("inactive") => "inactive",
            _ => "sendrecv",
        };
        self.description(direction)
    }

    /// Sound is sent to nobody: to an address of loopback that nothing listens at.
    fn description(&mut self, direction: &str) -> Body {
        self.version += 1;
        Body::sdp(format!(
            "v=0\r\no=- {port} {version} IN IP4 127.77.0.1\r\ns=-\r\nc=IN IP4 127.77.0.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n\
             a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n",
            port = self.port,
            version = self.version,
        ))
    }
}

impl Leg {
    fn new(stage: Stage) -> Leg {
        let end = String::new();
        let placed = stage == Stage::Calling;
        Leg { stage, placed, sends_to: None, held: false, own_end: false, end, due: None }
    }

    /// Takes the other side's description in.
    fn take(&mut self, body: Option<&Body>) {
        let Some(body) = body else { return };
        let text = String::from_utf8_lossy(&body.bytes);
        let line = text.lines().find_map(|line| line.strip_prefix("m=audio "));
        self.sends_to = line.and_then(|line| line.split(' ').next()?.parse().ok());
        self.held = matches!(direction_of(body), "sendonly" | "inactive");
    }
}

fn direction_of(body: &Body) -> &'static str {
    let text = String::from_utf8_lossy(&body.bytes);
    ["sendonly", "recvonly", "inactive"]
        .into_iter()
        .find(|word| text.lines().any(|line| line.trim_end() == format!("a={word}")))
        .unwrap_or("sendrecv")
}
