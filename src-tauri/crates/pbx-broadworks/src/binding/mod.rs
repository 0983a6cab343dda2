//! BroadWorks as `pbx::centre` sees it: what the exchange tells becomes [`Input`], what the user asks,
//! [`Request`], becomes actions. One task owns the view; readings and requests run beside it.

mod capability;
mod carry;
mod facts;
mod kept;
mod map;
mod read;
mod service;
mod told;
mod trouble;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use pbx::centre::{Answer, Input, LinkState, Refusal, Request, RequestId};
use sip_core::Random;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use self::{
    carry::{Aftermath, Carrier},
    read::{Learnt, Reader},
    told::{Follow, Teller},
    trouble::Trouble,
};
use crate::{
    Actions, Client, ClientConfig, Credentials, Gate, Notice, Release, XsiError,
    backoff::Backoff,
    session::{Package, SessionState, Standing, Subject},
};

/// Commands and inputs that wait for their reader.
const WAITING: usize = 256;
/// Readings of what gives no events, at a time.
const POLLS: usize = 2;
/// A reading that other credentials have ended begins anew so soon.
const AT_ONCE: Duration = Duration::from_millis(50);
/// After so long an account that may do nothing is looked at again.
const SHUT_OUT: Duration = Duration::from_secs(600);
/// The log is read so long after a call has ended: the exchange writes it late.
const LOG_DELAY: Duration = Duration::from_secs(3);

enum Command {
    SignIn(Credentials),
    Request(RequestId, Request),
    NetworkChanged,
    Close,
}

/// A handle on the task. It ends with the last one.
#[derive(Clone)]
pub struct Binding {
    commands: mpsc::Sender<Command>,
    client: Client,
}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Binding")
    }
}

impl Binding {
    /// Starts the task. It sends nothing before [`Self::sign_in`]; the inputs are for the model.
    ///
    /// # Errors
    /// The user's name cannot be used, or TLS cannot be set up.
    pub fn start(
        config: ClientConfig,
        mut random: Random,
    ) -> Result<(Self, mpsc::Receiver<Input>), XsiError> {
        let actions = Actions::new(&config.session.user, Release::default())?;
        let own = random.fork();
        let (client, notices) = Client::start(config, random)?;
        let (commands, inbox) = mpsc::channel(WAITING);
        let (inputs, outbox) = mpsc::channel(WAITING);
        let client_of_reader = client.clone();
        let reader = Reader {
            client: client_of_reader,
            actions,
            inputs,
            supervised: Vec::new(),
            directories: Arc::default(),
        };
        tokio::spawn(Task::new(reader, notices, inbox, own).run());
        Ok((Self { commands, client }, outbox))
    }

    /// Signs in, or signs in anew.
    pub async fn sign_in(&self, credentials: Credentials) {
        self.command(Command::SignIn(credentials)).await;
    }

    /// Asks for something; [`Input::Done`] tells how it went.
    pub async fn request(&self, id: RequestId, request: Request) {
        self.command(Command::Request(id, request)).await;
    }

    /// The network is another one.
    pub async fn network_changed(&self) {
        self.command(Command::NetworkChanged).await;
    }

    /// Signs off at the exchange and ends.
    pub async fn close(&self) {
        self.command(Command::Close).await;
        self.client.close().await;
    }

    /// The client, for what goes beyond the model: automatic set-up, lamps.
    pub fn client(&self) -> &Client {
        &self.client
    }

    async fn command(&self, command: Command) {
        // A task that has ended has nothing to do any more.
        let _ = self.commands.send(command).await;
    }
}

/// What has been finished beside the task.
enum Job {
    Began(Box<Result<Learnt, XsiError>>),
    Carried { request: RequestId, outcome: Result<Answer, Refusal>, after: Aftermath },
    Polled(Subject),
    Read,
}

