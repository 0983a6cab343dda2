//! What the headless program remembers: calls over a restart and over being killed, contacts of files, notes, and what
//! is erased.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::balie::{Account, Balie};
use e2e::embedded::Embedded;
use serde_json::{Value, json};
use tempfile::tempdir;

const LOOPBACK: &str = "127.0.0.1";
/// Later than any call.
const EVER: u64 = 1 << 52;

/// All calls, as the database has them.
fn kept(balie: &mut Balie) -> Result<Vec<Value>> {
    let calls = balie.request("history.list", &json!({"before_ms": EVER}))?;
    Ok(calls.as_array().context("a list")?.clone())
}

fn missed(balie: &mut Balie) -> Result<Value> {
    Ok(balie.request("view.get", &json!({}))?["missed"].clone())
}

#[test]
fn calls_survive_a_restart_and_a_kill_and_a_missed_caller_is_called_back() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let config = pbx.account("101")?.write(folder.path(), LOOPBACK)?;
    let echo = pbx.number("echo")?;
    let mut balie = Balie::start(&config, "null")?;
    balie.registered()?;
    pbx.turn(&json!({
        "cmd": "customer.call", "to": "101", "name": "Garage Smit", "number": echo, "patience_s": 1,
    }))?;
    let call = balie.ringing()?;
    balie.call_state(&call, "ended")?;
    let calls = kept(&mut balie)?;
    ensure!(calls.len() == 1 && calls[0]["outcome"] == "missed", "{calls:?}");
    // Killed: what the program has told of is on the disk.
    drop(balie);

    let mut balie = Balie::start(&config, "null")?;
    balie.registered()?;
    ensure!(kept(&mut balie)?.len() == 1, "the call is there again");
    let shown = balie.request("history.list", &json!({}))?;
    ensure!(shown[0]["peer"]["name"] == "Garage Smit", "{shown}");
    ensure!(shown[0]["called_back"].is_null(), "{shown}");
    ensure!(missed(&mut balie)? == 1, "nobody has looked at it");
    balie.request("history.seen", &json!({}))?;
    let call = balie.dial(&echo)?;
    balie.hangup(&call)?;
    let shown = balie.request("history.list", &json!({}))?;
    ensure!(shown[0]["direction"] == "out" && shown[0]["outcome"] == "answered", "{shown}");
    ensure!(shown[1]["called_back"]["by"] == "Test 101", "{shown}");
    ensure!(balie.quit()? == 0, "quit is an orderly end");

    let mut balie = Balie::start(&config, "null")?;
    let calls = kept(&mut balie)?;
    ensure!(calls.len() == 2, "{calls:?}");
    ensure!(calls[1]["called_back"]["by"] == "Test 101", "{calls:?}");
    ensure!(calls[0]["id"] != calls[1]["id"], "{calls:?}");
    ensure!(missed(&mut balie)? == 0, "it was looked at");
    let with = balie.request("history.list", &json!({"number": echo, "limit": 1}))?;
    ensure!(with.as_array().is_some_and(|calls| calls.len() == 1), "{with}");
    let erased = balie.request("privacy.erase", &json!({"number": echo}))?;
    ensure!(erased["calls"] == 2, "{erased}");
    ensure!(kept(&mut balie)?.is_empty(), "all are gone");
    ensure!(balie.request("history.list", &json!({}))? == json!([]), "here too");
    Ok(())
}

/// A customer rings and gives up after a second.
fn rings_in_vain(pbx: &Embedded, balie: &mut Balie, number: &str) -> Result<()> {
    pbx.turn(&json!({
        "cmd": "customer.call", "to": "101", "name": "Klant", "number": number, "patience_s": 1,
    }))?;
    let call = balie.ringing()?;
    balie.call_state(&call, "ended")?;
    balie.forget("call.state");
    Ok(())
}

/// All calls that are kept, newest first: how each went, whether elsewhere, and with whom.
fn history(balie: &mut Balie) -> Result<Vec<(Value, Value, String)>> {
    let calls = kept(balie)?.into_iter().map(|call| {
        let number = call["peer"]["number"].as_str().unwrap_or_default().replace(' ', "");
        (call["outcome"].clone(), call["elsewhere"].clone(), number)
    });
    Ok(calls.collect())
}

