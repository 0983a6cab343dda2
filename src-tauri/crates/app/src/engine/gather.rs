//! The ways to a call's sound: other addresses of this machine, what the account's STUN server sees, places on its
//! relays. Looked for before an offer or while a call rings; an answer that comes earlier waits for them.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use call_control::CallId;
use media::{Plan, RelayLogin, RelayServer, StreamId};
use sdp::Candidate;
use secrecy::SecretString;
use sip_types::Uri;
use tokio::task::spawn_blocking;
use tracing::{debug, warn};

use super::Reply;
use super::accounts::{anchors, unknown_account};
use super::desk::Desk;
use crate::config::{AccountSettings, Turn};
use crate::control::Password;

/// Further addresses that are told of.
const MOST_OTHERS: usize = 6;
/// How long the servers' names may take.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What an answer was to be when it had to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// The call is answered.
    Accept,
    /// Sound before the answer.
    Progress,
}

/// Where a server is, once its name service has answered.
type Addresses = Pin<Box<dyn Future<Output = Vec<SocketAddr>> + Send>>;

impl Desk {
    /// Looks for the ways to the call's sound, where the call uses checks, and goes on when they are found or given up;
    /// not at all when the call has other sockets by then. False: there is nothing to look for.
    pub(super) fn gather(
        &mut self,
        id: CallId,
        then: impl FnOnce(&mut Desk, Instant) + Send + 'static,
    ) -> bool {
        let bind = self.settings.config.network.bind;
        let Some(line) = self.lines.get_mut(&id).filter(|line| line.ice) else { return false };
        let Some(media) = line.media.as_ref() else { return false };
        let (stream, own) = (media.stream, media.local.addr);
        let here = SocketAddr::new(own, media.local.rtp_port);
        let mut others = match bind.is_unspecified() && !own.is_loopback() {
            true => network_watch::addresses(),
            false => Vec::new(),
        };
        others.retain(|other| *other != own);
        others.truncate(MOST_OTHERS);
        let (stun, relays, account) =
            (line.stun.clone(), line.relays.clone(), line.account.clone());
        let account = self.account(&account);
        let login = account.and_then(|account| account.relay_login());
        let relays = if login.is_some() { relays } else { Vec::new() };
        if others.is_empty() && stun.is_none() && relays.is_empty() {
            return false;
        }
        let anchors =
            account.and_then(|account| anchors(&account.settings).ok()).unwrap_or_default();
        let stun = stun.map(|server| self.addresses(&server));
        let relays: Vec<_> =
            relays.into_iter().map(|turn| (self.addresses(&turn.uri), turn)).collect();
        let located = async move {
            let mut plan = Plan { here, others, stun: Vec::new(), relays: Vec::new() };
            if let Some(located) = stun {
                plan.stun = located.await;
            }
            for (located, turn) in relays {
                let address = located.await.first().copied();
                if let Some((address, login)) = address.zip(login.clone()) {
                    let Turn { carrier, name, .. } = turn;
                    plan.relays.push(RelayServer { address, carrier, name, login });
                }
            }
            plan
        };
        if let Some(line) = self.lines.get_mut(&id) {
            line.gathering = Some(stream);
        }
        let alone = Plan { here, others: Vec::new(), stun: Vec::new(), relays: Vec::new() };
        // A caller waits: a name service that is silent costs no more than servers that are.
        let located = async move { tokio::time::timeout(PATIENCE, located).await.unwrap_or(alone) };
        self.later(located, move |desk, _, plan| {
            let found = desk.sounds.engine.gather(stream, plan, &anchors);
            desk.later(found, move |desk, now, found| {
                debug!(call = id.0, ways = found.len(), "ways were looked for");
                desk.found(id, stream, found);
                if desk.stream(id) == Some(stream) {
                    then(desk, now);
                    desk.answer_that_waits(now, id);
                }
            });
        });
        true
    }

    fn addresses(&self, server: &Uri) -> Addresses {
        let routes = self.transport.resolve(server);
        Box::pin(async move {
            let routes = routes.await.unwrap_or_default();
            routes.into_iter().map(|route| route.target.addr).collect()
        })
    }

