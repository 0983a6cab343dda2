//! The session on a socket: one task owns both, channels stand at its border.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pbx::centre::{Input as Told, Request, RequestId};
use rustls::pki_types::ServerName;
use secrecy::SecretString;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};
use tokio_rustls::TlsConnector;
use trust::Anchors;

use crate::{Config, Input, Output, Session};

/// How long a connection may take to open, TLS included.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How long the last bytes may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// What may wait to be written; an exchange that does not read so much is gone.
const MOST_UNWRITTEN: usize = 256 * 1024;

/// How much the model may lag behind before the exchange is read no further.
const QUEUE: usize = 1_024;

const READ_CHUNK: usize = 16 * 1024;

/// Where the exchange is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// Name or address.
    pub host: String,
    /// Port: mostly 5038, with TLS 5039.
    pub port: u16,
    /// TLS from the first byte.
    pub tls: bool,
    /// Authorities that are trusted besides the platform's.
    pub anchors: Anchors,
}

/// The session's task has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the connection to the exchange has been given up")]
pub struct ClientClosed;

/// A running session. Dropping it signs off and ends it.
#[derive(Debug)]
pub struct Client {
    orders: mpsc::UnboundedSender<Input>,
    task: JoinHandle<()>,
}

impl Client {
    /// Starts a session, which connects by itself for as long as it lives. What it tells must be taken, or the
    /// exchange is read no further. `seed` comes from the system's source of randomness. Needs a tokio runtime.
    #[must_use]
    pub fn start(config: Config, server: Server, seed: [u8; 32]) -> (Self, mpsc::Receiver<Told>) {
        let (orders, inputs) = mpsc::unbounded_channel();
        let (told, outputs) = mpsc::channel(QUEUE);
        let session = Session::new(config, seed);
        let task = Task {
            session,
            server,
            told,
            stream: None,
            connecting: None,
            unwritten: Vec::new(),
            unflushed: false,
            ended: false,
        };
        let task = tokio::spawn(task.run(inputs));
        (Self { orders, task }, outputs)
    }

    /// Asks for something; how it went is told as [`Told::Done`].
    ///
    /// # Errors
    /// When the session has ended.
    pub fn request(&self, id: RequestId, request: Request) -> Result<(), ClientClosed> {
        self.order(Input::Request(id, request))
    }

