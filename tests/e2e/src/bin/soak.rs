//! The soak: calls in both directions with holds and transfers, watched lines that change, and a server that restarts
//! every ten minutes. Prints what was lost and what the program held at the start, in the middle and at the end.
//!
//! Arguments: `--minutes N` (60), `--calls N` (2000 in 60 minutes, in proportion otherwise), `--lines N` (1000).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::asterisk::{self, Asterisk};
use e2e::balie::{Account, Balie};
use e2e::lamps::now;
use e2e::measure::{Usage, usage};
use e2e::{PHONES, SERVER, pause};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

/// How often the server is killed and started again.
const RESTART: Duration = Duration::from_secs(600);
/// A call that fails so soon after a restart is the restart's own.
const GRACE: Duration = Duration::from_secs(5);
/// A changed lamp must be shown by then.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

fn main() -> Result<()> {
    let plan = Plan::read()?;
    let folder = tempdir()?;
    let mut soak = Soak::begin(&plan, &folder)?;
    let done = match soak.run() {
        Ok(()) => soak.report(),
        Err(error) => Err(error),
    };
    if done.is_err() {
        say(&format!("what the programs said is kept in {}", folder.keep().display()));
    }
    done
}

struct Plan {
    time: Duration,
    calls: u32,
    lines: usize,
}

impl Plan {
    fn read() -> Result<Self> {
        let (mut minutes, mut calls, mut lines) = (60, None, 1_000);
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().with_context(|| format!("{name} wants a number"))?;
            match name.as_str() {
                "--minutes" => minutes = value.parse()?,
                "--calls" => calls = Some(value.parse()?),
                "--lines" => lines = value.parse()?,
                _ => anyhow::bail!("unknown argument {name}"),
            }
        }
        let calls = calls.unwrap_or(minutes * 2_000 / 60);
        Ok(Self { time: Duration::from_secs(u64::from(minutes) * 60), calls, lines })
    }
}

/// What the calls do, one after the other.
const KINDS: &[&str] =
    &["out", "in", "out with hold", "in with hold", "blind transfer", "attended transfer"];

#[derive(Default)]
struct Tally {
    done: u32,
    /// Failed, in words.
    failed: Vec<String>,
    /// Failed within the restart's own time.
    excused: u32,
}

struct Soak<'a> {
    plan: &'a Plan,
    asterisk: Asterisk,
    /// The program under test.
    balie: Balie,
    /// Two more, to talk with.
    customer: Balie,
    third: Balie,
    tallies: BTreeMap<&'static str, Tally>,
    /// Moments at which figures were taken.
    marks: Vec<(String, Usage)>,
    started: Instant,
    restarted: Option<Instant>,
    restarts: u32,
    changes: u32,
    /// Changes that were not shown in time, in words.
    lamps_wrong: Vec<String>,
    /// What each switched line was last switched to: the server's word for it, and Balie's.
    switched: BTreeMap<String, (&'static str, &'static str)>,
    last_switched: Option<String>,
    /// Whether lines can be watched, and if not, why.
    watching: Result<(), String>,
}

impl<'a> Soak<'a> {
    fn begin(plan: &'a Plan, folder: &TempDir) -> Result<Self> {
        let asterisk = Asterisk::start(folder.path())?;
        let start = |user: &str| -> Result<Balie> {
            let account =
                Account::new(user, asterisk::PASSWORD, &format!("{SERVER}:{}", asterisk::PORT));
            let mut balie =
                Balie::start(&account.over_tcp().write(folder.path(), PHONES)?, "null")?;
            balie.registered()?;
            Ok(balie)
        };
        let (balie, customer, third) = (start("101")?, start("102")?, start("103")?);
        let mut soak = Self {
            plan,
            asterisk,
            balie,
            customer,
            third,
            tallies: BTreeMap::new(),
            marks: Vec::new(),
            started: now(),
            restarted: None,
            restarts: 0,
            changes: 0,
            lamps_wrong: Vec::new(),
            switched: BTreeMap::new(),
            last_switched: None,
            watching: Ok(()),
        };
        soak.watching = soak.watch().map_err(|error| format!("{error:#}"));
        Ok(soak)
    }

