//! The client transactions under way: starts them, matches answers, carries out what they decide.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use sip_types::{CSeq, HeaderName, Method, Request, Response, StatusCode};

use super::action::ClientAction;
use super::client_invite::ClientInvite;
use super::client_non_invite::ClientNonInvite;
use super::large::Large;
use super::matching::ClientMatch;
use super::{ClientKey, Event, Failure, Output, TimerConfig, via};
use crate::{Random, Route, Source, Target, Transmit};

/// All client transactions.
#[derive(Debug)]
pub(super) struct Clients {
    timers: TimerConfig,
    limit: usize,
    next_key: u64,
    entries: BTreeMap<ClientKey, Client>,
    by_match: HashMap<ClientMatch, ClientKey>,
    deadlines: BTreeSet<(Instant, ClientKey)>,
    large: Large,
}

#[derive(Debug)]
struct Client {
    machine: Machine,
    matching: ClientMatch,
    target: Target,
    /// For a request that goes over TCP for its size only: the way over UDP.
    over_udp: Option<Route>,
    request: Request,
    payload: Vec<u8>,
    deadline: Option<Instant>,
    cancel: Cancel,
    /// What the TU wants in the CANCEL besides what RFC 3261 section 9.1 puts there.
    cancel_headers: Vec<(HeaderName, String)>,
}

#[derive(Debug)]
enum Machine {
    Invite(ClientInvite),
    NonInvite(ClientNonInvite),
}

/// What a new transaction begins with.
struct Start {
    /// With its Via.
    request: Request,
    payload: Vec<u8>,
    branch: String,
    target: Target,
    over_udp: Option<Route>,
}

/// What has become of the TU's wish to cancel an INVITE.
#[derive(Debug, Clone, Copy)]
enum Cancel {
    None,
    /// Waits for a provisional answer.
    Held(ClientKey),
    Sent(ClientKey),
}

