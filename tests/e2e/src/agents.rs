//! Agents who work with the whole program on Asterisk's queues: what the program shows them, and whether that is what
//! Asterisk itself says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use pbx::centre::AgentState;
use serde_json::{Value, json};

use crate::ami::Fields;
use crate::asterisk;
use crate::balie::{Account, Balie, program};
use crate::queues::{PORT, SECRET, Said, USER, expected};
use crate::{PHONES, SERVER, deadline, is_over};

/// Where the program finds the password of the manager interface.
pub const PASSWORD_ENV: &str = "BALIE_AMI_PASSWORD";

/// One who lets every call of this number ring, so that it comes back to the queue.
const DEAF_EVERY: usize = 7;

/// How long the telephone rings before it is answered.
const RINGS: Duration = Duration::from_millis(200);

/// How long conversations last, in turn.
const TALKS: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(1_000), Duration::from_millis(600)];

/// The settings of an agent: a telephone of the laboratory, with `more` lines about the manager interface.
#[must_use]
pub fn account(user: &str, name: &str, more: &str) -> Account {
    let server = format!("{SERVER}:{}", asterisk::PORT);
    let account = Account::new(user, asterisk::PASSWORD, &server).with_codec("pcma");
    account.with(&format!(
        "[account.asterisk]\nhost = \"{SERVER}\"\nport = {PORT}\nuser = \"{USER}\"\n\
         password_env = \"{PASSWORD_ENV}\"\ninterface = \"PJSIP/{user}\"\nname = \"{name}\"\n\
         context = \"phones\"\nreasons = [\"Lunch\", \"Meeting\"]\n{more}"
    ))
}

/// A call that came in.
#[derive(Debug, Clone)]
pub struct Came {
    /// Who called.
    pub number: String,
    /// The queue that the program named, once it did.
    pub queue: Option<String>,
    /// It was answered.
    pub answered: bool,
    /// It is over.
    pub over: bool,
    /// What is to be done, and when: to answer, or to hang up.
    due: Option<(Instant, &'static str)>,
}

/// An agent with the program.
pub struct Agent {
    /// The program.
    pub balie: Balie,
    /// His telephone, as the queues have it.
    pub interface: String,
    /// His name in the queues.
    pub name: String,
    /// Calls that came, by the program's ids.
    pub came: BTreeMap<u64, Came>,
    /// States that the program has shown him in.
    pub seen: BTreeSet<String>,
}

impl Agent {
    /// Starts the program with the account, and waits until his telephone is registered and the exchange is read.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub fn start(folder: &Path, account: &Account, name: &str) -> Result<Self> {
        let mut agent = Self::begin(folder, account, name, SECRET)?;
        agent.balie.registered()?;
        agent.until("the exchange", |centre| centre["link"]["state"] == "live")?;
        Ok(agent)
    }

