//! Colleagues of real exchanges: from the directory, from the list of lamps, from the lists of contacts.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;

use app::StartOptions;
use app::config::Config;
use app::control::Answer;
use app::event::Event;
use app::view::targets::TargetKind;
use app::view::{AccountState, CallState, CallView, HitKind, LineState, SearchHit};
use base64::Engine as _;
use pbx::centre::{DirectoryEntry, HuntGroup, Input};
use serde_json::json;
use training_pbx::{CustomerCall, PbxHandle};

use crate::centre::begin;
use crate::desk::{Desk, config, options, pbx};
use crate::exchange::{Exchange, bert, config as two, exchanges, me};

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

#[tokio::test]
async fn two_companies_with_one_extension_are_two_results() {
    let (exchanges, mut ports) = exchanges();
    let options = StartOptions { config: two(&["main", "other"]), exchanges, ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    for name in ["Bakkerij", "Slagerij"] {
        let exchange = Exchange::of(&mut ports).await;
        exchange.begins().await;
        let entries = vec![entry("Jan", name, "201", "")];
        exchange.tell(Input::Directory { first: true, entries, total: Some(1) }).await;
        exchange.tell(Input::DirectoryEnd(Ok(()))).await;
    }
    let view = desk.view(|view| view.colleagues.len() == 2).await;
    let of = |name: &str| view.colleagues.iter().find(|who| who.name == name).unwrap();
    let hits = desk.found("201").await;
    let hits: Vec<&SearchHit> = hits.iter().filter(|hit| hit.kind == HitKind::Colleague).collect();
    assert_eq!(hits.len(), 2, "{hits:?}");
    for hit in hits {
        assert_eq!(hit.account.as_deref(), Some(of(&hit.name).account.as_str()), "{hit:?}");
    }
    assert_ne!(of("Jan Bakkerij").account, of("Jan Slagerij").account);
    desk.quit().await;
}

/// Rings from a number; the call as it is shown.
async fn rung(desk: &mut Desk, pbx: &PbxHandle, number: &str) -> CallView {
    let customer = CustomerCall { number: Some(number.into()), ..CustomerCall::to("101") };
    pbx.customer_call(customer).await.unwrap();
    let id = desk.call(CallState::Ringing).await.call;
    let view = desk.view(|view| view.calls.iter().any(|call| call.id == id)).await;
    desk.do_with("call.reject", id).await;
    desk.call(CallState::Ended).await;
    view.calls.into_iter().find(|call| call.id == id).unwrap()
}

#[tokio::test]
async fn whoever_is_known_to_have_a_callers_number_is_shown() {
    let pbx = pbx().await;
    let mut desk = Desk::registered(&pbx, "101").await;
    let csv = "Name,Company,Department,Business Phone\n\
               Eva Prins,Bouwbedrijf Prins,Inkoop,033 4551290\n\
               Jan de Wit,Garage de Wit,,030 2310002\nMia de Wit,,Thuis,030 2310002\n\
               A,,,030 2310004\nB,,,030 2310004\nC,,,030 2310004\nD,,,030 2310004\n";
    let data = base64::engine::general_purpose::STANDARD.encode(csv);
    let list = json!({"cmd": "contacts.import", "name": "list.csv", "data": data});
    desk.ask(list).await.unwrap();
    let known = |call: &CallView| -> Vec<String> {
        let each = call.peer.known.iter().map(|known| format!("{}/{}", known.name, known.of));
        each.collect()
    };
    let nobody = rung(&mut desk, &pbx, "0302310009").await;
    assert_eq!((known(&nobody), nobody.peer.known_more), (Vec::new(), 0));
    let one = rung(&mut desk, &pbx, "0334551290").await;
    assert_eq!(known(&one), ["Eva Prins/Bouwbedrijf Prins"]);
    assert_eq!(one.peer.name, "Eva Prins");
    let two = rung(&mut desk, &pbx, "0302310002").await;
    assert_eq!(known(&two), ["Jan de Wit/Garage de Wit", "Mia de Wit/Thuis"]);
    assert!(!two.peer.name.contains("de Wit"), "which of them it is nobody knows: {two:?}");
    let many = rung(&mut desk, &pbx, "0302310004").await;
    assert_eq!((many.peer.known.len(), many.peer.known_more), (3, 1));
    // What is remembered of a call is who called, not who else has the number by now.
    let view = desk.view(|view| view.history.len() == 4).await;
    assert!(view.history.iter().all(|past| past.peer.known.is_empty()));
    desk.quit().await;
}

/// The main number of the embedded exchange, as another exchange may write it.
const MAIN: &str = "+31-887654000";

#[tokio::test]
async fn a_group_that_a_caller_came_by_is_called_by_its_name() {
    let pbx = pbx().await;
    let (exchanges, mut ports) = exchanges();
    let mut config = config(&pbx, "101");
    config.accounts[0].xsi = two(&["main"]).accounts[0].xsi.clone();
    let options = StartOptions { config, exchanges, ..options() };
    let mut desk = Desk::start(options).await.unwrap();
    desk.account(AccountState::Registered).await;
    let exchange = Exchange::of(&mut ports).await;
    exchange.begins().await;
    let menu = DirectoryEntry { is_virtual: true, ..entry("", "Keuzemenu", MAIN, "") };
    exchange.tell(Input::Directory { first: true, entries: vec![menu], total: Some(1) }).await;
    exchange.tell(Input::DirectoryEnd(Ok(()))).await;
    while desk.found("Keuzemenu").await.is_empty() {
        desk.breath().await;
    }
    let group = HuntGroup {
        id: "sales".into(),
        name: "Verkoop".into(),
        number: MAIN.into(),
        policy: None,
        members: Vec::new(),
        next: None,
        told: false,
        joined: false,
        may_leave: false,
    };
    for (groups, name) in [(vec![group], "Verkoop"), (Vec::new(), "Keuzemenu")] {
        let told = groups.len();
        exchange.tell(Input::HuntGroups(groups)).await;
        desk.centre(|view| view.hunt_groups.len() == told).await;
        pbx.customer_call(CustomerCall::to(pbx.ready().numbers.main.clone())).await.unwrap();
        let id = desk.call(CallState::Ringing).await.call;
        let view = desk.view(|view| view.calls.iter().any(|call| call.id == id)).await;
        let call = view.calls.into_iter().find(|call| call.id == id).unwrap();
        assert_eq!(call.diverted_from.as_deref(), Some(&*format!("{name} (088 765 40 00)")));
        desk.do_with("call.reject", id).await;
        desk.call(CallState::Ended).await;
    }
    desk.quit().await;
}
