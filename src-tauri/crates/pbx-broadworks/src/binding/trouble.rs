//! Why the view of the exchange is not there: the last failure of a reading and of the channel, as the model is
//! told it. No state machine: the link's state is decided by its owner.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pbx::centre::{Input, LinkFault, LinkState};
use tokio::time::Instant;

use crate::{ErrorInfo, HttpFailure, XsiError};

/// One failure.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure {
    fault: LinkFault,
    detail: String,
    again: Instant,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// Of the first reading.
    reading: Option<Failure>,
    /// Of the channel.
    channel: Option<Failure>,
    /// What was said when the credentials were refused.
    refusal: Option<String>,
    /// For which state what was told last.
    told: Option<(LinkState, Option<Failure>)>,
}

impl Trouble {
    /// A first reading has failed; another one begins `again`.
    pub(super) fn reading(&mut self, error: &XsiError, again: Instant) {
        self.reading = Some(failure(error, again));
    }

    /// The credentials were refused with these words.
    pub(super) fn refused(&mut self, info: &ErrorInfo) {
        self.refusal = Some(info.words().to_owned()).filter(|words| !words.is_empty());
    }

    /// The first reading is complete.
    pub(super) fn read(&mut self) {
        self.reading = None;
    }

    /// There is no channel; another one is opened `again`.
    pub(super) fn channel(&mut self, error: &XsiError, again: Instant) {
        self.channel = Some(failure(error, again));
    }

    /// The first reading has failed.
    pub(super) fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// The exchange knows the user and lets him do nothing.
    pub(super) fn is_shut_out(&self) -> bool {
        self.reading.as_ref().is_some_and(|failure| failure.fault == LinkFault::Forbidden)
    }

    /// What the model is to be told of a link in this state; nothing where that was told.
    pub(super) fn told(&mut self, link: LinkState, now: Instant) -> Vec<Input> {
        let holds = match link {
            LinkState::Refused if self.is_shut_out() => self.reading.clone(),
            LinkState::Refused => {
                let (fault, usual) = described(&XsiError::CredentialsRefused);
                let detail = self.refusal.clone().unwrap_or(usual);
                // It is told once, so its time must not differ from one look to the next.
                let before = self.told.as_ref().and_then(|(_, failure)| failure.as_ref());
                let again = before.map_or(now, |failure| failure.again);
                Some(Failure { fault, detail, again })
            }
            LinkState::Lost => self.reading.clone().or_else(|| self.channel.clone()),
            _ => None,
        };
        if matches!(link, LinkState::Live | LinkState::Polling) {
            self.channel = None;
        }
        if self.told.as_ref() == Some(&(link, holds.clone())) {
            return Vec::new();
        }
        self.told = Some((link, holds.clone()));
        let Some(Failure { fault, detail, again }) = holds else { return Vec::new() };
        let mut told = vec![Input::LinkFault { fault, detail }];
        if link == LinkState::Lost {
            told.push(Input::RetryAt(wall_clock(again.saturating_duration_since(now))));
        }
        told
    }
}

/// Milliseconds since the Unix epoch, so long from now.
#[expect(clippy::disallowed_methods, reason = "people are told the time of the next try")]
fn wall_clock(ahead: Duration) -> u64 {
    let at = SystemTime::now() + ahead;
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn failure(error: &XsiError, again: Instant) -> Failure {
    let (fault, detail) = described(error);
    Failure { fault, detail, again }
}

/// The words are those of the exchange where it has said some.
fn described(error: &XsiError) -> (LinkFault, String) {
    let fault = match error {
        XsiError::CredentialsRefused | XsiError::NotSignedIn => LinkFault::Credentials,
        XsiError::Forbidden(_) => LinkFault::Forbidden,
        XsiError::Overloaded { .. } | XsiError::Expired | XsiError::Full => LinkFault::Overloaded,
        XsiError::Http(HttpFailure::Unreachable) => LinkFault::Unreachable,
        XsiError::Http(HttpFailure::Tls(_)) => LinkFault::Untrusted,
        XsiError::Http(HttpFailure::Timeout) => LinkFault::Timeout,
        XsiError::Http(HttpFailure::Broken) | XsiError::Closed => LinkFault::Broken,
        XsiError::Http(HttpFailure::TooLarge)
        | XsiError::NotFound(_)
        | XsiError::Refused { .. }
        | XsiError::Document(_)
        | XsiError::BadValue(_)
        | XsiError::NotInRelease => LinkFault::Answer,
    };
    let detail = match error {
        XsiError::Forbidden(info) if !info.words().is_empty() => info.words().to_owned(),
        other => other.to_string(),
    };
    (fault, detail)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pbx::centre::{Input, LinkFault, LinkState};
    use tokio::time::Instant;

    use super::Trouble;
    use crate::{DocumentError, ErrorInfo, HttpFailure, XsiError};

    fn fault(told: &[Input]) -> Option<(LinkFault, &str)> {
        match told.first()? {
            Input::LinkFault { fault, detail } => Some((*fault, detail.as_str())),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_reason_is_told_once_and_with_the_next_try() {
        let now = Instant::now();
        let page = XsiError::Document(DocumentError::WebPage);
        let mut trouble = Trouble::default();
        trouble.reading(&page, now + Duration::from_secs(5));
        let told = trouble.told(LinkState::Lost, now);
        assert_eq!(fault(&told).map(|(fault, _)| fault), Some(LinkFault::Answer));
        assert!(fault(&told).is_some_and(|(_, words)| words.contains("web page")));
        assert!(matches!(told.as_slice(), [_, Input::RetryAt(_)]));
        assert!(trouble.told(LinkState::Lost, now).is_empty());
        trouble.read();
        assert!(trouble.told(LinkState::Live, now).is_empty());
        trouble.channel(&XsiError::Http(HttpFailure::Broken), now);
        let told = trouble.told(LinkState::Lost, now);
        assert_eq!(fault(&told).map(|(fault, _)| fault), Some(LinkFault::Broken));
    }

    #[tokio::test]
    async fn an_account_that_may_do_nothing_says_so_in_the_words_of_the_exchange() {
        let now = Instant::now();
        let summary = "[Error 7] Wachtwoord verlopen".to_owned();
        let info = ErrorInfo { code: 7, summary, summary_english: String::new() };
        let mut trouble = Trouble::default();
        trouble.reading(&XsiError::Forbidden(info), now);
        assert!(trouble.is_shut_out());
        let told = trouble.told(LinkState::Refused, now);
        assert_eq!(fault(&told), Some((LinkFault::Forbidden, "Wachtwoord verlopen")));
        assert_eq!(told.len(), 1, "nothing is tried soon");
        let mut wrong = Trouble::default();
        let told = wrong.told(LinkState::Refused, now);
        assert_eq!(fault(&told).map(|(fault, _)| fault), Some(LinkFault::Credentials));
        assert!(wrong.told(LinkState::Refused, now + Duration::from_secs(9)).is_empty());
        let summary = "Het wachtwoord is verlopen".to_owned();
        wrong.refused(&ErrorInfo { summary, ..ErrorInfo::default() });
        let told = wrong.told(LinkState::Refused, now);
        assert_eq!(fault(&told), Some((LinkFault::Credentials, "Het wachtwoord is verlopen")));
    }
}
