//! Calls as a person sees them: what state each is in, what may be done with it, which one sounds.
//!
//! Pure domain: no SIP, no SDP, no sound. [`CallControl`] takes commands of the user and signals of
//! the line and gives back actions for the line. Its only timers look after callers whose transfer
//! nobody reports about.

mod call;
mod calls;
mod transfer;

pub use call::{
    Action, Call, CallId, Command, Direction, End, HoldState, Outcome, Party, Refusal, Signal,
    State,
};
pub use calls::{CallControl, Input, Output};
pub use transfer::{Failure, Plan, Progress, Transfer};
