//! What of a handshake a datagram brings anew, read from the outside of its records (RFC 6347, 4.1, 4.2.2).
//!
//! The crate below stops its clock for whatever of a handshake arrives, a mere repetition included, and then never sends
//! again what was lost; and an association of its own does not begin anew when the peer does. So repetitions are kept from
//! it, and a peer that begins anew is told apart.

use std::collections::BTreeSet;

/// Bytes before a record's content, and before a message's.
const RECORD: usize = 13;
const MESSAGE: usize = 12;
/// Content type of handshakes, and the message that begins one.
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
/// Fragments that are remembered; a handshake has a dozen.
const MOST: usize = 256;

/// What a datagram is to a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Something that was not there before, or cannot be told.
    Some,
    /// Only what was there before.
    None,
    /// The peer begins another handshake.
    Another,
}

/// The messages in clear that have arrived.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    /// Number and offset of fragments.
    fragments: BTreeSet<(u16, u32)>,
    /// The random value of the first message.
    hello: Option<[u8; 32]>,
}

impl Arrived {
    /// Takes down what a datagram holds.
    pub(crate) fn take(&mut self, datagram: &[u8]) -> News {
        let mut news = News::None;
        let mut rest = datagram;
        while let Some((record, after)) = record(rest) {
            rest = after;
            let Some(mut messages) = record else {
                news = News::Some;
                continue;
            };
            while let Some(message) = message(&mut messages) {
                if let Some(random) = message.hello {
                    if self.hello.is_some_and(|before| before != random) {
                        return News::Another;
                    }
                    self.hello = Some(random);
                }
                // What begins a handshake is answered every time, as long as nothing has followed it.
                let alone = self.fragments.iter().all(|(number, _)| *number == 0);
                let first = message.number == 0 && alone;
                let known = self.fragments.contains(&(message.number, message.offset));
                if !known && self.fragments.len() < MOST {
                    self.fragments.insert((message.number, message.offset));
                }
                if first || !known {
                    news = News::Some;
                }
            }
        }
        news
    }
}

/// One fragment of a message.
struct Message {
    number: u16,
    offset: u32,
    /// The random value, where a whole message begins a handshake.
    hello: Option<[u8; 32]>,
}

/// The first record: its messages when they are in clear, and what comes after it.
fn record(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let header: &[u8; RECORD] = bytes.first_chunk()?;
    let [kind, _, _, epoch_high, epoch_low, _, _, _, _, _, _, high, low] = *header;
    let end = RECORD + usize::from(u16::from_be_bytes([high, low]));
    let content = bytes.get(RECORD..end)?;
    let clear = kind == HANDSHAKE && epoch_high == 0 && epoch_low == 0;
    Some((clear.then_some(content), bytes.get(end..)?))
}

/// The first message of a record; the rest stays.
fn message(bytes: &mut &[u8]) -> Option<Message> {
    let header: &[u8; MESSAGE] = bytes.first_chunk()?;
    let [kind, _, _, _, high, low, o2, o1, o0, l2, l1, l0] = *header;
    let offset = u32::from_be_bytes([0, o2, o1, o0]);
    let length = usize::try_from(u32::from_be_bytes([0, l2, l1, l0])).ok()?;
    let body = bytes.get(MESSAGE..MESSAGE + length)?;
    *bytes = bytes.get(MESSAGE + length..)?;
    let begins = kind == CLIENT_HELLO && offset == 0 && (high, low) == (0, 0);
    let random = body.get(2..).and_then(|body| body.first_chunk::<32>()).copied();
    Some(Message {
        number: u16::from_be_bytes([high, low]),
        offset,
        hello: random.filter(|_| begins),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record with one message.
    fn datagram(epoch: u8, kind: u8, number: u8, body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len()).unwrap();
        let message = [&[kind, 0, 0, length, 0, number, 0, 0, 0, 0, 0, length], body].concat();
        let size = u8::try_from(message.len()).unwrap();
        [&[22, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 0, 0, size], message.as_slice()].concat()
    }

    fn hello(who: u8, number: u8) -> Vec<u8> {
        datagram(0, CLIENT_HELLO, number, &[[254, 253].as_slice(), &[who; 32]].concat())
    }

    #[test]
    fn a_repetition_is_no_news_but_the_first_message_is_while_it_is_alone() {
        let mut arrived = Arrived::default();
        assert_eq!(arrived.take(&hello(1, 0)), News::Some);
        assert_eq!(arrived.take(&hello(1, 0)), News::Some);
        assert_eq!(arrived.take(&hello(1, 1)), News::Some);
        assert_eq!(arrived.take(&hello(1, 1)), News::None);
        assert_eq!(arrived.take(&hello(1, 0)), News::None);
        // One that brings something beside what is known is news.
        let both = [hello(1, 1), datagram(0, 11, 2, &[0; 3])].concat();
        assert_eq!(arrived.take(&both), News::Some);
        assert_eq!(arrived.take(&both), News::None);
        // What is encrypted cannot be told.
        assert_eq!(arrived.take(&datagram(1, 20, 3, &[0; 12])), News::Some);
        assert_eq!(arrived.take(&datagram(1, 20, 3, &[0; 12])), News::Some);
    }

    #[test]
    fn a_peer_that_begins_anew_is_told_apart() {
        let mut arrived = Arrived::default();
        arrived.take(&hello(1, 0));
        arrived.take(&hello(1, 1));
        assert_eq!(arrived.take(&hello(2, 0)), News::Another);
    }

    #[test]
    fn what_is_cut_short_is_no_news() {
        let whole = hello(1, 0);
        for end in 0..whole.len() {
            assert_eq!(Arrived::default().take(&whole[..end]), News::None, "{end}");
        }
        let mut arrived = Arrived::default();
        for number in 0..=255 {
            for offset in 0..4 {
                let mut other = datagram(0, 11, number, &[]);
                other[20] = offset;
                arrived.take(&other);
            }
        }
        assert_eq!(arrived.fragments.len(), MOST);
    }
}
