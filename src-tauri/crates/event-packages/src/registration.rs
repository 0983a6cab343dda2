//! `application/reginfo+xml`: what a registrar holds (RFC 3680).

use crate::{
    DocumentError,
    xml::{Element, Writer},
};

const SPACE: &str = "urn:ietf:params:xml:ns:reginfo";

/// What a registrar holds, all of it or what changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationInfo {
    /// Counts the documents of one subscription from 0.
    pub version: u32,
    /// All registrations are in here.
    pub full: bool,
    /// By address of record.
    pub registrations: Vec<RegistrationRecord>,
}

/// One address of record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationRecord {
    /// The address.
    pub aor: String,
    /// Its name within the documents.
    pub id: String,
    /// How it stands.
    pub phase: RegistrationPhase,
    /// Its contacts.
    pub contacts: Vec<Contact>,
}

/// How a registration or a contact stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationPhase {
    /// Nothing has been registered yet.
    Init,
    /// It can be reached.
    Active,
    /// It cannot any more.
    Terminated,
}

/// One contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its name within the documents.
    pub id: String,
    /// Where it is.
    pub uri: String,
    /// How it stands.
    pub phase: RegistrationPhase,
    /// What brought it there.
    pub event: ContactEvent,
    /// Seconds it has left.
    pub expires: Option<u32>,
    /// Seconds after which it may register again.
    pub retry_after: Option<u32>,
    /// The name that goes with it.
    pub display: Option<String>,
}

/// What brought a contact to its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactEvent {
    /// It registered.
    Registered,
    /// An administrator made it.
    Created,
    /// It registered again.
    Refreshed,
    /// It should register again soon.
    Shortened,
    /// Its time ran out.
    Expired,
    /// An administrator took it, and it may register again.
    Deactivated,
    /// The same, after some time.
    Probation,
    /// It took itself back.
    Unregistered,
    /// It is not allowed any more.
    Rejected,
    /// Nothing told, or a word the standard does not have.
    Unknown,
}

impl RegistrationInfo {
    /// Reads a document.
    ///
    /// # Errors
    /// When it is no well-formed `reginfo`, or too large. A contact without a URI is passed over.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let root = Element::read(bytes, &[SPACE], "reginfo")?;
        let partial = root.attribute("state").is_some_and(|s| s.eq_ignore_ascii_case("partial"));
        Ok(Self {
            version: root.number("version").unwrap_or(0),
            full: !partial,
            registrations: root.all("registration").map(read_record).collect(),
        })
    }

    /// The document as text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut writer = Writer::new();
        let state = if self.full { "full" } else { "partial" };
        writer.start("reginfo").with("xmlns", SPACE).with("version", self.version);
        writer.with("state", state);
        for record in &self.registrations {
            writer.start("registration").with("aor", &record.aor).with("id", &record.id);
            writer.with("state", phase_word(record.phase));
            for contact in &record.contacts {
                write_contact(&mut writer, contact);
            }
            writer.end();
        }
        writer.finish()
    }
}

fn write_contact(writer: &mut Writer, contact: &Contact) {
    writer.start("contact").with("id", &contact.id).with("state", phase_word(contact.phase));
    writer
        .with_some("event", EVENTS.iter().find(|(_, e)| *e == contact.event).map(|(word, _)| word));
    writer.with_some("expires", contact.expires).with_some("retry-after", contact.retry_after);
    writer.leaf("uri", &contact.uri).leaf_some("display-name", contact.display.as_ref()).end();
}

fn phase_word(phase: RegistrationPhase) -> &'static str {
    match phase {
        RegistrationPhase::Init => "init",
        RegistrationPhase::Active => "active",
        RegistrationPhase::Terminated => "terminated",
    }
}

fn read_record(element: &Element) -> RegistrationRecord {
    RegistrationRecord {
        aor: element.attribute("aor").unwrap_or_default().to_owned(),
        id: element.attribute("id").unwrap_or_default().to_owned(),
        phase: phase(element),
        contacts: element.all("contact").filter_map(read_contact).collect(),
    }
}

fn read_contact(element: &Element) -> Option<Contact> {
    Some(Contact {
        id: element.attribute("id").unwrap_or_default().to_owned(),
        uri: element.child_text("uri")?,
        phase: phase(element),
        event: event(element.attribute("event").unwrap_or_default()),
        expires: element.number("expires"),
        retry_after: element.number("retry-after"),
        display: element.child_text("display-name"),
    })
}

fn phase(element: &Element) -> RegistrationPhase {
    match element.attribute("state") {
        Some("active") => RegistrationPhase::Active,
        Some("terminated") => RegistrationPhase::Terminated,
        _ => RegistrationPhase::Init,
    }
}

/// The words of section 5.3.
const EVENTS: [(&str, ContactEvent); 9] = [
    ("registered", ContactEvent::Registered),
    ("created", ContactEvent::Created),
    ("refreshed", ContactEvent::Refreshed),
    ("shortened", ContactEvent::Shortened),
    ("expired", ContactEvent::Expired),
    ("deactivated", ContactEvent::Deactivated),
    ("probation", ContactEvent::Probation),
    ("unregistered", ContactEvent::Unregistered),
    ("rejected", ContactEvent::Rejected),
];

fn event(word: &str) -> ContactEvent {
    let known = EVENTS.iter().find(|(known, _)| *known == word);
    known.map_or(ContactEvent::Unknown, |(_, event)| *event)
}
