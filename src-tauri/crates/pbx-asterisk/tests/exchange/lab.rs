//! A scripted exchange: says what a test tells it to, and writes down what the session does.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use pbx::centre::{AgentStatus, Answer, Input as Told, Refusal, Request, RequestId};
use secrecy::SecretString;

use pbx_asterisk::{Config, Input, Output, Session};

/// A moment of the exchange's clock, milliseconds since the Unix epoch.
pub(crate) const CLOCK: u64 = 1_795_657_300_000;

/// The user's telephone.
pub(crate) const ANNA: &str = "PJSIP/101";

/// A session, and what it did.
pub(crate) struct Lab {
    pub(crate) session: Session,
    pub(crate) now: Instant,
    begin: Instant,
    /// Everything in order, for snapshots.
    pub(crate) log: String,
    /// What the model was told since it was last taken.
    told: Vec<Told>,
    /// Names and ids of all actions.
    pub(crate) sent: Vec<(String, String)>,
    /// How many connections were asked for.
    pub(crate) connects: usize,
    /// The exchange's words arrive in pieces of this size.
    pub(crate) piece: usize,
    /// The exchange says that it is there when it is asked.
    pub(crate) answers_pings: bool,
    /// The exchange has nothing new about single queues that are read again.
    pub(crate) answers_readings: bool,
    requests: u64,
}

pub(crate) fn config() -> Config {
    let secret = SecretString::from("geheim");
    Config {
        name: "Anna".to_owned(),
        sign_in: vec!["support".to_owned()],
        context: "phones".to_owned(),
        ..Config::new("balie", secret, ANNA)
    }
}

pub(crate) fn supervisor() -> Config {
    Config { supervisor: true, ..config() }
}

impl Lab {
    /// A session that has asked for a connection.
    pub(crate) fn new(config: Config) -> Self {
        let now = begin();
        let mut lab = Self {
            session: Session::new(config, [7; 32]),
            now,
            begin: now,
            log: String::new(),
            told: Vec::new(),
            sent: Vec::new(),
            connects: 0,
            piece: usize::MAX,
            answers_pings: true,
            answers_readings: false,
            requests: 0,
        };
        lab.input(Input::Start);
        lab
    }

    /// One that is signed in and has read everything: two queues, Anna (the user) and Bert in `support`, Bert
    /// in `sales`; nobody waits.
    pub(crate) fn live(config: Config) -> Self {
        let mut lab = Self::new(config);
        lab.sign_in();
        lab.read(&quiet_queues());
        lab.told.clear();
        lab
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.session.handle_input(self.now, input);
        self.drain();
    }

    pub(crate) fn connect(&mut self, secure: bool) {
        self.input(Input::Connected { secure, clock: CLOCK - 5_000 });
        self.say("Asterisk Call Manager/11.0.0\n");
    }

    /// Connects and signs in by challenge.
    pub(crate) fn sign_in(&mut self) {
        self.connect(false);
        self.answer("Challenge", "Challenge: 679361951");
        self.answer("Login", "Message: Authentication accepted");
    }

    /// Answers all that is read after signing in, with this list of queues.
    pub(crate) fn read(&mut self, queues: &str) {
        self.answer("Ping", &format!("Ping: Pong\nTimestamp: {}.000000", CLOCK / 1_000));
        self.answer("ListCommands", COMMANDS);
        self.list("ParkedCalls", "");
        self.list("CoreShowChannels", "");
        self.list("QueueStatus", queues);
        // Settings are read one queue after the other.
        for _ in 0..2 {
            let asked = self.log.lines().rfind(|line| line.contains("GetConfig")).unwrap_or("");
            let of_support = asked.ends_with("Category: support");
            let settings = if of_support { "Line-000000-000001: wrapuptime=10" } else { "" };
            if self.sent.last().is_some_and(|(name, _)| name == "GetConfig") {
                self.answer("GetConfig", &format!("Category-000000: it\n{settings}"));
            }
        }
    }

    /// The exchange says this; lines end as it ends them.
    pub(crate) fn say(&mut self, text: &str) {
        let bytes = text.replace('\n', "\r\n").into_bytes();
        for piece in bytes.chunks(self.piece.min(bytes.len().max(1))) {
            self.session.handle_input(self.now, Input::Received(piece.to_vec()));
        }
        self.drain();
    }

