//! Why a document cannot be read.

/// A document that is not what it should be. What it holds is not in here: it comes from strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is no well-formed XML, or it declares entities or a document type.
    #[error("the document is not well-formed")]
    Malformed,
    /// It holds more than [`crate::limits`] allow.
    #[error("the document is too large")]
    TooLarge,
    /// Its root, or its media type, is another one.
    #[error("the document is of another kind")]
    OtherKind,
    /// Something it cannot do without is missing.
    #[error("the document lacks its {0}")]
    Missing(&'static str),
}
