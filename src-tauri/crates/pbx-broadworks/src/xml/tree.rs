//! A document as a small bounded tree. Names are matched by namespace, never by prefix.

use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesRef, BytesStart, Event},
    name::{NamespaceResolver, ResolveResult},
};

use super::{charset::decode, write::NAMESPACE};
use crate::{DocumentError, limits};

/// The namespace of `nil` and `type`.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Where a name belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Space {
    /// BroadWorks', or none at all: fragments are sent without one (reference, section 2).
    #[default]
    Xsi,
    /// XMLSchema-instance, or a prefix that nobody declared.
    Instance,
    /// Somebody else's.
    Other,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Where its name belongs.
    pub space: Space,
    /// Its name without the prefix.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// An element with what it holds. Comments and processing instructions are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Where its name belongs.
    pub space: Space,
    /// Its name without the prefix.
    pub name: String,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The elements directly inside.
    pub children: Vec<Element>,
    /// The text directly inside, all pieces in a row.
    pub text: String,
}

/// What a document may still hold.
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(limits::ELEMENTS)
    }
}

impl Budget {
    /// One more element at this depth.
    pub(crate) fn spend(&mut self, depth: usize) -> Result<(), DocumentError> {
        if depth >= limits::DEPTH {
            return Err(DocumentError::TooLarge);
        }
        self.0 = self.0.checked_sub(1).ok_or(DocumentError::TooLarge)?;
        Ok(())
    }
}

impl Element {
    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name && child.space == Space::Xsi)
    }

    /// All children of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name && child.space == Space::Xsi)
    }

    /// The children of that name inside the first child `list`.
    pub fn listed<'a>(&'a self, list: &'a str, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.child(list).into_iter().flat_map(move |list| list.all(name))
    }

    /// The first element of that name here or anywhere below, and whatever its namespace.
    pub fn anywhere(&self, name: &str) -> Option<&Self> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.anywhere(name))
    }

    /// The text, trimmed; `None` if nothing is left.
    pub fn words(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of a child, trimmed; `None` without such a child, or when nothing is left.
    pub fn text_of(&self, name: &str) -> Option<String> {
        self.child(name).and_then(Self::words).map(str::to_owned)
    }

    /// As [`Self::text_of`], empty instead of `None`.
    pub fn string(&self, name: &str) -> String {
        self.text_of(name).unwrap_or_default()
    }

    /// The text of a child that must be there.
    ///
    /// # Errors
    /// [`DocumentError::Missing`].
    pub fn needed(&self, name: &'static str) -> Result<String, DocumentError> {
        self.text_of(name).ok_or(DocumentError::Missing(name))
    }

    /// A child's text as a number; `None` as well when it is none.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.child(name)?.words()?.parse().ok()
    }

    /// A child's text as `true` or `false`.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.child(name)?.words()? {
            "1" => Some(true),
            "0" => Some(false),
            word if word.eq_ignore_ascii_case("true") => Some(true),
            word if word.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// Whether an empty marker such as `<bounced/>` is there: presence means yes (reference, section 2).
    pub fn flag(&self, name: &str) -> bool {
        self.child(name).is_some_and(|child| child.words() != Some("false"))
    }

    /// The value of an attribute without a namespace, trimmed.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let fits = |one: &&Attribute| one.space == Space::Xsi && one.name == name;
        self.attributes.iter().find(fits).map(|one| one.value.trim())
    }

    /// The name in `xsi:type`, without its prefix.
    pub fn kind(&self) -> Option<&str> {
        let value = self.instance("type")?;
        Some(value.rsplit(':').next().unwrap_or(value))
    }

    /// Whether the element says that its value is nothing.
    pub fn is_nil(&self) -> bool {
        self.instance("nil").is_some_and(|value| matches!(value, "true" | "1"))
    }

    fn instance(&self, name: &str) -> Option<&str> {
        let fits = |one: &&Attribute| one.space == Space::Instance && one.name == name;
        self.attributes.iter().find(fits).map(|one| one.value.trim())
    }
}

