//! Contacts from real servers: Radicale and Xandikos by CardDAV, slapd and a domain controller of Active Directory (Samba) by
//! LDAP. What is here is what is there, also after the server died in the middle, and nothing is there twice.

#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::address_books::{self, AddressBook, Card, Kind};
use e2e::balie::{Account, Balie};
use e2e::directory::{self, Directory, Person};
use e2e::domain::{self, Domain};
use e2e::embedded::Embedded;
use e2e::reading::{changes, read, read_well, sync, view};
use e2e::{PHONES, SERVER, poll};
use serde_json::{Value, json};
use tempfile::tempdir;

/// Servers in Python make their first list slowly.
const FIRST: Duration = Duration::from_secs(120);
/// Back after a failure: the longest wait of those that this test can cause, and the reading.
const BACK: Duration = Duration::from_secs(60);

/// An account that registers nowhere: no server of calls is needed here.
fn quiet(folder: &Path) -> Result<PathBuf> {
    Account::direct("901", PHONES, 0).write(folder, PHONES)
}

/// Everybody in the cache whose name holds `word`, by name: the number. Twice the same name is a failure.
fn cached(balie: &mut Balie, word: &str) -> Result<BTreeMap<String, String>> {
    let hits = balie.request("contacts.search", &json!({"text": word, "limit": 5000}))?;
    let mut found = BTreeMap::new();
    for hit in hits.as_array().context("a list")?.iter().filter(|hit| hit["kind"] == "contact") {
        let text = |name: &str| hit[name].as_str().unwrap_or_default().to_owned();
        let before = found.insert(text("name"), text("target"));
        ensure!(before.is_none(), "{hit} is there twice");
    }
    Ok(found)
}

fn is_equal(
    balie: &mut Balie,
    word: &str,
    there: &BTreeMap<String, String>,
    what: &str,
) -> Result<()> {
    let here = cached(balie, word)?;
    let missing: Vec<_> =
        there.iter().filter(|(name, number)| here.get(*name) != Some(number)).collect();
    let extra: Vec<_> = here.keys().filter(|name| !there.contains_key(*name)).collect();
    ensure!(missing.is_empty() && extra.is_empty(), "{what}: missing {missing:?}, extra {extra:?}");
    Ok(())
}

fn dav_form(book: &AddressBook, password: &str) -> Value {
    json!({
        "name": "Zaak", "password": password,
        "settings": {
            "tls_ca_file": book.authority(),
            "place": {"kind": "carddav", "address": book.address(), "user": address_books::USER},
        },
    })
}

/// What is wrong is told in its own word before anything is kept.
fn trials_of_an_address_book(balie: &mut Balie, book: &AddressBook) -> Result<()> {
    let good = dav_form(book, address_books::PASSWORD);
    let test = balie.request_within("sources.test", &json!({"form": good}), FIRST)?;
    ensure!(test["ok"] == true && test["names"][0].is_string(), "{test}");
    let mut stranger = good.clone();
    stranger["settings"]["tls_ca_file"] = json!("");
    let mut nobody = good;
    nobody["settings"]["place"]["address"] = json!(format!("https://{SERVER}:1"));
    for (form, trouble) in [
        (dav_form(book, "falsch"), "refused"),
        (dav_form(book, ""), "password_needed"),
        (stranger, "tls"),
        (nobody, "unreachable"),
    ] {
        let test = balie.request_within("sources.test", &json!({"form": form}), FIRST)?;
        ensure!(test["ok"] == false && test["trouble"] == trouble, "{trouble}: {test}");
    }
    ensure!(balie.request("sources.list", &json!({}))? == json!([]), "nothing is kept yet");
    Ok(())
}

/// Kills the server while cards are coming in, and has it back.
fn killed_in_the_middle(balie: &mut Balie, book: &mut AddressBook, source: &Value) -> Result<()> {
    for round in 0_usize..5 {
        let all: Vec<Card> = (0..1000)
            .map(|n| Card {
                number: format!("06{:08}", 20_000_000 + round * 10_000 + n),
                ..Card::nth(n)
            })
            .collect();
        book.fill(&all)?;
        let before = cached(balie, "proef")?;
        balie.forget("source.state");
        balie.request("sources.sync", &json!({"source": source}))?;
        let middle = poll("cards to come in", FIRST, || {
            let now = view(balie).ok()?;
            let (done, of) = (now["done"].as_u64()?, now["of"].as_u64()?);
            let ended = now["state"] != "syncing" && !balie_waits(&now);
            (ended || (done > 0 && done < of)).then_some(done)
        })?;
        book.kill();
        let ended = read(balie, FIRST)?;
        if ended["change"].is_object() {
            // It was too quick this time.
            book.restart()?;
            continue;
        }
        println!("killed after {middle} of 1000 cards: {}", ended["trouble"]);
        ensure!(cached(balie, "proef")? == before, "what is here stays as it was");
        let shown = view(balie)?;
        ensure!(shown["state"] == "failed" && shown["next_ms"].is_number(), "{shown}");
        book.restart()?;
        read_well(balie, BACK + FIRST)?;
        return is_equal(balie, "proef", &book.everybody()?, "after the server was back");
    }
    anyhow::bail!("the server could not be killed in the middle");
}

