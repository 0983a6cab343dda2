//! Systems on which headsets cannot be reached: macOS, where the library's part is C, and all others.

use std::convert::Infallible;
use std::io;

use crate::transport::{Found, OpenError, Opened, Transport};

/// There is none.
pub(super) struct System(Infallible);

impl System {
    pub(super) fn start() -> Option<System> {
        None
    }
}

impl Transport for System {
    fn list(&self) -> io::Result<Vec<Found>> {
        match self.0 {}
    }

    fn open(&self, _: &Found) -> Result<Opened, OpenError> {
        match self.0 {}
    }
}
