//! What the exchange tells of others and of mailboxes: subscriptions come in, lamps go out.
//!
//! A watch outlives its subscription: when the account is registered again, what has ended is asked for
//! anew. Which lamp may be wrong is decided by [`pbx::Lamps`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use contacts::NumberClass;
use event_packages::{DialogInfo, EventList, MessageSummary, Presence};
use pbx::{Input, Lamp, Lamps, LineId, Output, Policy, SourceId, Watch};
use sip_types::{StatusCode, Uri};
use sip_ua::{Event, Subscribe, SubscriptionCause, SubscriptionId, SubscriptionState};
use tracing::debug;

use super::accounts::{Account, unknown_account};
use super::codes::Beside;
use super::desk::Desk;
use super::documents::{Ringing, Told, line_document, list_document, presence_of, told_ringing};
use super::line::peer_of_uri;
use super::registrations::Registrations;
use crate::code::Code;
use crate::control::{Answer, ErrorReply, WatchPackage};
use crate::view::{
    AccountState, CalendarView, CallDirection, LineState, LineView, PeerView, PresenceView,
};

const DIALOG_INFO: &str = "application/dialog-info+xml";
const PRESENCE: &str = "application/pidf+xml";
const LIST: [&str; 2] = ["application/rlmi+xml", "multipart/related"];
const SUMMARY: &str = "application/simple-message-summary";
/// Calls ringing at one line that are kept.
const MAX_RINGING: usize = 16;

/// Everything that is watched.
#[derive(Default)]
pub(super) struct Watches {
    lamps: Lamps,
    watched: BTreeMap<SourceId, Watched>,
    purposes: HashMap<SubscriptionId, Purpose>,
    mailboxes: BTreeMap<String, Mailbox>,
    /// What the registrars hold of our accounts.
    pub(super) registrations: BTreeMap<String, Registrations>,
    lines: BTreeMap<LineId, LineView>,
    /// Those of them that a list brought.
    listed: BTreeSet<LineId>,
    /// What lamps beside a line tell of it, by account and extension.
    beside: BTreeMap<(String, String), Vec<Beside>>,
    /// Calls that ring at a watched line and can be taken, by source and address of the line.
    ringing: BTreeMap<(SourceId, String), Vec<Ringing>>,
    /// Lines that changed since they were published, and those that have gone since.
    changed: BTreeSet<LineId>,
    gone: Vec<LineView>,
    next_source: u64,
}

/// One `line.watch` of a line or list.
struct Watched {
    account: String,
    uri: Uri,
    list: bool,
    /// The package that was asked for; none: presence where the exchange has no dialogs to tell of.
    asked: Option<WatchPackage>,
    package: WatchPackage,
    subscription: Option<SubscriptionId>,
}

/// What is to be watched: line or list, by which package.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) uris: &'a [String],
    pub(super) list: Option<&'a str>,
    pub(super) package: Option<WatchPackage>,
    pub(super) account: Option<&'a str>,
}

/// The mailbox of an account.
#[derive(Default)]
struct Mailbox {
    subscription: Option<SubscriptionId>,
    /// Lamp, new and old messages as told last.
    told: Option<(bool, u32, u32)>,
}

/// What a subscription is for.
#[derive(Clone)]
enum Purpose {
    Lines(SourceId),
    Mailbox(String),
    Registrations(String),
    Features(String),
    CallPark(String),
    Hoteling(String),
}

impl Watches {
    pub(super) fn new() -> Watches {
        Watches { lamps: Lamps::new(Policy::default()), ..Watches::default() }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.lamps.poll_timeout()
    }

    /// The lines that changed since the last time this was asked, those that have gone among them.
    pub(super) fn take_changed(&mut self) -> Vec<LineView> {
        let mut news = std::mem::take(&mut self.gone);
        let changed = std::mem::take(&mut self.changed);
        news.extend(changed.iter().filter_map(|line| self.lines.get(line)).cloned());
        news
    }