    /// Another secret; tried at once when the last one was refused.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn secret(&self, secret: SecretString) -> Result<(), ClientClosed> {
        self.order(Input::Secret(secret))
    }

    /// Connect now instead of later, and after a refusal once more.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn retry(&self) -> Result<(), ClientClosed> {
        self.order(Input::Start)
    }

    /// The network is another one: connects anew at once.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn reconnect(&self) -> Result<(), ClientClosed> {
        self.order(Input::Reconnect)
    }

    /// Signs off and waits until that is done.
    pub async fn stop(self) {
        let Self { orders, task } = self;
        drop(orders);
        // A task that panicked has nothing left to wait for.
        let _ = task.await;
    }

    fn order(&self, input: Input) -> Result<(), ClientClosed> {
        self.orders.send(input).map_err(|_| ClientClosed)
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Opening = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

struct Task {
    session: Session,
    server: Server,
    told: mpsc::Sender<Told>,
    stream: Option<Box<dyn Stream>>,
    connecting: Option<Opening>,
    unwritten: Vec<u8>,
    /// What was written may still be on its way through TLS.
    unflushed: bool,
    /// Nobody listens any more.
    ended: bool,
}

/// What happened first.
enum Happening {
    Order(Option<Input>),
    Opened(io::Result<Box<dyn Stream>>),
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    Flushed(io::Result<()>),
    Due,
}

impl Task {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Input>) {
        let mut buffer = vec![0; READ_CHUNK];
        self.session.handle_input(now(), Input::Start);
        loop {
            self.carry_out().await;
            if self.ended {
                return;
            }
            match self.next(&mut orders, &mut buffer).await {
                Happening::Order(Some(order)) => self.session.handle_input(now(), order),
                Happening::Order(None) => {
                    self.session.handle_input(now(), Input::Stop);
                    self.ended = true;
                }
                Happening::Opened(outcome) => self.opened(outcome),
                Happening::Read(outcome) => self.read(outcome, &buffer),
                Happening::Wrote(outcome) => self.wrote(outcome),
                Happening::Flushed(Ok(())) => self.unflushed = false,
                Happening::Flushed(Err(error)) => self.gone(&error.to_string()),
                Happening::Due => self.session.handle_timeout(now()),
            }
        }
    }

    async fn next(
        &mut self,
        orders: &mut mpsc::UnboundedReceiver<Input>,
        buffer: &mut [u8],
    ) -> Happening {
        let due = self.session.poll_timeout();
        let (unwritten, unflushed) = (&self.unwritten, self.unflushed);
        let (mut reader, mut writer) = match self.stream.as_mut() {
            Some(stream) => {
                let (reader, writer) = tokio::io::split(stream);
                (Some(reader), Some(writer))
            }
            None => (None, None),
        };
        tokio::select! {
            biased;
            order = orders.recv() => Happening::Order(order),
            opened = optional(self.connecting.as_mut()) => Happening::Opened(opened),
            wrote = async {
                match writer.as_mut() {
                    Some(writer) if !unwritten.is_empty() => {
                        Happening::Wrote(writer.write(unwritten).await)
                    }
                    Some(writer) if unflushed => Happening::Flushed(writer.flush().await),
                    _ => std::future::pending().await,
                }
            } => wrote,
            read = async {
                match reader.as_mut() {
                    Some(reader) => reader.read(buffer).await,
                    None => std::future::pending().await,
                }
            } => Happening::Read(read),
            () = async {
                match due {
                    Some(due) => sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            } => Happening::Due,
        }
    }

    fn opened(&mut self, outcome: io::Result<Box<dyn Stream>>) {
        self.connecting = None;
        match outcome {
            Ok(stream) => {
                self.stream = Some(stream);
                let connected = Input::Connected { secure: self.server.tls, clock: wall_clock() };
                self.session.handle_input(now(), connected);
            }
            Err(error) => self.gone(&error.to_string()),
        }
    }

    fn read(&mut self, outcome: io::Result<usize>, buffer: &[u8]) {
        match outcome {
            Ok(0) => self.gone("the exchange has closed the connection"),
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default().to_vec();
                self.session.handle_input(now(), Input::Received(bytes));
            }
            Err(error) => self.gone(&error.to_string()),
        }
    }

    fn wrote(&mut self, outcome: io::Result<usize>) {
        match outcome {
            Ok(count) if count > 0 => {
                self.unwritten.drain(..count);
                self.unflushed = true;
            }
            Ok(_) => self.gone("the exchange takes nothing any more"),
            Err(error) => self.gone(&error.to_string()),
        }
    }

    fn gone(&mut self, why: &str) {
        self.stream = None;
        self.unwritten.clear();
        self.unflushed = false;
        tracing::debug!(host = self.server.host, "{why}");
        self.session.handle_input(now(), Input::Disconnected(why.to_owned()));
    }

    async fn carry_out(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Connect => self.connecting = Some(Box::pin(open(self.server.clone()))),
                Output::Send(bytes) => self.unwritten.extend_from_slice(&bytes),
                Output::Close => self.close().await,
                Output::Told(told) => {
                    // When nobody listens any more, the orders end as well.
                    let _ = self.told.send(*told).await;
                }
            }
        }
        if self.unwritten.len() > MOST_UNWRITTEN {
            self.gone("the exchange does not read what is written");
        }
    }

    async fn close(&mut self) {
        (self.connecting, self.unflushed) = (None, false);
        let unwritten = std::mem::take(&mut self.unwritten);
        if let Some(mut stream) = self.stream.take() {
            let farewell = async {
                stream.write_all(&unwritten).await?;
                stream.shutdown().await
            };
            // It may be gone already.
            let _ = timeout(CLOSE_WITHIN, farewell).await;
        }
    }
}

async fn optional<F: Future + Unpin>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

async fn open(server: Server) -> io::Result<Box<dyn Stream>> {
    let opening = async {
        let host = server.host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, server.port)).await?;
        stream.set_nodelay(true)?;
        if server.tls {
            let name = ServerName::try_from(host.to_owned())
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "no name of a host"))?;
            let config = trust::host_name(&server.anchors).map_err(io::Error::other)?;
            let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
            return Ok(Box::new(stream) as Box<dyn Stream>);
        }
        Ok(Box::new(stream) as Box<dyn Stream>)
    };
    timeout(CONNECT_WITHIN, opening).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[expect(clippy::disallowed_methods, reason = "stands in until the exchange's own clock is read")]
fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