    /// Answers the last action of this name with success.
    pub(crate) fn answer(&mut self, action: &str, fields: &str) {
        let id = self.id_of(action);
        self.say(&format!("Response: Success\nActionID: {id}\n{}\n\n", fields.trim_end()));
    }

    pub(crate) fn refuse(&mut self, action: &str, words: &str) {
        let id = self.id_of(action);
        self.say(&format!("Response: Error\nActionID: {id}\nMessage: {words}\n\n"));
    }

    /// Answers the last action of this name with a list; items are separated by empty lines.
    pub(crate) fn list(&mut self, action: &str, items: &str) {
        self.list_begin(action);
        self.list_end(action, items);
    }

    pub(crate) fn list_begin(&mut self, action: &str) {
        let id = self.id_of(action);
        self.say(&format!("Response: Success\nActionID: {id}\nEventList: start\n\n"));
    }

    pub(crate) fn list_end(&mut self, action: &str, items: &str) {
        let id = self.id_of(action);
        let items = items.split("\n\n").map(str::trim).filter(|item| !item.is_empty());
        for item in items.collect::<Vec<_>>() {
            self.say(&format!("{item}\nActionID: {id}\n\n"));
        }
        self.say(&format!("Event: {action}Complete\nActionID: {id}\nEventList: Complete\n\n"));
    }

    fn id_of(&self, action: &str) -> String {
        let found = self.sent.iter().rev().find(|(name, _)| name == action);
        found.unwrap_or_else(|| panic!("{action} was not sent: {:?}", self.sent)).1.clone()
    }

    /// Lets time pass; everything that becomes due happens at its time.
    pub(crate) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) {
            assert!(due > self.now || self.session.poll_timeout() == Some(due));
            let before = (due, self.log.len());
            self.now = self.now.max(due);
            self.session.handle_timeout(self.now);
            self.drain();
            self.answer_by_itself();
            let after = (self.session.poll_timeout(), self.log.len());
            assert_ne!((Some(before.0), before.1), after, "it is due and nothing happens");
        }
        self.now = end;
    }

    /// Answers what was asked last, where the test does not.
    fn answer_by_itself(&mut self) {
        match self.sent.last().map(|(name, _)| name.as_str()) {
            Some("Ping") if self.answers_pings => self.answer("Ping", "Ping: Pong"),
            Some("QueueStatus") if self.answers_readings => self.list("QueueStatus", ""),
            _ => {}
        }
    }

    /// Asks for something; gives back its name.
    pub(crate) fn ask(&mut self, request: Request) -> RequestId {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.input(Input::Request(id, request));
        id
    }

    /// What the model was told since the last taking.
    pub(crate) fn take(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// The same without what is told again and again: figures.
    pub(crate) fn take_but_measures(&mut self) -> Vec<Told> {
        let mut told = self.take();
        told.retain(|told| !matches!(told, Told::Measures { .. }));
        told
    }

    /// How the last request ended.
    pub(crate) fn done(&mut self) -> Option<Result<Answer, Refusal>> {
        let done = |told: Told| match told {
            Told::Done { result, .. } => Some(result),
            _ => None,
        };
        self.take().into_iter().filter_map(done).next_back()
    }

    /// The states of an agent that were told since the last taking.
    pub(crate) fn states(&mut self, agent: &str) -> Vec<AgentStatus> {
        let status = |told: Told| match told {
            Told::AgentStatus { agent: who, status } if who.0 == agent => Some(status),
            _ => None,
        };
        self.take().into_iter().filter_map(status).collect()
    }

    /// Throws away what was written down so far.
    pub(crate) fn forget(&mut self) {
        self.log.clear();
        self.told.clear();
        self.sent.clear();
    }

    fn drain(&mut self) {
        let at = self.now.duration_since(self.begin).as_secs_f64();
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Send(bytes) => self.note_sent(at, &bytes),
                Output::Told(told) => {
                    writeln!(self.log, "{at:7.3} told {told:?}").unwrap();
                    self.told.push(*told);
                }
                other => {
                    self.connects += usize::from(other == Output::Connect);
                    writeln!(self.log, "{at:7.3} {other:?}").unwrap();
                }
            }
        }
    }

    fn note_sent(&mut self, at: f64, bytes: &[u8]) {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let line = text.trim_end().replace("\r\n", " | ");
        writeln!(self.log, "{at:7.3} send {line}").unwrap();
        let value = |name: &str| {
            let prefix = format!("{name}: ");
            text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
        };
        self.sent.push((value("Action"), value("ActionID")));
    }
}

