//! Writing of the documents that are sent: always UTF-8, always in the default namespace, elements in the
//! order in which they are given (order matters, reference, section 3.5).

use std::fmt::{Display, Write as _};

/// BroadWorks' namespace (reference, section 2).
pub const NAMESPACE: &str = "http://schema.broadsoft.com/xsi";

/// Writes one document.
#[derive(Debug)]
pub struct Writer {
    text: String,
    open: Vec<&'static str>,
}

impl Writer {
    /// A document with this root.
    pub fn new(root: &'static str) -> Self {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">"
        );
        Self { text, open: vec![root] }
    }

    /// Opens an element.
    pub fn start(&mut self, name: &'static str) -> &mut Self {
        let _ = write!(self.text, "<{name}>");
        self.open.push(name);
        self
    }

    /// Closes the innermost element.
    pub fn end(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            let _ = write!(self.text, "</{name}>");
        }
        self
    }

    /// An element with nothing but text.
    pub fn leaf(&mut self, name: &'static str, value: impl Display) -> &mut Self {
        let _ = write!(self.text, "<{name}>");
        escape(&value.to_string(), &mut self.text);
        let _ = write!(self.text, "</{name}>");
        self
    }

    /// An element if there is a value: what is left out stays as it was at the server.
    pub fn leaf_some(&mut self, name: &'static str, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.leaf(name, value),
            None => self,
        }
    }

    /// An element whose empty value clears what the server has.
    pub fn leaf_or_nil(&mut self, name: &'static str, value: &str) -> &mut Self {
        if value.is_empty() {
            let _ = write!(self.text, "<{name} xsi:nil=\"true\"/>");
            return self;
        }
        self.leaf(name, value)
    }

    /// The whole document.
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.text
    }
}

/// Characters that XML cannot carry at all are left out.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Writer;
    use crate::xml::read;

    #[test]
    fn order_and_nothing_are_written_as_given() {
        let mut writer = Writer::new("CallForwardingAlways");
        writer
            .leaf("active", true)
            .leaf_or_nil("forwardToPhoneNumber", "")
            .leaf_some("x", None::<u8>);
        writer.start("list").leaf("y", 1).end();
        let text = writer.finish();
        let root = read(text.as_bytes(), None).unwrap();
        let names: Vec<_> = root.children.iter().map(|child| child.name.as_str()).collect();
        assert_eq!(names, ["active", "forwardToPhoneNumber", "list"]);
        assert!(root.child("forwardToPhoneNumber").unwrap().is_nil());
        assert_eq!(root.listed("list", "y").count(), 1);
    }

    proptest! {
        #[test]
        fn text_comes_back(text in "[^\u{0}-\u{8}\u{b}-\u{1f}\u{fffe}\u{ffff}]{0,80}") {
            let mut writer = Writer::new("a");
            writer.leaf("b", &text);
            let root = read(writer.finish().as_bytes(), None).unwrap();
            prop_assert_eq!(&root.child("b").unwrap().text, &text);
        }
    }
}
