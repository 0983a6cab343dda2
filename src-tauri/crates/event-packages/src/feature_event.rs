//! `application/x-as-feature-event+xml`: do not disturb, forwarding and the agent's state, kept the same at
//! telephone and exchange (CSTA in XML, ECMA-323, as BroadWorks uses it). A telephone sends requests in a
//! SUBSCRIBE and gets events in a NOTIFY; several documents travel as `multipart/mixed`.

use crate::{
    DocumentError,
    multipart::{is_type, read_parts},
    xml::{Element, Writer, read_any},
};

/// The media type of one document.
const TYPE: &str = "application/x-as-feature-event+xml";
const SPACE: &str = "http://www.ecma-international.org/standards/ecma-323/csta/ed3";
const PRIVATE_SPACE: &str = "http://schema.broadsoft.com/CSTAPrivateData";

/// Which calls are forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardKind {
    /// All.
    Always,
    /// Those that come while the line is busy.
    Busy,
    /// Those nobody answers.
    NoAnswer,
}

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// Signed in.
    LoggedOn,
    /// Signed out.
    LoggedOff,
    /// Takes calls.
    Ready,
    /// Takes none.
    NotReady,
    /// Finishes what the last call brought.
    WrapUp,
}

/// One document, from either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeatureDocument {
    /// Asks for do not disturb, on or off.
    SetDoNotDisturb(bool),
    /// Do not disturb is on or off.
    DoNotDisturb(bool),
    /// Asks for forwarding.
    SetForwarding {
        /// Which.
        kind: ForwardKind,
        /// On or off.
        active: bool,
        /// Where to.
        to: Option<String>,
        /// How often it rings before.
        rings: Option<u32>,
    },
    /// How a forwarding stands.
    Forwarding {
        /// Which.
        kind: ForwardKind,
        /// On or off.
        active: bool,
        /// Where to.
        to: Option<String>,
        /// How often it rings before.
        rings: Option<u32>,
    },
    /// Asks for an agent's state.
    SetAgentState {
        /// Which.
        state: AgentState,
        /// The code that tells why, for `NotReady`.
        reason: Option<String>,
    },
    /// An agent's state.
    Agent {
        /// Which.
        state: AgentState,
        /// The code that tells why, for `NotReady`.
        reason: Option<String>,
        /// Who.
        agent: Option<String>,
    },
}

/// Reads a body: one document or several. Documents we have no word for are passed over.
///
/// # Errors
/// When the body is of another type, or one of its documents is not well-formed.
pub fn read_features(
    content_type: &str,
    body: &[u8],
) -> Result<Vec<FeatureDocument>, DocumentError> {
    if is_type(content_type, TYPE) {
        return Ok(FeatureDocument::read(body)?.into_iter().collect());
    }
    let parts = read_parts(content_type, body)?;
    let parts = parts.iter().filter(|part| part.is(TYPE));
    let read = parts.filter_map(|part| FeatureDocument::read(part.body).transpose());
    read.collect()
}

