//! Owns the hard limits of reading: what no honest message reaches and no hostile one passes.

/// The largest message, bytes: what a datagram can hold.
pub const MAX_MESSAGE: usize = 65_536;

/// The most header rows.
pub const MAX_HEADERS: usize = 256;

/// The longest row, bytes, folding included (a signed identity takes two to four thousand).
pub const MAX_LINE: usize = 16_384;
