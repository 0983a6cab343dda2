//! The call centre and the services of an exchange, without wire formats and without I/O: one model that
//! every binding feeds: [`Centre`].
//!
//! A binding (`pbx-broadworks`, `pbx-asterisk`) turns what its exchange tells into [`Input`]s and carries
//! out [`Request`]s. What is asked for and what the exchange says is so are kept apart: the exchange's word
//! is the state, a wish that it does not confirm shows as drift.

mod abandoned;
mod agent;
mod clock;
mod directory;
mod disposition;
mod emergency;
mod entry;
mod exchange;
mod facts;
mod inputs;
mod link;
mod measures;
mod model;
mod outcomes;
mod parked;
mod port;
mod queue;
mod requests;
mod schedule;
mod service;
mod services;
mod wish;

pub use abandoned::{AbandonedCaller, CalledBack};
pub use agent::{DRIFT_AFTER, OwnAgent, WantedState};
pub use disposition::Question;
pub use emergency::{Emergency, Main};
pub use exchange::{Centre, Change, Output};
pub use link::Link;
pub use measures::{MeasureKind, Threshold, Thresholds};
pub use parked::ParkedCall;
pub use queue::{Left, QueueState};
pub use services::{HuntGroupState, ServiceState};
pub use wish::{Phase, Wish};

pub use model::{
    Agent, AgentState, AgentStatus, CallRecording, Cause, Code, DirectoryEntry, EntryEnd,
    EntryState, ExchangeCall, ExchangeCallState, LogEntry, LogKind, Measure, Measures, Membership,
    NightOverride, Party, PersonalNumber, Priority, Queue, QueueEntry, QueueId, QueuePolicy,
    QueuedCallId, RecordingState, Severity, UserId, VoiceMessage, WrapUp,
};
pub use port::{
    Answer, CallVerb, Capability, Input, LinkFault, LinkState, QueueChange, Recording, Refusal,
    Request, RequestId, Role, Supervision,
};
pub use schedule::{Day, End, MonthDay, Opening, Recurrence, Schedule, WeekOfMonth, Zone};
pub use service::{
    Fact, FactKind, Forwarding, Greeting, GreetingChoice, GreetingKind, Greetings, HuntGroup,
    HuntPolicy, NightService, Recorded, RingPlace, SequentialRing, Service, ServiceKind, VoiceMail,
};
