//! `application/dialog-info+xml`: the calls of one line (RFC 4235).

use crate::{
    DocumentError,
    xml::{Element, Writer},
};

const SPACE: &str = "urn:ietf:params:xml:ns:dialog-info";

/// The calls of one line, all of them or those that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogInfo {
    /// Counts the documents of one subscription from 0; 0 where it is missing.
    pub version: u32,
    /// All calls of the line, and not only those that changed (`state="full"`).
    pub full: bool,
    /// The line: a URI.
    pub entity: String,
    /// Its calls.
    pub dialogs: Vec<Dialog>,
}

/// One call of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// Its name within the line's documents.
    pub id: String,
    /// Its name on the wire, for Replaces. May be missing.
    pub name: Option<DialogName>,
    /// Whether the line called or was called.
    pub direction: Option<Direction>,
    /// How far it is.
    pub state: DialogState,
    /// What brought it there (`event`): `rejected`, `local-bye` …
    pub event: Option<String>,
    /// The status that brought it there.
    pub code: Option<u16>,
    /// Seconds since it began.
    pub duration: Option<u32>,
    /// The call that this one replaces.
    pub replaces: Option<DialogName>,
    /// The line's own side.
    pub local: Option<Party>,
    /// The other side.
    pub remote: Option<Party>,
}

/// A dialog's name on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogName {
    /// Call-ID.
    pub call_id: String,
    /// The line's own tag; empty where it is not told.
    pub local_tag: String,
    /// The other side's tag; empty where it is not told.
    pub remote_tag: String,
}

/// Who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The line did (`initiator`).
    Outgoing,
    /// The other side did (`recipient`).
    Incoming,
}

/// How far a call is (RFC 4235 section 3.7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogState {
    /// An INVITE was sent.
    Trying,
    /// A provisional answer without a tag came.
    Proceeding,
    /// It rings.
    Early,
    /// It was answered.
    Confirmed,
    /// It is over.
    Terminated,
    /// A word the standard does not have, in lower case.
    Other(String),
}

/// One side of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// Its address of record.
    pub identity: Option<String>,
    /// The name that goes with it.
    pub display: Option<String>,
    /// Its Contact.
    pub target: Option<String>,
    /// Parameters of the target: `+sip.rendering` …
    pub params: Vec<(String, String)>,
}

impl Party {
    /// Whether the side hears the other (`+sip.rendering`, RFC 4235 section 5.2): `false` is how a
    /// call on hold shows.
    #[must_use]
    pub fn rendering(&self) -> Option<bool> {
        let named = |name: &str| name.trim_start_matches('+').eq_ignore_ascii_case("sip.rendering");
        let (_, value) = self.params.iter().find(|(name, _)| named(name))?;
        Some(!matches!(value.to_ascii_lowercase().as_str(), "no" | "false" | "0"))
    }
}

impl DialogInfo {
    /// Reads a document.
    ///
    /// # Errors
    /// When it is no well-formed `dialog-info`, or too large. A dialog without an id is passed over.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let root = Element::read(bytes, &[SPACE], "dialog-info")?;
        let partial = root.attribute("state").is_some_and(|s| s.eq_ignore_ascii_case("partial"));
        Ok(Self {
            version: root.number("version").unwrap_or(0),
            full: !partial,
            entity: root.attribute("entity").unwrap_or_default().to_owned(),
            dialogs: root.all("dialog").filter_map(read_dialog).collect(),
        })
    }

    /// The document as text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut writer = Writer::new();
        let state = if self.full { "full" } else { "partial" };
        writer.start("dialog-info").with("xmlns", SPACE).with("version", self.version);
        writer.with("state", state).with("entity", &self.entity);
        for dialog in &self.dialogs {
            write_dialog(&mut writer, dialog);
        }
        writer.finish()
    }
}