struct Task {
    reader: Reader,
    notices: mpsc::Receiver<Notice>,
    commands: mpsc::Receiver<Command>,
    random: Random,
    jobs: JoinSet<Job>,
    teller: Teller,
    gate: Gate,
    session: SessionState,
    standings: HashMap<Subject, Standing>,
    /// The first reading is complete.
    begun: bool,
    beginning: bool,
    begin_at: Option<Instant>,
    backoff: Backoff,
    /// What waits to be read because nothing tells of it.
    due: VecDeque<Subject>,
    polling: HashSet<Subject>,
    log_at: Option<Instant>,
    link: LinkState,
    /// Why the view is not there.
    trouble: Trouble,
}

impl Task {
    fn new(
        reader: Reader,
        notices: mpsc::Receiver<Notice>,
        commands: mpsc::Receiver<Command>,
        random: Random,
    ) -> Self {
        Self {
            reader,
            notices,
            commands,
            random,
            jobs: JoinSet::new(),
            teller: Teller::default(),
            gate: Gate::Closed,
            session: SessionState::Stopped,
            standings: HashMap::new(),
            begun: false,
            beginning: false,
            begin_at: None,
            backoff: Backoff::new(Duration::from_secs(5), Duration::from_secs(120)),
            due: VecDeque::new(),
            polling: HashSet::new(),
            log_at: None,
            link: LinkState::Absent,
            trouble: Trouble::default(),
        }
    }

