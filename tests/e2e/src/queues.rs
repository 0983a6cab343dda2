//! The queues of the laboratory: their settings, who calls them, what the client tells of them, and what Asterisk
//! itself says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use pbx::centre::{
    AgentState, Answer, EntryEnd, Input as Told, LinkState, Measures, QueueChange, QueueEntry,
    Refusal, Request, RequestId,
};
use pbx_asterisk::{Client, Config, Server};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;

use crate::ami::{Ami, Fields};
use crate::sipp::{Options, Sipp};
use crate::{PHONES, SERVER, asterisk};

/// Port of the manager interface.
pub const PORT: u16 = 5038;
/// The same over TLS.
pub const TLS_PORT: u16 = 5039;
/// Its user.
pub const USER: &str = "balie";
/// His secret.
pub const SECRET: &str = "geheim-van-de-centrale";
/// Where customers call from.
pub const CUSTOMERS: u16 = 5095;
/// Where agents 301, 302 and 303 are.
pub const AGENTS: u16 = 5300;
/// Time to finish a call of `support`, seconds.
pub const WRAP_UP: u64 = 2;

/// Two queues: `support` (800), whose agents join by themselves, and `sales` (801), which has 303 by the settings
/// and gives up on a caller after some seconds.
#[must_use]
pub fn settings() -> Vec<(&'static str, String)> {
    settings_with("member => PJSIP/303,1,Chris,PJSIP/303\n")
}

/// The same with `members` of `sales`, as lines of the settings.
#[must_use]
pub fn settings_with(members: &str) -> Vec<(&'static str, String)> {
    let manager = format!(
        "[general]\nenabled=yes\nbindaddr={SERVER}\nport={PORT}\n\
         tlsenable=yes\ntlsbindaddr={SERVER}:{TLS_PORT}\ntlscertfile=@LAB@/keys/server.pem\n\
         tlsprivatekey=@LAB@/keys/server.key\n[{USER}]\nsecret={SECRET}\n\
         read=agent,call,system\nwrite=agent,call,originate,reporting,config\nwritetimeout=5000\n"
    );
    let queue = "strategy=rrmemory\nretry=1\nringinuse=no\nautofill=yes\njoinempty=yes\n\
                 leavewhenempty=no\nmusicclass=default\n";
    let queues = format!(
        "[general]\npersistentmembers=no\nautofill=yes\n\
         [support]\n{queue}timeout=3\nservicelevel=3\nwrapuptime={WRAP_UP}\n\
         [sales]\n{queue}timeout=2\nservicelevel=5\n{members}"
    );
    let extensions = "exten => _30X,1,Dial(PJSIP/${EXTEN},30)\n\n[customers]\nexten => 800,1,Answer()\n same => n,Queue(support)\n same => n,Hangup()\n\
                      exten => 801,1,Answer()\n same => n,Queue(sales,,,,6)\n same => n,Hangup()\n";
    let agents: String = (301..=303).map(agent).collect();
    let pjsip = format!(
        "{agents}[customers](phone)\ncontext=customers\nallow=!all,alaw\n\
         [customers]\ntype=identify\nendpoint=customers\nmatch={PHONES}\n\
         [global](+)\nendpoint_identifier_order=username,ip\n"
    );
    vec![
        ("manager.conf", manager),
        ("queues.conf", queues),
        ("extensions.conf", extensions.to_owned()),
        ("pjsip.conf", pjsip),
    ]
}

fn agent(number: u16) -> String {
    let port = AGENTS + number - 300;
    format!(
        "[{number}](phone)\naors={number}\nallow=!all,alaw\ncallerid=\"Agent {number}\" <{number}>\n\
         [{number}]\ntype=aor\ncontact=sip:{number}@{PHONES}:{port}\n"
    )
}