    /// Starts the program, with this password for the manager interface, and waits for nothing.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn begin(folder: &Path, account: &Account, name: &str, secret: &str) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.env(PASSWORD_ENV, secret);
        let balie = Balie::start_by(command, &account.write(folder, PHONES)?, "null")?;
        Ok(Self {
            balie,
            interface: format!("PJSIP/{}", account.user),
            name: name.to_owned(),
            came: BTreeMap::new(),
            seen: BTreeSet::new(),
        })
    }

    /// What the program shows of the exchange.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn centre(&mut self) -> Result<Value> {
        let centres = self.balie.request("centre.get", &json!({}))?;
        centres.get(0).cloned().context("the account has no exchange")
    }

    /// Waits until the program shows the exchange so.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let end = deadline(Duration::from_secs(20));
        loop {
            let centre = self.centre()?;
            if fits(&centre) {
                return Ok(centre);
            }
            ensure!(!is_over(end), "{what}: not in time; {centre:#}");
            crate::pause(Duration::from_millis(20));
        }
    }

    /// Waits until the agent's own bar shows this state.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn until_state(&mut self, state: &str) -> Result<Value> {
        let what = format!("{} to be {state}", self.name);
        let centre = self.until(&what, |centre| centre["agent"]["state"] == state)?;
        Ok(centre["agent"].clone())
    }

    /// The queues as the program shows them, by name.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn queues(&mut self) -> Result<BTreeMap<String, Value>> {
        let views = self.balie.request("queue.list", &json!({}))?;
        let views = views.as_array().cloned().unwrap_or_default();
        let id = |view: &Value| view["queue"].as_str().unwrap_or_default().to_owned();
        Ok(views.into_iter().map(|view| (id(&view), view)).collect())
    }

    /// Goes on with his work: answers what rings, talks a little, hangs up; some calls he lets ring.
    ///
    /// # Errors
    /// When the program ended, or refuses what cannot be refused.
    pub fn work(&mut self) -> Result<()> {
        while let Some(event) = self.balie.next_event("agent.changed", Duration::ZERO)? {
            self.seen.extend(event["state"].as_str().map(str::to_owned));
        }
        while let Some(event) = self.balie.next_event("call.state", Duration::ZERO)? {
            self.call_told(&event);
        }
        for name in ["queue.changed", "call.media"] {
            self.balie.forget(name);
        }
        let due = |came: &Came| came.due.filter(|(at, _)| is_over(*at)).map(|(_, verb)| verb);
        let due: Vec<(u64, &'static str)> =
            self.came.iter().filter_map(|(id, came)| Some((*id, due(came)?))).collect();
        for (id, verb) in due {
            if let Some(came) = self.came.get_mut(&id) {
                came.due = None;
            }
            let outcome = self.balie.request(verb, &json!({"call": id}));
            // The caller may have gone a moment before.
            if let Err(error) = outcome {
                let text = error.to_string();
                let late = text.contains("unknown_call") || text.contains("wrong_state");
                ensure!(late, "{text}");
            }
        }
        Ok(())
    }

    fn call_told(&mut self, event: &Value) {
        let Some(id) = event["call"].as_u64().filter(|_| event["direction"] == "in") else {
            return;
        };
        let count = self.came.len();
        let talks = self.came.values().any(|came| came.answered && !came.over);
        let new = !self.came.contains_key(&id);
        let came = self.came.entry(id).or_insert_with(|| Came {
            number: user_of(&event["peer"]),
            queue: None,
            answered: false,
            over: false,
            due: None,
        });
        if let Some(queue) = event["queue"]["queue"].as_str() {
            came.queue = Some(queue.to_owned());
        }
        match event["state"].as_str().unwrap_or_default() {
            "ringing" if new && !talks && !(count + 1).is_multiple_of(DEAF_EVERY) => {
                came.due = Some((deadline(RINGS), "call.answer"));
            }
            "active" if !came.answered => {
                came.answered = true;
                let talk = TALKS.get(count % TALKS.len()).copied().unwrap_or_default();
                came.due = Some((deadline(talk), "call.hangup"));
            }
            "ended" => (came.over, came.due) = (true, None),
            _ => {}
        }
    }

    /// What the program shows otherwise than Asterisk says: callers with their places and waits, agents with their
    /// states, the own state. `clock`: Asterisk's own, in seconds.
    ///
    /// # Errors
    /// When the program does not answer.
    pub fn differences(&mut self, said: &Said, clock: f64) -> Result<Vec<String>> {
        let (queues, centre) = (self.queues()?, self.centre()?);
        let mut wrong = Vec::new();
        if queues.len() != said.params.len() {
            wrong.push(format!("queues: shown {:?}", queues.keys()));
        }
        for name in said.params.keys() {
            match queues.get(name) {
                Some(view) => {
                    callers(name, view, said, clock, &mut wrong);
                    agents(name, view, said, clock, &mut wrong);
                }
                None => wrong.push(format!("{name} is not shown")),
            }
        }
        let own = said.members.get(&self.interface).map(|lines| expected(lines, clock).0);
        let own: Vec<&str> =
            own.map_or(vec!["signed_out"], |states| states.into_iter().map(word).collect());
        let shown = centre["agent"]["state"].as_str().unwrap_or_default();
        if !own.contains(&shown) {
            wrong.push(format!("own state: shown {shown}, is {own:?}"));
        }
        let name = &self.name;
        Ok(wrong.into_iter().map(|words| format!("to {name}: {words}")).collect())
    }

    /// What the program's figures say otherwise than Asterisk's.
    ///
    /// # Errors
    /// When the program does not answer.
    pub fn different_figures(&mut self, said: &Said) -> Result<Vec<String>> {
        let queues = self.queues()?;
        let mut wrong = Vec::new();
        for (queue, params) in &said.params {
            let number = |name: &str| params[name].parse::<f64>().unwrap_or(-1.0).round();
            let members = || said.members.values().flatten().filter(|line| line["Queue"] == *queue);
            let count = |fits: &dyn Fn(&&Fields) -> bool| {
                u32::try_from(members().filter(fits).count()).map_or(-1.0, f64::from)
            };
            let shown = queues.get(queue).map(|view| view["measures"].clone()).unwrap_or_default();
            for (measure, is) in [
                ("waiting", number("Calls")),
                ("answered", number("Completed")),
                ("abandoned", number("Abandoned")),
                ("average_answer", number("Holdtime")),
                ("service_level", number("ServicelevelPerf")),
                ("agents_assigned", count(&|_| true)),
                ("agents_unavailable", count(&|line| line["Paused"] == "1")),
                ("agents_idle", count(&|line| line["Paused"] == "0" && line["Status"] == "1")),
            ] {
                let shown = shown.as_array().into_iter().flatten();
                let found = shown.clone().find(|one| one["measure"] == measure);
                let value = found.and_then(|one| one["value"].as_f64());
                if value != Some(is) {
                    let name = &self.name;
                    wrong.push(format!("to {name}: {queue}, {measure}: shown {value:?}, is {is}"));
                }
            }
        }
        Ok(wrong)
    }

    /// Numbers and queues of those who gave up, as the program lists them.
    ///
    /// # Errors
    /// When the program does not answer, or lists somebody twice.
    pub fn gave_up(&mut self) -> Result<BTreeSet<(String, String)>> {
        let centre = self.centre()?;
        let mut listed = BTreeSet::new();
        for caller in centre["abandoned"].as_array().into_iter().flatten() {
            let queue = caller["queue"].as_str().unwrap_or_default().to_owned();
            let number = digits(caller["peer"]["number"].as_str().unwrap_or_default());
            ensure!(caller["times"] == 1, "listed more than once: {caller}");
            if !listed.insert((number, queue)) {
                bail!("listed twice: {caller}");
            }
        }
        Ok(listed)
    }
}

