//! Two streams that reach each other through a relay only, in virtual time; the relay is a small one of the tests' own,
//! the real one is coturn (`tests/e2e`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rtc_stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_USERNAME};
use rtc_stun::error_code::ErrorCode;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_INDICATION, CLASS_SUCCESS_RESPONSE, Getter as _, METHOD_ALLOCATE,
    METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_DATA, METHOD_REFRESH,
    METHOD_SEND, Message, MessageType, Setter, TransactionId,
};
use rtc_stun::textattrs::TextAttribute;
use rtc_stun::xoraddr::XorMappedAddress;
use rtc_turn::proto::channum::ChannelNumber;
use rtc_turn::proto::data::Data;
use rtc_turn::proto::lifetime::Lifetime;
use rtc_turn::proto::peeraddr::PeerAddress;
use rtc_turn::proto::relayaddr::RelayedAddress;
use sdp::{
    Candidate, CandidateKind, DtlsParameters, DtlsRole, IceCredentials, IceParameters, LocalIce,
    SrtpKeys,
};

use super::*;

const TRIP: Duration = Duration::from_millis(10);
const REALM: &str = "example.org";
const LIFETIME: Duration = Duration::from_secs(600);

fn relay_at() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 7], 3478))
}

#[expect(clippy::disallowed_methods, reason = "one instant to count from")]
fn base() -> Instant {
    Instant::now()
}

/// What the relay keeps for a client.
struct Place {
    client: SocketAddr,
    until: Instant,
    permitted: BTreeMap<IpAddr, Instant>,
    channels: BTreeMap<u16, (SocketAddr, Instant)>,
}

/// A relay: places by port.
struct Server {
    places: BTreeMap<u16, Place>,
    nonce: u32,
    /// Requests by what they ask, those that were refused included.
    asked: BTreeMap<&'static str, usize>,
    forbidden: BTreeSet<IpAddr>,
    provider: std::sync::Arc<dyn rtc_crypto::RTCCryptoProvider>,
}

/// What an answer has.
type Attributes = Vec<Box<dyn Setter>>;

/// Out of the relay: to whom, as from which place (none: from the relay itself), what.
type Out = (SocketAddr, Option<SocketAddr>, Vec<u8>);

impl Server {
    fn new() -> Self {
        Self {
            places: BTreeMap::new(),
            nonce: 1,
            asked: BTreeMap::new(),
            forbidden: BTreeSet::new(),
            provider: rtc_crypto::default_provider().unwrap(),
        }
    }

    fn place_of(&mut self, client: SocketAddr) -> Option<(u16, &mut Place)> {
        self.places.iter_mut().find(|(_, place)| place.client == client).map(|(n, p)| (*n, p))
    }

    /// What a client sent.
    fn receive(&mut self, now: Instant, client: SocketAddr, bytes: &[u8]) -> Vec<Out> {
        self.places.retain(|_, place| place.until > now);
        if bytes[0] >= 64 {
            let number = u16::from_be_bytes([bytes[0], bytes[1]]);
            let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
            let Some((port, place)) = self.place_of(client) else { return Vec::new() };
            let open = place.channels.get(&number).filter(|(_, until)| *until > now);
            let Some((peer, _)) = open.copied() else { return Vec::new() };
            return vec![(peer, Some(relayed(port)), bytes[4..4 + length].to_vec())];
        }
        let mut message = Message { raw: bytes.to_vec(), ..Message::default() };
        message.decode().unwrap();
        if message.typ == MessageType::new(METHOD_SEND, CLASS_INDICATION) {
            let (mut peer, mut data) = (PeerAddress::default(), Data::default());
            peer.get_from(&message).unwrap();
            data.get_from(&message).unwrap();
            let Some((port, place)) = self.place_of(client) else { return Vec::new() };
            let permitted = place.permitted.get(&peer.ip).is_some_and(|until| *until > now);
            let to = SocketAddr::new(peer.ip, peer.port);
            return permitted.then(|| (to, Some(relayed(port)), data.0)).into_iter().collect();
        }
        vec![(client, None, self.answer(now, client, &mut message))]
    }

