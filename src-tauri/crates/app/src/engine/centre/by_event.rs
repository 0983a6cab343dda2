//! An exchange asked over SIP: do not disturb, forwarding and the agent's state are kept the same at telephone and
//! exchange (`as-feature-event`).
//!
//! Inputs: requests of the model; from the user agent how the subscription stands, what was notified and what became of a
//! wish that was sent; whether the telephone is registered. What a notification tells is so; what it has told of once is
//! what the exchange has. A wish that was taken counts when it is told back.
//!
//! ```text
//! idle -> trying -> live <-> trying, while the subscription is made again
//!            |        |
//!            +--------+-> refused, until the telephone is registered anew
//! ```

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use event_packages::{AgentState as Word, FeatureDocument, ForwardKind, read_features};
use pbx::centre::{
    AgentState, AgentStatus, Answer, Capability, Code, Forwarding, Input, LinkFault, LinkState,
    Refusal, Request, RequestId, Service, ServiceKind, UserId,
};
use sip_types::{StatusCode, Uri};
use sip_ua::{SubscriptionCause, SubscriptionState};
use tracing::debug;

use crate::config::AccountSettings;

/// The event package.
pub(super) const PACKAGE: &str = "as-feature-event";
/// The type of its documents.
pub(super) const DOCUMENT: &str = "application/x-as-feature-event+xml";

