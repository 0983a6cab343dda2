//! The client of Asterisk's queues against Asterisk 22: what the model shows is what the exchange itself says.

#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::ami::Ami;
use e2e::asterisk::{self, Asterisk};
use e2e::queues::{self, AGENTS, CUSTOMERS, Centre, Model, Said, clock, customers, eyes};
use e2e::sipp::{Options, Sipp};
use e2e::{PHONES, deadline, is_over, pause};
use pbx::centre::{
    AgentState, Answer, CallVerb, EntryEnd, LinkState, Priority, QueueId, QueuedCallId, Refusal,
    Request, UserId,
};
use tempfile::{TempDir, tempdir};

/// Customers in all.
const CALLS: u32 = 200;

/// An agent's telephone; `deaf`: share of calls that he lets ring.
fn agent(folder: &Path, number: u16, deaf: &str, talk: &str) -> Result<Sipp> {
    let folder = folder.join(format!("agent-{number}"));
    std::fs::create_dir_all(&folder)?;
    let options = Options {
        host: PHONES.to_owned(),
        port: AGENTS + number - 300,
        shelf: "queues",
        calls: 10_000,
        seconds: 600,
        ..Options::waiting("agent")
    };
    let options = options.with_key("deaf", deaf).with_key("talk", talk).with_key("ring", "200");
    Sipp::start(&options, &folder)
}

