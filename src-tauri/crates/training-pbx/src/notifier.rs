//! The event notifier: who watches which line, mailbox or features, and what they are told (RFC 6665, 4235, 4662,
//! 3842, 3856, 3680; as-feature-event; call-info for parked calls; x-broadworks-hoteling).
//!
//! Inputs: from phones `subscribe` (already authenticated); from the exchange `know`, `publish`, `registered`, `drop_all`
//! and the knobs; from the user agent `sent`, `answered`, `failed`; from time `handle_timeout`. One NOTIFY at a time is
//! under way for each subscription; what changes meanwhile goes into the next.

mod documents;
mod subscription;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use event_packages::{FeatureDocument, ParkedIdentity};
use serde::{Deserialize, Serialize};
use sip_core::{ClientKey, Random, Route, Source};
use sip_types::{HeaderName, Request, Response, StatusCode};

use crate::company::Company;
use crate::exchange::Line;
use crate::mailboxes::Mailboxes;
use crate::registrar::Gone;
pub(crate) use subscription::LIST;
use subscription::{Resource, State, Subscription};

/// The package of features that telephone and exchange keep the same.
pub(crate) const FEATURES: &str = "as-feature-event";
/// The package by which a telephone is told who is parked at its line.
pub(crate) const CALL_INFO: &str = "call-info";
/// The package by which a telephone is given to a guest.
pub(crate) const HOTELING: &str = "x-broadworks-hoteling";
/// What can be subscribed to, unless less is set.
pub(crate) const PACKAGES: [&str; 7] =
    ["dialog", "message-summary", "presence", "reg", FEATURES, CALL_INFO, HOTELING];
/// Shorter subscriptions are refused with 423.
const LEAST: u32 = 60;
/// Longer ones are cut to this; also when nothing is said.
const MOST: u32 = 3600;
/// Subscriptions of one user, and of all.
const OF_ONE: usize = 2_500;
const OF_ALL: usize = 25_000;
/// How long a NOTIFY that is to come too late is kept back.
const LATE: Duration = Duration::from_millis(700);

/// What goes wrong with NOTIFYs on purpose, in percent of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NotifyLoss {
    /// Never sent, though numbered.
    #[serde(default)]
    pub lost: u8,
    /// Sent after a later one.
    #[serde(default)]
    pub reordered: u8,
}

/// The guest at a telephone, and what is asked of one who would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hosted {
    /// His line, and until when he has it, if that is known.
    pub(crate) guest: Option<(String, Option<Instant>)>,
    /// What the next proof is to be made of.
    pub(crate) nonce: Option<String>,
}

/// Number of a subscription within this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SubscriptionId(u64);

/// A NOTIFY to be sent; the transaction's key goes to [`Notifier::sent`].
#[derive(Debug)]
pub(crate) struct Notification {
    pub(crate) subscription: SubscriptionId,
    pub(crate) request: Request,
    pub(crate) route: Route,
}

/// The addresses documents are written with.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) company: Company,
    /// The lines in the lists of those who chose them, by owner; all others for the rest.
    pub(crate) monitored: BTreeMap<String, Vec<String>>,
    /// Host and port of all addresses.
    pub(crate) host: String,
    pub(crate) user_agent: String,
}

impl Names {
    /// `sip:101@host:port`.
    pub(crate) fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.host)
    }

    /// The people in somebody's list, in its order.
    pub(crate) fn listed(&self, owner: &str) -> Vec<crate::company::Person> {
        let people = self.company.people();
        let Some(lines) = self.monitored.get(owner) else {
            return people.into_iter().filter(|person| person.extension != owner).collect();
        };
        let find = |line: &String| people.iter().find(|person| person.extension == *line).cloned();
        lines.iter().filter_map(find).collect()
    }

    /// The address of the exchange itself.
    pub(crate) fn own(&self) -> String {
        format!("sip:{}", self.host)
    }
}

