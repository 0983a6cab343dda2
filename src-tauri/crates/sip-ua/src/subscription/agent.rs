//! The user agent's subscriptions: commands, and which NOTIFY belongs to which of them.

use std::{collections::HashMap, time::Instant};

use sip_core::{ServerKey, Source};
use sip_types::{HeaderName, Method, Request, StatusCode};

use super::{Subscribe, Subscription, notify::Relation};
use crate::{
    AccountId, Body, Event, SubscriptionId, UaError, UserAgent, dialog::DialogId, message,
    shared::Cx,
};

/// Subscriptions at one time, forks included.
const MAX_SUBSCRIPTIONS: usize = 8192;
/// Forks of one subscription.
const MAX_FORKS: usize = 8;
/// Packages a server may notify of without being asked (RFC 3842 section 3, as exchanges do it).
const UNSOLICITED: [&str; 1] = ["message-summary"];

/// Which subscriptions a NOTIFY may belong to: those of its Call-ID and our tag. More than one only
/// where a proxy has forked the SUBSCRIBE.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_name: HashMap<(String, String), Vec<SubscriptionId>>,
    /// Subscriptions that are forks.
    forks: Vec<SubscriptionId>,
}

impl Names {
    fn enter(&mut self, subscription: &Subscription) {
        self.by_name.entry(subscription.own_name()).or_default().push(subscription.id);
        if subscription.parent.is_some() {
            self.forks.push(subscription.id);
        }
    }

    fn leave(&mut self, name: &(String, String), id: SubscriptionId) {
        if let Some(ids) = self.by_name.get_mut(name) {
            ids.retain(|known| *known != id);
            if ids.is_empty() {
                self.by_name.remove(name);
            }
        }
        self.forks.retain(|known| *known != id);
    }

    fn of(&self, name: &DialogId) -> Vec<SubscriptionId> {
        let key = (name.call_id.clone(), name.local_tag.clone().unwrap_or_default());
        self.by_name.get(&key).cloned().unwrap_or_default()
    }
}

