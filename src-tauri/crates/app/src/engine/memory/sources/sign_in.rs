//! Signing in to sources that are read with an account: a person is shown where, and what comes of it is kept until the source is.
//!
//! | state | event | next |
//! |---|---|---|
//! | going | [`SourceCommand::SignedIn`] | going, answered when it is over |
//! | going | somebody has signed in, or it came to nothing | over, whoever waits is answered |
//! | going, over | [`SourceCommand::SignInCancel`], too many others | gone |
//! | over | a source is kept with it | gone |

use std::sync::{Arc, Mutex, PoisonError};

use contact_sources::{Access, Prompt, SignedIn, SigningIn, SourceError, Way, Words};
use secrecy::SecretString;
use sip_core::Random;
use store::Secrets;
use tokio::sync::oneshot;
use tracing::{debug, info};

use super::super::super::Reply;
use super::super::super::desk::{Desk, rand_seed};
use super::super::super::screen_pop::browser;
use super::super::people::no_entry;
use super::form;
use super::secret_name;
use crate::code::Code;
use crate::control::{Answer, ErrorReply, SignInWay, SourceCommand, SourceForm};
use crate::view::sources::{SourceSignIn, SourceSignedIn};

/// Sign-ins at once, and of those that are over; the oldest gives way.
const MOST: usize = 8;
/// Longest words for the browser, characters.
const WORDS: usize = 500;

/// All sign-ins of this run.
#[derive(Default)]
pub(super) struct SignIns {
    last: u64,
    all: Vec<SignIn>,
}

struct SignIn {
    id: u64,
    /// Whom it is for.
    server: String,
    state: State,
}

enum State {
    /// It goes on until this is dropped.
    Going {
        _until: oneshot::Sender<()>,
        waiting: Vec<Reply>,
    },
    Over(Result<SignedIn, SourceError>),
}

impl SignIns {
    fn enter(&mut self, server: String, until: oneshot::Sender<()>) -> u64 {
        if self.all.len() >= MOST {
            self.all.remove(0).end();
        }
        self.last += 1;
        let state = State::Going { _until: until, waiting: Vec::new() };
        self.all.push(SignIn { id: self.last, server, state });
        self.last
    }

    fn get(&mut self, id: u64) -> Option<&mut SignIn> {
        self.all.iter_mut().find(|one| one.id == id)
    }

    /// What it has given is somewhere else now, or wanted no more.
    pub(super) fn forget(&mut self, id: Option<u64>) -> bool {
        let Some(at) = self.all.iter().position(|one| Some(one.id) == id) else { return false };
        self.all.remove(at).end();
        true
    }

    /// What a sign-in has given for this server.
    fn secret(&self, id: u64, server: &str) -> Option<SecretString> {
        let one = self.all.iter().find(|one| one.id == id && one.server == server)?;
        match &one.state {
            State::Over(Ok(signed_in)) => Some(signed_in.secret.clone()),
            State::Over(Err(_)) | State::Going { .. } => None,
        }
    }
}

impl SignIn {
    /// It is called off: whoever waits is told.
    fn end(self) {
        if let State::Going { waiting, .. } = self.state {
            let called_off = Err(SourceError::Declined);
            waiting.into_iter().for_each(|reply| reply(Ok(told(&called_off))));
        }
    }
}

fn told(outcome: &Result<SignedIn, SourceError>) -> Answer {
    Answer::SourceSignedIn(match outcome {
        Ok(signed_in) => SourceSignedIn {
            ok: true,
            account: Some(signed_in.account.clone()).filter(|account| !account.is_empty()),
            trouble: None,
            detail: None,
        },
        Err(error) => SourceSignedIn {
            ok: false,
            account: None,
            trouble: Some(form::trouble_of(error)),
            detail: Some(error.to_string()),
        },
    })
}

/// A secret that may be renewed while it is used. The new one goes to the keyring at once: the old one may be worth nothing
/// from then on, whatever becomes of the reading.
#[derive(Clone)]
pub(super) struct Held {
    keep: Option<(u64, Arc<Secrets>)>,
    renewed: Arc<Mutex<Option<SecretString>>>,
}

impl Held {
    /// `keep`: of which source, and where secrets are kept.
    pub(super) fn new(keep: Option<(u64, Arc<Secrets>)>) -> Held {
        Held { keep, renewed: Arc::default() }
    }

    /// What opens the source.
    pub(super) fn access(&self, secret: Option<SecretString>) -> Access {
        let held = self.clone();
        let renewed = Arc::new(move |secret: &SecretString| {
            if let Some((id, secrets)) = &held.keep {
                secrets.set(&secret_name(*id), secret);
            }
            *held.renewed.lock().unwrap_or_else(PoisonError::into_inner) = Some(secret.clone());
        });
        Access { secret, renewed }
    }

