//! Targets that read what an exchange tells of its queues.

use std::time::{Duration, Instant};

use pbx_asterisk::{
    Config, ENDLESS, Endless, Input, Item, LONGEST_LINE, MOST_LINES, Output, Reader, Session,
};

/// The lines of Asterisk's manager interface, cut in chunks whose size the first byte gives: the messages must be those
/// of the stream in one piece. Then a session hears them: signed in when it asks to be, and through all its timers.
///
/// # Panics
/// When a promise of `pbx-asterisk` is broken.
pub fn ami(data: &[u8]) {
    let Some((&first, stream)) = data.split_first() else { return };
    let whole = items(stream, usize::MAX);
    let cut = items(stream, usize::from(first % 32) + 1);
    assert_eq!(whole, cut, "messages do not depend on the borders of chunks");
    listen(stream);
}

fn items(stream: &[u8], chunk: usize) -> (Vec<Item>, Result<(), Endless>) {
    let (mut reader, mut items, mut outcome) = (Reader::new(), Vec::new(), Ok(()));
    for part in stream.chunks(chunk.clamp(1, stream.len().max(1))) {
        outcome = reader.push(part);
        items.extend(std::iter::from_fn(|| reader.next_item()));
        assert!(reader.held() <= (LONGEST_LINE + 2) * (MOST_LINES + 1), "what is held is bounded");
        if outcome.is_err() {
            assert!(stream.len() > ENDLESS, "only what goes on and on is refused");
            break;
        }
    }
    (items, outcome)
}

/// A session that hears the bytes after its own actions were taken.
fn listen(stream: &[u8]) {
    let mut now = base();
    let mut session = Session::new(Config::new("fuzz", "secret".into(), "PJSIP/101"), [1; 32]);
    session.handle_input(now, Input::Start);
    session.handle_input(now, Input::Connected { secure: true, clock: 1_795_657_300_000 });
    session.handle_input(now, Input::Received(b"Asterisk Call Manager/11.0.0\r\n".to_vec()));
    let login = ids(&mut session).pop().unwrap_or_default();
    let taken = format!("Response: Success\r\nActionID: {login}\r\n\r\n");
    session.handle_input(now, Input::Received(taken.into_bytes()));
    // The bytes name actions by their place: `@0` is the first one that is open.
    let mut text = stream.to_vec();
    for (at, id) in ids(&mut session).iter().enumerate() {
        let place = format!("@{at}");
        text = replace(&text, place.as_bytes(), id.as_bytes());
    }
    session.handle_input(now, Input::Received(text));
    for _ in 0..200 {
        while session.poll_output().is_some() {}
        let Some(due) = session.poll_timeout() else { return };
        assert!(due < now + Duration::from_secs(100), "what is due is due soon");
        now = now.max(due);
        session.handle_timeout(now);
    }
}

/// Ids of the actions that were sent.
fn ids(session: &mut Session) -> Vec<String> {
    let mut ids = Vec::new();
    while let Some(output) = session.poll_output() {
        let Output::Send(bytes) = output else { continue };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let actions = text.lines().filter(|line| line.starts_with("Action: ")).count();
        assert_eq!(actions, 1, "one action, whatever is in it: {text}");
        let id = text.lines().find_map(|line| line.strip_prefix("ActionID: "));
        ids.extend(id.map(str::to_owned));
    }
    ids
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = after;
        } else if let Some((&byte, after)) = rest.split_first() {
            out.push(byte);
            rest = after;
        }
    }
    out
}

#[expect(clippy::disallowed_methods, reason = "the cores want some instant to count from")]
fn base() -> Instant {
    Instant::now()
}