/// It is due, and has not begun yet.
fn balie_waits(view: &Value) -> bool {
    view["state"] == "waiting" && view["done"] == 0
}

#[test]
fn a_thousand_contacts_of_radicale_are_kept_equal_through_changes_kills_and_restarts() -> Result<()>
{
    let folder = tempdir()?;
    let mut book = AddressBook::start(Kind::Radicale, folder.path())?;
    book.fill(&(0..1000).map(Card::nth).collect::<Vec<_>>())?;
    let config = quiet(folder.path())?;
    let mut balie = Balie::start(&config, "none")?;
    trials_of_an_address_book(&mut balie, &book)?;
    let form = dav_form(&book, address_books::PASSWORD);
    let source = balie.request("sources.add", &json!({"form": form}))?["id"].clone();
    let first = read(&mut balie, FIRST)?;
    ensure!(changes(&first) == (json!(true), json!(1000), json!(0)), "{first}");
    println!("Radicale, first reading of 1000: {} ms", first["change"]["millis"]);
    is_equal(&mut balie, "proef", &book.everybody()?, "first")?;

    let note = json!({"number": Card::nth(2).number, "text": "belt maandag"});
    balie.request("note.add", &note)?;
    book.put(&Card { name: "Proef Anders van Zilver".into(), ..Card::nth(1) })?;
    book.remove(&Card::nth(2))?;
    book.put(&Card::nth(5000))?;
    let delta = sync(&mut balie, &source, FIRST)?;
    ensure!(changes(&delta) == (json!(false), json!(2), json!(1)), "{delta}");
    println!("Radicale, one changed, one new, one gone: {} ms", delta["change"]["millis"]);
    is_equal(&mut balie, "proef", &book.everybody()?, "delta")?;
    let notes = balie.request("note.list", &json!({"number": Card::nth(2).number}))?;
    ensure!(notes[0]["text"] == "belt maandag", "one's own notes stay: {notes}");
    let nothing = sync(&mut balie, &source, FIRST)?;
    ensure!(changes(&nothing) == (json!(false), json!(0), json!(0)), "{nothing}");
    println!("Radicale, nothing changed: {} ms", nothing["change"]["millis"]);

    killed_in_the_middle(&mut balie, &mut book, &source)?;

    // A contact goes there and comes back.
    balie.forget("source.state");
    let new = json!({"name": "Proef Nieuw van Zilver", "numbers": [{"label": "mobile", "number": "06 55512345"}]});
    balie.request_within(
        "sources.add_contact",
        &json!({"source": source, "contact": new}),
        FIRST,
    )?;
    let added = read_well(&mut balie, FIRST)?;
    ensure!(added["change"]["put"] == 1, "{added}");
    let there = book.everybody()?;
    ensure!(
        there.get("Proef Nieuw van Zilver").is_some_and(|number| number.contains("55512345")),
        "it is there"
    );
    let here = cached(&mut balie, "nieuw van zilver")?;
    ensure!(here.len() == 1, "{here:?}");
    drop(balie);
    after_a_restart(&config, &book, &source)
}

/// What was read is there again; without a keyring the password must be given again; nothing is there twice; and all of it
/// goes with its source.
fn after_a_restart(config: &Path, book: &AddressBook, source: &Value) -> Result<()> {
    let mut balie = Balie::start(config, "none")?;
    let shown = poll("the source to be there", BACK, || {
        view(&mut balie).ok().filter(|shown| shown["state"] == "stopped")
    })?;
    ensure!(shown["trouble"] == "password_needed" && shown["id"] == *source, "{shown}");
    let count = cached(&mut balie, "proef")?.len();
    ensure!(count == book.everybody()?.len(), "{count} are there without a server");
    balie.request(
        "sources.change",
        &json!({"source": source, "form": dav_form(book, address_books::PASSWORD)}),
    )?;
    let again = read(&mut balie, FIRST)?;
    ensure!(changes(&again) == (json!(false), json!(0), json!(0)), "{again}");
    ensure!(cached(&mut balie, "proef")?.len() == count, "nothing twice");
    balie
        .request("sources.change", &json!({"source": source, "form": dav_form(book, "falsch")}))?;
    let refused = read(&mut balie, FIRST)?;
    ensure!(refused["state"] == "stopped" && refused["trouble"] == "refused", "{refused}");
    balie.request("sources.remove", &json!({"source": source}))?;
    ensure!(balie.request("sources.list", &json!({}))? == json!([]), "it is gone");
    ensure!(cached(&mut balie, "proef")?.is_empty(), "its contacts, too");
    let gone = balie.request("sources.remove", &json!({"source": source}));
    ensure!(gone.is_err_and(|error| error.to_string().contains("unknown_entry")), "gone");
    Ok(())
}