    fn take(&self) -> Option<SecretString> {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Desk {
    /// The secret that comes with a form: typed, or by a sign-in for the same server.
    pub(super) fn given_secret(&self, form: &SourceForm) -> Option<SecretString> {
        if !form.password.is_empty() {
            return Some(form.password.secret().clone());
        }
        self.feeds.sign_ins.secret(form.sign_in?, &form::server_of(&form.settings))
    }

    /// A server has given another secret in place of the one that was used.
    pub(super) fn secret_renewed(
        &mut self,
        source: Option<u64>,
        sign_in: Option<u64>,
        server: &str,
        held: &Held,
    ) {
        let Some(secret) = held.take() else { return };
        if let Some(feed) = source.and_then(|id| self.feeds.get(id))
            && form::server_of(&feed.settings) == server
        {
            feed.password = Some(secret);
        } else if let Some(one) = sign_in.and_then(|id| self.feeds.sign_ins.get(id))
            && one.server == server
            && let State::Over(Ok(signed_in)) = &mut one.state
        {
            signed_in.secret = secret;
        }
    }

    pub(super) fn ask_sign_in(&mut self, command: SourceCommand, reply: Reply) {
        match command {
            SourceCommand::SignIn { form, way, open, done, refused } => {
                self.begin_sign_in(form, way, open, Words { done, refused }, reply);
            }
            SourceCommand::SignedIn { sign_in } => match self.feeds.sign_ins.get(sign_in) {
                Some(one) => match &mut one.state {
                    State::Going { waiting, .. } => waiting.push(reply),
                    State::Over(outcome) => reply(Ok(told(outcome))),
                },
                None => reply(Err(no_entry())),
            },
            SourceCommand::SignInCancel { sign_in } => {
                match self.feeds.sign_ins.forget(Some(sign_in)) {
                    true => reply(Ok(Answer::done())),
                    false => reply(Err(no_entry())),
                }
            }
            _ => reply(Err(ErrorReply::new(Code::BadRequest, "that is no sign-in"))),
        }
    }

    fn begin_sign_in(
        &mut self,
        form: SourceForm,
        way: SignInWay,
        open: bool,
        words: Words,
        reply: Reply,
    ) {
        // What proves that an answer is ours must be another in every run.
        let random = Random::from_seed(rand_seed());
        let server = form::server_of(&form.settings);
        let cut = |text: String| text.chars().take(WORDS).collect();
        let words = Words { done: cut(words.done), refused: cut(words.refused) };
        let way = match way {
            SignInWay::Browser => Way::Browser,
            SignInWay::Code => Way::Device,
        };
        let work = async move {
            let settings = form.settings;
            let read = tokio::task::spawn_blocking(move || form::account_of(&settings)).await;
            let account = read.unwrap_or(Err(SourceError::Broken))?;
            let account = account.ok_or(SourceError::BadSetting("kind"))?;
            contact_sources::begin_sign_in(&account, way, words, random).await
        };
        self.later(work, move |desk, now, begun| match begun {
            Ok((prompt, going)) => {
                let page = prompt.page.clone();
                let answer = desk.enter_sign_in(server, prompt, going);
                if open {
                    let (program, arguments) = browser(page);
                    desk.start_program(now, &program, &arguments);
                }
                reply(Ok(answer));
            }
            Err(error) => reply(Err(ErrorReply::new(form::code_of(&error), error.to_string()))),
        });
    }

    fn enter_sign_in(&mut self, server: String, prompt: Prompt, going: SigningIn) -> Answer {
        let (until, called_off) = oneshot::channel::<()>();
        let id = self.feeds.sign_ins.enter(server, until);
        info!(id, "somebody begins to sign in");
        let work = async move {
            tokio::select! {
                outcome = going => outcome,
                _ = called_off => Err(SourceError::Declined),
            }
        };
        self.later(work, move |desk, _, outcome| desk.signed_in(id, outcome));
        Answer::SourceSignIn(Box::new(SourceSignIn {
            sign_in: id,
            page: prompt.page,
            code: prompt.code,
            seconds: prompt.lasts.as_secs(),
        }))
    }

    fn signed_in(&mut self, id: u64, outcome: Result<SignedIn, SourceError>) {
        let Some(one) = self.feeds.sign_ins.get(id) else { return };
        match &outcome {
            Ok(_) => info!(id, "sign-in: going -> over"),
            Err(error) => debug!(id, %error, "sign-in: going -> over"),
        }
        let answer = told(&outcome);
        let before = std::mem::replace(&mut one.state, State::Over(outcome));
        if let State::Going { waiting, .. } = before {
            waiting.into_iter().for_each(|reply| reply(Ok(answer.clone())));
        }
    }
}
