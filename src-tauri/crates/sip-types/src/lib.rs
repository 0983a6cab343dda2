//! SIP messages as values: URIs, headers, reading and writing (RFC 3261 section 25, RFC 4475).
//!
//! [`Message::parse`] reads bytes and is tolerant where nothing can be mistaken: folding, compact
//! names, white space wherever the grammar allows it, any scheme, method and transport; a Latin-1 byte
//! costs its own header's text and nothing else. [`validate`] and [`validate_response`] are the verdict
//! on what could be read, [`Capabilities`] the refusal of what an agent cannot do. [`Headers`] keeps
//! rows as received; typed views read them on demand. Writing is strict. The text of a [`Uri`] is kept
//! and echoed byte for byte: remote targets and routes must go back as they came.
//!
//! # Why the parser is ours
//! The vocabulary of the `rsip` crate (methods, status codes, transports) is used here, and nothing
//! else of it, and nowhere but here. As a reader rsip 0.4.0 takes 5 of RFC 4475's 13 valid messages and
//! none of RFC 5118's 10, all of which this crate takes. It refuses IPv6 references, `tel:`, folded rows,
//! unknown methods, Latin-1 bytes and `algorithm=SHA-256`, knows no compact names, drops the second Via
//! of a comma list, takes `sip:jan.jansen@host` for a host, and never applies Content-Length. Even of
//! the vocabulary one word is wrong: "Accepted" is 202 in SIP, not 201.
//!
//! # What is where
//! Bytes to rows in `parse`, rows to values in `headers/typed`, one file per value, limits in [`limits`].

mod auth;
mod capabilities;
mod cseq;
mod error;
mod event;
mod header_name;
mod header_value;
mod headers;
mod host;
mod info;
mod inspect;
pub mod limits;
mod media_type;
mod message;
mod method;
mod name_addr;
mod params;
mod parse;
mod scan;
mod session;
mod sipfrag;
mod status;
mod transport;
mod uri;
mod validate;
mod via;

pub use auth::{AuthParams, Authorization, Challenge};
pub use capabilities::Capabilities;
pub use cseq::{CSeq, RAck};
pub use error::{HeaderError, HeaderFault, ParseError, ParseErrorKind, UriError, ValueError};
pub use event::{Event, SubscriptionPhase, SubscriptionState};
pub use header_name::HeaderName;
pub use header_value::HeaderValue;
pub use headers::Headers;
pub use host::Host;
pub use info::{AlertInfo, Reason, RetryAfter, Warning};
pub use inspect::{Inspection, inspect};
pub use media_type::MediaType;
pub use message::{Message, Request, Response};
pub use method::Method;
pub use name_addr::{ContactValue, NameAddr};
pub use params::Params;
pub use session::{HistoryEntry, Refresher, Replaces, SessionExpires, TargetDialog};
pub use sipfrag::sipfrag_status;
pub use status::StatusCode;
pub use transport::{Transport, ViaTransport};
pub use uri::Uri;
pub use validate::{Rejection, validate, validate_response};
pub use via::Via;