#[test]
fn another_server_of_address_books_is_kept_equal_too() -> Result<()> {
    let folder = tempdir()?;
    let mut book = AddressBook::start(Kind::Xandikos, folder.path())?;
    book.fill(&(0..1000).map(Card::nth).collect::<Vec<_>>())?;
    let mut balie = Balie::start(&quiet(folder.path())?, "none")?;
    let form = json!({"settings": {"place": {"kind": "carddav", "address": book.address()}}});
    let source = balie.request("sources.add", &json!({"form": form}))?["id"].clone();
    let first = read(&mut balie, FIRST)?;
    ensure!(changes(&first) == (json!(true), json!(1000), json!(0)), "{first}");
    println!("Xandikos, first reading of 1000: {} ms", first["change"]["millis"]);
    is_equal(&mut balie, "proef", &book.everybody()?, "first")?;
    book.put(&Card { name: "Proef Anders van Zilver".into(), ..Card::nth(1) })?;
    book.remove(&Card::nth(2))?;
    let delta = sync(&mut balie, &source, FIRST)?;
    ensure!(changes(&delta) == (json!(false), json!(1), json!(1)), "{delta}");
    println!("Xandikos, one changed, one gone: {} ms", delta["change"]["millis"]);
    is_equal(&mut balie, "proef", &book.everybody()?, "delta")?;
    book.restart()?;
    let nothing = sync(&mut balie, &source, FIRST)?;
    ensure!(changes(&nothing) == (json!(false), json!(0), json!(0)), "{nothing}");

    // Killed while cards are coming in: another book is read from its beginning.
    let before = cached(&mut balie, "proef")?;
    let mut anew = form;
    anew["settings"]["place"]["address"] = json!(format!("{}/", book.address()));
    balie.forget("source.state");
    balie.request("sources.change", &json!({"source": source, "form": anew}))?;
    let middle = poll("cards to come in", FIRST, || {
        let now = view(&mut balie).ok()?;
        let (done, of) = (now["done"].as_u64()?, now["of"].as_u64()?);
        let ended = now["state"] != "syncing" && !balie_waits(&now);
        (ended || (done > 0 && done < of)).then_some(done)
    })?;
    book.kill();
    let killed = read(&mut balie, FIRST)?;
    ensure!(killed["state"] == "failed", "{killed}");
    println!("Xandikos, killed after {middle} of 999 cards: {}", killed["trouble"]);
    ensure!(cached(&mut balie, "proef")? == before, "what is here stays as it was");
    book.restart()?;
    read_well(&mut balie, BACK + FIRST)?;
    is_equal(&mut balie, "proef", &book.everybody()?, "after the server was back")
}

fn ldap_form(directory: &Directory, encryption: &str, password: &str) -> Value {
    let port = if encryption == "tls" { directory::TLS_PORT } else { directory::PORT };
    json!({
        "name": "Gids", "password": password,
        "settings": {
            "tls_ca_file": directory.authority(),
            "place": {
                "kind": "ldap", "host": SERVER, "port": port, "encryption": encryption,
                "user": directory::ADMIN, "base": directory::BASE,
            },
        },
    })
}

