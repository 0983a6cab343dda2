//! The whole program on Asterisk's queues: an agent's day, and a crowd of callers for three agents. What the program
//! shows and counts is what Asterisk itself says.

#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::agents::{Agent, PASSWORD_ENV, Record, account};
use e2e::ami::{Ami, Fields};
use e2e::asterisk::{self, Asterisk};
use e2e::balie::Account;
use e2e::queues::{self, CUSTOMERS, SECRET, Said, TLS_PORT, WRAP_UP, clock, customers, eyes};
use e2e::sipp::Sipp;
use e2e::{SERVER, deadline, is_over, pause, poll};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

fn exchange(folder: &TempDir) -> Result<(Asterisk, Ami)> {
    let asterisk = Asterisk::start_with(folder.path(), &queues::settings_with(""))?;
    Ok((asterisk, eyes()?))
}

fn anna(folder: &Path) -> Result<Agent> {
    let account = account("101", "Anna", "sign_in = [\"support\"]\nsupervisor = true");
    Agent::start(folder, &account, "Anna")
}

/// The lines that Asterisk has of Anna.
fn lines_of_anna(eyes: &mut Ami) -> Result<Vec<Fields>> {
    Ok(Said::now(eyes)?.members.remove("PJSIP/101").unwrap_or_default())
}

/// Looks again and again until the program shows everybody what the exchange says, or what the exchange says has
/// changed. True: it was the same. An exchange that stands still and a view that does not get there is an error.
fn compare(agents: &mut [Agent], eyes: &mut Ami) -> Result<bool> {
    let first = Said::now(eyes)?;
    let end = deadline(Duration::from_secs(5));
    loop {
        let said = Said::now(eyes)?;
        let at = clock(eyes)?;
        let mut wrong = Vec::new();
        for agent in agents.iter_mut() {
            agent.work()?;
            wrong.extend(agent.differences(&said, at)?);
        }
        if wrong.is_empty() {
            return Ok(true);
        }
        if said != first {
            return Ok(false);
        }
        ensure!(!is_over(end), "{wrong:#?}");
        pause(Duration::from_millis(20));
    }
}

