//! When people are free, by the calendars of real servers: Radicale calendar by calendar (RFC 4791), Xandikos by its scheduling
//! outbox (RFC 6638). Times only.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use e2e::address_books::{self, AddressBook, Appointment, COLLEAGUES, Card, Kind};
use e2e::balie::{Account, Balie};
use e2e::centre::Scene;
use e2e::directory::{self, Directory, Person};
use e2e::embedded::Embedded;
use e2e::zone::{self, Zone};
use e2e::{PHONES, poll};
use serde_json::{Value, json};
use tempfile::tempdir;

/// Servers in Python make their first list slowly.
const FIRST: Duration = Duration::from_secs(120);
/// What nobody else may learn.
const ABOUT: &str = "Sollicitatie";
const MINUTE: u64 = 60;

#[expect(clippy::disallowed_methods, reason = "appointments are on the clock of the wall")]
fn seconds() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// From so many minutes before now to so many after.
fn appointment(from: u64, to: u64, status: &'static str) -> Result<Appointment> {
    let now = seconds()?;
    let time = (now - from * MINUTE, now + to * MINUTE);
    Ok(Appointment { about: ABOUT.into(), time, status })
}

fn card(n: usize, name: &str, number: &str, email: &str) -> Card {
    let (name, number, email) = (name.to_owned(), number.to_owned(), email.to_owned());
    Card { name, number, email, ..Card::nth(n) }
}

fn registered(pbx: &Embedded, folder: &Path) -> Result<(Balie, PathBuf)> {
    let config = pbx.account("101")?.write(folder, "127.0.0.1")?;
    let mut balie = Balie::start(&config, "null")?;
    balie.registered()?;
    Ok((balie, config))
}

fn read(balie: &mut Balie) -> Result<()> {
    balie.event_within("source.state", FIRST, |event| event["change"].is_object()).map(drop)
}

fn availability(balie: &mut Balie, numbers: &[&str]) -> Result<Vec<Value>> {
    let told =
        balie.request_within("contacts.availability", &json!({"numbers": numbers}), FIRST)?;
    Ok(told.as_array().context("a list")?.clone())
}

/// Nothing of what an appointment is about is anywhere.
fn times_only(config: &Path, told: &[Value]) -> Result<()> {
    let log = std::fs::read_to_string(config.with_extension("log"))?;
    let all = format!("{told:?}{log}");
    ensure!(!all.contains(ABOUT) && !all.contains("Kamer 3"), "times only: {all}");
    Ok(())
}

