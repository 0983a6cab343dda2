//! One user at one exchange: signing in, reading the whole state, living on events, and coming back.
//!
//! Inputs from the owner: start, requests, another secret, stop. From the socket: connected, bytes,
//! disconnected. From the clock: a try is due, an answer is overdue, nothing was heard for long, something is
//! to be read again, and what the view has to do.
//!
//! ```text
//! idle -> connecting -> greeting -> signing in -> reading -> live
//!            ^  |                       |    \        |        |
//!            |  +-----------------------|-----\-------+--------+-> waiting -> connecting
//!            |                          v      v
//!            +------- start ----- refused    elsewhere
//! ```

mod answers;
mod jobs;
mod reading;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use md5::{Digest as _, Md5};
use pbx::centre::{Input as Told, LinkState, Refusal, Request, RequestId};
use secrecy::{ExposeSecret as _, SecretString};

use crate::capability::Commands;
use crate::config::Login;
use crate::random::Random;
use crate::reader::{Item, Reader};
use crate::requests::Left;
use crate::view::View;
use crate::{Action, Config, Message};
use answers::{Pending, Purpose};
use jobs::Running;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long signing in may take, from the connection to the last answer.
const SIGN_IN_WITHIN: Duration = Duration::from_secs(10);

/// When nothing was heard for so long, the exchange is asked whether it is there.
const QUIET_FOR: Duration = Duration::from_secs(15);

/// How often everything is read again, for what no event tells: other people's changes of order, new queues.
const READ_EVERY: Duration = Duration::from_secs(30);

/// How long after the exchange could not answer a question (it is starting) it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(3);

/// First wait before connecting again; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the exchange says first.
const GREETING: &str = "Asterisk Call Manager";

/// What happens to the session.
#[derive(Debug)]
pub enum Input {
    /// Connect. After a refusal: try again.
    Start,
    /// The connection that was asked for is open.
    Connected {
        /// Over TLS.
        secure: bool,
        /// This machine's clock, milliseconds since the Unix epoch: stands in until the exchange's is read.
        clock: u64,
    },
    /// Bytes came.
    Received(Vec<u8>),
    /// The connection could not be opened, or is gone; why.
    Disconnected(String),
    /// The user asks for something.
    Request(RequestId, Request),
    /// Another secret; tried at once when the last one was refused.
    Secret(SecretString),
    /// The network is another one: connect anew at once.
    Reconnect,
    /// Sign off and end.
    Stop,
}

/// What the owner has to do.
#[derive(PartialEq, Eq)]
pub enum Output {
    /// Open a connection and tell when it is open.
    Connect,
    /// Write these bytes. One of them may hold the secret: not for any log.
    Send(Vec<u8>),
    /// Close the connection after what is to be written; nothing is to be told of it.
    Close,
    /// Tell the model.
    Told(Box<Told>),
}

/// Tells no bytes.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("Connect"),
            Self::Send(bytes) => write!(f, "Send({} bytes)", bytes.len()),
            Self::Close => f.write_str("Close"),
            Self::Told(told) => f.debug_tuple("Told").field(told).finish(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Connecting,
    Greeting { until: Instant, secure: bool },
    SigningIn { until: Instant },
    Reading,
    Live,
    Waiting { until: Instant },
    Refused,
    Elsewhere,
}

/// The session.
#[derive(Debug)]
pub struct Session {
    config: Config,
    random: Random,
    phase: Phase,
    link: LinkState,
    reader: Reader,
    view: View,
    commands: Commands,
    left: Left,
    /// Actions that are not answered yet, by their number.
    pending: BTreeMap<u64, Pending>,
    next_action: u64,
    /// Begins the ids of this connection's actions.
    mark: String,
    running: BTreeMap<RequestId, Running>,
    /// Asked for a whole reading.
    refreshing: Vec<RequestId>,
    /// Events that came in the middle of a list.
    held: VecDeque<Message>,
    /// Queues whose settings are to be read, and those whose were.
    unread_settings: VecDeque<String>,
    known_settings: BTreeSet<String>,
    /// The exchange does not know its queues yet.
    starting: bool,
    heard_at: Option<Instant>,
    read_at: Option<Instant>,
    failures: u32,
    out: VecDeque<Output>,
}