/// Reads a document of XML, whatever its root.
///
/// # Errors
/// What [`DocumentError`] says; a web page is told apart from other things that are no document.
pub fn read(bytes: &[u8], content_type: Option<&str>) -> Result<Element, DocumentError> {
    if bytes.len() > limits::DOCUMENT {
        return Err(DocumentError::TooLarge);
    }
    if is_web_page(bytes, content_type) {
        return Err(DocumentError::WebPage);
    }
    let text = decode(bytes, content_type)?;
    let mut reader =
        NsReader::from_str(text.trim_start_matches(['\u{feff}', '\r', '\n', ' ', '\t']));
    let mut building = Building::default();
    loop {
        let event = reader.read_event().map_err(|_| DocumentError::Malformed)?;
        match event {
            Event::Start(start) => {
                let element = open(reader.resolver(), &start)?;
                building.budget.spend(building.stack.len())?;
                building.start(element)?;
            }
            Event::Empty(start) => {
                let element = open(reader.resolver(), &start)?;
                building.budget.spend(building.stack.len())?;
                building.start(element)?;
                building.end()?;
            }
            Event::End(_) => building.end()?,
            Event::Text(text) => building.append(&text.xml10_content())?,
            Event::CData(text) => building.append(&text.xml10_content())?,
            Event::GeneralRef(reference) => building.append(&resolve(&reference)?)?,
            Event::DocType(_) => return Err(DocumentError::Malformed),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return building.finish(),
        }
    }
}

/// A page for people where a document for programs was asked for.
fn is_web_page(bytes: &[u8], content_type: Option<&str>) -> bool {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    let head = bytes.get(start..bytes.len().min(start + 16)).unwrap_or_default();
    let head = head.to_ascii_lowercase();
    let by_name =
        content_type.is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("text/html"));
    let markup = head.starts_with(b"<?xml") || head.starts_with(b"{");
    head.starts_with(b"<html") || head.starts_with(b"<!doctype html") || by_name && !markup
}

#[derive(Default)]
struct Building {
    stack: Vec<Element>,
    root: Option<Element>,
    budget: Budget,
}

impl Building {
    fn start(&mut self, element: Element) -> Result<(), DocumentError> {
        if self.root.is_some() {
            return Err(DocumentError::Malformed);
        }
        self.stack.push(element);
        Ok(())
    }

    fn end(&mut self) -> Result<(), DocumentError> {
        let element = self.stack.pop().ok_or(DocumentError::Malformed)?;
        match self.stack.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn append(&mut self, text: &str) -> Result<(), DocumentError> {
        match self.stack.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(DocumentError::Malformed),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, DocumentError> {
        match self.stack.is_empty() {
            true => self.root.ok_or(DocumentError::Malformed),
            false => Err(DocumentError::Malformed),
        }
    }
}

fn open(resolver: &NamespaceResolver, start: &BytesStart<'_>) -> Result<Element, DocumentError> {
    let space = match resolver.resolve_element(start.name()).0 {
        ResolveResult::Bound(space) => space_of(space.0),
        // A fragment, or one that was torn out of a document with its declarations.
        ResolveResult::Unbound | ResolveResult::Unknown(_) => Space::Xsi,
    };
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| DocumentError::Malformed)?;
        if attributes.len() >= limits::ATTRIBUTES {
            return Err(DocumentError::TooLarge);
        }
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| DocumentError::Malformed)?
            .into_owned();
        let space = match resolver.resolve_attribute(attribute.key).0 {
            ResolveResult::Bound(space) => space_of(space.0),
            ResolveResult::Unbound => Space::Xsi,
            ResolveResult::Unknown(_) => Space::Instance,
        };
        let name: &str = attribute.key.local_name().into_inner();
        attributes.push(Attribute { space, name: name.to_owned(), value });
    }
    let name: &str = start.local_name().into_inner();
    Ok(Element { space, name: name.to_owned(), attributes, ..Element::default() })
}

fn space_of(uri: &str) -> Space {
    match uri.trim() {
        INSTANCE => Space::Instance,
        NAMESPACE | "" => Space::Xsi,
        _ => Space::Other,
    }
}