    /// What the world sent to a place.
    fn relay(&mut self, now: Instant, port: u16, from: SocketAddr, data: &[u8]) -> Option<Out> {
        let place = self.places.get(&port).filter(|place| place.until > now)?;
        place.permitted.get(&from.ip()).filter(|until| **until > now)?;
        let channel =
            place.channels.iter().find(|(_, (peer, until))| *peer == from && *until > now);
        let bytes = match channel {
            Some((number, _)) => {
                let length = u16::try_from(data.len()).unwrap();
                [&number.to_be_bytes(), &length.to_be_bytes(), data].concat()
            }
            None => {
                let mut message = Message::new();
                let peer = PeerAddress { ip: from.ip(), port: from.port() };
                let typ = MessageType::new(METHOD_DATA, CLASS_INDICATION);
                let id = TransactionId::new();
                message
                    .build(&[
                        Box::new(id),
                        Box::new(typ),
                        Box::new(peer),
                        Box::new(Data(data.to_vec())),
                    ])
                    .unwrap();
                message.raw
            }
        };
        Some((place.client, None, bytes))
    }

    fn answer(&mut self, now: Instant, client: SocketAddr, message: &mut Message) -> Vec<u8> {
        let method = message.typ.method;
        let name = match method {
            METHOD_BINDING => "binding",
            METHOD_ALLOCATE => "allocate",
            METHOD_REFRESH => "refresh",
            METHOD_CREATE_PERMISSION => "permission",
            METHOD_CHANNEL_BIND => "channel",
            _ => panic!("{method}"),
        };
        *self.asked.entry(name).or_default() += 1;
        let nonce = format!("nonce-{}", self.nonce);
        let text = |kind| TextAttribute::get_from_as(message, kind).ok().map(|text| text.text);
        let key = MessageIntegrity::long_term_integrity_key(
            text(ATTR_USERNAME).unwrap_or_default(),
            REALM.to_owned(),
            "secret".to_owned(),
            self.provider.crypto(),
        )
        .unwrap();
        let known = text(ATTR_NONCE);
        let challenge = || -> Vec<Box<dyn Setter>> {
            vec![
                Box::new(TextAttribute::new(ATTR_REALM, REALM.to_owned())),
                Box::new(TextAttribute::new(ATTR_NONCE, nonce.clone())),
            ]
        };
        let proven = MessageIntegrity::check(message, &key, self.provider.crypto()).is_ok();
        let said = match known {
            Some(known) if proven && known == nonce => self.obey(now, client, message),
            Some(_) if proven => Err((438, challenge())),
            _ => Err((401, challenge())),
        };
        let (class, attributes) = match said {
            Ok(attributes) => (CLASS_SUCCESS_RESPONSE, attributes),
            Err((code, mut attributes)) => {
                attributes.insert(0, Box::new(ErrorCode(code)) as Box<dyn Setter>);
                (CLASS_ERROR_RESPONSE, attributes)
            }
        };
        let integrity =
            MessageIntegrity::new_raw_integrity_with_provider(key, self.provider.crypto());
        let mut setters: Vec<Box<dyn Setter + '_>> =
            vec![Box::new(message.transaction_id), Box::new(MessageType::new(method, class))];
        setters.extend(attributes.into_iter().map(|one| one as Box<dyn Setter>));
        if class == CLASS_SUCCESS_RESPONSE {
            setters.push(Box::new(integrity));
        }
        let mut answer = Message::new();
        answer.build(&setters).unwrap();
        answer.raw
    }

