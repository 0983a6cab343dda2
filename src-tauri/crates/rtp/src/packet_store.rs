//! Packets that wait for their turn: a fixed number of places whose memory is used again.

/// The most packets that wait: 2.5 s at 20 ms.
pub(crate) const PLACES: usize = 128;
/// How many sequence numbers back a duplicate is recognised.
const MEMORY: i64 = 128;

/// Where a packet belongs. Times are in ticks of 1/48000 s on the stream's own time line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    /// Counts time lines; a later one plays when the one before is done.
    pub(crate) segment: u64,
    pub(crate) media: i64,
    pub(crate) length: i64,
    pub(crate) sequence: i64,
    /// Which decoder; `None` for comfort noise.
    pub(crate) decoder: Option<usize>,
}

/// Room for one packet.
#[derive(Debug, Clone, Default)]
struct Place {
    used: bool,
    position: Position,
    payload: Vec<u8>,
}

/// All waiting packets.
#[derive(Debug, Clone)]
pub(crate) struct PacketStore {
    places: Vec<Place>,
    waiting: usize,
    /// The highest sequence number, and one bit for it and each before it that came.
    newest: Option<i64>,
    seen: u128,
}

impl PacketStore {
    pub(crate) fn new() -> Self {
        Self { places: vec![Place::default(); PLACES], waiting: 0, newest: None, seen: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.waiting
    }

    pub(crate) fn clear(&mut self) {
        self.places.iter_mut().for_each(|place| place.used = false);
        self.waiting = 0;
        self.forget();
    }

    /// Sequence numbers start anew.
    pub(crate) const fn forget(&mut self) {
        self.newest = None;
        self.seen = 0;
    }

    /// Notes a sequence number; false when it was there already.
    pub(crate) fn note(&mut self, sequence: i64) -> bool {
        let newest = *self.newest.get_or_insert(sequence);
        if sequence > newest {
            let shift = u32::try_from(sequence - newest).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(shift).unwrap_or(0);
            self.newest = Some(sequence);
        }
        let age = (newest - sequence).max(0);
        if age >= MEMORY {
            return true;
        }
        let bit = 1_u128 << age;
        let fresh = self.seen & bit == 0;
        self.seen |= bit;
        fresh
    }

    /// Unwraps a 16-bit sequence number against the newest one.
    pub(crate) fn unwrap_sequence(&self, sequence: u16) -> i64 {
        self.newest
            .map_or_else(|| i64::from(sequence), |newest| nearest(newest, sequence.into(), 16))
    }

    /// Keeps a packet; false when a waiting one had to go for it (the oldest).
    pub(crate) fn put(&mut self, position: Position, payload: &[u8]) -> bool {
        let roomy = self.waiting < PLACES;
        if let Some((oldest, _)) = self.first().filter(|_| !roomy) {
            self.release(oldest);
        }
        if let Some(free) = self.places.iter_mut().find(|place| !place.used) {
            free.used = true;
            free.position = position;
            free.payload.clear();
            free.payload.extend_from_slice(payload);
            self.waiting += 1;
        }
        roomy
    }

    /// The packet that is due first.
    pub(crate) fn first(&self) -> Option<(usize, Position)> {
        self.places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.used)
            .map(|(index, place)| (index, place.position))
            .min_by_key(|(_, at)| (at.segment, at.media, at.sequence))
    }

    /// Frees a place; its payload stays readable through [`Self::payload`] until the next `put`.
    pub(crate) fn release(&mut self, index: usize) {
        if let Some(place) = self.places.get_mut(index).filter(|place| place.used) {
            place.used = false;
            self.waiting -= 1;
        }
    }

    /// The payload in a place.
    pub(crate) fn payload(&self, index: usize) -> &[u8] {
        self.places.get(index).map_or(&[], |place| &place.payload)
    }
}

/// The number congruent to `value` modulo 2^`bits` that is nearest to `reference`.
pub(crate) const fn nearest(reference: i64, value: u32, bits: u32) -> i64 {
    let modulus = 1_i64 << bits;
    let difference = (value as i64 - reference).rem_euclid(modulus);
    let signed = if difference >= modulus / 2 { difference - modulus } else { difference };
    reference.wrapping_add(signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unwrapped_both_ways() {
        assert_eq!(nearest(65_535, 2, 16), 65_538);
        assert_eq!(nearest(65_538, 65_535, 16), 65_535);
        assert_eq!(nearest(10, 65_530, 16), -6);
        assert_eq!(nearest(1 << 33, 5, 32), (1 << 33) + 5);
    }

    #[test]
    fn duplicates_are_noticed_in_any_order() {
        let mut store = PacketStore::new();
        assert!(store.note(10) && store.note(12) && store.note(11));
        assert!(!store.note(11) && !store.note(12) && !store.note(10));
        assert!(store.note(500));
        assert!(store.note(12), "too old to be known");
    }

    #[test]
    fn the_oldest_goes_when_there_is_no_room() {
        let mut store = PacketStore::new();
        for media in 0..=PLACES {
            let media = i64::try_from(media).unwrap();
            let kept = store.put(Position { media, ..Position::default() }, &[1, 2]);
            assert_eq!(kept, media < 128);
        }
        assert_eq!(store.len(), PLACES);
        let (index, first) = store.first().unwrap();
        assert_eq!(first.media, 1);
        store.release(index);
        assert_eq!(store.payload(index), [1, 2]);
        assert_eq!(store.len(), PLACES - 1);
    }
}
