//! The directories of an exchange (BroadWorks' Xsi), read page by page: what is here is what is there, also after the exchange
//! died in the middle, and it is here before the exchange is back.

#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::balie::{Account, Balie};
use e2e::reading::{ask, changes, read, read_well, view};
use e2e::{poll, xsi};
use serde_json::json;
use tempfile::tempdir;
use tokio::runtime::Runtime;
use training_pbx::{Company, Knob, Pbx, PbxConfig, PbxHandle, XsiKnob};

/// The longest that a reading may take here, and that a connection needs to come back.
const LIMIT: Duration = Duration::from_secs(90);
/// People without a telephone of their own; who has one is there besides.
const PEOPLE: usize = 1_000;

/// An exchange with a company, which can be killed.
struct Exchange {
    company: Company,
    port: u16,
    running: Option<(Runtime, PbxHandle)>,
}

impl Exchange {
    fn start() -> Result<Exchange> {
        let mut company = Company::generate(3, PEOPLE + 8)?;
        for (n, person) in company.simulated.iter_mut().enumerate() {
            person.name = format!("Proef Persoon-{n} van Brons");
        }
        let mut exchange = Exchange { company, port: 0, running: None };
        exchange.restart()?;
        Ok(exchange)
    }

    /// As a power cut would: connections are gone without a word.
    fn kill(&mut self) {
        if let Some((runtime, pbx)) = self.running.take() {
            drop(pbx);
            runtime.shutdown_background();
        }
    }

    /// Starts it anew with what is in its company by now, at the same place and with the same passwords.
    fn restart(&mut self) -> Result<()> {
        self.kill();
        let runtime = Runtime::new()?;
        let company = self.company.clone();
        let config = PbxConfig { company, xsi_port: self.port, ..PbxConfig::default() };
        let pbx = poll("the port to be free again", LIMIT, || {
            runtime.block_on(Pbx::start(config.clone())).ok()
        })?;
        let port = pbx.ready().xsi.rsplit_once(':').context("no port")?.1.parse()?;
        (self.port, self.running) = (port, Some((runtime, pbx)));
        Ok(())
    }

    fn pbx(&self) -> Result<&(Runtime, PbxHandle)> {
        self.running.as_ref().context("it does not run")
    }

    /// How late each page of the directory comes.
    fn slow(&self, ms: u64) -> Result<()> {
        let (runtime, pbx) = self.pbx()?;
        let knob = XsiKnob::Slow { ms, path: Some("directories/enterprise?".to_owned()) };
        runtime.block_on(pbx.turn(Knob::Xsi(knob)))?;
        Ok(())
    }

    fn settings(&self, folder: &Path) -> Result<PathBuf> {
        let (_, pbx) = self.pbx()?;
        let known = pbx.ready().accounts.first().context("no account")?;
        let services = xsi::settings(&pbx.ready().xsi, &known.xsi_user, &known.xsi_password);
        let mut account = Account::new(&known.extension, "geheim", "127.0.0.1:9");
        account.register = false;
        account.with(&services).write(folder, "127.0.0.1")
    }

    fn everybody(&self) -> BTreeMap<String, String> {
        let all = self.company.simulated.iter();
        all.map(|person| (person.name.clone(), person.extension.clone())).collect()
    }
}

/// Everybody who is found, by name: the number. Twice the same name is a failure.
fn found(balie: &mut Balie) -> Result<BTreeMap<String, String>> {
    let hits = balie.request("contacts.search", &json!({"text": "brons", "limit": 5000}))?;
    let mut found = BTreeMap::new();
    for hit in hits.as_array().context("a list")?.iter().filter(|hit| hit["kind"] != "dial") {
        let text = |name: &str| hit[name].as_str().unwrap_or_default().to_owned();
        ensure!(hit["kind"] == "colleague", "{hit}");
        ensure!(found.insert(text("name"), text("target")).is_none(), "{hit} is there twice");
    }
    Ok(found)
}

fn is_equal(balie: &mut Balie, exchange: &Exchange, what: &str) -> Result<()> {
    let there = exchange.everybody();
    // Colleagues are gathered a moment after the last word of the exchange.
    let mut here = BTreeMap::new();
    let equal = poll("what is here to be what is there", Duration::from_secs(20), || {
        here = found(balie).ok()?;
        (here == there).then_some(())
    });
    let missing: Vec<_> =
        there.iter().filter(|(name, number)| here.get(*name) != Some(number)).collect();
    let extra: Vec<_> = here.keys().filter(|name| !there.contains_key(*name)).collect();
    equal.with_context(|| format!("{what}: missing {missing:?}, extra {extra:?}"))
}

fn sync(balie: &mut Balie) -> Result<()> {
    let source = view(balie)?["id"].clone();
    ask(balie, &source)
}

