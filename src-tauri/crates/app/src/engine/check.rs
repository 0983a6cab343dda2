//! The line check: one account tried out from its settings to its registration, in the order in which
//! things can be wrong.

mod path;

use std::pin::Pin;
use std::sync::Arc;

use sip_core::{Random, Route};
use sip_transport::{Incoming, Transport, TransportConfig};
use sip_types::Uri;
use tokio::sync::mpsc;

use super::accounts::{TRIAL, peering};
use super::desk::{now, rand_seed};
use super::{App, StartOptions};
use crate::cause;
use crate::code::Code;
use crate::config::{AccountSettings, Config, Sound};
use crate::control::{Command, TestKind, TestReport, TestStep};
use crate::event::{AccountEvent, Event, EventLine};
use crate::shell::{Shell, Surface, TrayState};
use crate::view::{AccountState, CallView, Update};

/// Tries an account out: address, name, the way to the server, user name and password. Stops at the first that
/// fails; takes ten seconds at most. The registration is taken back.
///
/// The settings must hold the password (`password` or `password_env`) where one is needed.
pub fn line_check(
    config: Config,
    account: AccountSettings,
) -> Pin<Box<dyn Future<Output = TestReport> + Send>> {
    Box::pin(async move {
        let mut report = TestReport::default();
        report.ok = check(config, account, &mut report.steps).await;
        report
    })
}

async fn check(config: Config, account: AccountSettings, steps: &mut Vec<TestStep>) -> bool {
    let found = locate(&config, &account).await;
    let (transport, mut incoming, routes) = match found {
        Ok(found) => found,
        Err(failure) => {
            steps.push(step(TestKind::Resolve, Err(failure)));
            return false;
        }
    };
    let addresses =
        routes.iter().map(|route| format!("{:?} {}", route.target.transport, route.target.addr));
    steps.push(step(TestKind::Resolve, Ok(Some(addresses.collect::<Vec<_>>().join(", ")))));
    if !account.register {
        return true;
    }
    let way = way(&transport, &mut incoming, &routes, &account).await;
    let rewritten = way.as_ref().is_ok_and(|way| !way.rewritten.is_empty());
    drop(transport);
    let started = now();
    match register(config, account).await {
        Ok(event) if event.state == AccountState::Registered => {
            steps.push(step(TestKind::Reach, Ok(None)));
            // A server may answer registrations and nothing else; that is no fault of the line.
            if let Ok(way) = way {
                let found = way.describe();
                steps.push(step(
                    TestKind::Path,
                    if rewritten { Err((Code::Rewritten, found)) } else { Ok(Some(found)) },
                ));
            }
            let contact = event.contact.unwrap_or_default();
            let found = format!("after {} ms; {contact}", started.elapsed().as_millis());
            steps.push(step(TestKind::Register, Ok(Some(found))));
            !rewritten
        }
        Ok(event) => {
            let code = event.reason.unwrap_or(Code::ServerError);
            if event.state == AccountState::Failed {
                steps.push(step(TestKind::Reach, Ok(None)));
                steps.push(step(TestKind::Register, Err((code, event.detail.unwrap_or_default()))));
            } else {
                steps.push(step(TestKind::Reach, Err((code, event.detail.unwrap_or_default()))));
            }
            false
        }
        Err(failure) => {
            steps.push(step(TestKind::Reach, Err(failure)));
            false
        }
    }
}

type Found = Result<Option<String>, (Code, String)>;

fn step(kind: TestKind, found: Found) -> TestStep {
    match found {
        Ok(detail) => TestStep { kind, ok: true, code: None, detail },
        Err((code, detail)) => TestStep { kind, ok: false, code: Some(code), detail: Some(detail) },
    }
}

/// The account's servers, and sockets to reach them.
async fn locate(
    config: &Config,
    account: &AccountSettings,
) -> Result<(Transport, mpsc::Receiver<Incoming>, Vec<Route>), (Code, String)> {
    let hop = [account.outbound_proxy.first(), &account.registrar, &account.aor]
        .into_iter()
        .find(|text| !text.is_empty())
        .and_then(|text| Uri::parse(text).ok())
        .ok_or_else(|| (Code::BadConfig, "no server is named".to_owned()))?;
    let transport = TransportConfig { bind: config.network.bind, ..TransportConfig::default() };
    let (transport, incoming) = Transport::bind(transport)
        .await
        .map_err(|error| (Code::ConnectionFailed, error.to_string()))?;
    let (domains, peering) = peering(account).map_err(|message| (Code::BadConfig, message))?;
    for domain in domains {
        transport.set_peering(&domain, peering.clone());
    }
    let routes = transport
        .resolve(&hop)
        .await
        .map_err(|error| (cause::of_resolve_error(&error), error.to_string()))?;
    Ok((transport, incoming, routes))
}

/// Asks the first server.
async fn way(
    transport: &Transport,
    incoming: &mut mpsc::Receiver<Incoming>,
    routes: &[Route],
    account: &AccountSettings,
) -> Result<path::Way, (Code, String)> {
    let route = *routes.first().ok_or((Code::DnsFailure, String::new()))?;
    let aor = Uri::parse(&account.aor).map_err(|error| (Code::BadConfig, error.to_string()))?;
    let mut random = Random::from_seed(rand_seed());
    path::probe(transport, incoming, route, &aor, &mut random).await
}

/// Registers with a program of its own and tells how that ended.
async fn register(
    config: Config,
    account: AccountSettings,
) -> Result<AccountEvent, (Code, String)> {
    let mut own = Config { accounts: vec![account], ..config };
    own.network.sip_port = 0;
    let (sender, mut events) = mpsc::unbounded_channel();
    let options = StartOptions { config: own, sound: Sound::None, ..StartOptions::default() };
    let app = App::start(options, Arc::new(Listener(sender)))
        .await
        .map_err(|error| (error.code(), error.to_string()))?;
    let decided = async {
        while let Some(event) = events.recv().await {
            if !matches!(event.state, AccountState::Registering | AccountState::Unregistered) {
                return Some(event);
            }
        }
        None
    };
    let outcome = tokio::time::timeout(TRIAL, decided).await;
    // Whatever came of it, the registration is taken back.
    let quit = app.handle().request(Command::Quit {}).await;
    tracing::debug!(?quit, "trial over");
    app.finished().await;
    match outcome {
        Ok(Some(event)) => Ok(event),
        _ => Err((Code::Timeout, "the server does not answer".to_owned())),
    }
}

/// Hears of the account and nothing else.
struct Listener(mpsc::UnboundedSender<AccountEvent>);

impl Shell for Listener {
    fn publish(&self, _: Update) {}
    fn incoming(&self, _: &[CallView]) {}
    fn tray(&self, _: TrayState) {}
    fn open(&self, _: Surface) {}
    fn event(&self, line: &EventLine) {
        if let Event::AccountState(event) = &line.event {
            // Nobody listens any more once it is decided.
            let _ = self.0.send(event.clone());
        }
    }
}
