//! Frames cut from streams, at every border.

use proptest::prelude::*;

use super::{Frame, FramingError, FramingLimits, StreamFramer};

const LIMITS: FramingLimits = FramingLimits { head: 300, body: 100 };

fn message(length_header: &str, body: &str) -> String {
    format!("OPTIONS sip:a@b SIP/2.0\r\nCall-ID: x\r\n{length_header}\r\n\r\n{body}")
}

fn drain(framer: &mut StreamFramer) -> Vec<Result<Frame, FramingError>> {
    let mut frames = Vec::new();
    while let Some(frame) = framer.next() {
        let failed = frame.is_err();
        frames.push(frame);
        if failed {
            break;
        }
    }
    frames
}

fn cut_at(stream: &[u8], borders: &[usize]) -> Vec<Result<Frame, FramingError>> {
    let mut framer = StreamFramer::new(LIMITS);
    let mut frames = Vec::new();
    let mut from = 0;
    for &to in borders.iter().chain([&stream.len()]) {
        framer.push(&stream[from..to]);
        frames.extend(drain(&mut framer));
        from = to;
    }
    if let Some(first_error) = frames.iter().position(Result::is_err) {
        frames.truncate(first_error + 1);
    }
    frames
}

fn whole(text: &str) -> Vec<Result<Frame, FramingError>> {
    cut_at(text.as_bytes(), &[])
}

fn messages(frames: Vec<Result<Frame, FramingError>>) -> Vec<String> {
    let text = |frame| match frame {
        Ok(Frame::Message(bytes)) => String::from_utf8(bytes).unwrap(),
        other => format!("{other:?}"),
    };
    frames.into_iter().map(text).collect()
}

#[test]
fn content_length_in_all_its_spellings() {
    for header in [
        "Content-Length: 4",
        "content-length:4",
        "Content-Length \t :  4  ",
        "l: 4",
        "L : 4",
        "Content-Length:\r\n 4",
        "Content-Length: 0004",
        "l: 4\r\nContent-Length: 4",
    ] {
        let one = message(header, "body");
        assert_eq!(messages(whole(&format!("{one}{one}"))), [one.clone(), one], "{header}");
    }
}

#[test]
fn content_lengths_that_end_the_connection() {
    for (header, error) in [
        ("X: 1", FramingError::NoContentLength),
        ("Content-Length: -4", FramingError::BadContentLength),
        ("Content-Length: 4 4", FramingError::BadContentLength),
        ("Content-Length:", FramingError::BadContentLength),
        ("Content-Length: 99999999999999999999999", FramingError::BadContentLength),
        ("l: 4\r\nContent-Length: 5", FramingError::BadContentLength),
        ("Content-Length: 101", FramingError::BodyTooLong(100)),
    ] {
        assert_eq!(whole(&message(header, "body")), [Err(error)], "{header}");
    }
}

#[test]
fn an_error_stays() {
    let mut framer = StreamFramer::new(LIMITS);
    framer.push(&[b'x'; 301]);
    assert_eq!(framer.next(), Some(Err(FramingError::HeadTooLong(300))));
    framer.push(message("l: 0", "").as_bytes());
    assert_eq!(framer.next(), Some(Err(FramingError::HeadTooLong(300))));
    assert_eq!(framer.buffered(), 0);
}

#[test]
fn a_word_in_the_body_is_no_header() {
    let one = message("l: 15", "\r\n\r\nContent-Len");
    assert_eq!(messages(whole(&one)), [one]);
}

#[test]
fn keep_alives_stand_between_messages() {
    let one = message("l: 0", "");
    let stream = format!("\r\n\r\n{one}\r\n\r\n\r\n{one}");
    let frames = whole(&stream);
    let message = || Ok(Frame::Message(one.clone().into_bytes()));
    assert_eq!(frames, [Ok(Frame::KeepAlivePing), message(), Ok(Frame::KeepAlivePing), message()]);
}

#[test]
fn a_pong_is_seen_at_once_when_awaited() {
    let mut framer = StreamFramer::new(LIMITS);
    framer.push(b"\r\n");
    assert_eq!(framer.next(), None);
    let mut framer = StreamFramer::new(LIMITS);
    framer.expect_pong();
    framer.push(b"\r\n");
    assert_eq!(framer.next(), Some(Ok(Frame::KeepAlivePong)));
    framer.push(b"\r\n\r\n");
    assert_eq!(framer.next(), Some(Ok(Frame::KeepAlivePing)));
    assert_eq!(framer.next(), None);
}

#[test]
fn a_ping_is_a_ping_while_a_pong_is_awaited() {
    let mut framer = StreamFramer::new(LIMITS);
    framer.expect_pong();
    framer.push(b"\r\n\r\n\r\n");
    assert_eq!(drain(&mut framer), [Ok(Frame::KeepAlivePing), Ok(Frame::KeepAlivePong)]);
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        (0_usize..40).prop_map(|len| message(&format!("l: {len}"), &"\r\nb".repeat(20)[..len])),
        Just("\r\n\r\n".to_owned()),
        Just("\r\n".to_owned()),
        Just(message("X: y", "")),
        "[a-z\r\n:]{0,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn borders_do_not_matter(
        pieces in prop::collection::vec(piece(), 0..6),
        borders in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let stream = pieces.concat().into_bytes();
        let mut borders: Vec<usize> =
            borders.iter().map(|index| index.index(stream.len() + 1)).collect();
        borders.sort_unstable();
        prop_assert_eq!(cut_at(&stream, &borders), cut_at(&stream, &[]));
        let every: Vec<usize> = (0..stream.len()).collect();
        prop_assert_eq!(cut_at(&stream, &every), cut_at(&stream, &[]));
    }

    #[test]
    fn no_bytes_make_it_panic_or_grow(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut framer = StreamFramer::new(LIMITS);
        for chunk in bytes.chunks(100) {
            framer.push(chunk);
            drain(&mut framer);
            prop_assert!(framer.buffered() <= LIMITS.head + LIMITS.body + 100);
        }
    }
}