#[test]
fn colleagues_of_radicale_are_free_by_their_calendars_and_their_lamps_say_so() -> Result<()> {
    let folder = tempdir()?;
    let [jan, anna, piet, kees, dirk] = COLLEAGUES;
    let book = AddressBook::start_for(Kind::Radicale, folder.path(), jan)?;
    book.fill(&[
        card(1, "Anna van Zilver", "102", anna),
        card(2, "Piet van Zilver", "0612000002", piet),
        card(3, "Kees van Zilver", "0612000003", kees),
        card(4, "Dirk van Zilver", "0612000004", dirk),
        card(5, "Vreemd van Goud", "0612000005", "vreemd@goud.test"),
    ])?;
    let busy = appointment(10, 50, "CONFIRMED")?;
    let ends = busy.time.1 * 1000;
    book.calendar(anna, "werk", &[busy])?;
    book.calendar(piet, "werk", &[appointment(10, 90, "TENTATIVE")?])?;
    let later = Appointment {
        time: (seconds()? + 7_200, seconds()? + 10_800),
        ..appointment(0, 0, "CONFIRMED")?
    };
    let begins = later.time.0 * 1000;
    book.calendar(kees, "werk", &[later])?;
    // What Dirk does not share tells nothing of him.
    book.calendar(dirk, "prive", &[appointment(10, 90, "CONFIRMED")?])?;

    let pbx = Embedded::start()?;
    let (mut balie, config) = registered(&pbx, folder.path())?;
    balie.request("line.watch", &json!({"uris": ["102", "103"]}))?;
    let form = json!({
        "password": address_books::PASSWORD,
        "settings": {
            "tls_ca_file": book.authority(),
            "place": {"kind": "carddav", "address": book.address(), "user": jan},
        },
    });
    let source = balie.request("sources.add", &json!({"form": form}))?["id"].clone();
    read(&mut balie)?;
    let numbers = ["102", "0612000002", "0612000003", "0612000004", "0612000005"];
    ensure!(availability(&mut balie, &numbers)?.is_empty(), "nobody has asked for it");

    let mut with = form.clone();
    with["settings"]["place"]["calendars"] = json!(true);
    balie.request("sources.change", &json!({"source": source, "form": with}))?;
    let lamp = balie.event_within("line.state", FIRST, |event| event["calendar"].is_object())?;
    ensure!(lamp["uri"].as_str().is_some_and(|uri| uri.contains("102@")), "{lamp}");
    let wanted = json!({"kind": "busy", "until_ms": ends, "free_ms": ends});
    ensure!(lamp["calendar"] == wanted && lamp["state"] == "idle", "{lamp}");

    let told = availability(&mut balie, &numbers)?;
    let of = |number: &str| told.iter().find(|one| one["number"] == number);
    let kind = |number: &str| of(number).map(|one| one["kind"].clone());
    ensure!(told.len() == 3 && kind("102") == Some(json!("busy")), "{told:?}");
    ensure!(kind("0612000002") == Some(json!("tentative")), "{told:?}");
    let kees = of("0612000003").context("Kees")?;
    ensure!(kees["kind"] == "free" && kees["until_ms"] == begins, "{kees}");
    times_only(&config, &told)?;

    // Nobody wants it any more.
    balie.forget("line.state");
    balie.request("sources.change", &json!({"source": source, "form": form}))?;
    let lamp = balie.event_within("line.state", FIRST, |event| {
        event["uri"].as_str().is_some_and(|uri| uri.contains("102@"))
    })?;
    ensure!(lamp["calendar"].is_null(), "{lamp}");
    Ok(())
}

#[test]
fn xandikos_tells_by_its_outbox_when_somebody_is_free() -> Result<()> {
    let folder = tempdir()?;
    let anna = COLLEAGUES[1];
    let book = AddressBook::start(Kind::Xandikos, folder.path())?;
    book.fill(&[
        card(1, "Anna van Zilver", "102", anna),
        card(2, "Vreemd van Goud", "0612000005", "vreemd@goud.test"),
    ])?;
    let busy = appointment(10, 50, "CONFIRMED")?;
    let ends = busy.time.1 * 1000;
    book.calendar(anna, "werk", &[busy])?;
    let pbx = Embedded::start()?;
    let (mut balie, config) = registered(&pbx, folder.path())?;
    let place = json!({"kind": "carddav", "address": book.address(), "calendars": true});
    balie.request("sources.add", &json!({"form": {"settings": {"place": place}}}))?;
    read(&mut balie)?;
    let told = availability(&mut balie, &["102", "0612000005"])?;
    ensure!(told.len() == 1 && told[0]["kind"] == "busy", "{told:?}");
    ensure!(told[0]["free_ms"] == ends && told[0]["number"] == "102", "{told:?}");
    times_only(&config, &told)?;
    let log = std::fs::read_to_string(config.with_extension("log"))?;
    ensure!(
        log.contains("the outbox has told") && !log.contains("the outbox tells nothing"),
        "{log}"
    );
    Ok(())
}

