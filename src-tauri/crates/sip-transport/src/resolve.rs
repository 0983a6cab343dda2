//! Server location as the owner sees it: [`locate`](crate::locate) fed with answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sip_core::Random;
use sip_types::Uri;
use thiserror::Error;

use crate::ask::Asker;
use crate::locate::{self, Answer, Answers, Cache, Destination, Found, Question, Step};

/// NAPTR, SRV, addresses: more rounds of questions there cannot be.
const ROUNDS: usize = 4;

/// The longest wait for one answer, whatever the number of name servers.
const PATIENCE: Duration = Duration::from_secs(6);

/// The longest wait when an old answer can stand in.
const PATIENCE_WITH_ANSWER: Duration = Duration::from_millis(1500);

/// Why a URI leads nowhere. Cloneable, so that it can travel to the user agent as data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// The URI has no host, or is no SIP URI.
    #[error("{0} has no host to send to")]
    NoHost(String),
    /// There is no such name, or it has no address.
    #[error("the name {0} does not exist")]
    UnknownName(String),
    /// The domain says that it offers no SIP (RFC 2782, a target of ".").
    #[error("{0} does not offer SIP")]
    NotOffered(String),
    /// The name service did not answer.
    #[error("the name {name} could not be looked up: {reason}")]
    NameService {
        /// The name.
        name: String,
        /// What went wrong.
        reason: String,
    },
    /// No network interface leads there.
    #[error("there is no route to {0}")]
    NoRoute(String),
    /// The transport is one we do not speak.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// The server is already connected, and its certificate does not vouch for this name.
    #[error("the server of {0} has proved to be another one")]
    OtherIdentity(String),
}

/// Finds targets, and remembers what the name service said.
#[derive(Debug)]
pub(crate) struct Resolver {
    asker: Asker,
    cache: Mutex<Cache>,
    random: Mutex<Random>,
}

impl Resolver {
    pub(crate) fn new(asker: Asker, random: Random) -> Self {
        Self { asker, cache: Mutex::default(), random: Mutex::new(random) }
    }

    /// The targets of a URI in the order to try them; never empty.
    pub(crate) async fn find(&self, destination: &Destination) -> Result<Vec<Found>, ResolveError> {
        let mut answers = Answers::new();
        for _ in 0..ROUNDS {
            let step = {
                let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
                locate::locate(destination, &answers, &mut random)
            };
            match step {
                Step::Done(found) => return Ok(found),
                Step::Failed(error) => return Err(error),
                Step::Ask(questions) => {
                    let asking = questions.iter().map(|question| self.ask(question));
                    let told = join_all(asking).await;
                    answers.extend(questions.into_iter().zip(told));
                }
            }
        }
        Err(ResolveError::UnknownName(destination.identity.to_string()))
    }

    /// The present network's name service may say something else than the last one's.
    pub(crate) fn network_changed(&self) {
        self.cache().expire(now());
    }

    async fn ask(&self, question: &Question) -> Answer {
        let (known, old, failed_lately) = {
            let (cache, now) = (self.cache(), now());
            (cache.fresh(now, question), cache.stand_in(now, question), cache.failed_lately(now))
        };
        let longest = if old.is_some() { PATIENCE_WITH_ANSWER } else { PATIENCE };
        if let Some(answer) = known.or(old.filter(|_| failed_lately)) {
            return answer;
        }
        let asked = tokio::time::timeout(longest, self.asker.ask(question)).await;
        let (answer, ttl) =
            asked.unwrap_or_else(|_| (Answer::Failed("no name server answers".to_owned()), NO_TTL));
        tracing::debug!("asked {question:?}: {answer:?} for {} s", ttl.as_secs());
        self.cache().keep(now(), question, answer, ttl)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A shared resolver, so that looking up does not hold on to the transport.
pub(crate) type SharedResolver = Arc<Resolver>;

/// Looks a URI's targets up.
pub(crate) async fn targets(
    resolver: &Resolver,
    uri: &Uri,
) -> Result<(Destination, Vec<Found>), ResolveError> {
    let destination = Destination::of(uri)?;
    let found = resolver.find(&destination).await?;
    Ok((destination, found))
}

/// The runtime's clock.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// How long an answer without a time to live serves.
pub(crate) const NO_TTL: Duration = Duration::ZERO;
