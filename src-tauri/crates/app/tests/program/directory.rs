//! What an exchange keeps and is kept here, too: its directory (wishes while it is read, an exchange that goes, what was erased) and
//! its log of calls.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use app::StartOptions;
use app::control::Answer;
use app::event::{Event, SourceChange};
use app::exchange::Port;
use app::view::CallOutcome;
use app::view::people::ErasedReport;
use app::view::sources::{SourceState, SourceTrouble, SourceView};
use pbx::centre::{
    Capability, DirectoryEntry, Input, LinkFault, LinkState, LogEntry, LogKind, Party, Request,
    RequestId,
};
use serde_json::json;
use tempfile::{TempDir, tempdir};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::desk::{Desk, PATIENCE, options};
use crate::exchange::{Exchange, bert, config, exchanges, me};

fn entry(last: &str, extension: &str) -> DirectoryEntry {
    let number = format!("0302318{extension}");
    let (last_name, extension) = (last.into(), extension.into());
    DirectoryEntry { last_name, extension, number, ..DirectoryEntry::default() }
}

fn company() -> Vec<DirectoryEntry> {
    let bert = DirectoryEntry { user: Some(bert()), ..entry("Bert de Wit", "802") };
    // What turns text around is no part of a name.
    vec![bert, entry("Els \u{202e}Smit", "803")]
}

async fn start(folder: &TempDir) -> (Desk, Exchange) {
    let (desk, exchange, _ports) = start_with_ports(folder).await;
    (desk, exchange)
}

/// Also where the exchanges come out that begin later.
async fn start_with_ports(folder: &TempDir) -> (Desk, Exchange, UnboundedReceiver<Port>) {
    let (exchanges, mut ports) = exchanges();
    let mut config = config(&["main"]);
    config.paths.data_dir = folder.path().join("data");
    let desk = Desk::start(StartOptions { config, exchanges, ..options() }).await.unwrap();
    let exchange = Exchange::of(&mut ports).await;
    exchange.tell(Input::Me { user: me(), name: "Anna".into() }).await;
    let present = vec![Capability::Directory];
    exchange.tell(Input::Capabilities { present, missing: Vec::new() }).await;
    exchange.tell(Input::Link(LinkState::Live)).await;
    (desk, exchange, ports)
}

/// Where the company has been read.
async fn start_read(folder: &TempDir) -> (Desk, Exchange, SourceChange) {
    let (mut desk, mut exchange) = start(folder).await;
    let change = is_read_as_company(&mut desk, &mut exchange).await;
    (desk, exchange, change)
}

/// The exchange is asked for its directory and tells the company; what that changed.
async fn is_read_as_company(desk: &mut Desk, exchange: &mut Exchange) -> SourceChange {
    let request = is_read(exchange).await;
    tell(exchange, request, company()).await;
    desk.source_read().await
}

async fn is_read(exchange: &mut Exchange) -> RequestId {
    loop {
        if let (id, Request::ReadDirectory) = exchange.asked().await {
            return id;
        }
    }
}

async fn tell(exchange: &Exchange, request: RequestId, entries: Vec<DirectoryEntry>) {
    exchange.tell(Input::Directory { first: true, entries, total: None }).await;
    exchange.tell(Input::DirectoryEnd(Ok(()))).await;
    exchange.takes(request).await;
}

impl Desk {
    async fn sources(&self) -> Vec<SourceView> {
        match self.ask(json!({"cmd": "sources.list"})).await.unwrap() {
            Answer::ContactSources(sources) => sources,
            other => panic!("{other:?}"),
        }
    }

    async fn source_read(&mut self) -> SourceChange {
        self.event(|event| match event {
            Event::SourceState(event) => event.change,
            _ => None,
        })
        .await
    }

    async fn finds(&self, name: &str) -> bool {
        match self.ask(json!({"cmd": "contacts.search", "text": name})).await.unwrap() {
            Answer::Hits(hits) => hits.iter().any(|hit| hit.name == name),
            other => panic!("{other:?}"),
        }
    }

