//! A virtual network for tests: user agents and scripted peers on a wire with latency, loss and
//! reordering, in virtual time.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses its own part")]

pub mod ladder;
pub mod setup;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use sip_core::{Random, Route, Source, Target, Transmit};
use sip_types::{Message, Request, Response, Transport, Uri};
use sip_ua::{
    AcceptFrom, AccountConfig, AccountId, Body, Config, Event, Input, OutgoingCall, Output,
    ResolveError, SessionId, UserAgent,
};

/// Decides about a message on the wire: `true` loses it.
type Filter = Box<dyn FnMut(usize, &Message) -> bool>;

pub struct Net {
    pub start: Instant,
    pub now: Instant,
    pub nodes: Vec<Node>,
    pub latency: (u64, u64),
    /// Per cent of the messages that are lost.
    pub loss: u64,
    pub filter: Option<Filter>,
    pub wire: Vec<InFlight>,
    pub log: Vec<ladder::Entry>,
    pub random: Random,
    /// Names that the resolver knows besides addresses.
    pub names: BTreeMap<String, Vec<SocketAddr>>,
    sequence: u64,
}

pub struct Node {
    pub name: &'static str,
    pub addr: SocketAddr,
    pub agent: Option<UserAgent>,
    pub account: AccountId,
    pub events: VecDeque<Event>,
    /// Everything that ever happened, for counting.
    pub history: Vec<Event>,
    /// Messages for a scripted peer.
    pub inbox: VecDeque<Message>,
}

pub struct InFlight {
    at: Instant,
    order: u64,
    from: usize,
    to: SocketAddr,
    transport: Transport,
    payload: Vec<u8>,
}

pub fn sdp(text: &str) -> Body {
    Body::sdp(format!("v=0 {text}"))
}

pub fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

