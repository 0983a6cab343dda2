//! What a server may send. Beyond it the document is refused as a whole: half a queue would be a lie.

/// Bytes of one document, on the event channel and as an answer.
pub const DOCUMENT: usize = 4 << 20;
/// Elements inside each other.
pub const DEPTH: usize = 64;
/// Elements of one document: a thousand directory entries with all their fields.
pub const ELEMENTS: usize = 100_000;
/// Attributes of one element.
pub const ATTRIBUTES: usize = 32;
/// Bytes between two documents of the event channel that are no white space.
pub const JUNK: usize = 256;
/// Events that wait for the answer that tells which subscription they belong to.
pub const EARLY_EVENTS: usize = 256;
/// Events remembered, to know one that is sent again; a server keeps no more than some hundreds that nobody acknowledged.
pub const HEARD_EVENTS: usize = 2048;
/// Acknowledgements that wait for their turn; the server sends unacknowledged events again.
pub const ACKNOWLEDGEMENTS: usize = 1024;
/// Requests that wait for their turn.
pub const REQUESTS: usize = 1024;
/// Subscriptions of one session.
pub const SUBSCRIPTIONS: usize = 8192;
/// Agents that one supervisor watches, with two subscriptions each.
pub const AGENTS: usize = 2000;
/// Entries of a directory that are read in all.
pub const DIRECTORY: usize = 100_000;
/// Redirections of one request that are followed.
pub const REDIRECTIONS: u8 = 3;
/// Web servers of one service.
pub const SERVERS: usize = 16;
/// Personal numbers that are read.
pub(crate) const PERSONAL: usize = 2000;
