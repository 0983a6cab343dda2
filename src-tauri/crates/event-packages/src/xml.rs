//! XML as a small bounded tree, and its writing.

use std::{borrow::Cow, fmt::Write};

use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesRef, BytesStart, Event},
    name::ResolveResult,
};

use crate::{DocumentError, limits};

/// An element with what it holds. Comments and processing instructions are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// The namespace's URI; empty without one.
    pub space: String,
    /// The name without its prefix.
    pub name: String,
    /// Names without their prefixes, and values.
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    /// The text directly inside, all pieces in a row.
    pub text: String,
}

impl Element {
    /// Reads a document whose root has this name and one of these namespaces.
    pub(crate) fn read(bytes: &[u8], spaces: &[&str], name: &str) -> Result<Self, DocumentError> {
        let root = read_any(bytes)?;
        if root.name != name || !(spaces.contains(&root.space.as_str()) || root.space.is_empty()) {
            return Err(DocumentError::OtherKind);
        }
        Ok(root)
    }

    /// An attribute, trimmed.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())
    }

    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.attribute(name)?.parse().ok()
    }

    /// The first child of that name, in this element's namespace.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name && child.space == self.space)
    }

    /// Children of that name in this element's namespace.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name && child.space == self.space)
    }

    /// The first child of that name, whatever its namespace.
    pub(crate) fn any(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text, trimmed; `None` if nothing is left.
    pub(crate) fn words(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of a child, as [`Self::words`].
    pub(crate) fn child_words(&self, name: &str) -> Option<&str> {
        self.child(name).and_then(Self::words)
    }

    pub(crate) fn child_text(&self, name: &str) -> Option<String> {
        self.child_words(name).map(str::to_owned)
    }

    pub(crate) fn attribute_text(&self, name: &str) -> Option<String> {
        self.attribute(name).filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

/// Reads a document, whatever its root.
pub(crate) fn read_any(bytes: &[u8]) -> Result<Element, DocumentError> {
    if bytes.len() > limits::BYTES {
        return Err(DocumentError::TooLarge);
    }
    let text = decode(bytes);
    let mut reader = NsReader::from_str(text.trim_start_matches(['\u{feff}', '\r', '\n', ' ']));
    let mut stack: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        let (space, event) = reader.read_resolved_event().map_err(|_| DocumentError::Malformed)?;
        match event {
            Event::Start(ref start) | Event::Empty(ref start) => {
                elements += 1;
                if elements > limits::ELEMENTS || stack.len() >= limits::DEPTH {
                    return Err(DocumentError::TooLarge);
                }
                if root.is_some() {
                    return Err(DocumentError::Malformed);
                }
                let element = open(&space, start)?;
                match event {
                    Event::Start(_) => stack.push(element),
                    _ => close(element, &mut stack, &mut root),
                }
            }
            Event::End(_) => {
                let element = stack.pop().ok_or(DocumentError::Malformed)?;
                close(element, &mut stack, &mut root);
            }
            Event::Text(text) => append(&mut stack, &text.xml10_content()),
            Event::CData(text) => append(&mut stack, &text.xml10_content()),
            Event::GeneralRef(reference) => append(&mut stack, &resolve(&reference)?),
            Event::DocType(_) => return Err(DocumentError::Malformed),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match stack.is_empty() {
        true => root.ok_or(DocumentError::Malformed),
        false => Err(DocumentError::Malformed),
    }
}

/// UTF-8, or what a server means that declares nothing and sends Latin-1.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()),
    }
}

fn open(space: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Element, DocumentError> {
    let space = match space {
        ResolveResult::Bound(space) => space.0.trim().to_owned(),
        ResolveResult::Unbound => String::new(),
        // A prefix nobody declared: seen in the wild, and its name alone may tell enough.
        ResolveResult::Unknown(_) => "?".to_owned(),
    };
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| DocumentError::Malformed)?;
        if attributes.len() >= limits::ATTRIBUTES {
            return Err(DocumentError::TooLarge);
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| DocumentError::Malformed)?;
        if attribute.key.as_namespace_binding().is_none() {
            let name: &str = attribute.key.local_name().into_inner();
            attributes.push((name.to_owned(), value.into_owned()));
        }
    }
    let name: &str = start.local_name().into_inner();
    Ok(Element { space, name: name.to_owned(), attributes, ..Element::default() })
}

fn close(element: Element, stack: &mut [Element], root: &mut Option<Element>) {
    match stack.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

fn append(stack: &mut [Element], text: &str) {
    if let Some(element) = stack.last_mut() {
        element.text.push_str(text);
    }
}

/// The five entities every document has, and characters by number. Others are nobody's business.
fn resolve(reference: &BytesRef<'_>) -> Result<String, DocumentError> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| DocumentError::Malformed)? {
        return Ok(character.to_string());
    }
    resolve_xml_entity(reference).map(str::to_owned).ok_or(DocumentError::Malformed)
}

/// Writes one document.
pub(crate) struct Writer {
    text: String,
    open: Vec<&'static str>,
    /// The start tag of the innermost element still lacks its `>`.
    pending: bool,
}

impl Writer {
    pub(crate) fn new() -> Self {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        Self { text, open: Vec::new(), pending: false }
    }

    pub(crate) fn start(&mut self, name: &'static str) -> &mut Self {
        self.finish_tag();
        self.text.push('<');
        self.text.push_str(name);
        self.open.push(name);
        self.pending = true;
        self
    }

    /// An attribute of the element just started.
    pub(crate) fn with(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Self {
        let _ = write!(self.text, " {name}=\"{}\"", escape(&value.to_string()));
        self
    }

    pub(crate) fn with_some(
        &mut self,
        name: &str,
        value: Option<impl std::fmt::Display>,
    ) -> &mut Self {
        if let Some(value) = value {
            self.with(name, value);
        }
        self
    }

    pub(crate) fn words(&mut self, text: &str) -> &mut Self {
        self.finish_tag();
        self.text.push_str(&escape(text));
        self
    }

    pub(crate) fn end(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            if std::mem::take(&mut self.pending) {
                self.text.push_str("/>");
            } else {
                let _ = write!(self.text, "</{name}>");
            }
        }
        self
    }

    /// An element with nothing but text.
    pub(crate) fn leaf(&mut self, name: &'static str, text: impl std::fmt::Display) -> &mut Self {
        self.start(name).words(&text.to_string()).end()
    }

    pub(crate) fn leaf_some(
        &mut self,
        name: &'static str,
        text: Option<impl std::fmt::Display>,
    ) -> &mut Self {
        if let Some(text) = text {
            self.leaf(name, text);
        }
        self
    }

    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.text.push('\n');
        self.text
    }

    fn finish_tag(&mut self) {
        if std::mem::take(&mut self.pending) {
            self.text.push('>');
        }
    }
}

