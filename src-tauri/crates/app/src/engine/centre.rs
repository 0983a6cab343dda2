//! The exchanges of the accounts: their bindings feed one model each, and what changed of it is published,
//! at most twenty times a second.

mod by_code;
mod by_event;
mod call_park;
mod code_calls;
mod commands;
mod correlate;
mod features;
mod greeting;
mod guest;
mod hoteling;
mod kept;
mod own;
mod queues;
mod recording;
mod services;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pbx::centre::{
    Capability, Centre, Change, Input, LinkState, Output, QueueId, Request, RequestId, ServiceKind,
    UserId,
};
use secrecy::SecretString;
use sip_ua::SubscriptionId;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use self::by_code::ByCode;
use self::by_event::ByEvent;
use self::commands::Waiting;
pub(super) use self::commands::outcome;
pub(super) use self::correlate::LineQueue;
use self::guest::GuestSeat;
pub(super) use self::own::queue_name;
use super::Reply;
use super::accounts::unknown_account;
use super::desk::Desk;
use crate::code::Code;
use crate::config::AccountSettings;
use crate::control::{ErrorReply, Password};
use crate::event::{AgentEvent, Event, ExchangeEvent};
use crate::exchange::{Exchanges, Feed, Order, Port, Told};
use crate::view::Update;
use crate::view::centre::{CentreView, LinkName, LinkView};
use crate::view::queue::QueueView;

/// What bindings told and the loop has not taken yet.
const TOLD: usize = 256;
/// How long the own telephone may take to ring for a call that the exchange was asked to begin.
const OWN_LEG: Duration = Duration::from_secs(15);
/// Orders that a binding has not taken yet. The model has fewer requests under way.
const ORDERS: usize = 512;

/// The exchanges by account.
pub(super) struct Centres {
    exchanges: Exchanges,
    told: mpsc::Sender<Told>,
    running: BTreeMap<String, Running>,
    last_run: u64,
}

/// One account's exchange.
pub(super) struct Running {
    run: u64,
    pub(super) centre: Centre,
    way: Way,
    /// What that way offers and does not, once it has told.
    offered: Option<Offer>,
    /// Features that are kept the same over SIP, and the subscription that they are told by.
    events: Option<Box<ByEvent>>,
    events_id: Option<SubscriptionId>,
    /// The subscription that tells who is parked at the own line.
    park_id: Option<SubscriptionId>,
    /// The lines at which somebody is parked, as told last; the own one has no name.
    parked_at: BTreeSet<String>,
    /// The guest at the telephone, the subscription that tells of him, and who waits for him to be signed in or out.
    seat: Option<Box<GuestSeat>>,
    seat_id: Option<SubscriptionId>,
    seat_reply: Option<Reply>,
    /// Commands whose answer is the outcome of a request.
    waiting: BTreeMap<RequestId, Waiting>,
    /// Until when a call that wants to be answered by itself is the one that the exchange was asked to begin.
    own_leg: Option<Instant>,
    /// To be shown anew.
    centre_changed: bool,
    queues_changed: BTreeSet<QueueId>,
    /// As it was shown last.
    shown: CentreView,
    shown_queues: BTreeMap<QueueId, QueueView>,
}

/// What there is, and what there is not with the licence that would bring it.
type Offer = (Vec<Capability>, Vec<(Capability, String)>);

/// How an exchange is asked.
enum Way {
    /// Through a binding.
    Binding(mpsc::Sender<Order>),
    /// By dialling.
    Codes(Box<ByCode>),
    /// Over SIP alone: nothing but the features that [`ByEvent`] knows.
    Events,
}

impl Centres {
    pub(super) fn new(exchanges: Exchanges) -> (Centres, mpsc::Receiver<Told>) {
        let (told, receiver) = mpsc::channel(TOLD);
        (Centres { exchanges, told, running: BTreeMap::new(), last_run: 0 }, receiver)
    }

    pub(super) fn get(&self, account: &str) -> Option<&Running> {
        self.running.get(account)
    }

    pub(super) fn running_mut(&mut self, account: &str) -> Option<&mut Running> {
        self.running.get_mut(account)
    }