fn trials_of_a_directory(balie: &mut Balie, directory: &Directory) -> Result<()> {
    for encryption in ["tls", "start_tls", "none"] {
        let form = ldap_form(directory, encryption, directory::PASSWORD);
        let test = balie.request_within("sources.test", &json!({"form": form}), FIRST)?;
        ensure!(test["ok"] == true && test["names"][0].is_string(), "{encryption}: {test}");
    }
    let good = ldap_form(directory, "tls", directory::PASSWORD);
    let with = |name: &str, value: Value| {
        let mut form = good.clone();
        form["settings"]["place"][name] = value;
        form
    };
    let mut stranger = good.clone();
    stranger["settings"]["tls_ca_file"] = json!("");
    for (form, trouble) in [
        (ldap_form(directory, "tls", "falsch"), "refused"),
        (ldap_form(directory, "tls", ""), "password_needed"),
        (stranger, "tls"),
        (with("base", json!("dc=nergens,dc=test")), "not_found"),
        (with("port", json!(1)), "unreachable"),
        (with("filter", json!("(cn=niemand)")), "not_a_source"),
        (with("filter", json!("(cn=")), "bad_setting"),
    ] {
        let test = balie.request_within("sources.test", &json!({"form": form}), FIRST)?;
        ensure!(test["ok"] == false && test["trouble"] == trouble, "{trouble}: {test}");
    }
    Ok(())
}

#[test]
fn a_thousand_people_of_a_directory_are_kept_equal_and_calls_do_not_wait_for_it() -> Result<()> {
    let folder = tempdir()?;
    let people: Vec<Person> = (0..1000).map(Person::nth).collect();
    let mut directory = Directory::start(folder.path(), &people)?;
    let pbx = Embedded::start()?;
    let config = pbx.account("101")?.write(folder.path(), "127.0.0.1")?;
    let mut balie = Balie::start(&config, "null")?;
    balie.registered()?;
    trials_of_a_directory(&mut balie, &directory)?;
    let form = ldap_form(&directory, "tls", directory::PASSWORD);
    let source = balie.request("sources.add", &json!({"form": form}))?["id"].clone();
    let first = read(&mut balie, FIRST)?;
    ensure!(changes(&first) == (json!(true), json!(1000), json!(0)), "{first}");
    println!("slapd, first reading of 1000: {} ms", first["change"]["millis"]);
    is_equal(&mut balie, "proef", &directory.everybody()?, "first")?;

    directory.change(&Person { name: "Proef Anders van Goud".into(), ..Person::nth(1) })?;
    directory.remove(&Person::nth(2))?;
    directory.add(&Person::nth(5000))?;
    let delta = sync(&mut balie, &source, FIRST)?;
    ensure!(delta["change"]["full"] == false && delta["change"]["gone"] == 1, "{delta}");
    println!("slapd, one changed, one new, one gone: {} ms", delta["change"]["millis"]);
    is_equal(&mut balie, "proef", &directory.everybody()?, "delta")?;

    // The server hangs in the middle of a reading, and a call goes on all the same.
    directory.change(&Person { number: "+31612999999".into(), ..Person::nth(3) })?;
    let there = directory.everybody()?;
    directory.freeze()?;
    balie.forget("source.state");
    balie.request("sources.sync", &json!({"source": source}))?;
    balie.event("source.state", |event| event["state"] == "syncing")?;
    let call = balie.dial(&pbx.number("echo")?)?;
    balie.hangup(&call)?;
    ensure!(cached(&mut balie, "proef")?.len() == there.len(), "and everybody is found");
    directory.kill();
    let killed = read(&mut balie, FIRST)?;
    ensure!(killed["state"] == "failed", "{killed}");
    directory.restart()?;
    read_well(&mut balie, BACK)?;
    is_equal(&mut balie, "proef", &there, "after the server was back")?;
    // Killed itself while it reads: what is kept is one whole reading or the other.
    directory.change(&Person { number: "+31612888888".into(), ..Person::nth(4) })?;
    balie.request("sources.sync", &json!({"source": source}))?;
    drop(balie);
    let mut balie = Balie::start(&config, "null")?;
    let form = ldap_form(&directory, "start_tls", directory::PASSWORD);
    balie.request("sources.change", &json!({"source": source, "form": form}))?;
    read_well(&mut balie, FIRST)?;
    is_equal(&mut balie, "proef", &directory.everybody()?, "after it was killed itself")?;
    balie.request("privacy.erase", &json!({"everybody": true}))?;
    ensure!(balie.request("sources.list", &json!({}))? == json!([]), "erased with the rest");
    Ok(())
}