/// Text without markup, and without the characters XML cannot hold.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_count_by_uri() {
        let root =
            read_any(b"<a:x xmlns:a='urn:one' xmlns='urn:two'><y/><a:y>t&amp;&#65;</a:y></a:x>");
        let root = root.unwrap();
        assert_eq!((root.space.as_str(), root.name.as_str()), ("urn:one", "x"));
        assert_eq!(root.child("y").unwrap().text, "t&A");
    }

    #[test]
    fn hostile_documents_are_refused() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><x>&b;</x>";
        assert_eq!(read_any(bomb.as_bytes()), Err(DocumentError::Malformed));
        assert_eq!(read_any(b"<x>&unknown;</x>"), Err(DocumentError::Malformed));
        assert_eq!(read_any(b"<x y='&unknown;'/>"), Err(DocumentError::Malformed));
        assert_eq!(read_any(b"<x><y></x>"), Err(DocumentError::Malformed));
        assert_eq!(read_any(b"<x/><x/>"), Err(DocumentError::Malformed));
        assert_eq!(read_any(b""), Err(DocumentError::Malformed));
        let deep = "<x>".repeat(1000);
        assert_eq!(read_any(deep.as_bytes()), Err(DocumentError::TooLarge));
        let wide = format!("<x>{}</x>", "<y/>".repeat(limits::ELEMENTS));
        assert_eq!(read_any(wide.as_bytes()), Err(DocumentError::TooLarge));
        let long = vec![b' '; limits::BYTES + 1];
        assert_eq!(read_any(&long), Err(DocumentError::TooLarge));
    }

    #[test]
    fn latin_1_is_read() {
        assert_eq!(read_any(b"<x>Ren\xe9</x>").unwrap().text, "Ren\u{e9}");
    }
}
