//! Contacts of Microsoft 365: signing in with a real browser and a real OpenID provider, and a stand-in for Graph that pages,
//! throttles, forgets and withdraws as the documentation says. What is here is what is there, and no token is written anywhere.

#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::PHONES;
use e2e::balie::{Account, Balie};
use e2e::microsoft::Microsoft;
use e2e::reading::{changes, read, sync};
use serde_json::{Value, json};
use tempfile::tempdir;

/// A person at a browser on a busy machine.
const PERSON: Duration = Duration::from_secs(90);
/// A reading, with the waits that are asked for.
const READ: Duration = Duration::from_secs(60);

fn contact(id: &str, name: &str, number: usize) -> Value {
    json!({"id": id, "displayName": name, "mobilePhone": format!("06{number:08}"), "companyName": "Café Zilver"})
}

/// A thousand contacts in three folders, colleagues, acquaintances, a shared mailbox.
fn fill(microsoft: &Microsoft) -> Result<()> {
    let mut orders = vec![
        json!({"what": "folder", "id": "K/1=", "name": "Klanten"}),
        json!({"what": "folder", "id": "O2", "name": "Oud", "parent": "K/1="}),
        json!({"what": "contact", "owner": "verkoop@zilver.example", "record": contact("v1", "Proef Verkoop", 17_000_000)}),
        json!({"what": "person", "record": {"id": "p1", "displayName": "Proef Kennis", "phones": [{"type": "business", "number": "0301234567"}]}}),
    ];
    for n in 0..1000 {
        let folder = ["", "K/1=", "O2"][n % 3];
        let record = contact(&format!("c{n}"), &format!("Proef Persoon-{n}"), 12_000_000 + n);
        orders.push(json!({"what": "contact", "folder": folder, "record": record}));
    }
    for n in 0..250 {
        orders.push(json!({"what": "user", "record": {"id": format!("u{n}"), "displayName": format!("Proef Collega-{n}"),
            "businessPhones": [format!("02044{n:05}")], "accountEnabled": true}}));
    }
    microsoft.order(&json!({"what": "all", "orders": orders})).map(drop)
}

fn form(microsoft: &Microsoft) -> Value {
    let (authority, place) = (microsoft.authority(), microsoft.place());
    json!({"name": "Zaak", "settings": {"tls_ca_file": authority, "call_notes": true, "place": place}})
}

/// Signs in by one of the ways; the form with what came of it, and the last page.
fn signed_in(balie: &mut Balie, microsoft: &Microsoft, way: &str) -> Result<(Value, Value)> {
    let mut form = form(microsoft);
    let words = json!({"form": form, "way": way, "done": "Klaar <b>", "refused": "Nee"});
    let begun = balie.request("sources.sign_in", &words)?;
    let text = |name: &str| begun[name].as_str().unwrap_or_default().to_owned();
    let page = microsoft.sign_in(&text("page"), &text("code"))?;
    let id = &begun["sign_in"];
    let over = balie.request_within("sources.signed_in", &json!({"sign_in": id}), PERSON)?;
    ensure!(over["ok"] == true && over["account"] == "jan@zilver.example", "{over} {page}");
    form["sign_in"] = id.clone();
    Ok((form, page))
}

fn is_equal(balie: &mut Balie, microsoft: &Microsoft, what: &str) -> Result<()> {
    let hits = balie.request("contacts.search", &json!({"text": "proef", "limit": 5000}))?;
    let mut here = BTreeMap::new();
    for hit in hits.as_array().context("a list")?.iter().filter(|hit| hit["kind"] == "contact") {
        let text = |name: &str| hit[name].as_str().unwrap_or_default().to_owned();
        ensure!(
            here.insert(text("name"), text("target")).is_none(),
            "{what}: {hit} is there twice"
        );
    }
    let there = microsoft.everybody()?;
    ensure!(here == there, "{what}: {} here, {} there", here.len(), there.len());
    Ok(())
}