/// Codes of the dial plan, for a telephone alone: joining and leaving a queue, a pause with a reason, do not disturb and
/// forwarding, with lamps that tell what they did. Goes behind what [`settings`] has of the dial plan.
#[must_use]
pub fn codes() -> (&'static str, String) {
    let own = "${CALLERID(num)}";
    let lamp = |name: &str, state: &str| format!("Set(DEVICE_STATE(Custom:{name}{own})={state})");
    let code = |code: &str, steps: &[String]| {
        let steps: String = steps.iter().map(|step| format!(" same => n,{step}\n")).collect();
        format!("exten => {code},1,Answer()\n{steps} same => n,Hangup()\n")
    };
    let queue = "${IF($[${EXTEN:3}=800]?support:sales)}";
    let queue_lamp = |state: &str| format!("Set(DEVICE_STATE(Custom:q${{EXTEN:3}}-{own})={state})");
    let all = [
        code("_*45XXX", &[format!("AddQueueMember({queue},PJSIP/{own})"), queue_lamp("INUSE")]),
        code(
            "_*46XXX",
            &[format!("RemoveQueueMember({queue},PJSIP/{own})"), queue_lamp("NOT_INUSE")],
        ),
        code("_*47X", &[format!("PauseQueueMember(,PJSIP/{own},,${{EXTEN:3}})")]),
        code("*48", &[format!("UnpauseQueueMember(,PJSIP/{own})")]),
        code("*78", &[lamp("dnd", "INUSE")]),
        code("*79", &[lamp("dnd", "NOT_INUSE")]),
        code("_*72X.", &[format!("Set(DB(CF/{own})=${{EXTEN:3}})"), lamp("cf", "INUSE")]),
        code("*73", &[format!("Set(DB(CF/{own})=)"), lamp("cf", "NOT_INUSE")]),
        // Taken by nobody.
        "exten => _*90X.,1,Congestion(1)\n".to_owned(),
        "exten => _*45XXX*XXX,hint,Custom:q${EXTEN:7}-${EXTEN:3:3}\n".to_owned(),
        "exten => _*78XXX,hint,Custom:dnd${EXTEN:3}\n".to_owned(),
        "exten => _*72XXX,hint,Custom:cf${EXTEN:3}\n".to_owned(),
    ];
    ("extensions.conf", format!("[phones](+)\n{}", all.concat()))
}

/// Another pair of eyes at the manager interface.
///
/// # Errors
/// When it does not let anybody in.
pub fn eyes() -> Result<Ami> {
    let address = format!("{SERVER}:{PORT}");
    crate::poll("the manager interface", Duration::from_secs(20), || {
        Ami::connect(&address, USER, SECRET).ok()
    })
}

/// Asterisk's clock, seconds.
///
/// # Errors
/// When it does not answer.
pub fn clock(eyes: &mut Ami) -> Result<f64> {
    Ok(eyes.ask("Ping", "")?["Timestamp"].parse()?)
}

/// Customers who call one queue, one after the other: how they wait and for how many milliseconds, the queue's number,
/// what their own begin with and the port they call from, how many there are and how many come in ten seconds.
///
/// # Errors
/// When SIPp cannot be started.
pub fn customers(
    folder: &Path,
    (scenario, patience): (&str, &str),
    (queue, number, port): (&str, &str, u16),
    (calls, rate): (u32, u32),
) -> Result<Sipp> {
    let folder = folder.join(format!("{scenario}-{queue}-{port}"));
    std::fs::create_dir_all(&folder)?;
    let remote = format!("{SERVER}:{}", asterisk::PORT);
    let options = Options {
        host: PHONES.to_owned(),
        port,
        shelf: "queues",
        calls,
        rate,
        seconds: 170,
        ..Options::calling(scenario, queue, &remote)
    };
    let options = options.with_key("number", number).with_key("patience", patience);
    Sipp::start(&options, &folder)
}

/// What the client has told, put together.
#[derive(Debug, Default)]
pub struct Model {
    /// The link.
    pub link: LinkState,
    /// Callers of each queue, in order.
    pub callers: BTreeMap<String, Vec<QueueEntry>>,
    /// State, and whether he talks.
    pub agents: BTreeMap<String, (AgentState, bool)>,
    /// Figures.
    pub measures: BTreeMap<String, Measures>,
    /// Everybody who ever came, and how he left; more than one end is one too many.
    pub ends: BTreeMap<String, Vec<EntryEnd>>,
    /// Callers who rang in vain at an agent.
    pub bounced: BTreeSet<String>,
    /// States each agent was in.
    pub seen: BTreeMap<String, Vec<AgentState>>,
    /// Calls of the user that have begun and ended.
    pub calls: BTreeMap<String, pbx::centre::ExchangeCall>,
    /// Answers to requests.
    pub done: BTreeMap<u64, Result<Answer, Refusal>>,
}

impl Model {
    /// Takes in what was told.
    pub fn take(&mut self, told: Told) {
        match told {
            Told::Link(link) => self.link = link,
            Told::Queues(queues) => {
                self.callers.retain(|name, _| queues.iter().any(|(id, _, _)| id.0 == *name));
                for (id, _, _) in queues {
                    self.callers.entry(id.0).or_default();
                }
            }
            Told::QueueSnapshot { queue, entries } => {
                for entry in &entries {
                    self.ends.entry(entry.call.0.clone()).or_default();
                }
                self.callers.insert(queue.0, entries);
            }
            Told::QueueChange { queue, change } => self.change(&queue.0, change),
            Told::AgentStatus { agent, status } => {
                self.agents.entry(agent.0.clone()).or_default().0 = status.state;
                self.seen.entry(agent.0).or_default().push(status.state);
            }
            Told::AgentOnCall { agent, on_call } => {
                self.agents.entry(agent.0).or_default().1 = on_call;
            }
            Told::Measures { queue, measures } => {
                self.measures.insert(queue.0, measures);
            }
            Told::Call(call) => {
                self.calls.insert(call.id.clone(), call);
            }
            Told::Done { request, result } => {
                self.done.insert(request.0, result);
            }
            _ => {}
        }
    }