#[test]
fn calls_of_another_telephone_are_in_the_history_and_those_of_this_one_once() -> Result<()> {
    let (folder, other) = (tempdir()?, tempdir()?);
    let pbx = Embedded::start()?;
    let echo = pbx.number("echo")?;
    // The other telephone knows nothing of the exchange's list.
    let plain = pbx.account("101")?.write(other.path(), LOOPBACK)?;
    let services = pbx.account_with_services("101", None)?.write(folder.path(), LOOPBACK)?;
    let mut telephone = Balie::start(&plain, "null")?;
    telephone.registered()?;
    rings_in_vain(&pbx, &mut telephone, "0612345601")?;
    let call = telephone.dial(&echo)?;
    telephone.hangup(&call)?;
    ensure!(telephone.quit()? == 0, "an orderly end");

    let mut balie = Balie::start(&services, "null")?;
    balie.registered()?;
    let mut known = poll_history(&mut balie, 2)?;
    ensure!(known[0] == (json!("placed"), json!(true), echo), "{known:?}");
    ensure!(known[1] == (json!("missed"), json!(true), "0612345601".into()), "{known:?}");
    ensure!(missed(&mut balie)? == 1, "missed while nobody was here");
    rings_in_vain(&pbx, &mut balie, "0612345602")?;
    ensure!(balie.quit()? == 0, "an orderly end");

    let mut telephone = Balie::start(&plain, "null")?;
    telephone.registered()?;
    rings_in_vain(&pbx, &mut telephone, "0612345603")?;
    ensure!(telephone.quit()? == 0, "an orderly end");
    let mut balie = Balie::start(&services, "null")?;
    known.insert(0, (json!("missed"), json!(false), "0612345602".into()));
    known.insert(0, (json!("missed"), json!(true), "0612345603".into()));
    let all = poll_history(&mut balie, 4)?;
    ensure!(all == known, "what ran here is there once: {all:?}");
    Ok(())
}

fn poll_history(balie: &mut Balie, least: usize) -> Result<Vec<(Value, Value, String)>> {
    e2e::poll("the list of the exchange", Duration::from_secs(60), || {
        history(balie).ok().filter(|calls| calls.len() >= least)
    })
}

/// People of a search or a lookup, by their names.
fn names(balie: &mut Balie, cmd: &str, arguments: &Value) -> Result<Vec<Value>> {
    let hits = balie.request(cmd, arguments)?;
    let hits = hits.as_array().context("a list")?.iter();
    Ok(hits.filter(|hit| hit["kind"] == "contact").map(|hit| hit["name"].clone()).collect())
}

/// Who is imported is found by part of a name, of a number, and by initials.
fn are_found(balie: &mut Balie) -> Result<()> {
    for (text, name) in [
        ("zoe", "Zoë de Wit"),
        ("zilver", "Zoë de Wit"),
        ("pietsmit", ""),
        ("mulle", "Jörg Müller"),
        ("345678", "Piet Smit"),
        ("ps", "Piet Smit"),
    ] {
        let found = names(balie, "contacts.search", &json!({"text": text}))?;
        let expected: Vec<Value> =
            Some(json!(name)).filter(|_| !name.is_empty()).into_iter().collect();
        ensure!(found == expected, "{text}: {found:?}");
    }
    Ok(())
}

