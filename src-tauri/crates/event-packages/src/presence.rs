//! `application/pidf+xml`: who is there and what they do (RFC 3863, RFC 3856, RFC 4480).

use crate::{
    DocumentError,
    xml::{Element, Writer},
};

const SPACE: &str = "urn:ietf:params:xml:ns:pidf";
const DATA_MODEL: &str = "urn:ietf:params:xml:ns:pidf:data-model";
const RPID: &str = "urn:ietf:params:xml:ns:pidf:rpid";
/// Activities that are written; what else there is has no element of its own (RFC 4480 section 3.2).
const ACTIVITIES: [&str; 9] = [
    "appointment",
    "away",
    "busy",
    "holiday",
    "lunch",
    "meeting",
    "on-the-phone",
    "presentation",
    "vacation",
];

/// What is told of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Who: a URI.
    pub entity: String,
    /// The ways to reach them.
    pub tuples: Vec<Tuple>,
    /// What they do (RPID), the elements' names: `on-the-phone`, `meeting`, `away` …, each once.
    pub activities: Vec<String>,
    /// What they say of themselves.
    pub notes: Vec<String>,
}

/// One way to reach somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuple {
    /// Its name within the document.
    pub id: String,
    /// Whether it is open for what comes.
    pub basic: Option<Basic>,
    /// Its URI.
    pub contact: Option<String>,
    /// What is said of it.
    pub note: Option<String>,
    /// When it changed, as written.
    pub timestamp: Option<String>,
}

/// Whether somebody can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basic {
    /// They can.
    Open,
    /// They cannot.
    Closed,
}

impl Presence {
    /// Reads a document.
    ///
    /// # Errors
    /// When it is no well-formed `presence`, or too large.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let root = Element::read(bytes, &[SPACE], "presence")?;
        let mut presence = Self {
            entity: root.attribute("entity").unwrap_or_default().to_owned(),
            tuples: root.all("tuple").map(read_tuple).collect(),
            ..Self::default()
        };
        for child in &root.children {
            match child.name.as_str() {
                "note" => presence.notes.extend(child.words().map(str::to_owned)),
                "person" | "activities" | "tuple" => presence.read_activities(child),
                _ => {}
            }
        }
        Ok(presence)
    }

    /// The document as text. Activities without an element of their own are left out.
    #[must_use]
    pub fn write(&self) -> String {
        let mut writer = Writer::new();
        writer.start("presence").with("xmlns", SPACE).with("entity", &self.entity);
        for tuple in &self.tuples {
            writer.start("tuple").with("id", &tuple.id);
            writer.start("status");
            let basic = tuple.basic.map(|basic| match basic {
                Basic::Open => "open",
                Basic::Closed => "closed",
            });
            writer.leaf_some("basic", basic).end();
            writer.leaf_some("contact", tuple.contact.as_ref());
            writer.leaf_some("note", tuple.note.as_ref());
            writer.leaf_some("timestamp", tuple.timestamp.as_ref()).end();
        }
        self.notes.iter().for_each(|note| {
            writer.leaf("note", note);
        });
        let known = |name: &&&str| self.activities.iter().any(|activity| activity == **name);
        let mut activities = ACTIVITIES.iter().filter(known).peekable();
        if activities.peek().is_some() {
            writer.start("person").with("xmlns", DATA_MODEL).with("id", "p");
            writer.start("activities").with("xmlns", RPID);
            activities.for_each(|name| {
                writer.start(name).end();
            });
            writer.end().end();
        }
        writer.finish()
    }

    /// Whether any way is open; `None` if no way says.
    #[must_use]
    pub fn basic(&self) -> Option<Basic> {
        let mut all = self.tuples.iter().filter_map(|tuple| tuple.basic);
        all.clone().find(|basic| *basic == Basic::Open).or_else(|| all.next())
    }

    /// Activities are found wherever old and new servers put them: in the person, the tuple or its
    /// status.
    fn read_activities(&mut self, element: &Element) {
        if element.name == "activities" {
            for activity in element.children.iter().filter(|activity| activity.name != "note") {
                // The drafts before RFC 4480 wrote <activity>busy</activity>.
                let word = match activity.name.as_str() {
                    "activity" => activity.words().unwrap_or_default(),
                    name => name,
                };
                if !word.is_empty() && !self.activities.iter().any(|known| known == word) {
                    self.activities.push(word.to_owned());
                }
            }
        }
        for child in &element.children {
            match child.name.as_str() {
                "activities" | "status" => self.read_activities(child),
                "note" if element.name == "person" => {
                    self.notes.extend(child.words().map(str::to_owned));
                }
                _ => {}
            }
        }
    }
}

fn read_tuple(element: &Element) -> Tuple {
    let basic = element.child("status").and_then(|status| status.child_words("basic"));
    let basic = basic.map(str::to_ascii_lowercase);
    Tuple {
        id: element.attribute("id").unwrap_or_default().to_owned(),
        basic: match basic.as_deref() {
            Some("open") => Some(Basic::Open),
            Some("closed") => Some(Basic::Closed),
            _ => None,
        },
        contact: element.child_text("contact"),
        note: element.child_text("note"),
        timestamp: element.child_text("timestamp"),
    }
}
