//! A relay's client (TURN, RFC 8656): one allocation over one way to one server, its permissions and channels.
//!
//! Inputs: what the server sends, datagrams for peers, the time. States: asking (without credentials, then with those
//! that the server's realm and nonce call for, RFC 8489, 9.2), allocated, over. Messages are those of `rtc-turn` and
//! `rtc-stun`; the client of the former gives a peer another channel after a nonce went stale, which servers refuse
//! (RFC 8656, 12), so what is asked when is ours.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc_crypto::RTCCryptoProvider;
use rtc_stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_USERNAME};
use rtc_stun::error_code::{
    CODE_FORBIDDEN, CODE_STALE_NONCE, CODE_UNAUTHORIZED, ErrorCode, ErrorCodeAttribute,
};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    CLASS_INDICATION, CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, Getter as _, METHOD_ALLOCATE,
    METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_DATA, METHOD_REFRESH, METHOD_SEND,
    Message, MessageType, Method, Setter, TransactionId,
};
use rtc_stun::textattrs::TextAttribute;
use rtc_stun::xoraddr::XorMappedAddress;
use rtc_turn::proto::PROTO_UDP;
use rtc_turn::proto::channum::{ChannelNumber, MIN_CHANNEL_NUMBER};
use rtc_turn::proto::data::Data;
use rtc_turn::proto::lifetime::Lifetime;
use rtc_turn::proto::peeraddr::PeerAddress;
use rtc_turn::proto::relayaddr::RelayedAddress;
use rtc_turn::proto::reqtrans::RequestedTransport;

use crate::RelayLogin;

/// The first wait for an answer over UDP; it doubles. A caller waits for the relay, so it begins short.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_millis(1_600);
/// Requests over UDP are sent that often (RFC 8489, 6.2.1).
const MOST_SENT: u32 = 7;
/// An answer over a stream is waited for that long (RFC 8489, 6.2.2).
const STREAM_WAIT: Duration = Duration::from_millis(39_500);
/// A nonce may go stale under a request that often.
const MOST_RENEWALS: u32 = 3;
/// Permissions live for five minutes, channels for ten (RFC 8656, 9 and 12).
const RENEWAL: Duration = Duration::from_secs(240);
/// A server that grants less than that would be asked all the time.
const LEAST_LIFETIME: Duration = Duration::from_secs(30);
/// Addresses of the peer's that may send to us, and those that have a channel.
const MOST_PERMISSIONS: usize = 64;
const MOST_CHANNELS: usize = 16;
/// A message of a stream is no longer than that: STUN's and a channel's length are of 16 bits.
const LONGEST: usize = 0xffff + 24;
/// Bytes before a channel's data.
const CHANNEL_HEADER: usize = 4;

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Send that to the server.
    Send(Vec<u8>),
    /// It relays: where peers send to, and what the server sees us as.
    Allocated {
        /// On the relay.
        relayed: SocketAddr,
        /// Ours.
        mapped: SocketAddr,
    },
    /// A peer sent that.
    Data {
        /// The peer.
        from: SocketAddr,
        /// Its bytes.
        data: Vec<u8>,
    },
    /// It relays no (more).
    Over(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asking,
    Allocated(Duration),
    Over,
}

/// What the server wants credentials for.
struct Challenge {
    realm: String,
    nonce: String,
    key: Vec<u8>,
}

/// What is asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Allocate,
    Refresh,
    Release,
    Permit(IpAddr),
    Bind(SocketAddr, u16),
}

impl Ask {
    const fn method(self) -> Method {
        match self {
            Self::Allocate => METHOD_ALLOCATE,
            Self::Refresh | Self::Release => METHOD_REFRESH,
            Self::Permit(_) => METHOD_CREATE_PERMISSION,
            Self::Bind(..) => METHOD_CHANNEL_BIND,
        }
    }