    fn obey(
        &mut self,
        now: Instant,
        client: SocketAddr,
        message: &Message,
    ) -> Result<Attributes, (u16, Attributes)> {
        let mut peer = PeerAddress::default();
        let peer = peer.get_from(message).ok().map(|()| SocketAddr::new(peer.ip, peer.port));
        if message.typ.method == METHOD_ALLOCATE {
            if self.place_of(client).is_some() {
                return Err((437, Vec::new()));
            }
            let port = 50_000 + u16::try_from(self.places.len()).map_err(|_| (508, Vec::new()))?;
            let (permitted, channels) = (BTreeMap::new(), BTreeMap::new());
            let until = now + LIFETIME;
            self.places.insert(port, Place { client, until, permitted, channels });
            let place = relayed(port);
            return Ok(vec![
                Box::new(RelayedAddress { ip: place.ip(), port: place.port() }),
                Box::new(XorMappedAddress { ip: client.ip(), port: client.port() }),
                Box::new(Lifetime(LIFETIME)),
            ]);
        }
        let forbidden = peer.is_some_and(|peer| self.forbidden.contains(&peer.ip()));
        let Some((_, place)) = self.place_of(client) else { return Err((437, Vec::new())) };
        if forbidden {
            return Err((403, Vec::new()));
        }
        match (message.typ.method, peer) {
            (METHOD_REFRESH, _) => {
                let mut wanted = Lifetime(LIFETIME);
                let _ = wanted.get_from(message);
                place.until = now + wanted.0;
                Ok(vec![Box::new(wanted)])
            }
            (METHOD_CREATE_PERMISSION, Some(peer)) => {
                place.permitted.insert(peer.ip(), now + Duration::from_secs(300));
                Ok(Vec::new())
            }
            (METHOD_CHANNEL_BIND, Some(peer)) => {
                let mut number = ChannelNumber::default();
                number.get_from(message).map_err(|_| (400, Vec::new()))?;
                // A peer has one channel, and a channel has one peer (RFC 8656, 12.2).
                let other = |(n, (who, _)): (&u16, &(SocketAddr, Instant))| {
                    (*n == number.0) != (*who == peer)
                };
                if place.channels.iter().any(other) {
                    return Err((400, Vec::new()));
                }
                place.permitted.insert(peer.ip(), now + Duration::from_secs(300));
                place.channels.insert(number.0, (peer, now + LIFETIME));
                Ok(Vec::new())
            }
            _ => Err((400, Vec::new())),
        }
    }
}

fn relayed(port: u16) -> SocketAddr {
    SocketAddr::new(relay_at().ip(), port)
}

struct End {
    transport: Transport,
    certificate: LocalCertificate,
    here: SocketAddr,
    /// As the relay sees the link.
    outside: SocketAddr,
    gathered: Option<Vec<Candidate>>,
    path: Option<(SocketAddr, bool)>,
    keys: Vec<SrtpKeys>,
    heard: Vec<(SocketAddr, Vec<u8>)>,
    failed: Option<Failure>,
}

/// Two ends; each only comes through to the relay.
struct Net {
    now: Instant,
    ends: [End; 2],
    server: Server,
    carrier: Carrier,
    flying: VecDeque<(Instant, To, Vec<u8>)>,
    /// Bytes of the relay's that go in one piece of a stream.
    piece: usize,
    sent: usize,
}

#[derive(Debug, Clone, Copy)]
enum To {
    Server(usize),
    Place(u16, SocketAddr),
    End(usize),
}

impl Net {
    fn new(carrier: Carrier) -> Self {
        let ends = [1, 2].map(|host| {
            let certificate = LocalCertificate::generate().unwrap();
            End {
                transport: Transport::new(certificate.clone()),
                certificate,
                here: SocketAddr::from(([10, 0, host, 1], 5000)),
                outside: SocketAddr::from(([203, 0, 113, host], 40_000)),
                gathered: None,
                path: None,
                keys: Vec::new(),
                heard: Vec::new(),
                failed: None,
            }
        });
        let server = Server::new();
        let (flying, piece) = (VecDeque::new(), usize::MAX);
        Self { now: base(), ends, server, carrier, flying, piece, sent: 0 }
    }

    fn gather(&mut self, password: &str) {
        for end in 0..2 {
            let login = RelayLogin::new("balie".to_owned(), password.into());
            let relay = RelayServer {
                address: relay_at(),
                carrier: self.carrier,
                name: "relay.example.org".to_owned(),
                login,
            };
            let plan = Plan {
                here: self.ends[end].here,
                others: Vec::new(),
                stun: Vec::new(),
                relays: vec![relay],
            };
            self.ends[end].transport.handle_input(self.now, Input::Gather(plan));
            self.collect(end);
        }
        self.run(Duration::from_secs(2));
    }

