//! XML as BroadWorks speaks it: documents out of a stream, trees out of documents, and their writing.

mod charset;
mod splitter;
mod tree;
mod write;

pub use charset::decode;
pub use splitter::{SplitError, Splitter};
pub(crate) use tree::Budget;
pub use tree::{Attribute, Element, Space, read};
pub use write::{NAMESPACE, Writer};
