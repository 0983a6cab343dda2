//! What a large call centre costs: a supervisor of a thousand agents in fifty queues while two hundred agents a
//! second change their state; how long it takes to be whole again after the events' channel was cut; and a
//! directory of two thousand people.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::balie::{Account, Balie};
use e2e::lamps::now;
use e2e::measure::usage;
use e2e::xsi;
use pbx::centre::Input;
use pbx_broadworks::session::SessionConfig;
use pbx_broadworks::{Anchors, Binding, ClientConfig, Credentials, Service};
use serde_json::{Value, json};
use sip_core::Random;
use tempfile::tempdir;
use tokio::runtime::Runtime;
use training_pbx::acd::{
    AgentConfig, AgentId, AgentState, CallCentre, Member, QueueConfig, QueueId,
};
use training_pbx::acd::{Code, Level, Request, UnavailableCodes};
use training_pbx::{Company, Cut, Knob, Pbx, PbxConfig, PbxHandle, Role, XsiKnob};

const AGENTS: usize = 1_000;
const QUEUES: usize = 50;
/// Changes a second.
const RATE: u32 = 200;
/// Changes that are measured.
const CHANGES: usize = 6_000;
/// How often the channel is cut.
const CUTS: usize = 25;
/// Agents that change their state while it is cut.
const MEANWHILE: usize = 10;
const PEOPLE: usize = 2_000;
const REASONS: [&str; 3] = ["PAUZE", "LUNCH", "OVERLEG"];
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(300);

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

fn main() -> Result<()> {
    let folder = tempdir()?;
    let runtime = Runtime::new()?;
    // Fewer for a first look in a build that is not optimised.
    let share = std::env::var("BENCH_SHARE").ok().and_then(|share| share.parse().ok()).unwrap_or(1);
    call_centre(&runtime, folder.path(), share)?;
    directory(&runtime, PEOPLE / share)
}

/// A company with that many agents, all of them in queues of the same size, under one supervisor.
fn company(agents: usize, queues: usize) -> Result<(Company, Vec<String>)> {
    let mut company = Company::generate(1, agents + 20)?;
    let supervisor = company.accounts.iter().find(|account| account.role == Role::Supervisor);
    let supervisor = AgentId(supervisor.context("no supervisor")?.extension.clone());
    let lines: Vec<String> =
        company.simulated.iter().take(agents).map(|person| person.extension.clone()).collect();
    ensure!(lines.len() == agents, "{} people", lines.len());
    let each = agents.div_ceil(queues);
    let queue = |(at, members): (usize, &[String])| QueueConfig {
        id: QueueId(format!("9{at:04}")),
        name: format!("Wachtrij {at}"),
        members: members.iter().map(Member::new).collect(),
        supervisors: vec![supervisor.clone()],
        ..QueueConfig::default()
    };
    let reason = |code: &str| Code {
        code: code.to_owned(),
        description: code.to_owned(),
        active: true,
        default: false,
        level: Level::Enterprise,
    };
    let agent = |line: &String| AgentConfig {
        id: AgentId(line.clone()),
        starts: AgentState::Available,
        ..AgentConfig::default()
    };
    company.numbers.queue.clear();
    company.attendant = None;
    company.centre = CallCentre {
        queues: lines.chunks(each).enumerate().map(queue).collect(),
        agents: lines.iter().map(agent).collect(),
        unavailable_codes: UnavailableCodes {
            enabled: true,
            codes: REASONS.iter().map(|code| reason(code)).collect(),
            ..UnavailableCodes::default()
        },
        dispositions: Vec::new(),
    };
    Ok((company, lines))
}

/// The exchange, the program that watches it, and what it has shown of each agent last.
struct Floor<'a> {
    runtime: &'a Runtime,
    pbx: PbxHandle,
    balie: Balie,
    lines: Vec<String>,
    /// Which reason each agent has given last.
    reasons: Vec<usize>,
}

