//! What a document may hold. Beyond it the document is refused as a whole: half a list would be a lie.

/// Bytes of a document, and of a body of several parts.
pub const BYTES: usize = 4 << 20;
/// Elements of one document: a list of some ten thousand resources.
pub const ELEMENTS: usize = 50_000;
/// Elements inside each other.
pub const DEPTH: usize = 24;
/// Attributes of one element.
pub const ATTRIBUTES: usize = 48;
/// Parts of one body.
pub const PARTS: usize = 8_192;
/// Header lines of one part.
pub const PART_HEADERS: usize = 32;
/// Lines of a message summary or sipfrag.
pub const LINES: usize = 256;
