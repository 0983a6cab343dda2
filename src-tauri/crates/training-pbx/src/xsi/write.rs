//! Writing documents: XML in the charset and with the prefixes that a part of the interface has, and BadgerFish JSON.

use serde_json::{Map, Value, json};

use super::element::Element;

/// The namespace of all documents.
pub(crate) const SPACE: &str = "http://schema.broadsoft.com/xsi";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// How characters become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Charset {
    /// Calls, channels and events.
    #[default]
    Utf8,
    /// The users' locale: profile, services, directories.
    Latin1,
}

impl Charset {
    /// The name as it stands in headers and declarations.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Latin1 => "ISO-8859-1",
        }
    }
}

/// How a document looks, which means nothing to its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Style {
    /// The prefix of the documents' namespace; empty makes it the default one.
    pub(crate) prefix: String,
    /// The prefix of the schema instance.
    pub(crate) instance: String,
    /// Declares the schema instance where nothing needs it too.
    pub(crate) always_instance: bool,
    /// Whether it begins with an XML declaration.
    pub(crate) declaration: bool,
    /// Whether the root names the namespace.
    pub(crate) namespace: bool,
    pub(crate) charset: Charset,
}

impl Style {
    /// Answers of Xsi-Actions: the default namespace.
    pub(crate) fn actions(charset: Charset) -> Self {
        Self {
            prefix: String::new(),
            instance: "xsi".to_owned(),
            always_instance: false,
            declaration: true,
            namespace: true,
            charset,
        }
    }

    /// Events: `xsi` is the documents' own prefix, `xsi1` the schema instance's.
    pub(crate) fn events() -> Self {
        Self {
            prefix: "xsi".to_owned(),
            instance: "xsi1".to_owned(),
            always_instance: true,
            ..Self::actions(Charset::Utf8)
        }
    }

    fn qualified(&self, name: &str) -> String {
        match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}:{name}"),
        }
    }
}

/// The document as XML.
pub(crate) fn xml(root: &Element, style: &Style) -> Vec<u8> {
    let mut text = String::new();
    if style.declaration {
        let charset = style.charset.name();
        text.push_str(&format!("<?xml version=\"1.0\" encoding=\"{charset}\"?>\n"));
    }
    write(root, style, true, &mut text);
    match style.charset {
        Charset::Utf8 => text.into_bytes(),
        Charset::Latin1 => latin1(&text),
    }
}

fn write(element: &Element, style: &Style, is_root: bool, text: &mut String) {
    let name = style.qualified(element.name);
    text.push('<');
    text.push_str(&name);
    if is_root {
        declare(element, style, text);
    }
    if let Some(kind) = element.kind {
        attribute(&format!("{}:type", style.instance), &style.qualified(kind), text);
    }
    if element.nil {
        attribute(&format!("{}:nil", style.instance), "true", text);
    }
    for (name, value) in &element.attributes {
        attribute(name, value, text);
    }
    if element.text.as_deref().unwrap_or_default().is_empty() && element.children.is_empty() {
        text.push_str("/>");
        return;
    }
    text.push('>');
    escape(element.text.as_deref().unwrap_or_default(), text);
    for child in &element.children {
        write(child, style, false, text);
    }
    text.push_str("</");
    text.push_str(&name);
    text.push('>');
}

fn declare(root: &Element, style: &Style, text: &mut String) {
    if style.namespace {
        let name = match style.prefix.as_str() {
            "" => "xmlns".to_owned(),
            prefix => format!("xmlns:{prefix}"),
        };
        attribute(&name, SPACE, text);
    }
    if style.always_instance || root.is_instance() {
        attribute(&format!("xmlns:{}", style.instance), INSTANCE, text);
    }
}

fn attribute(name: &str, value: &str, text: &mut String) {
    text.push(' ');
    text.push_str(name);
    text.push_str("=\"");
    escape(value, text);
    text.push('"');
}

/// Escaped; characters that no XML document may hold are left out.
fn escape(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\t' | '\n' | '\r' => text.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => text.push(character),
        }
    }
}

/// Characters that ISO-8859-1 does not have are written by number.
fn latin1(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(u32::from(character)) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend(format!("&#{};", u32::from(character)).bytes()),
        }
    }
    bytes
}

/// The document as JSON by the BadgerFish convention; one element is an object, several of a name an array. Pure ASCII,
/// so that no charset can spoil it.
pub(crate) fn json(root: &Element) -> Vec<u8> {
    let mut value = badger_fish(root);
    if let Value::Object(map) = &mut value {
        map.insert("@xmlns".to_owned(), json!({ "$": SPACE }));
    }
    let text = json!({ root.name: value }).to_string();
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    ascii.into_bytes()
}

fn badger_fish(element: &Element) -> Value {
    let mut map = Map::new();
    if let Some(text) = &element.text {
        map.insert("$".to_owned(), json!(text));
    }
    if let Some(kind) = element.kind {
        map.insert("@type".to_owned(), json!(kind));
    }
    if element.nil {
        map.insert("@nil".to_owned(), json!("true"));
    }
    for (name, value) in &element.attributes {
        map.insert(format!("@{name}"), json!(value));
    }
    for child in &element.children {
        let value = badger_fish(child);
        match map.get_mut(child.name) {
            None => {
                map.insert(child.name.to_owned(), value);
            }
            Some(Value::Array(several)) => several.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Element {
        Element::new("Personal")
            .with(Element::new("entry").field("name", "Zoë & Kim Yıldız"))
            .with(Element::new("entry").or_nil("name", None::<String>))
    }

    #[test]
    fn latin_1_has_one_byte_for_what_it_knows_and_numbers_for_the_rest() {
        let bytes = xml(&sample(), &Style::actions(Charset::Latin1));
        let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"));
        assert!(text.contains("<name>Zoë &amp; Kim Y&#305;ld&#305;z</name>"), "{text}");
        assert!(text.contains("<name xsi:nil=\"true\"/>"), "{text}");
    }

    #[test]
    fn events_have_their_own_prefixes() {
        let event = Element::new("Event").typed("SubscriptionEvent").field("eventID", "a");
        let text = String::from_utf8(xml(&event, &Style::events())).unwrap();
        assert!(text.contains("xmlns:xsi1=\"http://www.w3.org/2001/XMLSchema-instance\""));
        assert!(text.contains("xsi1:type=\"xsi:SubscriptionEvent\""), "{text}");
        assert!(text.contains("<xsi:eventID>a</xsi:eventID></xsi:Event>"), "{text}");
    }

    #[test]
    fn badger_fish_tells_one_from_several() {
        let value: Value = serde_json::from_slice(&json(&sample())).unwrap();
        assert_eq!(value["Personal"]["@xmlns"]["$"], SPACE);
        assert_eq!(value["Personal"]["entry"][0]["name"]["$"], "Zoë & Kim Yıldız");
        let one = Element::new("Personal").with(Element::new("entry").field("name", "x"));
        let value: Value = serde_json::from_slice(&json(&one)).unwrap();
        assert_eq!(value["Personal"]["entry"]["name"]["$"], "x");
        assert!(json(&sample()).is_ascii());
    }
}
