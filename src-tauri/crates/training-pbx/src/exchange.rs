//! The exchange: registrations and calls of the company, without I/O.
//!
//! Inputs: from phones `Received`, `Malformed`, `TransportFailed`; from the media sockets `EndpointOpened`, `Happened`; from
//! the owner `customer_call`, `restart`, `hang_up_all`; from time `handle_timeout`. A phone's messages go through a
//! [`UserAgent`], whose sessions are the legs of calls; the SDP between two phones is passed on as it is. Each call is one
//! [`Call`]: `setup` brings it up to the answer, `talk` is in charge after that.

mod setup;
mod talk;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use sip_core::digest::Role;
use sip_core::{Random, Route, Source, Target, Transmit};
use sip_types::{Host, Message, Method, NameAddr, ParseError, Transport, Uri};
use sip_ua::{
    AcceptFrom, AccountConfig, AccountId, Config, Event, Output as UaOutput, ResolveError,
    SessionId, UserAgent,
};

use crate::call::{Call, Party, State};
use crate::company::Company;
use crate::endpoint::{Happened, StreamSeed};
use crate::gate::Gate;
use crate::media_task::{EndpointId, MediaCommand};
use crate::pbx::{CallNumber, Status};
use crate::registrar::Registrar;

/// Calls at once.
const CALLS: usize = 250;
/// No call lasts longer, so that a phone that vanished leaves nothing behind for ever.
const LONGEST_CALL: Duration = Duration::from_secs(2 * 3600);

/// What the outside tells the exchange.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub(crate) enum Input {
    /// A SIP message came in.
    Received { source: Source, message: Message },
    /// Bytes came in that are none.
    Malformed { source: Source, error: ParseError },
    /// A message could not be sent, or a connection broke.
    TransportFailed { target: Target, reason: String },
    /// The answer to [`Output::OpenEndpoint`]: the RTP port, or nothing.
    EndpointOpened { endpoint: EndpointId, port: Option<u16> },
    /// A simulated party's line has news.
    Happened { endpoint: EndpointId, what: Happened },
}

/// What the exchange wants done.
#[derive(Debug)]
pub(crate) enum Output {
    /// Send this.
    Transmit(Transmit),
    /// Open an RTP socket; answer with [`Input::EndpointOpened`].
    OpenEndpoint(EndpointId, StreamSeed),
    /// Tell the media task.
    Media(MediaCommand),
}

/// How an exchange is set up.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) company: Company,
    /// Passwords by extension.
    pub(crate) passwords: BTreeMap<String, SecretString>,
    /// Our address and port as phones know them.
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    /// How long a phone rings.
    pub(crate) ring_time: Duration,
}

/// The exchange.
pub(crate) struct Exchange {
    company: Company,
    address: IpAddr,
    port: u16,
    ring_time: Duration,
    random: Random,
    gate: Gate,
    registrar: Registrar,
    ua: UserAgent,
    account: AccountId,
    calls: BTreeMap<CallNumber, Call>,
    sessions: HashMap<SessionId, CallNumber>,
    endpoints: HashMap<EndpointId, CallNumber>,
    last_call: u64,
    last_endpoint: u64,
    last_customer: usize,
    outputs: VecDeque<Output>,
}

impl Exchange {
    /// An exchange without registrations and calls.
    pub(crate) fn new(now: Instant, settings: Settings, mut random: Random) -> Self {
        let Settings { company, passwords, address, port, ring_time } = settings;
        let gate = Gate::new(&company.domain, passwords, random.fork());
        let (ua, account) = user_agent(now, address, port, &mut random);
        Self {
            company,
            address,
            port,
            ring_time,
            random,
            gate,
            registrar: Registrar::default(),
            ua,
            account,
            calls: BTreeMap::new(),
            sessions: HashMap::new(),
            endpoints: HashMap::new(),
            last_call: 0,
            last_endpoint: 0,
            last_customer: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what the outside has to tell.
    pub(crate) fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Received { source, message } => {
                self.ua.handle_input(now, sip_ua::Input::Received { source, message });
            }
            Input::Malformed { source, error } => {
                self.ua.handle_input(now, sip_ua::Input::Malformed { source, error });
            }
            Input::TransportFailed { target, reason } => {
                self.registrar.handle_failure(target);
                self.ua.handle_input(now, sip_ua::Input::TransportFailed { target, reason });
            }
            Input::EndpointOpened { endpoint, port } => self.endpoint_opened(now, endpoint, port),
            Input::Happened { endpoint, what } => self.happened(now, endpoint, what),
        }
        self.drain(now);
    }