fn linked(balie: &mut Balie) -> Result<()> {
    poll("the exchange", LIMIT, || {
        let views = balie.request("centre.get", &json!({})).ok()?;
        ["live", "polling"].iter().any(|state| views[0]["link"]["state"] == *state).then_some(())
    })
}

#[test]
fn a_thousand_people_of_an_exchange_are_kept_equal_through_changes_kills_and_restarts() -> Result<()>
{
    let folder = tempdir()?;
    let mut exchange = Exchange::start()?;
    let config = exchange.settings(folder.path())?;
    let mut balie = Balie::start(&config, "none")?;
    let first = read(&mut balie, LIMIT)?;
    ensure!(first["change"]["full"] == true && first["change"]["gone"] == 0, "{first}");
    let all = first["change"]["put"].as_u64().context("a count")?;
    ensure!(
        all > PEOPLE as u64,
        "who has a telephone and what is no person is there, too: {first}"
    );
    println!("exchange, first reading of {all}: {} ms", first["change"]["millis"]);
    is_equal(&mut balie, &exchange, "first")?;
    let shown = view(&mut balie)?;
    ensure!(
        shown["contacts"] == all && shown["settings"]["place"]["kind"] == "exchange",
        "{shown}"
    );
    let lists = balie.request("contacts.sources", &json!({}))?;
    ensure!(lists == json!([]), "it is no list of contacts: {lists}");
    let id = shown["id"].clone();
    let refused = balie.request("sources.remove", &json!({"source": id}));
    ensure!(refused.is_err_and(|error| error.to_string().contains("not_supported")), "it stays");

    sync(&mut balie)?;
    let nothing = read(&mut balie, LIMIT)?;
    ensure!(changes(&nothing) == (json!(false), json!(0), json!(0)), "{nothing}");
    println!("exchange, nothing changed: {} ms", nothing["change"]["millis"]);

    let company = &mut exchange.company.simulated;
    company[1].name = "Proef Anders van Brons".to_owned();
    let gone = company.remove(2);
    company.push(training_pbx::Person {
        name: "Proef Nieuw van Brons".to_owned(),
        extension: "9876".to_owned(),
        ..gone
    });
    exchange.restart()?;
    linked(&mut balie)?;
    // It is read when it is back, and once more because somebody wants it; the first that sees the changes has them all.
    let source = view(&mut balie)?["id"].clone();
    balie.request("sources.sync", &json!({"source": source}))?;
    let delta = balie.event_within("source.state", LIMIT, |event| event["change"]["gone"] == 1)?;
    ensure!(changes(&delta) == (json!(false), json!(2), json!(1)), "{delta}");
    poll("the last reading to be over", LIMIT, || {
        let now = view(&mut balie).ok()?;
        let rests = now["next_ms"].as_u64()? > now["synced_ms"].as_u64()? + 600_000;
        (now["state"] == "waiting" && rests).then_some(())
    })?;
    println!("exchange, one changed, one new, one gone: {} ms", delta["change"]["millis"]);
    is_equal(&mut balie, &exchange, "delta")?;

    killed_in_the_middle(&mut balie, &mut exchange)?;
    drop(balie);
    before_the_exchange_is_there(&config, &mut exchange, all)
}

fn killed_in_the_middle(balie: &mut Balie, exchange: &mut Exchange) -> Result<()> {
    let before = found(balie)?;
    exchange.slow(400)?;
    sync(balie)?;
    let (done, of) = poll("pages to come in", LIMIT, || {
        let now = view(balie).ok()?;
        let (done, of) = (now["done"].as_u64()?, now["of"].as_u64()?);
        (done > 0 && done < of).then_some((done, of))
    })?;
    exchange.kill();
    let killed = read(balie, LIMIT)?;
    ensure!(killed["state"] == "failed" && killed["trouble"].is_string(), "{killed}");
    println!("killed after {done} of {of} entries: {}", killed["trouble"]);
    ensure!(found(balie)? == before, "what is here stays as it was");
    exchange.company.simulated[5].name = "Proef Later van Brons".to_owned();
    exchange.restart()?;
    let back = read_well(balie, LIMIT)?;
    ensure!(changes(&back) == (json!(false), json!(1), json!(0)), "{back}");
    is_equal(balie, exchange, "after the exchange was back")
}

/// What was read is there in the next run, also while the exchange is not, and is nobody twice when it comes back.
fn before_the_exchange_is_there(config: &Path, exchange: &mut Exchange, all: u64) -> Result<()> {
    exchange.kill();
    let mut balie = Balie::start(config, "none")?;
    is_equal(&mut balie, exchange, "without the exchange")?;
    let shown = view(&mut balie)?;
    ensure!(shown["contacts"] == all && shown["synced_ms"].is_number(), "{shown}");
    exchange.restart()?;
    let back = read_well(&mut balie, LIMIT)?;
    ensure!(changes(&back) == (json!(false), json!(0), json!(0)), "{back}");
    is_equal(&mut balie, exchange, "with the exchange")?;
    exchange.kill();
    Ok(())
}
