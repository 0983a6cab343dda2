//! The documents of SIP event packages as values: dialog-info (RFC 4235), presence (RFC 3863, RFC 4480),
//! resource lists (RFC 4662), message summaries (RFC 3842), registrations (RFC 3680), feature events as
//! BroadWorks speaks them, who is parked and whose guest has a telephone, sipfrag (RFC 3420), and the Call-Info of shared lines. And bodies of several parts
//! (RFC 2046), which are read here for everybody.
//!
//! Reading is tolerant: namespaces count by their URI and not by their prefix, what is not known is passed
//! over, order does not matter. It is bounded as well ([`limits`]): no document costs more than its size, no
//! entity is expanded, no declaration is obeyed. Writing is strict. URIs stay text here.

mod call_info;
mod call_park;
mod dialog_info;
mod error;
mod event_list;
mod feature_event;
mod hoteling;
pub mod limits;
mod line;
mod message_summary;
mod multipart;
mod presence;
mod registration;
mod resource_list;
mod sipfrag;
mod xml;

pub use call_info::{Appearance, AppearanceState, answer_after, appearances};
pub use call_park::{ParkedIdentity, read_call_park, write_call_park};
pub use dialog_info::{Dialog, DialogInfo, DialogName, DialogState, Direction, Party};
pub use error::DocumentError;
pub use event_list::EventList;
pub use feature_event::{AgentState, FeatureDocument, ForwardKind, read_features, write_features};
pub use hoteling::{HotelingEvent, SetHoteling};
pub use line::{LineCall, LineCallState, line_calls};
pub use message_summary::{Count, MessageSummary};
pub use multipart::{Part, read_parts, write_related};
pub use presence::{Basic, Presence, Tuple};
pub use registration::{
    Contact, ContactEvent, RegistrationInfo, RegistrationPhase, RegistrationRecord,
};
pub use resource_list::{Instance, InstanceState, Resource, ResourceList};
pub use sipfrag::Sipfrag;
