//! The embedded exchange: started in this process, with an account on it, its directory and its web services.
//!
//! The account is the receptionist's, who there also takes calls of a queue and watches over all of them, so that
//! one account shows the whole product.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use training_pbx::acd::{AgentId, Member};
use training_pbx::{
    Company, CustomerCall, Knob, Numbers, Pbx, PbxConfig, PbxError, PbxHandle, Ready, ReadyAccount,
    Role, Rush,
};

use super::Reply;
use super::desk::Desk;
use crate::code::Code;
use crate::config::{AccountSettings, XsiSettings};
use crate::control::{Answer, ErrorReply};
use crate::view::{ColleagueView, DemoNumber, DemoView};

/// Id of the account on the embedded exchange.
pub(super) const ACCOUNT: &str = "demo";
/// Callers of the queue of simulated agents, as a share of a busy Monday: about one a minute.
const CALLERS: f64 = 0.4;

/// The running exchange and what is shown of it.
pub(super) struct Demo {
    pbx: std::sync::Arc<PbxHandle>,
    extension: String,
    /// The queue that the account takes calls of.
    queue: String,
    pub(super) view: DemoView,
    pub(super) colleagues: Vec<ColleagueView>,
}

impl Desk {
    pub(super) fn start_demo(&mut self, reply: Reply) {
        if let Some(demo) = &self.demo {
            return reply(Ok(Answer::Demo(demo.view.clone())));
        }
        let company = company();
        let people = company.people();
        let [queue, others @ ..] = company.centre.queues.as_slice() else {
            return reply(Err(ErrorReply::new(Code::Internal, "the demo has no queue")));
        };
        let queue = queue.id.0.clone();
        let others = others.iter().map(|queue| queue.id.0.clone()).collect();
        let config = PbxConfig { company, seed: self.random.u64(), ..PbxConfig::default() };
        self.later(open(config, others), move |desk, now, started| {
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
                    mobile: person.mobile.unwrap_or_default(),
                    account: ACCOUNT.to_owned(),
                    watch: true,
                })
                .collect();
            colleagues.sort_by_key(|colleague| contacts::fold(&colleague.name));
            desk.colleagues.accounts_changed();
            desk.demo = Some(Demo {
                pbx: std::sync::Arc::new(pbx),
                extension: account.extension.clone(),
                queue,
                view: view.clone(),
                colleagues,
            });
            let settings = settings(&ready, account);
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
            if desk.is_untouched() {
                desk.demo_customer(false, Box::new(|_| {}));
            }
        });
    }

    /// Lets a customer ring the account; `queued`: through its queue.
    pub(super) fn demo_customer(&self, queued: bool, reply: Reply) {
        let Some(demo) = &self.demo else {
            return reply(Err(ErrorReply::new(Code::WrongState, "the demo is not running")));
        };
        let to = if queued { demo.queue.clone() } else { demo.extension.clone() };
        let (pbx, call) = (demo.pbx.clone(), CustomerCall::to(to));
        let ring = async move { pbx.customer_call(call).await };
        self.later(ring, move |_, _, rung| {
            reply(rung.map(|_| Answer::done()).map_err(|error| refusal(&error)));
        });
    }
}

/// The demo company, with a receptionist who works in the first queue, could in the others, and supervises all.
fn company() -> Company {
    let mut company = Company::demo();
    let Some(account) = company.accounts.first_mut() else { return company };
    account.role = Role::Supervisor;
    let id = AgentId(account.extension.clone());
    for (place, queue) in company.centre.queues.iter_mut().enumerate() {
        queue.supervisors.push(id.clone());
        queue.members.push(Member { joined: place == 0, ..Member::new(&*id.0) });
    }
    company
}

/// The exchange, with callers for the queues of simulated agents.
async fn open(config: PbxConfig, queues: Vec<String>) -> Result<PbxHandle, PbxError> {
    let pbx = Pbx::start(config).await?;
    if !queues.is_empty() {
        let rush = Rush { rate: CALLERS, to: queues, ..Rush::default() };
        pbx.turn(Knob::Callers(rush)).await?;
    }
    Ok(pbx)
}

fn settings(ready: &Ready, account: ReadyAccount) -> AccountSettings {
    let xsi = XsiSettings {
        actions_url: ready.xsi.clone(),
        events_url: ready.xsi.clone(),
        user: account.xsi_user,
        password: SecretString::from(account.xsi_password).into(),
        ..XsiSettings::default()
    };
    AccountSettings {
        id: ACCOUNT.to_owned(),
        display_name: account.name,
        aor: account.aor.clone(),
        registrar: account.aor.replacen(&format!("{}@", account.extension), "", 1),
        auth_user: account.auth_user,
        password: SecretString::from(account.password).into(),
        xsi: Some(xsi),
        ..AccountSettings::default()
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