    /// Something is to be shown anew.
    pub(super) fn has_news(&self) -> bool {
        let news = |running: &Running| running.centre_changed || !running.queues_changed.is_empty();
        self.running.values().any(news)
    }

    /// The network is another one.
    pub(super) fn network_changed(&self) {
        for (account, running) in &self.running {
            if let Way::Binding(orders) = &running.way
                && let Err(error) = orders.try_send(Order::NetworkChanged)
            {
                debug!(%account, %error, "the binding finds out by itself");
            }
        }
    }

    /// When a model wants to be told the time.
    pub(super) fn due(&self) -> Option<Instant> {
        let codes = self.running.values().filter_map(|running| match &running.way {
            Way::Codes(codes) => codes.poll_timeout(),
            Way::Binding(_) | Way::Events => None,
        });
        let models = self.running.values().filter_map(|running| running.centre.poll_timeout());
        let seats =
            self.running.values().filter_map(|running| running.seat.as_ref()?.poll_timeout());
        codes.chain(models).chain(seats).min()
    }
}

impl Desk {
    // --- bindings ---

    /// Connects an account with its exchange, if it has one.
    pub(super) fn begin_exchange(&mut self, now: Instant, settings: &AccountSettings) {
        let part = |env: &String, keyring: bool, known: Option<SecretString>| {
            let from_env = || std::env::var(env).ok().map(SecretString::from);
            (known.or_else(from_env), keyring)
        };
        let (known, keyring) = match (&settings.xsi, &settings.asterisk) {
            (Some(xsi), _) => part(&xsi.password_env, xsi.keyring, xsi.password.get()),
            (None, Some(ami)) => part(&ami.password_env, ami.keyring, ami.password.get()),
            (None, None) => return self.start_exchange(now, settings, None),
        };
        if known.is_some() || !keyring {
            return self.start_exchange(now, settings, known);
        }
        let (secrets, name) = (self.settings.secrets.clone(), secret_name(&settings.id));
        let id = settings.id.clone();
        let work = tokio::task::spawn_blocking(move || secrets.get(&name).ok().flatten());
        self.later(work, move |desk, now, found| {
            // A password may have been given meanwhile.
            if desk.centres.get(&id).is_some() {
                return;
            }
            if let Some(settings) = desk.account(&id).map(|account| account.settings.clone()) {
                desk.start_exchange(now, &settings, found.unwrap_or_default());
            }
        });
    }

    /// Connects a new account with its exchange, by a password that is kept from now on.
    pub(super) fn keep_exchange_secret(
        &mut self,
        now: Instant,
        settings: &AccountSettings,
        secret: SecretString,
    ) {
        self.start_exchange(now, settings, Some(secret.clone()));
        self.keep_secret(secret_name(&settings.id), secret, |_, _| {});
    }

    fn start_exchange(
        &mut self,
        now: Instant,
        settings: &AccountSettings,
        secret: Option<SecretString>,
    ) {
        let binding = match self.centres.exchanges.make(settings, secret) {
            Ok(binding) => binding,
            Err(why) => return self.notice(now, Code::BadConfig, Some(why), true),
        };
        let (orders, received) = mpsc::channel(ORDERS);
        let way = match &binding {
            Some(_) => Way::Binding(orders),
            None => match ByCode::of(settings) {
                Some(codes) => Way::Codes(Box::new(codes)),
                None => {
                    self.end_exchange(now, &settings.id);
                    return self.begin_features(now, &settings.id);
                }
            },
        };
        self.end_exchange(now, &settings.id);
        let run = self.run_exchange(now, &settings.id, way);
        self.begin_features(now, &settings.id);
        let Some(binding) = binding else { return self.begin_codes(now, &settings.id) };
        let feed = Feed::new(&settings.id, run, self.centres.told.clone());
        let mut seed = [0; 32];
        for chunk in seed.chunks_mut(8) {
            chunk.copy_from_slice(&self.random.u64().to_ne_bytes());
        }
        binding.start(Port { feed, orders: received, seed });
    }