fn read_dialog(element: &Element) -> Option<Dialog> {
    let state = element.child("state");
    let word = state.and_then(Element::words).unwrap_or("terminated").to_ascii_lowercase();
    let direction = element.attribute("direction").map(str::to_ascii_lowercase);
    Some(Dialog {
        id: element.attribute_text("id")?,
        name: read_name(element),
        direction: match direction.as_deref() {
            Some("initiator") => Some(Direction::Outgoing),
            Some("recipient") => Some(Direction::Incoming),
            _ => None,
        },
        state: read_state(word),
        event: state.and_then(|state| state.attribute_text("event")),
        code: state.and_then(|state| state.attribute("code")?.parse().ok()),
        duration: element.child_words("duration").and_then(|text| text.parse().ok()),
        replaces: element.child("replaces").and_then(read_name),
        local: element.child("local").map(read_party),
        remote: element.child("remote").map(read_party),
    })
}

fn read_state(word: String) -> DialogState {
    match word.as_str() {
        "trying" => DialogState::Trying,
        "proceeding" => DialogState::Proceeding,
        "early" => DialogState::Early,
        "confirmed" => DialogState::Confirmed,
        "terminated" => DialogState::Terminated,
        _ => DialogState::Other(word),
    }
}

fn read_name(element: &Element) -> Option<DialogName> {
    let tag = |name| element.attribute(name).unwrap_or_default().to_owned();
    Some(DialogName {
        call_id: element.attribute_text("call-id")?,
        local_tag: tag("local-tag"),
        remote_tag: tag("remote-tag"),
    })
}

fn read_party(element: &Element) -> Party {
    let identity = element.child("identity");
    let display = identity.and_then(|identity| {
        identity.attribute_text("display").or_else(|| identity.attribute_text("display-name"))
    });
    let target = element.child("target");
    let params = target.iter().flat_map(|target| target.all("param")).filter_map(|param| {
        let value = param.attribute("pval").or_else(|| param.attribute("pvalue"));
        Some((param.attribute_text("pname")?, value.unwrap_or_default().to_owned()))
    });
    Party {
        identity: identity.and_then(Element::words).map(str::to_owned),
        display,
        target: target.and_then(|target| target.attribute_text("uri")),
        params: params.collect(),
    }
}

fn write_dialog(writer: &mut Writer, dialog: &Dialog) {
    writer.start("dialog").with("id", &dialog.id);
    write_name(writer, dialog.name.as_ref());
    writer.with_some(
        "direction",
        dialog.direction.map(|direction| match direction {
            Direction::Outgoing => "initiator",
            Direction::Incoming => "recipient",
        }),
    );
    writer.start("state").with_some("event", dialog.event.as_ref());
    writer.with_some("code", dialog.code);
    writer.words(match &dialog.state {
        DialogState::Trying => "trying",
        DialogState::Proceeding => "proceeding",
        DialogState::Early => "early",
        DialogState::Confirmed => "confirmed",
        DialogState::Terminated => "terminated",
        DialogState::Other(word) => word,
    });
    writer.end().leaf_some("duration", dialog.duration);
    if dialog.replaces.is_some() {
        writer.start("replaces");
        write_name(writer, dialog.replaces.as_ref());
        writer.end();
    }
    write_party(writer, "local", dialog.local.as_ref());
    write_party(writer, "remote", dialog.remote.as_ref());
    writer.end();
}

fn write_name(writer: &mut Writer, name: Option<&DialogName>) {
    if let Some(name) = name {
        writer.with("call-id", &name.call_id).with("local-tag", &name.local_tag);
        writer.with("remote-tag", &name.remote_tag);
    }
}

fn write_party(writer: &mut Writer, side: &'static str, party: Option<&Party>) {
    let Some(party) = party else { return };
    writer.start(side);
    if party.identity.is_some() || party.display.is_some() {
        writer.start("identity").with_some("display", party.display.as_ref());
        writer.words(party.identity.as_deref().unwrap_or_default()).end();
    }
    if party.target.is_some() || !party.params.is_empty() {
        writer.start("target").with("uri", party.target.as_deref().unwrap_or_default());
        for (name, value) in &party.params {
            writer.start("param").with("pname", name).with("pval", value).end();
        }
        writer.end();
    }
    writer.end();
}