    /// A call that rings at that line, when the exchange has told enough of it to take it.
    pub(super) fn ringing_at(&self, account: &str, line: &Uri) -> Option<&Ringing> {
        let same = |told: &str| {
            Uri::parse(told)
                .is_ok_and(|told| told.user() == line.user() && told.host() == line.host())
        };
        let of_account = |source| self.watched.get(source).is_some_and(|w| w.account == account);
        let mut found = self.ringing.iter().filter(|((s, told), _)| of_account(s) && same(told));
        found.find_map(|(_, calls)| calls.first())
    }

    /// Takes in which calls of a line ring; a document that is not full speaks of those that changed.
    fn ring(&mut self, source: SourceId, line: &str, told: Vec<Told>, full: bool) {
        let key = (source, line.to_owned());
        let mut calls = self.ringing.remove(&key).filter(|_| !full).unwrap_or_default();
        for Told { id, ringing } in told {
            calls.retain(|call| call.id != id);
            calls.extend(ringing.filter(|_| calls.len() < MAX_RINGING));
        }
        if !calls.is_empty() {
            self.ringing.insert(key, calls);
        }
    }

    fn silence(&mut self, source: SourceId) {
        self.ringing.retain(|(of, _), _| *of != source);
    }

    /// Address and name of every line that a list of an account brought.
    pub(super) fn listed(&self, account: &str) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.listed.iter().filter_map(|line| self.lines.get(line));
        let own = lines.filter(move |line| line.account == account);
        own.map(|line| (line.uri.as_str(), line.name.as_str()))
    }

    pub(super) fn has_news(&self) -> bool {
        !self.changed.is_empty() || !self.gone.is_empty()
    }

    /// The watches of this line or list.
    fn sources_of(
        &self,
        account: &str,
        uri: &Uri,
        list: bool,
    ) -> Vec<(SourceId, Option<WatchPackage>)> {
        let same = |w: &Watched| {
            w.account == account && w.list == list && w.uri.to_string() == uri.to_string()
        };
        let found = self.watched.iter().filter(|(_, watched)| same(watched));
        found.map(|(source, watched)| (*source, watched.asked)).collect()
    }
}

impl Desk {
    // --- commands ---

    /// Watches lines, or those of a list.
    pub(super) fn watch_lines(
        &mut self,
        now: Instant,
        wanted: Wanted<'_>,
    ) -> Result<Answer, ErrorReply> {
        let asked = wanted.package;
        let (account, targets) = self.watch_targets(wanted)?;
        for (uri, list) in targets {
            let known = self.watches.sources_of(&account, &uri, list);
            if known.iter().any(|(_, package)| *package == asked) {
                continue;
            }
            self.watches.next_source += 1;
            let source = SourceId(self.watches.next_source);
            let watch = if list { Watch::List } else { Watch::Line(uri.to_string()) };
            let watched = Watched {
                account: account.clone(),
                uri,
                list,
                asked,
                package: asked.unwrap_or_default(),
                subscription: None,
            };
            self.watches.watched.insert(source, watched);
            self.watches.lamps.handle_input(now, Input::Watch { source, watch });
        }
        self.subscribe_watches(now, &account);
        Ok(Answer::done())
    }

    /// Watches them no longer; without a package by none.
    pub(super) fn unwatch_lines(
        &mut self,
        now: Instant,
        wanted: Wanted<'_>,
    ) -> Result<Answer, ErrorReply> {
        let asked = wanted.package;
        let (account, targets) = self.watch_targets(wanted)?;
        for (uri, list) in targets {
            for (source, package) in self.watches.sources_of(&account, &uri, list) {
                if asked.is_none() || asked == package {
                    self.unwatch(now, source);
                }
            }
        }
        Ok(Answer::done())
    }

    /// Every watched line.
    pub(super) fn list_lines(&self) -> Answer {
        Answer::Lines(self.watches.lines.values().cloned().collect())
    }