    /// Puts what was found into what the next description tells.
    fn found(&mut self, id: CallId, stream: StreamId, found: Vec<Candidate>) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        if line.gathering == Some(stream) {
            line.gathering = None;
        }
        let media = line.media.as_mut().filter(|media| media.stream == stream);
        if let Some(ice) = media.and_then(|media| media.local.ice.as_mut())
            && !found.is_empty()
        {
            ice.candidates = found;
        }
    }

    /// Whether an answer must wait because the ways are still looked for.
    pub(super) fn must_wait(&mut self, id: CallId, waits: Waits) -> bool {
        let Some(line) = self.lines.get_mut(&id) else { return false };
        let gathering = line.gathering.is_some() && line.gathering == line.stream();
        if gathering {
            line.waits = Some(waits);
        }
        gathering
    }

    fn answer_that_waits(&mut self, now: Instant, id: CallId) {
        let waits = self.lines.get_mut(&id).and_then(|line| line.waits.take());
        let over = self.calls.get(id).is_none_or(|call| call.end().is_some());
        let done = match waits.filter(|_| !over) {
            Some(Waits::Accept) => self.accept(now, id),
            Some(Waits::Progress) => self.progress(now, id),
            None => Ok(()),
        };
        if let Err(error) = done {
            self.fail_call(now, id, error.code(), &error.to_string());
        }
    }

    // --- the relays' password ---

    /// Finds the password of an account's relays, wherever it is.
    pub(super) fn begin_relays(&mut self, settings: &AccountSettings) {
        if settings.turn.first().is_empty() {
            return;
        }
        let from_env = || std::env::var(&settings.turn_password_env).ok().map(SecretString::from);
        let known = settings.turn_password.get().or_else(from_env);
        let id = settings.id.clone();
        if known.is_some() || !settings.turn_keyring {
            if known.is_none() {
                warn!(account = %id, "the relays have no password: they are not used");
            }
            return self.know_relays(&id, known);
        }
        let (secrets, name) = (self.settings.secrets.clone(), relay_secret(&id));
        let work = spawn_blocking(move || secrets.get(&name).ok().flatten());
        self.later(work, move |desk, _, found| {
            // One that was typed meanwhile counts.
            if desk.account(&id).is_some_and(|account| account.relay_password.is_none()) {
                desk.know_relays(&id, found.ok().flatten());
            }
        });
    }

    /// What a filled-in form says of an account's relays: a password for them is used from the next call on and kept, and the one
    /// of relays that are no more is not used.
    pub(super) fn keep_relays(&mut self, settings: &AccountSettings, typed: Option<SecretString>) {
        let id = &settings.id;
        let account = self.accounts.iter_mut().find(|account| account.settings.id == *id);
        let Some(account) = account else { return };
        if settings.turn.first().is_empty() {
            account.relay_password = None;
        } else if let Some(secret) = typed {
            account.relay_password = Some(secret.clone());
            self.keep_secret(relay_secret(id), secret, |_, _| {});
        } else if account.relay_password.is_none() {
            self.begin_relays(settings);
        }
    }

    fn know_relays(&mut self, id: &str, password: Option<SecretString>) {
        let account = self.accounts.iter_mut().find(|account| account.settings.id == id);
        if let (Some(account), Some(password)) = (account, password) {
            account.relay_password = Some(password);
        }
    }

    /// A password for the relays of an account: used from the next call on, and kept where passwords are kept.
    pub(super) fn set_relay_password(
        &mut self,
        now: Instant,
        id: &str,
        password: &Password,
        reply: Reply,
    ) {
        if self.account(id).is_none() {
            return reply(Err(unknown_account(id)));
        }
        let secret = password.secret().clone();
        self.know_relays(id, Some(secret.clone()));
        let mark = AccountSettings::keep_relay_password;
        self.keep_given_secret(now, id, mark, (relay_secret(id), secret), reply);
    }
}

/// Who an account is at its relays.
pub(super) fn login(settings: &AccountSettings, password: &SecretString) -> RelayLogin {
    RelayLogin::new(settings.turn_user.clone(), password.clone())
}

/// Name of the password in the keyring, beside the one of the account itself.
pub(super) fn relay_secret(account: &str) -> String {
    format!("{account} relay")
}
