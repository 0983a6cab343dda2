//! The call centre: queues, agents, and who is offered which call. Without I/O and without SIP.
//!
//! One shape for all: facts from the exchange go into [`Acd::handle_input`], what people ask for into
//! [`Acd::handle_request`], time into [`Acd::handle_timeout`]; commands for the exchange and events for those who watch
//! come out of [`Acd::poll_output`]. [`Acd::view`] tells how everything is at one moment.
//!
//! Reference: BroadWorks call centres as their web services show them (agent states, queue entries and their events).

mod agent;
mod centre;
pub mod config;
mod distribution;
mod line;
mod measures;
pub mod model;
pub mod news;
pub(crate) mod policy;
mod queue;
mod requests;
pub mod schedule;
pub mod view;
mod waiting;

pub use centre::Acd;
pub use config::*;
pub use model::*;
pub use news::*;
pub(crate) use requests::{check_number, check_queue};
pub(crate) use schedule::date_time;
pub use schedule::{Calendar, Opening, Schedule, WallClock};
pub use view::{AcdView, QueueView};

#[cfg(test)]
mod tests;
