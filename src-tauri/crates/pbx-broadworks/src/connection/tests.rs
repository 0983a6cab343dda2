//! The gate that guards the password, in virtual time.

use std::time::{Duration, Instant};

use sip_core::Random;

use super::{Connection, Gate, Input, Output, Owner, WireId};
use crate::{
    HttpAnswer, HttpFailure, HttpRequest, Lane, Method, Origin, Path, Ticket, XsiError,
    session::{ChannelNumber, SessionConfig, SessionState},
};

struct Pair {
    connection: Connection,
    now: Instant,
    sent: Vec<(WireId, HttpRequest)>,
    opened: Vec<ChannelNumber>,
    done: Vec<(u64, Result<u16, XsiError>)>,
    gates: Vec<Gate>,
    sessions: Vec<SessionState>,
}

impl Pair {
    fn new(events: bool) -> Self {
        let config = SessionConfig::new("jan@pbx.example", "set-1", "balie");
        #[expect(clippy::disallowed_methods, reason = "the origin of virtual time")]
        let now = Instant::now();
        let connection = Connection::new(config, Random::from_seed([4; 32]));
        let mut pair = Self {
            connection,
            now,
            sent: Vec::new(),
            opened: Vec::new(),
            done: Vec::new(),
            gates: Vec::new(),
            sessions: Vec::new(),
        };
        let servers = vec![Origin::secure("xsp1.pbx.example", 443)];
        pair.input(Input::Servers { actions: servers.clone(), events: servers });
        pair.input(Input::Events(events));
        pair
    }

    fn input(&mut self, input: Input) {
        self.connection.handle_input(self.now, input);
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.connection.poll_timeout().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.connection.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.connection.poll_output() {
            match output {
                Output::Send { id, http, .. } => self.sent.push((id, http)),
                Output::Open { channel, .. } => self.opened.push(channel),
                Output::Done { ticket, result } => {
                    self.done.push((ticket.0, result.map(|answer| answer.status)));
                }
                Output::Gate(gate) => self.gates.push(gate),
                Output::Session(state) => self.sessions.push(state),
                _ => {}
            }
        }
    }

    fn submit(&mut self, ticket: u64) {
        let http = HttpRequest::action(Method::Get, Path::new("versions"));
        self.input(Input::Submit { ticket: Ticket(ticket), lane: Lane::Interactive, http });
    }

    fn answer(&mut self, status: u16) {
        let (id, _) = self.sent.remove(0);
        let result = Ok(HttpAnswer { status, ..HttpAnswer::default() });
        self.input(Input::Answered { id, result });
    }

    fn channel(&mut self, status: u16) -> ChannelNumber {
        let channel = self.opened.remove(0);
        let answer = HttpAnswer { status, ..HttpAnswer::default() };
        self.input(Input::ChannelAnswered { channel, answer });
        channel
    }

    fn grant(&mut self, channel: ChannelNumber) {
        let bytes = b"<Channel><channelId>c1</channelId></Channel>".to_vec();
        self.input(Input::ChannelBytes { channel, bytes });
    }
}

#[test]
fn nothing_is_sent_without_credentials() {
    let mut pair = Pair::new(true);
    pair.submit(1);
    pair.pass(Duration::from_secs(1000));
    assert!(pair.sent.is_empty() && pair.opened.is_empty());
    assert_eq!(pair.done, [(1, Err(XsiError::NotSignedIn))]);
}

#[test]
fn a_wrong_password_is_tried_exactly_once() {
    let mut pair = Pair::new(true);
    pair.input(Input::Credentials);
    for ticket in 1..=10 {
        pair.submit(ticket);
    }
    assert_eq!(pair.sent.len() + pair.opened.len(), 1, "one request finds out");
    pair.channel(401);
    assert_eq!(pair.gates, [Gate::Unproved, Gate::Refused]);
    assert_eq!(pair.done.len(), 10);
    assert!(pair.done.iter().all(|(_, result)| *result == Err(XsiError::CredentialsRefused)));
    pair.submit(11);
    pair.input(Input::NetworkChanged);
    pair.input(Input::Events(true));
    pair.pass(Duration::from_secs(100_000));
    assert!(pair.sent.is_empty() && pair.opened.is_empty(), "nothing more, ever");
    assert_eq!(pair.sessions.last(), Some(&SessionState::Refused));
    // New ones are tried, again once.
    pair.input(Input::Credentials);
    pair.submit(12);
    assert_eq!(pair.sent.len() + pair.opened.len(), 1);
}