    /// Begins a model; the number of its run.
    fn run_exchange(&mut self, now: Instant, account: &str, way: Way) -> u64 {
        self.centres.last_run += 1;
        let run = self.centres.last_run;
        let mut centre = Centre::new(now, self.clock.ms(now));
        centre.handle_input(now, Input::Link(LinkState::Connecting));
        let running = Running {
            run,
            centre,
            offered: matches!(way, Way::Events).then(Default::default),
            way,
            events: None,
            events_id: None,
            park_id: None,
            parked_at: BTreeSet::new(),
            seat: None,
            seat_id: None,
            seat_reply: None,
            waiting: BTreeMap::new(),
            own_leg: None,
            centre_changed: true,
            queues_changed: BTreeSet::new(),
            shown: CentreView::default(),
            shown_queues: BTreeMap::new(),
        };
        self.centres.running.insert(account.to_owned(), running);
        self.begin_directory(now, account);
        run
    }

    /// Ends the connection; what waits for it is refused, and its queues are gone.
    pub(super) fn end_exchange(&mut self, now: Instant, account: &str) {
        self.unsubscribe_features(now, account);
        let Some(mut running) = self.centres.running.remove(account) else { return };
        running.refuse_guest();
        for (reply, _) in running.waiting.into_values() {
            reply(outcome(Err(&pbx::centre::Refusal::Unavailable)));
        }
        let gone: Vec<QueueView> = running
            .shown_queues
            .into_values()
            .map(|view| QueueView { gone: true, version: view.version + 1, ..view })
            .collect();
        if !gone.is_empty() {
            self.shell.publish(Update::Queues(gone));
        }
        // An empty exchange takes the old one off the screen.
        let view = CentreView { account: account.to_owned(), ..CentreView::default() };
        self.shell.publish(Update::Centre(Box::new(view)));
    }

    /// A password for the exchange of an account: used at once, and kept where passwords are kept.
    pub(super) fn set_exchange_password(
        &mut self,
        now: Instant,
        account: &str,
        password: &Password,
        reply: Reply,
    ) {
        let Some(known) = self.account(account) else {
            return reply(Err(unknown_account(account)));
        };
        if known.settings.xsi.is_none() && known.settings.asterisk.is_none() {
            return reply(Err(ErrorReply::new(Code::NoExchange, "the account has no exchange")));
        }
        let secret = password.secret().clone();
        match self.centres.running.get(account).map(|running| &running.way) {
            Some(Way::Binding(orders)) => {
                if let Err(error) = orders.try_send(Order::Secret(secret.clone())) {
                    warn!(%account, %error, "the binding takes no password");
                }
            }
            Some(Way::Codes(_) | Way::Events) | None => {
                if let Some(settings) = self.account(account).map(|known| known.settings.clone()) {
                    self.start_exchange(now, &settings, Some(secret.clone()));
                }
            }
        }
        let kept = (secret_name(account), secret);
        self.keep_given_secret(now, account, AccountSettings::keep_exchange_password, kept, reply);
    }

    /// A binding told something.
    pub(super) fn exchange_told(&mut self, now: Instant, told: Told) {
        let (account, run, input) = told;
        if let Some(running) = self.centres.running.get_mut(&*account)
            && running.run == run
        {
            running.told(now, input);
        }
    }

    pub(super) fn centres_on_time(&mut self, now: Instant) {
        for running in self.centres.running.values_mut() {
            if let Way::Codes(codes) = &mut running.way {
                codes.handle_timeout(now);
            }
            if let Some(seat) = &mut running.seat {
                seat.handle_timeout(now);
            }
            if running.centre.poll_timeout().is_some_and(|due| due <= now) {
                running.centre.handle_timeout(now);
            }
        }
    }

