//! The exchange: registrations and calls of the company, without I/O.
//!
//! Inputs: from phones `Received`, `Malformed`, `TransportFailed`; from the media sockets `EndpointOpened`, `Happened`; from
//! the owner `customer_call`, `restart`, `hang_up_all` and the knobs; from time `handle_timeout`. A phone's messages go
//! through a [`UserAgent`], whose sessions are the legs of calls; the SDP between two phones is passed on as it is. Each
//! call is one [`Call`]: `setup` brings it up to the answer, `talk` is in charge after that; `transfer` and `services`
//! move parties from call to call, and `joining` makes them hear each other. Where more than two are to hear each other the
//! sound goes through the exchange: `rooms`, for `conference`, `supervision` and `recording`.

mod attendant;
mod bookkeeping;
mod click;
mod conference;
mod customers;
mod elsewhere;
mod features;
mod forwarding;
mod hoteling;
mod hunting;
mod joining;
mod knobs;
mod lines;
mod look;
mod pull;
mod queue;
mod recording;
mod remote;
mod ring_back;
mod ring_too;
mod rooms;
mod rules;
mod script;
mod sequence;
mod services;
mod setup;
mod simulated;
mod supervision;
mod talk;
mod trace;
mod transfer;
mod users;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use sip_core::digest::Role;
use sip_core::{Random, Route, Source, Target, Transmit};
use sip_types::{
    HeaderName, Host, Message, Method, NameAddr, ParseError, Request, Response, StatusCode,
    Transport, Uri,
};
use sip_ua::{
    AcceptFrom, AccountConfig, AccountId, Config, Event, Output as UaOutput, ResolveError,
    SessionId, UserAgent,
};

use crate::acd::{Acd, AcdEvent, AgentId, Calendar, QueueId};
use crate::call::{Call, Party, State};
use crate::company::Company;
use crate::desk::Desk;
use crate::endpoint::{Happened, StreamSeed};
use crate::gate::Gate;
use crate::life::{Life, Pace};
use crate::mailboxes::Mailboxes;
use crate::media_task::{EndpointId, MediaCommand};
use crate::notifier::{Names, Notification, Notifier};
use crate::pbx::{CallNumber, Status};
use crate::recorder::RecordingNews;
use crate::registrar::Registrar;
use crate::rush::Callers;
use crate::sip_look::SipLook;
pub(crate) use click::Goal;
pub(crate) use conference::{ConferenceVerb, Ears, ParticipantVerb, UserConference};
pub use knobs::{AnswerStatus, TransferFail};
pub(crate) use lines::{End, Line, LineDialog, Stage};
pub(crate) use recording::{RecordingState, RecordingVerb, UserRecording};
pub(crate) use remote::VerbError;
pub(crate) use supervision::{Manner, Wish as SupervisionWish};
pub(crate) use users::{CallNews, CallStage, Place, UserCall};

use click::Click;
use hunting::Hunts;
use knobs::Knobs;
use recording::Recording;
use ring_back::RingBack;
use rooms::Rooms;
use supervision::Guest;
use trace::Traces;
use transfer::Referral;

const USER_AGENT: &str = concat!("Balie-PBX/", env!("CARGO_PKG_VERSION"));
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
    /// Something became of the recording of a call.
    Recording { call: CallNumber, what: RecordingNews },
    /// What was said to a line's voicemail, 16 kHz.
    Message { line: String, message: u64, sound: Arc<[i16]> },
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
    /// Tell those who watch the call centre.
    Acd(Box<AcdEvent>),
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
    /// How often colleagues call each other.
    pub(crate) pace: Pace,
    /// The clock on the company's wall.
    pub(crate) calendar: Calendar,
    /// Calls can be recorded.
    pub(crate) records: bool,
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
    /// What transferors are told.
    referrals: BTreeMap<SessionId, Referral>,
    /// Calls whose sound goes through the exchange, and why.
    rooms: Rooms,
    guests: BTreeMap<CallNumber, Guest>,
    /// What a guest is asked to prove himself with, by the line whose telephone he wants.
    challenges: BTreeMap<String, String>,
    recordings: BTreeMap<CallNumber, Recording>,
    records: bool,
    desk: Desk,
    mailboxes: Mailboxes,
    life: Life,
    knobs: Knobs,
    acd: Acd,
    /// The agents of the call centre and whether they are simulated; what the engine was told of their lines.
    agents: Vec<(AgentId, bool)>,
    told_lines: BTreeMap<AgentId, (bool, u32, bool)>,
    queue_names: BTreeMap<QueueId, String>,
    /// The calls that ring agents, by the waiting call and the agent.
    offers: BTreeMap<(CallNumber, AgentId), CallNumber>,
    hunts: Hunts,
    callers: Callers,
    calendar: Calendar,
    notifier: Notifier,
    look: SipLook,
    /// New and old messages, and the phones that were told of them unasked.
    told_mailboxes: BTreeMap<String, (u32, u32, usize)>,
    /// Something happened that a lamp may show.
    changed: bool,
    /// Something happened in the call centre that changed no call and no line.
    centre_changed: bool,
    /// Something happened that the web services may show.
    watched: bool,
    /// What calls went through since the web services asked last.
    news: VecDeque<CallNews>,
    /// Own phones that ring before somebody is called.
    clicks: BTreeMap<u64, Click>,
    /// Those who are rung when a line is free.
    ring_backs: Vec<RingBack>,
    traces: Traces,
    last_call: u64,
    last_endpoint: u64,
    last_customer: usize,
    outputs: VecDeque<Output>,
}

