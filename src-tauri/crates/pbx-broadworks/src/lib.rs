//! The client of BroadWorks' web services: Xsi-Actions, by which everything is asked and changed, and
//! Xsi-Events, by which the exchange tells what happens.
//!
//! The cores know no clock and no socket: [`xml::Splitter`] cuts the endless answer into documents,
//! [`session::Session`] holds channel and subscriptions, [`RequestQueue`] waits for an overloaded server,
//! [`Connection`] puts them behind the gate that guards the password. [`Client`] is the thin driver around
//! them, one task that owns them. `wire` reads what the server says, [`Actions`] builds what it is asked,
//! [`Binding`] turns both into the words of `pbx::centre`.
//!
//! The directories have no way to be told what has changed since: neither Xsi-Actions nor Xsi-Events has a mark, a time or a
//! subscription for them. So they are read whole, page by page, how far is told with every page
//! ([`pbx::centre::Input::Directory`]), and whoever keeps them compares.
//!
//! Section numbers in this crate are those of the product's reference of BroadWorks' interface.

mod actions;
mod auth;
mod backoff;
pub mod binding;
mod connection;
mod device_config;
mod digest;
mod driver;
mod error;
pub mod json;
pub mod limits;
mod origin;
mod queue;
mod release;
mod request;
pub mod session;
pub mod wire;
pub mod xml;

pub use actions::{
    Actions, Built, ConferenceVerb, ParticipantVerb, RecordingVerb, Search, SupervisionVerb,
    full_user,
};
pub use auth::Credentials;
pub use binding::Binding;
pub use connection::{Connection, Gate, Input, Output, Owner, WireId};
pub use device_config::{ConfigPaths, DeviceConfig, SetupError, fetch_setup, select_device};
pub use driver::{Client, ClientConfig, LocateError, Notice, locate};
pub use error::{DocumentError, ErrorInfo, HttpFailure, XsiError};
pub use origin::{AddressError, Origin, Paths, Record, Service};
pub use queue::{Lane, QueueOutput, RequestQueue, Ticket};
pub use release::Release;
pub use request::{Action, Application, HttpAnswer, HttpRequest, Method, Path, Reply};
pub use trust::Anchors;