#[test]
fn a_file_of_contacts_is_looked_at_kept_searched_and_taken_back() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let config = pbx.account("101")?.write(folder.path(), LOOPBACK)?;
    let list = folder.path().join("klanten.csv");
    // As Outlook for Windows writes it in Dutch.
    let text = b"Voornaam;Middelste naam;Achternaam;Bedrijf;Telefoon op werk;Mobiele telefoon\r\n\
        Zo\xeb;de;Wit;Caf\xe9 Zilver;030 - 231 88 00;\r\n\
        Piet;;Smit;Garage Smit;030 231 88 00 tst. 12;06-12345678\r\n\
        ;;;;0201234567;\r\n";
    std::fs::write(&list, text)?;
    let mut balie = Balie::start(&config, "none")?;
    let preview = balie.request("contacts.preview", &json!({"path": list}))?;
    ensure!(preview["encoding"] == "windows1252" && preview["delimiter"] == ";", "{preview}");
    ensure!(preview["columns"][5]["field"] == "mobile" && preview["rows"] == 3, "{preview}");
    ensure!(balie.request("contacts.sources", &json!({}))? == json!([]), "nothing is kept yet");
    let report = balie.request("contacts.import", &json!({"path": list}))?;
    ensure!(report["added"] == 2 && report["left_out"] == 1, "{report}");
    ensure!(report["problems"][0] == json!({"line": 4, "kind": "no_name"}), "{report}");
    let cards = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:J\u{f6}rg M\u{fc}ller\r\nTEL;TYPE=CELL:+49 171 1234567\r\nEND:VCARD\r\n";
    let data = base64(cards.as_bytes());
    let second = balie.request("contacts.import", &json!({"data": data, "name": "cards"}))?;
    ensure!(second["added"] == 1, "{second}");
    drop(balie);

    let mut balie = Balie::start(&config, "none")?;
    // The lists are read behind this one.
    ensure!(
        balie.request("contacts.sources", &json!({}))?.as_array().is_some_and(|s| s.len() == 2),
        "two lists"
    );
    are_found(&mut balie)?;
    // Several people with one number are several.
    let both = names(&mut balie, "contacts.lookup", &json!({"number": "+31302318800"}))?;
    ensure!(both == [json!("Zoë de Wit"), json!("Piet Smit")], "{both:?}");
    let note =
        balie.request("note.add", &json!({"number": "0612345678", "text": "belt maandag"}))?;
    let notes = balie.request("note.list", &json!({"number": "+31 6 12345678"}))?;
    ensure!(notes[0] == note, "{notes}");
    let hits = balie.request("contacts.search", &json!({"text": "piet smit"}))?;
    let contact = hits[0]["contact"].clone();
    let known = balie.request("privacy.export", &json!({"contact": contact}))?;
    ensure!(known["notes"][0]["text"] == "belt maandag", "{known}");
    ensure!(known["contacts"][0]["numbers"][1]["label"] == "mobile", "{known}");
    let erased = balie.request("privacy.erase", &json!({"contact": contact}))?;
    ensure!(erased["contacts"] == 1 && erased["notes"] == 1, "{erased}");
    balie.request("contacts.remove_source", &json!({"source": second["source"]}))?;
    let left = names(&mut balie, "contacts.search", &json!({"text": "muller"}))?;
    ensure!(left.is_empty(), "{left:?}");
    let gone = balie.request("contacts.remove_source", &json!({"source": second["source"]}));
    ensure!(gone.is_err_and(|error| error.to_string().contains("unknown_entry")), "gone");
    let picture = balie.request("contacts.import", &json!({"data": base64(b"PK\x03\x04\0\0")}));
    ensure!(picture.is_err_and(|error| error.to_string().contains("bad_file")), "no list");
    Ok(())
}

#[test]
fn a_caller_has_his_name_with_the_first_word_about_his_call() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let config = pbx.account("101")?.write(folder.path(), LOOPBACK)?;
    let mut balie = Balie::start(&config, "null")?;
    balie.registered()?;
    let mut list = "Naam,Telefoon,Mobiel\r\nGarage Smit,0201234567,\r\n".to_owned();
    for n in 0..3_000 {
        list.push_str(&format!("Klant {n},,06{:08}\r\n", 30_000_000 + n));
    }
    let data = base64(list.as_bytes());
    let report = balie.request("contacts.import", &json!({"data": data, "name": "klanten.csv"}))?;
    ensure!(report["added"] == 3_001, "{report}");
    // Two with one number are not told apart by it.
    let both = base64(b"Naam,Telefoon\r\nJan de Wit,0307654321\r\nEls de Wit,0307654321\r\n");
    balie.request("contacts.import", &json!({"data": both, "name": "thuis.csv"}))?;
    for (number, name) in [
        ("+31630001234", "Klant 1234"),
        ("+31201234567", "Garage Smit"),
        ("+31307654321", "Wie hij zegt"),
    ] {
        pbx.turn(&json!({
            "cmd": "customer.call", "to": "101", "name": "Wie hij zegt", "number": number, "patience_s": 2,
        }))?;
        // The first that is told of the call, whatever its state.
        let first = balie.event("call.state", |event| event["direction"] == "in")?;
        ensure!(first["peer"]["name"] == name, "{first}");
        balie.call_state(&first["call"], "ended")?;
        balie.forget("call.state");
    }
    Ok(())
}