impl Exchange {
    /// An exchange without registrations and calls.
    #[expect(clippy::too_many_lines, reason = "a list of fields, each empty at first")]
    pub(crate) fn new(now: Instant, settings: Settings, mut random: Random) -> Self {
        let Settings { company, passwords, address, port, ring_time, pace, calendar, records } =
            settings;
        let gate = Gate::new(&company.domain, passwords, random.fork());
        let (ua, account) = user_agent(now, address, port, &mut random);
        let life = Life::new(now, pace, random.fork());
        let names = Names {
            company: company.clone(),
            monitored: BTreeMap::new(),
            host: std::net::SocketAddr::new(address, port).to_string(),
            user_agent: USER_AGENT.to_owned(),
        };
        let notifier = Notifier::new(names, random.fork());
        let centre = company.call_centre();
        let simulated = |agent: AgentId| {
            let simulated = company.person(&agent.0).is_some();
            (agent, simulated)
        };
        let agents = centre.all_agents().into_keys().map(simulated).collect();
        let name = |queue: &crate::acd::QueueConfig| (queue.id.clone(), queue.name.clone());
        let queue_names = centre.queues.iter().map(name).collect();
        let acd = Acd::new(now, centre, calendar, random.fork());
        let callers = Callers::new(random.fork());
        let desk = settings_of_lines(&company);
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
            referrals: BTreeMap::new(),
            rooms: Rooms::default(),
            guests: BTreeMap::new(),
            challenges: BTreeMap::new(),
            recordings: BTreeMap::new(),
            records,
            desk,
            mailboxes: Mailboxes::default(),
            life,
            knobs: Knobs::default(),
            acd,
            agents,
            told_lines: BTreeMap::new(),
            queue_names,
            offers: BTreeMap::new(),
            hunts: Hunts::default(),
            callers,
            calendar,
            notifier,
            look: SipLook::default(),
            told_mailboxes: BTreeMap::new(),
            changed: true,
            centre_changed: false,
            watched: true,
            news: VecDeque::new(),
            clicks: BTreeMap::new(),
            ring_backs: Vec::new(),
            traces: Traces::default(),
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
            Input::EndpointOpened { endpoint, port } => {
                self.changed = true;
                self.endpoint_opened(now, endpoint, port);
            }
            Input::Happened { endpoint, what } => self.happened(now, endpoint, what),
            Input::Recording { call, what } => self.recording_news(call, &what),
            Input::Message { line, message, sound } => {
                self.mailboxes.attach(&line, message, &sound);
            }
        }
        self.settle(now);
    }

    /// Lets everything happen that is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.registrar.handle_timeout(now);
        self.changed |= self.registrar.has_gone();
        self.guests_due(now);
        self.ua.handle_timeout(now);
        self.drain(now);
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let late: Vec<CallNumber> = self
            .calls
            .iter()
            .filter(|(_, call)| {
                let again = call.again.as_ref().map(|again| again.at);
                is_due(call.due) || is_due(call.patience) || is_due(again)
            })
            .map(|(&number, _)| number)
            .collect();
        for number in late {
            self.call_due(now, number);
            self.changed = true;
            self.drain(now);
        }
        self.legs_due(now);
        self.clicks_late(now);
        self.live(now);
        self.callers_due(now);
        self.centre_due(now);
        self.notifier.handle_timeout(now, &self.mailboxes);
        self.settle(now);
    }

    fn live(&mut self, now: Instant) {
        if self.life.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        let quiet = Life::new(now, Pace::default(), self.random.fork());
        let mut life = std::mem::replace(&mut self.life, quiet);
        self.changed |= life.handle_timeout(now, |life| self.free_people(life));
        self.life = life;
        self.talks_over(now);
    }

    fn centre_due(&mut self, now: Instant) {
        if self.changed {
            self.tell_lines(now);
        }
        if self.acd.poll_timeout().is_some_and(|at| at <= now) {
            self.acd.handle_timeout(now);
        }
    }

    /// The next thing to do.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let again = |call: &Call| call.again.as_ref().map(|again| again.at);
        let due = |call: &Call| [call.due, call.patience, again(call)];
        let calls = self.calls.values().flat_map(due).flatten();
        let rest = [
            self.ua.poll_timeout(),
            self.registrar.poll_timeout(),
            self.life.poll_timeout(),
            self.acd.poll_timeout(),
            self.callers.poll_timeout(),
            self.notifier.poll_timeout(),
            self.clicks_due(),
            self.guest_until(),
            self.rooms.due(),
        ];
        calls.chain(rest.into_iter().flatten()).min()
    }

    /// Forgets registrations and calls without telling anybody.
    pub(crate) fn restart(&mut self, now: Instant) {
        tracing::debug!("running, restart -> empty");
        for endpoint in self.endpoints.drain().map(|(endpoint, _)| endpoint) {
            self.outputs.push_back(Output::Media(MediaCommand::Close(endpoint)));
        }
        for port in self.rooms.forget() {
            self.outputs.push_back(Output::Media(MediaCommand::Close(port)));
        }
        for call in std::mem::take(&mut self.recordings).into_keys() {
            let stop = MediaCommand::Record(call, crate::recorder::Record::Stop);
            self.outputs.push_back(Output::Media(stop));
        }
        self.guests.clear();
        self.challenges.clear();
        self.calls.clear();
        self.clicks.clear();
        self.ring_backs.clear();
        self.sessions.clear();
        self.referrals.clear();
        self.offers.clear();
        self.told_lines.clear();
        self.acd.forget_calls(now);
        self.life.forget();
        self.notifier.reset();
        self.changed = true;
        self.registrar.forget();
        (self.ua, self.account) = user_agent(now, self.address, self.port, &mut self.random);
    }

    /// Ends all calls properly.
    pub(crate) fn hang_up_all(&mut self, now: Instant) {
        for number in self.calls.keys().copied().collect::<Vec<_>>() {
            self.end(now, number, "the exchange stops");
        }
        self.notifier.drop_all(now, None, Some("deactivated"), &self.mailboxes);
        self.settle(now);
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
            endpoints: self.endpoints.len() + self.rooms.ports(),
            subscriptions: self.notifier.count(),
            malformed: self.ua.counters().malformed,
            traced: self.traces.all(),
        }
    }

    /// Lets everything that has been set off come to rest, and tells those who watch.
    fn settle(&mut self, now: Instant) {
        loop {
            self.drain(now);
            if self.changed {
                if self.tend_rooms(now) {
                    continue;
                }
                self.drain(now);
                self.tell_lines(now);
            }
            if self.run_centre(now) {
                continue;
            }
            let centre = std::mem::take(&mut self.centre_changed);
            if std::mem::take(&mut self.changed) || centre {
                let gone = self.registrar.take_gone();
                self.notifier.registered(self.contacts(), &gone);
                for line in self.notifier.feature_lines() {
                    let features = self.features(&line);
                    self.notifier.know(&line, features);
                }
                self.notifier.know_parked(self.all_parked());
                self.notifier.know_hosted(self.hosted());
                self.watched = true;
                self.notifier.publish(now, self.lines(), &self.mailboxes);
                if self.tell_mailboxes(now) {
                    continue;
                }
            }
            let Some(Notification { subscription, request, route }) = self.notifier.poll_output()
            else {
                break;
            };
            let key = self.ua.send_request(now, request, &route);
            self.notifier.sent(subscription, key);
        }
        if !self.ring_backs.is_empty() {
            self.tend_ring_backs(now);
        }
    }

    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.ua.poll_output() {
            match output {
                UaOutput::Transmit(transmit) => self.transmit(transmit),
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
            Event::OutOfDialogResponse { key, response } => {
                self.notifier.answered(now, key, response.status, &self.mailboxes);
            }
            Event::OutOfDialogFailed { key, .. } => {
                self.notifier.failed(key);
            }
            event => {
                self.changed = true;
                self.call_event(now, event);
            }
        }
    }

    fn call_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Incoming(incoming) => self.incoming(now, &incoming),
            Event::Provisional { session, status, body, .. } => {
                self.provisional(now, session, status, body);
            }
            Event::Answered { session, body, role, .. } => {
                if !self.click_answered(now, session, body.as_ref()) {
                    self.answered(now, session, body, role);
                }
            }
            Event::Confirmed { session, body } => self.confirmed(now, session, body),
            Event::Reoffered { session, body, .. } => self.reoffered(now, session, body),
            Event::ReofferAnswered { session, body, role } => {
                self.reoffer_answered(now, session, body, role);
            }
            Event::ReofferFailed { session, status, .. } => {
                self.reoffer_failed(now, session, status);
            }
            Event::Ended { session, cause } => {
                if !self.click_ended(session) && !self.redirected(now, session, &cause.redirect) {
                    self.ended(now, session, cause.status);
                }
            }
            Event::OutOfDialog { key, request, source } => {
                let response = self.outside_request(now, &request, source);
                self.ua.respond(now, &key, response);
            }
            other => self.other_event(now, other),
        }
    }

    fn outside_request(&mut self, now: Instant, request: &Request, source: Source) -> Response {
        let inside = request.headers.to().is_ok_and(|to| to.tag().is_some());
        match request.method {
            Method::Register => match self.gate.check(now, Role::Server, request) {
                Err(refusal) => *refusal,
                Ok(user) => self.register(now, &user, request, source),
            },
            Method::Subscribe => match self.gate.check(now, Role::Server, request) {
                Err(refusal) => *refusal,
                Ok(user) => match self
                    .subscribe_features(now, &user, request)
                    .and_then(|()| self.subscribe_hoteling(now, &user, request))
                {
                    Ok(()) => self.notifier.subscribe(now, &user, request, source, &self.mailboxes),
                    Err(status) => Response::to_request(request, status),
                },
            },
            // Only who talks with somebody may send him on.
            Method::Refer if !inside => Response::to_request(request, StatusCode::FORBIDDEN),
            _ => Response::to_request(request, StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST),
        }
    }

    /// The user whose address of record is registered must be the one who signed in.
    fn register(
        &mut self,
        now: Instant,
        user: &str,
        request: &Request,
        source: Source,
    ) -> Response {
        let owner = request.headers.to().ok().and_then(|to| to.uri.user());
        if owner.as_deref() != Some(user) {
            return Response::to_request(request, StatusCode::FORBIDDEN);
        }
        let mut response = self.registrar.handle_register(now, user, request, source);
        response.headers.push(HeaderName::AllowEvents, self.notifier.packages());
        response
    }

    /// The contacts of each user.
    fn contacts(&self) -> BTreeMap<String, Vec<String>> {
        let mut contacts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (user, binding) in self.registrar.all() {
            contacts.entry(user.to_owned()).or_default().push(binding.contact.to_string());
        }
        contacts
    }

    /// An address of a number at this exchange.
    fn uri(&self, number: &str) -> Uri {
        Uri::sip(Some(number), Host::from(self.address), Some(self.port))
    }

    /// The address of the exchange itself.
    fn own_uri(&self) -> Uri {
        Uri::sip(None, Host::from(self.address), Some(self.port))
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
        self.changed = true;
        self.stop_transfer(now, number, why);
        let next = self.heard_next(number);
        self.take_out(number);
        let Some(mut call) = self.calls.remove(&number) else { return };
        self.recording_over(number);
        self.voicemail_left(now, &call);
        self.rested(now, &call);
        self.agent_refused(now, &mut call);
        self.conversation_over(now, &mut call);
        if self.acd.knows(number) {
            self.acd.handle_input(now, crate::acd::Input::CallerGone { call: number });
        }
        if let Party::Transferee(first) = call.near
            && let Some(first) = self.calls.get_mut(&first)
        {
            first.transfer = None;
        }
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
        if let Some(phone) = next {
            self.ask_phone(now, phone, "talk");
        }
    }

    fn close(&mut self, endpoint: EndpointId) {
        if self.endpoints.remove(&endpoint).is_some() {
            self.media(MediaCommand::Close(endpoint));
        }
    }
}

/// What is set on the lines from the start.
fn settings_of_lines(company: &Company) -> Desk {
    let mut desk = Desk::default();
    for account in &company.accounts {
        desk.bar(&account.extension, account.barred);
    }
    desk
}

fn user_agent(
    now: Instant,
    address: IpAddr,
    port: u16,
    random: &mut Random,
) -> (UserAgent, AccountId) {
    let config = Config {
        user_agent: USER_AGENT.to_owned(),
        pass_through: [Method::Register, Method::Refer, Method::Subscribe].into(),
        supported: vec!["replaces".to_owned()],
        symmetric: true,
        max_sessions: 4 * CALLS,
        ..Config::default()
    };
    let mut ua = UserAgent::new(config, random.fork());
    let own = Uri::sip(None, Host::from(address), Some(port));
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
