//! The call centre and the services of an exchange, without wire formats and without I/O: one model that
//! every binding feeds.
//!
//! A binding (`pbx-broadworks`, `pbx-asterisk`) turns what its exchange tells into [`Input`]s and carries
//! out [`Request`]s. What is asked for and what the exchange says is so are kept apart: the exchange's word
//! is the state, a wish that it does not confirm shows as drift.

mod model;
mod port;
mod service;

pub use model::{
    Agent, AgentState, AgentStatus, Cause, Code, DirectoryEntry, EntryEnd, EntryState,
    ExchangeCall, ExchangeCallState, LogEntry, LogKind, Measure, Measures, Membership,
    NightOverride, Party, Priority, Queue, QueueEntry, QueueId, QueuePolicy, QueuedCallId,
    Severity, UserId, WrapUp,
};
pub use port::{
    Answer, CallVerb, Capability, Input, LinkState, QueueChange, Recording, Refusal, Request,
    RequestId, Role, Supervision,
};
pub use service::{
    Fact, FactKind, Forwarding, HuntGroup, HuntPolicy, NightService, Service, ServiceKind,
    VoiceMail,
};