    fn attributes(self) -> Vec<Box<dyn Setter>> {
        match self {
            Self::Allocate => vec![Box::new(RequestedTransport { protocol: PROTO_UDP })],
            Self::Refresh => Vec::new(),
            Self::Release => vec![Box::new(Lifetime(Duration::ZERO))],
            Self::Permit(ip) => vec![Box::new(PeerAddress { ip, port: 0 })],
            Self::Bind(peer, number) => vec![
                Box::new(ChannelNumber(number)),
                Box::new(PeerAddress { ip: peer.ip(), port: peer.port() }),
            ],
        }
    }
}

/// A request that has no answer yet.
struct Request {
    ask: Ask,
    id: TransactionId,
    bytes: Vec<u8>,
    sent: u32,
    due: Instant,
    renewals: u32,
}

/// What the server lets a peer do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grant {
    Asked,
    /// Until then, when it is asked for again.
    Given(Instant),
    Refused,
}

/// One allocation.
pub(crate) struct Relay {
    login: RelayLogin,
    provider: Arc<dyn RTCCryptoProvider>,
    /// The way to the server is a stream.
    stream: bool,
    state: State,
    challenge: Option<Challenge>,
    requests: Vec<Request>,
    permissions: BTreeMap<IpAddr, Grant>,
    channels: BTreeMap<SocketAddr, (u16, Grant)>,
    refresh: Option<Instant>,
    /// The beginning of a message of the stream.
    inbox: Vec<u8>,
    events: VecDeque<Event>,
}

impl Relay {
    /// Asks at once for an allocation.
    pub(crate) fn new(
        now: Instant,
        login: RelayLogin,
        provider: &Arc<dyn RTCCryptoProvider>,
        stream: bool,
    ) -> Self {
        let mut relay = Self {
            login,
            provider: Arc::clone(provider),
            stream,
            state: State::Asking,
            challenge: None,
            requests: Vec::new(),
            permissions: BTreeMap::new(),
            channels: BTreeMap::new(),
            refresh: None,
            inbox: Vec::new(),
            events: VecDeque::new(),
        };
        relay.ask(now, Ask::Allocate, 0);
        relay
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let requests = self.requests.iter().map(|request| request.due);
        let due = |grant: &Grant| match grant {
            Grant::Given(until) => Some(*until),
            Grant::Asked | Grant::Refused => None,
        };
        let permissions = self.permissions.values().filter_map(due);
        let channels = self.channels.values().filter_map(|(_, grant)| due(grant));
        requests.chain(permissions).chain(channels).chain(self.refresh).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.repeat(now);
        let late = |grant: &Grant| matches!(grant, Grant::Given(until) if *until <= now);
        let permissions = self.permissions.iter().filter(|(_, grant)| late(grant));
        for ip in permissions.map(|(ip, _)| *ip).collect::<Vec<_>>() {
            // What was given holds while it is renewed.
            self.permissions.insert(ip, Grant::Given(now + RENEWAL));
            self.ask(now, Ask::Permit(ip), 0);
        }
        let channels = self.channels.iter().filter(|(_, (_, grant))| late(grant));
        let channels: Vec<_> = channels.map(|(peer, (number, _))| (*peer, *number)).collect();
        for (peer, number) in channels {
            self.channels.insert(peer, (number, Grant::Given(now + RENEWAL)));
            self.ask(now, Ask::Bind(peer, number), 0);
        }
        if let State::Allocated(lifetime) = self.state
            && self.refresh.is_some_and(|at| at <= now)
        {
            self.refresh = Some(now + lifetime / 2);
            self.ask(now, Ask::Refresh, 0);
        }
    }

    /// Sends again what was not answered over UDP, and gives up what never is.
    fn repeat(&mut self, now: Instant) {
        let mut given_up = Vec::new();
        for request in self.requests.iter_mut().filter(|request| request.due <= now) {
            if self.stream || request.sent >= MOST_SENT {
                given_up.push(request.id);
                continue;
            }
            request.due = now + (FIRST_WAIT * 2_u32.pow(request.sent)).min(LONGEST_WAIT);
            request.sent += 1;
            self.events.push_back(Event::Send(request.bytes.clone()));
        }
        for id in given_up {
            if let Some(request) = self.take(id) {
                self.failed(request.ask, None, "the relay does not answer");
            }
        }
    }