    fn change(&mut self, queue: &str, change: QueueChange) {
        let callers = self.callers.entry(queue.to_owned()).or_default();
        match change {
            QueueChange::Entry { entry, position } => {
                if entry.bounced {
                    self.bounced.insert(entry.call.0.clone());
                }
                self.ends.entry(entry.call.0.clone()).or_default();
                let before = callers.iter().position(|caller| caller.call == entry.call);
                if let Some(at) = before {
                    callers.remove(at);
                }
                let told = position.map(|place| place.saturating_sub(1) as usize);
                let at = told.or(before).unwrap_or(callers.len()).min(callers.len());
                callers.insert(at, entry);
            }
            QueueChange::Left { call, end, .. } => {
                callers.retain(|caller| caller.call != call);
                self.ends.entry(call.0).or_default().push(end);
            }
        }
    }

    /// How many left in a way that `is_it` says.
    #[must_use]
    pub fn left(&self, is_it: impl Fn(&EntryEnd) -> bool) -> usize {
        self.ends.values().flatten().filter(|end| is_it(end)).count()
    }
}

/// The client under test, with what it told so far.
pub struct Centre {
    runtime: Runtime,
    client: Option<Client>,
    told: Receiver<Told>,
    /// All of it.
    pub model: Model,
    next: u64,
}

impl Centre {
    /// A supervisor at telephone 301.
    #[must_use]
    pub fn config() -> Config {
        Config {
            name: "Anna".to_owned(),
            sign_in: vec!["support".to_owned()],
            context: "phones".to_owned(),
            supervisor: true,
            ..Config::new(USER, SECRET.into(), "PJSIP/301")
        }
    }

    /// Starts it and waits until everything was told.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub fn start(config: Config) -> Result<Self> {
        let mut centre = Self::begin(config)?;
        centre.until("the exchange to be read", |model| model.link == LinkState::Live)?;
        Ok(centre)
    }

    /// Starts it and waits for nothing.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn begin(config: Config) -> Result<Self> {
        let runtime = Runtime::new()?;
        let server = Server { host: SERVER.to_owned(), port: PORT, ..Server::default() };
        let (client, told) = {
            let _inside = runtime.enter();
            Client::start(config, server, [5; 32])
        };
        Ok(Self { runtime, client: Some(client), told, model: Model::default(), next: 0 })
    }

    /// Takes in all that was told by now.
    ///
    /// # Errors
    /// When the client has ended.
    pub fn catch_up(&mut self) -> Result<()> {
        loop {
            match self.told.try_recv() {
                Ok(told) => self.model.take(told),
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => anyhow::bail!("the client has ended"),
            }
        }
    }

    /// Waits until the model is as wanted.
    ///
    /// # Errors
    /// When it is not in time; the error holds the model.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Model) -> bool) -> Result<()> {
        let end = crate::deadline(Duration::from_secs(30));
        loop {
            self.catch_up()?;
            if wanted(&self.model) {
                return Ok(());
            }
            ensure!(!crate::is_over(end), "{what}: not in time; {:#?}", self.model);
            crate::pause(Duration::from_millis(10));
        }
    }

    /// Asks for something and waits for the answer.
    ///
    /// # Errors
    /// When there is none in time.
    pub fn ask(&mut self, request: Request) -> Result<Result<Answer, Refusal>> {
        self.next += 1;
        let number = self.next;
        let client = self.client.as_ref().ok_or_else(|| anyhow::anyhow!("stopped"))?;
        client.request(RequestId(number), request)?;
        self.until("the answer to a request", |model| model.done.contains_key(&number))?;
        self.model.done.remove(&number).ok_or_else(|| anyhow::anyhow!("no answer"))
    }

    /// Signs off.
    pub fn stop(&mut self) {
        if let Some(client) = self.client.take() {
            self.runtime.block_on(client.stop());
        }
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What Asterisk itself says at one moment.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Callers of each queue, in order: the call and the number.
    pub callers: BTreeMap<String, Vec<(String, String)>>,
    /// Each agent's lines in all queues.
    pub members: BTreeMap<String, Vec<Fields>>,
    /// Figures of each queue.
    pub params: BTreeMap<String, Fields>,
    /// How long each call has waited, seconds.
    pub waits: BTreeMap<String, u64>,
}