impl Net {
    #[expect(clippy::disallowed_methods, reason = "the one base that virtual time counts from")]
    pub fn new(seed: u8) -> Self {
        let start = Instant::now();
        Self {
            start,
            now: start,
            nodes: Vec::new(),
            latency: (10, 10),
            loss: 0,
            filter: None,
            wire: Vec::new(),
            log: Vec::new(),
            random: Random::from_seed([seed; 32]),
            names: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Two user agents that call each other directly.
    pub fn pair(seed: u8) -> Self {
        let mut net = Self::new(seed);
        net.add_agent("alice", |_| {});
        net.add_agent("bob", |_| {});
        net
    }

    /// One user agent that is registered with nobody, and a scripted peer.
    pub fn scripted(seed: u8) -> Self {
        let mut net = Self::new(seed);
        net.add_agent("alice", |_| {});
        net.add_script("bob");
        net
    }

    fn next_addr(&self) -> SocketAddr {
        format!("192.0.2.{}:5060", self.nodes.len() + 1).parse().unwrap()
    }

    pub fn add_script(&mut self, name: &'static str) -> usize {
        let addr = self.next_addr();
        self.push(name, addr, None, AccountId(0))
    }

    pub fn add_agent(
        &mut self,
        name: &'static str,
        change: impl FnOnce(&mut AccountConfig),
    ) -> usize {
        self.add_agent_with(name, Config::default(), change)
    }

    pub fn add_agent_with(
        &mut self,
        name: &'static str,
        mut settings: Config,
        change: impl FnOnce(&mut AccountConfig),
    ) -> usize {
        let addr = self.next_addr();
        settings.user_agent = "Test".to_owned();
        let seed = u8::try_from(self.nodes.len() + 1).unwrap();
        let mut seeds = [seed; 32];
        seeds[0] = u8::try_from(self.random.between(0, 255)).unwrap();
        let mut agent = UserAgent::new(settings, Random::from_seed(seeds));
        let aor = uri(&format!("sip:{name}@{}", addr.ip()));
        let mut config = AccountConfig::new(aor, uri(&format!("sip:{}", addr.ip())));
        config.register = false;
        config.accept_from = AcceptFrom::Any;
        change(&mut config);
        let account = agent.add_account(self.now, config);
        let node = self.push(name, addr, Some(agent), account);
        self.drain(node);
        node
    }

    fn push(
        &mut self,
        name: &'static str,
        addr: SocketAddr,
        agent: Option<UserAgent>,
        account: AccountId,
    ) -> usize {
        self.nodes.push(Node {
            name,
            addr,
            agent,
            account,
            events: VecDeque::new(),
            history: Vec::new(),
            inbox: VecDeque::new(),
        });
        self.nodes.len() - 1
    }

    /// Does something with a user agent and takes out what it wants done.
    pub fn act<R>(&mut self, node: usize, f: impl FnOnce(&mut UserAgent, Instant) -> R) -> R {
        let now = self.now;
        let result = f(self.nodes[node].agent.as_mut().unwrap(), now);
        self.drain(node);
        result
    }

    pub fn dial(&mut self, from: usize, to: usize, body: Option<Body>) -> SessionId {
        let callee = format!("sip:{}@{}", self.nodes[to].name, self.nodes[to].addr.ip());
        let account = self.nodes[from].account;
        let call = OutgoingCall::new(uri(&callee), body);
        self.act(from, |agent, now| agent.invite(now, account, call)).unwrap()
    }

    fn drain(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].agent.as_mut().and_then(UserAgent::poll_output) {
            match output {
                Output::Transmit(transmit) => self.launch(node, &transmit),
                Output::Resolve { query, uri } => {
                    let result = self.resolve(node, &uri);
                    let now = self.now;
                    let agent = self.nodes[node].agent.as_mut().unwrap();
                    agent.handle_input(now, Input::Resolved { query, result });
                }
                Output::Event(event) => {
                    self.nodes[node].events.push_back(event.clone());
                    self.nodes[node].history.push(event);
                }
            }
        }
    }

    fn resolve(&self, node: usize, uri: &Uri) -> Result<Vec<Route>, ResolveError> {
        let host = uri.host().map(ToString::to_string).unwrap_or_default();
        let port = uri.port().unwrap_or(5060);
        let addrs = match self.names.get(&host) {
            Some(addrs) => addrs.clone(),
            None => match host.parse() {
                Ok(ip) => vec![SocketAddr::new(ip, port)],
                Err(_) => return Err(ResolveError { reason: format!("no such host: {host}") }),
            },
        };
        let transport = uri.transport().unwrap_or(Transport::Udp);
        let local = self.nodes[node].addr;
        Ok(addrs
            .into_iter()
            .map(|addr| Route { target: Target { transport, addr }, local })
            .collect())
    }

    fn launch(&mut self, from: usize, transmit: &Transmit) {
        let message = Message::parse(&transmit.payload).expect("we send readable messages");
        let drawn = self.random.between(1, 100) <= self.loss;
        let filtered = self.filter.as_mut().is_some_and(|filter| filter(from, &message));
        let lost = drawn || filtered;
        let to = self.node_at(transmit.target.addr);
        self.log.push(ladder::Entry {
            at: self.now - self.start,
            from: self.nodes[from].name,
            to: to.map_or("nowhere", |to| self.nodes[to].name),
            message,
            lost,
        });
        if lost {
            return;
        }
        self.sequence += 1;
        let delay = self.random.between(self.latency.0, self.latency.1);
        self.wire.push(InFlight {
            at: self.now + Duration::from_millis(delay),
            order: self.sequence,
            from,
            to: transmit.target.addr,
            transport: transmit.target.transport,
            payload: transmit.payload.clone(),
        });
    }

    fn node_at(&self, addr: SocketAddr) -> Option<usize> {
        self.nodes.iter().position(|node| node.addr == addr)
    }

    /// A scripted peer sends a message.
    pub fn send(&mut self, from: usize, to: usize, payload: Vec<u8>) {
        let target = Target { transport: Transport::Udp, addr: self.nodes[to].addr };
        self.launch(from, &Transmit::new(target, payload));
    }

    pub fn send_request(&mut self, from: usize, to: usize, request: Request) {
        self.send(from, to, Message::Request(request).to_bytes());
    }

    pub fn send_response(&mut self, from: usize, to: usize, response: Response) {
        self.send(from, to, Message::Response(response).to_bytes());
    }

    fn next_time(&self) -> Option<Instant> {
        let wire = self.wire.iter().map(|flight| flight.at);
        let agents = self.nodes.iter().filter_map(|node| node.agent.as_ref()?.poll_timeout());
        wire.chain(agents).min()
    }

    /// Does the next thing that is due no later than `until`.
    fn step(&mut self, until: Instant) -> bool {
        let Some(next) = self.next_time().filter(|next| *next <= until) else { return false };
        self.now = self.now.max(next);
        let due = |flight: &InFlight| flight.at <= self.now;
        let first = self.wire.iter().filter(|f| due(f)).min_by_key(|f| (f.at, f.order));
        if let Some(order) = first.map(|flight| flight.order) {
            let index = self.wire.iter().position(|flight| flight.order == order).unwrap();
            let flight = self.wire.swap_remove(index);
            self.deliver(&flight);
            return true;
        }
        for node in 0..self.nodes.len() {
            let due = self.nodes[node].agent.as_ref().and_then(UserAgent::poll_timeout);
            if due.is_some_and(|at| at <= self.now) {
                let now = self.now;
                self.nodes[node].agent.as_mut().unwrap().handle_timeout(now);
                self.drain(node);
            }
        }
        true
    }

    fn deliver(&mut self, flight: &InFlight) {
        let Some(to) = self.node_at(flight.to) else { return };
        let message = Message::parse(&flight.payload).unwrap();
        let (local, remote) = (self.nodes[to].addr, self.nodes[flight.from].addr);
        let source = Source { transport: flight.transport, local, remote };
        let now = self.now;
        match &mut self.nodes[to].agent {
            Some(agent) => {
                agent.handle_input(now, Input::Received { source, message });
                self.drain(to);
            }
            None => self.nodes[to].inbox.push_back(message),
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, milliseconds: u64) {
        let until = self.now + Duration::from_millis(milliseconds);
        let mut steps = 0;
        while self.step(until) {
            steps += 1;
            assert!(steps < 200_000, "time stands still");
        }
        self.now = until;
    }

    /// Events that came up since the last call.
    pub fn events(&mut self, node: usize) -> Vec<Event> {
        self.nodes[node].events.drain(..).collect()
    }

    /// The next event that `pick` knows, dropping others.
    pub fn expect<R>(&mut self, node: usize, mut pick: impl FnMut(&Event) -> Option<R>) -> R {
        while let Some(event) = self.nodes[node].events.pop_front() {
            if let Some(result) = pick(&event) {
                return result;
            }
        }
        let history = &self.nodes[node].history;
        panic!("{} never saw it; it saw {history:#?}", self.nodes[node].name);
    }

    pub fn incoming(&mut self, node: usize) -> SessionId {
        self.expect(node, |event| match event {
            Event::Incoming(incoming) => Some(incoming.session),
            _ => None,
        })
    }

    pub fn ended(&mut self, node: usize) -> sip_ua::EndCause {
        self.expect(node, |event| match event {
            Event::Ended { cause, .. } => Some(cause.clone()),
            _ => None,
        })
    }

    /// Messages that a scripted peer has received.
    pub fn requests(&mut self, node: usize) -> Vec<Request> {
        let inbox = self.nodes[node].inbox.drain(..);
        let requests = inbox.filter_map(|message| match message {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        });
        requests.collect()
    }

    /// Messages that a scripted peer has received.
    pub fn responses(&mut self, node: usize) -> Vec<Response> {
        let inbox = self.nodes[node].inbox.drain(..);
        let responses = inbox.filter_map(|message| match message {
            Message::Response(response) => Some(response),
            Message::Request(_) => None,
        });
        responses.collect()
    }

    /// Nothing is left over: no session, no transaction, and one `Ended` for each session.
    pub fn assert_quiet(&self) {
        for node in &self.nodes {
            let Some(agent) = &node.agent else { continue };
            assert_eq!(agent.session_count(), 0, "{} keeps sessions", node.name);
            assert_eq!(agent.transaction_count(), (0, 0), "{} keeps transactions", node.name);
            let mut ends: BTreeMap<SessionId, u32> = BTreeMap::new();
            for event in &node.history {
                if let Event::Ended { session, .. } = event {
                    *ends.entry(*session).or_default() += 1;
                }
            }
            assert!(ends.values().all(|count| *count == 1), "{}: {ends:?}", node.name);
        }
    }
}

pub fn is_request(message: &Message, method: &sip_types::Method) -> bool {
    matches!(message, Message::Request(request) if request.method == *method)
}

impl Net {
    pub fn history_has(&self, node: usize, pick: impl Fn(&Event) -> bool) -> bool {
        self.nodes[node].history.iter().any(pick)
    }
}

impl Net {
    pub fn inbox_clear(&mut self, node: usize) {
        self.nodes[node].inbox.clear();
    }
}