/// Waits until everything, figures included, is shown as the exchange says.
fn same(agents: &mut [Agent], eyes: &mut Ami) -> Result<Said> {
    let end = deadline(Duration::from_secs(20));
    loop {
        let said = Said::now(eyes)?;
        let at = clock(eyes)?;
        let mut wrong = Vec::new();
        for agent in agents.iter_mut() {
            agent.work()?;
            wrong.extend(agent.differences(&said, at)?);
            wrong.extend(agent.different_figures(&said)?);
        }
        if wrong.is_empty() {
            return Ok(said);
        }
        ensure!(!is_over(end), "{wrong:#?}");
        pause(Duration::from_millis(100));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one day, step by step")]
fn an_agent_signs_in_joins_pauses_and_leaves() -> Result<()> {
    let folder = tempdir()?;
    let (_asterisk, mut eyes) = exchange(&folder)?;
    let mut anna = [anna(folder.path())?];
    let [agent] = &mut anna;
    agent.until_state("signed_out")?;
    let codes: Vec<Value> = agent.until_state("signed_out")?["reasons"]
        .as_array()
        .map(|reasons| reasons.iter().map(|reason| reason["code"].clone()).collect())
        .unwrap_or_default();
    ensure!(codes == [json!("Lunch"), json!("Meeting")], "{codes:?}");

    agent.balie.request("agent.state", &json!({"state": "sign_in"}))?;
    agent.until_state("available")?;
    let lines = lines_of_anna(&mut eyes)?;
    ensure!(lines.len() == 1 && lines[0]["Queue"] == "support", "{lines:?}");
    ensure!(lines[0]["Name"] == "Anna" && lines[0]["Membership"] == "dynamic", "{lines:?}");

    agent.balie.request("queue.join", &json!({"queue": "sales"}))?;
    let in_both = |centre: &Value| {
        let queues = centre["agent"]["queues"].as_array().cloned().unwrap_or_default();
        queues.len() == 2 && queues.iter().all(|queue| queue["joined"] == true)
    };
    agent.until("both queues", in_both)?;
    ensure!(lines_of_anna(&mut eyes)?.len() == 2);
    same(&mut anna, &mut eyes)?;

    let [agent] = &mut anna;
    let nap = json!({"state": "unavailable", "reason": "Nap"});
    let refused = agent.balie.request("agent.state", &nap);
    ensure!(refused.is_err_and(|error| error.to_string().contains("bad_value")));
    let lunch = json!({"state": "unavailable", "reason": "Lunch"});
    agent.balie.request("agent.state", &lunch)?;
    let bar = agent.until_state("unavailable")?;
    ensure!(bar["reason"] == "Lunch" && bar["reason_text"] == "Lunch", "{bar}");
    let lines = lines_of_anna(&mut eyes)?;
    let at_lunch = |line: &Fields| line["Paused"] == "1" && line["PausedReason"] == "Lunch";
    ensure!(lines.iter().all(at_lunch), "{lines:?}");
    same(&mut anna, &mut eyes)?;

    // Somebody else takes her out of lunch: that is shown, as what she did not want.
    eyes.ask("QueuePause", "Interface: PJSIP/101\r\nPaused: false\r\n")?;
    let [agent] = &mut anna;
    agent.until_state("available")?;
    agent.until("the drift", |centre| centre["agent"]["drift"]["wanted"] == "unavailable")?;
    agent.balie.request("agent.drift", &json!({"action": "repeat"}))?;
    agent.until_state("unavailable")?;
    agent.balie.request("agent.state", &json!({"state": "available"}))?;
    agent.until_state("available")?;

    agent.balie.request("queue.leave", &json!({"queue": "sales"}))?;
    agent.until("one queue", |centre| {
        centre["agent"]["queues"].as_array().is_some_and(|queues| queues.len() == 1)
    })?;
    // The last one of a queue has to say so again.
    let sign_out = json!({"state": "sign_out"});
    let refused = agent.balie.request("agent.state", &sign_out);
    ensure!(refused.is_err_and(|error| error.to_string().contains("last_staffed")));
    agent.balie.request("agent.state", &json!({"state": "sign_out", "force": true}))?;
    agent.until_state("signed_out")?;
    ensure!(lines_of_anna(&mut eyes)?.is_empty());
    // What this exchange does not have is refused in words.
    for (command, arguments) in [
        ("service.set", json!({"service": "do_not_disturb", "values": {"active": true}})),
        ("night.set", json!({"night": "on"})),
        ("emergency.forward", json!({"to": "0612345678"})),
        ("hunt_group.join", json!({"group": "verkoop"})),
    ] {
        let refused = agent.balie.request(command, &arguments);
        let words = refused.err().context("nothing was refused")?.to_string();
        ensure!(words.contains("forbidden") || words.contains("unknown_queue"), "{words}");
    }
    same(&mut anna, &mut eyes)?;
    Ok(())
}

#[test]
fn a_call_of_a_queue_names_it_and_is_finished() -> Result<()> {
    let folder = tempdir()?;
    let (_asterisk, mut eyes) = exchange(&folder)?;
    let mut anna = [anna(folder.path())?];
    let [agent] = &mut anna;
    agent.balie.request("agent.state", &json!({"state": "available"}))?;
    agent.until_state("available")?;
    let mut customer =
        customers(folder.path(), ("patient", "60000"), ("800", "061", CUSTOMERS), (1, 100))?;
    let named = |event: &Value| event["queue"]["name"] == "support";
    let ringing =
        agent.balie.event("call.state", |event| event["state"] == "ringing" && named(event))?;
    ensure!(ringing["peer"]["uri"].as_str().is_some_and(|uri| uri.contains("0611@")), "{ringing}");
    let offered = agent.queues()?.remove("support").context("support")?;
    let entry = &offered["entries"][0];
    ensure!(entry["state"] == "offered" && entry["agent"] == "Anna", "{offered:#}");
    let call = ringing["call"].clone();
    agent.balie.request("call.answer", &json!({"call": call}))?;
    let active =
        agent.balie.event("call.state", |event| event["state"] == "active" && named(event))?;
    ensure!(active["call"] == call, "{active}");
    let talks = |queue: &Value| {
        queue["entries"].as_array().is_some_and(Vec::is_empty)
            && queue["agents"][0]["on_call"] == true
    };
    poll("the queue to be empty", Duration::from_secs(10), || {
        agent.queues().ok()?.get("support").filter(|queue| talks(queue)).map(|_| ())
    })?;
    agent.balie.request("call.hangup", &json!({"call": call}))?;
    let ended = agent.balie.event("call.state", |event| event["state"] == "ended")?;
    ensure!(named(&ended), "{ended}");

    let bar = agent.balie.event("agent.changed", |event| event["state"] == "wrap_up")?;
    ensure!(bar["wrap_up"]["queue"] == "support", "{bar:#}");
    let until = bar["wrap_up"]["until_ms"].as_u64().context("no end is shown")?;
    let since = bar["since_ms"].as_u64().context("no beginning is shown")?;
    // The exchange tells whole seconds.
    let lasts = until.saturating_sub(since);
    ensure!(lasts.abs_diff(WRAP_UP * 1_000) <= 1_500, "{lasts} ms: {bar:#}");
    agent.until_state("available")?;
    customer.finish(Duration::from_secs(20))?;
    let said = same(&mut anna, &mut eyes)?;
    ensure!(said.params["support"]["Completed"] == "1", "{said:?}");
    let lines = lines_of_anna(&mut eyes)?;
    ensure!(lines[0]["CallsTaken"] == "1", "{lines:?}");

    // A wrap-up that is longer than the queue has it lasts until she says so.
    let [agent] = &mut anna;
    agent.balie.request("agent.state", &json!({"state": "wrap_up"}))?;
    agent.until_state("wrap_up")?;
    let lines = lines_of_anna(&mut eyes)?;
    ensure!(lines[0]["Paused"] == "1" && lines[0]["PausedReason"] == "Wrap-up", "{lines:?}");
    agent.balie.request("agent.state", &json!({"state": "available"}))?;
    agent.until_state("available")?;
    Ok(())
}

#[test]
fn those_who_wait_and_those_who_give_up_are_shown() -> Result<()> {
    let folder = tempdir()?;
    let (_asterisk, mut eyes) = exchange(&folder)?;
    let mut anna = [anna(folder.path())?];
    let path = folder.path();
    let mut waiting = customers(path, ("patient", "120000"), ("800", "061", CUSTOMERS), (3, 40))?;
    let three = |agent: &mut Agent| -> Result<bool> {
        let queues = agent.queues()?;
        Ok(queues.get("support").and_then(|queue| queue["entries"].as_array()).map(Vec::len)
            == Some(3))
    };
    let end = deadline(Duration::from_secs(20));
    while !three(&mut anna[0])? {
        ensure!(!is_over(end), "three callers are not shown");
        pause(Duration::from_millis(20));
    }
    let said = same(&mut anna, &mut eyes)?;
    ensure!(said.callers["support"].len() == 3, "{said:?}");
    // One of them is put first, and one is sent away.
    let call = |said: &Said, at: usize| said.callers["support"][at].0.clone();
    let [agent] = &mut anna;
    let last = json!({"queue": "support", "call": call(&said, 2), "position": 1});
    let placed = agent.balie.request("queue.reorder", &last)?;
    ensure!(placed["position"] == 1, "{placed}");
    let away = json!({"queue": "support", "call": call(&said, 0)});
    agent.balie.request("queue.release", &away)?;
    let order = vec![call(&said, 2), call(&said, 1)];
    let end = deadline(Duration::from_secs(20));
    loop {
        let said = same(&mut anna, &mut eyes)?;
        let now: Vec<String> =
            said.callers["support"].iter().map(|(call, _)| call.clone()).collect();
        if now == order {
            break;
        }
        ensure!(!is_over(end), "{now:?} wait, not {order:?}");
    }
    // Two who give up at once: counted, and listed to be called back.
    let mut hasty = customers(path, ("hasty", "900"), ("801", "064", CUSTOMERS + 1), (2, 40))?;
    hasty.finish(Duration::from_secs(20))?;
    let [agent] = &mut anna;
    agent.until("the list", |centre| {
        let listed = centre["abandoned"].as_array().cloned().unwrap_or_default();
        listed.len() == 2 && listed.iter().all(|caller| caller["queue_name"] == "sales")
    })?;
    let expected = [("0641", "sales"), ("0642", "sales")];
    let expected = expected.map(|(number, queue)| (number.to_owned(), queue.to_owned()));
    let gave_up = agent.gave_up()?;
    ensure!(gave_up == expected.into(), "{gave_up:?}");
    let said = same(&mut anna, &mut eyes)?;
    ensure!(said.params["sales"]["Abandoned"] == "2", "{said:?}");
    ensure!(!waiting.is_over());
    Ok(())
}

#[test]
fn the_secret_is_asked_for_and_the_way_may_be_encrypted() -> Result<()> {
    let folder = tempdir()?;
    let (mut asterisk, mut eyes) = exchange(&folder)?;
    let authority = asterisk.authority();
    let tls = format!("port = {TLS_PORT}\ntls = true\ntls_ca_file = {authority:?}\n");
    let mut account = account("101", "Anna", "sign_in = [\"support\"]");
    for line in &mut account.lines {
        *line = line.replace(&format!("port = {}\n", queues::PORT), &tls);
    }
    let agent = Agent::begin(folder.path(), &account, "Anna", "fout")?;
    let mut anna = [agent];
    let [agent] = &mut anna;
    agent.balie.registered()?;
    let state = |word: &'static str| move |centre: &Value| centre["link"]["state"] == word;
    let centre = agent.until("the refusal", state("refused"))?;
    ensure!(centre["warnings"].to_string().contains("link_refused"), "{centre:#}");
    let typed = json!({"account": "main", "password": SECRET, "exchange": true});
    agent.balie.request("account.password", &typed)?;
    agent.until("the exchange", state("live"))?;
    agent.balie.request("agent.state", &json!({"state": "available"}))?;
    agent.until_state("available")?;

    // Another network: the exchange is asked anew, and nothing else changes.
    let before = agent.centre()?["link"]["since_ms"].as_u64();
    agent.balie.request("network.changed", &json!({}))?;
    agent.until("the exchange again", |centre| {
        let link = &centre["link"];
        link["state"] == "live" && link["since_ms"].as_u64() > before
    })?;
    same(&mut anna, &mut eyes)?;
    asterisk.kill();
    let [agent] = &mut anna;
    let centre = agent.until("the loss", state("lost"))?;
    ensure!(centre["link"]["stale_since_ms"].is_number(), "{centre:#}");
    let refused = agent.balie.request("agent.state", &json!({"state": "unavailable"}));
    ensure!(refused.is_err_and(|error| error.to_string().contains("unavailable")));
    asterisk.restart()?;
    agent.balie.request("centre.refresh", &json!({}))?;
    agent.until("the return", state("live"))?;
    agent.until_state("signed_out")?;
    let mut eyes = queues::eyes()?;
    same(&mut anna, &mut eyes)?;

    let [agent] = anna;
    ensure!(agent.balie.quit()? == 0);
    for log in ["balie-101.log", "balie-101.toml"] {
        let text = std::fs::read_to_string(folder.path().join(log)).unwrap_or_default();
        ensure!(!text.contains(SECRET), "{log} holds the secret of {PASSWORD_ENV}");
    }
    Ok(())
}

/// A telephone with nothing but codes of the dial plan, and lamps that tell what they did.
#[test]
#[expect(clippy::too_many_lines, reason = "one day, step by step")]
fn by_codes_alone_an_agent_works_and_sets_his_services() -> Result<()> {
    let folder = tempdir()?;
    let settings = [queues::settings_with(""), vec![queues::codes()]].concat();
    let asterisk = Asterisk::start_with(folder.path(), &settings)?;
    let mut eyes = eyes()?;
    let account = by_codes();
    let mut agent = Agent::start(folder.path(), &account, "Anna")?;
    let lines = |eyes: &mut Ami, fits: &dyn Fn(&[Fields]) -> bool| -> Result<()> {
        poll("Asterisk to say so", Duration::from_secs(10), || {
            lines_of_anna(eyes).ok().filter(|lines| fits(lines)).map(|_| ())
        })
    };
    agent.balie.request("agent.state", &json!({"state": "sign_in"}))?;
    lines(&mut eyes, &|lines| lines.len() == 2)?;
    agent.until_state("available")?;
    agent.balie.request("queue.leave", &json!({"queue": "801"}))?;
    lines(&mut eyes, &|lines| lines.len() == 1 && lines[0]["Queue"] == "support")?;
    agent.until("one queue", |centre| {
        let queues = centre["agent"]["queues"].as_array().cloned().unwrap_or_default();
        queues.iter().filter(|queue| queue["joined"] == true).count() == 1
    })?;
    agent.balie.request("agent.state", &json!({"state": "unavailable", "reason": "2"}))?;
    lines(&mut eyes, &|lines| lines[0]["Paused"] == "1" && lines[0]["PausedReason"] == "2")?;
    ensure!(agent.until_state("unavailable")?["reason"] == "2");
    agent.balie.request("agent.state", &json!({"state": "available"}))?;
    lines(&mut eyes, &|lines| lines[0]["Paused"] == "0")?;
    agent.until_state("available")?;

    let service = |centre: &Value, name: &str| {
        let services = centre["services"].as_array().cloned().unwrap_or_default();
        services.into_iter().find(|service| service["service"] == name).unwrap_or_default()
    };
    let dnd = |on: bool| json!({"service": "do_not_disturb", "values": {"active": on}});
    for on in [true, false] {
        agent.balie.request("service.set", &dnd(on))?;
        agent.until("the lamp", |centre| {
            let shown = service(centre, "do_not_disturb");
            shown["actual"]["active"] == on && shown["state"] == "verified"
        })?;
        let state = asterisk.console("database get CustomDevstate dnd101")?;
        ensure!(state.contains("NOT_INUSE") != on, "{state}");
    }
    // In an emergency the lamp is the proof.
    agent.balie.request("emergency.forward", &json!({"to": "0612345678"}))?;
    agent.until("the proof", |centre| {
        let emergency = &centre["emergency"][0];
        emergency["state"] == "verified" && emergency["actual"] == "0612345678"
    })?;
    let kept = asterisk.console("database get CF 101")?;
    ensure!(kept.contains("0612345678"), "{kept}");
    // At another telephone it is taken back: that is seen.
    asterisk.console("devstate change Custom:cf101 NOT_INUSE")?;
    agent.until("the end of it", |centre| {
        service(centre, "forward_always")["actual"]["active"] == false
    })?;
    // What the dial plan does not have is refused, and is not so.
    let busy = json!({"service": "forward_busy", "values": {"active": true, "to": "0612345678"}});
    let refused = agent.balie.request("service.set", &busy);
    ensure!(refused.is_err(), "{refused:?}");
    agent.until("the refusal", |centre| {
        let shown = service(centre, "forward_busy");
        shown["actual"].is_null() && shown["state"] == "refused"
    })?;
    // None of this was a call of hers.
    let history = agent.balie.request("history.list", &json!({}))?;
    ensure!(history.as_array().is_some_and(Vec::is_empty), "{history}");
    agent.balie.request("agent.state", &json!({"state": "sign_out"}))?;
    lines(&mut eyes, &<[Fields]>::is_empty)?;
    agent.until_state("signed_out")?;
    Ok(())
}

/// The settings of a telephone that can only dial.
fn by_codes() -> Account {
    let server = format!("{SERVER}:{}", asterisk::PORT);
    Account::new("101", asterisk::PASSWORD, &server).with(
        "[account.codes]\nqueues = [\"800\", \"801\"]\njoin = \"*45{queue}\"\nleave = \"*46{queue}\"\n\
         pause = \"*47{reason}\"\nresume = \"*48\"\nreasons = [\"1\", \"2\"]\n\
         dnd_on = \"*78\"\ndnd_off = \"*79\"\nforward_on = \"*72{number}\"\nforward_off = \"*73\"\n\
         forward_busy_on = \"*90{number}\"\nforward_busy_off = \"*91\"\n\
         queue_lamp = \"*45101*{queue}\"\ndnd_lamp = \"*78101\"\nforward_lamp = \"*72101\"",
    )
}

/// Customers in all.
const CALLS: usize = 200;

/// Two hundred callers for three agents in two queues: those who wait, and those who give up.
fn crowd(path: &Path) -> Result<[Sipp; 4]> {
    Ok([
        customers(path, ("patient", "60000"), ("800", "061", CUSTOMERS), (60, 9))?,
        customers(path, ("patient", "60000"), ("801", "062", CUSTOMERS + 1), (60, 9))?,
        customers(path, ("hasty", "2500"), ("800", "063", CUSTOMERS + 2), (40, 6))?,
        customers(path, ("hasty", "2500"), ("801", "064", CUSTOMERS + 3), (40, 6))?,
    ])
}

#[test]
fn two_hundred_callers_and_three_agents_are_shown_as_the_exchange_has_them() -> Result<()> {
    let folder = tempdir()?;
    let (asterisk, mut eyes) = exchange(&folder)?;
    let mut agents = Vec::new();
    for (user, name, queues) in [
        ("101", "Anna", "[\"support\"]"),
        ("102", "Bert", "[\"support\", \"sales\"]"),
        ("103", "Chris", "[\"sales\"]"),
    ] {
        let account = account(user, name, &format!("sign_in = {queues}"));
        let mut agent = Agent::start(folder.path(), &account, name)?;
        agent.balie.request("agent.state", &json!({"state": "sign_in"}))?;
        agent.until_state("available")?;
        agents.push(agent);
    }
    same(&mut agents, &mut eyes)?;

    let mut callers = crowd(folder.path())?;
    let (mut compared, mut crowded) = (0, 0);
    let end = deadline(Duration::from_secs(150));
    while callers.iter_mut().any(|caller| !caller.is_over()) {
        ensure!(!is_over(end), "the customers do not come to an end");
        for agent in &mut agents {
            agent.work()?;
        }
        let waiting = Said::now(&mut eyes)?.callers.values().flatten().count();
        if compare(&mut agents, &mut eyes)? {
            compared += 1;
            crowded += u32::from(waiting > 1);
        }
    }
    for caller in &mut callers {
        caller.finish(Duration::from_secs(20))?;
    }
    println!("{compared} moments compared, {crowded} of them with several callers waiting");
    ensure!(compared >= 40 && crowded >= 10, "{compared} moments, {crowded} with callers");
    for agent in &mut agents {
        agent.until_state("available")?;
    }
    let said = same(&mut agents, &mut eyes)?;
    judge(&mut agents, &said, &Record::read(&asterisk.queue_log()?))
}

/// What each agent's program has told in all is what Asterisk has written down.
fn judge(agents: &mut [Agent], said: &Said, record: &Record) -> Result<()> {
    ensure!(record.queues.len() == CALLS, "{} callers came", record.queues.len());
    let sum = |name: &str| -> Result<usize> {
        said.params.values().map(|queue| Ok(queue[name].parse::<usize>()?)).sum()
    };
    let (completed, abandoned) = (sum("Completed")?, sum("Abandoned")?);
    let (answered, gave_up) = (record.connected.len(), record.gave_up.len());
    println!(
        "{answered} answered, {gave_up} gave up, {} sent on, {} times in vain",
        record.sent_on.len(),
        record.rang_in_vain
    );
    ensure!(answered == completed, "{completed} are counted as answered");
    // Whom a queue gives up on may be counted as one who gave up.
    let most = gave_up + record.sent_on.len();
    ensure!((gave_up..=most).contains(&abandoned), "{abandoned} are counted as having given up");
    ensure!(answered + gave_up + record.sent_on.len() == CALLS, "somebody is lost");
    ensure!(answered > 40 && gave_up > 20 && record.rang_in_vain > 0, "the load is not as meant");
    for agent in agents {
        let listed = agent.gave_up()?;
        ensure!(listed.len() == abandoned, "{}: {} are listed", agent.name, listed.len());
        ensure!(listed.is_superset(&record.gave_up), "{}: {listed:?} gave up", agent.name);
        let others = listed.difference(&record.gave_up);
        let others: Vec<_> = others.filter(|(who, _)| !record.sent_on.contains(who)).collect();
        ensure!(others.is_empty(), "{}: {others:?} did not give up", agent.name);
        ensure!(agent.came.values().all(|came| came.over), "{} talks still", agent.name);
        let own = [agent.name.as_str(), agent.interface.as_str()];
        let mut taken: Vec<&str> = Vec::new();
        for came in agent.came.values().filter(|came| came.answered) {
            let queue = record.queues.get(&came.number);
            ensure!(came.queue.as_ref() == queue, "{}: {came:?}, is of {queue:?}", agent.name);
            match record.connected.get(&came.number) {
                Some(by) => ensure!(own.contains(&by.as_str()), "{came:?}: {by} answered"),
                // He gave up in the moment of the answer.
                None => {
                    let gone = record.gave_up.iter().any(|(number, _)| *number == came.number);
                    ensure!(gone, "{}: {came:?} is not written down", agent.name);
                    continue;
                }
            }
            taken.push(&came.number);
        }
        let written = record.connected.iter().filter(|(_, by)| own.contains(&by.as_str()));
        let mut written: Vec<&str> = written.map(|(number, _)| number.as_str()).collect();
        taken.sort_unstable();
        written.sort_unstable();
        ensure!(taken == written, "{}: {taken:?} told, {written:?} written down", agent.name);
        println!("{}: {} calls taken of {} that rang", agent.name, taken.len(), agent.came.len());
        ensure!(!taken.is_empty(), "{} had nothing to do", agent.name);
        // Only `support` leaves time for that.
        let finishes = said
            .members
            .get(&agent.interface)
            .is_some_and(|lines| lines.iter().any(|line| line["Queue"] == "support"));
        let seen = agent.seen.contains("wrap_up");
        ensure!(seen == finishes, "{} was shown in {:?}", agent.name, agent.seen);
    }
    Ok(())
}
