//! The system's signs: a module for each platform behind one trait.

use std::io;

use tokio::sync::mpsc;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod silent;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::System;
#[cfg(target_os = "macos")]
pub(crate) use macos::System;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
pub(crate) use silent::System;
#[cfg(windows)]
pub(crate) use windows::System;

/// What the system tells. It need not be right or complete: it is a reason to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A link, an address or a route changed.
    Changed,
    /// The machine is about to sleep.
    Sleeping,
    /// The machine has woken.
    Woken,
}

/// Where a platform gives its signs; cheap to clone, usable from any thread.
#[derive(Clone, Debug)]
pub struct Signs(mpsc::Sender<Sign>);

impl Signs {
    pub(crate) fn new(sender: mpsc::Sender<Sign>) -> Self {
        Self(sender)
    }

    /// Gives a sign without waiting. `false`: nobody listens any more.
    pub fn give(&self, sign: Sign) -> bool {
        // With the queue full it is about to be looked at in any case.
        !matches!(self.0.try_send(sign), Err(mpsc::error::TrySendError::Closed(_)))
    }
}

/// A system that can tell about its network and its sleep. Dropping it ends the signs.
pub trait Platform: Send + Sized + 'static {
    /// Begins to give signs. Called within a tokio runtime.
    ///
    /// # Errors
    /// When the system does not let us listen.
    fn start(signs: Signs) -> io::Result<Self>;
}