    /// Carries out one thing that a model wants; false when none wants anything.
    pub(super) fn centres_output(&mut self, now: Instant) -> bool {
        if self.codes_output(now) || self.events_output(now) || self.seats_output(now) {
            return true;
        }
        let next = self.centres.running.iter_mut().find_map(|(account, running)| {
            running.centre.poll_output().map(|output| (account.clone(), output))
        });
        let Some((account, output)) = next else { return false };
        let Some(running) = self.centres.running.get_mut(&account) else { return true };
        match output {
            Output::Request { id, request } => {
                debug!(%account, ?request, "asked of the exchange");
                if rings_here_first(&request) {
                    running.own_leg = Some(now + OWN_LEG);
                }
                running.order(now, &account, id, request);
            }
            Output::Done { id, result } => {
                if let Some(waiting) = running.waiting.remove(&id) {
                    self.exchange_answered(now, &account, waiting, result);
                }
            }
            Output::Left(left) => {
                self.caller_left(&account, &left);
            }
            Output::CallOver(call) => self.exchange_call_over(&account, &call),
            Output::Changed(change) => self.centre_changed(now, &account, change),
        }
        true
    }

    fn centre_changed(&mut self, now: Instant, account: &str, change: Change) {
        match change {
            Change::Link => {
                self.remote_link_changed(now, account);
                self.directory_link_changed(now, account);
            }
            Change::Calls => self.remote_calls_changed(now, account),
            // What the exchange can do is told after its link, or before.
            Change::General => {
                self.directory_link_changed(now, account);
                self.parked_changed(now, account);
            }
            _ => {}
        }
        let correlate = matches!(change, Change::Calls | Change::Queue(_) | Change::Queues);
        let Some(running) = self.centres.running.get_mut(account) else { return };
        match change {
            Change::Queue(queue) => {
                running.queues_changed.insert(queue);
            }
            Change::Link | Change::Queues => {
                running.centre_changed = true;
                running.queues_changed.extend(running.shown_queues.keys().cloned());
                let queues = running.centre.queues().map(|state| state.queue.id.clone());
                running.queues_changed.extend(queues.collect::<Vec<_>>());
            }
            Change::Agent(agent) => running.agent_changed(&agent),
            Change::LineList => self.watch_own_list(now, account),
            Change::OwnAgent | Change::Services | Change::General | Change::Calls => {
                running.centre_changed = true;
                // What is told of a call is shown with it.
                self.publisher.changed();
            }
            Change::Directory => {
                self.colleagues.changed();
                self.directory_told(now, account);
            }
            Change::DirectoryFailed => self.directory_failed(now, account),
            Change::CallLog => self.log_told(now, account),
        }
        if correlate {
            self.correlate(now, account);
        }
    }

    /// Whether a call that wants to be answered by itself may be: the exchange was asked to begin one (the reference calls
    /// that click to dial, section 5.6). Once for each.
    pub(super) fn takes_own_leg(&mut self, now: Instant, account: &str) -> bool {
        let running = self.centres.running.get_mut(account);
        running.and_then(|running| running.own_leg.take()).is_some_and(|until| now < until)
    }

    // --- publishing ---

    /// Shows what changed.
    pub(super) fn publish_centres(&mut self, now: Instant) {
        let accounts: Vec<String> = self.centres.running.keys().cloned().collect();
        for account in accounts {
            self.publish_queues(now, &account);
            self.publish_centre(now, &account);
        }
    }

    fn publish_centre(&mut self, now: Instant, account: &str) {
        let Some(running) = self.centres.running.get_mut(account) else { return };
        if !std::mem::take(&mut running.centre_changed) {
            return;
        }
        let Some(mut view) = self.centre_view(now, account) else { return };
        let Some(running) = self.centres.running.get_mut(account) else { return };
        view.version = running.shown.version;
        if view == running.shown {
            return;
        }
        view.version += 1;
        let before = std::mem::replace(&mut running.shown, view.clone());
        let news = before.agent != view.agent || before.link.state != view.link.state;
        if said(&before.link) != said(&view.link) {
            let link = view.link.clone();
            let event = ExchangeEvent {
                account: account.to_owned(),
                state: link.state,
                reason: link.reason,
                detail: link.detail,
                retry_at_ms: link.retry_at_ms,
            };
            self.event(now, Event::ExchangeState(Box::new(event)));
        }
        if let Some(agent) = view.agent.clone().filter(|_| news) {
            let event = AgentEvent { account: account.to_owned(), link: view.link.state, agent };
            self.event(now, Event::AgentChanged(Box::new(event)));
        }
        self.shell.publish(Update::Centre(Box::new(view)));
    }

