//! The one event loop: commands, SIP, sound and finished background work come in; each is handled to its
//! end, then everything the cores want is carried out, then the view is published.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use call_control::{CallControl, CallId};
use contacts::NumberClass;
use network_watch::Watcher;
use sip_core::Random;
use sip_transport::{BindError, Incoming, Transport, TransportConfig};
use sip_ua::{Config as UaConfig, Input, Output, ResolveError, UserAgent};
use tokio::sync::mpsc;
use tracing::debug;

use super::accounts::Account;
use super::alarm_sounds::AlarmSounds;
use super::centre::Centres;
use super::colleagues::Colleagues;
use super::demo::Demo;
use super::desktop::WaitingKey;
use super::discover::Discoveries;
use super::headset::Headset;
use super::keeping::Keeping;
use super::line::Line;
use super::memory::{Feeds, Memory, Opening};
use super::network::Network;
use super::publish::Publisher;
use super::remote::Remotes;
use super::settings::Settings;
use super::sound::Sounds;
use super::transfers::Departed;
use super::watch::Watches;
use super::{Ask, Reply, StartError, StartOptions};
use crate::code::Code;
use crate::control::ErrorReply;
use crate::event::{Event, EventLine};
use crate::exchange::Told;
use crate::shell::Shell;
use crate::view::{CallView, HistoryEntry, Notice, TransferEntry};

/// Finished background work that may wait for the loop.
const WORK: usize = 64;
/// How long an orderly end may take.
const FAREWELL: Duration = Duration::from_millis(2500);
/// Without anything to do the loop wakes this often.
const IDLE: Duration = Duration::from_secs(60);

/// What background work does to the desk once it is finished.
type Finished = Box<dyn FnOnce(&mut Desk, Instant) + Send>;

/// Everything the program knows and does.
pub(super) struct Desk {
    pub(super) shell: Arc<dyn Shell>,
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) ua: UserAgent,
    pub(super) transport: Transport,
    pub(super) network: Network,
    pub(super) sounds: Sounds,
    pub(super) headset: Headset,
    pub(super) settings: Settings,
    pub(super) accounts: Vec<Account>,
    pub(super) calls: CallControl,
    pub(super) watches: Watches,
    pub(super) colleagues: Colleagues,
    pub(super) centres: Centres,
    pub(super) discoveries: Discoveries,
    /// Calls of the user's other telephones.
    pub(super) remotes: Remotes,
    pub(super) lines: BTreeMap<CallId, Line>,
    /// Calls that are over and still shown, and until when.
    pub(super) over: VecDeque<(CallView, Instant)>,
    pub(super) history: VecDeque<HistoryEntry>,
    /// What the window is to show ready to be dialled.
    pub(super) prepared: Option<String>,
    /// What outlives the run; none once the program ends.
    pub(super) memory: Option<Memory>,
    /// Passwords on their way to the keyring.
    pub(super) keeping: Keeping,
    /// Address books and directories that contacts are read from.
    pub(super) feeds: Feeds,
    /// Programs that were opened for callers and still run.
    pub(super) popped: usize,
    /// Callers whose transfer may still be reported, though their line is over.
    pub(super) departed: VecDeque<Departed>,
    /// The last transfers, newest first.
    pub(super) transfers: VecDeque<TransferEntry>,
    pub(super) last_transfer: u64,
    pub(super) waiting_key: WaitingKey,
    pub(super) alarm_sounds: AlarmSounds,
    pub(super) missed: u32,
    /// Kinds of numbers that the exchange of an account has refused to call.
    pub(super) refused: HashSet<(String, NumberClass)>,
    pub(super) notices: VecDeque<Notice>,
    pub(super) last_notice: u64,
    pub(super) demo: Option<Demo>,
    pub(super) publisher: Publisher,
    /// What was wrong with the network, while its consequences are handled.
    pub(super) trouble: Option<Code>,
    quitting: Option<Instant>,
    work: mpsc::Sender<Finished>,
}

/// Where things come from.
pub(super) struct Sources {
    requests: mpsc::Receiver<Ask>,
    sip: mpsc::Receiver<Incoming>,
    network: Watcher,
    media: Option<media::Events>,
    headset: Option<headset::Events>,
    work: mpsc::Receiver<Finished>,
    exchanges: mpsc::Receiver<Told>,
}