    fn agree(&mut self, round: u8) {
        let local = |end: usize| LocalIce {
            credentials: IceCredentials::from_random(&[u8::try_from(end).unwrap() + 2 * round; 32]),
            candidates: self.ends[end].gathered.clone().unwrap(),
        };
        let locals = [local(0), local(1)];
        for end in 0..2 {
            let (own, other) = (locals[end].clone(), locals[1 - end].clone());
            let role = if end == 0 { DtlsRole::Server } else { DtlsRole::Client };
            let fingerprints = vec![self.ends[1 - end].certificate.fingerprint().clone()];
            let agreed = Agreement {
                remote: self.ends[1 - end].here,
                dtls: Some(DtlsParameters { role, fingerprints }),
                ice: Some(IceParameters {
                    local: own,
                    remote: other.credentials,
                    candidates: other.candidates,
                    controlling: end == 0,
                }),
            };
            self.ends[end].transport.handle_input(self.now, Input::Agree(agreed));
            self.collect(end);
        }
    }

    fn fly(&mut self, to: To, data: Vec<u8>) {
        self.flying.push_back((self.now + TRIP, to, data));
    }

    fn collect(&mut self, end: usize) {
        while let Some(output) = self.ends[end].transport.poll_output() {
            match output {
                // Nothing but the relay can be reached.
                Output::Send { link: None, .. } => {}
                Output::Send { link: Some(_), to, data } => {
                    assert_eq!(to, relay_at());
                    self.sent += 1;
                    self.fly(To::Server(end), data);
                }
                Output::Open { link, opening } => {
                    assert!(matches!(opening, Opening::Relay { .. }));
                    let own = self.ends[end].here;
                    let opened = Input::Opened { link, own };
                    self.ends[end].transport.handle_input(self.now, opened);
                }
                Output::Close(_) => {}
                Output::Gathered(found) => self.ends[end].gathered = Some(found),
                Output::Path { to, linked } => self.ends[end].path = Some((to, linked)),
                Output::Keys(keys) => self.ends[end].keys.push(keys),
                Output::Sound { from, data } => self.ends[end].heard.push((from, data)),
                Output::Failed(failure) => self.ends[end].failed = Some(failure),
            }
        }
    }

