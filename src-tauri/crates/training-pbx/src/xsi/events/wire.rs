//! How documents become the chunks of a stream: nothing says that one chunk holds one document, and knobs make sure of it.
//!
//! Inputs: from channels `write`, `close`; from the owner `hold` and the knobs; from time `handle_timeout`.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::xsi::element::Element;
use crate::xsi::web::StreamId;
use crate::xsi::write::{self, Charset, Style};

/// How long documents wait for others to share a chunk with.
const TOGETHER: Duration = Duration::from_millis(300);

/// Which documents begin with an XML declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Declaration {
    /// All but heart-beats.
    #[default]
    Usual,
    /// All.
    Always,
    /// None.
    Never,
}

/// What the stream of a channel looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WireLook {
    /// Documents in one chunk; fewer after 300 ms.
    pub documents: usize,
    /// Breaks each chunk in two, inside a character of several bytes if it holds one.
    pub split: bool,
    /// Which documents are declared.
    pub declaration: Declaration,
    /// Newlines before and after each document.
    pub newlines: usize,
    /// The prefix of the documents' namespace in events; empty for none.
    pub prefix: String,
    /// The prefix of the schema instance in events.
    pub instance: String,
    /// Takes other prefixes for each document.
    pub vary: bool,
}

impl Default for WireLook {
    fn default() -> Self {
        Self {
            documents: 1,
            split: false,
            declaration: Declaration::default(),
            newlines: 0,
            prefix: "xsi".to_owned(),
            instance: "xsi1".to_owned(),
            vary: false,
        }
    }
}

/// Prefixes taken in turn: the documents' and the schema instance's.
const VARIED: [(&str, &str); 4] = [("xsi", "xsi1"), ("", "xsi"), ("bs", "i"), ("ns0", "ns1")];

/// What is to be done with a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// One chunk.
    Chunk(StreamId, Vec<u8>),
    /// It ends as it should.
    End(StreamId),
}

#[derive(Debug, Default)]
struct Stream {
    /// Nothing is written before.
    held: Option<Instant>,
    waiting: Vec<Vec<u8>>,
    /// When those that wait go without company.
    due: Option<Instant>,
    closing: bool,
}

/// All streams.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    look: WireLook,
    streams: BTreeMap<StreamId, Stream>,
    written: usize,
    outputs: VecDeque<Piece>,
}

impl Wire {
    /// Changes how documents look from now on.
    pub(crate) fn set_look(&mut self, look: WireLook) {
        self.look = look;
    }

    /// Keeps a stream back until then.
    pub(crate) fn hold(&mut self, stream: StreamId, until: Instant) {
        self.streams.entry(stream).or_default().held = Some(until);
    }

    /// Writes a document.
    pub(crate) fn write(&mut self, now: Instant, id: StreamId, document: &Element) {
        let bytes = self.bytes(document);
        let stream = self.streams.entry(id).or_default();
        stream.waiting.push(bytes);
        stream.due.get_or_insert(now + TOGETHER);
        self.pump(now, id);
    }

    /// Ends a stream after what has been written.
    pub(crate) fn close(&mut self, now: Instant, id: StreamId) {
        let stream = self.streams.entry(id).or_default();
        stream.closing = true;
        self.pump(now, id);
    }

    /// The stream is gone by itself.
    pub(crate) fn gone(&mut self, id: StreamId) {
        self.streams.remove(&id);
    }

    /// Writes what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for id in self.streams.keys().copied().collect::<Vec<_>>() {
            self.pump(now, id);
        }
    }

    /// When the next is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let next = |stream: &Stream| match (stream.held, stream.due) {
            (Some(held), due) => Some(due.map_or(held, |due| due.max(held))),
            (None, due) => due,
        };
        self.streams.values().filter(|s| s.closing || !s.waiting.is_empty()).filter_map(next).min()
    }

    /// What is to be done next.
    pub(crate) fn poll_output(&mut self) -> Option<Piece> {
        self.outputs.pop_front()
    }

    fn pump(&mut self, now: Instant, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.held.is_some_and(|until| until > now) {
            return;
        }
        stream.held = None;
        let full = self.look.documents.max(1);
        let late = stream.closing || stream.due.is_some_and(|due| due <= now);
        let mut chunks = Vec::new();
        while stream.waiting.len() >= full || (late && !stream.waiting.is_empty()) {
            let count = full.min(stream.waiting.len());
            chunks.push(stream.waiting.drain(..count).flatten().collect::<Vec<u8>>());
        }
        if stream.waiting.is_empty() {
            stream.due = None;
        }
        for chunk in chunks {
            let (first, second) = if self.look.split { split(chunk) } else { (chunk, Vec::new()) };
            let parts = [first, second].into_iter().filter(|part| !part.is_empty());
            self.outputs.extend(parts.map(|part| Piece::Chunk(id, part)));
        }
        if stream.closing {
            self.streams.remove(&id);
            self.outputs.push_back(Piece::End(id));
        }
    }

    fn bytes(&mut self, document: &Element) -> Vec<u8> {
        let is_event = document.name == "Event";
        let mut style = if is_event { Style::events() } else { Style::actions(Charset::Utf8) };
        if is_event {
            style.prefix = self.look.prefix.clone();
            style.instance = self.look.instance.clone();
        }
        if let (true, Some((prefix, instance))) =
            (self.look.vary, VARIED.get(self.written % VARIED.len()))
        {
            style.prefix = (*prefix).to_owned();
            style.instance = (*instance).to_owned();
        }
        style.declaration = match self.look.declaration {
            Declaration::Usual => document.name != "ChannelHeartBeat",
            Declaration::Always => true,
            Declaration::Never => false,
        };
        self.written += 1;
        let padding = "\r\n".repeat(self.look.newlines.min(1_000)).into_bytes();
        let document = write::xml(document, &style);
        // White space before a declaration would be no XML; after the document it is harmless.
        if style.declaration {
            return [document, padding].concat();
        }
        [padding.clone(), document, padding].concat()
    }
}

