//! Cuts the endless answer of the event channel into documents, wherever the borders of its chunks fall.
//!
//! Inputs: bytes as they come ([`Splitter::handle_input`]). Outputs: whole documents, or why the stream can
//! be read no further ([`Splitter::poll_output`]). A document ends where its root element ends; a chunk may
//! hold several, a part of one, or half a character. It knows no time: a stream that falls silent is the
//! session's business.
//!
//! The bytes between markup are not looked at, so every charset that is ASCII where it matters passes
//! through; a document of another kind (UTF-16) is refused.

use std::collections::VecDeque;

use crate::limits;

/// Why a stream can be read no further. A stream that went wrong stays wrong: nothing tells where the next
/// document begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// A document has more than [`limits::DOCUMENT`] bytes.
    #[error("a document of the event channel is too large")]
    TooLarge,
    /// Elements are nested deeper than [`limits::DEPTH`].
    #[error("a document of the event channel is nested too deeply")]
    TooDeep,
    /// A document declares its type, and with it entities.
    #[error("a document of the event channel declares a document type")]
    DocumentType,
    /// An end tag where nothing is open, or markup that is none.
    #[error("the event channel does not carry XML")]
    NotXml,
}

/// Where in the markup the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Between tags.
    #[default]
    Text,
    /// After `<`.
    Open,
    /// After `<!`, with what came since.
    Declaration,
    /// Inside `<!-- … -->`; how many `-` came last.
    Comment(u8),
    /// Inside `<![CDATA[ … ]]>`; how many `]` came last.
    CData(u8),
    /// Inside `<? … ?>`; whether `?` came last.
    Instruction(bool),
    /// Inside a start tag; the byte that ends the attribute's value, and whether `/` came last.
    Start(Option<u8>, bool),
    /// Inside an end tag.
    End,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Splitter {
    at: At,
    /// The document so far.
    document: Vec<u8>,
    /// Where in `document` the current `<!` began.
    mark: usize,
    depth: usize,
    junk: usize,
    ready: VecDeque<Vec<u8>>,
    failed: Option<SplitError>,
    told: bool,
}

impl Splitter {
    /// Takes in the next bytes. After a failure they are passed over.
    pub fn handle_input(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.failed.is_some() {
                return;
            }
            if let Err(error) = self.step(byte) {
                tracing::debug!("{error}");
                self.failed = Some(error);
                self.document = Vec::new();
            }
        }
    }

    /// The next whole document, or once why there will be none any more.
    pub fn poll_output(&mut self) -> Option<Result<Vec<u8>, SplitError>> {
        if let Some(document) = self.ready.pop_front() {
            return Some(Ok(document));
        }
        let error = self.failed?;
        (!std::mem::replace(&mut self.told, true)).then_some(Err(error))
    }

    fn step(&mut self, byte: u8) -> Result<(), SplitError> {
        if self.document.is_empty() && byte != b'<' {
            return self.between(byte);
        }
        if self.document.len() >= limits::DOCUMENT {
            return Err(SplitError::TooLarge);
        }
        self.document.push(byte);
        self.at = match self.at {
            At::Text => self.text(byte)?,
            At::Open => self.opened(byte)?,
            At::Declaration => self.declaration()?,
            At::Comment(2..) if byte == b'>' => At::Text,
            At::Comment(dashes) => At::Comment(counted(byte == b'-', dashes)),
            At::CData(2..) if byte == b'>' => At::Text,
            At::CData(brackets) => At::CData(counted(byte == b']', brackets)),
            At::Instruction(true) if byte == b'>' => At::Text,
            At::Instruction(_) => At::Instruction(byte == b'?'),
            At::Start(Some(quote), _) => At::Start((byte != quote).then_some(quote), false),
            At::Start(None, _) if matches!(byte, b'"' | b'\'') => At::Start(Some(byte), false),
            At::Start(None, slash) if byte == b'>' => self.started(slash)?,
            At::Start(None, _) if byte == b'<' => return Err(SplitError::NotXml),
            At::Start(None, _) => At::Start(None, byte == b'/'),
            At::End if byte == b'>' => self.ended()?,
            At::End => At::End,
        };
        Ok(())
    }

    /// Outside of documents: white space and byte-order marks are padding, a little junk is forgiven.
    fn between(&mut self, byte: u8) -> Result<(), SplitError> {
        if byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf) {
            return Ok(());
        }
        self.junk += 1;
        if self.junk > limits::JUNK { Err(SplitError::NotXml) } else { Ok(()) }
    }

    fn text(&mut self, byte: u8) -> Result<At, SplitError> {
        if byte == b'<' {
            return Ok(At::Open);
        }
        // Between the declaration and the root only white space may stand.
        match self.depth == 0 && !byte.is_ascii_whitespace() {
            true => Err(SplitError::NotXml),
            false => Ok(At::Text),
        }
    }

    fn opened(&mut self, byte: u8) -> Result<At, SplitError> {
        self.mark = self.document.len();
        match byte {
            b'?' => Ok(At::Instruction(false)),
            b'!' => Ok(At::Declaration),
            b'/' if self.depth == 0 => Err(SplitError::NotXml),
            b'/' => Ok(At::End),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' | 0x80.. => Ok(At::Start(None, false)),
            _ => Err(SplitError::NotXml),
        }
    }

    fn declaration(&self) -> Result<At, SplitError> {
        let so_far = self.document.get(self.mark..).unwrap_or_default();
        match so_far {
            b"--" => Ok(At::Comment(0)),
            b"[CDATA[" if self.depth > 0 => Ok(At::CData(0)),
            _ if b"--".starts_with(so_far) || b"[CDATA[".starts_with(so_far) => Ok(At::Declaration),
            [b'D' | b'd', ..] => Err(SplitError::DocumentType),
            _ => Err(SplitError::NotXml),
        }
    }

    fn started(&mut self, empty: bool) -> Result<At, SplitError> {
        if self.depth >= limits::DEPTH {
            return Err(SplitError::TooDeep);
        }
        self.depth += 1;
        if empty { self.ended() } else { Ok(At::Text) }
    }

    fn ended(&mut self) -> Result<At, SplitError> {
        self.depth = self.depth.checked_sub(1).ok_or(SplitError::NotXml)?;
        if self.depth == 0 {
            self.ready.push_back(std::mem::take(&mut self.document));
            self.junk = 0;
        }
        Ok(At::Text)
    }
}