    fn watch_targets(&self, wanted: Wanted<'_>) -> Result<(String, Vec<(Uri, bool)>), ErrorReply> {
        let Wanted { uris, list, account, .. } = wanted;
        let account = match account {
            Some(id) => self.account(id).ok_or_else(|| unknown_account(id))?,
            None => self.calling_account()?,
        };
        if uris.is_empty() && list.is_none() {
            return Err(ErrorReply::new(Code::BadRequest, "there is nothing to watch"));
        }
        let texts = uris.iter().map(|uri| (uri.as_str(), false));
        let texts = texts.chain(list.map(|list| (list, true)));
        let targets = texts.map(|(text, list)| Ok((self.target(account, text)?, list)));
        let mut targets = targets.collect::<Result<Vec<(Uri, bool)>, ErrorReply>>()?;
        let lines = targets.iter().filter(|(_, list)| !list);
        let beside = lines.flat_map(|(line, _)| self.lamps_beside_of(account, line));
        let beside: Vec<Uri> = beside.collect();
        targets.extend(beside.into_iter().map(|lamp| (lamp, false)));
        Ok((account.settings.id.clone(), targets))
    }

    fn unwatch(&mut self, now: Instant, source: SourceId) {
        let Some(watched) = self.watches.watched.remove(&source) else { return };
        self.watches.lamps.handle_input(now, Input::Unwatch { source });
        self.watches.silence(source);
        if let Some(id) = watched.subscription {
            self.watches.purposes.remove(&id);
            self.unsubscribe(now, id);
        }
    }

    fn unsubscribe(&mut self, now: Instant, id: SubscriptionId) {
        if let Err(error) = self.ua.unsubscribe(now, id) {
            debug!(%error, "the subscription is over already");
        }
    }

    /// Takes every subscription back, before the end of the program.
    pub(super) fn unsubscribe_all(&mut self, now: Instant) {
        for id in self.watches.purposes.keys().copied().collect::<Vec<_>>() {
            self.unsubscribe(now, id);
        }
    }

    /// An account is gone, and with it what was watched by it.
    pub(super) fn forget_watches(&mut self, now: Instant, account: &str) {
        let of_account = |(source, watched): (&SourceId, &Watched)| {
            (watched.account == account).then_some(*source)
        };
        for source in self.watches.watched.iter().filter_map(of_account).collect::<Vec<_>>() {
            self.unwatch(now, source);
        }
        self.watches.mailboxes.remove(account);
        self.watches.registrations.remove(account);
        self.watches.beside.retain(|(of, _), _| of != account);
    }

    // --- subscriptions ---

    /// Subscribes to what is wished for with this account and not subscribed to, once it can be.
    pub(super) fn subscribe_watches(&mut self, now: Instant, id: &str) {
        let Some(account) = self.account(id) else { return };
        let settings = &account.settings;
        let ready = !settings.register || account.state == AccountState::Registered;
        let (Some(ua), true) = (account.ua, ready) else { return };
        let own = Uri::parse(&settings.aor).ok().filter(|_| settings.register);
        let mailbox = own.clone().filter(|_| settings.mwi);
        let registrations = own.filter(|_| settings.reg_event);
        let idle = |w: &Watched| w.account == id && w.subscription.is_none();
        self.begin_features(now, id);
        let sources: Vec<_> =
            self.watches.watched.iter().filter(|(_, w)| idle(w)).map(|(s, _)| *s).collect();
        for source in sources {
            self.subscribe_lines(now, ua, source);
        }
        if let Some(uri) = mailbox {
            self.subscribe_mailbox(now, ua, id, uri);
        }
        if let Some(uri) = registrations {
            self.subscribe_registrations(now, ua, id, uri);
        }
    }

