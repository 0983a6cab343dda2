//! Calls as a person sees them: what state each is in, what may be done with it, which one sounds.
//!
//! Pure domain: no SIP, no SDP, no sound. [`CallControl`] takes commands of the user and signals of
//! the line and gives back actions for the line. It has no timers, so there is nothing to poll for.

mod call;
mod calls;

pub use call::{
    Action, Call, CallId, Command, Direction, End, HoldState, Outcome, Party, Refusal, Signal,
    State,
};
pub use calls::{CallControl, Input, Output};
