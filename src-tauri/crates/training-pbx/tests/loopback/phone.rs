//! A telephone for tests: a user agent on real sockets.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use sip_core::Random;
use sip_core::digest::Credentials;
use sip_transport::{Incoming, Transport, TransportConfig};
use sip_types::{Method, Response, StatusCode, Uri};
use sip_ua::{
    AcceptFrom, AccountConfig, AccountId, Body, Config, Event, Input, OutgoingCall, Output,
    ResolveError, SessionId, UserAgent,
};
use tokio::sync::mpsc;
use training_pbx::ReadyAccount;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The telephone.
pub(crate) struct Phone {
    pub(crate) ua: UserAgent,
    account: AccountId,
    calls: Vec<SessionId>,
    transport: Transport,
    incoming: mpsc::Receiver<Incoming>,
}

pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "real sockets run in real time")]
    Instant::now()
}

impl Phone {
    /// A telephone that begins to register over `transport` ("udp" or "tcp").
    pub(crate) async fn start(account: &ReadyAccount, password: &str, transport: &str) -> Self {
        let config = TransportConfig { bind: [127, 0, 0, 1].into(), ..TransportConfig::default() };
        let (sockets, incoming) = Transport::bind(config).await.unwrap();
        // The whole port: two telephones of one test must not share their branches and Call-IDs.
        let [high, low] = sockets.port().to_be_bytes();
        let mut seed = [high; 32];
        seed[0] = low;
        let settings = Config { pass_through: [Method::Notify].into(), ..Config::default() };
        let mut ua = UserAgent::new(settings, Random::from_seed(seed));
        let (_, host) = account.aor.split_once('@').unwrap();
        let registrar = Uri::parse(&format!("sip:{host};transport={transport}")).unwrap();
        let credentials = Credentials {
            username: account.auth_user.clone(),
            password: SecretString::from(password.to_owned()),
        };
        let config = AccountConfig {
            credentials: Some(credentials),
            accept_from: AcceptFrom::Any,
            ..AccountConfig::new(Uri::parse(&account.aor).unwrap(), registrar)
        };
        let account = ua.add_account(now(), config);
        Self { ua, account, calls: Vec::new(), transport: sockets, incoming }
    }

    /// Calls a number at the registrar.
    pub(crate) fn call(&mut self, aor: &str, number: &str, offer: &str) -> SessionId {
        let (_, host) = aor.split_once('@').unwrap();
        let to = Uri::parse(&format!("sip:{number}@{host}")).unwrap();
        let call = OutgoingCall::new(to, Some(Body::sdp(offer)));
        let session = self.ua.invite(now(), self.account, call).unwrap();
        self.calls.push(session);
        session
    }

    /// Ends all calls it has made.
    pub(crate) fn hang_up_all(&mut self) {
        for session in self.calls.drain(..) {
            self.ua.hangup(now(), session).unwrap();
        }
    }

    /// Runs for a while.
    pub(crate) async fn idle(&mut self, time: Duration) {
        let end = now() + time;
        loop {
            while let Some(output) = self.ua.poll_output() {
                self.carry_out(output).await;
            }
            let wake = self.ua.poll_timeout().map_or(end, |at| at.min(end));
            match tokio::time::timeout_at(wake.into(), self.incoming.recv()).await {
                Ok(message) => self.ua.handle_input(now(), input(message.unwrap())),
                Err(_) if now() >= end => return,
                Err(_) => self.ua.handle_timeout(now()),
            }
        }
    }

    /// Runs until an event is wanted; panics after [`PATIENCE`].
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&Event) -> Option<T>,
    ) -> T {
        let search = async {
            loop {
                while let Some(output) = self.ua.poll_output() {
                    if let Some(event) = self.carry_out(output).await
                        && let Some(found) = wanted(&event)
                    {
                        return found;
                    }
                }
                let wake = self.ua.poll_timeout().unwrap_or_else(|| now() + PATIENCE);
                let woken = tokio::time::timeout_at(wake.into(), self.incoming.recv()).await;
                match woken {
                    Ok(message) => self.ua.handle_input(now(), input(message.unwrap())),
                    Err(_) => self.ua.handle_timeout(now()),
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("no {what}"))
    }

    async fn carry_out(&mut self, output: Output) -> Option<Event> {
        match output {
            Output::Transmit(transmit) => self.transport.send(transmit),
            Output::Resolve { query, uri } => {
                let found = self.transport.resolve(&uri).await;
                let result = found.map_err(|error| ResolveError { reason: error.to_string() });
                self.ua.handle_input(now(), Input::Resolved { query, result });
            }
            Output::Event(event) => {
                if let Event::InDialog { key, request, .. } = &event {
                    let response = Response::to_request(request, StatusCode::OK);
                    self.ua.respond(now(), key, response);
                }
                return Some(event);
            }
        }
        None
    }
}

fn input(message: Incoming) -> Input {
    match message {
        Incoming::Message { source, message } => Input::Received { source, message },
        Incoming::Malformed { source, error } => Input::Malformed { source, error },
        Incoming::Failed { target, reason, .. } => Input::TransportFailed { target, reason },
        Incoming::Mapped { .. } => unreachable!("nothing is supervised here"),
    }
}