/// Nothing that opens anything stands in a log or a file.
fn no_token_anywhere(microsoft: &Microsoft, folder: &Path) -> Result<()> {
    let seen = microsoft.order(&json!({"what": "seen"}))?;
    let tokens = seen["tokens"].as_array().context("tokens")?;
    ensure!(tokens.len() > 4, "{seen}");
    let mut open = vec![folder.to_path_buf()];
    let mut files = 0;
    while let Some(path) = open.pop() {
        // The browser's own folder is the browser's.
        if path.ends_with("microsoft") {
            continue;
        }
        if path.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                open.push(entry?.path());
            }
            continue;
        }
        files += 1;
        let bytes = std::fs::read(&path)?;
        for token in tokens.iter().filter_map(Value::as_str) {
            let found = bytes.windows(token.len()).any(|window| window == token.as_bytes());
            ensure!(!found, "{} holds a token", path.display());
        }
    }
    ensure!(files >= 3, "settings, log and database: {files}");
    Ok(())
}

#[test]
fn a_thousand_contacts_are_kept_equal_through_throttling_marks_that_are_too_old_and_withdrawn_consent()
-> Result<()> {
    let folder = tempdir()?;
    let microsoft = Microsoft::start(folder.path())?;
    fill(&microsoft)?;
    let config = Account::direct("901", PHONES, 0).write(folder.path(), PHONES)?;
    let mut balie = Balie::start(&config, "none")?;
    let test = balie.request("sources.test", &json!({"form": form(&microsoft)}))?;
    ensure!(test["ok"] == false && test["trouble"] == "sign_in", "{test}");
    let (mut form, page) = signed_in(&mut balie, &microsoft, "browser")?;
    ensure!(page["text"] == "Klaar <b>", "the words stay words: {page}");
    let test = balie.request_within("sources.test", &json!({"form": form}), READ)?;
    ensure!(test["ok"] == true && test["names"][0] == "Jan de Wit", "{test}");
    let source = balie.request("sources.add", &json!({"form": form}))?["id"].clone();
    let first = read(&mut balie, READ)?;
    ensure!(changes(&first) == (json!(true), json!(1252), json!(0)), "{first}");
    println!("Graph, first reading of 1252: {} ms", first["change"]["millis"]);
    is_equal(&mut balie, &microsoft, "first")?;

    let changed = [
        json!({"what": "contact", "folder": "O2", "record": contact("c2", "Proef Anders", 19_000_000)}),
        json!({"what": "contact_gone", "folder": "K/1=", "id": "c1"}),
        json!({"what": "user_gone", "id": "u7"}),
        json!({"what": "user", "record": {"id": "nieuw", "displayName": "Proef Nieuw", "businessPhones": ["0201110000"]}}),
    ];
    microsoft.order(&json!({"what": "all", "orders": changed}))?;
    let delta = sync(&mut balie, &source, READ)?;
    ensure!(changes(&delta) == (json!(false), json!(2), json!(2)), "{delta}");
    println!("Graph, two new or changed, two gone: {} ms", delta["change"]["millis"]);
    is_equal(&mut balie, &microsoft, "delta")?;
    let nothing = sync(&mut balie, &source, READ)?;
    ensure!(changes(&nothing) == (json!(false), json!(0), json!(0)), "{nothing}");
    troubles(&mut balie, &microsoft, &source)?;

    // Consent is withdrawn: it stands still until somebody signs in again, and everybody is still here.
    microsoft.order(&json!({"what": "revoke"}))?;
    let revoked = sync(&mut balie, &source, READ)?;
    ensure!(revoked["state"] == "stopped" && revoked["trouble"] == "sign_in", "{revoked}");
    is_equal(&mut balie, &microsoft, "without consent")?;
    form["sign_in"] = signed_in(&mut balie, &microsoft, "browser")?.0["sign_in"].clone();
    balie.forget("source.state");
    balie.request("sources.change", &json!({"source": source, "form": form}))?;
    let again = read(&mut balie, READ)?;
    ensure!(changes(&again) == (json!(false), json!(0), json!(0)), "{again}");
    no_token_anywhere(&microsoft, folder.path())
}