#[test]
fn an_e_mail_address_leads_to_the_books_and_calendars_of_its_domain() -> Result<()> {
    let folder = tempdir()?;
    let [jan, anna, ..] = COLLEAGUES;
    let book = AddressBook::start_for(Kind::Radicale, folder.path(), jan)?;
    book.fill(&[card(1, "Anna van Zilver", "0612000001", anna)])?;
    book.calendar(anna, "werk", &[appointment(10, 50, "CONFIRMED")?])?;
    let services = [("_carddavs._tcp", book.port()), ("_caldavs._tcp", book.port())];
    let path = format!("path=/{jan}/");
    let zone = Zone::start(folder.path(), &services, &[("_carddavs._tcp", &path)])?;
    let config = Account::direct("901", PHONES, 0).write(folder.path(), PHONES)?;
    let mut balie = Balie::start_by(zone.program()?, &config, "none")?;
    let place = json!({"kind": "carddav", "address": jan, "calendars": true});
    let settings = json!({"tls_ca_file": book.authority(), "place": place});
    let form = json!({"password": address_books::PASSWORD, "settings": settings});
    balie.request("sources.add", &json!({"form": form}))?;
    read(&mut balie)?;
    let told = availability(&mut balie, &["0612000001"])?;
    ensure!(told.len() == 1 && told[0]["kind"] == "busy", "{told:?}");
    let asked = zone.asked();
    for wanted in [
        "query[SRV] _carddavs._tcp.lab.test",
        "query[TXT] _carddavs._tcp.lab.test",
        "query[SRV] _caldavs._tcp.lab.test",
    ] {
        ensure!(asked.contains(wanted), "{wanted}: {asked}");
    }
    Ok(())
}

#[test]
fn a_domain_leads_to_its_directory() -> Result<()> {
    let folder = tempdir()?;
    let directory = Directory::start(folder.path(), &[Person::nth(1)])?;
    let zone = Zone::start(folder.path(), &[("_ldap._tcp", directory::PORT)], &[])?;
    let config = Account::direct("901", PHONES, 0).write(folder.path(), PHONES)?;
    let mut balie = Balie::start_by(zone.program()?, &config, "none")?;
    let form = |host: &str| {
        json!({"form": {
            "password": directory::PASSWORD,
            "settings": {
                "tls_ca_file": directory.authority(),
                "place": {
                    "kind": "ldap", "host": host, "encryption": "start_tls",
                    "user": directory::ADMIN, "base": directory::BASE,
                },
            },
        }})
    };
    let test = balie.request_within("sources.test", &form(zone::DOMAIN), FIRST)?;
    ensure!(test["ok"] == true && test["names"][0] == Person::nth(1).name, "{test}");
    ensure!(zone.asked().contains("query[SRV] _ldap._tcp.lab.test"), "{}", zone.asked());
    let nowhere = balie.request_within("sources.test", &form("nergens.lab.test"), FIRST)?;
    ensure!(nowhere["ok"] == false && nowhere["trouble"] == "unknown_host", "{nowhere}");
    Ok(())
}

#[test]
fn do_not_disturb_follows_the_own_calendar_and_says_so() -> Result<()> {
    let folder = tempdir()?;
    let jan = COLLEAGUES[0];
    let book = AddressBook::start_for(Kind::Radicale, folder.path(), jan)?;
    book.fill(&[card(1, "Anna van Zilver", "0612000001", "")])?;
    let scene = Scene::start()?;
    let mut user = scene.user("101")?;
    let dnd =
        |service: &Value| (service["actual"]["active"].clone(), service["by_calendar"].clone());
    user.service("do_not_disturb", |service| dnd(service) == (json!(false), json!(false)))?;

    // An appointment that ends soon.
    let ends = seconds()? + 45;
    let soon = Appointment { time: (ends - 600, ends), ..appointment(0, 0, "CONFIRMED")? };
    book.calendar(jan, "werk", &[soon])?;
    let place = json!({"kind": "carddav", "address": book.address(), "user": jan});
    let settings = json!({"tls_ca_file": book.authority(), "own_dnd": true, "place": place});
    let form = json!({"password": address_books::PASSWORD, "settings": settings});
    user.balie.request("sources.add", &json!({"form": form}))?;
    let state = |user: &mut e2e::centre::User| -> Result<(Value, Value)> {
        let all = user.balie.request("service.get", &json!({"service": "do_not_disturb"}))?;
        Ok(dnd(&all[0]))
    };
    poll("do not disturb by the calendar", FIRST, || {
        state(&mut user).ok().filter(|state| *state == (json!(true), json!(true)))
    })?;
    ensure!(seconds()? < ends, "it was in time");
    poll("calls to come again", FIRST, || {
        state(&mut user).ok().filter(|state| *state == (json!(false), json!(false)))
    })?;
    ensure!(seconds()? >= ends, "and not before the end");
    Ok(())
}