/// All subscriptions.
pub(crate) struct Notifier {
    names: Names,
    random: Random,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    /// By Call-ID and our tag.
    dialogs: HashMap<(String, String), SubscriptionId>,
    transactions: HashMap<ClientKey, SubscriptionId>,
    lines: BTreeMap<String, Line>,
    /// The contacts of each user.
    registrations: BTreeMap<String, Vec<String>>,
    packages: Vec<String>,
    /// The features of the lines whose are watched.
    features: BTreeMap<String, Vec<FeatureDocument>>,
    /// Who is parked, by line.
    parked: BTreeMap<String, ParkedIdentity>,
    /// Whose guest a line's telephone has, by line.
    hosted: BTreeMap<String, Hosted>,
    loss: NotifyLoss,
    delay: Duration,
    /// NOTIFYs that are kept back.
    late: Vec<(Instant, Notification)>,
    outputs: VecDeque<Notification>,
    last: u64,
}

impl Notifier {
    /// Nobody watches anything.
    pub(crate) fn new(names: Names, random: Random) -> Self {
        Self {
            names,
            random,
            subscriptions: BTreeMap::new(),
            dialogs: HashMap::new(),
            transactions: HashMap::new(),
            lines: BTreeMap::new(),
            registrations: BTreeMap::new(),
            packages: PACKAGES.map(str::to_owned).to_vec(),
            features: BTreeMap::new(),
            parked: BTreeMap::new(),
            hosted: BTreeMap::new(),
            loss: NotifyLoss::default(),
            delay: Duration::ZERO,
            late: Vec::new(),
            outputs: VecDeque::new(),
            last: 0,
        }
    }

    /// What can be subscribed to, for Allow-Events.
    pub(crate) fn packages(&self) -> String {
        self.packages.join(", ")
    }

    /// Sets what can be subscribed to; those who have subscribed to something else keep it. False if there is
    /// no such package.
    pub(crate) fn set_packages(&mut self, packages: Vec<String>) -> bool {
        let known = packages.iter().all(|package| PACKAGES.contains(&package.as_str()));
        if known {
            self.packages = packages;
        }
        known
    }

    /// Subscriptions there are.
    pub(crate) fn count(&self) -> usize {
        self.subscriptions.len()
    }

    /// Whether a SUBSCRIBE of the authenticated `user` would be accepted.
    ///
    /// # Errors
    /// What it is refused with.
    pub(crate) fn admits(&self, user: &str, request: &Request) -> Result<(), StatusCode> {
        match request.headers.to().ok().and_then(|to| to.tag().map(str::to_owned)) {
            None => {
                let (company, packages) = (&self.names.company, &self.packages);
                Resource::read(request, user, company, packages).map(|_| ())
            }
            Some(tag) => {
                let call_id = request.headers.call_id().map_err(|_| StatusCode::BAD_REQUEST)?;
                let known = self.dialogs.get(&(call_id, tag));
                let known = known.and_then(|id| self.subscriptions.get(id));
                let subscription = known.ok_or(StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST)?;
                if subscription.user == user { Ok(()) } else { Err(StatusCode::FORBIDDEN) }
            }
        }
    }

    /// The lines whose features are watched.
    pub(crate) fn feature_lines(&self) -> BTreeSet<String> {
        let line = |subscription: &Subscription| match &subscription.resource {
            Resource::Features(line) => Some(line.clone()),
            _ => None,
        };
        self.subscriptions.values().filter_map(line).collect()
    }

    /// The features of a line, for those who watch them; told with the next [`Self::publish`].
    pub(crate) fn know(&mut self, line: &str, features: Vec<FeatureDocument>) {
        self.features.insert(line.to_owned(), features);
    }

    /// Who is parked, by line; told with the next [`Self::publish`].
    pub(crate) fn know_parked(&mut self, parked: BTreeMap<String, ParkedIdentity>) {
        self.parked = parked;
    }

    /// The guests at telephones and what they must prove, by line; told with the next [`Self::publish`].
    pub(crate) fn know_hosted(&mut self, hosted: BTreeMap<String, Hosted>) {
        self.hosted = hosted;
    }

    /// Answers a SUBSCRIBE of the authenticated `user`.
    pub(crate) fn subscribe(
        &mut self,
        now: Instant,
        user: &str,
        request: &Request,
        source: Source,
        mailboxes: &Mailboxes,
    ) -> Response {
        let inside = request.headers.to().ok().and_then(|to| to.tag().map(str::to_owned));
        let outcome = match inside {
            Some(tag) => self.refresh(now, user, request, source, tag),
            None => self.begin(now, user, request, source),
        };
        match outcome {
            Ok((id, expires)) => {
                let response = self.accepted(request, id, expires);
                self.pump(now, mailboxes);
                response
            }
            Err(status) => self.refused(request, status),
        }
    }

