//! The task that owns a [`Connection`]: it reads the clock, opens connections and carries messages.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use reqwest::Client as HttpClient;
use sip_core::Random;
use tokio::{
    sync::{mpsc, oneshot},
    task::{AbortHandle, JoinSet},
};
use trust::Anchors;

use super::{Web, http};
use crate::{
    Action, Connection, Credentials, ErrorInfo, Gate, HttpAnswer, HttpFailure, HttpRequest, Input,
    Lane, Origin, Output, Service, Ticket, WireId, XsiError,
    session::{ChannelNumber, SessionConfig, SessionState, Standing, Subject},
    wire::EventData,
};

/// Commands that wait for the task.
const COMMANDS: usize = 256;
/// Pieces of the endless answer that wait for the task: the rest stays with the server.
const PIECES: usize = 16;
/// Notices that wait for their reader before the endless answer is read no further.
const NOTICES: usize = 512;
/// A farewell to the server may take so long.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a client works.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// How the events session works.
    pub session: SessionConfig,
    /// Where the servers are.
    pub service: Service,
    /// Authorities trusted besides the platform's.
    pub anchors: Anchors,
    /// Proxies that the environment names are used.
    pub proxies: bool,
}

/// What the client tells unasked.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// How the sign-in stands has changed.
    Gate(Gate),
    /// What the server said when it refused the credentials, before [`Notice::Gate`] tells that it did.
    Refusal(ErrorInfo),
    /// How the events session stands has changed.
    Session(SessionState),
    /// There is no channel of events.
    Trouble {
        /// Why.
        why: XsiError,
        /// When another one is opened.
        again: Instant,
    },
    /// How a subscription stands has changed.
    Standing {
        /// Which.
        subject: Subject,
        /// How.
        standing: Standing,
    },
    /// The server tells something.
    Told {
        /// About what.
        subject: Subject,
        /// What.
        data: EventData,
    },
    /// Read this by an action: there are no events for it.
    PollDue(Subject),
}

enum Command {
    Credentials(Credentials),
    SignOut,
    Submit { lane: Lane, http: HttpRequest, reply: oneshot::Sender<Result<HttpAnswer, XsiError>> },
    Service(Service),
    Tell(Input),
    Close(oneshot::Sender<()>),
}

/// A handle on the task; the task ends with the last one.
#[derive(Clone, Debug)]
pub struct Client {
    commands: mpsc::Sender<Command>,
}

impl Client {
    /// Starts the task. It sends nothing before it has credentials.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn start(
        config: ClientConfig,
        random: Random,
    ) -> Result<(Self, mpsc::Receiver<Notice>), HttpFailure> {
        let web = Web::new(&config.anchors, config.proxies)?;
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (notices, outbox) = mpsc::channel(NOTICES);
        let task = Task::new(config, random, web, inbox, notices);
        tokio::spawn(task.run());
        Ok((Self { commands }, outbox))
    }

    /// Signs in with these credentials, or with others.
    pub async fn sign_in(&self, credentials: Credentials) {
        self.command(Command::Credentials(credentials)).await;
    }

    /// Forgets the credentials.
    pub async fn sign_out(&self) {
        self.command(Command::SignOut).await;
    }

    /// Other servers.
    pub async fn set_service(&self, service: Service) {
        self.command(Command::Service(service)).await;
    }

    /// Wants events, or no longer.
    pub async fn events(&self, wanted: bool) {
        self.command(Command::Tell(Input::Events(wanted))).await;
    }

    /// Wants to be told about this.
    pub async fn watch(&self, subject: Subject) {
        self.command(Command::Tell(Input::Watch(subject))).await;
    }

    /// Has enough of this.
    pub async fn unwatch(&self, subject: Subject) {
        self.command(Command::Tell(Input::Unwatch(subject))).await;
    }

    /// Doubts what it knows of this: all of it is told again.
    pub async fn resync(&self, subject: Subject) {
        self.command(Command::Tell(Input::Resync(subject))).await;
    }

    /// The network is another one.
    pub async fn network_changed(&self) {
        self.command(Command::Tell(Input::NetworkChanged)).await;
    }

    /// Ends the channel properly and then the task. What waits fails.
    pub async fn close(&self) {
        let (done, wait) = oneshot::channel();
        self.command(Command::Close(done)).await;
        let _ = wait.await;
    }

    /// Does something and reads its answer.
    ///
    /// # Errors
    /// What [`XsiError`] says.
    pub async fn run<T>(&self, action: Action<T>, lane: Lane) -> Result<T, XsiError> {
        let (http, read) = action.split();
        let (reply, answer) = oneshot::channel();
        self.command(Command::Submit { lane, http, reply }).await;
        let answer = answer.await.map_err(|_| XsiError::Closed)??;
        read(&answer)
    }

    /// A task that has ended is told by the answers that never come.
    async fn command(&self, command: Command) {
        let _ = self.commands.send(command).await;
    }
}