    /// Sends a datagram to a peer, as far as the server lets it; otherwise that is asked for, and the datagram is lost: checks
    /// are repeated, and nothing else goes before they are answered.
    pub(crate) fn send(&mut self, now: Instant, peer: SocketAddr, data: &[u8]) {
        if !matches!(self.state, State::Allocated(_)) {
            return;
        }
        match self.permissions.get(&peer.ip()) {
            Some(Grant::Given(_)) => {}
            Some(Grant::Asked | Grant::Refused) => return,
            None => {
                if self.permissions.len() < MOST_PERMISSIONS {
                    self.permissions.insert(peer.ip(), Grant::Asked);
                    self.ask(now, Ask::Permit(peer.ip()), 0);
                }
                return;
            }
        }
        let bytes = match self.channels.get(&peer) {
            Some((number, Grant::Given(_))) => channel_data(*number, data, self.stream),
            _ => indication(peer, data),
        };
        self.events.extend(bytes.map(Event::Send));
    }

    /// A peer's datagrams go through a channel from now on, with 4 bytes before them in place of 36.
    pub(crate) fn open_channel(&mut self, now: Instant, peer: SocketAddr) {
        let number = u16::try_from(self.channels.len()).unwrap_or(0) + MIN_CHANNEL_NUMBER;
        let allocated = matches!(self.state, State::Allocated(_));
        if allocated && self.channels.len() < MOST_CHANNELS && !self.channels.contains_key(&peer) {
            self.channels.insert(peer, (number, Grant::Asked));
            self.ask(now, Ask::Bind(peer, number), 0);
        }
    }

    /// The server need relay no longer.
    pub(crate) fn release(&mut self, now: Instant) {
        if matches!(self.state, State::Allocated(_)) {
            self.requests.clear();
            self.ask(now, Ask::Release, 0);
        }
        self.state = State::Over;
        self.refresh = None;
        self.permissions.clear();
        self.channels.clear();
    }

    /// Takes what the server sent: a datagram, or some bytes of the stream.
    pub(crate) fn receive(&mut self, now: Instant, bytes: &[u8]) {
        if !self.stream {
            return self.receive_message(now, bytes);
        }
        self.inbox.extend_from_slice(bytes);
        while let Some(length) = length_in_stream(&self.inbox) {
            match length {
                Some(length) if self.inbox.len() >= length => {
                    let rest = self.inbox.split_off(length);
                    let message = std::mem::replace(&mut self.inbox, rest);
                    self.receive_message(now, &message);
                }
                Some(_) => return,
                None => {
                    self.inbox.clear();
                    return self.end("the relay sends something else than messages");
                }
            }
        }
    }

    fn receive_message(&mut self, now: Instant, bytes: &[u8]) {
        match bytes.first() {
            Some(0..=3) => self.receive_stun(now, bytes),
            Some(64..=127) => self.receive_channel(bytes),
            _ => {}
        }
    }

    fn receive_channel(&mut self, bytes: &[u8]) {
        let Some([high, low, long, short]) = bytes.first_chunk::<CHANNEL_HEADER>() else { return };
        let number = u16::from_be_bytes([*high, *low]);
        let length = usize::from(u16::from_be_bytes([*long, *short]));
        let data = bytes.get(CHANNEL_HEADER..CHANNEL_HEADER + length);
        let peer = self.channels.iter().find(|(_, (own, _))| *own == number).map(|(peer, _)| *peer);
        if let Some((from, data)) = peer.zip(data) {
            self.events.push_back(Event::Data { from, data: data.to_vec() });
        }
    }