    fn watch(&mut self) -> Result<()> {
        if self.plan.lines == 0 {
            return Ok(());
        }
        let uris: Vec<String> =
            (0..self.plan.lines).map(|line| format!("sip:{}@{SERVER}", 2_000 + line)).collect();
        self.balie.request("line.watch", &json!({"uris": uris}))?;
        for _ in 0..self.plan.lines {
            let fits = |event: &Value| event["state"] != "unknown";
            self.balie.event_within("line.state", Duration::from_secs(120), fits)?;
        }
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        let gap = self.plan.time / self.plan.calls.max(1);
        let mut number = 0_u32;
        while self.started.elapsed() < self.plan.time && number < self.plan.calls {
            // The first calls fill pools.
            for (at, name) in
                [(10.min(self.plan.calls / 4), "start"), (self.plan.calls / 2, "middle")]
            {
                if number == at {
                    self.mark(name)?;
                }
            }
            let kind = KINDS.get(number as usize % KINDS.len()).copied().unwrap_or("out");
            let outcome = self.call(kind);
            self.take_down(kind, outcome)?;
            self.lamp(number)?;
            number += 1;
            if self.started.elapsed() > RESTART * (self.restarts + 1) {
                self.restart()?;
            }
            let due = self.started + gap * number;
            pause(due.saturating_duration_since(now()));
        }
        self.compare()?;
        self.mark("end")
    }

    fn call(&mut self, kind: &str) -> Result<()> {
        match kind {
            "out" | "out with hold" => {
                let call = self.balie.begin("102")?;
                let theirs = answered(&mut self.customer)?;
                self.balie.call_state(&call, "active")?;
                if kind == "out with hold" {
                    hold(&mut self.balie, &call)?;
                }
                self.balie.hangup(&call)?;
                self.customer.call_state(&theirs, "ended")?;
            }
            "in" | "in with hold" => {
                let theirs = self.customer.begin("101")?;
                let call = answered(&mut self.balie)?;
                self.customer.call_state(&theirs, "active")?;
                if kind == "in with hold" {
                    hold(&mut self.balie, &call)?;
                }
                self.customer.hangup(&theirs)?;
                self.balie.call_state(&call, "ended")?;
            }
            _ => self.transfer(kind == "attended transfer")?,
        }
        Ok(())
    }

    /// The customer rings and is sent on to the third.
    fn transfer(&mut self, asks_first: bool) -> Result<()> {
        let theirs = self.customer.begin("101")?;
        let call = answered(&mut self.balie)?;
        self.customer.call_state(&theirs, "active")?;
        let to = json!({"call": call, "to": "103"});
        let sent = if asks_first {
            self.balie.request("call.transfer.consult", &to).and_then(|reply| {
                let taken = answered(&mut self.third)?;
                let consult = reply.get("consult").or_else(|| reply.get("call")).unwrap_or(&reply);
                self.balie.call_state(consult, "active")?;
                self.balie.request("call.transfer.complete", &json!({"call": call}))?;
                Ok(taken)
            })
        } else {
            self.balie.request("call.transfer.blind", &to).and_then(|_| answered(&mut self.third))
        };
        let taken = match sent {
            Ok(taken) => taken,
            Err(error) => {
                // The caller is not left behind; that he is gone already does not hide why.
                let left = self.balie.hangup(&call);
                let left = left.and_then(|()| self.customer.call_state(&theirs, "ended").map(drop));
                return Err(match left {
                    Ok(()) => error,
                    Err(then) => error.context(format!("and then {then}")),
                });
            }
        };
        self.balie.call_state(&call, "ended")?;
        self.third.hangup(&taken)?;
        self.customer.call_state(&theirs, "ended")?;
        Ok(())
    }

    /// Counts a call. After a failure everybody hangs up, so that the next begins afresh.
    fn take_down(&mut self, kind: &'static str, outcome: Result<()>) -> Result<()> {
        let tally = self.tallies.entry(kind).or_default();
        match outcome {
            Ok(()) => tally.done += 1,
            Err(error) => {
                if self.restarted.is_some_and(|at| at.elapsed() < GRACE + e2e::balie::PATIENCE) {
                    tally.excused += 1;
                } else {
                    tally.failed.push(format!("{error:#}").chars().take(600).collect());
                }
                self.asterisk.console("channel request hangup all")?;
                pause(Duration::from_secs(1));
            }
        }
        for balie in [&mut self.balie, &mut self.customer, &mut self.third] {
            for name in ["call.state", "call.media", "call.transfer"] {
                balie.forget(name);
            }
        }
        Ok(())
    }

    /// One lamp is switched and must be shown.
    fn lamp(&mut self, number: u32) -> Result<()> {
        if self.watching.is_err() || self.plan.lines == 0 {
            return Ok(());
        }
        let line = format!("{}", 2_000 + number as usize % self.plan.lines);
        let (state, shown) = if (number as usize / self.plan.lines).is_multiple_of(2) {
            ("INUSE", "busy")
        } else {
            ("NOT_INUSE", "idle")
        };
        self.asterisk.lamp(&line, state)?;
        self.changes += 1;
        let is_it = |event: &Value| {
            event["uri"].as_str().is_some_and(|uri| uri.contains(&line)) && event["state"] == shown
        };
        if self.balie.event_within("line.state", SHOWN_WITHIN, is_it).is_err() {
            let minute = self.started.elapsed().as_secs() / 60;
            let stands = self.shown()?.remove(&line).unwrap_or_default();
            self.lamps_wrong.push(format!("minute {minute}: {line} is {stands}, not {shown}"));
        }
        self.balie.forget("line.state");
        self.switched.insert(line.clone(), (state, shown));
        self.last_switched = Some(line);
        Ok(())
    }

