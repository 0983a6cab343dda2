//! The server transactions under way: starts them, matches requests, carries out what they decide.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use sip_types::{HeaderName, Method, Rejection, Request, Response, StatusCode};

use super::action::ServerAction;
use super::matching::{MergeKey, ServerMatch, to_tag};
use super::server_invite::ServerInvite;
use super::server_non_invite::ServerNonInvite;
use super::via::{self, ReturnPath};
use super::{Event, Output, ServerKey, TimerConfig};
use crate::{Random, Source, Target, Transmit};

/// All server transactions.
#[derive(Debug)]
pub(super) struct Servers {
    timers: TimerConfig,
    limit: usize,
    next_key: u64,
    entries: BTreeMap<ServerKey, Server>,
    by_match: HashMap<ServerMatch, ServerKey>,
    by_merge: HashMap<MergeKey, ServerKey>,
    deadlines: BTreeSet<(Instant, ServerKey)>,
}

#[derive(Debug)]
struct Server {
    machine: Machine,
    matching: ServerMatch,
    merge: Option<MergeKey>,
    path: ReturnPath,
    /// The request without its body, for the answers the layer gives itself.
    request: Request,
    /// The latest answer, ready to be sent again.
    latest: Vec<u8>,
    latest_to_tag: Option<String>,
    deadline: Option<Instant>,
    /// Whether the TU knows of it.
    shown: bool,
}

#[derive(Debug)]
enum Machine {
    Invite(ServerInvite),
    NonInvite(ServerNonInvite),
}

/// A request on its way in, its top Via completed.
struct Arrival {
    request: Request,
    source: Source,
    path: ReturnPath,
    matching: ServerMatch,
}