#[test]
fn a_note_goes_in_the_calendar_once_also_when_the_server_was_away() -> Result<()> {
    let folder = tempdir()?;
    let jan = COLLEAGUES[0];
    let mut book = AddressBook::start_for(Kind::Radicale, folder.path(), jan)?;
    book.fill(&[card(1, "Anna van Zilver", "0612000001", "")])?;
    book.calendar(jan, "werk", &[appointment(10, 50, "CONFIRMED")?])?;
    let config = Account::direct("901", PHONES, 0).write(folder.path(), PHONES)?;
    let mut balie = Balie::start(&config, "none")?;
    let form = |notes: bool| {
        let place = json!({"kind": "carddav", "address": book.address(), "user": jan});
        let settings =
            json!({"tls_ca_file": book.authority(), "call_notes": notes, "place": place});
        json!({"password": address_books::PASSWORD, "settings": settings})
    };
    let (without, with) = (form(false), form(true));
    let source = balie.request("sources.add", &json!({"form": without}))?["id"].clone();
    read(&mut balie)?;
    balie.request("note.add", &json!({"number": "0612000001", "text": "nergens"}))?;
    balie.request("sources.change", &json!({"source": source, "form": with}))?;
    read(&mut balie)?;

    book.kill();
    balie.request(
        "note.add",
        &json!({"number": "0612000001", "text": "belt maandag; of dinsdag"}),
    )?;
    // It is tried, and the program ends before the server is back.
    let log = config.with_extension("log");
    poll("a try", FIRST, || {
        let text = std::fs::read_to_string(&log).ok()?;
        text.contains("a note could not be written in the calendar").then_some(())
    })?;
    let unwritten = |balie: &mut Balie| -> Result<Value> {
        Ok(balie.request("sources.list", &json!({}))?[0]["unwritten"].clone())
    };
    let shown = unwritten(&mut balie)?;
    ensure!(shown["notes"] == 1 && shown["trouble"] == "unreachable", "{shown}");
    ensure!(shown["next_ms"].is_number(), "it is tried again: {shown}");
    drop(balie);
    book.restart()?;
    let mut balie = Balie::start(&config, "none")?;
    poll("the source", FIRST, || {
        balie.request("sources.list", &json!({})).ok().filter(|all| all[0].is_object())
    })?;
    balie.request("sources.change", &json!({"source": source, "form": with}))?;
    let text = poll("the note in the calendar", FIRST, || {
        book.calendar_text(jan, "werk").ok().filter(|text| text.contains("VJOURNAL"))
    })?;
    ensure!(
        text.contains("belt maandag\\; of dinsdag") && text.contains("CLASS:PRIVATE"),
        "{text}"
    );
    ensure!(text.contains("SUMMARY:Anna van Zilver (06 1200 0001)"), "{text}");
    balie.request("note.add", &json!({"number": "0612000001", "text": "tweede"}))?;
    let text = poll("the second", FIRST, || {
        book.calendar_text(jan, "werk").ok().filter(|text| text.contains("tweede"))
    })?;
    ensure!(text.matches("BEGIN:VJOURNAL").count() == 2 && !text.contains("nergens"), "{text}");
    ensure!(unwritten(&mut balie)?.is_null(), "nothing waits any more");
    Ok(())
}
