//! The subscriptions of the events session (reference, section 4.2).
//!
//! Inputs by source: the owner watches, has enough, or doubts; the channel comes and goes; answers to
//! listings, creations and renewals; events; the time. Subscriptions outlive a channel, so on every new one
//! those that exist are listed first, and taken over instead of created again.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    heard::Heard,
    model::{ChannelNumber, Output, Standing, Subject},
    outbox::{Outbox, Purpose},
};
use crate::{
    HttpAnswer, HttpFailure, HttpRequest, Method, Origin, Path,
    backoff::Backoff,
    limits,
    wire::{self, Event, EventData, Subscription},
};

/// The first wait before a subscription is created again.
const BASE: Duration = Duration::from_secs(2);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(300);
/// Creations and renewals at a time.
const AT_ONCE: usize = 6;
/// A renewal without an answer is sent again after this.
const UNANSWERED: Duration = Duration::from_secs(30);
/// Renewals that have no turn are looked at again after this, should no answer come before.
const CROWDED: Duration = Duration::from_secs(1);
/// A subscription that has lived for so long did not fail at once.
const LIVED: Duration = Duration::from_secs(60);
/// How far back an event may lie and still be one that was sent twice.
const RESENT: u32 = 64;
/// The highest number of an event; 1 follows.
const HIGHEST: u32 = 2_147_483_647;

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Waits for a channel, for the listing or for its turn.
    Wanted,
    /// Asked for.
    Creating,
    /// Exists at the server.
    Up { id: String, renew_at: Instant, since: Instant },
    /// Asked for again at this time.
    Waiting(Instant),
    /// Refused: read at intervals, and asked for again at this time.
    Polled { poll_at: Instant, again: Instant },
}

#[derive(Debug)]
struct One {
    subject: Subject,
    state: State,
    /// Number of the event that came last.
    sequence: Option<u32>,
    /// All of its state is to be told again.
    resync: bool,
    backoff: Backoff,
    standing: Standing,
}

/// What becomes of an event.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It is told.
    Fresh,
    /// It is told, and something before it is missing.
    Gap,
    /// It came before.
    Resent,
}

#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    all: Vec<One>,
    /// The channel requests go over, and its server.
    way: Option<(ChannelNumber, Origin)>,
    /// The listing of this channel is still to come.
    listing: bool,
    /// The server gives no events at all.
    barred: bool,
    /// Events of subscriptions whose name is still to come.
    early: VecDeque<Event>,
    /// Events that came lately, over whatever channel.
    heard: Heard,
    /// When some that were due had no turn. They get it as soon as an answer comes.
    crowded: Option<Instant>,
}

impl Subscriptions {
    pub(super) fn watch(&mut self, now: Instant, out: &mut Outbox, subject: Subject) {
        let known = self.all.iter().any(|one| one.subject == subject);
        if known {
            return;
        }
        if self.all.len() >= limits::SUBSCRIPTIONS || subject.target.path().is_err() {
            out.push(Output::Standing { subject, standing: Standing::Polled });
            return;
        }
        let backoff = Backoff::new(BASE, LONGEST);
        self.all.push(One {
            subject,
            state: State::Wanted,
            sequence: None,
            resync: false,
            backoff,
            standing: Standing::Pending,
        });
        if self.barred {
            self.bar(now, out);
        }
        self.advance(now, out);
    }

    pub(super) fn unwatch(&mut self, out: &mut Outbox, subject: &Subject) {
        let Some(index) = self.all.iter().position(|one| one.subject == *subject) else { return };
        let one = self.all.remove(index);
        if let State::Up { id, .. } = &one.state {
            self.delete(out, id);
        }
    }

    /// Something told may be wrong: all of it is asked for.
    pub(super) fn resync(&mut self, now: Instant, out: &mut Outbox, subject: &Subject) {
        let up = self.way.is_some();
        if let Some(one) = self.all.iter_mut().find(|one| one.subject == *subject) {
            match one.state {
                // What was refused may be allowed by now.
                State::Polled { .. } if up => one.state = State::Wanted,
                _ => one.resync = true,
            }
        }
        self.advance(now, out);
    }

    /// There is a channel: what exists is listed first.
    pub(super) fn channel_up(&mut self, out: &mut Outbox, number: ChannelNumber, origin: &Origin) {
        self.way = Some((number, origin.clone()));
        self.barred = false;
        self.listing = true;
        for one in &mut self.all {
            if matches!(one.state, State::Polled { .. }) {
                one.state = State::Wanted;
            }
        }
        let query = HttpRequest::event(Method::Get, Path::new("subscription"), None);
        let query = query
            .with("subscriberId", &out.config.user)
            .and_then(|query| query.with("extAppId", &out.config.application));
        match query {
            Ok(http) => out.send(Purpose::List, origin, Some(number), http),
            Err(_) => self.listing = false,
        }
    }