/// The times of one run: a monotonic clock and what it means on the wall.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
    start_ms: u64,
}

impl Clock {
    fn new() -> Clock {
        let since = wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { start: now(), start_ms: u64::try_from(since.as_millis()).unwrap_or(0) }
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn ms(&self, at: Instant) -> u64 {
        let after = at.saturating_duration_since(self.start).as_millis();
        self.start_ms.saturating_add(u64::try_from(after).unwrap_or(0))
    }

    /// Seconds since the start of the program.
    pub(super) fn seconds(&self, at: Instant) -> f64 {
        let millis = at.saturating_duration_since(self.start).as_millis();
        f64::from(u32::try_from(millis).unwrap_or(u32::MAX)) / 1000.0
    }
}

/// The runtime's clock: a test may hold it still.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[expect(clippy::disallowed_methods, reason = "the program's loop is the driver of all cores")]
fn wall() -> SystemTime {
    SystemTime::now()
}

fn user_agent(random: &mut Random) -> UserAgent {
    let user_agent = format!("Balie/{}", crate::VERSION);
    UserAgent::new(UaConfig { user_agent, ..UaConfig::default() }, random.fork())
}

impl Desk {
    /// Opens sockets and sound, reads the settings, begins with the accounts.
    pub(super) async fn open(
        options: StartOptions,
        shell: Arc<dyn Shell>,
        requests: mpsc::Receiver<Ask>,
    ) -> Result<(Desk, Sources), StartError> {
        let beside = options.settings.clone();
        let (settings, problem) = Settings::open(options.config, options.settings);
        let (transport, sip, taken) = open_transport(&settings).await?;
        let (sounds, media) =
            Sounds::open(&options.sound, &settings.config).map_err(StartError::Sound)?;
        let (headset, keys) = Headset::open(&options.headsets, beside.as_deref());
        let mut random = Random::from_seed(options.seed.unwrap_or_else(rand_seed));
        let ua = user_agent(&mut random);
        let (work_sender, work) = mpsc::channel(WORK);
        let (centres, exchanges) = Centres::new(options.exchanges.clone());
        let network = Watcher::start();
        let mut desk = Desk {
            shell,
            clock: Clock::new(),
            random,
            ua,
            transport,
            network: Network::new(network.destinations()),
            sounds,
            headset,
            settings,
            accounts: Vec::new(),
            calls: CallControl::new(),
            watches: Watches::new(),
            colleagues: Colleagues::default(),
            centres,
            discoveries: Discoveries::default(),
            remotes: Remotes::default(),
            lines: BTreeMap::new(),
            over: VecDeque::new(),
            history: VecDeque::new(),
            prepared: None,
            memory: None,
            keeping: Keeping::start(),
            feeds: Feeds::default(),
            popped: 0,
            departed: VecDeque::new(),
            transfers: VecDeque::new(),
            last_transfer: 0,
            waiting_key: WaitingKey::default(),
            alarm_sounds: AlarmSounds::default(),
            missed: 0,
            refused: HashSet::new(),
            notices: VecDeque::new(),
            last_notice: 0,
            demo: None,
            publisher: Publisher::default(),
            trouble: None,
            quitting: None,
            work: work_sender,
        };
        let opening = Opening::begin(&desk.settings.config, beside, &desk.settings.secrets);
        desk.open_memory(now(), opening);
        let moved = taken.map(|taken| format!("{taken} → {}", desk.transport.port()));
        desk.begin(now(), problem, moved);
        desk.open_first(options.demo, options.first_customer);
        desk.settle(now());
        Ok((desk, Sources { requests, sip, network, media, headset: keys, work, exchanges }))
    }

    /// The demo where it is asked for; the set-up where nothing else is there.
    fn open_first(&mut self, demo: bool, first_customer: Option<Duration>) {
        if demo {
            self.start_demo(Box::new(|_| {}));
            self.expect_customer(first_customer);
        } else if self.accounts.is_empty() {
            self.shell.open(crate::Surface::Setup);
        }
    }