/// What comes of the endless answer.
enum Piece {
    Head(HttpAnswer, Option<SocketAddr>),
    Bytes(Vec<u8>),
    End(Option<HttpFailure>),
}

/// The connection of a channel.
struct Stream {
    origin: Origin,
    abort: AbortHandle,
    /// What goes to the same address.
    pinned: Option<HttpClient>,
}

struct Task {
    connection: Connection,
    service: Service,
    web: Web,
    credentials: Option<Credentials>,
    commands: mpsc::Receiver<Command>,
    notices: mpsc::Sender<Notice>,
    backlog: VecDeque<Notice>,
    replies: HashMap<Ticket, oneshot::Sender<Result<HttpAnswer, XsiError>>>,
    tickets: u64,
    exchanges: JoinSet<(WireId, Result<HttpAnswer, HttpFailure>)>,
    streams: HashMap<ChannelNumber, Stream>,
    pieces: mpsc::Receiver<(ChannelNumber, Piece)>,
    piece_sender: mpsc::Sender<(ChannelNumber, Piece)>,
}

/// The clock of the runtime.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Task {
    fn new(
        config: ClientConfig,
        random: Random,
        web: Web,
        commands: mpsc::Receiver<Command>,
        notices: mpsc::Sender<Notice>,
    ) -> Self {
        let (piece_sender, pieces) = mpsc::channel(PIECES);
        let mut connection = Connection::new(config.session, random);
        let (actions, events) = (config.service.actions.clone(), config.service.events.clone());
        connection.handle_input(now(), Input::Servers { actions, events });
        Self {
            connection,
            service: config.service,
            web,
            credentials: None,
            commands,
            notices,
            backlog: VecDeque::new(),
            replies: HashMap::new(),
            tickets: 0,
            exchanges: JoinSet::new(),
            streams: HashMap::new(),
            pieces,
            piece_sender,
        }
    }

    async fn run(mut self) {
        let notices = self.notices.clone();
        loop {
            self.drain();
            let wake = self.connection.poll_timeout();
            let far = now() + Duration::from_secs(3600);
            let wake = tokio::time::Instant::from_std(wake.unwrap_or(far));
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Close(done)) => {
                        self.farewell().await;
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.command(command),
                    None => return self.farewell().await,
                },
                Some(finished) = self.exchanges.join_next(), if !self.exchanges.is_empty() => {
                    // A task that was dropped has nobody waiting for it.
                    if let Ok((id, result)) = finished {
                        self.connection.handle_input(now(), Input::Answered { id, result });
                    }
                }
                Some((channel, piece)) = self.pieces.recv(), if self.backlog.len() < NOTICES => {
                    self.piece(channel, piece);
                }
                permit = notices.reserve(), if !self.backlog.is_empty() => {
                    match (permit, self.backlog.pop_front()) {
                        (Ok(permit), Some(notice)) => permit.send(notice),
                        // Nobody listens any more.
                        _ => self.backlog.clear(),
                    }
                }
                () = tokio::time::sleep_until(wake) => self.connection.handle_timeout(now()),
            }
        }
    }

    /// Ends the channel at the server, if that is quickly done.
    async fn farewell(&mut self) {
        self.connection.handle_input(now(), Input::Events(false));
        self.replies.clear();
        self.drain();
        let until = tokio::time::Instant::now() + FAREWELL;
        while !self.exchanges.is_empty() {
            let next = tokio::time::timeout_at(until, self.exchanges.join_next()).await;
            if next.is_err() {
                return;
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Credentials(credentials) => {
                self.web.forget();
                self.exchanges.abort_all();
                self.credentials = Some(credentials);
                self.connection.handle_input(now(), Input::Credentials);
            }
            Command::SignOut => {
                self.connection.handle_input(now(), Input::SignOut);
                self.drain();
                self.credentials = None;
                self.web.forget();
            }
            Command::Submit { lane, http, reply } => {
                self.tickets += 1;
                let ticket = Ticket(self.tickets);
                self.replies.insert(ticket, reply);
                self.connection.handle_input(now(), Input::Submit { ticket, lane, http });
            }
            Command::Service(service) => {
                let (actions, events) = (service.actions.clone(), service.events.clone());
                self.service = service;
                self.connection.handle_input(now(), Input::Servers { actions, events });
            }
            Command::Tell(input) => {
                if matches!(input, Input::NetworkChanged) {
                    self.web.forget();
                }
                self.connection.handle_input(now(), input);
            }
            Command::Close(_) => {}
        }
    }

    fn piece(&mut self, channel: ChannelNumber, piece: Piece) {
        let Some(stream) = self.streams.get_mut(&channel) else { return };
        let input = match piece {
            Piece::Head(answer, address) => {
                let origin = stream.origin.clone();
                stream.pinned = self.web.build(&origin, address).ok();
                Input::ChannelAnswered { channel, answer }
            }
            Piece::Bytes(bytes) => Input::ChannelBytes { channel, bytes },
            Piece::End(failure) => Input::ChannelEnded { channel, failure },
        };
        self.connection.handle_input(now(), input);
    }

    fn drain(&mut self) {
        while let Some(output) = self.connection.poll_output() {
            match output {
                Output::Send { id, origin, pinned, http, target } => {
                    self.send(id, &origin, pinned, &http, target);
                }
                Output::Open { channel, origin, http, target } => {
                    self.open(channel, origin, &http, target);
                }
                Output::Close(channel) => {
                    if let Some(stream) = self.streams.remove(&channel) {
                        stream.abort.abort();
                    }
                }
                Output::Done { ticket, result } => {
                    if let Some(reply) = self.replies.remove(&ticket) {
                        let _ = reply.send(result);
                    }
                }
                Output::Gate(gate) => self.backlog.push_back(Notice::Gate(gate)),
                Output::Refusal(info) => self.backlog.push_back(Notice::Refusal(info)),
                Output::Session(state) => self.backlog.push_back(Notice::Session(state)),
                Output::Trouble { why, again } => {
                    self.backlog.push_back(Notice::Trouble { why, again });
                }
                Output::Standing { subject, standing } => {
                    self.backlog.push_back(Notice::Standing { subject, standing });
                }
                Output::Told { subject, data } => {
                    self.backlog.push_back(Notice::Told { subject, data });
                }
                Output::PollDue(subject) => self.backlog.push_back(Notice::PollDue(subject)),
            }
        }
    }

    fn send(
        &mut self,
        id: WireId,
        origin: &Origin,
        pinned: Option<ChannelNumber>,
        request: &HttpRequest,
        target: Option<String>,
    ) {
        let stream = pinned.and_then(|channel| self.streams.get(&channel));
        let client = match stream.and_then(|stream| stream.pinned.clone()) {
            Some(client) => Ok(client),
            None => self.web.client(origin),
        };
        let (client, credentials) = match (client, &self.credentials) {
            (Ok(client), Some(credentials)) => (client, credentials),
            (Err(failure), _) => {
                self.exchanges.spawn(async move { (id, Err(failure)) });
                return;
            }
            (_, None) => {
                self.exchanges.spawn(async move { (id, Err(HttpFailure::Unreachable)) });
                return;
            }
        };
        let target = target.unwrap_or_else(|| self.service.target(request));
        let builder = http::prepare(&client, origin, &target, request, credentials);
        self.exchanges.spawn(async move { (id, http::exchange(builder).await) });
    }

    fn open(
        &mut self,
        channel: ChannelNumber,
        origin: Origin,
        request: &HttpRequest,
        target: Option<String>,
    ) {
        let sender = self.piece_sender.clone();
        let target = target.unwrap_or_else(|| self.service.target(request));
        let client = self.web.build(&origin, None);
        let prepared = match (client, &self.credentials) {
            (Ok(client), Some(credentials)) => {
                Ok(http::prepare(&client, &origin, &target, request, credentials))
            }
            (Err(failure), _) => Err(failure),
            (_, None) => Err(HttpFailure::Unreachable),
        };
        let task = tokio::spawn(async move {
            let failure = match prepared {
                Ok(builder) => stream(channel, builder, &sender).await,
                Err(failure) => Some(failure),
            };
            // The owner has gone: nobody is left to be told.
            let _ = sender.send((channel, Piece::End(failure))).await;
        });
        self.streams.insert(channel, Stream { origin, abort: task.abort_handle(), pinned: None });
    }
}

/// Brings the endless answer piece by piece, until it ends.
async fn stream(
    channel: ChannelNumber,
    builder: reqwest::RequestBuilder,
    sender: &mpsc::Sender<(ChannelNumber, Piece)>,
) -> Option<HttpFailure> {
    let mut response = match builder.send().await {
        Ok(response) => response,
        Err(error) => return Some(http::failure(&error)),
    };
    let address = response.remote_addr();
    let answer = http::head(&response);
    if !answer.is_success() {
        // What a refusal says is small or of no interest.
        let answer = http::read(response).await.unwrap_or(answer);
        let _ = sender.send((channel, Piece::Head(answer, address))).await;
        return None;
    }
    let _ = sender.send((channel, Piece::Head(answer, address))).await;
    loop {
        match response.chunk().await {
            Ok(Some(bytes)) => {
                let _ = sender.send((channel, Piece::Bytes(bytes.to_vec()))).await;
            }
            Ok(None) => return None,
            Err(error) => return Some(http::failure(&error)),
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        for stream in self.streams.values() {
            stream.abort.abort();
        }
    }
}