    fn publish_queues(&mut self, now: Instant, account: &str) {
        let Some(running) = self.centres.running.get_mut(account) else { return };
        let changed = std::mem::take(&mut running.queues_changed);
        let mut news = Vec::new();
        for queue in changed {
            let view = self.queue_view(now, account, &queue);
            self.hear_queue(now, account, &queue.0, view.as_ref().map(|view| view.severity));
            let Some(running) = self.centres.running.get_mut(account) else { return };
            let before = running.shown_queues.remove(&queue);
            let version = before.as_ref().map_or(0, |before| before.version);
            let view = match view {
                Some(view) => QueueView { version, ..view },
                None => match before {
                    Some(before) => {
                        news.push(QueueView { version: version + 1, gone: true, ..before });
                        continue;
                    }
                    None => continue,
                },
            };
            if before.as_ref() == Some(&view) {
                running.shown_queues.insert(queue, view);
                continue;
            }
            let view = QueueView { version: version + 1, ..view };
            running.shown_queues.insert(queue, view.clone());
            news.push(view);
        }
        if news.is_empty() {
            return;
        }
        for view in &news {
            self.event(now, Event::QueueChanged(Box::new(view.clone())));
        }
        self.shell.publish(Update::Queues(news));
    }
}

impl Running {
    /// Asks the exchange.
    fn order(&mut self, now: Instant, account: &str, id: RequestId, request: Request) {
        let Some(request) = self.order_by_event(id, request) else { return };
        match &mut self.way {
            Way::Codes(codes) => codes.request(now, id, request),
            Way::Events => {
                let result = Err(pbx::centre::Refusal::Unavailable);
                self.centre.handle_input(now, Input::Done { request: id, result });
            }
            Way::Binding(orders) => {
                if let Err(error) = orders.try_send(Order::Request(id, request)) {
                    warn!(%account, %error, "the binding takes nothing");
                    let result = Err(pbx::centre::Refusal::Unavailable);
                    self.centre.handle_input(now, Input::Done { request: id, result });
                }
            }
        }
    }

    /// Whether the exchange can be asked for its directory, and when that makes sense.
    pub(super) fn takes_directory_requests(&self) -> bool {
        let known = matches!(self.way, Way::Binding(_)) && self.centre.can(Capability::Directory);
        known && self.centre.link().is_up()
    }

    /// Whether the exchange is asked by dialling.
    fn is_by_code(&self) -> bool {
        matches!(self.way, Way::Codes(_))
    }

    /// Whether the exchange tells if all calls of the line are forwarded, so that it can be relied on.
    fn reads_forwarding_back(&self) -> bool {
        match &self.way {
            Way::Codes(codes) => {
                let kind = Capability::Service(ServiceKind::ForwardAlways);
                codes.sees_forwarding() || self.is_by_event(kind)
            }
            Way::Binding(_) | Way::Events => true,
        }
    }

    /// An agent is shown in the queues that he belongs to, or, where that is not told, in all.
    fn agent_changed(&mut self, agent: &UserId) {
        let known = self.centre.agent(agent).map(|agent| agent.memberships.as_slice());
        let queues: Vec<QueueId> =
            known.unwrap_or_default().iter().map(|membership| membership.queue.clone()).collect();
        self.queues_changed.extend(queues);
    }
}

/// Whether the exchange carries a request out by ringing the user's own telephone first.
fn rings_here_first(request: &Request) -> bool {
    matches!(
        request,
        Request::Dial { .. }
            | Request::Retrieve { .. }
            | Request::Pickup { .. }
            | Request::PullCall
            | Request::ReturnCall
            | Request::Redial
            | Request::TraceCall
            | Request::Supervise { .. }
            | Request::Escalate { .. }
    )
}

/// What of a link is worth an event.
fn said(link: &LinkView) -> (LinkName, Option<Code>, Option<u64>) {
    (link.state, link.reason, link.retry_at_ms)
}

/// Name of the password in the keyring, beside the one of the account itself.
pub(super) fn secret_name(account: &str) -> String {
    format!("{account} exchange")
}

/// How long after its beginning a call and its news from the exchange belong together.
const TOGETHER: Duration = Duration::from_secs(15);
