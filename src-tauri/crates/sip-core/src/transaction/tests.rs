//! Whole exchanges in virtual time, written down as ladders.

mod client;
mod large;
mod outcome;
mod server;
mod soak;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sip_types::{HeaderName, Message, Method, Request, Response, StatusCode, Transport, Uri};

use super::{ClientKey, Event, Input, Limits, Output, ServerKey, TimerConfig, TransactionLayer};
use crate::{Random, Route, Source, Target, Transmit};

/// One layer, a clock, and a record of what it did.
pub(super) struct Ladder {
    pub(super) layer: TransactionLayer,
    start: Instant,
    now: Instant,
    record: String,
    pub(super) transport: Transport,
    /// The messages sent, parsed.
    pub(super) sent: Vec<Message>,
    pub(super) requests: Vec<ServerKey>,
}

#[expect(clippy::disallowed_methods, reason = "the one real instant virtual time counts from")]
pub(super) fn base() -> Instant {
    Instant::now()
}

impl Ladder {
    pub(super) fn new(transport: Transport) -> Self {
        Self::with_limits(transport, Limits::default())
    }

    pub(super) fn with_limits(transport: Transport, limits: Limits) -> Self {
        let random = Random::from_seed([1; 32]);
        let start = base();
        Self {
            layer: TransactionLayer::with_limits(TimerConfig::default(), limits, random),
            start,
            now: start,
            record: "\n".to_owned(),
            transport,
            sent: Vec::new(),
            requests: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    pub(super) fn route(&self) -> Route {
        Route {
            target: Target { transport: self.transport, addr: "192.0.2.9:5060".parse().unwrap() },
            local: "192.0.2.1:5062".parse().unwrap(),
        }
    }

    pub(super) fn source(&self) -> Source {
        Source {
            transport: self.transport,
            local: "192.0.2.1:5062".parse().unwrap(),
            remote: "192.0.2.9:5060".parse().unwrap(),
        }
    }

    pub(super) fn request(&mut self, method: Method) -> ClientKey {
        let route = self.route();
        let key = self.layer.request(self.now, request(method), &route);
        self.drain();
        key
    }

    pub(super) fn cancel(&mut self, key: ClientKey) -> Option<ClientKey> {
        let cancel = self.layer.cancel(self.now, &key);
        self.drain();
        cancel
    }

    /// An answer to the request sent `index`th arrives, with this To tag.
    pub(super) fn answer(&mut self, index: usize, status: u16, tag: &str) {
        let Message::Request(request) = self.sent[index].clone() else { panic!("no request") };
        self.note("<-", &format!("{status} {} ({tag})", request.method));
        self.receive(Message::Response(response(&request, status, tag)));
    }

    /// A request arrives.
    pub(super) fn arrive(&mut self, request: Request) {
        let line = request.method.to_string();
        self.note("<-", &line);
        self.receive(Message::Request(request));
    }

    /// The TU answers the `index`th request it was shown.
    pub(super) fn respond(&mut self, index: usize, request: &Request, status: u16) {
        let key = self.requests[index];
        self.layer.respond(self.now, &key, response(request, status, "us"));
        self.drain();
    }

    pub(super) fn receive(&mut self, message: Message) {
        let source = self.source();
        self.layer.handle_input(self.now, Input::Received { source, message });
        self.drain();
    }

    pub(super) fn fail_transport(&mut self) {
        self.note("!!", "transport fails");
        let (target, reason) = (self.route().target, "no route".to_owned());
        self.layer.handle_input(self.now, Input::TransportFailed { target, reason });
        self.drain();
    }

    /// Lets time pass, timers included.
    pub(super) fn pass(&mut self, milliseconds: u64) {
        let until = self.now + Duration::from_millis(milliseconds);
        self.drain();
        while let Some(due) = self.layer.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.layer.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    /// Lets time pass until nothing is left to wait for.
    pub(super) fn finish(mut self) -> String {
        while let Some(due) = self.layer.poll_timeout() {
            self.now = due;
            self.layer.handle_timeout(due);
            self.drain();
        }
        assert_eq!(self.layer.under_way(), (0, 0), "something is left behind");
        self.record
    }

    fn drain(&mut self) {
        while let Some(output) = self.layer.poll_output() {
            match output {
                Output::Transmit(transmit) => self.note_sent(&transmit),
                Output::Event(event) => {
                    if let Event::Request { key, .. } = &event {
                        self.requests.push(*key);
                    }
                    self.note("**", &describe(&event));
                }
            }
        }
    }

    fn note_sent(&mut self, transmit: &Transmit) {
        let message = Message::parse(&transmit.payload).expect("we send what we can read");
        let line = match &message {
            Message::Request(request) => request.method.to_string(),
            Message::Response(response) => {
                let cseq = response.headers.cseq().unwrap();
                format!("{} {}", response.status.code(), cseq.method)
            }
        };
        self.note("->", &line);
        self.sent.push(message);
    }

    fn note(&mut self, way: &str, what: &str) {
        let at = self.now.duration_since(self.start).as_millis();
        writeln!(self.record, "{at:>6} ms {way} {what}").unwrap();
    }
}

pub(super) fn describe(event: &Event) -> String {
    match event {
        Event::Request { key, request, .. } => format!("{} as {key}", request.method),
        Event::Ack { .. } => "ACK".to_owned(),
        Event::Cancel { key, .. } => format!("CANCEL of {key}"),
        Event::Response { key, response, .. } => {
            format!("{} for {key}", response.status.code())
        }
        Event::StrayResponse { response, .. } => format!("stray {}", response.status.code()),
        Event::Failed { key, failure } => format!("{key} failed: {failure}"),
        Event::ServerFailed { key, failure } => format!("{key} failed: {failure:?}"),
        Event::ClientTerminated { key } => format!("{key} terminated"),
        Event::ServerTerminated { key } => format!("{key} terminated"),
    }
}

/// A request as the TU makes it: without a Via.
#[expect(clippy::needless_pass_by_value, reason = "methods are named where they are used")]
pub(super) fn request(method: Method) -> Request {
    let mut request = Request::new(method.clone(), Uri::parse("sip:bob@example.com").unwrap());
    for (name, value) in [
        (HeaderName::MaxForwards, "70".to_owned()),
        (HeaderName::From, "<sip:alice@example.com>;tag=al".to_owned()),
        (HeaderName::To, "<sip:bob@example.com>".to_owned()),
        (HeaderName::CallId, "call-1".to_owned()),
        (HeaderName::CSeq, format!("7 {method}")),
        (HeaderName::Contact, "<sip:alice@192.0.2.9>".to_owned()),
    ] {
        request.headers.push(name, value);
    }
    request
}

/// A request as it arrives, with this Via.
pub(super) fn arriving(method: Method, branch: &str) -> Request {
    let mut request = request(method);
    let via = format!("SIP/2.0/UDP 192.0.2.9:5060;rport;branch={branch}");
    request.headers.insert_first(HeaderName::Via, via);
    request
}

pub(super) fn response(request: &Request, status: u16, tag: &str) -> Response {
    let mut response = Response::to_request(request, StatusCode::new(status).unwrap());
    if status > 100 {
        let to = response.headers.to().unwrap().with_tag(tag);
        response.headers.set(HeaderName::To, to.to_string());
    }
    response
}
