//! What BroadWorks says, typed (reference, sections 3 and 4). Everything is read from one tree, whichever
//! form it came in. Unknown elements are passed over, unknown words of an enumeration are kept as they are.

mod words;

mod address;
mod agent;
mod call;
mod call_center;
mod channel;
mod conference;
mod directory;
mod error_info;
mod event;
mod greeting;
mod log;
mod monitoring;
mod profile;
mod queue;
mod schedule;
mod service;
mod voice_mail;

pub use address::{number_of, user_only};
pub use agent::{AgentEvent, AgentStateInfo, AgentStateWord, JoinInfo};
pub use call::{
    AcdCallInfo, Call, CallEvent, CallEventKind, CallRef, CallSnapshot, CallStarted, CallState,
    Personality, Redirect, Redirection, RemoteParty, read_calls,
};
pub use call_center::{
    AgentSettings, CodeDetail, Dispositions, ForcedForwarding, Night, QueueDetails, QueueProfile,
    UnavailableCodes,
};
pub use channel::{
    Channel, ChannelReason, Subscription, channel_renewal, channel_request, event_response,
    read_subscriptions, subscription_renewal, subscription_request,
};
pub use conference::{Conference, ConferenceParticipant, conference_request};
pub use directory::{
    AgentList, CommonEntry, Contact, DirectoryKind, Page, PersonEntry, QueueRef, VirtualUser,
    read_agents, read_common, read_custom, read_custom_names, read_people, read_personal,
    read_queues,
};
pub use error_info::read_error;
pub use event::{Delivery, Event, EventData};
pub use greeting::{Greetings, MediaFile};
pub use log::{LogEntry, LogList, read_enhanced_log, read_log};
pub use monitoring::{Monitored, PolicyEvent, QueueFigures};
pub use profile::{
    AccessDevice, DeviceCredentials, FeatureCode, Profile, Registration, read_codes,
};
pub use profile::{read_devices, read_registrations, read_token};
pub use queue::{QueueEvent, QueueEventKind, QueuedCall, read_queue};
pub use schedule::{ScheduleEvent, ScheduleRecurrence, ScheduleRef, read_schedule, read_schedules};
pub use service::{
    Assigned, BusyLampField, Common, GroupNight, Hoteling, Monitoring, RingLocation, RingPlace,
    SequentialRing, ServiceEvent, ServiceState, SimultaneousRing, VoiceMessaging, read_assigned,
};
pub use voice_mail::{MailCounts, VoiceMessage, read_message_sound, read_messages};
pub(crate) use words::words;

#[cfg(test)]
mod tests;
