//! Reading the bodies of requests: a bounded tree, strict about the namespace and the order of elements.

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;

use super::write::SPACE;

/// Most elements of a body, and how deep they may lie.
const ELEMENTS: usize = 5_000;
const DEPTH: usize = 16;

/// Why a body is of no use: a sentence for the one who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadBody(pub(crate) String);

fn bad<T>(why: impl Into<String>) -> Result<T, BadBody> {
    Err(BadBody(why.into()))
}

/// An element of a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// `nil` of the schema instance: clears the value.
    pub(crate) nil: bool,
    pub(crate) text: String,
    pub(crate) children: Vec<Node>,
}

impl Node {
    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text, trimmed.
    pub(crate) fn words(&self) -> &str {
        self.text.trim()
    }

    /// The text of a child, trimmed; `None` where there is no such child.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(Self::words)
    }

    /// A child that is `true` or `false`.
    pub(crate) fn bool(&self, name: &str) -> Result<Option<bool>, BadBody> {
        match self.value(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => bad(format!("{name} is {other}, neither true nor false")),
        }
    }

    /// A child that is a number of this range.
    pub(crate) fn number(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<Option<u32>, BadBody> {
        let Some(text) = self.value(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => bad(format!("{name} is {text}, not a number from {range:?}")),
        }
    }

    /// A child that may be cleared: `None` where it is left out, `Some(None)` where it is nil or empty.
    pub(crate) fn clearable(&self, name: &str) -> Option<Option<String>> {
        let child = self.child(name)?;
        let text = Some(child.words().to_owned()).filter(|text| !text.is_empty() && !child.nil);
        Some(text)
    }

    /// Checks that the children are of these names and in this order, as a sequence of the schema demands. A name that
    /// ends in `*` may come more than once.
    ///
    /// # Errors
    /// [`BadBody`] that names the first child which is unknown or in a wrong place.
    pub(crate) fn in_order(&self, sequence: &[&str]) -> Result<(), BadBody> {
        let mut at = 0;
        let mut last = "";
        for child in &self.children {
            let place = sequence.iter().position(|name| name.trim_end_matches('*') == child.name);
            let Some(place) = place else {
                return bad(format!("{} has no element {}", self.name, child.name));
            };
            let repeats = sequence.get(place).is_some_and(|name| name.ends_with('*'));
            if place < at || (last == child.name && !repeats) {
                return bad(format!("{} is in a wrong place in {}", child.name, self.name));
            }
            at = place;
            last = &child.name;
        }
        Ok(())
    }
}

/// Reads a body whose root has this name.
///
/// # Errors
/// [`BadBody`] for what is no XML, too large, of another name or of another namespace.
pub(crate) fn read(bytes: &[u8], root: &str) -> Result<Node, BadBody> {
    let text = decode(bytes);
    let node = tree(text.trim_start_matches(['\u{feff}', '\r', '\n', ' ']))?;
    match node.name == root {
        true => Ok(node),
        false => bad(format!("the document is {}, not {root}", node.name)),
    }
}

fn tree(text: &str) -> Result<Node, BadBody> {
    let mut reader = NsReader::from_str(text);
    let mut stack: Vec<Node> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        let (space, event) = match reader.read_resolved_event() {
            Ok(event) => event,
            Err(error) => return bad(format!("no XML: {error}")),
        };
        match event {
            Event::Start(ref start) | Event::Empty(ref start) => {
                elements += 1;
                if elements > ELEMENTS || stack.len() >= DEPTH || root.is_some() {
                    return bad("more elements than any document of this interface has");
                }
                let node = open(&space, start)?;
                match event {
                    Event::Start(_) => stack.push(node),
                    _ => close(node, &mut stack, &mut root),
                }
            }
            Event::End(_) => match stack.pop() {
                Some(node) => close(node, &mut stack, &mut root),
                None => return bad("an element ends that has not begun"),
            },
            Event::Text(text) => append(&mut stack, &text.xml10_content()),
            Event::CData(text) => append(&mut stack, &text.xml10_content()),
            Event::GeneralRef(reference) => append(&mut stack, &resolve(&reference)?),
            Event::DocType(_) => return bad("document types are not allowed"),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match (stack.is_empty(), root) {
        (true, Some(root)) => Ok(root),
        _ => bad("the document is not complete"),
    }
}

/// UTF-8; else ISO-8859-1, which everything is.
fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

fn open(space: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Node, BadBody> {
    let ResolveResult::Bound(space) = space else {
        return bad(format!("an element has no namespace; {SPACE} is expected"));
    };
    let space: &str = space.0;
    if space.trim() != SPACE {
        return bad(format!("the namespace {space} is unknown"));
    }
    let mut nil = false;
    for attribute in start.attributes() {
        let Ok(attribute) = attribute else { return bad("a malformed attribute") };
        let name: &str = attribute.key.local_name().into_inner();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        nil |= name == "nil" && value.is_ok_and(|value| matches!(value.trim(), "true" | "1"));
    }
    let name: &str = start.local_name().into_inner();
    Ok(Node { name: name.to_owned(), nil, ..Node::default() })
}

fn close(node: Node, stack: &mut [Node], root: &mut Option<Node>) {
    match stack.last_mut() {
        Some(parent) => parent.children.push(node),
        None => *root = Some(node),
    }
}

fn append(stack: &mut [Node], text: &str) {
    if let Some(node) = stack.last_mut() {
        node.text.push_str(text);
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, BadBody> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => return Ok(character.to_string()),
        Ok(None) => {}
        Err(_) => return bad("a malformed character reference"),
    }
    match resolve_xml_entity(reference) {
        Some(text) => Ok(text.to_owned()),
        None => bad("an unknown entity"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORWARD: &str = "<x:CallForwardingAlways xmlns:x=\"http://schema.broadsoft.com/xsi\" \
        xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><x:active>true</x:active>\
        <x:forwardToPhoneNumber i:nil=\"true\"/></x:CallForwardingAlways>";

    #[test]
    fn the_namespace_counts_and_not_the_prefix() {
        let node = read(FORWARD.as_bytes(), "CallForwardingAlways").unwrap();
        assert_eq!(node.bool("active"), Ok(Some(true)));
        assert_eq!(node.clearable("forwardToPhoneNumber"), Some(None));
        assert_eq!(node.clearable("ringSplash"), None);
        let other = FORWARD.replace("broadsoft", "softbroad");
        assert!(read(other.as_bytes(), "CallForwardingAlways").is_err());
        assert!(read(b"<DoNotDisturb/>", "DoNotDisturb").is_err());
        assert!(read(FORWARD.as_bytes(), "DoNotDisturb").is_err());
    }

    #[test]
    fn the_order_of_elements_counts() {
        let node = read(FORWARD.as_bytes(), "CallForwardingAlways").unwrap();
        assert_eq!(node.in_order(&["active", "forwardToPhoneNumber", "ringSplash"]), Ok(()));
        assert!(node.in_order(&["forwardToPhoneNumber", "active"]).is_err());
        assert!(node.in_order(&["active"]).is_err());
    }

    #[test]
    fn rubbish_is_refused() {
        for rubbish in
            ["", "hello", "<a", "<!DOCTYPE a><a xmlns='http://schema.broadsoft.com/xsi'/>"]
        {
            assert!(read(rubbish.as_bytes(), "a").is_err(), "{rubbish}");
        }
        let deep = format!("<a xmlns='{SPACE}'>{}", "<a>".repeat(100));
        assert!(read(deep.as_bytes(), "a").is_err());
    }
}