/// The five entities every document has, and characters by number. Others are nobody's business.
fn resolve(reference: &BytesRef<'_>) -> Result<String, DocumentError> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| DocumentError::Malformed)? {
        return Ok(character.to_string());
    }
    resolve_xml_entity(reference).map(str::to_owned).ok_or(DocumentError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::{Element, Space, read};
    use crate::{DocumentError, limits};

    fn parse(text: &str) -> Result<Element, DocumentError> {
        read(text.as_bytes(), Some("application/xml"))
    }

    /// The same event under every choice of prefixes that was seen.
    #[test]
    fn names_are_matched_by_namespace_and_never_by_prefix() {
        let broadsoft = "http://schema.broadsoft.com/xsi";
        let styles = [
            format!(
                "<xsi:Event xsi1:type=\"xsi:SubscriptionEvent\" xmlns:xsi=\"{broadsoft}\" \
                 xmlns:xsi1=\"http://www.w3.org/2001/XMLSchema-instance\"><xsi:eventID>7</xsi:eventID></xsi:Event>"
            ),
            format!(
                "<Event xsi:type=\"SubscriptionEvent\" xmlns=\"{broadsoft}\" \
                 xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><eventID>7</eventID></Event>"
            ),
            "<b:Event i:type=\"b:SubscriptionEvent\"><b:eventID>7</b:eventID></b:Event>".to_owned(),
            "<Event xsi:type=\"SubscriptionEvent\"><eventID>7</eventID></Event>".to_owned(),
        ];
        for text in styles {
            let root = parse(&text).unwrap();
            assert_eq!((root.space, root.name.as_str()), (Space::Xsi, "Event"), "{text}");
            assert_eq!(root.kind(), Some("SubscriptionEvent"), "{text}");
            assert_eq!(root.number("eventID"), Some(7), "{text}");
        }
        let foreign =
            parse("<Event xmlns:o=\"urn:other\"><o:eventID>7</o:eventID></Event>").unwrap();
        assert_eq!(foreign.text_of("eventID"), None);
    }

    #[test]
    fn values_are_read_as_they_are_meant() {
        let root = parse(
            "<a xmlns:n=\"http://www.w3.org/2001/XMLSchema-instance\" inConference=\" true \"><yes/><no>false</no>\
             <on> TRUE </on><odd>x</odd><gone n:nil=\"true\"/><name>Jan &amp; <![CDATA[<Co>]]></name></a>",
        )
        .unwrap();
        assert!(root.flag("yes") && !root.flag("no") && !root.flag("absent"));
        assert_eq!((root.boolean("on"), root.boolean("odd")), (Some(true), None));
        assert_eq!(root.number::<u32>("odd"), None);
        assert!(root.child("gone").unwrap().is_nil());
        assert_eq!(root.string("name"), "Jan & <Co>");
        assert_eq!(root.attribute("inConference"), Some("true"));
        assert_eq!(root.needed("more"), Err(DocumentError::Missing("more")));
    }

    #[test]
    fn hostile_documents_are_refused() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><x>&b;</x>";
        for text in [
            bomb,
            "<x>&b;</x>",
            "<x y='&b;'/>",
            "<x><y></x>",
            "<x/><x/>",
            "",
            "<x",
            "words",
            "<x/>words",
        ] {
            assert_eq!(parse(text), Err(DocumentError::Malformed), "{text}");
        }
        let deep = "<x>".repeat(limits::DEPTH + 1);
        assert_eq!(parse(&deep), Err(DocumentError::TooLarge));
        let wide = format!("<x>{}</x>", "<y/>".repeat(limits::ELEMENTS));
        assert_eq!(parse(&wide), Err(DocumentError::TooLarge));
        let many: String = (0..=limits::ATTRIBUTES).map(|n| format!(" a{n}=''")).collect();
        assert_eq!(parse(&format!("<x{many}/>")), Err(DocumentError::TooLarge));
        assert_eq!(parse(&" ".repeat(limits::DOCUMENT + 1)), Err(DocumentError::TooLarge));
    }

    #[test]
    fn a_web_page_is_told_apart() {
        for text in ["<!DOCTYPE html><html>", " <HTML><body>", "<!doctype HTML PUBLIC \"x\">"] {
            assert_eq!(parse(text), Err(DocumentError::WebPage), "{text}");
        }
        assert_eq!(
            read(b"Sign in here", Some("text/html; charset=x")),
            Err(DocumentError::WebPage)
        );
        assert!(read(b"<?xml version='1.0'?><a/>", Some("text/html")).is_ok());
    }
}