    fn receive_stun(&mut self, now: Instant, bytes: &[u8]) {
        let mut message = Message { raw: bytes.to_vec(), ..Message::default() };
        if message.decode().is_err() {
            return;
        }
        if message.typ == MessageType::new(METHOD_DATA, CLASS_INDICATION) {
            let (mut peer, mut data) = (PeerAddress::default(), Data::default());
            if peer.get_from(&message).is_ok() && data.get_from(&message).is_ok() {
                let from = SocketAddr::new(peer.ip, peer.port);
                self.events.push_back(Event::Data { from, data: data.0 });
            }
            return;
        }
        let id = message.transaction_id;
        let asked = self.requests.iter().find(|request| request.id == id).map(|r| r.ask);
        let Some(ask) = asked.filter(|ask| ask.method() == message.typ.method) else { return };
        if message.typ.class == CLASS_SUCCESS_RESPONSE {
            // What was asked with credentials is answered with their proof (RFC 8489, 9.2.5).
            let key = self.challenge.as_ref().map(|challenge| challenge.key.as_slice());
            let proven = key.is_none_or(|key| {
                MessageIntegrity::check(&mut message, key, self.provider.crypto()).is_ok()
            });
            if proven {
                self.take(id);
                self.granted(now, ask, &message);
            }
            return;
        }
        let mut code = ErrorCodeAttribute::default();
        if code.get_from(&message).is_ok()
            && let Some(request) = self.take(id)
        {
            self.refused(now, &request, code.code, &message);
        }
    }

    fn take(&mut self, id: TransactionId) -> Option<Request> {
        let at = self.requests.iter().position(|request| request.id == id)?;
        Some(self.requests.swap_remove(at))
    }

    fn granted(&mut self, now: Instant, ask: Ask, message: &Message) {
        match ask {
            Ask::Allocate => self.allocated(now, message),
            Ask::Refresh => self.lives(now, message),
            Ask::Release => {}
            Ask::Permit(ip) => {
                self.permissions.insert(ip, Grant::Given(now + RENEWAL));
            }
            Ask::Bind(peer, number) => {
                self.channels.insert(peer, (number, Grant::Given(now + RENEWAL)));
                // A channel brings a permission along.
                self.permissions.insert(peer.ip(), Grant::Given(now + RENEWAL));
            }
        }
    }

    fn allocated(&mut self, now: Instant, message: &Message) {
        let (mut relayed, mut mapped) = (RelayedAddress::default(), XorMappedAddress::default());
        if relayed.get_from(message).is_err() || mapped.get_from(message).is_err() {
            return self.end("the relay does not say where it relays");
        }
        self.lives(now, message);
        if self.state != State::Over {
            tracing::debug!(relayed = %relayed.ip, port = relayed.port, "asking, granted -> allocated");
            self.events.push_back(Event::Allocated {
                relayed: SocketAddr::new(relayed.ip, relayed.port),
                mapped: SocketAddr::new(mapped.ip.to_canonical(), mapped.port),
            });
        }
    }

    fn lives(&mut self, now: Instant, message: &Message) {
        let mut lifetime = Lifetime::default();
        if lifetime.get_from(message).is_err() || lifetime.0 < LEAST_LIFETIME {
            return self.end("the relay grants no time");
        }
        self.state = State::Allocated(lifetime.0);
        self.refresh = Some(now + lifetime.0 / 2);
    }

    fn refused(&mut self, now: Instant, request: &Request, code: ErrorCode, message: &Message) {
        let fresh = self.challenge.is_none() && code == CODE_UNAUTHORIZED;
        let again = fresh || code == CODE_STALE_NONCE;
        if again && request.renewals < MOST_RENEWALS && self.challenged(message) {
            return self.ask(now, request.ask, request.renewals + 1);
        }
        let why = match code {
            CODE_UNAUTHORIZED => "the relay does not know the name or the password".to_owned(),
            code => format!("the relay refuses ({})", code.0),
        };
        self.failed(request.ask, Some(code), &why);
    }

    /// Takes realm and nonce; false when they are missing.
    fn challenged(&mut self, message: &Message) -> bool {
        let text = |kind| TextAttribute::get_from_as(message, kind).ok().map(|found| found.text);
        let known = self.challenge.as_ref().map(|challenge| challenge.realm.clone());
        let (Some(nonce), Some(realm)) = (text(ATTR_NONCE), text(ATTR_REALM).or(known)) else {
            return false;
        };
        let key = MessageIntegrity::long_term_integrity_key(
            self.login.user.clone(),
            realm.clone(),
            self.login.password().to_owned(),
            self.provider.crypto(),
        );
        let Ok(key) = key else { return false };
        self.challenge = Some(Challenge { realm, nonce, key });
        true
    }