fn troubles(balie: &mut Balie, microsoft: &Microsoft, source: &Value) -> Result<()> {
    microsoft.order(&json!({"what": "busy", "times": 2, "after": 1}))?;
    let busy = sync(balie, source, READ)?;
    ensure!(changes(&busy) == (json!(false), json!(0), json!(0)), "{busy}");
    ensure!(busy["change"]["millis"].as_u64() >= Some(2000), "two waits of a second: {busy}");
    microsoft.order(&json!({"what": "stale", "times": 1}))?;
    let renewed = sync(balie, source, READ)?;
    ensure!(
        changes(&renewed) == (json!(false), json!(0), json!(0)),
        "renewed in silence: {renewed}"
    );
    // All marks are too old: all is read again, and only what differs is written.
    let changed = [
        json!({"what": "contact_gone", "id": "c3"}),
        json!({"what": "user", "record": {"id": "u8", "displayName": "Proef Gewijzigd", "businessPhones": ["0201110001"]}}),
        json!({"what": "outdate"}),
    ];
    microsoft.order(&json!({"what": "all", "orders": changed}))?;
    let resynced = sync(balie, source, READ)?;
    ensure!(resynced["change"]["put"] == 1 && resynced["change"]["gone"] == 1, "{resynced}");
    println!("Graph, everything again after 410: {} ms", resynced["change"]["millis"]);
    is_equal(balie, microsoft, "after 410")?;
    // The connection breaks in the middle: nothing of it is kept, and the next reading has it.
    microsoft.order(&json!({"what": "all", "orders": [
        {"what": "contact", "record": contact("last", "Proef Laatste", 19_000_001)}, {"what": "broken", "times": 1}]}))?;
    let broken = sync(balie, source, READ)?;
    ensure!(broken["state"] == "failed" && broken["trouble"] == "broken", "{broken}");
    let back = read(balie, READ)?;
    ensure!(changes(&back) == (json!(false), json!(1), json!(0)), "{back}");
    is_equal(balie, microsoft, "after it broke")
}

#[test]
fn a_code_typed_in_another_browser_signs_in_too() -> Result<()> {
    let folder = tempdir()?;
    let microsoft = Microsoft::start(folder.path())?;
    fill(&microsoft)?;
    let config = Account::direct("901", PHONES, 0).write(folder.path(), PHONES)?;
    let mut balie = Balie::start(&config, "none")?;
    // Called off: whoever waits is told, and it is forgotten.
    let asked = json!({"form": form(&microsoft), "way": "code"});
    let begun = balie.request("sources.sign_in", &asked)?;
    ensure!(begun["code"].is_string(), "{begun}");
    let id = json!({"sign_in": begun["sign_in"]});
    balie.request("sources.sign_in_cancel", &id)?;
    let gone = balie.request("sources.signed_in", &id);
    ensure!(gone.is_err_and(|error| error.to_string().contains("unknown_entry")), "gone");
    let (form, page) = signed_in(&mut balie, &microsoft, "code")?;
    ensure!(page["text"].as_str().is_some_and(|text| text.contains("Success")), "{page}");
    balie.request("sources.add", &json!({"form": form}))?;
    let first = read(&mut balie, READ)?;
    ensure!(changes(&first) == (json!(true), json!(1252), json!(0)), "{first}");
    is_equal(&mut balie, &microsoft, "first")?;
    microsoft.order(&json!({"what": "all", "orders": [
        {"what": "user", "record": {"id": "d", "displayName": "Proef Dubbel", "businessPhones": [DOUBLE], "mail": "Dubbel@zilver.example"}},
        {"what": "contact", "record": {"id": "d", "displayName": "proef dubbel", "businessPhones": ["+31 30 777 00 00"], "companyName": "Zilver"}},
        {"what": "schedule", "address": "dubbel@zilver.example", "items": [
            {"status": "busy", "start": 0, "end": 60, "subject": "Sollicitatie", "location": "Kamer 3", "private": true}]},
    ]}))?;
    sync(&mut balie, &json!(1), READ)?;
    one_person_of_two_entries(&mut balie)?;
    free_by_the_calendar(&mut balie, &config)?;
    a_note_in_the_calendar_once(&mut balie, &microsoft)?;
    no_token_anywhere(&microsoft, folder.path())
}