    /// Says what went wrong with the settings, and which port was taken; begins with the accounts.
    fn begin(&mut self, at: Instant, problem: Option<ErrorReply>, port_moved: Option<String>) {
        self.publisher.changed();
        if let Some(problem) = problem {
            self.notice(at, problem.code, Some(problem.message), true);
        }
        if let Some(text) = port_moved {
            self.notice(at, Code::PortMoved, Some(text), false);
        }
        self.begin_accounts(at);
        self.forget_recordings();
        self.list_devices();
        self.use_headset();
    }

    /// Runs until `quit`, or until nobody can ask any more.
    pub(super) async fn run(mut self, mut sources: Sources) {
        while !self.is_finished(now()) {
            let wake = tokio::time::Instant::from_std(self.next_wake(now()));
            tokio::select! {
                ask = sources.requests.recv() => match ask {
                    Some(ask) => self.ask(now(), ask),
                    None => self.quit(now(), Box::new(|_| {})),
                },
                Some(incoming) = sources.sip.recv() => self.receive(now(), incoming),
                Some(change) = sources.network.changed() => self.network_change(now(), &change),
                Some(finished) = sources.work.recv() => finished(&mut self, now()),
                Some(told) = sources.exchanges.recv() => self.exchange_told(now(), told),
                Some(event) = next_event(&mut sources.media) => self.media_event(now(), event),
                Some(event) = next_of_headset(&mut sources.headset) => self.headset_event(now(), event),
                () = tokio::time::sleep_until(wake) => self.on_time(now()),
            }
            self.settle(now());
        }
        self.stop_demo_and_wait().await;
        self.close_memory().await;
        self.close_keeping().await;
        self.leave_headset().await;
        debug!("ended");
    }

    /// Starts work in the background; what came of it is handled by the loop.
    pub(super) fn later<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
        then: impl FnOnce(&mut Desk, Instant, T) + Send + 'static,
    ) {
        let finished = self.work.clone();
        tokio::spawn(async move {
            let result = work.await;
            let then: Finished = Box::new(move |desk, now| then(desk, now, result));
            if finished.send(then).await.is_err() {
                debug!("work was finished after the end");
            }
        });
    }

    /// Hangs up, unregisters, and ends when that is done or has taken too long.
    pub(super) fn quit(&mut self, now: Instant, reply: Reply) {
        reply(Ok(crate::control::Answer::done()));
        if self.quitting.is_some() {
            return;
        }
        self.quitting = Some(now + FAREWELL);
        self.hang_up_all(now);
        self.settle(now);
        self.unsubscribe_all(now);
        self.unregister_all(now);
    }

    pub(super) fn is_quitting(&self) -> bool {
        self.quitting.is_some()
    }

    /// Tells the headless program.
    pub(super) fn event(&self, now: Instant, event: Event) {
        self.shell.event(&EventLine { event, t: self.clock.seconds(now) });
    }

    /// Tells everybody about trouble that no command asked for.
    pub(super) fn notice(
        &mut self,
        now: Instant,
        code: Code,
        detail: Option<String>,
        severe: bool,
    ) {
        let message = detail.clone().unwrap_or_default();
        self.event(now, Event::Error { code, message });
        self.last_notice += 1;
        let at_ms = self.clock.ms(now);
        self.notices.retain(|notice| notice.code != code || notice.detail != detail);
        self.notices.push_front(Notice { id: self.last_notice, code, detail, at_ms, severe });
        self.notices.truncate(20);
        if severe {
            self.hear_notice(now, code);
        }
        self.publisher.changed();
    }

    /// That trouble is over.
    pub(super) fn withdraw(&mut self, code: Code) {
        self.notices.retain(|notice| notice.code != code);
        self.publisher.changed();
    }

    /// One of several troubles of a kind is over.
    pub(super) fn withdraw_one(&mut self, code: Code, detail: Option<&str>) {
        self.notices.retain(|notice| notice.code != code || notice.detail.as_deref() != detail);
        self.publisher.changed();
    }

    fn receive(&mut self, now: Instant, incoming: Incoming) {
        let input = match incoming {
            Incoming::Message { source, message } => Input::Received { source, message },
            Incoming::Malformed { source, error } => Input::Malformed { source, error },
            Incoming::Mapped { target, before, .. } => {
                Input::Mapped { target, changed: before.is_some() }
            }
            Incoming::Failed { target, cause, reason } => {
                self.trouble = Some(crate::cause::of_transport(cause));
                Input::TransportFailed { target, reason }
            }
        };
        self.ua.handle_input(now, input);
    }