    fn failed(&mut self, ask: Ask, code: Option<ErrorCode>, why: &str) {
        tracing::debug!(?ask, why, "relay");
        match ask {
            Ask::Allocate | Ask::Refresh => self.end(why),
            Ask::Release => {}
            Ask::Permit(ip) if code == Some(CODE_FORBIDDEN) => {
                self.permissions.insert(ip, Grant::Refused);
            }
            // The next datagram asks again.
            Ask::Permit(ip) => {
                self.permissions.remove(&ip);
            }
            // It goes without.
            Ask::Bind(peer, number) => {
                self.channels.insert(peer, (number, Grant::Refused));
            }
        }
    }

    fn end(&mut self, why: &str) {
        if self.state != State::Over {
            tracing::debug!(why, "-> over");
            self.state = State::Over;
            self.refresh = None;
            self.requests.clear();
            self.events.push_back(Event::Over(why.to_owned()));
        }
    }

    fn ask(&mut self, now: Instant, ask: Ask, renewals: u32) {
        let id = TransactionId::new();
        let mut attributes: Vec<Box<dyn Setter + '_>> =
            vec![Box::new(id), Box::new(MessageType::new(ask.method(), CLASS_REQUEST))];
        attributes.extend(ask.attributes().into_iter().map(|one| one as Box<dyn Setter>));
        if let Some(Challenge { realm, nonce, key }) = &self.challenge {
            let text = |kind, value: &String| Box::new(TextAttribute::new(kind, value.clone()));
            attributes.push(text(ATTR_USERNAME, &self.login.user));
            attributes.push(text(ATTR_REALM, realm));
            attributes.push(text(ATTR_NONCE, nonce));
            attributes.push(Box::new(MessageIntegrity::new_raw_integrity_with_provider(
                key.clone(),
                self.provider.crypto(),
            )));
        }
        attributes.push(Box::new(FINGERPRINT));
        let mut message = Message::new();
        if let Err(error) = message.build(&attributes) {
            drop(attributes);
            return self.failed(ask, None, &error.to_string());
        }
        drop(attributes);
        let wait = if self.stream { STREAM_WAIT } else { FIRST_WAIT };
        let (bytes, due) = (message.raw, now + wait);
        self.events.push_back(Event::Send(bytes.clone()));
        self.requests.push(Request { ask, id, bytes, sent: 1, due, renewals });
    }
}

/// A datagram for a peer that has no channel.
fn indication(peer: SocketAddr, data: &[u8]) -> Option<Vec<u8>> {
    let mut message = Message::new();
    let built = message.build(&[
        Box::new(TransactionId::new()),
        Box::new(MessageType::new(METHOD_SEND, CLASS_INDICATION)),
        Box::new(PeerAddress { ip: peer.ip(), port: peer.port() }),
        Box::new(Data(data.to_vec())),
    ]);
    built.ok().map(|()| message.raw)
}

/// A datagram in a channel; in a stream it fills whole words (RFC 8656, 12.5).
fn channel_data(number: u16, data: &[u8], stream: bool) -> Option<Vec<u8>> {
    let length = u16::try_from(data.len()).ok()?;
    let mut bytes = Vec::with_capacity(CHANNEL_HEADER + data.len() + 3);
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(data);
    if stream {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    Some(bytes)
}

/// How long the stream's first message is: nothing yet, or no message at all.
fn length_in_stream(bytes: &[u8]) -> Option<Option<usize>> {
    let [first, _, high, low] = bytes.first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let whole = match first {
        0..=3 => length + 20,
        64..=127 => (length + CHANNEL_HEADER).next_multiple_of(4),
        _ => return Some(None),
    };
    Some(Some(whole).filter(|whole| *whole <= LONGEST))
}
