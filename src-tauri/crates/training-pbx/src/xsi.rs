//! The web services of a hosted exchange: Xsi-Actions and Xsi-Events, without I/O.
//!
//! Inputs: from clients `handle_request`; from the exchange `observe` (something changed) and the call centre's events;
//! from streams `stream_gone`; from the control port `turn`; from time `handle_timeout`. Every request is answered at once;
//! what channels carry comes out of `poll_output`. [`http`] is the driver.
//!
//! | path under | served |
//! |---|---|
//! | `/com.broadsoft.xsi-actions/v2.0` | `versions`, `user/{id}/profile…`, `calls…`, `directories…`, `services…`, `callcenter/{id}…`, `group/{id}/services/CallCenter/UnavailableCodes` |
//! | `/com.broadsoft.xsi-events/v2.0` | `versions`, subscriptions of users and collections, `subscription…`, `channel…`, `channelset/{id}` |
//! | `/com.broadsoft.async/com.broadsoft.xsi-events/v2.0` | `channel`: the open answers |
//! | `/dms/bc/pc` | `config.xml` behind digest |

mod auth;
mod clock;
mod dms;
pub(crate) mod element;
pub(crate) mod events;
pub(crate) mod http;
pub(crate) mod knobs;
pub(crate) mod names;
mod payload;
mod query;
pub(crate) mod read;
mod routes;
mod settings;
mod tricks;
pub(crate) mod watch;
pub(crate) mod web;
pub(crate) mod write;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use secrecy::SecretString;
use sip_core::Random;

use self::auth::Doors;
use self::clock::Clock;
use self::dms::FileDoor;
use self::element::Element;
use self::events::Events;
use self::events::wire::Piece;
use self::knobs::{Cut, XsiKnob};
use self::names::Names;
use self::payload::call as call_payload;
use self::query::Address;
use self::settings::Settings;
use self::tricks::Tricks;
use self::watch::Watch;
use self::web::{Refusal, StreamId, WebReply, WebRequest};
use crate::acd::{Acd, AcdEvent, AcdView};
use crate::company::Company;
use crate::exchange::{Exchange, UserCall};
use crate::pbx::{PbxError, Profile};

/// What is to be done with the streams of channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// Write a chunk.
    Chunk(StreamId, Vec<u8>),
    /// End the body as it should.
    End(StreamId),
    /// Break it.
    Cut(StreamId, Cut),
}

/// How the web services are set up.
#[derive(Debug)]
pub(crate) struct XsiSettings {
    pub(crate) company: Company,
    pub(crate) profile: Profile,
    /// Web passwords by extension.
    pub(crate) web: BTreeMap<String, SecretString>,
    /// SIP passwords by extension.
    pub(crate) sip: BTreeMap<String, SecretString>,
    /// The listeners' addresses, `http://127.0.0.1:8080`.
    pub(crate) hosts: Vec<String>,
    /// Host and port of the SIP side.
    pub(crate) sip_host: String,
    /// Milliseconds since 1970 now.
    pub(crate) epoch_ms: u64,
    /// Calls can be recorded.
    pub(crate) records: bool,
}

/// The web services.
pub(crate) struct Xsi {
    names: Names,
    profile: Profile,
    hosts: Vec<String>,
    sip_host: String,
    /// Calls can be recorded.
    records: bool,
    clock: Clock,
    doors: Doors,
    files: FileDoor,
    settings: Settings,
    lists: routes::Lists,
    events: Events,
    watch: Watch,
    tricks: Tricks,
    /// The call centre as it was when it was asked about last.
    centre: AcdView,
    /// It has changed since.
    centre_is_old: bool,
    /// What happened in it since.
    centre_events: Vec<AcdEvent>,
    /// What those who watch services have been told.
    told: BTreeMap<(String, &'static str), Element>,
    /// Whose services are watched, as of which change of the subscriptions.
    watched: (u64, Vec<String>),
    cuts: VecDeque<(StreamId, Cut)>,
}

impl Xsi {
    /// Web services that nobody has used.
    pub(crate) fn new(now: Instant, settings: XsiSettings, mut random: Random) -> Self {
        let names = Names { company: settings.company };
        let clock = Clock::new(now, settings.epoch_ms);
        let domain = names.company.domain.clone();
        Self {
            doors: Doors::new(
                names.clone(),
                settings.profile,
                (settings.web, settings.sip),
                random.fork(),
            ),
            files: FileDoor::new(&names, random.fork()),
            settings: Settings::default(),
            lists: routes::Lists::default(),
            events: Events::new(&domain, random.fork()),
            watch: Watch::new(names.clone(), clock),
            tricks: Tricks::default(),
            centre: AcdView::default(),
            centre_is_old: true,
            centre_events: Vec::new(),
            told: BTreeMap::new(),
            watched: (0, Vec::new()),
            cuts: VecDeque::new(),
            profile: settings.profile,
            hosts: settings.hosts,
            sip_host: settings.sip_host,
            records: settings.records,
            clock,
            names,
        }
    }