fn call_centre(runtime: &Runtime, folder: &Path, share: usize) -> Result<()> {
    let (agents, queues) = (AGENTS / share, QUEUES / share);
    let (company, lines) = company(agents, queues)?;
    let pbx = runtime.block_on(Pbx::start(PbxConfig { company, ..PbxConfig::default() }))?;
    let limits = XsiKnob::Limits { subscriptions: Some(10_000), page: Some(1_000) };
    runtime.block_on(pbx.turn(Knob::Xsi(limits)))?;
    let accounts = pbx.ready().accounts.iter();
    let known = accounts.into_iter().find(|account| account.role == Role::Supervisor);
    let known = known.context("no supervisor")?;
    let services = xsi::settings(&pbx.ready().xsi, &known.xsi_user, &known.xsi_password);
    let mut account = Account::new(&known.extension, "none", "127.0.0.1:9");
    account.register = false;
    let config = account.with(&services).write(folder, "127.0.0.1")?;
    let start = now();
    let balie = Balie::start(&config, "none")?;
    let reasons = vec![0; lines.len()];
    let mut floor = Floor { runtime, pbx, balie, lines, reasons };
    floor.balie.event_within("exchange.state", PATIENCE, |event| event["state"] == "live")?;
    floor.complete(agents)?;
    let usage = usage(floor.balie.id())?;
    say(&format!(
        "{agents} agents in {queues} queues, all shown {:.1} s after the start; memory {} KiB, {} threads",
        start.elapsed().as_secs_f64(),
        usage.rss_kib,
        usage.threads
    ));
    floor.changes(CHANGES / share)?;
    floor.cuts(CUTS)?;
    floor.balie.quit()?;
    floor.runtime.block_on(floor.pbx.stop());
    Ok(())
}

impl Floor<'_> {
    /// Waits until every agent is shown.
    fn complete(&mut self, agents: usize) -> Result<()> {
        let end = now() + PATIENCE;
        loop {
            let queues = self.balie.request_within("queue.list", &json!({}), PATIENCE)?;
            let shown: BTreeSet<&str> = queues
                .as_array()
                .into_iter()
                .flatten()
                .flat_map(|queue| queue["agents"].as_array().into_iter().flatten())
                .filter(|agent| agent["state"] == "available")
                .filter_map(|agent| agent["agent"].as_str())
                .collect();
            if shown.len() >= agents {
                return Ok(());
            }
            ensure!(now() < end, "{} of {agents} agents are shown", shown.len());
            e2e::pause(Duration::from_millis(200));
        }
    }

    /// An agent goes, or goes on to another reason; what is then to be shown of him.
    fn change(&mut self, at: usize) -> Result<(String, &'static str)> {
        let line = self.lines.get(at).context("an agent")?.clone();
        let reason = self.reasons.get_mut(at).context("an agent")?;
        *reason = (*reason + 1) % REASONS.len();
        let code = REASONS.get(*reason).copied().context("a reason")?;
        let request = Request::SetState {
            agent: AgentId(line.clone()),
            state: AgentState::Unavailable,
            code: Some(code.to_owned()),
            validate: false,
        };
        self.runtime.block_on(self.pbx.centre_request(request))?;
        Ok((line, code))
    }

    /// Changes one agent after the other at the rate, and says how long each took to be shown.
    fn changes(&mut self, count: usize) -> Result<()> {
        self.balie.forget("queue.changed");
        let before = usage(self.balie.id())?;
        let (start, step) = (now(), Duration::from_secs(1) / RATE);
        let mut sent: BTreeMap<(String, &str), Instant> = BTreeMap::new();
        let mut times = Vec::with_capacity(count);
        let mut number = 0_u32;
        while times.len() < count {
            let due = start + step * number;
            if (number as usize) < count && now() >= due {
                // A step that is prime to the number of agents visits all of them.
                let at = (number as usize * 337) % self.lines.len();
                let sent_at = now();
                let change = self.change(at)?;
                sent.insert(change, sent_at);
                number += 1;
                continue;
            }
            // With nothing left to send, what was sent last has time to arrive.
            let left = match (number as usize) < count {
                true => due.saturating_duration_since(now()).max(Duration::from_micros(200)),
                false => Duration::from_secs(10),
            };
            let Some(event) = self.balie.next_event("queue.changed", left)? else {
                ensure!(
                    (number as usize) < count,
                    "{} of {count} changes were shown; not {:?}",
                    times.len(),
                    sent.keys().take(20).collect::<Vec<_>>()
                );
                continue;
            };
            for (agent, reason) in shown(&event) {
                for known in REASONS {
                    let hit = reason == known;
                    if let Some(at) = hit.then(|| sent.remove(&(agent.clone(), known))).flatten() {
                        times.push(at.elapsed().as_secs_f64() * 1_000.0);
                    }
                }
            }
        }
        let after = usage(self.balie.id())?;
        let lasted = start.elapsed().as_secs_f64();
        say(&format!(
            "{count} changes at {RATE} a second, from the exchange to queue.changed printed: {}",
            percentiles(times)
        ));
        say(&format!(
            "processor {:.1} % of one core, memory {} -> {} KiB",
            (after.cpu_seconds - before.cpu_seconds) / lasted * 100.0,
            before.rss_kib,
            after.rss_kib
        ));
        Ok(())
    }

    /// Cuts the channel again and again while agents change their states.
    fn cuts(&mut self, count: usize) -> Result<()> {
        let mut times = Vec::with_capacity(count);
        for round in 0..count {
            self.balie.forget("queue.changed");
            self.balie.forget("exchange.state");
            let start = now();
            let cut = XsiKnob::Cut { how: Cut::Break, user: None };
            self.runtime.block_on(self.pbx.turn(Knob::Xsi(cut)))?;
            let mut missing = BTreeSet::new();
            for one in 0..MEANWHILE {
                let at = (round * MEANWHILE + one) * 337 % self.lines.len();
                missing.insert(self.change(at)?);
            }
            self.whole(&mut missing)?;
            times.push(start.elapsed().as_secs_f64() * 1_000.0);
        }
        say(&format!(
            "channel cut {count} times, {MEANWHILE} agents changing meanwhile, until all is shown and the view is live: {}",
            percentiles(times)
        ));
        Ok(())
    }

    /// Waits until the link has been lost and is live, and what is missing is shown.
    fn whole(&mut self, missing: &mut BTreeSet<(String, &'static str)>) -> Result<()> {
        let end = now() + PATIENCE;
        let (mut lost, mut live) = (false, false);
        while !(missing.is_empty() && live) {
            let left = end.saturating_duration_since(now());
            let event = self.balie.wait("news", left, |line| {
                line["event"] == "queue.changed" || line["event"] == "exchange.state"
            })?;
            if event["event"] == "exchange.state" {
                lost |= event["state"] == "lost";
                live = lost && event["state"] == "live";
            }
            for (agent, reason) in shown(&event) {
                missing.retain(|(line, code)| *line != agent || *code != reason);
            }
            if now() >= end {
                bail!("still missing: {missing:?}");
            }
        }
        Ok(())
    }
}