/// Looks again and again until the model says what the exchange says, or what the exchange says has changed.
/// True: they were the same. An exchange that stands still and a model that does not get there is an error.
fn compare(centre: &mut Centre, eyes: &mut Ami) -> Result<bool> {
    let first = Said::now(eyes)?;
    let end = deadline(Duration::from_secs(5));
    loop {
        let said = Said::now(eyes)?;
        let at = clock(eyes)?;
        centre.catch_up()?;
        let wrong = said.differences(&centre.model, at);
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

/// Waits until everything, figures included, is as the exchange says.
fn same(centre: &mut Centre, eyes: &mut Ami) -> Result<Said> {
    let end = deadline(Duration::from_secs(20));
    loop {
        let said = Said::now(eyes)?;
        let at = clock(eyes)?;
        centre.catch_up()?;
        let mut wrong = said.differences(&centre.model, at);
        wrong.extend(said.different_figures(&centre.model));
        if wrong.is_empty() {
            return Ok(said);
        }
        ensure!(!is_over(end), "{wrong:#?}");
        pause(Duration::from_millis(100));
    }
}

fn start(folder: &TempDir) -> Result<(Asterisk, Centre, Ami)> {
    let asterisk = Asterisk::start_with(folder.path(), &queues::settings())?;
    let eyes = eyes()?;
    let centre = Centre::start(Centre::config())?;
    Ok((asterisk, centre, eyes))
}

fn support() -> QueueId {
    QueueId("support".to_owned())
}

fn state(agent: Option<&str>, state: AgentState, code: Option<&str>) -> Request {
    Request::SetAgentState {
        agent: agent.map(|agent| UserId(agent.to_owned())),
        state,
        code: code.map(str::to_owned),
        validate: false,
    }
}

fn shows(model: &Model, agent: &str, state: AgentState) -> bool {
    model.agents.get(agent).is_some_and(|(shown, _)| *shown == state)
}

#[test]
fn two_hundred_callers_are_shown_as_the_exchange_has_them() -> Result<()> {
    let folder = tempdir()?;
    let (_asterisk, mut centre, mut eyes) = start(&folder)?;
    let _agents = [
        agent(folder.path(), 301, "0.15", "1000")?,
        agent(folder.path(), 302, "0.15", "1000")?,
        agent(folder.path(), 303, "0.15", "1000")?,
    ];
    // 301 signs in by the client; 302 is put into both queues by somebody else; 303 is in one by the settings.
    ensure!(centre.ask(state(None, AgentState::Available, None))? == Ok(Answer::Accepted));
    for queue in ["support", "sales"] {
        eyes.ask(
            "QueueAdd",
            &format!("Queue: {queue}\r\nInterface: PJSIP/302\r\nMemberName: Bert\r\n"),
        )?;
    }
    same(&mut centre, &mut eyes)?;

    let path = folder.path();
    let mut callers = [
        customers(path, ("patient", "60000"), ("800", "061", CUSTOMERS), (60, 9))?,
        customers(path, ("patient", "60000"), ("801", "062", CUSTOMERS + 1), (60, 9))?,
        customers(path, ("hasty", "2500"), ("800", "063", CUSTOMERS + 2), (40, 6))?,
        customers(path, ("hasty", "2500"), ("801", "064", CUSTOMERS + 3), (40, 6))?,
    ];
    let (mut compared, mut crowded) = (0, 0);
    let end = deadline(Duration::from_secs(150));
    while callers.iter_mut().any(|caller| !caller.is_over()) {
        ensure!(!is_over(end), "the customers do not come to an end");
        let waiting = centre.model.callers.values().flatten().count();
        if compare(&mut centre, &mut eyes)? {
            compared += 1;
            crowded += u32::from(waiting > 1);
        }
        pause(Duration::from_millis(50));
    }
    for caller in &mut callers {
        caller.finish(Duration::from_secs(20))?;
    }
    println!("{compared} moments compared, {crowded} of them with several callers waiting");
    ensure!(compared >= 40 && crowded >= 10, "{compared} moments, {crowded} with callers");

    // Everybody has gone; the time to finish the last call too.
    centre.until("everybody to be idle", |model| {
        model.agents.values().all(|agent| *agent == (AgentState::Available, false))
    })?;
    let said = same(&mut centre, &mut eyes)?;
    judge_ends(&centre.model, &said)
}

/// Everybody came once and left once, and as many as the exchange counts left in each way.
fn judge_ends(model: &Model, said: &Said) -> Result<()> {
    ensure!(model.ends.len() == CALLS as usize, "{} callers were told", model.ends.len());
    let odd: Vec<_> = model.ends.iter().filter(|(_, ends)| ends.len() != 1).collect();
    ensure!(odd.is_empty(), "these did not leave once: {odd:?}");
    let sum = |name: &str| -> Result<usize> {
        said.params.values().map(|queue| Ok(queue[name].parse::<usize>()?)).sum()
    };
    let (completed, abandoned) = (sum("Completed")?, sum("Abandoned")?);
    let answered = model.left(|end| matches!(end, EntryEnd::Answered(Some(_))));
    let gave_up = model.left(|end| *end == EntryEnd::Abandoned);
    let sent_on = model.left(|end| *end == EntryEnd::Overflowed);
    let bounced = model.bounced.len();
    println!("{answered} answered, {gave_up} gave up, {sent_on} sent on, {bounced} rang in vain");
    ensure!(answered == completed, "{answered} answered, the exchange counts {completed}");
    ensure!(gave_up == abandoned, "{gave_up} gave up, the exchange counts {abandoned}");
    ensure!(answered + gave_up + sent_on == CALLS as usize, "{:?}", model.ends);
    ensure!(answered > 40 && gave_up > 20 && bounced > 0, "the load is not what it should be");
    for agent in ["PJSIP/301", "PJSIP/302"] {
        let seen = model.seen.get(agent).cloned().unwrap_or_default();
        ensure!(seen.contains(&AgentState::WrapUp), "{agent} never finished a call: {seen:?}");
    }
    Ok(())
}

#[test]
fn agents_come_pause_and_go() -> Result<()> {
    let folder = tempdir()?;
    let (_asterisk, mut centre, mut eyes) = start(&folder)?;
    let anna = "PJSIP/301";
    ensure!(shows(&centre.model, anna, AgentState::SignedOut));
    let steps = [
        (state(None, AgentState::Available, None), AgentState::Available),
        (state(None, AgentState::Unavailable, Some("Lunch")), AgentState::Unavailable),
        (state(None, AgentState::Available, None), AgentState::Available),
        (state(None, AgentState::SignedOut, None), AgentState::SignedOut),
        (state(None, AgentState::Unavailable, Some("Lunch")), AgentState::Unavailable),
    ];
    for (request, expected) in steps {
        let answer = centre.ask(request)?;
        ensure!(answer == Ok(Answer::Accepted), "{answer:?} on the way to {expected:?}");
        centre.until("the state", |model| shows(model, anna, expected))?;
        same(&mut centre, &mut eyes)?;
    }
    let said = Said::now(&mut eyes)?;
    let line =
        said.members.get(anna).and_then(|lines| lines.first()).context("Anna is not there")?;
    ensure!(line["PausedReason"] == "Lunch" && line["Name"] == "Anna", "{line:?}");
    // One whom the settings put there can be paused by the supervisor, but not signed out.
    let answer = centre.ask(state(Some("PJSIP/303"), AgentState::Unavailable, None))?;
    ensure!(answer == Ok(Answer::Accepted), "{answer:?}");
    centre.until("the pause", |model| shows(model, "PJSIP/303", AgentState::Unavailable))?;
    let answer = centre.ask(state(Some("PJSIP/303"), AgentState::SignedOut, None))?;
    ensure!(answer == Err(Refusal::NotAllowed), "{answer:?}");
    let nowhere = Request::Join { agent: None, queue: QueueId("nergens".to_owned()), joined: true };
    ensure!(centre.ask(nowhere)? == Err(Refusal::Gone));
    Ok(())
}

#[test]
fn a_supervisor_moves_and_takes_callers() -> Result<()> {
    let folder = tempdir()?;
    let (_asterisk, mut centre, mut eyes) = start(&folder)?;
    let mut waiting =
        customers(folder.path(), ("patient", "120000"), ("800", "06", CUSTOMERS), (4, 40))?;
    centre.until("four callers", |model| order(model).len() == 4)?;
    let before = order(&centre.model);
    let call = |at: usize| QueuedCallId(before[at].clone());
    let expect = |centre: &mut Centre, eyes: &mut Ami, places: &[usize]| -> Result<()> {
        let wanted: Vec<String> = places.iter().map(|&at| before[at].clone()).collect();
        centre.until("the order", |model| order(model) == wanted)?;
        same(centre, eyes).map(|_| ())
    };
    let reorder = |at, index| Request::Reorder { queue: support(), call: call(at), index };
    ensure!(centre.ask(reorder(3, 0))? == Ok(Answer::Position(1)));
    expect(&mut centre, &mut eyes, &[3, 0, 1, 2])?;
    ensure!(centre.ask(reorder(2, 1))? == Ok(Answer::Position(2)));
    expect(&mut centre, &mut eyes, &[3, 2, 0, 1])?;
    ensure!(centre.ask(reorder(3, 9))? == Ok(Answer::Position(4)));
    expect(&mut centre, &mut eyes, &[2, 0, 1, 3])?;
    let priority = Priority::Highest;
    let promote = Request::Promote { queue: support(), call: call(1), priority };
    ensure!(centre.ask(promote)? == Ok(Answer::Accepted));
    expect(&mut centre, &mut eyes, &[1, 2, 0, 3])?;

    let release = Request::ReleaseQueued { queue: support(), call: call(2) };
    ensure!(centre.ask(release)? == Ok(Answer::Accepted));
    expect(&mut centre, &mut eyes, &[1, 0, 3])?;
    let number = asterisk::ECHO.to_owned();
    let moved = Request::MoveToNumber { queue: support(), call: call(0), number };
    ensure!(centre.ask(moved)? == Ok(Answer::Accepted));
    expect(&mut centre, &mut eyes, &[1, 3])?;
    let end = |at: usize| centre.model.ends.get(&before[at]).cloned().unwrap_or_default();
    ensure!(end(2) == [EntryEnd::Released], "{:?}", end(2));
    ensure!(end(0) == [EntryEnd::Transferred], "{:?}", end(0));
    ensure!(!waiting.is_over());
    Ok(())
}

/// The callers of `support`, by name.
fn order(model: &Model) -> Vec<String> {
    let callers = model.callers.get("support").map(Vec::as_slice).unwrap_or_default();
    callers.iter().map(|caller| caller.call.0.clone()).collect()
}

#[test]
fn the_users_own_calls_are_begun_parked_taken_back_and_ended() -> Result<()> {
    let folder = tempdir()?;
    let (asterisk, mut centre, _eyes) = start(&folder)?;
    let _anna = agent(folder.path(), 301, "0.0", "60000")?;
    let _bert = agent(folder.path(), 302, "0.0", "60000")?;
    let talking = |model: &Model| {
        let mut calls = model.calls.values();
        calls.find(|call| call.state == pbx::centre::ExchangeCallState::Active).cloned()
    };
    let Ok(Answer::Call(id)) = centre.ask(Request::Dial { number: asterisk::ECHO.to_owned() })?
    else {
        anyhow::bail!("the telephone was not rung");
    };
    centre.until("the call", |model| talking(model).is_some_and(|call| call.id == id))?;
    centre.until("its SIP Call-ID", |model| {
        model.calls.get(&id).is_some_and(|call| call.sip_call_id.is_some())
    })?;
    let release = Request::Control { call: id.clone(), verb: CallVerb::Release };
    ensure!(centre.ask(release)? == Ok(Answer::Accepted));
    centre.until("its end", |model| talking(model).is_none())?;
    centre.until("no call", |_| asterisk.calls().is_ok_and(|calls| calls == 0))?;
    let far = Request::Dial { number: "302".to_owned() };
    let Ok(Answer::Call(id)) = centre.ask(far)? else { anyhow::bail!("302 was not rung") };
    centre.until("the call", |model| talking(model).is_some_and(|call| call.id == id))?;
    let mut parked = Err(Refusal::Unavailable);
    for _ in 0..100 {
        let park = Request::Control { call: id.clone(), verb: CallVerb::Park(None) };
        parked = centre.ask(park)?;
        if parked != Err(Refusal::Unavailable) {
            break;
        }
        // Its other side has not answered yet.
        pause(Duration::from_millis(50));
    }
    let Ok(Answer::Parked(space)) = parked else { anyhow::bail!("not parked: {parked:?}") };
    centre.until("the end of the call", |model| talking(model).is_none())?;
    ensure!(asterisk.console("parking show default")?.contains(&space));
    let answer = centre.ask(Request::Retrieve { at: Some(space) })?;
    ensure!(matches!(answer, Ok(Answer::Call(_))), "{answer:?}");
    centre.until("the call again", |model| talking(model).is_some())?;
    Ok(())
}

#[test]
fn an_exchange_that_dies_is_read_anew() -> Result<()> {
    let folder = tempdir()?;
    let (mut asterisk, mut centre, mut eyes) = start(&folder)?;
    ensure!(centre.ask(state(None, AgentState::Available, None))? == Ok(Answer::Accepted));
    centre.until("Anna", |model| shows(model, "PJSIP/301", AgentState::Available))?;
    let _waiting =
        customers(folder.path(), ("patient", "120000"), ("800", "06", CUSTOMERS), (2, 40))?;
    centre.until("two callers", |model| order(model).len() == 2)?;
    same(&mut centre, &mut eyes)?;
    asterisk.kill();
    centre.until("the loss", |model| model.link == LinkState::Lost)?;
    asterisk.restart()?;
    centre.until("the return", |model| model.link == LinkState::Live)?;
    let mut eyes = queues::eyes()?;
    same(&mut centre, &mut eyes)?;
    ensure!(order(&centre.model).is_empty(), "callers of before are gone");
    ensure!(shows(&centre.model, "PJSIP/301", AgentState::SignedOut), "{:?}", centre.model.agents);
    Ok(())
}

#[test]
fn a_wrong_secret_is_tried_once() -> Result<()> {
    let folder = tempdir()?;
    let asterisk = Asterisk::start_with(folder.path(), &queues::settings())?;
    let wrong = pbx_asterisk::Config { secret: "fout".to_owned().into(), ..Centre::config() };
    let mut centre = Centre::begin(wrong)?;
    centre.until("the refusal", |model| model.link == LinkState::Refused)?;
    pause(Duration::from_secs(3));
    centre.catch_up()?;
    ensure!(centre.model.link == LinkState::Refused);
    let log = asterisk.output();
    let tries = log.matches("failed to authenticate as 'balie'").count();
    ensure!(tries == 1, "{tries} tries: {log}");
    Ok(())
}