/// Two sayings with nothing between them: what passes with time alone is no difference.
impl PartialEq for Said {
    fn eq(&self, other: &Self) -> bool {
        (&self.callers, &self.members, &self.params)
            == (&other.callers, &other.members, &other.params)
    }
}

impl Said {
    /// Asks it.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn now(ami: &mut Ami) -> Result<Self> {
        let mut said = Self::default();
        for mut item in ami.list("QueueStatus")? {
            item.remove("ActionID");
            let queue = item["Queue"].clone();
            match item["Event"].as_str() {
                "QueueParams" => {
                    said.callers.entry(queue.clone()).or_default();
                    said.params.insert(queue, item);
                }
                "QueueMember" => {
                    said.members.entry(item["Location"].clone()).or_default().push(item);
                }
                "QueueEntry" => {
                    let caller = (item["Uniqueid"].clone(), item["CallerIDNum"].clone());
                    said.waits.insert(caller.0.clone(), item["Wait"].parse()?);
                    said.callers.entry(queue).or_default().push(caller);
                }
                other => anyhow::bail!("{other} in the state of the queues"),
            }
        }
        Ok(said)
    }

    /// What the model says differently. `clock`: Asterisk's own, in seconds.
    #[must_use]
    pub fn differences(&self, model: &Model, clock: f64) -> Vec<String> {
        let mut wrong = Vec::new();
        let shown: BTreeMap<String, Vec<(String, String)>> = model
            .callers
            .iter()
            .map(|(queue, callers)| {
                let line =
                    |caller: &QueueEntry| (caller.call.0.clone(), caller.caller.number.clone());
                (queue.clone(), callers.iter().map(line).collect())
            })
            .collect();
        if shown != self.callers {
            wrong.push(format!("callers: told {shown:?}, are {:?}", self.callers));
        }
        for (agent, lines) in &self.members {
            let (states, talks) = expected(lines, clock);
            let shown = model.agents.get(agent).copied().unwrap_or_default();
            if !states.contains(&shown.0) || shown.1 != talks {
                wrong.push(format!("{agent}: told {shown:?}, is {states:?}, talks: {talks}"));
            }
        }
        let others = model.agents.iter().filter(|(agent, _)| !self.members.contains_key(*agent));
        for (agent, (state, _)) in others {
            if *state != AgentState::SignedOut {
                wrong.push(format!("{agent} is in no queue but told {state:?}"));
            }
        }
        wrong
    }

    /// What the model's figures say differently.
    #[must_use]
    pub fn different_figures(&self, model: &Model) -> Vec<String> {
        let mut wrong = Vec::new();
        for (queue, params) in &self.params {
            let number = |name: &str| params[name].parse::<f64>().unwrap_or(-1.0).round();
            let shown = model.measures.get(queue).cloned().unwrap_or_default();
            let measure =
                |measure: Option<pbx::centre::Measure>| measure.map(|measure| measure.value);
            for (what, shown, is) in [
                ("waiting", measure(shown.waiting), number("Calls")),
                ("answered", shown.answered, number("Completed")),
                ("abandoned", shown.abandoned, number("Abandoned")),
                ("hold time", measure(shown.average_answer), number("Holdtime")),
                ("service level", measure(shown.service_level), number("ServicelevelPerf")),
            ] {
                if shown.map(f64::from) != Some(is) {
                    wrong.push(format!("{queue}, {what}: told {shown:?}, is {is}"));
                }
            }
        }
        wrong
    }
}

/// States that an agent may be in by the exchange's own lines, and whether he talks. Near the end of the time to
/// finish a call both states are right: the exchange counts in whole seconds.
pub(crate) fn expected(lines: &[Fields], clock: f64) -> (Vec<AgentState>, bool) {
    let is = |line: &Fields, name: &str| line[name] != "0";
    let talks = |line: &Fields| {
        is(line, "InCall") || ["2", "3", "7", "8"].contains(&line["Status"].as_str())
    };
    let talking = lines.iter().any(talks);
    if lines.iter().all(|line| is(line, "Paused")) {
        return (vec![AgentState::Unavailable], talking);
    }
    let finishing = lines.iter().filter(|line| line["Queue"] == "support" && !is(line, "Paused"));
    let mut states = vec![AgentState::Available];
    for line in finishing.filter(|line| line["LastCall"] != "0" && !talks(line)) {
        let last = line["LastCall"].parse::<f64>().unwrap_or(0.0);
        let left = last + f64::from(u32::try_from(WRAP_UP).unwrap_or(0)) - clock;
        if left > 0.3 {
            states = vec![AgentState::WrapUp];
        } else if left > -0.3 {
            states.push(AgentState::WrapUp);
        }
    }
    (states, talking)
}