    /// Answers a request.
    pub(crate) fn handle_request(
        &mut self,
        now: Instant,
        exchange: &mut Exchange,
        request: &WebRequest,
    ) -> WebReply {
        let address = Address::parse(&request.target);
        let json = request.wants_json(&address);
        let delay = self.tricks.delay(&request.target);
        if let Some(mut reply) = self.tricks.answer(&request.target, json) {
            reply.delay = delay;
            return reply;
        }
        let mut cookie = None;
        let mut reply = match self.route(now, exchange, request, &address, &mut cookie) {
            Ok(answer) => answer.write(json),
            Err(refusal) => {
                tracing::debug!(status = refusal.status, summary = %refusal.summary, path = %address.parts.join("/"), "web request refused");
                refusal.write(json)
            }
        };
        if let Some(cookie) = cookie {
            let cookie = format!("JSESSIONID={cookie}; Path=/; HttpOnly");
            reply = reply.header("set-cookie", cookie);
        }
        reply.delay = delay;
        self.observe(now, exchange);
        if request.method == "PUT" {
            self.tell_services(now, exchange);
        }
        reply
    }

    fn route(
        &mut self,
        now: Instant,
        exchange: &mut Exchange,
        request: &WebRequest,
        address: &Address,
        cookie: &mut Option<String>,
    ) -> web::Outcome {
        let words = address.words(0);
        if words.last().is_some_and(|word| word == "j_logout") {
            self.doors.log_out(request);
            return Ok(web::Answer::done());
        }
        let (context, skip) = routes::Context::of(&words)?;
        if context == routes::Context::Files {
            return self.file(now, exchange, request, &words);
        }
        routes::check_version(request, self.profile)?;
        let visitor = self.doors.check(now, request)?;
        let of_channels = words.get(skip).is_some_and(|word| word == "channel");
        if !of_channels {
            self.look(now, exchange);
        }
        *cookie = visitor.cookie;
        let words: Vec<String> = words.get(skip..).unwrap_or_default().to_vec();
        let changing = words.iter().skip(2).eq(["profile", "password", "portal"].iter());
        if visitor.expired && !changing {
            return Err(Refusal::expired());
        }
        let cx = routes::Cx { now, user: visitor.user, request, address, skip, words };
        match context {
            routes::Context::Actions => self.actions(exchange, &cx),
            routes::Context::Events => self.event_requests(exchange, &cx),
            routes::Context::Async => self.open_channel(exchange, &cx),
            routes::Context::Files => Err(Refusal::not_found("There is no such resource")),
        }
    }

    /// Something happened in the call centre; [`Self::observe`] tells it.
    pub(crate) fn hear_centre(&mut self, event: AcdEvent) {
        self.centre_events.push(event);
    }

    /// Something may have changed at the exchange: whoever watches it is told.
    pub(crate) fn observe(&mut self, now: Instant, exchange: &mut Exchange) {
        let centre_events = std::mem::take(&mut self.centre_events);
        if exchange.take_watched() || !centre_events.is_empty() || self.watch.has_news() {
            self.centre_is_old = true;
            let (calls, news) = (exchange.user_calls(), exchange.take_news());
            let (centre, names) = (exchange.acd(), &self.names);
            let acd = |call: &UserCall| payload::acd::call_info(now, call, centre, names);
            let shown = self.watch.observe(now, calls, news, acd);
            let conferences = self.watch.confer(exchange.user_conferences());
            for event in shown.into_iter().chain(conferences) {
                self.events.publish(now, &event.user, event.packages, &event.data);
            }
            self.centre_news(now, exchange.acd(), &centre_events);
            self.tell_services(now, exchange);
        }
    }

    /// Looks at the whole call centre anew, if there is anything new. Events come more often than questions, and need but
    /// little of it.
    pub(crate) fn look(&mut self, now: Instant, exchange: &Exchange) {
        if std::mem::take(&mut self.centre_is_old) {
            self.centre = exchange.centre(now);
        }
    }

    fn centre_news(&mut self, now: Instant, centre: &Acd, events: &[AcdEvent]) {
        for event in events {
            let (clock, names) = (self.clock, &self.names);
            let part = |agent: &str, call: u64| self.watch.part_in(agent, call).map(str::to_owned);
            for shown in payload::acd::events(event, centre, clock, (names, &part)) {
                self.events.publish(now, &shown.user, shown.packages, &shown.data);
            }
        }
    }

