//! SIP transactions, stream framing and digest authentication, without I/O (RFC 3261, 6026, 7616).
//!
//! Nothing here owns a socket or reads a clock. The driver hands in what arrived together with the
//! time, takes out what is to be sent, and comes back when [`TransactionLayer::poll_timeout`] says.
//! Random values come from a seeded [`Random`], so a test sees the same branches on every run.

mod address;
pub mod digest;
pub mod framing;
mod penalty;
mod random;
pub mod transaction;

pub use address::{Route, Source, Target, Transmit};
pub use penalty::{Penalties, PenaltyConfig};
pub use random::Random;
pub use transaction::{
    ClientKey, Event, Failure, Input, Limits, Output, ServerFailure, ServerKey, TimerConfig,
    TransactionLayer,
};