#[test]
fn a_source_that_cannot_be_reached_is_told_tried_again_and_outlives_the_run() -> Result<()> {
    let folder = tempdir()?;
    let config = Account::direct("901", LOOPBACK, 0).write(folder.path(), LOOPBACK)?;
    let mut balie = Balie::start(&config, "none")?;
    // Nothing listens there.
    let form = json!({"name": "Zaak", "settings": {"place": {"kind": "carddav", "address": "http://127.0.0.1:1/"}}});
    let added = balie.request("sources.add", &json!({"form": form}))?;
    let source = added["id"].clone();
    for _ in 0..2 {
        balie.event("source.state", |event| event["state"] == "syncing")?;
        balie.event("source.state", |event| event["trouble"] == "unreachable")?;
    }
    let wrong = json!({"settings": {"place": {"kind": "ldap", "host": "a b"}}});
    let refused = balie.request("sources.add", &json!({"form": wrong}));
    ensure!(refused.is_err_and(|error| error.to_string().contains("bad_value")), "no host");
    drop(balie);

    let mut balie = Balie::start(&config, "none")?;
    let list = balie.request("sources.list", &json!({}))?;
    ensure!(list[0]["id"] == source && list[0]["name"] == "Zaak", "{list}");
    ensure!(list[0]["trouble"] == "unreachable", "why it failed last is known: {list}");
    let place = json!({"kind": "ldap", "host": "127.0.0.1", "port": 1, "user": "cn=balie"});
    let form = json!({"settings": {"place": place}});
    let changed = balie.request("sources.change", &json!({"source": source, "form": form}))?;
    ensure!(changed["state"] == "stopped" && changed["trouble"] == "password_needed", "{changed}");
    let asked = balie.request("sources.sync", &json!({"source": source}));
    ensure!(asked.is_err_and(|error| error.to_string().contains("password_needed")), "no password");
    balie.request("contacts.remove_source", &json!({"source": source}))?;
    ensure!(balie.request("sources.list", &json!({}))? == json!([]), "it is gone");
    Ok(())
}

#[test]
fn a_number_is_described_as_it_would_be_dialled() -> Result<()> {
    let folder = tempdir()?;
    let pbx = Embedded::start()?;
    let config = pbx.account("101")?.write(folder.path(), LOOPBACK)?;
    let mut balie = Balie::start(&config, "none")?;
    let table = [
        ("112", "112", "emergency", false),
        ("0900-8844", "09008844", "premium", true),
        ("030 2318800 tst. 12", "0302318800", "geographic", false),
        ("+31 (0)6 12345678", "+31612345678", "mobile", false),
        ("*21*0612345678#", "*21*0612345678#", "feature_code", false),
        ("+32 471 23 45 67", "+32471234567", "international", true),
    ];
    for (text, dial, kind, asks) in table {
        let found = balie.request("number.describe", &json!({"text": text}))?;
        ensure!(
            found["dial"] == dial && found["kind"] == kind && found["asks_first"] == asks,
            "{found}"
        );
    }
    let found = balie.request("number.describe", &json!({"text": "030 2318800 tst. 12"}))?;
    ensure!(found["extension"] == "12" && found["key"] == "+31302318800", "{found}");
    let found = balie.request("number.describe", &json!({"text": "+32 471 23 45 67"}))?;
    ensure!(found["country"] == "BE", "{found}");
    ensure!(balie.request("number.describe", &json!({"text": "Jan"}))?["kind"] == "name", "a name");
    Ok(())
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