/// Who is there twice.
const DOUBLE: &str = "0307770000";

/// The contacts with that number.
fn double(balie: &mut Balie) -> Result<Vec<Value>> {
    let hits = balie.request("contacts.lookup", &json!({"number": DOUBLE}))?;
    let hits = hits.as_array().context("a list")?.iter();
    Ok(hits.filter(|hit| hit["kind"] == "contact").map(|hit| hit["contact"].clone()).collect())
}

fn one_person_of_two_entries(balie: &mut Balie) -> Result<()> {
    let found = double(balie)?;
    ensure!(found.len() == 1, "{found:?}");
    let whole = balie.request("contacts.get", &json!({"contact": found[0]}))?;
    let parts = whole["parts"].as_array().context("parts")?.clone();
    ensure!(parts.len() == 2 && whole["company"] == "Zilver", "{whole}");
    ensure!(whole["email"] == "Dubbel@zilver.example" && whole["numbers"][1].is_null(), "{whole}");
    balie.request("contacts.split", &json!({"contact": parts[1]["contact"]}))?;
    let two = double(balie)?;
    ensure!(two.len() == 2, "several are shown as several: {two:?}");
    let again = balie.request("contacts.merge", &json!({"contacts": two}))?;
    ensure!(again["parts"][1].is_object() && double(balie)?.len() == 1, "{again}");
    let nobody = balie.request("contacts.split", &json!({"contact": 999_999}));
    ensure!(nobody.is_err_and(|error| error.to_string().contains("unknown_entry")), "nobody");
    Ok(())
}

/// The first try is heard and its answer is lost: the second makes no second entry.
fn a_note_in_the_calendar_once(balie: &mut Balie, microsoft: &Microsoft) -> Result<()> {
    microsoft.order(&json!({"what": "lost", "times": 1}))?;
    balie.request("note.add", &json!({"number": "0201110001", "text": "belt maandag"}))?;
    let events = e2e::poll("the note in the calendar", READ, || {
        let events = microsoft.order(&json!({"what": "events"})).ok()?;
        (events[0]["tries"] == 2).then_some(events)
    })?;
    ensure!(events.as_array().is_some_and(|all| all.len() == 1), "{events}");
    ensure!(events[0]["body"]["content"] == "belt maandag", "{events}");
    ensure!(events[0]["subject"].as_str().is_some_and(|who| who.contains("020")), "{events}");
    Ok(())
}

fn free_by_the_calendar(balie: &mut Balie, config: &Path) -> Result<()> {
    let asked = json!({"numbers": [DOUBLE, "0201110000", "geen"]});
    let told = balie.request_within("contacts.availability", &asked, READ)?;
    let told = told.as_array().context("a list")?.clone();
    ensure!(
        told.len() == 1 && told[0]["number"] == DOUBLE && told[0]["kind"] == "busy",
        "{told:?}"
    );
    ensure!(
        told[0]["free_ms"] == told[0]["until_ms"] && told[0]["free_ms"].is_number(),
        "{told:?}"
    );
    let log = std::fs::read_to_string(config.with_extension("log"))?;
    ensure!(!log.contains("Sollicitatie") && !format!("{told:?}").contains("Kamer"), "times only");
    Ok(())
}
