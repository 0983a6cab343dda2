//! The embedded exchange: started in this process, with an account on it and its directory.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use training_pbx::{Company, CustomerCall, Numbers, Pbx, PbxConfig, PbxError, PbxHandle, Ready};

use super::Reply;
use super::desk::Desk;
use crate::code::Code;
use crate::config::AccountSettings;
use crate::control::{Answer, ErrorReply};
use crate::view::{ColleagueView, DemoNumber, DemoView};

/// Id of the account on the embedded exchange.
pub(super) const ACCOUNT: &str = "demo";

/// The running exchange and what is shown of it.
pub(super) struct Demo {
    pbx: std::sync::Arc<PbxHandle>,
    extension: String,
    pub(super) view: DemoView,
    pub(super) colleagues: Vec<ColleagueView>,
}

impl Desk {
    pub(super) fn start_demo(&mut self, reply: Reply) {
        if let Some(demo) = &self.demo {
            return reply(Ok(Answer::Demo(demo.view.clone())));
        }
        let company = Company::demo();
        let people = company.people();
        let config = PbxConfig { company, seed: self.random.u64(), ..PbxConfig::default() };
        self.later(Pbx::start(config), move |desk, now, started| {
            let pbx = match started {
                Ok(pbx) => pbx,
                Err(error) => {
                    desk.notice(now, code(&error), Some(error.to_string()), true);
                    return reply(Err(refusal(&error)));
                }
            };
            let ready = pbx.ready().clone();
            let Some(account) = ready.accounts.first().cloned() else {
                return reply(Err(ErrorReply::new(Code::Internal, "the demo has no account")));
            };
            let view = demo_view(&ready);
            let mut colleagues: Vec<ColleagueView> = people
                .into_iter()
                .filter(|person| person.extension != account.extension)
                .map(|person| ColleagueView {
                    name: person.name,
                    number: person.extension,
                    department: person.department,
                })
                .collect();
            colleagues.sort_by_key(|colleague| contacts::fold(&colleague.name));
            desk.demo = Some(Demo {
                pbx: std::sync::Arc::new(pbx),
                extension: account.extension.clone(),
                view: view.clone(),
                colleagues,
            });
            let settings = AccountSettings {
                id: ACCOUNT.to_owned(),
                display_name: account.name,
                aor: account.aor.clone(),
                registrar: account.aor.replacen(&format!("{}@", account.extension), "", 1),
                auth_user: account.auth_user,
                password: SecretString::from(account.password).into(),
                ..AccountSettings::default()
            };
            desk.begin_account(now, settings, true);
            reply(Ok(Answer::Demo(view)));
        });
    }

    pub(super) fn stop_demo(&mut self, now: Instant, reply: Reply) {
        let Some(demo) = self.demo.take() else { return reply(Ok(Answer::done())) };
        self.forget_account(now, ACCOUNT);
        self.publisher.changed();
        // The handle stops the exchange when the last holder lets go; good-byes go out before.
        self.settle(now);
        self.later(async move { stop(demo).await }, move |_, _, ()| reply(Ok(Answer::done())));
    }

    /// At the end of the program.
    pub(super) async fn stop_demo_and_wait(&mut self) {
        if let Some(demo) = self.demo.take() {
            stop(demo).await;
        }
    }

    /// A first customer, so that somebody who just looks sees what the program is for. He does not
    /// ring when calls were made meanwhile.
    #[expect(clippy::disallowed_methods, reason = "a customer rings after a time, not an event")]
    pub(super) fn expect_customer(&self, after: Option<Duration>) {
        let Some(after) = after else { return };
        self.later(tokio::time::sleep(after), |desk, _, ()| {
            if desk.lines.is_empty() && desk.history.is_empty() {
                desk.demo_customer(Box::new(|_| {}));
            }
        });
    }

    pub(super) fn demo_customer(&self, reply: Reply) {
        let Some(demo) = &self.demo else {
            return reply(Err(ErrorReply::new(Code::WrongState, "the demo is not running")));
        };
        let (pbx, call) = (demo.pbx.clone(), CustomerCall::to(demo.extension.clone()));
        let ring = async move { pbx.customer_call(call).await };
        self.later(ring, move |_, _, rung| {
            reply(rung.map(|_| Answer::done()).map_err(|error| refusal(&error)));
        });
    }
}

async fn stop(demo: Demo) {
    if let Some(pbx) = std::sync::Arc::into_inner(demo.pbx) {
        pbx.stop().await;
    }
}

fn demo_view(ready: &Ready) -> DemoView {
    let Numbers { echo, music, speech, busy, no_answer, declines, voicemail, main, .. } =
        &ready.numbers;
    let table = [
        ("echo", echo),
        ("music", music),
        ("speech", speech),
        ("busy", busy),
        ("no_answer", no_answer),
        ("declines", declines),
        ("voicemail", voicemail),
        ("main", main),
    ];
    let known = table.into_iter().filter(|(_, number)| !number.is_empty());
    let number = |(kind, number): (&str, &String)| DemoNumber {
        kind: kind.to_owned(),
        number: number.clone(),
    };
    DemoView { company: ready.company.clone(), numbers: known.map(number).collect() }
}

fn code(error: &PbxError) -> Code {
    match error {
        PbxError::Listen { .. } => Code::PortTaken,
        PbxError::UnknownNumber(_) => Code::NotFound,
        PbxError::NotRegistered(_) => Code::NotRegistered,
        PbxError::TooManyCalls => Code::BusyHere,
        PbxError::BadValue(_) | PbxError::Centre(_) => Code::BadRequest,
        PbxError::Stopped => Code::WrongState,
    }
}

fn refusal(error: &PbxError) -> ErrorReply {
    ErrorReply::new(code(error), error.to_string())
}
