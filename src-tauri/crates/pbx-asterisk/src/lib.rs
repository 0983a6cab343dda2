//! The call centre of Asterisk: `app_queue` by its manager interface (AMI).
//!
//! [`Session`] is the core, without sockets and clock: it signs in, reads the whole state, turns events into
//! inputs of the model ([`pbx::centre`]) and requests of the model into actions, and comes back after every
//! loss. [`Client`] drives it over TCP or TLS. [`FeatureCodes`] is what a telephone can dial where there is no
//! manager interface.
//!
//! A manager user has far-reaching rights (see `manager.conf`): `read = agent,call,system` and
//! `write = agent,call,originate,reporting,config` are enough for everything here, and less is enough for less.

mod action;
mod capability;
mod clock;
mod codes;
mod config;
mod driver;
mod message;
mod random;
mod reader;
mod requests;
mod session;
mod view;

pub use action::Action;
pub use codes::{Feature, FeatureCode, FeatureCodes, is_dialable};
pub use config::{Config, Login};
pub use driver::{Client, ClientClosed, Server};
pub use message::Message;
pub use reader::{ENDLESS, Endless, Item, LONGEST_LINE, MOST_LINES, Reader};
pub use session::{Input, Output, Session};
pub use trust::Anchors;
