//! The thin driver around [`crate::Connection`]: one task owns it, channels lead in and out.

mod anchors;
mod http;
mod resolve;
mod task;
mod tls;

pub use anchors::{AnchorError, TrustAnchors};
pub(crate) use http::{Web, failure, read};
pub use resolve::{LocateError, locate};
pub use task::{Client, ClientConfig, Notice};
