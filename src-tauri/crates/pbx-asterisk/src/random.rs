//! Random values of a session: seeded, so that a test can repeat them.

use std::fmt;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

/// A seeded generator.
pub(crate) struct Random(ChaCha20Rng);

impl Random {
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// A value from `low` to `high`, both included; `low` when there is none.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        if low >= high { low } else { self.0.random_range(low..=high) }
    }

    /// Lower-case letters, so many of them.
    pub(crate) fn word(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(self.0.random_range(b'a'..=b'z'))).collect()
    }
}

/// Never shows what comes next.
impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}