impl Clients {
    pub(super) fn new(timers: TimerConfig, limit: usize) -> Self {
        Self {
            timers,
            limit,
            next_key: 1,
            entries: BTreeMap::new(),
            by_match: HashMap::new(),
            deadlines: BTreeSet::new(),
            large: Large::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn open(&self) -> usize {
        self.entries.values().filter(|client| client.machine.is_open()).count()
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    pub(super) fn request(
        &mut self,
        now: Instant,
        mut request: Request,
        route: &Route,
        random: &mut Random,
        out: &mut VecDeque<Output>,
    ) -> ClientKey {
        let branch = random.branch();
        let (way, payload) = self.large.prepare(now, &mut request, route, &branch);
        let over_udp = (way != *route).then_some(*route);
        let key = self.allot();
        let start = Start { request, payload, branch, target: way.target, over_udp };
        self.start(now, key, start, out);
        key
    }

    /// Sends the ACK to a 2xx: no transaction.
    pub(super) fn send_ack(
        &mut self,
        now: Instant,
        mut ack: Request,
        route: &Route,
        random: &mut Random,
        out: &mut VecDeque<Output>,
    ) {
        let (way, payload) = self.large.prepare(now, &mut ack, route, &random.branch());
        if way != *route {
            self.large.watch_ack(way.target);
        }
        out.push_back(Output::Transmit(Transmit::new(way.target, payload)));
    }

    pub(super) fn cancel(
        &mut self,
        now: Instant,
        invite: ClientKey,
        headers: Vec<(HeaderName, String)>,
        out: &mut VecDeque<Output>,
    ) -> Option<ClientKey> {
        let key = self.allot();
        let client = self.entries.get_mut(&invite)?;
        let Machine::Invite(machine) = &client.machine else { return None };
        if !machine.is_open() {
            return None;
        }
        if let Cancel::Held(earlier) | Cancel::Sent(earlier) = client.cancel {
            return Some(earlier);
        }
        client.cancel = Cancel::Held(key);
        client.cancel_headers = headers;
        self.release_cancel(now, invite, out);
        Some(key)
    }

    pub(super) fn receive(
        &mut self,
        now: Instant,
        source: Source,
        response: Response,
        out: &mut VecDeque<Output>,
    ) {
        let status = response.status.code();
        if let Err(fault) = sip_types::validate_response(&response) {
            tracing::debug!("{status} dropped: {fault}");
            return;
        }
        let Some(matching) = ClientMatch::of(&response) else {
            tracing::debug!("{status} dropped: it has gone astray");
            return;
        };
        let Some(&key) = self.by_match.get(&matching) else {
            out.push_back(Output::Event(Event::StrayResponse { response, source }));
            return;
        };
        let Some(client) = self.entries.get_mut(&key) else { return };
        let actions = client.machine.receive(now, response.status);
        self.carry_out(key, actions, Some((response, source)), out);
        self.release_cancel(now, key, out);
    }

    pub(super) fn transport_failed(
        &mut self,
        now: Instant,
        target: Target,
        reason: &str,
        out: &mut VecDeque<Output>,
    ) {
        self.large.transport_failed(now, target);
        let hit = |(key, client): (&ClientKey, &Client)| (client.target == target).then_some(*key);
        let keys: Vec<ClientKey> = self.entries.iter().filter_map(hit).collect();
        for key in keys {
            if self.retry_over_udp(now, key, out) {
                continue;
            }
            let Some(client) = self.entries.get_mut(&key) else { continue };
            let actions = client.machine.transport_failed(reason);
            self.carry_out(key, actions, None, out);
        }
    }

    /// Sends a large request that nobody has answered over UDP after all, in the same transaction:
    /// should the server have got it before the connection broke, it is a retransmission to it.
    fn retry_over_udp(&mut self, now: Instant, key: ClientKey, out: &mut VecDeque<Output>) -> bool {
        let Some(client) = self.entries.get_mut(&key) else { return false };
        if !client.machine.is_unanswered() {
            return false;
        }
        let Some(route) = client.over_udp.take() else { return false };
        tracing::debug!("{key}: TCP for its size failed: over UDP");
        self.large.refuse(now, client.target);
        via::replace(&mut client.request, &route, &client.matching.branch);
        client.payload = client.request.to_bytes();
        client.target = route.target;
        client.machine = Machine::new(now, key, &client.request.method, self.timers, route.target);
        self.carry_out(key, vec![ClientAction::Send], None, out);
        true
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        while let Some(&(at, key)) = self.deadlines.first() {
            if at > now {
                break;
            }
            let Some(client) = self.entries.get_mut(&key) else {
                self.deadlines.pop_first();
                continue;
            };
            let actions = client.machine.handle_timeout(now);
            self.carry_out(key, actions, None, out);
        }
    }

    fn allot(&mut self) -> ClientKey {
        let key = ClientKey(self.next_key);
        self.next_key += 1;
        key
    }

    fn start(&mut self, now: Instant, key: ClientKey, start: Start, out: &mut VecDeque<Output>) {
        let Start { request, payload, branch, target, over_udp } = start;
        if self.entries.len() >= self.limit {
            out.push_back(Output::Event(Event::Failed { key, failure: Failure::TooMany }));
            return;
        }
        let matching = ClientMatch { branch, method: request.method.clone() };
        let machine = Machine::new(now, key, &request.method, self.timers, target);
        let cancel = Cancel::None;
        self.by_match.insert(matching.clone(), key);
        let client = Client {
            machine,
            matching,
            target,
            over_udp,
            request,
            payload,
            deadline: None,
            cancel,
            cancel_headers: Vec::new(),
        };
        self.entries.insert(key, client);
        self.carry_out(key, vec![ClientAction::Send], None, out);
    }

    /// Sends the CANCEL that waits, if it may leave now; drops it, if it came too late.
    fn release_cancel(&mut self, now: Instant, invite: ClientKey, out: &mut VecDeque<Output>) {
        let Some(client) = self.entries.get_mut(&invite) else { return };
        let (Cancel::Held(key), Machine::Invite(machine)) = (client.cancel, &mut client.machine)
        else {
            return;
        };
        if machine.may_cancel() {
            machine.cancelled(now);
            client.cancel = Cancel::Sent(key);
            let (branch, target) = (client.matching.branch.clone(), client.target);
            let mut cancel = hop_request(&client.request, Method::Cancel, None);
            for (name, value) in client.cancel_headers.drain(..) {
                cancel.headers.push(name, value);
            }
            let payload = cancel.to_bytes();
            let start = Start { request: cancel, payload, branch, target, over_udp: None };
            self.start(now, key, start, out);
            self.carry_out(invite, Vec::new(), None, out);
        } else if !machine.is_open() {
            client.cancel = Cancel::None;
            out.push_back(Output::Event(Event::Failed { key, failure: Failure::Overtaken }));
        }
    }

    /// Does what a machine decided, then notes its next timer. `at_hand` is the answer it is about.
    fn carry_out(
        &mut self,
        key: ClientKey,
        actions: Vec<ClientAction>,
        mut at_hand: Option<(Response, Source)>,
        out: &mut VecDeque<Output>,
    ) {
        for action in actions {
            let Some(client) = self.entries.get(&key) else { return };
            let event = match action {
                ClientAction::Send => {
                    let transmit = Transmit::new(client.target, client.payload.clone());
                    out.push_back(Output::Transmit(transmit));
                    continue;
                }
                ClientAction::Acknowledge => {
                    if let Some((refusal, _)) = &at_hand {
                        let ack = hop_request(&client.request, Method::Ack, Some(refusal));
                        let bytes = ack.to_bytes();
                        out.push_back(Output::Transmit(Transmit::new(client.target, bytes)));
                    }
                    continue;
                }
                ClientAction::Deliver => {
                    let Some((response, source)) = at_hand.take() else { continue };
                    Event::Response { key, response, source }
                }
                ClientAction::Fail(failure) => {
                    self.remove(key, out);
                    Event::Failed { key, failure }
                }
                ClientAction::Terminate => {
                    self.remove(key, out);
                    Event::ClientTerminated { key }
                }
            };
            out.push_back(Output::Event(event));
        }
        self.note_deadline(key);
    }

    fn note_deadline(&mut self, key: ClientKey) {
        let Some(client) = self.entries.get_mut(&key) else { return };
        let next = client.machine.next_timeout();
        if client.deadline == next {
            return;
        }
        if let Some(old) = client.deadline {
            self.deadlines.remove(&(old, key));
        }
        if let Some(next) = next {
            self.deadlines.insert((next, key));
        }
        client.deadline = next;
    }

    fn remove(&mut self, key: ClientKey, out: &mut VecDeque<Output>) {
        let Some(client) = self.entries.remove(&key) else { return };
        self.by_match.remove(&client.matching);
        if let Some(deadline) = client.deadline {
            self.deadlines.remove(&(deadline, key));
        }
        if let Cancel::Held(key) = client.cancel {
            out.push_back(Output::Event(Event::Failed { key, failure: Failure::Overtaken }));
        }
    }
}

impl Machine {
    fn new(
        now: Instant,
        key: ClientKey,
        method: &Method,
        timers: TimerConfig,
        target: Target,
    ) -> Self {
        let reliable = target.transport.reliable();
        match method {
            Method::Invite => Self::Invite(ClientInvite::new(now, key, timers, reliable)),
            _ => Self::NonInvite(ClientNonInvite::new(now, key, timers, reliable)),
        }
    }

    fn is_open(&self) -> bool {
        match self {
            Self::Invite(machine) => machine.is_open(),
            Self::NonInvite(machine) => machine.is_open(),
        }
    }

    /// Whether nothing at all has come back.
    fn is_unanswered(&self) -> bool {
        match self {
            Self::Invite(machine) => machine.is_unanswered(),
            Self::NonInvite(machine) => machine.is_unanswered(),
        }
    }

    fn next_timeout(&self) -> Option<Instant> {
        match self {
            Self::Invite(machine) => machine.next_timeout(),
            Self::NonInvite(machine) => machine.next_timeout(),
        }
    }

    fn receive(&mut self, now: Instant, status: StatusCode) -> Vec<ClientAction> {
        match self {
            Self::Invite(machine) => machine.receive(now, status),
            Self::NonInvite(machine) => machine.receive(now, status),
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Vec<ClientAction> {
        match self {
            Self::Invite(machine) => machine.handle_timeout(now),
            Self::NonInvite(machine) => machine.handle_timeout(now),
        }
    }

    fn transport_failed(&mut self, reason: &str) -> Vec<ClientAction> {
        match self {
            Self::Invite(machine) => machine.transport_failed(reason),
            Self::NonInvite(machine) => machine.transport_failed(reason),
        }
    }
}

/// The CANCEL of an INVITE, or the ACK to its refusal: same hop, same branch, same route (RFC 3261
/// sections 9.1 and 17.1.1.3). The ACK takes its To from the refusal.
fn hop_request(invite: &Request, method: Method, refusal: Option<&Response>) -> Request {
    let mut request = Request::new(method.clone(), invite.uri.clone());
    let headers = &mut request.headers;
    if let Ok(top) = invite.headers.via_top() {
        headers.push(HeaderName::Via, top.to_string());
    }
    headers.copy_from(&invite.headers, &HeaderName::Route);
    headers.push(HeaderName::MaxForwards, "70");
    headers.copy_from(&invite.headers, &HeaderName::From);
    let to = refusal.map_or(&invite.headers, |refusal| &refusal.headers);
    headers.copy_from(to, &HeaderName::To);
    headers.copy_from(&invite.headers, &HeaderName::CallId);
    let number = invite.headers.cseq().map(|cseq| cseq.number).unwrap_or_default();
    headers.push(HeaderName::CSeq, CSeq::new(number, method).to_string());
    request
}
