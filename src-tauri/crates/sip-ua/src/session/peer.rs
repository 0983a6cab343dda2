//! What the peer of a session can do, from the latest of its messages that says so.

use sip_types::{Headers, Method};

use crate::Reliable;

/// The peer's abilities that matter inside a dialog.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peer {
    /// It answers UPDATE (RFC 3311).
    pub update: bool,
    /// It has session timers (RFC 4028).
    pub timer: bool,
    /// It has reliable provisional responses (RFC 3262).
    pub reliable: bool,
    /// It will have no other provisional responses.
    pub reliable_only: bool,
}

impl Peer {
    /// Whether our provisional responses to it go reliably: all, or those with a description.
    pub(super) fn hears_reliably(&self, own: Reliable, described: bool) -> bool {
        match own {
            Reliable::Off => false,
            Reliable::Supported => self.reliable_only || (self.reliable && described),
            Reliable::Required => self.reliable,
        }
    }

    /// Takes in Allow and Supported of a message of the peer's.
    pub(super) fn learn(&mut self, headers: &Headers) {
        if let Some(methods) = headers.allow() {
            self.update = methods.contains(&Method::Update);
        }
        let tags = headers.supported();
        if !tags.is_empty() {
            self.timer = tags.iter().any(|tag| tag == "timer");
            self.reliable = tags.iter().any(|tag| tag == "100rel");
        }
        let required = headers.require();
        self.timer |= required.iter().any(|tag| tag == "timer");
        self.reliable_only = required.iter().any(|tag| tag == "100rel");
        self.reliable |= self.reliable_only;
    }
}
