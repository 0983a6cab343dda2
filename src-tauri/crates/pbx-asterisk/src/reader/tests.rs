//! What is read from streams that are whole, cut, too large or without an end.

use proptest::prelude::*;

use super::{ENDLESS, Endless, Item, LONGEST_LINE, MOST_LINES, Reader};

const EXCHANGE: &str = "Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\n\
    Message: Authentication accepted\r\n\r\nEvent: QueueCallerJoin\r\nQueue: support\r\n\
    CallerIDName: Zoë\r\nPausedReason: \r\nnot a field\r\n\r\n\r\nEvent: FullyBooted\n\n";

fn read(parts: &[&[u8]]) -> (Vec<Item>, Result<(), Endless>) {
    let (mut reader, mut items, mut outcome) = (Reader::new(), Vec::new(), Ok(()));
    for part in parts {
        outcome = reader.push(part);
        items.extend(std::iter::from_fn(|| reader.next_item()));
        if outcome.is_err() {
            break;
        }
    }
    (items, outcome)
}

#[test]
fn messages_are_read_in_order() {
    let (items, outcome) = read(&[EXCHANGE.as_bytes()]);
    assert_eq!(outcome, Ok(()));
    let [
        Item::Greeting(greeting),
        Item::Message(response),
        Item::Message(join),
        Item::Message(last),
    ] = items.as_slice()
    else {
        panic!("{items:?}");
    };
    assert_eq!(greeting, "Asterisk Call Manager/11.0.0");
    assert_eq!(response.get("message"), Some("Authentication accepted"));
    assert_eq!(join.text("CallerIDName"), "Zoë");
    assert_eq!(join.get("PausedReason"), None);
    assert_eq!(join.fields().count(), 5);
    assert_eq!(last.event(), Some("FullyBooted"));
}

#[test]
fn a_stream_may_be_cut_at_every_byte() {
    let (whole, _) = read(&[EXCHANGE.as_bytes()]);
    for at in 0..=EXCHANGE.len() {
        let (head, tail) = EXCHANGE.as_bytes().split_at(at);
        assert_eq!(read(&[head, tail]).0, whole, "cut at {at}");
    }
    let single: Vec<&[u8]> = EXCHANGE.as_bytes().chunks(1).collect();
    assert_eq!(read(&single).0, whole);
}

#[test]
fn what_is_too_large_is_passed_over_and_nothing_else() {
    let fits = format!("A: {}", "x".repeat(LONGEST_LINE - 3));
    let long = format!("A: {}", "x".repeat(LONGEST_LINE - 2));
    let many = "A: 1\r\n".repeat(MOST_LINES);
    let text = format!(
        "hello\r\n{fits}\r\n\r\nB: 1\r\n{long}\r\nC: 1\r\n\r\n{many}\r\n{many}A: 1\r\n\r\nD: 1\r\n\r\n"
    );
    let (items, outcome) = read(&[text.as_bytes()]);
    assert_eq!(outcome, Ok(()));
    let kinds: Vec<usize> = items
        .iter()
        .map(|item| match item {
            Item::Greeting(_) => 1_000,
            Item::TooLarge => 2_000,
            Item::Message(message) => message.fields().count(),
        })
        .collect();
    assert_eq!(kinds, [1_000, 1, 2_000, MOST_LINES, 2_000, 1]);
}

#[test]
fn what_does_not_end_is_refused_and_held_nowhere() {
    for unit in ["x", "A: 1\r\n", "\r"] {
        let mut reader = Reader::new();
        let chunk = unit.repeat(4096);
        let mut pushed = 0;
        while reader.push(chunk.as_bytes()).is_ok() {
            pushed += chunk.len();
            assert!(pushed < 3 * ENDLESS, "{unit:?} is read for ever");
            assert!(reader.held() <= LONGEST_LINE * 2, "{unit:?} is held");
        }
        assert_eq!(reader.push(b"\r\n\r\n"), Err(Endless));
    }
}

#[test]
fn numbers_and_flags_are_read_as_the_exchange_writes_them() {
    let text = "hello\r\nServicelevelPerf: 66.7\r\nPaused: 1\r\nImmediate: Yes\r\nCallerIDNum: <unknown>\r\n\
                Wait: soon\r\n\r\n";
    let (items, _) = read(&[text.as_bytes()]);
    let Some(Item::Message(message)) = items.last() else { panic!("{items:?}") };
    assert_eq!(message.number("ServicelevelPerf"), Some(66));
    assert!(message.flag("Paused") && message.flag("immediate") && !message.flag("Wait"));
    assert_eq!(message.number("Wait"), None);
    assert_eq!(message.text("CallerIDNum"), "");
}

proptest! {
    #[test]
    fn any_bytes_read_the_same_in_any_pieces(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), any::<u8>()], 0..600),
        size in 1_usize..40,
    ) {
        let (whole, outcome) = read(&[&bytes]);
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        prop_assert_eq!((whole, outcome), read(&pieces));
    }
}
