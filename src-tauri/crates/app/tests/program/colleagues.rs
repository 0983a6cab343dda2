//! Colleagues of real exchanges: from the directory, from the list of lamps, from the lists of contacts.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;

use app::StartOptions;
use app::config::Config;
use app::control::Answer;
use app::event::Event;
use app::view::targets::TargetKind;
use app::view::{AccountState, HitKind, LineState, SearchHit};
use base64::Engine as _;
use pbx::centre::{DirectoryEntry, Input};
use serde_json::json;

use crate::centre::begin;
use crate::desk::{Desk, config, options, pbx};
use crate::exchange::{bert, me};

fn entry(first: &str, last: &str, extension: &str, number: &str) -> DirectoryEntry {
    DirectoryEntry {
        first_name: first.into(),
        last_name: last.into(),
        extension: extension.into(),
        number: number.into(),
        ..DirectoryEntry::default()
    }
}

impl Desk {
    async fn found(&self, text: &str) -> Vec<SearchHit> {
        match self.ask(json!({"cmd": "contacts.search", "text": text})).await.unwrap() {
            Answer::Hits(hits) => hits,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_directory_of_the_exchange_fills_the_panel_and_the_targets() {
    let (mut desk, exchange) = begin().await;
    let own = DirectoryEntry { user: Some(me()), ..entry("Anna", "Smit", "101", "0302318801") };
    let other = DirectoryEntry {
        user: Some(bert()),
        mobile: "06 12345678".into(),
        department: "Verkoop".into(),
        ..entry("Bert", "de Wit", "102", "0302318802")
    };
    let queue = DirectoryEntry { is_virtual: true, ..entry("", "Helpdesk", "400", "") };
    let first = Input::Directory { first: true, entries: vec![own, other], total: Some(4) };
    exchange.tell(first).await;
    let more = vec![queue, entry("", "Taxicentrale", "", "0302310000")];
    exchange.tell(Input::Directory { first: false, entries: more, total: None }).await;
    exchange.tell(Input::DirectoryEnd(Ok(()))).await;
    let view = desk.view(|view| !view.colleagues.is_empty()).await;
    let names: Vec<(&str, &str, &str)> = view
        .colleagues
        .iter()
        .map(|who| (who.name.as_str(), who.number.as_str(), who.department.as_str()))
        .collect();
    assert_eq!(names, [("Bert de Wit", "102", "Verkoop")], "not oneself, no queue, no taxi");
    assert!(!view.colleagues[0].watch, "this exchange brings lamps by its list");

    let hits = loop {
        let hits = desk.found("helpdesk").await;
        if !hits.is_empty() {
            break hits;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((hits[0].kind, hits[0].target.as_str()), (HitKind::Colleague, "400"));
    assert_eq!(desk.found("taxi").await[0].kind, HitKind::Contact);
    let by_number = desk.found("0302318802").await;
    assert!(by_number.iter().any(|hit| hit.name == "Bert de Wit"), "{by_number:?}");

    let targets = match desk.ask(json!({"cmd": "target.list", "target": "102"})).await.unwrap() {
        Answer::Targets(targets) => targets,
        other => panic!("{other:?}"),
    };
    let kinds: Vec<(TargetKind, &str)> =
        targets.iter().map(|one| (one.kind, one.to.as_str())).collect();
    assert_eq!(kinds[0], (TargetKind::Line, "102"));
    assert!(kinds.contains(&(TargetKind::Mobile, "0612345678")), "{kinds:?}");
    assert!(kinds.contains(&(TargetKind::Voicemail, "*55102")), "{kinds:?}");
    assert!(kinds.contains(&(TargetKind::Park, "102")), "{kinds:?}");

    // Who left the company leaves the panel.
    exchange.tell(Input::Directory { first: true, entries: Vec::new(), total: Some(0) }).await;
    exchange.tell(Input::DirectoryEnd(Ok(()))).await;
    desk.view(|view| view.colleagues.is_empty()).await;
    desk.quit().await;
}

#[tokio::test]
async fn a_list_of_lamps_names_colleagues_and_lights_their_lamps() {
    let pbx = pbx().await;
    let mut config = config(&pbx, "101");
    let account = pbx.ready().accounts.iter().find(|one| one.extension == "101").unwrap();
    config.accounts[0].blf_list.clone_from(&account.blf);
    let mut desk = Desk::start(StartOptions { config, ..options() }).await.unwrap();
    desk.account(AccountState::Registered).await;
    let view = desk.view(|view| view.colleagues.len() > 40).await;
    let anybody = &view.colleagues[0];
    assert!(!anybody.watch && anybody.account == "main" && !anybody.name.is_empty());
    assert!(view.colleagues.iter().all(|who| who.number != "101"), "not oneself");
    desk.event(|event| match event {
        Event::LineState(line) if line.state == LineState::Idle => Some(()),
        _ => None,
    })
    .await;
    desk.quit().await;
}

#[tokio::test]
async fn an_exchange_that_tells_its_list_is_asked_for_no_line_twice() {
    let pbx = pbx().await;
    let mut config = config(&pbx, "101");
    let account = pbx.ready().accounts.iter().find(|one| one.extension == "101").unwrap();
    let xsi = format!(
        "[[account]]\naor = \"sip:x@y\"\n[account.xsi]\nactions_url = \"{0}\"\nevents_url = \"{0}\"\nuser = \"{1}\"\npassword = \"{2}\"\n",
        pbx.ready().xsi,
        account.xsi_user,
        account.xsi_password
    );
    config.accounts[0].xsi.clone_from(&Config::parse(&xsi).unwrap().accounts[0].xsi);
    let mut desk = Desk::start(StartOptions { config, ..options() }).await.unwrap();
    let view = desk
        .view(|view| {
            view.colleagues.len() > 40
                && view.colleagues.iter().any(|who| !who.department.is_empty())
        })
        .await;
    assert!(view.colleagues.iter().all(|who| !who.watch));
    let mut lit = BTreeSet::new();
    while lit.len() < view.colleagues.len() {
        let line = desk
            .event(|event| match event {
                Event::LineState(line) if line.state != LineState::Unknown => Some(*line),
                _ => None,
            })
            .await;
        lit.insert(line.uri);
    }
    desk.quit().await;
}

#[tokio::test]
async fn extensions_in_a_list_of_contacts_are_colleagues_until_the_list_goes() {
    let text = "[[account]]\nid = \"main\"\naor = \"sip:101@127.0.0.1\"\nregister = false\n\
                [network]\nbind = \"127.0.0.1\"\n";
    let config = Config::parse(text).unwrap();
    let mut desk = Desk::start(StartOptions { config, ..options() }).await.unwrap();
    let csv = "Name,Department,Business Phone,Mobile Phone\n\
               Zoë Bakker,Verkoop,102,06 12345678\nReceptie,,101,\nBouwbedrijf,,033 4551290,\n";
    let data = base64::engine::general_purpose::STANDARD.encode(csv);
    let list = json!({"cmd": "contacts.import", "name": "list.csv", "data": data});
    let source = match desk.ask(list).await.unwrap() {
        Answer::Imported(report) => report.source,
        other => panic!("{other:?}"),
    };
    let view = desk.view(|view| !view.colleagues.is_empty()).await;
    assert_eq!(view.colleagues.len(), 1, "{:?}", view.colleagues);
    let who = &view.colleagues[0];
    assert_eq!((who.name.as_str(), who.number.as_str()), ("Zoë Bakker", "102"));
    assert_eq!((who.mobile.as_str(), who.watch), ("0612345678", true));
    desk.ask(json!({"cmd": "contacts.remove_source", "source": source})).await.unwrap();
    desk.view(|view| view.colleagues.is_empty()).await;
    desk.quit().await;
}
