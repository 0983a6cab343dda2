//! Reading and writing session descriptions (RFC 8866).

use crate::error::ParseError;

/// A session description, read kindly and written strictly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDescription {
    pub(crate) session: sdp_types::Session,
}

impl SessionDescription {
    /// Reads a description.
    ///
    /// # Errors
    /// When not even `v=0` or a usable first line is there.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let session = sdp_types::Session::parse(bytes)
            .map_err(|error| ParseError { reason: error.to_string() })?;
        Ok(Self { session })
    }

    /// The description as bytes: CRLF lines, all mandatory lines present.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = self.session.write(&mut bytes);
        bytes
    }
}
