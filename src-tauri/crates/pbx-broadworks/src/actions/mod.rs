//! Everything that is asked of Xsi-Actions (reference, section 3), as values: a request and how its answer
//! is read.

mod call_center;
mod calls;
mod device;
mod directory;
mod profile;
mod schedule;
mod service;

pub use calls::{ConferenceVerb, ParticipantVerb, RecordingVerb, SupervisionVerb};
pub use directory::Search;

use crate::{Action, HttpRequest, Method, Path, Release, XsiError, wire::CallStarted};

/// What an action costs to build: the user and what the release can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actions {
    user: String,
    release: Release,
}

/// An action, or why it cannot be asked for.
pub type Built<T> = Result<Action<T>, XsiError>;

impl Actions {
    /// Actions for this user, `user@domain`.
    ///
    /// # Errors
    /// [`XsiError::BadValue`]: this is no user id.
    pub fn new(user: &str, release: Release) -> Result<Self, XsiError> {
        Path::new("user").part(user)?;
        Ok(Self { user: user.to_owned(), release })
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What the server can do.
    pub fn release(&self) -> Release {
        self.release
    }

    /// The same for another user: a supervisor's for an agent.
    ///
    /// # Errors
    /// [`XsiError::BadValue`]: this is no user id.
    pub fn of(&self, user: &str) -> Result<Self, XsiError> {
        Self::new(user, self.release)
    }

    /// The path of the user's `words`.
    fn path(&self, words: &'static str) -> Result<Path, XsiError> {
        Ok(Path::new("user").part(&self.user)?.word(words))
    }

    fn request(&self, method: Method, words: &'static str) -> Result<HttpRequest, XsiError> {
        Ok(HttpRequest::action(method, self.path(words)?))
    }
}

/// An action whose answer says nothing.
fn done(request: HttpRequest) -> Action<()> {
    Action::new(request, |_| Ok(()))
}

/// An action that begins a call.
fn starts(request: HttpRequest) -> Action<CallStarted> {
    Action::new(request, |reply| {
        Ok(CallStarted::read(reply.document.as_ref(), reply.location.as_deref()))
    })
}

/// A user id with its domain: without one the default domain is added (reference, section 2).
pub fn full_user(user: &str, domain: &str) -> String {
    let user = user.trim();
    if user.contains('@') || domain.is_empty() {
        user.to_owned()
    } else {
        format!("{user}@{domain}")
    }
}

#[cfg(test)]
mod tests;