    pub(super) fn channel_down(&mut self, out: &mut Outbox) {
        self.way = None;
        self.listing = false;
        self.early.clear();
        out.forget(|purpose| {
            matches!(
                purpose,
                Purpose::List | Purpose::Create(_) | Purpose::Renew(_) | Purpose::Delete
            )
        });
        for one in &mut self.all {
            one.state = State::Wanted;
            one.sequence = None;
            one.stand(out, Standing::Pending);
        }
    }

    /// The server gives no events: everything is read at intervals until a channel comes.
    pub(super) fn bar(&mut self, now: Instant, out: &mut Outbox) {
        self.barred = true;
        let again = now + out.config.forbidden;
        for one in &mut self.all {
            if !matches!(one.state, State::Polled { .. }) {
                one.state = State::Polled { poll_at: now, again };
                one.stand(out, Standing::Polled);
            }
        }
    }

    /// How the listing went.
    pub(super) fn listed(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        result: &Result<HttpAnswer, HttpFailure>,
    ) {
        self.listing = false;
        let document = result.as_ref().ok().filter(|answer| answer.is_success());
        let document = document.and_then(|answer| answer.document().ok().flatten());
        let found = document.map(|root| wire::read_subscriptions(&root)).unwrap_or_default();
        for subscription in found {
            self.take_over(now, out, &subscription);
        }
        self.advance(now, out);
    }

    /// One that exists: taken over if it is wanted, ended if it is ours and nobody wants it.
    fn take_over(&mut self, now: Instant, out: &mut Outbox, found: &Subscription) {
        let ours = found.application.as_deref().is_none_or(|name| name == out.config.application);
        let here = found.channel_set.as_deref() == Some(out.config.channel_set.as_str());
        if !ours || !here {
            // A program of this name that ended without a word has left it, and the server lets no two of them
            // live: it only counts towards the user's limit.
            if ours && found.application.is_some() && found.channel_set.is_some() {
                self.delete(out, &found.id);
            }
            return;
        }
        let wanted = self.all.iter_mut().find(|one| {
            one.state == State::Wanted
                && found.packages.iter().any(|name| name == one.subject.package.word())
                && found.target.as_deref().is_some_and(|id| same(id, one.subject.target.id()))
        });
        match wanted {
            Some(one) => {
                tracing::debug!("subscription: wanted, listed -> up ({})", one.subject.package);
                one.state = State::Up { id: found.id.clone(), renew_at: now, since: now };
                one.stand(out, Standing::Subscribed);
            }
            None => self.delete(out, &found.id.clone()),
        }
    }

    fn delete(&self, out: &mut Outbox, id: &str) {
        let Some((number, origin)) = &self.way else { return };
        if let Ok(path) = Path::new("subscription").part(id) {
            let http = HttpRequest::event(Method::Delete, path, None);
            out.send(Purpose::Delete, origin, Some(*number), http);
        }
    }

    /// How a creation went.
    pub(super) fn created(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        subject: &Subject,
        result: &Result<HttpAnswer, HttpFailure>,
    ) {
        let granted = result.as_ref().ok().filter(|answer| answer.is_success());
        let granted = granted.and_then(|answer| answer.document().ok().flatten());
        let granted = granted.and_then(|root| Subscription::read(&root).ok());
        let Some(one) = self.all.iter_mut().find(|one| one.subject == *subject) else {
            // Nobody wants it any more.
            if let Some(granted) = granted {
                self.delete(out, &granted.id);
            }
            return;
        };
        match (granted, result) {
            (Some(granted), _) => {
                tracing::debug!("subscription: creating, granted -> up ({})", subject.package);
                let lifetime = lifetime(granted.expires, out);
                one.state = State::Up { id: granted.id, renew_at: now + lifetime / 2, since: now };
                one.sequence = None;
                one.stand(out, Standing::Subscribed);
            }
            (None, Ok(answer)) if is_refusal(answer.status) => one.refuse(now, out, answer.status),
            (None, result) => one.postpone(now, out, result),
        }
        self.advance(now, out);
    }