    /// Services whose settings are not what was told last.
    pub(in crate::xsi) fn tell_services(&mut self, now: Instant, exchange: &Exchange) {
        self.find_watched();
        let watched = std::mem::take(&mut self.watched.1);
        for user in &watched {
            for (package, data) in self.service_states(exchange, user) {
                let key = (user.clone(), package);
                match self.told.insert(key, data.clone()) {
                    Some(before) if before != data => {
                        self.events.publish(now, user, &[package], &data);
                    }
                    _ => {}
                }
            }
        }
        self.watched.1 = watched;
    }

    /// Notes whose services somebody watches, if that has changed; what the others were told is forgotten, since their
    /// watchers begin with all of it.
    fn find_watched(&mut self) {
        let revision = self.events.subscription_knobs().revision();
        if self.watched.0 == revision {
            return;
        }
        let of_services = |package: &&'static str| {
            !call_payload::BSA.contains(package) && !payload::acd::PACKAGES.contains(package)
        };
        let targets = self.events.targets(of_services);
        let accounts = self.names.company.accounts.iter().map(|account| &account.extension);
        let watched: Vec<String> = accounts.filter(|user| targets.covers(user)).cloned().collect();
        self.told.retain(|(user, _), _| watched.contains(user));
        self.watched = (revision, watched);
    }

    /// The events with which the services of a user can be watched, by their packages.
    fn service_states(&self, exchange: &Exchange, user: &str) -> Vec<(&'static str, Element)> {
        let desk = exchange.desk();
        let mut states: Vec<(&'static str, Element)> = settings::SERVICES
            .iter()
            .filter(|service| self.profile == Profile::R2020 || !service.since_2020)
            .filter_map(|service| {
                let (package, kind) = service.event?;
                let info = self.settings.document(desk, user, service, "info");
                Some((package, payload::service::event(kind, info)))
            })
            .collect();
        for (package, kind, info) in [
            (
                "Simultaneous Ring Personal",
                "SimultaneousRingPersonalEvent",
                self.ring_too_info(user, "info"),
            ),
            ("Sequential Ring", "SequentialRingEvent", self.sequential_info(user, "info")),
            ("BroadWorks Anywhere", "BroadWorksAnywhereEvent", self.anywhere_info(user, "info")),
        ] {
            states.push((package, payload::service::event(kind, info)));
        }
        let mailbox = exchange.mailbox(user);
        states.push(("Voice Mail Message Summary", payload::service::messages(mailbox)));
        let parked = exchange.parked(user);
        states.push(("Call Park", payload::service::parked(parked.as_ref(), &self.names)));
        states
    }

    /// The connection of a channel is gone.
    pub(crate) fn stream_gone(&mut self, now: Instant, stream: StreamId) {
        self.events.stream_gone(now, stream);
    }

    /// The exchange has crashed: channels are gone, subscriptions are kept, and what they show is told anew.
    pub(crate) fn crash(&mut self, now: Instant, exchange: &mut Exchange) {
        self.events.crash(now);
        self.observe(now, exchange);
        self.look(now, exchange);
        self.resync(now, None);
    }

    /// Tells the subscriptions of a user, or all, everything anew. How many.
    fn resync(&mut self, now: Instant, owner: Option<&str>) -> usize {
        let fits = |s: &&events::subscription::Subscription| owner.is_none_or(|o| s.owner == o);
        let all: Vec<events::subscription::Subscription> =
            self.events.subscriptions().filter(fits).cloned().collect();
        let mut told = 0;
        for subscription in all {
            let events::subscription::Target::User(target) = &subscription.target else { continue };
            for package in &subscription.packages {
                let data = if call_payload::BSA.contains(package) {
                    let records = self.watch.of(target);
                    let off = self.watch.off_hook(target);
                    Some(call_payload::everything(
                        "CallSubscriptionResyncEvent",
                        &records,
                        (self.watch.conference(target, "conference"), off),
                        &self.names,
                    ))
                } else if *package == "Call Center Queue" {
                    let kind = "ACDSubscriptionResyncEvent";
                    payload::acd::queue(kind, target, &self.centre, self.clock, &self.names)
                } else {
                    None
                };
                if let Some(data) = data {
                    self.events.tell(now, &subscription.id, target, data);
                    told += 1;
                }
            }
        }
        told
    }

    /// Turns a knob; what it touched.
    ///
    /// # Errors
    /// [`PbxError`]: an unknown user, a value out of range.
    pub(crate) fn turn(&mut self, now: Instant, knob: XsiKnob) -> Result<usize, PbxError> {
        tricks::turn(self, now, knob)
    }

    /// Lets everything happen that is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.events.handle_timeout(now);
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.events.poll_timeout()
    }

    /// What is to be done with streams next.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        match self.events.poll_output() {
            Some(Piece::Chunk(stream, bytes)) => return Some(Output::Chunk(stream, bytes)),
            Some(Piece::End(stream)) => return Some(Output::End(stream)),
            None => {}
        }
        self.cuts.pop_front().map(|(stream, cut)| Output::Cut(stream, cut))
    }
}

#[cfg(test)]
mod tests;