    fn subscribe_lines(&mut self, now: Instant, ua: sip_ua::AccountId, source: SourceId) {
        let Some(watched) = self.watches.watched.get_mut(&source) else { return };
        let (package, kind) = match watched.package {
            WatchPackage::Dialog => ("dialog", DIALOG_INFO),
            WatchPackage::Presence => ("presence", PRESENCE),
        };
        let mut accept = vec![kind];
        accept.extend(LIST.iter().filter(|_| watched.list));
        let mut wish = Subscribe::new(watched.uri.clone(), package, &accept);
        wish.event_list = watched.list;
        match self.ua.subscribe(now, ua, wish) {
            Ok(subscription) => {
                watched.subscription = Some(subscription);
                self.watches.purposes.insert(subscription, Purpose::Lines(source));
            }
            Err(error) => debug!(%error, "a line cannot be watched"),
        }
    }

    fn subscribe_registrations(
        &mut self,
        now: Instant,
        ua: sip_ua::AccountId,
        account: &str,
        uri: Uri,
    ) {
        let held = self.watches.registrations.entry(account.to_owned()).or_default();
        if held.subscription.is_some() {
            return;
        }
        let wish = Subscribe::new(uri, "reg", &["application/reginfo+xml"]);
        match self.ua.subscribe(now, ua, wish) {
            Ok(subscription) => {
                held.begin(subscription);
                let purpose = Purpose::Registrations(account.to_owned());
                self.watches.purposes.insert(subscription, purpose);
            }
            Err(error) => debug!(%error, "the registrations cannot be watched"),
        }
    }

    fn subscribe_mailbox(&mut self, now: Instant, ua: sip_ua::AccountId, account: &str, uri: Uri) {
        let mailbox = self.watches.mailboxes.entry(account.to_owned()).or_default();
        if mailbox.subscription.is_some() {
            return;
        }
        let mut wish = Subscribe::new(uri, "message-summary", &[SUMMARY]);
        wish.all_forks = true;
        match self.ua.subscribe(now, ua, wish) {
            Ok(subscription) => {
                mailbox.subscription = Some(subscription);
                let purpose = Purpose::Mailbox(account.to_owned());
                self.watches.purposes.insert(subscription, purpose);
            }
            Err(error) => debug!(%error, "the mailbox cannot be watched"),
        }
    }

    /// Subscribes an account to an event package of its own line that keeps features the same.
    pub(super) fn subscribe_features(
        &mut self,
        now: Instant,
        id: &str,
        (package, kind): (&str, &str),
    ) -> Option<SubscriptionId> {
        let purpose = Purpose::Features(id.to_owned());
        self.subscribe_own(now, id, (package, &[kind, "multipart/mixed"]), purpose)
    }

    /// Subscribes an account to who is parked at its own line.
    pub(super) fn subscribe_call_park(
        &mut self,
        now: Instant,
        id: &str,
        (package, kind): (&str, &str),
    ) -> Option<SubscriptionId> {
        self.subscribe_own(now, id, (package, &[kind]), Purpose::CallPark(id.to_owned()))
    }

    /// Subscribes an account to which guest has its telephone.
    pub(super) fn subscribe_hoteling(
        &mut self,
        now: Instant,
        id: &str,
        (package, kind): (&str, &str),
    ) -> Option<SubscriptionId> {
        self.subscribe_own(now, id, (package, &[kind]), Purpose::Hoteling(id.to_owned()))
    }

    fn subscribe_own(
        &mut self,
        now: Instant,
        id: &str,
        (package, kinds): (&str, &[&str]),
        purpose: Purpose,
    ) -> Option<SubscriptionId> {
        let account = self.account(id)?;
        let (ua, uri) = (account.ua?, Uri::parse(&account.settings.aor).ok()?);
        match self.ua.subscribe(now, ua, Subscribe::new(uri, package, kinds)) {
            Ok(subscription) => {
                self.watches.purposes.insert(subscription, purpose);
                Some(subscription)
            }
            Err(error) => {
                debug!(%error, package, "not subscribed to");
                None
            }
        }
    }

