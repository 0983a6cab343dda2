//! Why a source could not be read, in plain kinds: whoever shows them finds the words.

use std::time::Duration;

/// What a server made grow too far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Excess {
    /// Contacts.
    Records,
    /// Address books.
    Books,
    /// Parts of one list, or parts that lead nowhere.
    Pages,
    /// Bytes.
    Bytes,
    /// Redirections.
    Redirects,
    /// Nesting of a document.
    Depth,
    /// Time.
    Time,
}

/// Why a source could not be read. No kind holds anything secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The address that was filled in is none.
    #[error("that is no address of a server")]
    BadAddress,
    /// A setting cannot be used: the filter, the attributes, the certificate file.
    #[error("{0} cannot be used")]
    BadSetting(&'static str),
    /// The name of the server is not known.
    #[error("the name of the server cannot be found")]
    UnknownHost,
    /// Nothing listens there.
    #[error("the server cannot be reached")]
    Unreachable,
    /// The server did not prove who it is.
    #[error("no safe connection: {0}")]
    Tls(String),
    /// No answer in time.
    #[error("the server did not answer in time")]
    Timeout,
    /// The connection broke in the middle.
    #[error("the connection broke")]
    Broken,
    /// User name or password are wrong. It must not be tried again by itself: accounts get locked.
    #[error("the server refuses the user name or the password")]
    Refused,
    /// The server wants a way of signing in that there is not here.
    #[error("the server wants another way of signing in")]
    AuthMethod,
    /// Nobody is signed in any more: the sign-in has run out or was withdrawn.
    #[error("somebody must sign in again")]
    SignIn,
    /// The organisation must allow it first.
    #[error("an administrator of the organisation must allow this program to read it")]
    Consent,
    /// The person has said no.
    #[error("the sign-in was declined")]
    Declined,
    /// Signed in, and not allowed.
    #[error("the server does not allow this")]
    Forbidden,
    /// There is no such thing on the server.
    #[error("there is nothing at this address")]
    NotFound,
    /// Whatever answers there, it is no source of contacts.
    #[error("there is no address book at this address")]
    NotASource,
    /// The server sends us to somebody who must not get the password.
    #[error("the server sends us to another server")]
    Elsewhere,
    /// The server has too much to do.
    #[error("the server is overloaded")]
    Overloaded {
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The server failed, in its own number.
    #[error("the server reports error {0}")]
    Server(u32),
    /// What it says cannot be understood.
    #[error("the answer of the server cannot be understood")]
    Malformed,
    /// More than is taken.
    #[error("the server sends more than is taken")]
    Excess(Excess),
    /// Contacts cannot be added there.
    #[error("contacts cannot be added there")]
    ReadOnly,
}

impl SourceError {
    /// Trying again changes nothing until a person has changed something.
    pub fn needs_a_person(&self) -> bool {
        matches!(
            self,
            Self::BadAddress
                | Self::BadSetting(_)
                | Self::Refused
                | Self::AuthMethod
                | Self::SignIn
                | Self::Consent
                | Self::Declined
        )
    }

    /// What the server wants to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_after } => *retry_after,
            _ => None,
        }
    }
}