    /// Waits until somebody is found, or is not.
    async fn until_found(&self, name: &str, found: bool) {
        let wait = async {
            while self.finds(name).await != found {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{name}: {found}"));
    }

    async fn erase(&self, of: serde_json::Value) -> ErasedReport {
        let mut command = json!({"cmd": "privacy.erase"});
        command.as_object_mut().unwrap().append(&mut of.as_object().unwrap().clone());
        match self.ask(command).await.unwrap() {
            Answer::Erased(report) => report,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn who_wants_it_read_while_it_is_read_gets_another_reading() {
    let folder = tempdir().unwrap();
    let (mut desk, mut exchange) = start(&folder).await;
    let first = is_read(&mut exchange).await;
    assert_eq!(desk.sources().await[0].state, SourceState::Syncing);
    // Somebody is added at the exchange, whose answer is on its way already.
    for _ in 0..2 {
        desk.ask(json!({"cmd": "sources.sync"})).await.unwrap();
    }
    tell(&exchange, first, company()).await;
    assert_eq!(desk.source_read().await.put, 2);
    let second = is_read(&mut exchange).await;
    let with_kees = [company(), vec![entry("Kees Nieuw", "804")]].concat();
    tell(&exchange, second, with_kees).await;
    let change = desk.source_read().await;
    assert_eq!((change.full, change.put, change.gone), (false, 1, 0));
    desk.until_found("Kees Nieuw", true).await;
    let source = desk.sources().await.remove(0);
    assert_eq!(source.state, SourceState::Waiting, "one more reading, not ever more");

    // The exchange is read by itself, as after a connection that broke.
    exchange.tell(Input::Directory { first: true, entries: Vec::new(), total: None }).await;
    exchange.tell(Input::Messages { new: 3, old: 0 }).await;
    desk.centre(|centre| centre.messages.is_some()).await;
    desk.ask(json!({"cmd": "sources.sync"})).await.unwrap();
    exchange.tell(Input::Directory { first: false, entries: company(), total: None }).await;
    exchange.tell(Input::DirectoryEnd(Ok(()))).await;
    assert_eq!(desk.source_read().await.gone, 1);
    let third = is_read(&mut exchange).await;
    tell(&exchange, third, Vec::new()).await;
    assert_eq!(desk.source_read().await.gone, 2);
    desk.quit().await;
}

#[tokio::test]
async fn why_the_exchange_cannot_be_read_is_told_and_it_is_read_once_it_can() {
    let folder = tempdir().unwrap();
    let (mut desk, mut exchange, _) = start_read(&folder).await;
    desk.until_found("Els Smit", true).await;
    exchange.tell(Input::Link(LinkState::Lost)).await;
    let (fault, detail) = (LinkFault::Credentials, "401".to_owned());
    exchange.tell(Input::LinkFault { fault, detail }).await;
    let told = |event| match event {
        Event::SourceState(event) => event.trouble.map(|trouble| (event.state, trouble)),
        _ => None,
    };
    assert_eq!(desk.event(told).await, (SourceState::Stopped, SourceTrouble::Refused));
    assert!(desk.finds("Els Smit").await, "who was known stays");
    exchange.tell(Input::Link(LinkState::Live)).await;
    assert_eq!(is_read_as_company(&mut desk, &mut exchange).await.put, 0);
    let source = desk.sources().await.remove(0);
    assert_eq!((source.state, source.trouble), (SourceState::Waiting, None));
    desk.quit().await;
}

#[tokio::test]
async fn the_directory_goes_with_its_exchange_at_once() {
    let folder = tempdir().unwrap();
    let (desk, mut exchange, _) = start_read(&folder).await;
    desk.until_found("Els Smit", true).await;
    let other =
        json!({"kind": "broadworks", "server": "xsp.other.example", "user": "anna@other.example"});
    let form = |exchange: serde_json::Value| json!({"cmd": "account.save", "form": {"id": "main", "user": "main", "server": "127.0.0.1", "exchange": exchange}});
    desk.ask(form(other)).await.unwrap();
    assert!(exchange.is_let_go().await);
    desk.until_found("Els Smit", false).await;
    let source = desk.sources().await;
    assert!(source.iter().all(|source| source.contacts == 0), "another exchange: {source:?}");
    desk.ask(form(json!({"kind": "none"}))).await.unwrap();
    assert_eq!(desk.sources().await, []);
    assert!(!desk.finds("Els Smit").await);
    desk.quit().await;

    // The settings of this start still have the first exchange: it knows nobody of it any more.
    let (mut desk, mut exchange) = start(&folder).await;
    let request = is_read(&mut exchange).await;
    assert!(!desk.finds("Els Smit").await);
    tell(&exchange, request, company()).await;
    let change = desk.source_read().await;
    assert_eq!((change.full, change.put), (true, 2));
    desk.quit().await;
}

#[tokio::test]
async fn an_exchange_that_is_saved_with_the_telephones_password_is_connected_at_once() {
    let folder = tempdir().unwrap();
    let (mut desk, mut exchange, mut ports) = start_with_ports(&folder).await;
    let form = |exchange: serde_json::Value| json!({"cmd": "account.save", "form": {"id": "main", "user": "main", "server": "127.0.0.1", "password": "typed", "exchange": exchange}});
    desk.ask(form(json!({"kind": "none"}))).await.unwrap();
    assert!(exchange.is_let_go().await);
    let same =
        json!({"kind": "broadworks", "server": "xsp.other.example", "user": "anna@other.example"});
    desk.ask(form(same.clone())).await.unwrap();
    let mut exchange = Exchange::of(&mut ports).await;
    let present = vec![Capability::Directory];
    exchange.tell(Input::Capabilities { present, missing: Vec::new() }).await;
    exchange.tell(Input::Link(LinkState::Live)).await;
    assert_eq!(is_read_as_company(&mut desk, &mut exchange).await.put, 2);

    // Another password for the telephone leaves the exchange as it is.
    desk.ask(form(same)).await.unwrap();
    desk.ask(json!({"cmd": "sources.sync"})).await.unwrap();
    is_read(&mut exchange).await;
    assert!(ports.is_empty(), "it was connected anew");
    desk.quit().await;
}

#[tokio::test]
async fn the_directory_is_called_what_its_account_is_called() {
    let folder = tempdir().unwrap();
    let (desk, _exchange, _) = start_read(&folder).await;
    assert_eq!(desk.sources().await[0].name, "main");
    let form = |name: &str| json!({"cmd": "account.save", "form": {"id": "main", "user": "main", "server": "127.0.0.1", "display_name": name}});
    desk.ask(form(" Balie ")).await.unwrap();
    let source = desk.sources().await.remove(0);
    assert_eq!((source.name.as_str(), source.contacts), ("Balie", 2));
    let erased = desk.erase(json!({"number": "030 2318802"})).await;
    assert_eq!(erased.sources, ["Balie"], "so it is called where it is kept, too");
    desk.ask(form("")).await.unwrap();
    assert_eq!(desk.sources().await[0].name, "main");
    desk.ask(form("Balie")).await.unwrap();
    desk.quit().await;

    // The settings of this start still have no name.
    let (desk, _exchange) = start(&folder).await;
    assert_eq!(desk.sources().await[0].name, "main");
    desk.quit().await;
}

#[tokio::test]
async fn an_exchange_brings_back_who_was_erased_and_that_is_told() {
    let folder = tempdir().unwrap();
    let (mut desk, mut exchange, read) = start_read(&folder).await;
    assert_eq!(read.put, 2);

    let erased = desk.erase(json!({"number": "030 2318802"})).await;
    assert_eq!((erased.contacts, erased.sources), (1, vec!["main".to_owned()]));
    desk.ask(json!({"cmd": "sources.sync"})).await.unwrap();
    let change = is_read_as_company(&mut desk, &mut exchange).await;
    assert_eq!((change.put, change.gone), (1, 0), "the source has him: equal to it again");

    let before = desk.sources().await.remove(0).id;
    let erased = desk.erase(json!({"everybody": true})).await;
    assert_eq!((erased.contacts, erased.sources.len()), (2, 0));
    let change = is_read_as_company(&mut desk, &mut exchange).await;
    assert_eq!((change.full, change.put), (true, 2), "read anew, from the beginning");
    let sources = desk.sources().await;
    assert_eq!((sources.len(), sources[0].contacts), (1, 2), "{before}: {sources:?}");
    desk.until_found("Els Smit", true).await;
    desk.quit().await;
}

/// What rang while nobody was here, or was answered elsewhere, is in the history; what ran here is not there twice.
#[tokio::test]
async fn the_log_of_the_exchange_is_merged_into_the_history() {
    let folder = tempdir().unwrap();
    let (mut desk, exchange) = start(&folder).await;
    let note = json!({"cmd": "note.add", "number": "102", "text": "now"});
    let Ok(Answer::Note(note)) = desk.ask(note).await else { panic!("no note") };
    let now = note.at_ms;
    let logged = |id: &str, kind, number: &str, ago: u64| LogEntry {
        id: id.into(),
        kind,
        party: Party { name: format!("Wie {id} \u{202e}belt"), number: number.into() },
        at: now - 60_000 * ago,
    };
    let log = vec![
        logged("4", LogKind::Placed, "102", 10),
        logged("3", LogKind::Received, "+31612345678", 30),
        logged("2", LogKind::Missed, "+31612345678", 40),
        logged("1", LogKind::Missed, "", 60),
        logged("0", LogKind::Missed, "0201234567", 400 * 24 * 60),
        logged("", LogKind::Missed, "0201234567", 5),
    ];
    exchange.tell(Input::CallLog(log.clone())).await;
    let view = desk.view(|view| view.history.len() == 4).await;
    let shown: Vec<(CallOutcome, &str)> =
        view.history.iter().map(|past| (past.outcome, past.peer.number.as_str())).collect();
    let [placed, answered, missed, withheld] = shown[..] else { panic!("{shown:?}") };
    assert_eq!(placed, (CallOutcome::Placed, "102"));
    assert_eq!((answered.0, missed.0), (CallOutcome::Answered, CallOutcome::Missed));
    assert_eq!((answered.1, withheld), (missed.1, (CallOutcome::Missed, "")));
    assert!(view.history.iter().all(|past| past.elsewhere));
    assert!(view.history[2].called_back.is_some(), "answered elsewhere since: {view:?}");
    assert_eq!(view.history[0].peer.name, "Wie 4 belt");
    assert_eq!(view.missed, 2);
    // It is read after every call.
    exchange.tell(Input::CallLog(log)).await;
    exchange.tell(Input::CallLog(vec![logged("5", LogKind::Placed, "103", 1)])).await;
    let view = desk.view(|view| view.history.len() >= 5).await;
    assert_eq!((view.history.len(), view.history[0].peer.number.as_str()), (5, "103"));
    desk.quit().await;

    let (mut desk, _exchange) = start(&folder).await;
    let view = desk.view(|view| view.history.len() == 5).await;
    assert!(view.history.iter().all(|past| past.elsewhere), "{view:?}");
    desk.quit().await;
}