    fn accepted(&self, request: &Request, id: SubscriptionId, expires: u32) -> Response {
        let mut response = Response::to_request(request, StatusCode::OK);
        if let Some(subscription) = self.subscriptions.get(&id) {
            response.set_to_tag(subscription.tag());
            if let Resource::List(_) = subscription.resource {
                response.headers.push(HeaderName::Require, "eventlist");
            }
        }
        response.headers.push(HeaderName::Expires, expires.to_string());
        response.headers.push(HeaderName::Contact, format!("<{}>", self.names.own()));
        response.headers.push(HeaderName::AllowEvents, self.packages());
        response
    }

    fn refused(&mut self, request: &Request, status: StatusCode) -> Response {
        let mut response = Response::to_request(request, status);
        let headers = &mut response.headers;
        match status {
            StatusCode::BAD_EVENT => {
                headers.push(HeaderName::AllowEvents, self.packages.join(", "));
            }
            StatusCode::INTERVAL_TOO_BRIEF => {
                headers.push(HeaderName::MinExpires, LEAST.to_string());
            }
            StatusCode::EXTENSION_REQUIRED => headers.push(HeaderName::Require, "eventlist"),
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.push(HeaderName::RetryAfter, self.random.between(30, 90).to_string());
            }
            _ => {}
        }
        response
    }

    fn begin(
        &mut self,
        now: Instant,
        user: &str,
        request: &Request,
        source: Source,
    ) -> Result<(SubscriptionId, u32), StatusCode> {
        let resource = Resource::read(request, user, &self.names.company, &self.packages)?;
        let expires = expires(request)?;
        let own = self.subscriptions.values().filter(|subscription| subscription.user == user);
        if own.count() >= OF_ONE || self.subscriptions.len() >= OF_ALL {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        let tag = self.random.token(10);
        let expires_at = now + Duration::from_secs(expires.into());
        let subscription = Subscription::new(user, resource, request, source, (&tag, expires_at))?;
        self.last += 1;
        let id = SubscriptionId(self.last);
        tracing::debug!(id = id.0, %user, resource = ?subscription.resource, expires, "none, SUBSCRIBE -> active");
        self.dialogs.insert((subscription.call_id.clone(), tag), id);
        self.subscriptions.insert(id, subscription);
        self.end_if_over(id, expires);
        Ok((id, expires))
    }

    fn refresh(
        &mut self,
        now: Instant,
        user: &str,
        request: &Request,
        source: Source,
        tag: String,
    ) -> Result<(SubscriptionId, u32), StatusCode> {
        let unknown = StatusCode::CALL_TRANSACTION_DOES_NOT_EXIST;
        let call_id = request.headers.call_id().map_err(|_| StatusCode::BAD_REQUEST)?;
        let id = *self.dialogs.get(&(call_id, tag)).ok_or(unknown)?;
        let subscription = self.subscriptions.get_mut(&id).ok_or(unknown)?;
        if subscription.user != user {
            return Err(StatusCode::FORBIDDEN);
        }
        let expires = expires(request)?;
        subscription.refresh(request, source, now + Duration::from_secs(expires.into()))?;
        tracing::debug!(id = id.0, expires, "active, SUBSCRIBE -> active");
        self.end_if_over(id, expires);
        Ok((id, expires))
    }

    /// `Expires: 0` fetches the state once, and ends.
    fn end_if_over(&mut self, id: SubscriptionId, expires: u32) {
        if let Some(subscription) = self.subscriptions.get_mut(&id).filter(|_| expires == 0) {
            subscription.over = Some("timeout");
        }
    }

    /// The contacts of each user as they are now, and those that went: whoever watches his own is told.
    pub(crate) fn registered(
        &mut self,
        registrations: BTreeMap<String, Vec<String>>,
        gone: &[Gone],
    ) {
        let none = Vec::new();
        let before = &self.registrations;
        for subscription in self.subscriptions.values_mut() {
            let Resource::Registrations(user) = subscription.resource.clone() else { continue };
            let held = |all: &BTreeMap<String, Vec<String>>| {
                all.get(&user).cloned().unwrap_or_else(|| none.clone())
            };
            let gone = gone.iter().filter(|gone| gone.user == user).cloned().collect();
            subscription.registrations_changed(gone, held(before) != held(&registrations));
        }
        self.registrations = registrations;
    }

    /// The lines as they are now: whoever watches one that has changed is told.
    pub(crate) fn publish(
        &mut self,
        now: Instant,
        lines: BTreeMap<String, Line>,
        mailboxes: &Mailboxes,
    ) {
        let free = Line::default();
        let before = |line: &String| self.lines.get(line).unwrap_or(&free);
        let mut changed: Vec<String> = lines
            .iter()
            .filter(|(name, line)| before(name) != *line)
            .map(|l| l.0.clone())
            .collect();
        let gone =
            self.lines.iter().filter(|(name, line)| !lines.contains_key(*name) && **line != free);
        changed.extend(gone.map(|(name, _)| name.clone()));
        self.lines = lines;
        for subscription in self.subscriptions.values_mut() {
            changed.iter().for_each(|line| subscription.line_changed(line));
            subscription.mailbox_changed(mailboxes);
            subscription.features_changed(&self.features);
            subscription.parked_changed(&self.parked);
            subscription.hosted_changed(&self.hosted);
        }
        self.pump(now, mailboxes);
    }

    /// Ends subscriptions, of everybody or of one user: with a last NOTIFY and this reason, or without a word.
    pub(crate) fn drop_all(
        &mut self,
        now: Instant,
        user: Option<&str>,
        reason: Option<&'static str>,
        mailboxes: &Mailboxes,
    ) -> usize {
        let hit = |subscription: &Subscription| user.is_none_or(|user| subscription.user == user);
        let ids: Vec<SubscriptionId> =
            self.subscriptions.iter().filter(|(_, s)| hit(s)).map(|(id, _)| *id).collect();
        for id in &ids {
            match (reason, self.subscriptions.get_mut(id)) {
                (Some(reason), Some(subscription)) => {
                    subscription.over = Some(reason);
                    subscription.due = true;
                }
                _ => self.forget(*id, "dropped"),
            }
        }
        self.pump(now, mailboxes);
        ids.len()
    }

    /// Sets the lines in somebody's list; whoever watches it gets the whole of it.
    pub(crate) fn set_monitored(
        &mut self,
        now: Instant,
        owner: &str,
        lines: Option<Vec<String>>,
        mailboxes: &Mailboxes,
    ) {
        if self.names.monitored.get(owner) == lines.as_ref() {
            return;
        }
        match lines {
            Some(lines) => self.names.monitored.insert(owner.to_owned(), lines),
            None => self.names.monitored.remove(owner),
        };
        let list = Resource::List(owner.to_owned());
        for subscription in self.subscriptions.values_mut().filter(|s| s.resource == list) {
            subscription.full = true;
            subscription.due = true;
        }
        self.pump(now, mailboxes);
    }

    /// Sets what goes wrong.
    pub(crate) fn set_loss(&mut self, loss: NotifyLoss) {
        self.loss = loss;
    }

    /// Sets how late everything is.
    pub(crate) fn set_delay(&mut self, delay: Duration) {
        self.delay = delay;
    }

    /// Everything is forgotten, as by a power cut.
    pub(crate) fn reset(&mut self) {
        self.subscriptions.clear();
        self.dialogs.clear();
        self.transactions.clear();
        self.late.clear();
        self.outputs.clear();
        self.lines.clear();
        self.registrations.clear();
        self.features.clear();
        self.parked.clear();
        self.hosted.clear();
    }

    /// The next NOTIFY to send.
    pub(crate) fn poll_output(&mut self) -> Option<Notification> {
        self.outputs.pop_front()
    }

    /// A NOTIFY is under way.
    pub(crate) fn sent(&mut self, id: SubscriptionId, key: ClientKey) {
        self.transactions.insert(key, id);
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.under_way = Some(key);
        }
    }

    /// A watcher has answered a NOTIFY. False if the key is not of one.
    pub(crate) fn answered(
        &mut self,
        now: Instant,
        key: ClientKey,
        status: StatusCode,
        mailboxes: &Mailboxes,
    ) -> bool {
        let Some(&id) = self.transactions.get(&key) else { return false };
        if !status.is_final() {
            return true;
        }
        self.transactions.remove(&key);
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return true };
        if subscription.under_way == Some(key) {
            subscription.under_way = None;
        }
        // 500: it came in the wrong order, which the watcher heals; 503: it is busy. Both keep the subscription.
        let kept = status.is_success() || matches!(status.code(), 491 | 500 | 503);
        if !kept || (subscription.over.is_some() && !subscription.due) {
            self.forget(id, "NOTIFY answered finally");
        }
        self.pump(now, mailboxes);
        true
    }

    /// A NOTIFY got no answer: the watcher is gone. False if the key is not of one.
    pub(crate) fn failed(&mut self, key: ClientKey) -> bool {
        let Some(id) = self.transactions.remove(&key) else { return false };
        self.forget(id, "no answer");
        true
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let running =
            self.subscriptions.values().filter(|subscription| subscription.over.is_none());
        let late = self.late.iter().map(|(at, _)| *at);
        running.map(|subscription| subscription.expires_at).chain(late).min()
    }

    /// Ends what has run out and sends what was kept back.
    pub(crate) fn handle_timeout(&mut self, now: Instant, mailboxes: &Mailboxes) {
        let mut due: Vec<(Instant, Notification)> =
            self.late.extract_if(.., |(at, _)| *at <= now).collect();
        due.sort_by_key(|(at, _)| *at);
        self.outputs.extend(due.into_iter().map(|(_, notification)| notification));
        for subscription in self.subscriptions.values_mut() {
            if subscription.over.is_none() && subscription.expires_at <= now {
                subscription.over = Some("timeout");
                subscription.due = true;
            }
        }
        self.pump(now, mailboxes);
    }

    /// Writes the NOTIFYs that are due.
    fn pump(&mut self, now: Instant, mailboxes: &Mailboxes) {
        let due = self.subscriptions.iter().filter(|(_, s)| s.due && s.under_way.is_none());
        let due: Vec<SubscriptionId> = due.map(|(id, _)| *id).collect();
        for id in due {
            let Some(subscription) = self.subscriptions.get_mut(&id) else { continue };
            let state = State {
                lines: &self.lines,
                features: &self.features,
                parked: &self.parked,
                hosted: &self.hosted,
                mailboxes,
                registrations: &self.registrations,
            };
            let request = subscription.notify(now, &self.names, state);
            let notification =
                Notification { subscription: id, request, route: subscription.route };
            let over = subscription.over.is_some();
            let chance = self.random.between(0, 99);
            let (lost, reordered) = (u64::from(self.loss.lost), u64::from(self.loss.reordered));
            if chance < lost {
                tracing::debug!(id = id.0, "active, NOTIFY lost on purpose -> active");
                if over {
                    self.forget(id, "over");
                }
            } else if chance < lost + reordered {
                self.late.push((now + self.delay + LATE, notification));
            } else if self.delay.is_zero() {
                self.outputs.push_back(notification);
            } else {
                self.late.push((now + self.delay, notification));
            }
        }
    }

    fn forget(&mut self, id: SubscriptionId, why: &str) {
        if let Some(subscription) = self.subscriptions.remove(&id) {
            tracing::debug!(id = id.0, "active, {why} -> none");
            let tag = subscription.tag().to_owned();
            self.dialogs.remove(&(subscription.call_id, tag));
            self.late.retain(|(_, notification)| notification.subscription != id);
        }
    }
}

/// Seconds asked for.
fn expires(request: &Request) -> Result<u32, StatusCode> {
    let asked = request.headers.expires().map_err(|_| StatusCode::BAD_REQUEST)?;
    match asked.unwrap_or(MOST) {
        0 => Ok(0),
        brief if brief < LEAST => Err(StatusCode::INTERVAL_TOO_BRIEF),
        seconds => Ok(seconds.min(MOST)),
    }
}
