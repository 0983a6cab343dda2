//! What an exchange tells of others, without wire formats and without I/O: the lamps of watched lines.
//!
//! [`Lamps`] is fed with [`Input`]s and drained with [`Lamps::poll_output`]. A source is one subscription; it
//! feeds one line or a list of them. A lamp shows the last that is known, and says since when that may be
//! wrong.

pub mod centre;

mod calls;
mod lamps;
mod line;
mod model;
mod source;

pub use lamps::Lamps;
pub use model::{
    Call, CallState, Input, Instance, InstanceState, Lamp, LineDocument, LineId, LineState,
    ListDocument, Output, Peer, Policy, Presence, Resource, SourceId, Watch,
};