    /// Lets everything happen that is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.registrar.handle_timeout(now);
        self.ua.handle_timeout(now);
        self.drain(now);
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let late: Vec<CallNumber> = self
            .calls
            .iter()
            .filter(|(_, call)| is_due(call.due) || is_due(call.patience))
            .map(|(&number, _)| number)
            .collect();
        for number in late {
            self.call_due(now, number);
            self.drain(now);
        }
    }

    /// The next thing to do.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let calls = self.calls.values().flat_map(|call| [call.due, call.patience]).flatten();
        calls.chain(self.ua.poll_timeout()).chain(self.registrar.poll_timeout()).min()
    }

    /// Forgets registrations and calls without telling anybody.
    pub(crate) fn restart(&mut self, now: Instant) {
        tracing::debug!("running, restart -> empty");
        for endpoint in self.endpoints.drain().map(|(endpoint, _)| endpoint) {
            self.outputs.push_back(Output::Media(MediaCommand::Close(endpoint)));
        }
        self.calls.clear();
        self.sessions.clear();
        self.registrar.forget();
        (self.ua, self.account) = user_agent(now, self.address, self.port, &mut self.random);
    }

    /// Ends all calls properly.
    pub(crate) fn hang_up_all(&mut self, now: Instant) {
        for number in self.calls.keys().copied().collect::<Vec<_>>() {
            self.end(now, number, "the exchange stops");
        }
        self.drain(now);
    }

    /// Sessions that still wait for the end of their BYE or CANCEL, or are in use.
    pub(crate) fn open_sessions(&self) -> usize {
        self.ua.session_count()
    }

    /// What is going on.
    pub(crate) fn status(&self) -> Status {
        let binding = |(user, binding): (&str, &crate::registrar::Binding)| {
            (user.to_owned(), binding.contact.to_string())
        };
        Status {
            registrations: self.registrar.all().map(binding).collect(),
            calls: self.calls.len(),
            sessions: self.ua.session_count(),
            endpoints: self.endpoints.len(),
            malformed: self.ua.counters().malformed,
        }
    }

    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.ua.poll_output() {
            match output {
                UaOutput::Transmit(transmit) => self.outputs.push_back(Output::Transmit(transmit)),
                UaOutput::Resolve { query, uri } => {
                    let result = self.locate(&uri);
                    self.ua.handle_input(now, sip_ua::Input::Resolved { query, result });
                }
                UaOutput::Event(event) => self.ua_event(now, event),
            }
        }
    }

    /// Phones are reached where they registered from; anything else must be an address, there is no name service here.
    fn locate(&self, uri: &Uri) -> Result<Vec<Route>, ResolveError> {
        if let Some((_, binding)) = self.registrar.all().find(|(_, b)| b.contact.equivalent(uri)) {
            return Ok(vec![binding.route()]);
        }
        let transport = uri.transport().unwrap_or(Transport::Udp);
        let address = uri.host().and_then(Host::ip).ok_or_else(|| ResolveError {
            reason: "the exchange only calls addresses".to_owned(),
        })?;
        let port = uri.port().unwrap_or(transport.default_port());
        let target = Target { transport, addr: (address, port).into() };
        Ok(vec![Route { target, local: (self.address, self.port).into() }])
    }

    fn ua_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Incoming(incoming) => self.incoming(now, &incoming),
            Event::Provisional { session, status, body, .. } => {
                self.provisional(now, session, status, body);
            }
            Event::Answered { session, body, role, .. } => self.answered(now, session, body, role),
            Event::Confirmed { session, body } => self.confirmed(now, session, body),
            Event::Reoffered { session, body, .. } => self.reoffered(now, session, body),
            Event::ReofferAnswered { session, body, role } => {
                self.reoffer_answered(now, session, body, role);
            }
            Event::ReofferFailed { session, status, .. } => {
                self.reoffer_failed(now, session, status);
            }
            Event::Ended { session, cause } => self.ended(now, session, cause.status),
            Event::OutOfDialog { key, request, source } if request.method == Method::Register => {
                let response = match self.gate.check(now, Role::Server, &request) {
                    Err(refusal) => *refusal,
                    Ok(user) => self.register(now, &user, &request, source),
                };
                self.ua.respond(now, &key, response);
            }
            other => self.other_event(now, other),
        }
    }

    /// The user whose address of record is registered must be the one who signed in.
    fn register(
        &mut self,
        now: Instant,
        user: &str,
        request: &sip_types::Request,
        source: Source,
    ) -> sip_types::Response {
        let owner = request.headers.to().ok().and_then(|to| to.uri.user());
        if owner.as_deref() != Some(user) {
            return sip_types::Response::to_request(request, sip_types::StatusCode::FORBIDDEN);
        }
        self.registrar.handle_register(now, user, request, source)
    }

    /// An address of a number at this exchange.
    fn uri(&self, number: &str) -> Uri {
        let host = match self.address {
            IpAddr::V4(address) => Host::V4(address),
            IpAddr::V6(address) => Host::V6(address),
        };
        Uri::sip(Some(number), host, Some(self.port))
    }

    /// The name and address of somebody of the company.
    fn identity(&self, extension: &str) -> NameAddr {
        let address = NameAddr::new(self.uri(extension));
        let account = self.company.account(extension).map(|account| account.name.as_str());
        let person = || self.company.person(extension).map(|person| person.name.as_str());
        match account.or_else(person) {
            Some(name) => address.with_display(name),
            None => address,
        }
    }

    fn call_of(&mut self, session: SessionId) -> Option<(CallNumber, &mut Call)> {
        let number = *self.sessions.get(&session)?;
        self.calls.get_mut(&number).map(|call| (number, call))
    }

    fn media(&mut self, command: MediaCommand) {
        self.outputs.push_back(Output::Media(command));
    }

    /// A phone left the call or will not come.
    fn forget_session(&mut self, session: SessionId) {
        self.sessions.remove(&session);
    }

    /// Ends a call: whoever is still in it is told.
    fn end(&mut self, now: Instant, number: CallNumber, why: &str) {
        let Some(mut call) = self.calls.remove(&number) else { return };
        tracing::debug!(call = number.0, "{}, {why} -> ended", call.state.name());
        for session in call.phones() {
            if self.sessions.remove(&session).is_some() {
                let _ = self.ua.hangup(now, session);
            }
        }
        if let Some(endpoint) = call.local().map(|local| local.endpoint) {
            self.close(endpoint);
        }
        if let (Party::Local(_), State::Talking { far: Party::Local(far), .. }) =
            (&call.near, &call.state)
        {
            self.close(far.endpoint);
        }
    }

    fn close(&mut self, endpoint: EndpointId) {
        if self.endpoints.remove(&endpoint).is_some() {
            self.media(MediaCommand::Close(endpoint));
        }
    }
}

fn user_agent(
    now: Instant,
    address: IpAddr,
    port: u16,
    random: &mut Random,
) -> (UserAgent, AccountId) {
    let config = Config {
        user_agent: concat!("Balie-PBX/", env!("CARGO_PKG_VERSION")).to_owned(),
        pass_through: [Method::Register].into(),
        symmetric: true,
        max_sessions: 4 * CALLS,
        ..Config::default()
    };
    let mut ua = UserAgent::new(config, random.fork());
    let host = match address {
        IpAddr::V4(address) => Host::V4(address),
        IpAddr::V6(address) => Host::V6(address),
    };
    let own = Uri::sip(None, host, Some(port));
    let account = AccountConfig {
        register: false,
        accept_from: AcceptFrom::Any,
        catch_all: true,
        ..AccountConfig::new(own.clone(), own)
    };
    let account = ua.add_account(now, account);
    (ua, account)
}

#[cfg(test)]
mod tests;