impl Servers {
    pub(super) fn new(timers: TimerConfig, limit: usize) -> Self {
        Self {
            timers,
            limit,
            next_key: 1,
            entries: BTreeMap::new(),
            by_match: HashMap::new(),
            by_merge: HashMap::new(),
            deadlines: BTreeSet::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    pub(super) fn receive(
        &mut self,
        now: Instant,
        source: Source,
        mut request: Request,
        random: &mut Random,
        out: &mut VecDeque<Output>,
    ) {
        let Some(via) = via::complete(&mut request, &source) else {
            return refuse_unreadable_via(&request, &source, random, out);
        };
        let path = via::return_path(&via, &source);
        if let Err(rejection) = sip_types::validate(&request) {
            reject(&request, path, rejection, random, out);
            return;
        }
        let Some(matching) = ServerMatch::of(&request, &via) else { return };
        let arrival = Arrival { request, source, path, matching };
        match arrival.request.method {
            Method::Ack => self.receive_ack(now, arrival, out),
            Method::Cancel => self.receive_cancel(now, arrival, random, out),
            _ => self.receive_request(now, arrival, random, out),
        }
    }

    pub(super) fn respond(
        &mut self,
        now: Instant,
        key: ServerKey,
        response: &Response,
        out: &mut VecDeque<Output>,
    ) {
        let Some(server) = self.entries.get_mut(&key) else {
            tracing::debug!("{key} has ended: {} not sent", response.status.code());
            return;
        };
        let actions = server.machine.respond(now, response.status);
        if actions.contains(&ServerAction::Send) {
            server.latest_to_tag = to_tag(&response.headers);
            server.latest = response.to_bytes();
            let challenges = [StatusCode::UNAUTHORIZED, StatusCode::PROXY_AUTHENTICATION_REQUIRED];
            // Not every client counts its CSeq up when it signs a challenged request.
            if challenges.contains(&response.status)
                && let Some(merge) = server.merge.take()
            {
                self.by_merge.remove(&merge);
            }
        } else {
            tracing::debug!("{key} does not allow {} now: not sent", response.status.code());
        }
        self.carry_out(key, actions, None, out);
    }

    pub(super) fn transport_failed(
        &mut self,
        target: Target,
        reason: &str,
        out: &mut VecDeque<Output>,
    ) {
        let concerns = |server: &Server| {
            let path = server.path;
            let same_transport = path.target.transport == target.transport;
            same_transport
                && (path.target.addr == target.addr || path.fallback == Some(target.addr))
        };
        let hit = |(key, server): (&ServerKey, &Server)| concerns(server).then_some(*key);
        let keys: Vec<ServerKey> = self.entries.iter().filter_map(hit).collect();
        for key in keys {
            let Some(server) = self.entries.get_mut(&key) else { continue };
            let actions = server.machine.transport_failed(reason);
            self.carry_out(key, actions, None, out);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        while let Some(&(at, key)) = self.deadlines.first() {
            if at > now {
                break;
            }
            let Some(server) = self.entries.get_mut(&key) else {
                self.deadlines.pop_first();
                continue;
            };
            let actions = server.machine.handle_timeout(now);
            self.carry_out(key, actions, None, out);
        }
    }

    fn receive_ack(&mut self, now: Instant, arrival: Arrival, out: &mut VecDeque<Output>) {
        let found = self.by_match.get(&arrival.matching).copied();
        let found = found.filter(|key| self.is_ack_for(*key, &arrival));
        let (request, source) = (arrival.request, arrival.source);
        let Some(server) = found.and_then(|key| self.entries.get_mut(&key)) else {
            out.push_back(Output::Event(Event::Ack { request, source }));
            return;
        };
        let Machine::Invite(machine) = &mut server.machine else { return };
        let actions = machine.acknowledged(now);
        if let Some(key) = found {
            self.carry_out(key, actions, Some((request, source)), out);
        }
    }

    /// An RFC 2543 ACK is told from others by the To tag of the answer it acknowledges.
    fn is_ack_for(&self, key: ServerKey, arrival: &Arrival) -> bool {
        let tag = to_tag(&arrival.request.headers);
        let server = self.entries.get(&key);
        !arrival.matching.is_legacy() || server.is_some_and(|server| server.latest_to_tag == tag)
    }

    fn receive_cancel(
        &mut self,
        now: Instant,
        mut arrival: Arrival,
        random: &mut Random,
        out: &mut VecDeque<Output>,
    ) {
        let invite = self.by_match.get(&arrival.matching).copied();
        arrival.matching = arrival.matching.cancelling();
        if self.retransmitted(&arrival.matching, out) || self.is_full(&arrival, random, out) {
            return;
        }
        let invite = invite.and_then(|key| Some((key, self.entries.get(&key)?)));
        let status = if invite.is_some() {
            StatusCode::OK
        } else {
            StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST
        };
        let tag = invite.and_then(|(_, server)| server.latest_to_tag.clone());
        let open = invite.filter(|(_, server)| server.machine.is_open_invite()).map(|(key, _)| key);
        let response = answer(&arrival.request, status, tag, random);
        let (request, source) = (arrival.request.clone(), arrival.source);
        let key = self.start(now, arrival, None, false, out);
        self.respond(now, key, &response, out);
        if let Some(key) = open {
            out.push_back(Output::Event(Event::Cancel { key, request, source }));
        }
    }

    fn receive_request(
        &mut self,
        now: Instant,
        arrival: Arrival,
        random: &mut Random,
        out: &mut VecDeque<Output>,
    ) {
        if self.retransmitted(&arrival.matching, out) || self.is_full(&arrival, random, out) {
            return;
        }
        let merge = MergeKey::of(&arrival.request);
        if merge.as_ref().is_some_and(|merge| self.by_merge.contains_key(merge)) {
            let response = answer(&arrival.request, StatusCode::LOOP_DETECTED, None, random);
            let key = self.start(now, arrival, None, false, out);
            self.respond(now, key, &response, out);
            return;
        }
        let (request, source) = (arrival.request.clone(), arrival.source);
        let key = self.start(now, arrival, merge, true, out);
        out.push_back(Output::Event(Event::Request { key, request, source }));
    }

    /// Whether the request belongs to a transaction under way, which then repeats its answer.
    fn retransmitted(&mut self, matching: &ServerMatch, out: &mut VecDeque<Output>) -> bool {
        let Some(&key) = self.by_match.get(matching) else { return false };
        let Some(server) = self.entries.get(&key) else { return false };
        let actions = server.machine.retransmitted();
        self.carry_out(key, actions, None, out);
        true
    }

    fn is_full(&self, arrival: &Arrival, random: &mut Random, out: &mut VecDeque<Output>) -> bool {
        let full = self.entries.len() >= self.limit;
        if full {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let rejection = Rejection::new(status, "too many transactions under way");
            reject(&arrival.request, arrival.path, rejection, random, out);
        }
        full
    }

    fn start(
        &mut self,
        now: Instant,
        arrival: Arrival,
        merge: Option<MergeKey>,
        shown: bool,
        out: &mut VecDeque<Output>,
    ) -> ServerKey {
        let key = ServerKey(self.next_key);
        self.next_key += 1;
        let Arrival { mut request, source, path, matching } = arrival;
        request.body = Vec::new();
        let machine = Machine::new(now, key, &request.method, self.timers, source);
        self.by_match.insert(matching.clone(), key);
        if let Some(merge) = &merge {
            self.by_merge.insert(merge.clone(), key);
        }
        let (latest, latest_to_tag, deadline) = (Vec::new(), None, None);
        let server = Server {
            machine,
            matching,
            merge,
            path,
            request,
            latest,
            latest_to_tag,
            deadline,
            shown,
        };
        self.entries.insert(key, server);
        self.carry_out(key, Vec::new(), None, out);
        key
    }

    /// Does what a machine decided, then notes its next timer. `ack` is the ACK it is about.
    fn carry_out(
        &mut self,
        key: ServerKey,
        actions: Vec<ServerAction>,
        mut ack: Option<(Request, Source)>,
        out: &mut VecDeque<Output>,
    ) {
        for action in actions {
            let Some(server) = self.entries.get_mut(&key) else { return };
            match action {
                ServerAction::Send => server.send(out),
                ServerAction::SendTrying => {
                    let trying = Response::to_request(&server.request, StatusCode::TRYING);
                    server.latest = trying.to_bytes();
                    server.send(out);
                }
                ServerAction::DeliverAck => {
                    let ack = ack.take().map(|(request, source)| Event::Ack { request, source });
                    out.extend(ack.map(Output::Event));
                }
                ServerAction::Fail(failure) => {
                    let event = Event::ServerFailed { key, failure };
                    self.remove(key, event, out);
                }
                ServerAction::Terminate => {
                    self.remove(key, Event::ServerTerminated { key }, out);
                }
            }
        }
        self.note_deadline(key);
    }

    fn note_deadline(&mut self, key: ServerKey) {
        let Some(server) = self.entries.get_mut(&key) else { return };
        let next = server.machine.next_timeout();
        if server.deadline == next {
            return;
        }
        if let Some(old) = server.deadline {
            self.deadlines.remove(&(old, key));
        }
        if let Some(next) = next {
            self.deadlines.insert((next, key));
        }
        server.deadline = next;
    }

    fn remove(&mut self, key: ServerKey, last_word: Event, out: &mut VecDeque<Output>) {
        let Some(server) = self.entries.remove(&key) else { return };
        self.by_match.remove(&server.matching);
        if let Some(merge) = server.merge {
            self.by_merge.remove(&merge);
        }
        if let Some(deadline) = server.deadline {
            self.deadlines.remove(&(deadline, key));
        }
        if server.shown {
            out.push_back(Output::Event(last_word));
        }
    }
}

impl Server {
    fn send(&self, out: &mut VecDeque<Output>) {
        let ReturnPath { target, fallback } = self.path;
        let payload = self.latest.clone();
        out.push_back(Output::Transmit(Transmit { target, fallback, payload }));
    }
}

impl Machine {
    fn new(
        now: Instant,
        key: ServerKey,
        method: &Method,
        timers: TimerConfig,
        source: Source,
    ) -> Self {
        let reliable = source.transport.reliable();
        match method {
            Method::Invite => Self::Invite(ServerInvite::new(now, key, timers, reliable)),
            _ => Self::NonInvite(ServerNonInvite::new(now, key, timers, reliable)),
        }
    }

    fn is_open_invite(&self) -> bool {
        matches!(self, Self::Invite(machine) if machine.is_open())
    }

    fn next_timeout(&self) -> Option<Instant> {
        match self {
            Self::Invite(machine) => machine.next_timeout(),
            Self::NonInvite(machine) => machine.next_timeout(),
        }
    }

    fn retransmitted(&self) -> Vec<ServerAction> {
        match self {
            Self::Invite(machine) => machine.retransmitted(),
            Self::NonInvite(machine) => machine.retransmitted(),
        }
    }

    fn respond(&mut self, now: Instant, status: StatusCode) -> Vec<ServerAction> {
        match self {
            Self::Invite(machine) => machine.respond(now, status),
            Self::NonInvite(machine) => machine.respond(now, status),
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Vec<ServerAction> {
        match self {
            Self::Invite(machine) => machine.handle_timeout(now),
            Self::NonInvite(machine) => machine.handle_timeout(now),
        }
    }

    fn transport_failed(&mut self, reason: &str) -> Vec<ServerAction> {
        match self {
            Self::Invite(machine) => machine.transport_failed(reason),
            Self::NonInvite(machine) => machine.transport_failed(reason),
        }
    }
}

/// 400 to where a request came from whose Via does not tell where to answer (RFC 4475 section 3.1.2.1). A request
/// without any is dropped.
fn refuse_unreadable_via(
    request: &Request,
    source: &Source,
    random: &mut Random,
    out: &mut VecDeque<Output>,
) {
    match sip_types::validate(request) {
        Err(rejection) if request.headers.contains(&HeaderName::Via) => {
            let path = ReturnPath { target: source.back(), fallback: None };
            reject(request, path, rejection, random, out);
        }
        _ => tracing::debug!("{} dropped: no Via", request.method),
    }
}

/// Answers without keeping a transaction; never an ACK.
pub(super) fn reject(
    request: &Request,
    path: ReturnPath,
    rejection: Rejection,
    random: &mut Random,
    out: &mut VecDeque<Output>,
) {
    if request.method == Method::Ack {
        return;
    }
    let ReturnPath { target, fallback } = path;
    tracing::debug!("{} refused: {rejection}", request.method);
    let mut response = answer(request, rejection.status, None, random);
    for (name, value) in rejection.headers {
        response.headers.push(name, value);
    }
    let payload = response.to_bytes();
    out.push_back(Output::Transmit(Transmit { target, fallback, payload }));
}

/// An answer of the layer's own, with a To tag as every final answer must have.
fn answer(
    request: &Request,
    status: StatusCode,
    tag: Option<String>,
    random: &mut Random,
) -> Response {
    let mut response = Response::to_request(request, status);
    response.set_to_tag(&tag.unwrap_or_else(|| random.token(10)));
    response
}