    /// How a renewal went.
    pub(super) fn renewed(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        subject: &Subject,
        result: &Result<HttpAnswer, HttpFailure>,
    ) {
        let Some(one) = self.all.iter_mut().find(|one| one.subject == *subject) else { return };
        let State::Up { renew_at, .. } = &mut one.state else { return };
        match result {
            Ok(answer) if answer.is_success() => {
                let document = answer.document().ok().flatten();
                let told = document.and_then(|root| root.number::<u32>("expires"));
                *renew_at = now + lifetime(told.filter(|&seconds| seconds < HIGHEST), out) / 2;
                one.backoff.succeeded();
            }
            Ok(answer) if answer.status == 403 => one.refuse(now, out, 403),
            Ok(answer) if matches!(answer.status, 400 | 404 | 410 | 481) => {
                tracing::debug!(
                    "subscription: up, renewal refused -> wanted ({})",
                    subject.package
                );
                one.state = State::Wanted;
                one.stand(out, Standing::Pending);
            }
            result => {
                let asked = result.as_ref().ok().and_then(|answer| answer.retry_after);
                *renew_at = now + one.backoff.wait(&mut out.random, asked);
                one.resync = true;
            }
        }
        self.advance(now, out);
    }

    /// An event. Gives back with which status it is acknowledged; `None`: later, when it is known whose it is.
    pub(super) fn event(&mut self, now: Instant, out: &mut Outbox, event: Event) -> Option<u16> {
        let known =
            self.all.iter().position(|one| one.id() == Some(event.subscription_id.as_str()));
        let Some(index) = known else {
            let expected = self.listing || self.all.iter().any(|one| one.state == State::Creating);
            if expected && self.early.len() < limits::EARLY_EVENTS {
                self.early.push_back(event);
                return None;
            }
            // The server ends subscriptions that nobody knows (reference, section 4.1).
            return Some(481);
        };
        let Some(one) = self.all.get_mut(index) else { return Some(481) };
        if !self.heard.note(&event) {
            return Some(200);
        }
        one.take(now, out, event);
        self.advance(now, out);
        Some(200)
    }

    /// Events that came before their subscription had a name, with the status of their acknowledgement.
    pub(super) fn take_early(&mut self, now: Instant, out: &mut Outbox) -> Vec<(String, u16)> {
        let mut settled = Vec::new();
        for event in std::mem::take(&mut self.early) {
            let id = event.event_id.clone();
            if let Some(status) = self.event(now, out, event) {
                settled.push((id, status));
            }
        }
        settled
    }

    /// Sends what is due, but not all at once.
    fn advance(&mut self, now: Instant, out: &mut Outbox) {
        let Some((number, origin)) = self.way.clone() else { return };
        if self.listing {
            return;
        }
        let busy = |purpose: &Purpose| matches!(purpose, Purpose::Create(_) | Purpose::Renew(_));
        let mut free = AT_ONCE.saturating_sub(out.count(busy));
        for one in &mut self.all {
            if free == 0 {
                return;
            }
            if let Some((purpose, http)) = one.next_request(now, out) {
                free -= 1;
                out.send(purpose, &origin, Some(number), http);
            }
        }
    }

    pub(super) fn timeout(&mut self, now: Instant, out: &mut Outbox) {
        for one in &mut self.all {
            match &mut one.state {
                State::Waiting(at) if *at <= now => one.state = State::Wanted,
                State::Polled { poll_at, again } => {
                    if *poll_at <= now {
                        *poll_at = now + out.config.poll;
                        out.push(Output::PollDue(one.subject.clone()));
                    }
                    if *again <= now && self.way.is_some() {
                        one.state = State::Wanted;
                    }
                }
                _ => {}
            }
        }
        self.advance(now, out);
        let due = |one: &One| matches!(one.state, State::Up { renew_at, .. } if renew_at <= now);
        self.crowded = self.all.iter().any(due).then_some(now);
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let up = self.way.is_some();
        let next = |one: &One| match &one.state {
            State::Up { renew_at, .. } => up.then(|| match self.crowded {
                Some(at) if *renew_at <= at => at + CROWDED,
                _ => *renew_at,
            }),
            State::Waiting(at) => Some(*at),
            State::Polled { poll_at, again } if up => Some(*poll_at.min(again)),
            State::Polled { poll_at, .. } => Some(*poll_at),
            State::Wanted | State::Creating => None,
        };
        self.all.iter().filter_map(next).min()
    }
}

impl One {
    fn id(&self) -> Option<&str> {
        match &self.state {
            State::Up { id, .. } => Some(id),
            _ => None,
        }
    }

    fn stand(&mut self, out: &mut Outbox, standing: Standing) {
        if self.standing != standing {
            self.standing = standing;
            out.push(Output::Standing { subject: self.subject.clone(), standing });
        }
    }

