//! A running program and what it said, for tests that wait for what must happen and for nothing else.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use app::code::Code;
use app::config::{Config, Sound};
use app::control::{Answer, Command, ErrorReply, Request};
use app::event::{AccountEvent, CallEvent, Event, EventLine};
use app::view::centre::CentreView;
use app::view::queue::QueueView;
use app::view::{AccountState, AppView, CallState, CallView, HistoryEntry, Update};
use app::{App, Shell, StartError, StartOptions, Surface, TrayState};
use tokio::sync::mpsc;
use training_pbx::{Pbx, PbxConfig, PbxHandle};

/// Longest wait for something that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a front end was told last.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) view: AppView,
    pub(crate) centres: BTreeMap<String, CentreView>,
    pub(crate) queues: BTreeMap<String, QueueView>,
    pub(crate) incoming: Vec<CallView>,
    pub(crate) missed: Vec<HistoryEntry>,
    pub(crate) tray: TrayState,
}

struct MockShell {
    events: mpsc::UnboundedSender<Event>,
    views: mpsc::UnboundedSender<()>,
    seen: Arc<Mutex<Seen>>,
}

impl Shell for MockShell {
    fn publish(&self, update: Update) {
        let mut seen = self.seen.lock().unwrap();
        match update {
            Update::View(view) => seen.view = *view,
            Update::Centre(view) => {
                seen.centres.insert(view.account.clone(), *view);
            }
            Update::Queues(views) => {
                seen.queues.extend(views.into_iter().map(|view| (view.queue.clone(), view)));
            }
            _ => return,
        }
        let _ = self.views.send(());
    }
    fn incoming(&self, ringing: &[CallView]) {
        self.seen.lock().unwrap().incoming = ringing.to_vec();
    }
    fn missed(&self, call: &HistoryEntry) {
        self.seen.lock().unwrap().missed.push(call.clone());
    }
    fn tray(&self, state: TrayState) {
        self.seen.lock().unwrap().tray = state;
    }
    fn open(&self, _: Surface) {}
    fn event(&self, line: &EventLine) {
        let _ = self.events.send(line.event.clone());
    }
}

pub(crate) struct Desk {
    app: App,
    events: mpsc::UnboundedReceiver<Event>,
    views: mpsc::UnboundedReceiver<()>,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

impl Desk {
    pub(crate) async fn start(options: StartOptions) -> Result<Desk, StartError> {
        let (sender, events) = mpsc::unbounded_channel();
        let (views_sender, views) = mpsc::unbounded_channel();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shell = MockShell { events: sender, views: views_sender, seen: seen.clone() };
        let app = App::start(options, Arc::new(shell)).await?;
        Ok(Desk { app, events, views, seen })
    }

    /// A program with an account of the exchange, registered.
    pub(crate) async fn registered(pbx: &PbxHandle, extension: &str) -> Desk {
        let options =
            StartOptions { config: config(pbx, extension), sound: Sound::Null, ..options() };
        let mut desk = Desk::start(options).await.unwrap();
        desk.account(AccountState::Registered).await;
        desk
    }

    /// Gives a command in the form of the control interface.
    pub(crate) async fn ask(&self, json: serde_json::Value) -> Result<Answer, ErrorReply> {
        let request = Request::from_value(json).expect("a well-formed request");
        self.app.handle().request(request.command).await
    }

    pub(crate) async fn refused(&self, json: serde_json::Value) -> Code {
        self.ask(json).await.expect_err("refused").code
    }

    pub(crate) async fn dial(&self, to: &str) -> u64 {
        match self.ask(serde_json::json!({"cmd": "call.dial", "to": to})).await.unwrap() {
            Answer::Call(created) => created.call,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn do_with(&self, cmd: &str, call: u64) {
        self.ask(serde_json::json!({"cmd": cmd, "call": call})).await.unwrap();
    }

    /// Waits for an event; those before it are passed over.
    pub(crate) async fn event<T>(&mut self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("the program ended");
                if let Some(found) = pick(event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("what was waited for did not come")
    }

    /// A moment between two looks at what tells no change.
    #[expect(clippy::disallowed_methods, reason = "what is polled is polled with a deadline")]
    pub(crate) async fn breath(&self) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    pub(crate) async fn account(&mut self, state: AccountState) -> AccountEvent {
        self.event(|event| match event {
            Event::AccountState(event) if event.state == state => Some(event),
            _ => None,
        })
        .await
    }

    pub(crate) async fn call(&mut self, state: CallState) -> CallEvent {
        self.event(|event| match event {
            Event::CallState(event) if event.state == state => Some(*event),
            _ => None,
        })
        .await
    }

    /// Waits for a view that fits.
    pub(crate) async fn view(&mut self, fits: impl Fn(&AppView) -> bool) -> AppView {
        self.seen(|seen| Some(&seen.view).filter(|view| fits(view)).cloned()).await
    }

    /// Waits for an exchange that is shown so.
    pub(crate) async fn centre(&mut self, fits: impl Fn(&CentreView) -> bool) -> CentreView {
        self.seen(|seen| seen.centres.values().find(|view| fits(view)).cloned()).await
    }

    /// Waits for a queue that is shown so.
    pub(crate) async fn queue(&mut self, fits: impl Fn(&QueueView) -> bool) -> QueueView {
        self.seen(|seen| seen.queues.values().find(|view| fits(view)).cloned()).await
    }

    async fn seen<T>(&mut self, find: impl Fn(&Seen) -> Option<T>) -> T {
        let wait = async {
            loop {
                let found = find(&self.seen.lock().unwrap());
                if let Some(found) = found {
                    return found;
                }
                self.views.recv().await.expect("the program ended");
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("no view was as wanted")
    }

    pub(crate) async fn quit(self) {
        self.app.handle().request(Command::Quit {}).await.unwrap();
        tokio::time::timeout(PATIENCE, self.app.finished()).await.expect("no end");
    }
}

pub(crate) fn options() -> StartOptions {
    StartOptions { sound: Sound::None, ..StartOptions::default() }
}

pub(crate) async fn pbx() -> PbxHandle {
    Pbx::start(PbxConfig::default()).await.unwrap()
}

/// The configuration of one account of the exchange.
pub(crate) fn config(pbx: &PbxHandle, extension: &str) -> Config {
    let account =
        pbx.ready().accounts.iter().find(|account| account.extension == extension).unwrap();
    text_config(extension, &account.auth_user, &account.password, pbx.ready().sip_udp)
}

pub(crate) fn text_config(user: &str, auth_user: &str, password: &str, port: u16) -> Config {
    Config::parse(&format!(
        "[[account]]\nid = \"main\"\naor = \"sip:{user}@127.0.0.1\"\n\
         registrar = \"sip:127.0.0.1:{port};transport=udp\"\nauth_user = \"{auth_user}\"\n\
         password = \"{password}\"\n[network]\nbind = \"127.0.0.1\"\nrtp_ports = [42000, 42999]\n"
    ))
    .unwrap()
}

pub(crate) fn settings_path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("settings.toml")
}
