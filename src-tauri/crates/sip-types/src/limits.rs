//! Owns the hard limits of reading: what no honest message reaches and no hostile one passes.

/// The longest start line with its headers, bytes: what a datagram can hold.
pub const MAX_HEAD: usize = 65_536;

/// The longest body, bytes: a resource list of some hundred lines comes over a stream and is larger than a datagram.
pub const MAX_BODY: usize = 524_288;

/// The most header rows.
pub const MAX_HEADERS: usize = 256;

/// The longest row, bytes, folding included (a signed identity takes two to four thousand).
pub const MAX_LINE: usize = 16_384;