#[test]
fn a_directory_that_anybody_may_read_is_read_without_a_name() -> Result<()> {
    let folder = tempdir()?;
    let people: Vec<Person> = (0..300).map(Person::nth).collect();
    let directory = Directory::start_open(folder.path(), &people)?;
    let mut balie = Balie::start(&quiet(folder.path())?, "none")?;
    let mut form = ldap_form(&directory, "start_tls", "");
    form["settings"]["place"]["user"] = json!("");
    let test = balie.request_within("sources.test", &json!({"form": form}), FIRST)?;
    ensure!(test["ok"] == true && test["names"][0].is_string(), "{test}");
    balie.request("sources.add", &json!({"form": form}))?;
    let first = read(&mut balie, FIRST)?;
    ensure!(changes(&first) == (json!(true), json!(300), json!(0)), "{first}");
    is_equal(&mut balie, "proef", &directory.everybody()?, "in pages")?;
    drop(directory);

    // One that asks who is there says so, and is not taken for an empty one.
    let closed = tempdir()?;
    let _directory = Directory::start(closed.path(), &people)?;
    form["settings"]["tls_ca_file"] = json!(closed.path().join("slapd/keys/ca.pem"));
    let test = balie.request_within("sources.test", &json!({"form": form}), FIRST)?;
    ensure!(test["ok"] == false && test["trouble"] == "forbidden", "{test}");
    Ok(())
}

fn domain_form(controller: &Domain, encryption: &str, password: &str) -> Value {
    let port = if encryption == "tls" { domain::TLS_PORT } else { domain::PORT };
    json!({
        "name": "Domein", "password": password,
        "settings": {
            "tls_ca_file": controller.authority(),
            "place": {
                "kind": "ldap", "host": SERVER, "port": port, "encryption": encryption,
                "user": domain::ADMIN, "base": domain::BASE,
            },
        },
    })
}

/// What a domain controller takes and refuses.
fn trials_of_a_domain(balie: &mut Balie, controller: &Domain) -> Result<()> {
    let mut whole = domain_form(controller, "tls", domain::PASSWORD);
    whole["settings"]["place"]["base"] = json!(domain::DOMAIN);
    let start_tls = domain_form(controller, "start_tls", domain::PASSWORD);
    for form in [whole, start_tls] {
        let test = balie.request_within("sources.test", &json!({"form": form}), FIRST)?;
        ensure!(test["ok"] == true && test["names"][0].is_string(), "{form}: {test}");
    }
    let mut nobody = domain_form(controller, "tls", domain::PASSWORD);
    nobody["settings"]["place"]["user"] = json!("");
    for (form, trouble) in [
        (domain_form(controller, "none", domain::PASSWORD), "auth_method"),
        (domain_form(controller, "tls", "falsch"), "refused"),
        (nobody, "forbidden"),
    ] {
        let test = balie.request_within("sources.test", &json!({"form": form}), FIRST)?;
        ensure!(test["ok"] == false && test["trouble"] == trouble, "{trouble}: {test}");
    }
    Ok(())
}

#[test]
fn a_thousand_people_of_a_domain_controller_are_kept_equal_through_a_restart() -> Result<()> {
    let folder = tempdir()?;
    let people: Vec<Person> = (0..1000).map(Person::nth).collect();
    let mut controller = Domain::start(folder.path(), &people)?;
    let mut balie = Balie::start(&quiet(folder.path())?, "none")?;
    trials_of_a_domain(&mut balie, &controller)?;
    let form = domain_form(&controller, "tls", domain::PASSWORD);
    let source = balie.request("sources.add", &json!({"form": form}))?["id"].clone();
    let first = read(&mut balie, FIRST)?;
    ensure!(changes(&first) == (json!(true), json!(1000), json!(0)), "{first}");
    println!("Samba, first reading of 1000: {} ms", first["change"]["millis"]);
    is_equal(&mut balie, "proef", &controller.everybody()?, "first")?;

    controller.change(&Person { name: "Proef Anders van Goud".into(), ..Person::nth(1) })?;
    controller.remove(&Person::nth(2))?;
    controller.add(&Person::nth(5000))?;
    let delta = sync(&mut balie, &source, FIRST)?;
    ensure!(delta["change"]["full"] == false && delta["change"]["gone"] == 1, "{delta}");
    println!("Samba, one changed, one new, one gone: {} ms", delta["change"]["millis"]);
    is_equal(&mut balie, "proef", &controller.everybody()?, "delta")?;

    // It dies in the middle of a reading.
    controller.change(&Person { number: "+31612999999".into(), ..Person::nth(3) })?;
    let (there, here) = (controller.everybody()?, cached(&mut balie, "proef")?);
    controller.freeze()?;
    balie.forget("source.state");
    balie.request("sources.sync", &json!({"source": source}))?;
    balie.event("source.state", |event| event["state"] == "syncing")?;
    controller.kill();
    let down = read(&mut balie, FIRST)?;
    ensure!(down["state"] == "failed" && down["trouble"].is_string(), "{down}");
    ensure!(cached(&mut balie, "proef")? == here, "what is here stays");
    controller.restart()?;
    read_well(&mut balie, BACK + FIRST)?;
    is_equal(&mut balie, "proef", &there, "after the server was back")
}