    fn deliver(&mut self, to: To, data: &[u8]) {
        let outs = match to {
            To::Server(end) => {
                let client = self.ends[end].outside;
                self.server.receive(self.now, client, data)
            }
            To::Place(port, from) => {
                self.server.relay(self.now, port, from, data).into_iter().collect()
            }
            To::End(end) => {
                for data in data.chunks(self.piece.min(data.len().max(1))) {
                    let input = Input::Datagram { link: Some(0), from: relay_at(), data };
                    self.ends[end].transport.handle_input(self.now, input);
                }
                return self.collect(end);
            }
        };
        for (to, from, mut data) in outs {
            let place = (to.ip() == relay_at().ip()).then_some(to.port());
            let end = self.ends.iter().position(|end| end.outside == to);
            if self.carrier != Carrier::Udp && from.is_none() {
                data.resize(data.len().next_multiple_of(4), 0);
            }
            match (place, from, end) {
                (Some(port), Some(from), _) => self.fly(To::Place(port, from), data),
                (_, None, Some(end)) => self.fly(To::End(end), data),
                // Not to be reached from the relay.
                _ => {}
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let arrival = self.flying.front().map(|(at, ..)| *at);
            let due: Vec<_> =
                self.ends.iter_mut().filter_map(|end| end.transport.poll_timeout()).collect();
            let next = arrival.into_iter().chain(due).min().filter(|next| *next <= end);
            let Some(next) = next else { break };
            self.now = next.max(self.now + Duration::from_micros(100));
            while self.flying.front().is_some_and(|(at, ..)| *at <= self.now) {
                let (_, to, data) = self.flying.pop_front().unwrap();
                self.deliver(to, &data);
            }
            for end in 0..2 {
                self.ends[end].transport.handle_timeout(self.now);
                self.collect(end);
            }
        }
        self.now = end;
    }

    fn say(&mut self, end: usize, data: &[u8]) {
        self.ends[end].transport.handle_input(self.now, Input::Sound(data.to_vec()));
        self.collect(end);
        self.run(TRIP * 5);
    }

    /// Whether sound goes both ways.
    fn talks(&mut self, number: u8) -> bool {
        for end in 0..2 {
            self.say(end, &[128, number, u8::try_from(end).unwrap()]);
        }
        let heard = |end: usize| {
            let last = self.ends[1 - end].heard.last();
            last.is_some_and(|(_, data)| *data == [128, number, u8::try_from(end).unwrap()])
        };
        heard(0) && heard(1)
    }
}

#[test]
fn where_only_the_relay_is_reached_the_call_goes_through_it() {
    for (carrier, piece) in
        [(Carrier::Udp, usize::MAX), (Carrier::Tcp, usize::MAX), (Carrier::Tls, 7)]
    {
        let mut net = Net::new(carrier);
        net.piece = if carrier == Carrier::Udp { usize::MAX } else { piece };
        net.gather("secret");
        for end in &net.ends {
            let found = end.gathered.as_ref().unwrap();
            assert_eq!(found[0], Candidate::new(CandidateKind::Host, end.here, None));
            assert_eq!((found.len(), found[1].kind), (2, CandidateKind::Relay), "{carrier:?}");
            assert_eq!(found[1].related, Some(end.outside));
        }
        net.agree(0);
        net.run(Duration::from_secs(4));
        for end in &net.ends {
            assert!(matches!(end.path, Some((_, true))), "{carrier:?} {:?}", end.path);
            assert_eq!((end.keys.len(), end.failed), (1, None), "{carrier:?}");
        }
        assert!(net.talks(1), "{carrier:?}");
        assert_eq!(net.server.places.values().map(|place| place.channels.len()).max(), Some(1));
    }
}

#[test]
fn a_place_is_kept_for_hours_though_nonces_go_stale() {
    let mut net = Net::new(Carrier::Udp);
    net.gather("secret");
    net.agree(0);
    net.run(Duration::from_secs(4));
    for minutes in 1..=180_u8 {
        net.run(Duration::from_secs(60));
        net.server.nonce += u32::from(minutes % 7 == 0);
        assert!(net.talks(minutes), "after {minutes} minutes");
    }
    assert!(net.ends.iter().all(|end| end.failed.is_none()));
    // Every few minutes, and once more for each nonce.
    let asked = &net.server.asked;
    assert!(asked.values().all(|count| *count < 350), "{asked:?}");
}

#[test]
fn a_relay_that_does_not_know_us_or_is_silent_leaves_what_else_there_is() {
    let mut net = Net::new(Carrier::Udp);
    net.gather("wrong");
    for end in &net.ends {
        let own = Candidate::new(CandidateKind::Host, end.here, None);
        assert_eq!(end.gathered.as_ref().unwrap(), &[own]);
    }
    assert_eq!(net.server.asked.get("allocate"), Some(&4), "once without and once with the name");
    assert!(net.ends.iter_mut().all(|end| end.transport.poll_timeout().is_none()));
}

#[test]
fn peers_that_the_relay_forbids_are_not_asked_for_again_and_again() {
    let mut net = Net::new(Carrier::Udp);
    net.server.forbidden.extend(net.ends.iter().map(|end| end.here.ip()));
    net.gather("secret");
    net.agree(0);
    net.run(Duration::from_secs(10));
    assert!(net.talks(1));
    let asked = net.server.asked["permission"];
    assert!(asked <= 8, "{asked} requests");
}

#[test]
fn a_restart_takes_another_place_and_the_end_gives_places_back() {
    let mut net = Net::new(Carrier::Udp);
    net.gather("secret");
    net.agree(0);
    net.run(Duration::from_secs(4));
    assert!(net.talks(1));
    // The peer asks for a restart: what was gathered still holds.
    net.agree(1);
    net.run(Duration::from_secs(4));
    assert!(net.talks(2));
    assert_eq!(net.server.places.len(), 2);
    for end in 0..2 {
        net.ends[end].transport.handle_input(net.now, Input::Close);
        net.collect(end);
    }
    net.run(Duration::from_secs(1));
    net.server.places.retain(|_, place| place.until > net.now);
    assert!(net.server.places.is_empty(), "given back");
}