/// Extensions and reasons of the agents of a queue.
fn shown(event: &Value) -> Vec<(String, String)> {
    let agents = event["agents"].as_array().into_iter().flatten();
    let one = |agent: &Value| {
        let id = agent["agent"].as_str()?.split('@').next()?.to_owned();
        Some((id, agent["reason"].as_str()?.to_owned()))
    };
    agents.filter_map(one).collect()
}

fn percentiles(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    let at =
        |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
    format!(
        "p50 {:.0} ms, p95 {:.0} ms, p99 {:.0} ms, worst {:.0} ms",
        at(0.5),
        at(0.95),
        at(0.99),
        times.last().copied().unwrap_or(f64::NAN)
    )
}

/// From the sign-in to the last entry of the directory.
fn directory(runtime: &Runtime, people: usize) -> Result<()> {
    let company = Company::generate(2, people)?;
    runtime.block_on(async {
        let pbx = Pbx::start(PbxConfig { company, ..PbxConfig::default() }).await?;
        let known = pbx.ready().accounts.first().context("no account")?.clone();
        let actions = format!("{}/com.broadsoft.xsi-actions", pbx.ready().xsi);
        let config = ClientConfig {
            session: SessionConfig::new(&known.xsi_user, "bench", "balie"),
            service: Service::from_addresses(&actions, &pbx.ready().xsi)?,
            anchors: Anchors::default(),
            proxies: false,
        };
        let start = now();
        let (binding, mut inputs) = Binding::start(config, Random::from_seed([7; 32]))?;
        let password = known.xsi_password.clone().into();
        binding.sign_in(Credentials::Basic { user: known.xsi_user.clone(), password }).await;
        let (mut entries, mut parts) = (0, 0);
        while entries < people {
            let input = tokio::time::timeout(PATIENCE, inputs.recv()).await?;
            if let Input::Directory { entries: some, .. } = input.context("the client ended")? {
                entries += some.len();
                parts += 1;
            }
        }
        say(&format!(
            "directory of {people} people: {entries} entries in {parts} parts {:.2} s after the sign-in",
            start.elapsed().as_secs_f64()
        ));
        binding.close().await;
        pbx.stop().await;
        Ok(())
    })
}
