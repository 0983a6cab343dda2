//! A supervisor who watches both queues of the demo company while the exchange is made to misbehave.

#![expect(clippy::print_stdout, reason = "how long each took is part of what is proved")]

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::centre::{Scene, User};
use e2e::lamps::now;
use serde_json::{Value, json};

/// What is shown is whole again within this time, with everything that went wrong put right.
pub(crate) const WHOLE: Duration = Duration::from_secs(30);

/// See the module.
pub(crate) struct Ward {
    pub(crate) scene: Scene,
    pub(crate) karel: User,
    customers: Cell<u32>,
    waiting: Cell<Vec<u64>>,
}

impl Ward {
    /// Two callers wait in one of the queues, and everything is shown.
    pub(crate) fn start() -> Result<Self> {
        let scene = Scene::start()?;
        let karel = scene.watcher("106")?;
        Self::of(scene, karel)
    }

    pub(crate) fn of(scene: Scene, karel: User) -> Result<Self> {
        let (customers, waiting) = (Cell::new(0), Cell::new(Vec::new()));
        let mut ward = Self { scene, karel, customers, waiting };
        for agent in ["222", "223", "224", "226"] {
            ward.agent(agent, "unavailable", Some("PAUZE"))?;
        }
        ward.caller("195")?;
        ward.caller("196")?;
        ward.scene.same(&mut ward.karel, WHOLE)?;
        Ok(ward)
    }

    pub(crate) fn turn(&self, command: &Value) -> Result<Value> {
        self.scene.pbx.turn(command)
    }

    pub(crate) fn agent(&self, agent: &str, state: &str, code: Option<&str>) -> Result<()> {
        let mut line = json!({"cmd": "agent.state", "agent": agent, "state": state});
        if let Some(code) = code {
            line["code"] = json!(code);
        }
        self.turn(&line).map(|_| ())
    }

    /// A caller who waits for long; his name at the exchange.
    pub(crate) fn caller(&self, queue: &str) -> Result<u64> {
        let number = self.customers.get() + 1;
        self.customers.set(number);
        let call = self.scene.customer(queue, &format!("+31302310{number:03}"))?;
        let mut waiting = self.waiting.take();
        waiting.push(call);
        self.waiting.set(waiting);
        Ok(call)
    }

    /// All kinds of things happen in the call centre.
    pub(crate) fn stir(&self) -> Result<()> {
        let round = self.customers.get();
        let codes = ["LUNCH", "OVERLEG", "ADMIN"];
        let code = codes.get(round as usize % codes.len()).copied();
        for agent in ["104", "105", "222", "224"] {
            self.agent(agent, "unavailable", code)?;
        }
        let joined = round.is_multiple_of(2);
        self.turn(&json!({"cmd": "agent.join", "agent": "105", "queue": "196", "joined": joined}))?;
        self.caller("195")?;
        self.caller("196")?;
        let mut waiting = self.waiting.take();
        if waiting.len() > 4 {
            let oldest = waiting.remove(0);
            self.turn(&json!({"cmd": "queue.release", "call": oldest}))?;
        }
        self.waiting.set(waiting);
        self.agent("223", "sign_out", None)?;
        self.agent("223", "available", None)?;
        self.agent("223", "unavailable", Some("PAUZE"))
    }

    /// Starts the exchange anew, which forgets the callers.
    pub(crate) fn restart(&self, down_s: u64) -> Result<()> {
        self.waiting.set(Vec::new());
        self.turn(&json!({"cmd": "restart", "down_s": down_s})).map(|_| ())
    }

    /// Waits until what is shown is what the exchange says, and records how long that took.
    pub(crate) fn whole(&mut self, what: &str) -> Result<Duration> {
        let took = self.scene.same(&mut self.karel, WHOLE)?;
        println!("    {what}: whole again after {:.0} ms", took.as_secs_f64() * 1_000.0);
        Ok(took)
    }

    /// How often the program's log tells of this.
    pub(crate) fn did(&self, words: &str) -> Result<usize> {
        let log = std::fs::read_to_string(&self.karel.log)?;
        Ok(log.lines().filter(|line| line.contains(words)).count())
    }

    /// Waits until the program has done this more often than before.
    pub(crate) fn did_again(&self, words: &str, before: usize) -> Result<()> {
        e2e::poll(words, WHOLE, || self.did(words).ok().filter(|count| *count > before))?;
        Ok(())
    }

    /// The program has opened so many channels at most: it does not storm the exchange.
    pub(crate) fn calm(&self, channels: usize) -> Result<()> {
        let opened = self.did("channel: opens")?;
        println!("    {opened} channels opened in all");
        ensure!(opened <= channels, "{opened} channels were opened");
        Ok(())
    }
}

/// Turns a knob by its name alone.
pub(crate) fn knob(name: &str) -> Value {
    json!({"cmd": name})
}

/// Waits for a condition that the exchange decides.
pub(crate) fn settle(what: &str, mut fits: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = now();
    while !fits()? {
        ensure!(start.elapsed() < WHOLE, "{what} does not come about");
        e2e::pause(Duration::from_millis(50));
    }
    Ok(())
}