/// Writes documents into one body: its Content-Type and the bytes. The boundary is used for more
/// than one; take a random one.
#[must_use]
pub fn write_features(documents: &[FeatureDocument], boundary: &str) -> (String, Vec<u8>) {
    if let [document] = documents {
        return (TYPE.to_owned(), document.write().into_bytes());
    }
    let mut body = String::new();
    for document in documents {
        body.push_str(&format!(
            "--{boundary}\r\nContent-Type: {TYPE}\r\n\r\n{}\r\n",
            document.write()
        ));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    (format!("multipart/mixed;boundary=\"{boundary}\""), body.into_bytes())
}

impl FeatureDocument {
    /// Reads one document; `None` if it is about something else. The namespace is not asked for:
    /// two spellings of it are in use, and some servers send none.
    ///
    /// # Errors
    /// When it is not well-formed, too large, or lacks what it is about.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, DocumentError> {
        let root = read_any(bytes)?;
        let agent =
            |state| Self::Agent { state, reason: reason(&root), agent: text(&root, "agentID") };
        Ok(Some(match root.name.as_str() {
            "SetDoNotDisturb" => Self::SetDoNotDisturb(flag(&root, "doNotDisturbOn")?),
            "DoNotDisturbEvent" => Self::DoNotDisturb(flag(&root, "doNotDisturbOn")?),
            "SetForwarding" => Self::SetForwarding {
                kind: forward_kind(&root)?,
                active: flag(&root, "activateForward")?,
                to: text(&root, "forwardDN"),
                rings: rings(&root),
            },
            "ForwardingEvent" => Self::Forwarding {
                kind: forward_kind(&root)?,
                active: flag(&root, "forwardStatus")?,
                to: text(&root, "forwardTo").or_else(|| text(&root, "forwardDN")),
                rings: rings(&root),
            },
            "SetAgentState" => {
                Self::SetAgentState { state: requested_state(&root)?, reason: reason(&root) }
            }
            "AgentLoggedOnEvent" => agent(AgentState::LoggedOn),
            "AgentLoggedOffEvent" => agent(AgentState::LoggedOff),
            "AgentReadyEvent" => agent(AgentState::Ready),
            "AgentNotReadyEvent" => agent(AgentState::NotReady),
            "AgentWorkingAfterCallEvent" => agent(AgentState::WrapUp),
            _ => return Ok(None),
        }))
    }

    /// The document as text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut writer = Writer::new();
        writer.start(self.root()).with("xmlns", SPACE);
        // The device must be there, and is not looked at.
        writer.start("device").end();
        match self {
            Self::SetDoNotDisturb(on) | Self::DoNotDisturb(on) => {
                writer.leaf("doNotDisturbOn", on);
            }
            Self::SetForwarding { kind, active, to, rings } => {
                writer.leaf("forwardingType", forward_word(*kind));
                writer.leaf("activateForward", active).leaf_some("forwardDN", to.as_ref());
                writer.leaf_some("ringCount", *rings);
            }
            Self::Forwarding { kind, active, to, rings } => {
                writer.leaf("forwardingType", forward_word(*kind));
                writer.leaf("forwardStatus", active).leaf_some("forwardTo", to.as_ref());
                writer.leaf_some("ringCount", *rings);
            }
            Self::SetAgentState { state, reason } => {
                writer.leaf("requestedAgentState", state_word(*state));
                write_reason(&mut writer, reason.as_ref());
            }
            Self::Agent { reason, agent, .. } => {
                writer.leaf_some("agentID", agent.as_ref());
                write_reason(&mut writer, reason.as_ref());
            }
        }
        writer.finish()
    }

    fn root(&self) -> &'static str {
        match self {
            Self::SetDoNotDisturb(_) => "SetDoNotDisturb",
            Self::DoNotDisturb(_) => "DoNotDisturbEvent",
            Self::SetForwarding { .. } => "SetForwarding",
            Self::Forwarding { .. } => "ForwardingEvent",
            Self::SetAgentState { .. } => "SetAgentState",
            Self::Agent { state, .. } => match state {
                AgentState::LoggedOn => "AgentLoggedOnEvent",
                AgentState::LoggedOff => "AgentLoggedOffEvent",
                AgentState::Ready => "AgentReadyEvent",
                AgentState::NotReady => "AgentNotReadyEvent",
                AgentState::WrapUp => "AgentWorkingAfterCallEvent",
            },
        }
    }
}

fn text(root: &Element, name: &str) -> Option<String> {
    root.any(name).and_then(Element::words).map(str::to_owned)
}

fn flag(root: &Element, name: &'static str) -> Result<bool, DocumentError> {
    let word = root.any(name).and_then(Element::words).map(str::to_ascii_lowercase);
    match word.as_deref() {
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        _ => Err(DocumentError::Missing(name)),
    }
}

fn rings(root: &Element) -> Option<u32> {
    root.any("ringCount").and_then(Element::words)?.parse().ok()
}

fn forward_kind(root: &Element) -> Result<ForwardKind, DocumentError> {
    match root.any("forwardingType").and_then(Element::words) {
        Some("forwardImmediate") => Ok(ForwardKind::Always),
        Some("forwardBusy") => Ok(ForwardKind::Busy),
        Some("forwardNoAns") => Ok(ForwardKind::NoAnswer),
        _ => Err(DocumentError::Missing("forwardingType")),
    }
}

fn forward_word(kind: ForwardKind) -> &'static str {
    match kind {
        ForwardKind::Always => "forwardImmediate",
        ForwardKind::Busy => "forwardBusy",
        ForwardKind::NoAnswer => "forwardNoAns",
    }
}

fn requested_state(root: &Element) -> Result<AgentState, DocumentError> {
    match root.any("requestedAgentState").and_then(Element::words) {
        Some("loggedOn") => Ok(AgentState::LoggedOn),
        Some("loggedOff") => Ok(AgentState::LoggedOff),
        Some("ready") => Ok(AgentState::Ready),
        Some("notReady") => Ok(AgentState::NotReady),
        Some("workingAfterCall") => Ok(AgentState::WrapUp),
        _ => Err(DocumentError::Missing("requestedAgentState")),
    }
}

fn state_word(state: AgentState) -> &'static str {
    match state {
        AgentState::LoggedOn => "loggedOn",
        AgentState::LoggedOff => "loggedOff",
        AgentState::Ready => "ready",
        AgentState::NotReady => "notReady",
        AgentState::WrapUp => "workingAfterCall",
    }
}

/// Why an agent takes no calls: a code of the exchange, somewhere inside its private data.
fn reason(root: &Element) -> Option<String> {
    let data = root.any("extensions")?.any("privateData")?;
    let code = data.children.iter().find_map(|private| private.any("AgentNotReadyReasonValue"));
    let code = code.or_else(|| data.any("AgentNotReadyReasonValue"))?;
    code.words().map(str::to_owned)
}

fn write_reason(writer: &mut Writer, reason: Option<&String>) {
    let Some(reason) = reason else { return };
    writer.start("extensions").start("privateData").start("private");
    writer.with("xmlns:pri", PRIVATE_SPACE).leaf("pri:AgentNotReadyReasonValue", reason);
    writer.end().end().end();
}
