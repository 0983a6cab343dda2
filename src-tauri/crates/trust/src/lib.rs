//! Whom the program trusts over TLS.
//!
//! A server's certificate must lead to an authority of the platform, or to one of the [`Anchors`] that were added
//! to them. Which names it must vouch for is the rule of what is spoken: [`host_name`] has the one of https and of
//! most others, a protocol with a rule of its own brings it as a [`Judge`]. TLS 1.2 and 1.3, one crypto provider;
//! there is no way to switch any of this off.

mod anchors;
mod judge;
mod platform;

pub use anchors::{AnchorError, Anchors, PemFault};
pub use judge::{Judge, Shown, client_config, host_name};