/// The services that it knows.
const SERVICES: [ServiceKind; 4] = [
    ServiceKind::DoNotDisturb,
    ServiceKind::ForwardAlways,
    ServiceKind::ForwardBusy,
    ServiceKind::ForwardNoAnswer,
];
/// Wishes under way at one time.
const MOST_ASKED: usize = 16;
/// Longest number and longest reason that are taken in, characters.
const NUMBER: usize = 80;
const REASON: usize = 32;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Out {
    /// Subscribe.
    Subscribe,
    /// Have everything told again.
    Refresh,
    /// Send this wish, and say what came of it.
    Send(FeatureDocument),
    /// Tell the model.
    Tell(Box<Input>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Idle,
    Trying,
    Live,
    /// In the exchange's words.
    Refused(String),
}

/// The features of one line.
#[derive(Debug)]
pub(in super::super) struct ByEvent {
    me: UserId,
    state: State,
    services: BTreeMap<ServiceKind, Service>,
    agent: Option<AgentStatus>,
    /// Wishes that were sent, oldest first: they are answered in that order.
    asked: VecDeque<RequestId>,
    out: VecDeque<Out>,
}

impl ByEvent {
    /// Nothing is known yet. The reasons of the settings are those that an agent can give.
    pub(super) fn new(settings: &AccountSettings) -> ByEvent {
        let me = UserId(settings.aor.clone());
        let mut by_event = ByEvent {
            me: me.clone(),
            state: State::Idle,
            services: BTreeMap::new(),
            agent: None,
            asked: VecDeque::new(),
            out: VecDeque::new(),
        };
        by_event.tell(Input::Me { user: me, name: settings.display_name.clone() });
        let reasons = settings.codes.reasons.iter().map(|word| Code {
            code: word.clone(),
            description: word.clone(),
            is_default: false,
        });
        let codes: Vec<Code> = reasons.collect();
        if !codes.is_empty() {
            by_event.tell(Input::UnavailableCodes { codes, forced: false });
        }
        by_event
    }

    /// The next thing to do.
    pub(super) fn poll_output(&mut self) -> Option<Out> {
        self.out.pop_front()
    }

    /// What the exchange has told of so far.
    pub(super) fn present(&self) -> Vec<Capability> {
        let agent = self.agent.as_ref().map(|_| Capability::Agent);
        self.services.keys().map(|kind| Capability::Service(*kind)).chain(agent).collect()
    }

    /// What there will not be, and why, once the exchange has refused.
    pub(super) fn missing(&self) -> Vec<(Capability, String)> {
        let State::Refused(words) = &self.state else { return Vec::new() };
        let why = format!("{PACKAGE} ({words})");
        SERVICES.map(|kind| (Capability::Service(kind), why.clone())).to_vec()
    }

    /// Tells again all that is known: nobody listened before.
    pub(super) fn tell_again(&mut self) {
        for service in self.services.values().cloned().collect::<Vec<_>>() {
            self.tell(Input::Service(service));
        }
        self.tell_agent();
    }

    // --- the subscription ---

    /// The telephone is registered and may subscribe, if it has not.
    pub(super) fn begin(&mut self) {
        match self.state {
            State::Idle | State::Refused(_) => {
                self.enter(State::Trying, "registered");
                self.out.push_back(Out::Subscribe);
            }
            // It may have changed meanwhile.
            State::Trying => self.out.push_back(Out::Refresh),
            State::Live => {}
        }
    }

    /// It could not subscribe; the next registration is another try.
    pub(super) fn not_subscribed(&mut self) {
        self.enter(State::Idle, "not subscribed");
    }

    /// The telephone is not registered: what is shown may be wrong.
    pub(super) fn unregistered(&mut self) {
        if self.state == State::Live {
            self.enter(State::Trying, "not registered");
            self.lose();
        }
    }

    /// How the subscription stands.
    pub(super) fn subscription(&mut self, state: &SubscriptionState) {
        match state {
            SubscriptionState::Pending | SubscriptionState::Active { .. } => {}
            SubscriptionState::Retrying { cause, .. } => {
                debug!(%cause, "features are not told at the moment");
                self.enter(State::Trying, "lost");
                self.lose();
            }
            SubscriptionState::Ended { cause } => {
                self.lose();
                match cause {
                    SubscriptionCause::Refused { status, .. } => {
                        self.enter(State::Refused(cause.to_string()), "refused");
                        (self.services, self.agent) = (BTreeMap::new(), None);
                        self.tell_capabilities();
                        match is_unknown(*status) {
                            // All that there is to know of it is known.
                            true => self.tell(Input::Link(LinkState::Live)),
                            false => self.fail(cause),
                        }
                    }
                    SubscriptionCause::Terminated { .. } => {
                        self.enter(State::Refused(cause.to_string()), "terminated");
                        self.fail(cause);
                    }
                    _ => self.enter(State::Idle, "over"),
                }
            }
        }
    }

    fn fail(&mut self, cause: &SubscriptionCause) {
        let detail = cause.to_string();
        self.tell(Input::LinkFault { fault: LinkFault::Forbidden, detail });
    }

    /// What is under way is not answered any more.
    fn lose(&mut self) {
        for request in std::mem::take(&mut self.asked) {
            self.done(request, Err(Refusal::Unavailable));
        }
        self.tell(Input::Link(LinkState::Lost));
    }

    /// A notification.
    pub(super) fn notified(&mut self, content_type: &str, body: &[u8]) {
        let documents = match body.is_empty() {
            true => Vec::new(),
            false => match read_features(content_type, body) {
                Ok(documents) => documents,
                Err(error) => return debug!(%error, content_type, "features cannot be read"),
            },
        };
        let before = self.present();
        let told: Vec<Input> = documents.into_iter().filter_map(|one| self.take(one)).collect();
        if self.present() != before {
            self.tell_capabilities();
        }
        if self.state != State::Live {
            self.enter(State::Live, "notified");
            self.tell(Input::Link(LinkState::Live));
        }
        told.into_iter().for_each(|input| self.tell(input));
    }

    /// Takes in what one document tells.
    fn take(&mut self, document: FeatureDocument) -> Option<Input> {
        let service = match document {
            FeatureDocument::DoNotDisturb(active) => Service::DoNotDisturb { active },
            FeatureDocument::Forwarding { kind, active, to, rings } => {
                let to = to.as_deref().map(number_of).unwrap_or_default();
                let forwarding = Forwarding { active, to, rings };
                Service::Forwarding { kind: forwarding_kind(kind), forwarding }
            }
            FeatureDocument::Agent { state, reason, .. } => {
                let state = agent_state(state);
                let code = reason.filter(|_| state == AgentState::Unavailable);
                let code = code.map(|code| plain(&code, REASON)).filter(|code| !code.is_empty());
                let status = AgentStatus { state, code, ..AgentStatus::default() };
                self.agent = Some(status.clone());
                return Some(Input::AgentStatus { agent: self.me.clone(), status });
            }
            // Only a telephone wishes.
            FeatureDocument::SetDoNotDisturb(_)
            | FeatureDocument::SetForwarding { .. }
            | FeatureDocument::SetAgentState { .. } => return None,
        };
        self.services.insert(service.kind(), service.clone());
        Some(Input::Service(service))
    }

    // --- requests ---

    /// Asks the exchange.
    pub(super) fn request(&mut self, id: RequestId, request: Request) {
        let has = |kind| self.services.contains_key(&kind);
        let document = match request {
            _ if self.state != State::Live || self.asked.len() >= MOST_ASKED => {
                return self.done(id, Err(Refusal::Unavailable));
            }
            // Everything is told again; there is no asking for less.
            Request::Refresh => None,
            Request::ReadService(kind) if has(kind) => None,
            Request::SetService(service) if has(service.kind()) => document_of(service),
            Request::SetAgentState { agent: None, state, code, .. } if self.agent.is_some() => {
                let reason = code.filter(|code| !code.is_empty());
                Some(FeatureDocument::SetAgentState { state: word(state), reason })
            }
            _ => return self.done(id, Err(Refusal::NotAllowed)),
        };
        match document {
            Some(document) => {
                self.asked.push_back(id);
                self.out.push_back(Out::Send(document));
            }
            None => {
                self.out.push_back(Out::Refresh);
                self.done(id, Ok(Answer::Accepted));
            }
        }
    }

    /// The newest wish could not be sent.
    pub(super) fn not_sent(&mut self) {
        if let Some(request) = self.asked.pop_back() {
            self.done(request, Err(Refusal::Unavailable));
        }
    }

    /// The exchange has answered the oldest wish; none: it has not, and will not.
    pub(super) fn answered(&mut self, status: Option<StatusCode>) {
        let Some(request) = self.asked.pop_front() else { return };
        let result = match status {
            Some(status) if status.is_success() => Ok(Answer::Accepted),
            Some(status) => {
                let (code, words) = (u32::from(status.code()), String::new());
                Err(Refusal::Exchange { code, words })
            }
            None => Err(Refusal::Unavailable),
        };
        self.done(request, result);
    }

    fn done(&mut self, request: RequestId, result: Result<Answer, Refusal>) {
        self.tell(Input::Done { request, result });
    }

    fn tell_capabilities(&mut self) {
        let (present, missing) = (self.present(), self.missing());
        self.tell(Input::Capabilities { present, missing });
    }

    fn tell_agent(&mut self) {
        if let Some(status) = self.agent.clone() {
            self.tell(Input::AgentStatus { agent: self.me.clone(), status });
        }
    }

    fn tell(&mut self, input: Input) {
        self.out.push_back(Out::Tell(Box::new(input)));
    }

    fn enter(&mut self, state: State, event: &str) {
        debug!("{:?}, {event} -> {state:?}", self.state);
        self.state = state;
    }
}

/// The exchange does not know the package, or no subscriptions.
fn is_unknown(status: StatusCode) -> bool {
    matches!(status.code(), 405 | 489 | 501)
}

fn document_of(service: Service) -> Option<FeatureDocument> {
    match service {
        Service::DoNotDisturb { active } => Some(FeatureDocument::SetDoNotDisturb(active)),
        Service::Forwarding { kind, forwarding: Forwarding { active, to, rings } } => {
            let kind = match kind {
                ServiceKind::ForwardBusy => ForwardKind::Busy,
                ServiceKind::ForwardNoAnswer => ForwardKind::NoAnswer,
                _ => ForwardKind::Always,
            };
            let to = Some(to).filter(|to| !to.is_empty());
            Some(FeatureDocument::SetForwarding { kind, active, to, rings })
        }
        _ => None,
    }
}

fn forwarding_kind(kind: ForwardKind) -> ServiceKind {
    match kind {
        ForwardKind::Always => ServiceKind::ForwardAlways,
        ForwardKind::Busy => ServiceKind::ForwardBusy,
        ForwardKind::NoAnswer => ServiceKind::ForwardNoAnswer,
    }
}

fn agent_state(word: Word) -> AgentState {
    match word {
        Word::LoggedOn => AgentState::SigningIn,
        Word::LoggedOff => AgentState::SignedOut,
        Word::Ready => AgentState::Available,
        Word::NotReady => AgentState::Unavailable,
        Word::WrapUp => AgentState::WrapUp,
    }
}

fn word(state: AgentState) -> Word {
    match state {
        AgentState::SigningIn => Word::LoggedOn,
        AgentState::SignedOut => Word::LoggedOff,
        AgentState::Available => Word::Ready,
        AgentState::Unavailable => Word::NotReady,
        AgentState::WrapUp => Word::WrapUp,
    }
}

/// What a number is told as: bare, as `tel:` or as an address.
pub(super) fn number_of(told: &str) -> String {
    let user = Uri::parse(told).ok().and_then(|uri| uri.user());
    plain(user.as_deref().unwrap_or(told.strip_prefix("tel:").unwrap_or(told)), NUMBER)
}

pub(super) fn plain(text: &str, most: usize) -> String {
    contacts::plain(text.trim()).chars().take(most).collect()
}