    /// Ends what these began, unless it is over.
    pub(super) fn unsubscribe_features(&mut self, now: Instant, account: &str) {
        let is_it = |(id, purpose): (&SubscriptionId, &Purpose)| match purpose {
            Purpose::Features(of) | Purpose::CallPark(of) | Purpose::Hoteling(of) => {
                (of == account).then_some(*id)
            }
            Purpose::Lines(_) | Purpose::Mailbox(_) | Purpose::Registrations(_) => None,
        };
        for id in self.watches.purposes.iter().filter_map(is_it).collect::<Vec<_>>() {
            self.watches.purposes.remove(&id);
            self.unsubscribe(now, id);
        }
    }

    /// What the user agent tells of subscriptions.
    pub(super) fn subscription_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Subscription { id, state } => self.subscription_state(now, id, &state),
            Event::Notified { id, content_type, body, .. } => {
                match self.watches.purposes.get(&id).cloned() {
                    Some(Purpose::Lines(source)) => {
                        let input = self.read_lines(source, &content_type, &body);
                        self.note_ringing(source, &content_type, &body);
                        self.watches.lamps.handle_input(now, input);
                    }
                    Some(Purpose::Mailbox(account)) => self.mailbox_told(now, &account, &body),
                    Some(Purpose::Registrations(account)) => {
                        self.registrations_told(now, &account, &body);
                    }
                    Some(Purpose::CallPark(account)) => self.call_park_told(now, &account, &body),
                    Some(Purpose::Hoteling(account)) => self.hoteling_told(now, &account, &body),
                    Some(Purpose::Features(account)) => {
                        self.features_told(&account, &content_type, &body);
                    }
                    None => debug!(%id, "a notification that nobody waits for"),
                }
            }
            Event::Unsolicited { account, body, .. } => {
                let owner = self.accounts.iter().find(|known| known.ua == Some(account));
                if let Some(id) = owner.map(|account| account.settings.id.clone()) {
                    self.mailbox_told(now, &id, &body);
                }
            }
            Event::SubscriptionChangeDone { id, status } => {
                match self.watches.purposes.get(&id).cloned() {
                    Some(Purpose::Features(account)) => self.features_changed(&account, status),
                    Some(Purpose::Hoteling(account)) => self.hoteling_changed(&account, status),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn subscription_state(&mut self, now: Instant, id: SubscriptionId, state: &SubscriptionState) {
        let Some(purpose) = self.watches.purposes.get(&id).cloned() else { return };
        if let SubscriptionState::Ended { cause } = state {
            debug!(%id, %cause, "subscription ended");
            self.watches.purposes.remove(&id);
        }
        match purpose {
            Purpose::Mailbox(account) => {
                let ended = matches!(state, SubscriptionState::Ended { .. });
                let mailbox = self.watches.mailboxes.get_mut(&account);
                if let Some(mailbox) = mailbox.filter(|_| ended) {
                    mailbox.subscription = None;
                }
            }
            Purpose::Features(account) => self.features_state(&account, state),
            Purpose::Hoteling(account) => self.hoteling_state(&account, state),
            Purpose::CallPark(account) => {
                if let SubscriptionState::Ended { .. } = state {
                    self.call_park_ended(now, &account);
                }
            }
            Purpose::Registrations(account) => {
                if let SubscriptionState::Ended { .. } = state {
                    self.registrations_untold(now, &account);
                }
            }
            Purpose::Lines(source) => {
                let Some(watched) = self.watches.watched.get_mut(&source) else { return };
                let account = watched.account.clone();
                let input = match state {
                    SubscriptionState::Pending => return,
                    SubscriptionState::Active { expires } => Input::Up {
                        source,
                        expires: Duration::from_secs(u64::from(*expires)),
                        reliable: self.account(&account).is_some_and(Account::is_reliable),
                    },
                    SubscriptionState::Retrying { .. } => Input::Down { source },
                    SubscriptionState::Ended { cause } => {
                        watched.subscription = None;
                        if watched.asked.is_none()
                            && watched.package == WatchPackage::Dialog
                            && is_unknown_event(cause)
                        {
                            // It tells of no calls; it may tell who is there.
                            watched.package = WatchPackage::Presence;
                            self.watches.lamps.handle_input(now, Input::Down { source });
                            return self.subscribe_watches(now, &account);
                        }
                        match is_final(cause) {
                            true => Input::Refused { source },
                            false => Input::Down { source },
                        }
                    }
                };
                if !matches!(input, Input::Up { .. }) {
                    self.watches.silence(source);
                }
                self.watches.lamps.handle_input(now, input);
            }
        }
    }

    // --- documents ---

    /// Remembers which calls ring at watched lines, to take them when the user wants.
    fn note_ringing(&mut self, source: SourceId, content_type: &str, body: &[u8]) {
        let Some(watched) = self.watches.watched.get(&source) else { return };
        let line = watched.uri.to_string();
        if !watched.list {
            if let Ok(info) = DialogInfo::read(body) {
                self.watches.ring(source, &line, told_ringing(&info), info.full);
            }
            return;
        }
        let Ok(list) = EventList::read(content_type, body) else { return };
        let mut told: BTreeMap<String, Vec<Told>> = BTreeMap::new();
        list.each(&mut |resource, list| {
            let calls = told.entry(resource.uri.clone()).or_default();
            let bodies = resource.instances.iter().filter_map(|instance| list.state(instance));
            let read = bodies.filter_map(|(_, body)| DialogInfo::read(body).ok());
            read.for_each(|info| calls.extend(told_ringing(&info)));
        });
        // A list tells of each line that it names all that there is.
        told.into_iter().for_each(|(line, calls)| self.watches.ring(source, &line, calls, true));
    }

    fn read_lines(&self, source: SourceId, content_type: &str, body: &[u8]) -> Input {
        let watched = self.watches.watched.get(&source);
        let list = watched.is_some_and(|watched| watched.list);
        let package = watched.map(|watched| watched.package).unwrap_or_default();
        let read = match (list, package) {
            (false, WatchPackage::Dialog) => DialogInfo::read(body)
                .map(|info| Input::Line { source, document: line_document(&info) }),
            (false, WatchPackage::Presence) => Presence::read(body)
                .map(|told| Input::Presence { source, presence: presence_of(&told) }),
            (true, _) => EventList::read(content_type, body)
                .map(|list| Input::List { source, document: list_document(&list) }),
        };
        read.unwrap_or_else(|error| {
            debug!(%error, content_type, "a notification cannot be read");
            Input::Unreadable { source }
        })
    }

    fn mailbox_told(&mut self, now: Instant, account: &str, body: &[u8]) {
        let summary = match MessageSummary::read(body) {
            Ok(summary) => summary,
            Err(error) => return debug!(%error, "a message summary cannot be read"),
        };
        let voice = summary.voice();
        let told = (summary.waiting, voice.new, voice.old);
        let mailbox = self.watches.mailboxes.entry(account.to_owned()).or_default();
        if mailbox.told.replace(told) == Some(told) {
            return;
        }
        let (waiting, new, old) = told;
        let account = account.to_owned();
        self.event(now, crate::event::Event::Mwi { account, waiting, new, old });
    }

    // --- lamps ---

    /// Lets the lamps doubt and ask when that is due.
    pub(super) fn lamps_on_time(&mut self, now: Instant) {
        if self.watches.lamps.poll_timeout().is_some_and(|due| due <= now) {
            self.watches.lamps.handle_timeout(now);
        }
    }

    /// Carries out one thing that the lamps want; false when they want nothing.
    pub(super) fn lamps_output(&mut self, now: Instant) -> bool {
        let Some(output) = self.watches.lamps.poll_output() else { return false };
        match output {
            Output::Refresh { source } => {
                let watched = self.watches.watched.get(&source);
                if let Some(id) = watched.and_then(|watched| watched.subscription)
                    && let Err(error) = self.ua.refresh_subscription(now, id)
                {
                    debug!(%error, "not refreshed");
                }
            }
            Output::Appeared { line, source, uri, name } => {
                let watched = self.watches.watched.get(&source);
                let account = watched.map(|w| w.account.clone());
                if watched.is_some_and(|w| w.list) {
                    self.watches.listed.insert(line);
                    self.colleagues.changed();
                }
                let view = LineView {
                    uri,
                    account: account.unwrap_or_default(),
                    name: name.unwrap_or_default(),
                    state: LineState::Unknown,
                    peer: None,
                    direction: None,
                    presence: None,
                    do_not_disturb: false,
                    forwarded: None,
                    calendar: None,
                    stale_since: None,
                    stale_since_ms: None,
                    version: 0,
                    gone: false,
                };
                self.watches.lines.insert(line, view);
                self.somebody_is_watched(now);
            }
            Output::Changed { line, lamp } => self.lamp_changed(now, line, &lamp),
            Output::Vanished { line } => {
                self.watches.changed.remove(&line);
                if self.watches.listed.remove(&line) {
                    self.colleagues.changed();
                }
                if let Some(mut view) = self.watches.lines.remove(&line) {
                    (view.gone, view.state, view.peer) = (true, LineState::Unknown, None);
                    view.version += 1;
                    self.event(now, crate::event::Event::LineState(Box::new(view.clone())));
                    self.watches.gone.push(view);
                }
            }
        }
        true
    }

    fn lamp_changed(&mut self, now: Instant, line: LineId, lamp: &Lamp) {
        let peer = lamp.peer.as_ref().map(|peer| {
            let shown = peer_of_uri(&peer.uri, peer.name.clone());
            self.named(shown)
        });
        let stale_since = lamp.stale_since.map(|at| self.clock.seconds(at));
        let stale_since_ms = lamp.stale_since.map(|at| self.clock.ms(at));
        let elsewhere = self.reached_elsewhere(line, lamp);
        let Some(view) = self.watches.lines.get_mut(&line) else { return };
        view.state = state_view(lamp.state);
        view.peer = peer.filter(|peer| *peer != PeerView::default());
        view.direction = lamp.incoming.map(|incoming| match incoming {
            true => CallDirection::In,
            false => CallDirection::Out,
        });
        view.presence = lamp.presence.clone().map(|presence| PresenceView {
            open: presence.open,
            note: presence.note,
            activities: presence.activities,
        });
        (view.stale_since, view.stale_since_ms) = (stale_since, stale_since_ms);
        view.forwarded = None;
        self.watches.beside.get(&whose(view)).into_iter().for_each(|told| show_beside(view, told));
        // A lamp beside the line says that, and presence where to.
        view.forwarded = elsewhere.or(view.forwarded.take());
        view.version += 1;
        let view = view.clone();
        self.watches.changed.insert(line);
        self.code_lamp(&view);
        self.lamp_beside_changed(now, &view);
        self.event(now, crate::event::Event::LineState(Box::new(view)));
    }
}

/// A line that is watched, and whose it is.
pub(super) struct WatchedLine {
    pub(super) line: LineId,
    pub(super) account: String,
    pub(super) extension: String,
}

// --- calendars ---

impl Watches {
    /// All lines that are watched.
    pub(super) fn watched_lines(&self) -> impl Iterator<Item = WatchedLine> {
        self.lines.iter().map(|(line, view)| {
            let (account, extension) = whose(view);
            WatchedLine { line: *line, account, extension }
        })
    }
}

impl Desk {
    /// Shows beside a line what his calendar says of whoever has it.
    pub(super) fn show_calendar(
        &mut self,
        now: Instant,
        line: LineId,
        calendar: Option<CalendarView>,
    ) {
        let Some(view) = self.watches.lines.get_mut(&line) else { return };
        if view.calendar == calendar {
            return;
        }
        view.calendar = calendar;
        view.version += 1;
        let view = view.clone();
        self.watches.changed.insert(line);
        self.event(now, crate::event::Event::LineState(Box::new(view)));
    }
}

impl Desk {
    /// Lamps that tell what is set for a line, where the account has such.
    fn lamps_beside_of(&self, account: &Account, line: &Uri) -> Vec<Uri> {
        let extension = line.user().unwrap_or_default();
        let lamps = Desk::lamps_beside(account, &extension).into_iter();
        lamps.filter_map(|lamp| self.target(account, &lamp).ok()).collect()
    }

    /// The number that presence says somebody is reached at, where it is none of his own. Devices have addresses too: only
    /// numbers count.
    fn reached_elsewhere(&self, line: LineId, lamp: &Lamp) -> Option<String> {
        let view = self.watches.lines.get(&line)?;
        let contact = Uri::parse(lamp.presence.as_ref()?.contact.as_deref()?).ok()?;
        let number = contact.user()?;
        let (_, extension) = whose(view);
        let is_number = contacts::classify(&number, self.is_extension(&number));
        let known = matches!(is_number, NumberClass::Unknown | NumberClass::FeatureCode);
        let own = number == extension
            || contacts::same_number(&number, &extension)
            || self.lookup_colleagues(&number).any(|who| who.target == extension);
        (!known && !own).then(|| contacts::show(&number))
    }

    /// A lamp beside a line changed: the line shows it, now or as soon as it is told of.
    fn lamp_beside_changed(&mut self, now: Instant, lamp: &LineView) {
        let on = match lamp.state {
            LineState::Idle => false,
            LineState::Ringing | LineState::Busy | LineState::Held => true,
            LineState::Unreachable | LineState::Unknown => return,
        };
        let (id, user) = whose(lamp);
        let Some(account) = self.account(&id) else { return };
        let Some((extension, what)) = Desk::lamp_beside(account, &user) else { return };
        let of = (id, extension);
        let told = self.watches.beside.entry(of.clone()).or_default();
        told.retain(|known| *known != what);
        told.extend(on.then_some(what));
        let told = told.clone();
        let found = self.watches.lines.iter_mut().find(|(_, view)| whose(view) == of);
        let Some((line, view)) = found else { return };
        let to = view.forwarded.take().filter(|to| !to.is_empty());
        show_beside(view, &told);
        view.forwarded = to.or(view.forwarded.take());
        view.version += 1;
        let (line, view) = (*line, view.clone());
        self.watches.changed.insert(line);
        self.event(now, crate::event::Event::LineState(Box::new(view)));
    }
}

/// The account and the extension of a line.
fn whose(view: &LineView) -> (String, String) {
    let user = Uri::parse(&view.uri).ok().and_then(|uri| uri.user());
    (view.account.clone(), user.unwrap_or_default())
}

fn show_beside(view: &mut LineView, told: &[Beside]) {
    view.do_not_disturb = told.contains(&Beside::DoNotDisturb);
    // The lamp does not show where to.
    view.forwarded = told.contains(&Beside::Forwarded).then(String::new);
}

/// Whether asking again would be answered in the same way.
fn is_final(cause: &SubscriptionCause) -> bool {
    matches!(cause, SubscriptionCause::Refused { .. } | SubscriptionCause::Terminated { .. })
}

/// The exchange does not know the package.
fn is_unknown_event(cause: &SubscriptionCause) -> bool {
    matches!(cause, SubscriptionCause::Refused { status, .. } if *status == StatusCode::BAD_EVENT)
}

fn state_view(state: pbx::LineState) -> LineState {
    match state {
        pbx::LineState::Unknown => LineState::Unknown,
        pbx::LineState::Unreachable => LineState::Unreachable,
        pbx::LineState::Idle => LineState::Idle,
        pbx::LineState::Held => LineState::Held,
        pbx::LineState::Busy => LineState::Busy,
        pbx::LineState::Ringing => LineState::Ringing,
    }
}
