//! Numbers of packets: rounds of the sequence number, and which have been seen (RFC 3711, 3.3.1 and 3.3.2).

use super::SrtpError;

/// How far behind the newest a packet may be. RFC 3711 asks for 64 at least; jitter buffers hold less.
const WINDOW: u64 = 128;
/// The most sources of one key that are remembered; beyond, the one that has been silent longest is forgotten.
const MAX_SOURCES: usize = 64;
/// Half of the sequence numbers.
const HALF: u16 = 0x8000;

/// The newest packet of a source, and which of those before it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Index {
    highest: u64,
    /// Bit n: the packet n before the highest came.
    seen: u128,
}

impl Index {
    pub(super) const fn first(index: u64) -> Self {
        Self { highest: index, seen: 1 }
    }

    /// The number that a sequence number most likely stands for.
    pub(super) fn estimate(&self, sequence: u16) -> Result<u64, SrtpError> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the low 16 bits are the sequence number"
        )]
        let newest = self.highest as u16;
        let round = self.highest >> 16;
        let round = if newest < HALF {
            match sequence.checked_sub(newest) {
                // From before the beginning.
                Some(ahead) if ahead > HALF => round.checked_sub(1).ok_or(SrtpError::Replayed)?,
                _ => round,
            }
        } else if newest - HALF > sequence {
            round + 1
        } else {
            round
        };
        Ok((round << 16) | u64::from(sequence))
    }

    /// Whether that packet may still come.
    pub(super) fn check(&self, index: u64) -> Result<(), SrtpError> {
        let Some(behind) = self.highest.checked_sub(index) else { return Ok(()) };
        if behind >= WINDOW || (self.seen >> behind) & 1 != 0 {
            return Err(SrtpError::Replayed);
        }
        Ok(())
    }

    /// It came, and was proven.
    pub(super) fn accept(&mut self, index: u64) {
        match index.checked_sub(self.highest) {
            Some(ahead) => {
                let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
                self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
                self.highest = index;
            }
            None => {
                let behind = u32::try_from(self.highest - index).unwrap_or(u32::MAX);
                self.seen |= 1_u128.checked_shl(behind).unwrap_or(0);
            }
        }
    }
}

/// One source under a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    ssrc: u32,
    pub(super) seen: Index,
    /// When it was last heard, on the count of [`Sources`].
    heard: u64,
}

impl Source {
    pub(super) const fn new(ssrc: u32, seen: Index) -> Self {
        Self { ssrc, seen, heard: 0 }
    }
}

/// The proven sources under a key.
#[derive(Debug)]
pub(super) struct Sources {
    list: Vec<Source>,
    count: u64,
}

impl Default for Sources {
    fn default() -> Self {
        Self { list: Vec::with_capacity(MAX_SOURCES), count: 0 }
    }
}

impl Sources {
    pub(super) fn find(&mut self, ssrc: u32) -> Option<&mut Source> {
        self.list.iter_mut().find(|source| source.ssrc == ssrc)
    }

    pub(super) fn touched(&mut self, ssrc: u32) {
        self.count += 1;
        let count = self.count;
        if let Some(source) = self.find(ssrc) {
            source.heard = count;
        }
    }

    pub(super) fn insert(&mut self, source: Source) {
        self.count += 1;
        let source = Source { heard: self.count, ..source };
        if self.list.len() < MAX_SOURCES {
            self.list.push(source);
        } else if let Some(oldest) = self.list.iter_mut().min_by_key(|known| known.heard) {
            *oldest = source;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_for_the_nearest_round() {
        let at = |round: u64, sequence: u16| Index::first((round << 16) | u64::from(sequence));
        let estimate = |index: Index, sequence| index.estimate(sequence).map(|index| index >> 16);
        assert_eq!(estimate(at(5, 100), 200), Ok(5));
        assert_eq!(estimate(at(5, 100), 65_500), Ok(4));
        assert_eq!(estimate(at(5, 65_500), 100), Ok(6));
        assert_eq!(estimate(at(5, 40_000), 39_000), Ok(5));
        assert_eq!(estimate(at(0, 100), 65_500), Err(SrtpError::Replayed));
    }

    #[test]
    fn a_packet_comes_once_and_not_too_late() {
        let mut index = Index::first(1_000);
        assert_eq!(index.check(1_000), Err(SrtpError::Replayed));
        for next in [1_001, 1_005, 1_003] {
            assert_eq!(index.check(next), Ok(()));
            index.accept(next);
            assert_eq!(index.check(next), Err(SrtpError::Replayed));
        }
        assert_eq!(index.check(1_004), Ok(()));
        index.accept(1_005 + WINDOW - 1);
        assert_eq!(index.check(1_005), Err(SrtpError::Replayed), "still in the window");
        assert_eq!(index.check(1_006), Ok(()));
        assert_eq!(index.check(1_004), Err(SrtpError::Replayed), "out of the window");
        index.accept(1 << 40);
        assert_eq!(index.check((1 << 40) - 1), Ok(()));
    }

    #[test]
    fn the_source_that_was_silent_longest_is_forgotten() {
        let mut sources = Sources::default();
        for ssrc in 0..64 {
            sources.insert(Source::new(ssrc, Index::first(0)));
        }
        sources.touched(0);
        sources.insert(Source::new(64, Index::first(0)));
        assert!(sources.find(0).is_some() && sources.find(1).is_none());
        assert_eq!(sources.list.len(), 64);
    }
}
