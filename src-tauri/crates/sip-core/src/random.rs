//! The one source of random values of the SIP cores: seeded, so that a test can repeat them.

use std::fmt;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A seeded ChaCha20 generator. Seed it from the operating system in a program, with a constant
/// in a test.
pub struct Random(ChaCha20Rng);

impl Random {
    /// A generator that yields the same values for the same seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// A generator of its own for another owner, seeded from this one.
    pub fn fork(&mut self) -> Self {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        Self::from_seed(seed)
    }

    /// 32 random bits.
    pub fn u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// 64 random bits.
    pub fn u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Fills all of it with random bytes: keys, for one.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// A value from `low` to `high`, both included. `low` when the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        if low >= high { low } else { self.0.random_range(low..=high) }
    }

    /// `len` characters out of 32 (lower-case letters and digits): 5 random bits in each.
    pub fn token(&mut self, len: usize) -> String {
        let mut character = || {
            let index = (self.0.next_u32() & 31) as usize;
            char::from(ALPHABET.get(index).copied().unwrap_or(b'a'))
        };
        (0..len).map(|_| character()).collect()
    }

    /// A UUID of version 4 (RFC 9562 section 5.4).
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.u64(), self.u64());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }

    /// A Via branch with the magic cookie and 80 random bits (RFC 3261 section 8.1.1.7).
    pub fn branch(&mut self) -> String {
        format!("z9hG4bK{}", self.token(16))
    }
}

/// Never prints the state: what comes next must stay a secret.
impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_repeats_its_values() {
        let mut one = Random::from_seed([7; 32]);
        let mut other = Random::from_seed([7; 32]);
        assert_eq!(one.branch(), other.branch());
        assert_eq!(one.u64(), other.u64());
        assert_ne!(one.token(12), one.token(12));
    }

    #[test]
    fn a_fork_goes_its_own_way() {
        let mut parent = Random::from_seed([7; 32]);
        let mut child = parent.fork();
        assert_ne!(parent.u64(), child.u64());
    }

    #[test]
    fn bytes_come_from_the_same_source() {
        let (mut one, mut other) = ([0; 46], [0; 46]);
        Random::from_seed([7; 32]).fill(&mut one);
        Random::from_seed([7; 32]).fill(&mut other);
        assert_eq!(one, other);
        Random::from_seed([8; 32]).fill(&mut other);
        assert!(one != other && one != [0; 46]);
    }

    #[test]
    fn between_holds_its_bounds() {
        let mut random = Random::from_seed([1; 32]);
        for _ in 0..200 {
            assert!((3..=5).contains(&random.between(3, 5)));
        }
        assert_eq!(random.between(9, 4), 9);
    }

    #[test]
    fn tokens_have_the_asked_length_and_alphabet() {
        let token = Random::from_seed([2; 32]).token(40);
        assert_eq!(token.len(), 40);
        assert!(token.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        let mut random = Random::from_seed([3; 32]);
        for _ in 0..50 {
            let uuid = random.uuid();
            let parts: Vec<&str> = uuid.split('-').collect();
            let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
            assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']));
        }
        assert_ne!(random.uuid(), random.uuid());
    }
}
