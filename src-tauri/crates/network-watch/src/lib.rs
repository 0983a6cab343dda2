//! Tells when the machine's addresses, or the ways they lead, have changed, and when it has woken.
//!
//! [`Watcher`] is the driver: it hears the system's signs (`platform`), looks (`look`) when the core
//! (`settle`) says so, and hands on the changes. The core has no clock and no sockets. Where the
//! system gives no signs the watcher looks by itself every few seconds.

mod look;
mod platform;
mod settle;
mod watcher;

pub use look::addresses;
pub use platform::{Platform, Sign, Signs};
pub use settle::{Change, Input, Output, Settle, Snapshot, Wall};
pub use watcher::{Destinations, Watcher};