fn counted(same: bool, so_far: u8) -> u8 {
    if same { so_far.saturating_add(1) } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SplitError, Splitter};
    use crate::limits;

    fn drain(splitter: &mut Splitter) -> Result<Vec<String>, SplitError> {
        std::iter::from_fn(|| splitter.poll_output())
            .map(|one| one.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
            .collect()
    }

    fn split(bytes: &[u8]) -> Result<Vec<String>, SplitError> {
        let mut splitter = Splitter::default();
        splitter.handle_input(bytes);
        drain(&mut splitter)
    }

    const DOCUMENTS: [&str; 6] = [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Channel xmlns=\"http://schema.broadsoft.com/xsi\"><channelId>a</channelId></Channel>",
        "<ChannelHeartBeat xmlns=\"http://schema.broadsoft.com/xsi\"/>",
        "<!-- > --><x:Event xmlns:x='urn:a>b'><x:name>Ren\u{e9} &amp; <![CDATA[</x:Event> ]] ]]]></x:name></x:Event>",
        "<?xml version='1.0'?><?pi > ?><a b='/>' c=\"'>\"  ><b/><b /></a >",
        "<a><!----><!-- - -- --->\u{20ac}</a>",
        "<ChannelHeartbeat/>",
    ];

    #[test]
    fn documents_are_found_at_every_split() {
        let stream = DOCUMENTS.join("\r\n\n ");
        let bytes = stream.as_bytes();
        for first in 0..bytes.len() {
            let mut splitter = Splitter::default();
            splitter.handle_input(&bytes[..first]);
            splitter.handle_input(&bytes[first..]);
            assert_eq!(drain(&mut splitter).unwrap(), DOCUMENTS, "split at {first}");
        }
    }

    #[test]
    fn documents_may_touch() {
        assert_eq!(split(DOCUMENTS.concat().as_bytes()).unwrap(), DOCUMENTS);
    }

    #[test]
    fn a_document_is_told_as_soon_as_it_is_whole() {
        let mut splitter = Splitter::default();
        splitter.handle_input(b"<a><b/></a");
        assert_eq!(splitter.poll_output(), None);
        splitter.handle_input(b">");
        assert_eq!(splitter.poll_output(), Some(Ok(b"<a><b/></a>".to_vec())));
    }

    #[test]
    fn marks_and_a_little_junk_between_documents_are_forgiven() {
        assert_eq!(split(b"\xef\xbb\xbf<a/>\0ok<b/>").unwrap(), ["<a/>", "<b/>"]);
    }

    #[test]
    fn what_is_no_stream_of_documents_is_refused() {
        let deep = "<a>".repeat(limits::DEPTH + 1);
        let long = format!("<a>{}", " ".repeat(limits::DOCUMENT));
        let endless_name = format!("<{}", "a".repeat(limits::DOCUMENT));
        let words = "Service Unavailable ".repeat(100);
        let cases: [(&str, SplitError); 10] = [
            ("<!DOCTYPE html><html>", SplitError::DocumentType),
            (
                "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
                SplitError::DocumentType,
            ),
            ("</a>", SplitError::NotXml),
            ("<?xml?>text<a/>", SplitError::NotXml),
            ("< a/>", SplitError::NotXml),
            ("<a <b>", SplitError::NotXml),
            (&deep, SplitError::TooDeep),
            (&long, SplitError::TooLarge),
            (&endless_name, SplitError::TooLarge),
            (&words, SplitError::NotXml),
        ];
        for (text, error) in cases {
            let mut splitter = Splitter::default();
            splitter.handle_input(text.as_bytes());
            assert_eq!(drain(&mut splitter), Err(error), "{:.60}", text);
            splitter.handle_input(b"<a/>");
            assert_eq!(splitter.poll_output(), None, "a failed stream tells it once");
        }
    }

    #[test]
    fn sixteen_bits_are_no_stream() {
        let wide: Vec<u8> = "<a></a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(split(&wide), Err(SplitError::NotXml));
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(sizes in prop::collection::vec(0usize..40, 1..60)) {
            let stream = DOCUMENTS.join("\n");
            let mut rest = stream.as_bytes();
            let mut splitter = Splitter::default();
            for size in sizes {
                let (now, later) = rest.split_at(size.min(rest.len()));
                splitter.handle_input(now);
                rest = later;
            }
            splitter.handle_input(rest);
            prop_assert_eq!(drain(&mut splitter).unwrap(), DOCUMENTS);
        }

        #[test]
        fn anything_is_taken(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut whole = Splitter::default();
            whole.handle_input(&bytes);
            let mut single = Splitter::default();
            bytes.iter().for_each(|byte| single.handle_input(&[*byte]));
            prop_assert_eq!(drain(&mut whole), drain(&mut single));
        }
    }
}