    fn on_time(&mut self, now: Instant) {
        if self.ua.poll_timeout().is_some_and(|due| due <= now) {
            self.trouble = Some(Code::Timeout);
            self.ua.handle_timeout(now);
        }
        self.lamps_on_time(now);
        self.centres_on_time(now);
        if self.calls.poll_timeout().is_some_and(|due| due <= now) {
            self.calls.handle_timeout(now);
        }
        self.moves_on_time(now);
        self.sounds_on_time(now);
        self.measure(now);
        self.sources_on_time(now);
        let before = self.over.len();
        self.over.retain(|(_, until)| *until > now);
        if self.over.len() != before {
            self.publisher.changed();
        }
    }

    /// Carries out what the cores want until they want nothing more.
    pub(super) fn settle(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.ua.poll_output() {
                self.ua_output(now, output);
            } else if let Some(output) = self.calls.poll_output() {
                self.call_output(now, output);
            } else if !self.lamps_output(now) && !self.centres_output(now) {
                break;
            }
        }
        self.trouble = None;
        self.gather_colleagues(now);
        self.watch_servers();
        self.choose_tones(now);
        self.show_on_headset();
        self.publish(now);
    }

    fn ua_output(&mut self, now: Instant, output: Output) {
        match output {
            Output::Transmit(transmit) => self.transport.send(transmit),
            Output::Resolve { query, uri } => {
                let located = self.transport.resolve(&uri);
                self.later(located, move |desk, now, result| {
                    let result = result.map_err(|error| {
                        desk.trouble = Some(crate::cause::of_resolve_error(&error));
                        ResolveError { reason: error.to_string() }
                    });
                    desk.ua.handle_input(now, Input::Resolved { query, result });
                });
            }
            Output::Event(event) => self.ua_event(now, event),
        }
    }

    fn next_wake(&self, now: Instant) -> Instant {
        let shown = self.over.iter().map(|(_, until)| *until).min();
        [
            self.ua.poll_timeout(),
            self.publisher
                .due(self.watches.has_news() || self.centres.has_news() || self.feeds.has_news()),
            self.feeds.due(),
            self.watches.due(),
            self.colleagues.due(),
            self.centres.due(),
            self.calls.poll_timeout(),
            self.network.due(),
            self.sounds.due(),
            self.measure_due(),
            shown,
            self.quitting,
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(now + IDLE)
    }

    fn is_finished(&self, now: Instant) -> bool {
        let Some(latest) = self.quitting else { return false };
        now >= latest || (self.ua.session_count() == 0 && self.is_unregistered())
    }
}

/// Opens the sockets for SIP. Where settings are kept there is a person who wants to be reached: a taken
/// port is given back, to be told, and a free one used. Otherwise the named port is wanted and no other.
async fn open_transport(
    settings: &Settings,
) -> Result<(Transport, mpsc::Receiver<Incoming>, Option<u16>), StartError> {
    let network = &settings.config.network;
    let on = |port| TransportConfig { bind: network.bind, port, ..TransportConfig::default() };
    match Transport::bind(on(network.sip_port)).await {
        Ok((transport, sip)) => Ok((transport, sip, None)),
        Err(BindError::PortTaken { port, .. }) if settings.is_kept() => {
            let (transport, sip) = Transport::bind(on(0)).await.map_err(StartError::Network)?;
            Ok((transport, sip, Some(port)))
        }
        Err(BindError::PortTaken { port, .. }) => Err(StartError::PortTaken { port }),
        Err(other) => Err(StartError::Network(other)),
    }
}

/// The next media event; never, when there is no media engine.
async fn next_event(events: &mut Option<media::Events>) -> Option<media::MediaEvent> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

/// What the headset tells next; never, when there is none.
async fn next_of_headset(events: &mut Option<headset::Events>) -> Option<headset::Event> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

/// A seed from the system's random source: tags and branches must be hard to guess, and the keys of encrypted sound
/// come of it.
pub(super) fn rand_seed() -> [u8; 32] {
    rand::random()
}