#[expect(clippy::disallowed_methods, reason = "a test wants some instant to count from")]
fn begin() -> Instant {
    Instant::now()
}

/// Rights of a manager user with everything that is needed.
const COMMANDS: &str = "\
QueueStatus: Show queue status.  (Priv: <none>)
QueueAdd: Add interface to queue.  (Priv: agent,all)
QueueRemove: Remove interface from queue.  (Priv: agent,all)
QueuePause: Makes a queue member temporarily unavailable.  (Priv: agent,all)
QueueChangePriorityCaller: Change priority of a caller on queue.  (Priv: <none>)
QueueWithdrawCaller: Request to withdraw a caller from the queue back to the dialplan.  (Priv: <none>)
Redirect: Redirect (transfer) a call.  (Priv: call,all)
Hangup: Hangup channel.  (Priv: system,call,all)
Originate: Originate a call.  (Priv: originate,all)
BlindTransfer: Blind transfer channel(s) to the given destination  (Priv: call,all)
Bridge: Bridge two channels already in the PBX.  (Priv: call,all)
Park: Park a channel.  (Priv: call,all)
ParkedCalls: List parked calls.  (Priv: call,all)
CoreShowChannels: List currently active channels.  (Priv: system,reporting,all)
Getvar: Gets a channel variable or function value.  (Priv: call,reporting,all)
GetConfig: Retrieve configuration.  (Priv: system,config,all)
Ping: Keepalive command.  (Priv: <none>)";

/// Figures of a queue.
pub(crate) fn params(queue: &str, calls: u32, completed: u32, abandoned: u32) -> String {
    format!(
        "Event: QueueParams\nQueue: {queue}\nMax: 0\nStrategy: rrmemory\nCalls: {calls}\nHoldtime: 4\n\
         TalkTime: 20\nCompleted: {completed}\nAbandoned: {abandoned}\nServiceLevel: 5\n\
         ServicelevelPerf: 66.7\nServicelevelPerf2: 70.0\nWeight: 0\n\n"
    )
}

/// A member of a queue, as an item of a list.
pub(crate) fn member(queue: &str, name: &str, interface: &str, rest: &str) -> String {
    format!(
        "Event: QueueMember\nQueue: {queue}\nName: {name}\nLocation: {interface}\n\
         StateInterface: {interface}\nMembership: dynamic\nPenalty: 0\nCallsTaken: 0\nLastPause: 0\n\
         LoginTime: 1795657200\n{rest}\n\n"
    )
}

/// A caller, as an item of a list.
pub(crate) fn waiting(
    queue: &str,
    position: u32,
    number: &str,
    wait: u32,
    priority: i64,
) -> String {
    format!(
        "Event: QueueEntry\nQueue: {queue}\nPosition: {position}\nChannel: PJSIP/trunk-{number}\n\
         Uniqueid: {number}.1\nCallerIDNum: {number}\nCallerIDName: Klant {number}\nWait: {wait}\n\
         Priority: {priority}\n\n"
    )
}

/// Anna and Bert in `support`, Bert in `sales` too; nobody waits.
pub(crate) fn quiet_queues() -> String {
    [
        params("support", 0, 3, 1),
        member("support", "Anna", ANNA, "Status: 1"),
        member("support", "Bert", "PJSIP/102", "Status: 1"),
        params("sales", 0, 0, 0),
        member("sales", "Bert", "PJSIP/102", "Status: 1"),
    ]
    .concat()
}

/// An event about a member.
pub(crate) fn member_event(event: &str, queue: &str, interface: &str, rest: &str) -> String {
    let name = if interface == ANNA { "Anna" } else { "Bert" };
    format!(
        "Event: {event}\nPrivilege: agent,all\nQueue: {queue}\nMemberName: {name}\n\
         Interface: {interface}\nStateInterface: {interface}\nMembership: dynamic\nPenalty: 0\n\
         LoginTime: 1795657200\n{rest}\n\n"
    )
}

/// An event about a caller.
pub(crate) fn caller_event(event: &str, queue: &str, number: &str, rest: &str) -> String {
    format!(
        "Event: {event}\nPrivilege: agent,all\nChannel: PJSIP/trunk-{number}\nCallerIDNum: {number}\n\
         CallerIDName: Klant {number}\nUniqueid: {number}.1\nLinkedid: {number}.1\nQueue: {queue}\n{rest}\n\n"
    )
}