/// Two parts, cut inside the first character of several bytes, or in the middle.
fn split(chunk: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let inside = chunk.iter().position(|&byte| byte >= 0xc0).map(|at| at + 1);
    let mut first = chunk;
    let second = first.split_off(inside.unwrap_or(first.len() / 2));
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: StreamId = StreamId(1);

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
        Instant::now()
    }

    fn event() -> Element {
        Element::new("Event").typed("SubscriptionEvent").field("name", "Zoë")
    }

    fn chunks(wire: &mut Wire) -> Vec<Vec<u8>> {
        let outputs = std::iter::from_fn(|| wire.poll_output());
        outputs
            .filter_map(|piece| match piece {
                Piece::Chunk(_, bytes) => Some(bytes),
                Piece::End(_) => None,
            })
            .collect()
    }

    #[test]
    fn a_document_is_a_chunk_unless_knobs_say_otherwise() {
        let (now, mut wire) = (start(), Wire::default());
        wire.write(now, STREAM, &event());
        wire.write(now, STREAM, &Element::new("ChannelHeartBeat"));
        let all = chunks(&mut wire);
        assert_eq!(all.len(), 2);
        assert!(all[0].starts_with(b"<?xml") && all[1].starts_with(b"<ChannelHeartBeat xmlns"));
        wire.set_look(WireLook { split: true, ..WireLook::default() });
        wire.write(now, STREAM, &event());
        let halves = chunks(&mut wire);
        assert_eq!(halves.len(), 2);
        assert!(std::str::from_utf8(&halves[0]).is_err(), "cut inside a character");
        assert!(String::from_utf8(halves.concat()).unwrap().contains("Zoë"));
    }

    #[test]
    fn documents_wait_for_company_but_not_for_long() {
        let (now, mut wire) = (start(), Wire::default());
        wire.set_look(WireLook { documents: 3, ..WireLook::default() });
        wire.write(now, STREAM, &event());
        wire.write(now, STREAM, &event());
        assert!(chunks(&mut wire).is_empty());
        wire.write(now, STREAM, &event());
        assert_eq!(chunks(&mut wire).len(), 1);
        wire.write(now, STREAM, &event());
        assert_eq!(wire.poll_timeout(), Some(now + TOGETHER));
        wire.handle_timeout(now + TOGETHER);
        assert_eq!(chunks(&mut wire).len(), 1);
        assert_eq!(wire.poll_timeout(), None);
    }

    #[test]
    fn the_first_chunk_may_come_late_and_the_end_after_the_last() {
        let (now, mut wire) = (start(), Wire::default());
        wire.hold(STREAM, now + 5 * TOGETHER);
        wire.write(now, STREAM, &event());
        wire.close(now, STREAM);
        assert_eq!(wire.poll_output(), None);
        assert_eq!(wire.poll_timeout(), Some(now + 5 * TOGETHER));
        wire.handle_timeout(now + 5 * TOGETHER);
        assert!(matches!(wire.poll_output(), Some(Piece::Chunk(STREAM, _))));
        assert_eq!(wire.poll_output(), Some(Piece::End(STREAM)));
    }

    #[test]
    fn prefixes_and_declarations_vary() {
        let (now, mut wire) = (start(), Wire::default());
        let declaration = Declaration::Never;
        wire.set_look(WireLook { vary: true, declaration, newlines: 2, ..WireLook::default() });
        for _ in 0..3 {
            wire.write(now, STREAM, &event());
        }
        let texts: Vec<String> =
            chunks(&mut wire).into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
        let begins = ["\r\n\r\n<xsi:Event ", "\r\n\r\n<Event ", "\r\n\r\n<bs:Event "];
        for (text, begin) in texts.iter().zip(begins) {
            assert!(text.starts_with(begin) && text.ends_with(">\r\n\r\n"), "{text}");
        }
    }
}