fn callers(queue: &str, view: &Value, said: &Said, clock: f64, wrong: &mut Vec<String>) {
    let entries = view["entries"].as_array().cloned().unwrap_or_default();
    let call = |entry: &Value| entry["call"].as_str().unwrap_or_default().to_owned();
    let line = |entry: &Value| {
        let number = digits(entry["peer"]["number"].as_str().unwrap_or_default());
        (call(entry), number)
    };
    let shown: Vec<(String, String)> = entries.iter().map(line).collect();
    let is = said.callers.get(queue).cloned().unwrap_or_default();
    if shown != is {
        wrong.push(format!("callers of {queue}: shown {shown:?}, are {is:?}"));
    }
    for (place, entry) in (1_u64..).zip(&entries) {
        if entry["position"] != place {
            wrong.push(format!("a place in {queue}: {entry}"));
        }
        let since = entry["since_ms"].as_f64().unwrap_or(0.0) / 1_000.0;
        let waited = said.waits.get(&call(entry)).and_then(|&wait| u32::try_from(wait).ok());
        // Asterisk counts whole seconds, and its clock was asked a moment later.
        if waited.is_some_and(|wait| (clock - since - f64::from(wait)).abs() > 2.0) {
            wrong.push(format!("a wait in {queue}: {waited:?} at {clock}, {entry}"));
        }
    }
}