impl UserAgent {
    /// Subscribes to somebody's events and stays subscribed until `unsubscribe`, or until
    /// [`crate::SubscriptionState::Ended`] tells that it is of no use to go on.
    ///
    /// # Errors
    /// `UnknownAccount`, `BadTarget` for a URI that is neither sip nor sips, `BadEvent` for an
    /// event that is none, `TooMany` beyond 8192 subscriptions.
    pub fn subscribe(
        &mut self,
        now: Instant,
        account: AccountId,
        wish: Subscribe,
    ) -> Result<SubscriptionId, UaError> {
        if self.accounts.get(&account).is_none_or(|account| account.removed) {
            return Err(UaError::UnknownAccount);
        }
        if !wish.uri.is_sip() {
            return Err(UaError::BadTarget);
        }
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return Err(UaError::TooMany);
        }
        let event = wish.event.parse().map_err(|_| UaError::BadEvent)?;
        let id = self.new_subscription_id();
        let subscription =
            self.with_account(now, account, |cx| Subscription::begin(cx, id, wish, event));
        let subscription = subscription.ok_or(UaError::UnknownAccount)?;
        self.names.enter(&subscription);
        self.subscriptions.insert(id, subscription);
        self.settle(now);
        Ok(id)
    }

    /// Ends a subscription. `Ended` comes after the last NOTIFY, or when none comes.
    ///
    /// # Errors
    /// `UnknownSubscription`.
    pub fn unsubscribe(&mut self, now: Instant, id: SubscriptionId) -> Result<(), UaError> {
        self.subscription(now, id, |subscription, cx| {
            subscription.leave(cx);
            Ok(())
        })
    }

    /// Refreshes now: the server sends the full state again. A subscription that waits for another
    /// try is tried at once. While a SUBSCRIBE is under way the refresh follows it.
    ///
    /// # Errors
    /// `UnknownSubscription`.
    pub fn refresh_subscription(
        &mut self,
        now: Instant,
        id: SubscriptionId,
    ) -> Result<(), UaError> {
        self.subscription(now, id, |subscription, cx| {
            subscription.refresh(cx);
            Ok(())
        })
    }

    /// Sends the notifier a document in a SUBSCRIBE of this subscription (as-feature-event). What
    /// became of it comes as [`Event::SubscriptionChangeDone`]; the new state as a NOTIFY.
    ///
    /// # Errors
    /// `UnknownSubscription`; `WrongState` while it is not active or pending, or while 16 changes
    /// wait.
    pub fn change_subscription(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        body: Body,
    ) -> Result<(), UaError> {
        self.subscription(now, id, |subscription, cx| match subscription.change(cx, body) {
            true => Ok(()),
            false => Err(UaError::WrongState),
        })
    }

    /// Subscriptions that are not over, those that are being ended included.
    #[must_use]
    pub fn subscription_count(&self) -> usize {
        self.subscriptions.len()
    }

    /// Runs `f` on a subscription that is not over for its owner.
    fn subscription(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        f: impl FnOnce(&mut Subscription, &mut Cx<'_>) -> Result<(), UaError>,
    ) -> Result<(), UaError> {
        let known = self.subscriptions.get(&id);
        if known.is_none_or(|known| known.has_ended() || known.parent.is_some()) {
            return Err(UaError::UnknownSubscription);
        }
        let result =
            self.with_subscription(now, id, f).unwrap_or(Err(UaError::UnknownSubscription));
        self.settle(now);
        result
    }

    pub(crate) fn with_subscription<R>(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        f: impl FnOnce(&mut Subscription, &mut Cx<'_>) -> R,
    ) -> Option<R> {
        let subscription = self.subscriptions.get_mut(&id)?;
        let account = self.accounts.get_mut(&subscription.account)?;
        let before = subscription.own_name();
        let result = f(subscription, &mut Cx { now, shared: &mut self.shared, account });
        let gone = subscription.is_gone();
        if gone || subscription.own_name() != before {
            self.names.leave(&before, id);
        }
        if gone {
            self.subscriptions.remove(&id);
        } else if subscription.own_name() != before {
            self.names.enter(subscription);
        }
        Some(result)
    }

    /// Runs `f` on every subscription, or on those of one account.
    pub(crate) fn each_subscription(
        &mut self,
        now: Instant,
        account: Option<AccountId>,
        mut f: impl FnMut(&mut Subscription, &mut Cx<'_>),
    ) {
        let wanted = |s: &Subscription| account.is_none_or(|account| s.account == account);
        let ids = self.subscriptions.values().filter(|s| wanted(s)).map(|s| s.id);
        for id in ids.collect::<Vec<_>>() {
            self.with_subscription(now, id, &mut f);
        }
    }

    /// Does what is due, without looking at those for which nothing is.
    pub(crate) fn subscriptions_timeout(&mut self, now: Instant) {
        let due = |s: &Subscription| s.poll_timeout().is_some_and(|at| at <= now);
        let ids = self.subscriptions.values().filter(|s| due(s)).map(|s| s.id);
        for id in ids.collect::<Vec<_>>() {
            self.with_subscription(now, id, Subscription::handle_timeout);
        }
    }

    /// Forks do not outlive the subscription they came from. Whether any had to go.
    pub(crate) fn forget_forks(&mut self, now: Instant) -> bool {
        let orphaned = |fork: &&Subscription| {
            fork.parent.is_some_and(|parent| {
                let stands = |p: &Subscription| !p.has_ended() && p.call_id == fork.call_id;
                !fork.has_ended() && !self.subscriptions.get(&parent).is_some_and(stands)
            })
        };
        let forks = self.names.forks.iter().filter_map(|id| self.subscriptions.get(id));
        let ids: Vec<_> = forks.filter(orphaned).map(|s| s.id).collect();
        for id in &ids {
            self.with_subscription(now, *id, Subscription::leave);
        }
        !ids.is_empty()
    }

    /// A NOTIFY, if it belongs to a subscription: `None` then, else the key again.
    pub(crate) fn notify(
        &mut self,
        now: Instant,
        key: ServerKey,
        request: &Request,
    ) -> Option<ServerKey> {
        if request.method != Method::Notify {
            return Some(key);
        }
        let Some(name) = DialogId::of_request(&request.headers) else { return Some(key) };
        let named = self.names.of(&name);
        let related = |relation| {
            let mut all = named.iter().filter_map(|id| self.subscriptions.get(id));
            all.find(|s| s.relation(&name) == relation).map(|s| s.id)
        };
        if let Some(id) = related(Relation::Own) {
            self.with_subscription(now, id, |s, cx| s.on_notify(cx, key, request));
            return None;
        }
        let parent = related(Relation::Fork).and_then(|id| self.subscriptions.get(&id));
        let Some(parent) = parent.filter(|parent| parent.welcomes_fork(request)) else {
            return Some(key);
        };
        if named.len() > MAX_FORKS || self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return Some(key);
        }
        let parent = parent.id;
        let id = self.new_subscription_id();
        if let Some(fork) = self.subscriptions.get(&parent).map(|parent| parent.fork(id)) {
            self.names.enter(&fork);
            self.subscriptions.insert(id, fork);
        }
        self.with_subscription(now, id, |s, cx| s.on_notify(cx, key, request));
        if self.subscriptions.get(&id).is_some_and(|fork| !fork.is_founded())
            && let Some(fork) = self.subscriptions.remove(&id)
        {
            self.names.leave(&fork.own_name(), id);
        }
        None
    }

    /// A NOTIFY outside any dialog that nobody asked for, if it is of a package that comes so and
    /// for an account that takes requests from there: `None` then, else the key again.
    pub(crate) fn unsolicited(
        &mut self,
        now: Instant,
        key: ServerKey,
        request: &Request,
        source: &Source,
    ) -> Option<ServerKey> {
        let event = request.headers.event().ok().flatten();
        let event = event.filter(|event| UNSOLICITED.contains(&event.package.as_str()));
        let (Some(event), Method::Notify) = (event, &request.method) else { return Some(key) };
        let Some(account) = self.account_for(request, source) else { return Some(key) };
        let tag = self.shared.random.token(10);
        let response = message::response(request, StatusCode::OK, &tag);
        self.shared.layer.respond(now, &key, response);
        let content_type = request.headers.get(&HeaderName::ContentType);
        self.shared.event(Event::Unsolicited {
            account,
            event: event.to_string(),
            content_type: content_type.unwrap_or_default().into_owned(),
            body: request.body.clone(),
        });
        None
    }

    fn new_subscription_id(&mut self) -> SubscriptionId {
        self.next_subscription += 1;
        SubscriptionId(self.next_subscription)
    }
}
