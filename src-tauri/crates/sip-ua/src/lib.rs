//! The SIP user agent, without I/O: registration, dialogs and INVITE sessions (RFC 3261).
//!
//! A [`UserAgent`] is fed with [`Input`]s and commands and drained with
//! [`UserAgent::poll_output`]; it owns the transaction layer below it. Bodies are opaque: who
//! offered and who answered is tracked, what they say is not read. Of a body of several parts only the
//! session description comes up.

mod account;
mod alerting;
mod authentication;
mod backoff;
mod config;
mod description;
mod dialog;
mod dialog_names;
mod dtmf;
mod end_cause;
mod event;
mod first_hop;
mod flow;
mod identity;
mod ids;
mod liveness;
mod message;
mod refusal;
mod register_message;
mod registration;
mod routing;
mod session;
mod shared;
mod subscription;
mod target;
mod user_agent;

pub use config::{AcceptFrom, AccountConfig, Config, Reliable, SessionTimer};
pub use dialog_names::DialogName;
pub use dtmf::Digit;
pub use event::{
    AnswerMode, Body, Counters, EndCause, EndedBy, Event, Identity, Incoming, Input, LocalIdentity,
    OutgoingCall, Output, Refer, ReferProgress, ReferRequest, RegistrationState, RemoteAction,
    ResolveError, Role, UaError,
};
pub use ids::{AccountId, EarlyDialogId, QueryId, ReferralId, SessionId, SubscriptionId};
pub use subscription::{Subscribe, SubscriptionCause, SubscriptionState};
pub use user_agent::UserAgent;