    /// What Balie shows of each line, by its number.
    fn shown(&mut self) -> Result<BTreeMap<String, String>> {
        let lines = self.balie.request("line.list", &json!({}))?;
        let lines = lines.as_array().context("no list of lines")?;
        Ok(lines
            .iter()
            .filter_map(|line| {
                let number = line["uri"].as_str()?.strip_prefix("sip:")?.split_once('@')?.0;
                Some((number.to_owned(), line["state"].as_str()?.to_owned()))
            })
            .collect())
    }

    /// Every line that was switched must be shown as it was left.
    fn compare(&mut self) -> Result<()> {
        if self.switched.is_empty() {
            return Ok(());
        }
        let shown = self.shown()?;
        for (line, (_, wanted)) in &self.switched {
            let stands = shown.get(line).map_or("not watched", String::as_str);
            if stands != *wanted {
                self.lamps_wrong.push(format!("at the end: {line} is {stands}, not {wanted}"));
            }
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.restarts += 1;
        for balie in [&mut self.balie, &mut self.customer, &mut self.third] {
            balie.forget("account.state");
        }
        self.asterisk.kill();
        self.asterisk.restart()?;
        for balie in [&mut self.balie, &mut self.customer, &mut self.third] {
            balie.event_within("account.state", Duration::from_secs(60), |event| {
                event["state"] == "registered"
            })?;
        }
        self.restarted = Some(now());
        // Asterisk writes what it was told once a second: killed before that, it wakes up with the lamp as it was.
        if let Some((line, (state, _))) =
            self.last_switched.as_ref().and_then(|line| self.switched.get_key_value(line))
        {
            self.asterisk.lamp(line, state)?;
        }
        Ok(())
    }

    fn mark(&mut self, name: &str) -> Result<()> {
        self.marks.push((name.to_owned(), usage(self.balie.id())?));
        Ok(())
    }

    #[expect(clippy::too_many_lines, reason = "one table")]
    fn report(self) -> Result<()> {
        say("calls               good  lost  in the restart's own time");
        for (kind, tally) in &self.tallies {
            say(&format!(
                "{kind:18}  {:4}  {:4}  {:4}",
                tally.done,
                tally.failed.len(),
                tally.excused
            ));
        }
        match &self.watching {
            Ok(()) => say(&format!(
                "{} lines watched, {} changes, {} wrong",
                self.plan.lines,
                self.changes,
                self.lamps_wrong.len()
            )),
            Err(why) => say(&format!("no lines watched: {why}")),
        }
        say(&format!("{} restarts of the server", self.restarts));
        say("moment   RSS KiB  threads  descriptors  processor s");
        for (name, usage) in &self.marks {
            say(&format!(
                "{name:7}  {:7}  {:7}  {:11}  {:11.1}",
                usage.rss_kib, usage.threads, usage.descriptors, usage.cpu_seconds
            ));
        }
        for (kind, tally) in &self.tallies {
            for failure in tally.failed.iter().take(3) {
                say(&format!("{kind}: {failure}"));
            }
        }
        for lamp in self.lamps_wrong.iter().take(10) {
            say(lamp);
        }
        let lost: usize = self.tallies.values().map(|tally| tally.failed.len()).sum();
        ensure!(lost == 0, "{lost} calls were lost");
        ensure!(self.lamps_wrong.is_empty(), "{} lamps stayed wrong", self.lamps_wrong.len());
        if let Err(why) = &self.watching {
            anyhow::bail!("no lines were watched: {why}");
        }
        if let [(_, first), .., (_, last)] = self.marks.as_slice() {
            ensure!(
                last.threads <= first.threads + 2,
                "threads grew from {} to {}",
                first.threads,
                last.threads
            );
            ensure!(
                last.descriptors <= first.descriptors + 2,
                "descriptors grew from {} to {}",
                first.descriptors,
                last.descriptors
            );
            ensure!(
                last.rss_kib <= first.rss_kib + first.rss_kib / 10 + 4_096,
                "memory grew from {} to {} KiB",
                first.rss_kib,
                last.rss_kib
            );
        }
        Ok(())
    }
}

fn answered(balie: &mut Balie) -> Result<Value> {
    let call = balie.ringing()?;
    balie.request("call.answer", &json!({"call": call}))?;
    balie.call_state(&call, "active")?;
    Ok(call)
}

fn hold(balie: &mut Balie, call: &Value) -> Result<()> {
    balie.request("call.hold", &json!({"call": call}))?;
    balie.call_state(call, "held")?;
    balie.request("call.resume", &json!({"call": call}))?;
    balie.call_state(call, "active")?;
    Ok(())
}
