//! `application/x-broadworks-hoteling+xml`: which guest has a telephone. The telephone asks for a guest, or for none, in a
//! SUBSCRIBE to `x-broadworks-hoteling`, and is told in a NOTIFY who it is, or what it must prove first.

use crate::{
    DocumentError,
    xml::{Element, Writer, read_any},
};

const SPACE: &str = "http://schema.broadsoft.com/hoteling";
const SET: &str = "SetHoteling";
const EVENT: &str = "HotelingEvent";
/// The only algorithm there is; nothing said means it too.
const ALGORITHM: &str = "MD5";

/// What a telephone asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetHoteling {
    /// Address of the guest; `None`: nobody shall have it any more.
    pub guest: Option<String>,
    /// That the guest agrees, once it was asked for: the nonce, and the MD5 of nonce, colon and secret in hexadecimal.
    pub proof: Option<(String, String)>,
}

/// How it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HotelingEvent {
    /// Address of the guest; `None`: nobody has it.
    pub guest: Option<String>,
    /// For how long he has it, seconds.
    pub expires: Option<u32>,
    /// What the proof is to be made of, where one is wanted.
    pub nonce: Option<String>,
}

impl SetHoteling {
    /// Reads what a telephone asks for. The namespace is not asked for.
    ///
    /// # Errors
    /// When it is not well-formed, too large or something else, says nothing of a guest, or holds a proof that lacks a
    /// part or is made in a way nobody knows.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let root = of_kind(bytes, SET)?;
        let data = authentication(&root)?;
        let proof =
            data.map(|data| Ok((needed(data, "nonce")?, needed(data, "response")?))).transpose()?;
        Ok(Self { guest: guest(&root)?, proof })
    }

    /// The document.
    #[must_use]
    pub fn write(&self) -> String {
        let mut writer = begun(SET, self.guest.as_deref());
        if let Some((nonce, response)) = &self.proof {
            writer.start("authenticationData").leaf("nonce", nonce).leaf("algorithm", ALGORITHM);
            writer.leaf("response", response).end();
        }
        writer.finish()
    }
}

impl HotelingEvent {
    /// Reads how it stands. The namespace is not asked for, nor the order.
    ///
    /// # Errors
    /// When it is not well-formed, too large or something else, says nothing of a guest, or wants a proof of a kind nobody
    /// knows.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let root = of_kind(bytes, EVENT)?;
        let nonce = authentication(&root)?.map(|data| needed(data, "nonce")).transpose()?;
        let expires = root.any("expires").and_then(Element::words);
        Ok(Self {
            guest: guest(&root)?,
            expires: expires.and_then(|text| text.parse().ok()),
            nonce,
        })
    }

    /// The document.
    #[must_use]
    pub fn write(&self) -> String {
        let mut writer = begun(EVENT, self.guest.as_deref());
        writer.leaf_some("expires", self.expires);
        if let Some(nonce) = &self.nonce {
            writer.start("authenticationData").leaf("nonce", nonce).leaf("algorithm", ALGORITHM);
            writer.end();
        }
        writer.finish()
    }
}

fn of_kind(bytes: &[u8], name: &str) -> Result<Element, DocumentError> {
    let root = read_any(bytes)?;
    if root.name == name { Ok(root) } else { Err(DocumentError::OtherKind) }
}

fn guest(root: &Element) -> Result<Option<String>, DocumentError> {
    let guest = root.any("guestAddress").ok_or(DocumentError::Missing("guestAddress"))?;
    Ok(guest.words().map(str::to_owned))
}

fn authentication(root: &Element) -> Result<Option<&Element>, DocumentError> {
    let Some(data) = root.any("authenticationData") else { return Ok(None) };
    match data.any("algorithm").and_then(Element::words) {
        Some(algorithm) if !algorithm.eq_ignore_ascii_case(ALGORITHM) => {
            Err(DocumentError::Missing("algorithm"))
        }
        _ => Ok(Some(data)),
    }
}

fn needed(data: &Element, name: &'static str) -> Result<String, DocumentError> {
    let words = data.any(name).and_then(Element::words);
    words.map(str::to_owned).ok_or(DocumentError::Missing(name))
}

fn begun(root: &'static str, guest: Option<&str>) -> Writer {
    let mut writer = Writer::new();
    writer.start(root).with("xmlns", SPACE).leaf("guestAddress", guest.unwrap_or_default());
    writer
}