fn agents(queue: &str, view: &Value, said: &Said, clock: f64, wrong: &mut Vec<String>) {
    let shown = view["agents"].as_array().cloned().unwrap_or_default();
    let id = |agent: &Value| agent["agent"].as_str().unwrap_or_default().to_owned();
    let there: BTreeSet<String> = shown.iter().map(id).collect();
    let here = |lines: &&Vec<Fields>| lines.iter().any(|line| line["Queue"] == queue);
    let members: BTreeSet<String> = said
        .members
        .iter()
        .filter(|(_, lines)| here(lines))
        .map(|(agent, _)| agent.clone())
        .collect();
    if there != members {
        wrong.push(format!("agents of {queue}: shown {there:?}, are {members:?}"));
    }
    for agent in &shown {
        let Some(lines) = said.members.get(&id(agent)) else { continue };
        let (states, talks) = expected(lines, clock);
        let states: Vec<&str> = states.into_iter().map(word).collect();
        let paused = lines.iter().all(|line| line["Paused"] == "1");
        let reason = if paused { lines[0]["PausedReason"].as_str() } else { "" };
        let fits = states.contains(&agent["state"].as_str().unwrap_or_default())
            && agent["on_call"] == talks
            && agent["reason"] == reason;
        if !fits {
            wrong.push(format!(
                "{agent} in {queue} is {states:?}, talks: {talks}, for {reason:?}; {lines:?}"
            ));
        }
    }
}

fn word(state: AgentState) -> &'static str {
    match state {
        AgentState::SignedOut => "signed_out",
        AgentState::SigningIn => "signing_in",
        AgentState::Available => "available",
        AgentState::Unavailable => "unavailable",
        AgentState::WrapUp => "wrap_up",
    }
}

/// The number of a caller, as it was signalled.
fn user_of(peer: &Value) -> String {
    let uri = peer["uri"].as_str().unwrap_or_default();
    let user = uri.split(['@', ';']).next().unwrap_or_default();
    user.trim_start_matches("sip:").to_owned()
}

/// A number without what stands between its digits for people.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// One line of what Asterisk writes down of its queues.
#[derive(Debug, Clone)]
pub struct Line {
    /// The call.
    pub call: String,
    /// The queue.
    pub queue: String,
    /// The agent, by name or by device.
    pub agent: String,
    /// What happened: ENTERQUEUE, CONNECT, RINGNOANSWER, ABANDON, EXITWITHTIMEOUT, ….
    pub event: String,
    /// More about it.
    pub data: Vec<String>,
}

/// All lines (`queue_log`): `time|call|queue|agent|event|data|…`.
#[must_use]
pub fn lines(text: &str) -> Vec<Line> {
    let line = |line: &str| {
        let mut parts = line.split('|').map(str::to_owned);
        let _time = parts.next()?;
        Some(Line {
            call: parts.next()?,
            queue: parts.next()?,
            agent: parts.next()?,
            event: parts.next()?,
            data: parts.collect(),
        })
    };
    text.lines().filter_map(line).collect()
}

/// What became of each caller by what Asterisk wrote down.
#[derive(Debug, Default)]
pub struct Record {
    /// Queue of each number.
    pub queues: BTreeMap<String, String>,
    /// Who answered which number, by name or by device.
    pub connected: BTreeMap<String, String>,
    /// Who gave up, and in which queue.
    pub gave_up: BTreeSet<(String, String)>,
    /// Whom a queue gave up on.
    pub sent_on: BTreeSet<String>,
    /// How often a call rang in vain.
    pub rang_in_vain: usize,
}

impl Record {
    /// Reads it.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut record = Self::default();
        let mut numbers: BTreeMap<String, String> = BTreeMap::new();
        for line in lines(text) {
            if line.event == "ENTERQUEUE" {
                let number = line.data.get(1).cloned().unwrap_or_default();
                record.queues.insert(number.clone(), line.queue.clone());
                numbers.insert(line.call.clone(), number);
            }
            let Some(number) = numbers.get(&line.call).cloned() else { continue };
            match line.event.as_str() {
                "CONNECT" => {
                    record.connected.insert(number, line.agent);
                }
                "ABANDON" => {
                    record.gave_up.insert((number, line.queue));
                }
                "EXITWITHTIMEOUT" => {
                    record.sent_on.insert(number);
                }
                "RINGNOANSWER" => record.rang_in_vain += 1,
                _ => {}
            }
        }
        record
    }
}
