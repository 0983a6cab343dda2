//! The system's devices: `hidapi` where it is Rust, none elsewhere.

use std::sync::Arc;

use crate::transport::Transport;

#[cfg(not(any(target_os = "linux", windows)))]
mod absent;
#[cfg(any(target_os = "linux", windows))]
mod hid;

#[cfg(not(any(target_os = "linux", windows)))]
use absent::System;
#[cfg(any(target_os = "linux", windows))]
use hid::System;

/// The devices of this machine; none when this program has no way to them on this system.
pub fn system() -> Option<Arc<dyn Transport>> {
    System::start().map(|system| Arc::new(system) as Arc<dyn Transport>)
}
