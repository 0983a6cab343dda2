//! `application/x-broadworks-callpark-info+xml`: who is parked at a line, told to its telephone in a subscription to
//! `call-info`.

use crate::{
    DocumentError,
    xml::{Writer, read_any},
};

const ROOT: &str = "x-broadworks-callpark-info";
const SPACE: &str = "http://schema.broadsoft.com/callpark";

/// Who is parked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParkedIdentity {
    /// Name.
    pub display: Option<String>,
    /// Address.
    pub uri: String,
}

/// Reads who is parked; `None`: nobody. The namespace is not asked for.
///
/// # Errors
/// When it is not well-formed, too large or something else, or does not say whether anybody is parked.
pub fn read_call_park(bytes: &[u8]) -> Result<Option<ParkedIdentity>, DocumentError> {
    let root = read_any(bytes)?;
    if root.name != ROOT {
        return Err(DocumentError::OtherKind);
    }
    let park = root.any("callpark").ok_or(DocumentError::Missing("callpark"))?;
    let Some(parked) = park.any("parked") else { return Ok(None) };
    let identity = parked.any("identity").ok_or(DocumentError::Missing("identity"))?;
    Ok(Some(ParkedIdentity {
        display: identity.attribute_text("display"),
        uri: identity.words().unwrap_or_default().to_owned(),
    }))
}

/// The document.
#[must_use]
pub fn write_call_park(parked: Option<&ParkedIdentity>) -> String {
    let mut writer = Writer::new();
    writer.start(ROOT).with("xmlns", SPACE).start("callpark");
    if let Some(parked) = parked {
        writer.start("parked").start("identity");
        writer.with_some("display", parked.display.as_ref()).words(&parked.uri).end().end();
    }
    writer.end();
    writer.finish()
}