    async fn run(mut self) {
        loop {
            self.show_link().await;
            self.poll_next();
            let far = Instant::now() + Duration::from_secs(3600);
            let wake = [self.begin_at, self.log_at].into_iter().flatten().min().unwrap_or(far);
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Close) | None => return,
                    Some(command) => self.command(command).await,
                },
                notice = self.notices.recv() => match notice {
                    Some(notice) => self.notice(notice).await,
                    None => return,
                },
                Some(job) = self.jobs.join_next(), if !self.jobs.is_empty() => {
                    if let Ok(job) = job {
                        self.finished(job).await;
                    }
                }
                () = sleep_until(wake) => self.timeout(),
            }
        }
    }

    fn timeout(&mut self) {
        let now = Instant::now();
        if self.begin_at.is_some_and(|at| at <= now) {
            self.begin();
        }
        if self.log_at.is_some_and(|at| at <= now) {
            self.log_at = None;
            let reader = self.reader.clone();
            self.jobs.spawn(async move {
                let _ = reader.call_log().await;
                Job::Read
            });
        }
    }

    async fn command(&mut self, command: Command) {
        match command {
            Command::SignIn(credentials) => {
                self.begun = false;
                self.begin_at = None;
                self.trouble = Trouble::default();
                self.backoff.succeeded();
                // A plain request proves the password: its answer comes at once, whatever stands between.
                self.reader.client.events(false).await;
                self.reader.client.sign_in(credentials).await;
                self.begin();
            }
            Command::Request(id, Request::Refresh) => {
                self.reader.client.events(true).await;
                self.begin();
                self.done(id, Ok(Answer::Accepted)).await;
            }
            Command::Request(id, request) => self.request(id, request),
            Command::NetworkChanged => {
                self.reader.client.network_changed().await;
                if !self.begun {
                    self.backoff.succeeded();
                    self.begin();
                }
            }
            Command::Close => {}
        }
    }

    fn request(&mut self, id: RequestId, request: Request) {
        let reader = self.reader.clone();
        let after = Aftermath::default();
        match request {
            Request::ReadDirectory => self.jobs.spawn(async move {
                let outcome = reader.directory(reader.directories.last_whole()).await;
                let outcome = outcome.map(|()| Answer::Accepted).map_err(carry::refusal);
                Job::Carried { request: id, outcome, after }
            }),
            Request::ReadCallLog => self.jobs.spawn(async move {
                let outcome = reader.call_log().await;
                let outcome = outcome.map(|()| Answer::Accepted).map_err(carry::refusal);
                Job::Carried { request: id, outcome, after }
            }),
            request => self.jobs.spawn(async move {
                let (outcome, after) = Carrier { reader }.carry(request).await;
                Job::Carried { request: id, outcome, after }
            }),
        };
    }

    async fn done(&self, request: RequestId, result: Result<Answer, Refusal>) {
        self.reader.tell(Input::Done { request, result }).await;
    }

    /// Reads everything, unless that is going on already.
    fn begin(&mut self) {
        self.begin_at = None;
        if std::mem::replace(&mut self.beginning, true) {
            return;
        }
        let reader = self.reader.clone();
        self.jobs.spawn(async move { Job::Began(Box::new(reader.begin().await)) });
    }

    /// It is another one now: what was read before does not count.
    fn read_directory(&mut self) {
        let reader = self.reader.clone();
        let after = reader.directories.last_begun();
        self.jobs.spawn(async move {
            if let Err(error) = reader.directory(after).await {
                tracing::debug!("the directory cannot be read: {error}");
            }
            Job::Read
        });
    }

    async fn finished(&mut self, job: Job) {
        match job {
            Job::Began(learnt) => {
                self.beginning = false;
                match *learnt {
                    Ok(learnt) => self.learnt(learnt).await,
                    Err(error) => self.not_begun(&error).await,
                }
            }
            Job::Carried { request, outcome, after } => {
                for subject in after.subjects {
                    if self.standings.get(&subject) != Some(&Standing::Subscribed) {
                        self.enqueue(subject);
                    }
                }
                if after.directory {
                    self.read_directory();
                }
                self.done(request, outcome).await;
            }
            Job::Polled(subject) => {
                self.polling.remove(&subject);
            }
            Job::Read => {}
        }
    }

    /// Wrong credentials wait for others; anything else is tried again.
    async fn not_begun(&mut self, error: &XsiError) {
        tracing::debug!("reading the account failed: {error}");
        let refused = matches!(error, XsiError::CredentialsRefused | XsiError::NotSignedIn);
        if refused && matches!(self.gate, Gate::Refused | Gate::Closed) {
            return;
        }
        let shut_out = matches!(error, XsiError::Forbidden(_));
        let wait = match () {
            // That changes when an administrator or the user does something about it.
            () if shut_out => SHUT_OUT,
            // Others have come meanwhile.
            () if refused => AT_ONCE,
            () => self.backoff.wait(&mut self.random, None),
        };
        let again = Instant::now() + wait;
        self.begin_at = Some(again);
        if self.begun || refused {
            return;
        }
        self.trouble.reading(error, again);
        if shut_out {
            self.reader.client.events(false).await;
        }
    }

    async fn learnt(&mut self, learnt: Learnt) {
        self.backoff.succeeded();
        self.begun = true;
        self.trouble.read();
        if self.session == SessionState::Stopped {
            self.reader.client.events(true).await;
        }
        self.reader.actions = learnt.actions;
        self.teller = Teller::new(
            self.reader.actions.user(),
            learnt.wrap_ups,
            learnt.memberships,
            learnt.supervised.clone(),
            learnt.park_lines,
        );
        self.reader.supervised = learnt.supervised;
        let gone: Vec<Subject> =
            self.standings.keys().filter(|one| !learnt.subjects.contains(one)).cloned().collect();
        for subject in gone {
            self.standings.remove(&subject);
            self.reader.client.unwatch(subject).await;
        }
        for subject in learnt.subjects {
            match self.standings.contains_key(&subject) {
                // Its state is asked for again: the reading may have overtaken an event.
                true => self.reader.client.resync(subject).await,
                false => {
                    self.standings.insert(subject.clone(), Standing::Pending);
                    self.reader.client.watch(subject).await;
                }
            }
        }
        let reader = self.reader.clone();
        let profile = learnt.profile;
        let after = reader.directories.last_whole();
        self.jobs.spawn(async move {
            if let Err(error) = reader.facts(&profile).await {
                tracing::debug!("what can only be read cannot be read: {error}");
            }
            if let Err(error) = reader.call_log().await {
                tracing::debug!("the call log cannot be read: {error}");
            }
            if let Err(error) = reader.directory(after).await {
                tracing::debug!("the directory cannot be read: {error}");
            }
            Job::Read
        });
    }

    async fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Gate(gate) => {
                let idle = self.session == SessionState::Stopped && !self.trouble.is_shut_out();
                if gate == Gate::Proved && idle {
                    self.reader.client.events(true).await;
                }
                self.gate = gate;
            }
            Notice::Refusal(info) => self.trouble.refused(&info),
            Notice::Session(state) => self.session = state,
            Notice::Trouble { why, again } => {
                self.trouble.channel(&why, Instant::from_std(again));
            }
            Notice::Standing { subject, standing } => {
                if let Some(known) = self.standings.get_mut(&subject) {
                    *known = standing;
                }
            }
            Notice::Told { subject, data } => {
                let (inputs, follow) = self.teller.tell(&subject, &data);
                for input in inputs {
                    self.reader.tell(input).await;
                }
                match follow {
                    Some(Follow::CallLog) => self.log_at = Some(Instant::now() + LOG_DELAY),
                    Some(Follow::Policy(queue)) => {
                        let reader = self.reader.clone();
                        let may_change = self.teller.supervises(&queue);
                        self.jobs.spawn(async move {
                            let _ = reader.policy(&queue, may_change).await;
                            Job::Read
                        });
                    }
                    None => {}
                }
            }
            Notice::PollDue(subject) => self.enqueue(subject),
        }
    }

    fn enqueue(&mut self, subject: Subject) {
        // Reading the calls of every agent again and again would be a burden on the exchange.
        let wanted = self.standings.contains_key(&subject) && subject.package != Package::BasicCall;
        if wanted && !self.due.contains(&subject) {
            self.due.push_back(subject);
        }
    }

    fn poll_next(&mut self) {
        while self.polling.len() < POLLS {
            let Some(subject) = self.due.pop_front() else { return };
            if !self.polling.insert(subject.clone()) {
                continue;
            }
            let reader = self.reader.clone();
            self.jobs.spawn(async move {
                if let Err(error) = reader.poll(&subject).await {
                    tracing::debug!("{} cannot be read: {error}", subject.package);
                }
                Job::Polled(subject)
            });
        }
    }

    fn link(&self) -> LinkState {
        match (self.gate, self.session) {
            (Gate::Closed, _) => LinkState::Absent,
            (Gate::Refused, _) | (_, SessionState::Refused) => LinkState::Refused,
            (_, SessionState::Elsewhere) => LinkState::Elsewhere,
            _ if self.trouble.is_shut_out() => LinkState::Refused,
            _ if self.trouble.is_reading() => LinkState::Lost,
            (_, SessionState::Lost) => LinkState::Lost,
            (_, SessionState::Stopped | SessionState::Connecting) => LinkState::Connecting,
            (_, SessionState::Unavailable) if self.begun => LinkState::Polling,
            (_, SessionState::Unavailable) => LinkState::Connecting,
            (_, SessionState::Live) => self.view(),
        }
    }

    fn view(&self) -> LinkState {
        let mut counted = self.standings.iter().filter(|(subject, _)| told::counts(subject));
        let standing = counted.clone().map(|(_, standing)| *standing);
        if !self.begun || standing.clone().any(|one| one == Standing::Pending) {
            LinkState::Connecting
        } else if counted.any(|(_, one)| *one == Standing::Polled) {
            LinkState::Polling
        } else {
            LinkState::Live
        }
    }

    async fn show_link(&mut self) {
        let link = self.link();
        if link != self.link {
            tracing::debug!("view of the exchange: {:?} -> {link:?}", self.link);
            self.link = link;
            self.reader.tell(Input::Link(link)).await;
        }
        for input in self.trouble.told(link, Instant::now()) {
            self.reader.tell(input).await;
        }
    }
}

#[cfg(test)]
mod tests;