    fn refuse(&mut self, now: Instant, out: &mut Outbox, status: u16) {
        tracing::debug!("subscription: refused with {status} -> polled ({})", self.subject.package);
        self.state = State::Polled { poll_at: now, again: now + out.config.forbidden };
        self.stand(out, Standing::Polled);
    }

    fn postpone(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        result: &Result<HttpAnswer, HttpFailure>,
    ) {
        let asked = result.as_ref().ok().and_then(|answer| answer.retry_after);
        self.state = State::Waiting(now + self.backoff.wait(&mut out.random, asked));
        self.stand(out, Standing::Pending);
    }

    /// What is to be sent for it now.
    fn next_request(&mut self, now: Instant, out: &Outbox) -> Option<(Purpose, HttpRequest)> {
        let expires = u32::try_from(out.config.subscription_expires.as_secs()).unwrap_or(86_400);
        match &mut self.state {
            State::Wanted => {
                let body = wire::subscription_request(
                    self.subject.package.word(),
                    expires,
                    &out.config.channel_set,
                    &out.config.application,
                );
                let path = self.subject.target.path().ok()?;
                self.state = State::Creating;
                let http = HttpRequest::event(Method::Post, path, Some(body));
                Some((Purpose::Create(self.subject.clone()), http))
            }
            State::Up { id, renew_at, .. } if *renew_at <= now || self.resync => {
                let purpose = Purpose::Renew(self.subject.clone());
                if out.waits_for(&purpose) {
                    return None;
                }
                let path = Path::new("subscription").part(id).ok()?;
                // Asked again if no answer comes.
                *renew_at = now + UNANSWERED;
                self.resync = false;
                let body = Some(wire::subscription_renewal(expires));
                Some((purpose, HttpRequest::event(Method::Put, path, body)))
            }
            _ => None,
        }
    }

    fn take(&mut self, now: Instant, out: &mut Outbox, event: Event) {
        let whole = is_whole(&event.data);
        match self.judge(event.sequence, whole, is_restart(&event.data)) {
            Verdict::Resent => return,
            Verdict::Gap => {
                tracing::debug!("subscription: events are missing ({})", self.subject.package);
                self.resync = true;
            }
            Verdict::Fresh => {}
        }
        match event.data {
            Ok(EventData::SubscriptionTerminated) => {
                tracing::debug!(
                    "subscription: up, terminated -> waiting ({})",
                    self.subject.package
                );
                if matches!(self.state, State::Up { since, .. } if since + LIVED <= now) {
                    self.backoff.succeeded();
                }
                self.state = State::Waiting(now + self.backoff.wait(&mut out.random, None));
                self.stand(out, Standing::Pending);
            }
            Ok(data) => {
                out.push(Output::Told { subject: self.subject.clone(), data });
            }
            Err(error) => {
                // What it said is lost, so all of it is asked for, unless that is what cannot be read.
                tracing::debug!("subscription: an event cannot be read: {error}");
                self.resync |= !whole && self.sequence.is_some_and(|number| number > 1);
            }
        }
    }

    fn judge(&mut self, sequence: Option<u32>, whole: bool, restart: bool) -> Verdict {
        let Some(number) = sequence else { return Verdict::Fresh };
        let Some(last) = self.sequence.filter(|_| !restart) else {
            self.sequence = Some(number);
            return Verdict::Fresh;
        };
        let expected = if last >= HIGHEST { 1 } else { last + 1 };
        let behind = last.wrapping_sub(number);
        if number != expected && behind < RESENT && number <= last {
            return Verdict::Resent;
        }
        self.sequence = Some(number);
        if number == expected || whole { Verdict::Fresh } else { Verdict::Gap }
    }
}

/// Whether an event tells all of the state, so that nothing before it matters.
fn is_whole<E>(data: &Result<EventData, E>) -> bool {
    matches!(
        data,
        Ok(EventData::Calls { .. }
            | EventData::Queue { .. }
            | EventData::Agent(wire::AgentEvent::Snapshot { .. })
            | EventData::Service(_)
            | EventData::Mail(_))
    )
}

/// Whether the server has started anew, and counts anew.
fn is_restart<E>(data: &Result<EventData, E>) -> bool {
    matches!(
        data,
        Ok(EventData::Calls { resync: true, .. } | EventData::Queue { resync: true, .. })
    )
}

/// What is refused for good, as far as can be known: read at intervals instead.
fn is_refusal(status: u16) -> bool {
    matches!(status, 400 | 403 | 404 | 405 | 409 | 501)
}

fn lifetime(told: Option<u32>, out: &Outbox) -> Duration {
    told.map_or(out.config.subscription_expires, |seconds| {
        Duration::from_secs(u64::from(seconds.max(60)))
    })
}

/// Ids are compared without regard to case.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
