//! The thin driver around [`crate::Connection`]: one task owns it, channels lead in and out.

mod http;
mod resolve;
mod task;

pub(crate) use http::{Web, failure, read};
pub use resolve::{LocateError, locate};
pub use task::{Client, ClientConfig, Notice};
