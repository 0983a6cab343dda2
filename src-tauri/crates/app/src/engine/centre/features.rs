//! Features that telephone and exchange keep the same over SIP: alone, where an account has no other way to ask its
//! exchange, or beside that way for what it does not offer.

use std::time::Instant;

use event_packages::write_features;
use pbx::centre::{Capability, Input, Request, RequestId};
use sip_types::StatusCode;
use sip_ua::{Body, SubscriptionState};
use tracing::debug;

use super::super::desk::Desk;
use super::by_event::{ByEvent, DOCUMENT, Out, PACKAGE};
use super::{Running, Way};
use crate::config::FeatureEvents;
use crate::view::AccountState;

impl Desk {
    /// Subscribes to what a registered account's exchange offers over SIP: features where they are wanted, who is parked and
    /// which guest has the telephone.
    pub(in super::super) fn begin_features(&mut self, now: Instant, id: &str) {
        let Some(account) = self.account(id) else { return };
        let settings = &account.settings;
        let wanted = match settings.feature_events {
            FeatureEvents::On => true,
            FeatureEvents::Off => false,
            FeatureEvents::Auto => account.offers(PACKAGE),
        };
        let registered = settings.register && account.state == AccountState::Registered;
        if !registered || account.ua.is_none() {
            return;
        }
        let settings = settings.clone();
        let has_binding = settings.xsi.is_some() || settings.asterisk.is_some();
        // A binding may wait for its password; all of this follows it.
        if wanted && self.centres.get(id).is_none() && !has_binding {
            self.run_exchange(now, id, Way::Events);
        }
        let Ok(running) = self.running(id) else { return };
        if wanted {
            running.events.get_or_insert_with(|| Box::new(ByEvent::new(&settings))).begin();
        }
        self.begin_call_park(now, id);
        self.begin_hoteling(id);
    }

    /// An account's registration changed.
    pub(in super::super) fn features_registered(&mut self, id: &str) {
        let registered = self.account(id).is_some_and(|a| a.state == AccountState::Registered);
        if let Some(events) = self.events_of(id).filter(|_| !registered) {
            events.unregistered();
        }
    }

    /// How the subscription stands.
    pub(in super::super) fn features_state(&mut self, id: &str, state: &SubscriptionState) {
        if let Some(events) = self.events_of(id) {
            events.subscription(state);
        }
    }

    /// A notification.
    pub(in super::super) fn features_told(&mut self, id: &str, content_type: &str, body: &[u8]) {
        if let Some(events) = self.events_of(id) {
            events.notified(content_type, body);
        }
    }

    /// What became of a wish that was sent.
    pub(in super::super) fn features_changed(&mut self, id: &str, status: Option<StatusCode>) {
        if let Some(events) = self.events_of(id) {
            events.answered(status);
        }
    }

    /// Carries out one thing that features want; false when none want anything.
    pub(super) fn events_output(&mut self, now: Instant) -> bool {
        let next = self.centres.running.iter_mut().find_map(|(account, running)| {
            Some((account.clone(), running.events.as_mut()?.poll_output()?))
        });
        let Some((account, out)) = next else { return false };
        match out {
            Out::Tell(input) => {
                if let Ok(running) = self.running(&account) {
                    running.told_by_event(now, *input);
                }
            }
            Out::Subscribe => {
                let subscription = self.subscribe_features(now, &account, (PACKAGE, DOCUMENT));
                if let Ok(running) = self.running(&account) {
                    running.events_id = subscription;
                }
                if let Some(events) = self.events_of(&account).filter(|_| subscription.is_none()) {
                    events.not_subscribed();
                }
            }
            Out::Refresh => {
                let id = self.centres.get(&account).and_then(|running| running.events_id);
                if let Some(id) = id
                    && let Err(error) = self.ua.refresh_subscription(now, id)
                {
                    debug!(%error, "features are not read again");
                }
            }
            Out::Send(document) => {
                let (content_type, bytes) = write_features(&[document], "");
                let id = self.centres.get(&account).and_then(|running| running.events_id);
                let sent = id.is_some_and(|id| {
                    let body = Body { content_type, bytes };
                    let sent = self.ua.change_subscription(now, id, body);
                    sent.inspect_err(|error| debug!(%error, "a wish is not sent")).is_ok()
                });
                if let Some(events) = self.events_of(&account).filter(|_| !sent) {
                    events.not_sent();
                }
            }
        }
        true
    }