#[test]
fn without_events_the_first_request_finds_out() {
    let mut pair = Pair::new(false);
    pair.input(Input::Credentials);
    pair.submit(1);
    pair.submit(2);
    assert_eq!(pair.sent.len(), 1);
    pair.answer(401);
    assert_eq!(pair.sent.len(), 0);
    assert_eq!(pair.connection.gate(), Gate::Refused);
    assert_eq!(pair.done.len(), 2);

    let mut pair = Pair::new(false);
    pair.input(Input::Credentials);
    for ticket in 1..=6 {
        pair.submit(ticket);
    }
    // An answer of somebody who has not looked at the credentials proves nothing.
    pair.answer(404);
    assert_eq!((pair.sent.len(), pair.connection.gate()), (1, Gate::Unproved));
    pair.answer(200);
    assert_eq!((pair.sent.len(), pair.connection.gate()), (4, Gate::Proved));
}

#[test]
fn a_password_that_changes_meanwhile_stops_everything() {
    let mut pair = Pair::new(true);
    pair.input(Input::Credentials);
    let channel = pair.channel(200);
    pair.grant(channel);
    assert_eq!(pair.sessions, [SessionState::Connecting, SessionState::Live]);
    pair.sent.clear();
    pair.submit(1);
    pair.answer(401);
    assert_eq!(pair.connection.gate(), Gate::Refused);
    pair.pass(Duration::from_secs(10_000));
    assert!(
        pair.sent.is_empty() && pair.opened.is_empty(),
        "no heart-beat, no farewell: {:?}",
        pair.sent
    );
}

#[test]
fn a_refused_heart_beat_is_checked_by_one_request_only() {
    let mut pair = Pair::new(true);
    pair.input(Input::Credentials);
    let channel = pair.channel(200);
    pair.grant(channel);
    pair.sent.clear();
    pair.pass(Duration::from_secs(14));
    let beat = pair.sent.iter().position(|(_, http)| http.target().ends_with("heartbeat")).unwrap();
    let (id, _) = pair.sent.remove(beat);
    assert_eq!(id.owner, Owner::Session);
    let result = Ok(HttpAnswer { status: 401, ..HttpAnswer::default() });
    pair.sent.clear();
    pair.input(Input::Answered { id, result });
    assert_eq!(pair.connection.gate(), Gate::Unproved);
    pair.pass(Duration::from_secs(2));
    assert_eq!((pair.opened.len(), pair.sent.len()), (1, 0));
    pair.submit(1);
    assert_eq!(pair.sent.len(), 0, "it waits for the channel");
    let channel = pair.channel(200);
    assert_eq!(pair.connection.gate(), Gate::Proved);
    assert_eq!(pair.sent.len(), 1);
    pair.grant(channel);
    assert_eq!(pair.sessions.last(), Some(&SessionState::Live));
}

#[test]
fn a_server_that_cannot_be_reached_does_not_block_the_gate() {
    let mut pair = Pair::new(true);
    pair.input(Input::Credentials);
    pair.submit(1);
    let channel = pair.opened.remove(0);
    pair.input(Input::ChannelEnded { channel, failure: Some(HttpFailure::Unreachable) });
    assert_eq!(pair.sent.len(), 1, "the request has its turn");
    pair.pass(Duration::from_secs(10));
    assert!(pair.opened.is_empty(), "the channel waits for its answer");
    pair.answer(200);
    assert_eq!(pair.opened.len(), 1);
}

#[test]
fn signing_out_leaves_nothing_behind() {
    let mut pair = Pair::new(true);
    pair.input(Input::Credentials);
    let channel = pair.channel(200);
    pair.grant(channel);
    pair.sent.clear();
    pair.input(Input::SignOut);
    let paths: Vec<_> =
        pair.sent.iter().map(|(_, http)| (http.method, http.path.as_str())).collect();
    assert_eq!(paths, [(Method::Delete, "channel/c1")]);
    assert_eq!(pair.connection.gate(), Gate::Closed);
    pair.submit(1);
    assert_eq!(pair.done, [(1, Err(XsiError::NotSignedIn))]);
}