impl Session {
    /// A session that waits for [`Input::Start`]. `seed` comes from the system's source of randomness.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        Self {
            config,
            random: Random::from_seed(seed),
            phase: Phase::Idle,
            link: LinkState::Absent,
            reader: Reader::new(),
            view: View::default(),
            commands: Commands::default(),
            left: Left::new(),
            pending: BTreeMap::new(),
            next_action: 0,
            mark: String::new(),
            running: BTreeMap::new(),
            refreshing: Vec::new(),
            held: VecDeque::new(),
            unread_settings: VecDeque::new(),
            known_settings: BTreeSet::new(),
            starting: false,
            heard_at: None,
            read_at: None,
            failures: 0,
            out: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Start => self.start(now),
            Input::Connected { secure, clock } => self.connected(now, secure, clock),
            Input::Received(bytes) => self.received(now, &bytes),
            Input::Disconnected(why) => self.disconnected(now, &why),
            Input::Request(id, request) => self.request(now, id, request),
            Input::Secret(secret) => self.secret(now, secret),
            Input::Reconnect => self.reconnect(now),
            Input::Stop => self.stop(),
        }
        self.take_told();
    }

    /// Lets everything happen that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.phase {
            Phase::Waiting { until } if until <= now => self.connect(),
            Phase::Greeting { until, .. } | Phase::SigningIn { until } if until <= now => {
                self.lost(now, "it does not let us sign in");
            }
            Phase::Reading | Phase::Live => self.due(now),
            _ => {}
        }
        self.take_told();
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting { until }
            | Phase::Greeting { until, .. }
            | Phase::SigningIn { until } => Some(until),
            Phase::Reading | Phase::Live => {
                let answers = self.pending.values().map(|pending| pending.until);
                let jobs = self.running.values().map(|running| running.until);
                let quiet = self.heard_at.map(|at| at + QUIET_FOR);
                let others = [quiet, self.read_at, self.view.next_timeout()];
                answers.chain(jobs).chain(others.into_iter().flatten()).min()
            }
            Phase::Idle | Phase::Connecting | Phase::Refused | Phase::Elsewhere => None,
        }
    }

    fn start(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Idle | Phase::Refused | Phase::Elsewhere) {
            self.failures = 0;
            self.tell_link(LinkState::Connecting);
            self.connect();
        } else if let Phase::Waiting { until } = &mut self.phase {
            *until = now;
        }
    }

    fn reconnect(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Idle | Phase::Refused | Phase::Elsewhere) {
            return;
        }
        if !matches!(self.phase, Phase::Waiting { .. }) {
            self.lost(now, "the network is another one");
        }
        self.failures = 0;
        self.to(Phase::Waiting { until: now }, "the network is another one");
    }

    fn connect(&mut self) {
        self.to(Phase::Connecting, "time to connect");
        self.out.push_back(Output::Connect);
    }

    fn connected(&mut self, now: Instant, secure: bool, clock: u64) {
        if self.phase != Phase::Connecting {
            return;
        }
        self.reader = Reader::new();
        self.view.clock.set(now, clock);
        self.mark = self.random.word(6);
        self.to(Phase::Greeting { until: now + SIGN_IN_WITHIN, secure }, "connected");
    }

    fn received(&mut self, now: Instant, bytes: &[u8]) {
        if matches!(self.phase, Phase::Idle | Phase::Connecting | Phase::Waiting { .. }) {
            return;
        }
        self.heard_at = Some(now);
        let outcome = self.reader.push(bytes);
        while let Some(item) = self.reader.next_item() {
            match item {
                Item::Greeting(words) => self.greeted(now, &words),
                Item::Message(message) => self.message(now, message),
                Item::TooLarge => tracing::debug!("a message that is too large was passed over"),
            }
        }
        if let Err(endless) = outcome {
            self.lost(now, &endless.to_string());
        }
    }

    fn greeted(&mut self, now: Instant, words: &str) {
        let Phase::Greeting { until, secure } = self.phase else { return };
        if !words.starts_with(GREETING) {
            self.lost(now, "what answers there is no manager interface");
            return;
        }
        let plain = match self.config.login {
            Login::Plain => true,
            Login::Challenge => false,
            Login::Automatic => secure,
        };
        self.to(Phase::SigningIn { until }, "greeted");
        if plain {
            let secret = self.config.secret.expose_secret().to_owned();
            let login = self.login().with("Secret", &secret);
            self.send(now, &login, Purpose::Login);
        } else {
            self.send(now, &Action::new("Challenge").with("AuthType", "MD5"), Purpose::Challenge);
        }
    }

    fn login(&self) -> Action {
        Action::new("Login").with("Username", &self.config.user).with("Events", "agent,call,system")
    }

    /// Answers a challenge: the digest of it and the secret.
    fn answer_challenge(&mut self, now: Instant, message: &Message) {
        let Some(challenge) = message.get("Challenge") else {
            self.refused("it gives no challenge");
            return;
        };
        let mut digest = Md5::new();
        digest.update(challenge.as_bytes());
        digest.update(self.config.secret.expose_secret().as_bytes());
        let key: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let login = self.login().with("AuthType", "MD5").with("Key", &key);
        self.send(now, &login, Purpose::Login);
    }

    fn signed_in(&mut self, now: Instant, message: &Message) {
        if message.get("Response") == Some("Success") {
            self.to(Phase::Reading, "signed in");
            self.tell_link(LinkState::Connecting);
            self.read_everything(now);
            return;
        }
        let words = message.get("Message").unwrap_or_default().to_ascii_lowercase();
        if words.contains("already") {
            self.close();
            self.to(Phase::Elsewhere, "signed in elsewhere");
            self.tell_link(LinkState::Elsewhere);
        } else {
            self.refused("the user or the secret is refused");
        }
    }

    fn refused(&mut self, why: &str) {
        self.close();
        self.to(Phase::Refused, why);
        self.tell_link(LinkState::Refused);
    }

    fn secret(&mut self, now: Instant, secret: SecretString) {
        self.config.secret = secret;
        if self.phase == Phase::Refused {
            self.start(now);
        }
    }

    fn stop(&mut self) {
        if matches!(self.phase, Phase::Reading | Phase::Live) {
            let id = format!("{}-{}", self.mark, self.next_action);
            self.out.push_back(Output::Send(Action::new("Logoff").to_bytes(&id)));
        }
        self.close();
        self.to(Phase::Idle, "stopped");
        self.tell_link(LinkState::Absent);
    }

    fn disconnected(&mut self, now: Instant, why: &str) {
        if !matches!(
            self.phase,
            Phase::Idle | Phase::Waiting { .. } | Phase::Refused | Phase::Elsewhere
        ) {
            self.lost(now, why);
        }
    }

    /// The connection is of no use any more; a new one is tried later.
    fn lost(&mut self, now: Instant, why: &str) {
        self.close();
        let doubled = FIRST_WAIT.saturating_mul(1 << self.failures.min(10)).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        let wait = u64::try_from(doubled.as_millis()).unwrap_or(u64::MAX);
        let wait = self.random.between(wait - wait / 4, wait + wait / 4);
        self.to(Phase::Waiting { until: now + Duration::from_millis(wait) }, why);
        self.tell_link(LinkState::Lost);
    }

    /// Ends all that belongs to this connection.
    fn close(&mut self) {
        let none = [Phase::Idle, Phase::Refused, Phase::Elsewhere].contains(&self.phase);
        if !none && !matches!(self.phase, Phase::Waiting { .. }) {
            self.out.push_back(Output::Close);
        }
        self.starting = false;
        self.pending.clear();
        self.held.clear();
        self.unread_settings.clear();
        self.known_settings.clear();
        (self.heard_at, self.read_at) = (None, None);
        let running: Vec<RequestId> =
            self.running.keys().copied().chain(std::mem::take(&mut self.refreshing)).collect();
        for id in running {
            self.finish(id, Err(Refusal::Unavailable));
        }
    }

    /// What is due while signed in.
    fn due(&mut self, now: Instant) {
        if self.pending.values().any(|pending| pending.until <= now) {
            self.lost(now, "it does not answer");
            return;
        }
        self.end_overdue(now);
        if self.heard_at.is_some_and(|at| at + QUIET_FOR <= now) && !self.is_asking(&Purpose::Ping)
        {
            self.heard_at = Some(now);
            self.send(now, &Action::new("Ping"), Purpose::Ping);
        }
        self.view.handle_timeout(now, &self.config);
        self.read_due(now);
    }

    fn to(&mut self, phase: Phase, why: &str) {
        tracing::debug!("{:?}, {why} -> {phase:?}", self.phase);
        self.phase = phase;
    }

    fn tell_link(&mut self, link: LinkState) {
        if std::mem::replace(&mut self.link, link) != link {
            self.tell(Told::Link(link));
        }
    }

    /// Tells, after what the view has to tell.
    fn tell(&mut self, told: Told) {
        self.take_told();
        self.out.push_back(Output::Told(Box::new(told)));
    }

    fn take_told(&mut self) {
        while let Some(told) = self.view.next_told() {
            self.out.push_back(Output::Told(Box::new(told)));
        }
    }
}