    fn events_of(&mut self, account: &str) -> Option<&mut ByEvent> {
        self.centres.running.get_mut(account)?.events.as_deref_mut()
    }
}

impl Running {
    /// Its binding, or its codes, told something. What they do not offer is left to features over SIP.
    pub(super) fn told(&mut self, now: Instant, input: Input) {
        match input {
            Input::Capabilities { present, missing } => {
                self.offered = Some((present, missing));
                self.offer(now);
            }
            Input::ServiceAbsent(kind) => {
                if let Some((present, _)) = &mut self.offered {
                    present.retain(|capability| *capability != Capability::Service(kind));
                }
                self.centre.handle_input(now, input);
                if self.is_by_event(Capability::Service(kind)) {
                    self.offer(now);
                }
            }
            input => self.centre.handle_input(now, input),
        }
    }

    /// Tells the model what can be asked for in either way.
    fn offer(&mut self, now: Instant) {
        let (mut present, mut missing) = self.offered.clone().unwrap_or_default();
        if let Some(events) = &mut self.events {
            let others = events.present().into_iter().filter(|one| !present.contains(one));
            let others: Vec<Capability> = others.collect();
            if !others.is_empty() {
                events.tell_again();
            }
            present.extend(others);
            if matches!(self.way, Way::Events) {
                missing.extend(events.missing());
            }
        }
        self.centre.handle_input(now, Input::Capabilities { present, missing });
    }

    /// Features told something: it counts as far as nobody else can tell of it.
    fn told_by_event(&mut self, now: Instant, input: Input) {
        let alone = matches!(self.way, Way::Events);
        let input = match input {
            Input::Capabilities { .. } => match self.offered {
                Some(_) => return self.offer(now),
                // The binding tells first what it offers.
                None => return,
            },
            Input::Service(ref service)
                if !self.is_by_event(Capability::Service(service.kind())) =>
            {
                return;
            }
            Input::AgentStatus { agent, status } => {
                if !self.is_by_event(Capability::Agent) {
                    return;
                }
                let agent = self.centre.me().cloned().unwrap_or(agent);
                Input::AgentStatus { agent, status }
            }
            Input::Link(_)
            | Input::LinkFault { .. }
            | Input::Me { .. }
            | Input::UnavailableCodes { .. }
                if !alone =>
            {
                return;
            }
            other => other,
        };
        self.centre.handle_input(now, input);
    }

    /// Whether features over SIP are how this is read and set.
    pub(super) fn is_by_event(&self, capability: Capability) -> bool {
        let otherwise = self.offered.as_ref().is_none_or(|(all, _)| all.contains(&capability));
        let events = self.events.as_ref();
        !otherwise && events.is_some_and(|events| events.present().contains(&capability))
    }

    /// Takes a request that features answer; gives back what others have to.
    pub(super) fn order_by_event(&mut self, id: RequestId, request: Request) -> Option<Request> {
        let capability = match &request {
            _ if matches!(self.way, Way::Events) => None,
            Request::SetService(service) => Some(Capability::Service(service.kind())),
            Request::ReadService(kind) => Some(Capability::Service(*kind)),
            Request::SetAgentState { agent: None, .. } => Some(Capability::Agent),
            _ => return Some(request),
        };
        if capability.is_some_and(|capability| !self.is_by_event(capability)) {
            return Some(request);
        }
        match &mut self.events {
            Some(events) => {
                events.request(id, request);
                None
            }
            None => Some(request),
        }
    }
}
