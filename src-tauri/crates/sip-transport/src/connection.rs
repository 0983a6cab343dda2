//! One stream connection: reads, writes, keeps alive and watches over it, until it ends.
//!
//! Inputs from the network: bytes, the end of the stream. Inputs from the router: [`Order`]s.
//! Inputs from the clock: idle time, ping interval, pong timeout, a message that does not complete.
//!
//! ```text
//! opening --connected--> open --(ping)--> awaiting pong --(pong)--> open
//!    |                     |                   |
//!    +---------------------+-------------------+--> ended, told once
//! ```

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sip_core::framing::{Frame, StreamFramer};
use sip_core::{Source, Target};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::datagram::received;
use crate::failure::Failure;
use crate::{FailureCause, Incoming, TransportConfig};

const PING: &[u8] = b"\r\n\r\n";
const PONG: &[u8] = b"\r\n";
const READ_CHUNK: usize = 16 * 1024;

/// What the router wants of a connection.
#[derive(Debug)]
pub(crate) enum Order {
    /// Write these bytes.
    Write(Vec<u8>),
    /// Ask for a sign of life.
    Ping,
    /// Give one.
    Pong,
    /// Close, for this reason.
    Close(&'static str),
}

/// What a connection knows about itself.
pub(crate) struct Connection {
    pub(crate) target: Target,
    pub(crate) local: SocketAddr,
    /// Only the side that opened a connection sends pings.
    pub(crate) opened_by_us: bool,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) config: Arc<TransportConfig>,
    pub(crate) incoming: mpsc::Sender<Incoming>,
    /// For what reading wants written: pongs.
    pub(crate) orders: mpsc::WeakSender<Order>,
}

/// The signs of life of one connection, shared by its tasks and the router.
#[derive(Debug)]
pub(crate) struct Pulse {
    signs: Mutex<Signs>,
    /// Rung when a deadline may have moved closer.
    bell: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Signs {
    last_activity: Instant,
    /// When the message that is being received began to arrive.
    incomplete_since: Option<Instant>,
    ping: Option<Instant>,
    /// Pings sent that the framer has not been told of.
    untold_pings: u32,
    /// Whether the peer has ever answered a ping.
    answers_pings: bool,
    supervised: bool,
}

impl Connection {
    /// Runs an open stream to its end.
    pub(crate) async fn run<S>(&self, stream: S, orders: mpsc::Receiver<Order>) -> Failure
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        tracing::debug!("{} opening, connected -> open", self.target);
        let (reader, writer) = tokio::io::split(stream);
        let ended = tokio::select! {
            ended = self.read(reader) => ended,
            ended = self.write(writer, orders) => ended,
            ended = self.watch() => ended,
        };
        tracing::debug!("{} open, {ended} -> ended", self.target);
        ended
    }

    async fn read(&self, mut reader: impl AsyncRead + Unpin) -> Failure {
        let mut framer = StreamFramer::new(self.config.framing);
        let mut chunk = vec![0; READ_CHUNK];
        loop {
            let bytes = match reader.read(&mut chunk).await {
                Ok(0) => return closed_by_peer(),
                Ok(len) => chunk.get(..len).unwrap_or_default(),
                Err(error) => return Failure::io("receiving", &error),
            };
            for _ in 0..self.pulse.on_bytes() {
                framer.expect_pong();
            }
            framer.push(bytes);
            let mut progress = false;
            while let Some(frame) = framer.next() {
                match frame {
                    Ok(frame) => {
                        progress = true;
                        if let Err(ended) = self.handle_frame(frame).await {
                            return ended;
                        }
                    }
                    Err(error) => {
                        let reason = format!("what it sent makes no sense: {error}");
                        return Failure::new(FailureCause::Nonsense, reason);
                    }
                }
            }
            self.pulse.on_drained(framer.buffered(), progress);
        }
    }

    async fn handle_frame(&self, frame: Frame) -> Result<(), Failure> {
        match frame {
            Frame::Message(bytes) => self.deliver(&bytes).await,
            Frame::KeepAlivePing => {
                self.order(Order::Pong);
                Ok(())
            }
            Frame::KeepAlivePong => {
                self.pulse.on_pong();
                Ok(())
            }
        }
    }

    /// Hands a message to the owner; waits while the owner is busy.
    pub(crate) async fn deliver(&self, bytes: &[u8]) -> Result<(), Failure> {
        let Target { transport, addr: remote } = self.target;
        let source = Source { transport, local: self.local, remote };
        self.incoming.send(received(source, bytes)).await.map_err(|_| closing())
    }

    /// Queues a sign of life. A full queue means that bytes are on their way: life enough.
    pub(crate) fn order(&self, order: Order) {
        if let Some(orders) = self.orders.upgrade() {
            let _ = orders.try_send(order);
        }
    }

    async fn write(
        &self,
        mut writer: impl AsyncWrite + Unpin,
        mut orders: mpsc::Receiver<Order>,
    ) -> Failure {
        while let Some(order) = orders.recv().await {
            let bytes = match order {
                Order::Write(bytes) => bytes,
                Order::Ping => PING.to_vec(),
                Order::Pong => PONG.to_vec(),
                Order::Close(reason) => return Failure::new(FailureCause::Closed, reason),
            };
            let written = async {
                writer.write_all(&bytes).await?;
                writer.flush().await
            };
            if let Err(error) = written.await {
                return Failure::io("sending", &error);
            }
            self.pulse.on_written();
        }
        closing()
    }

    /// Sends pings and ends the connection when a sign of life stays out.
    pub(crate) async fn watch(&self) -> Failure {
        loop {
            match self.pulse.check(Instant::now(), &self.config, self.opened_by_us) {
                Check::Wait(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = self.pulse.bell.notified() => {}
                },
                Check::Ping => {
                    tracing::debug!("{} open, idle -> awaiting pong", self.target);
                    self.order(Order::Ping);
                }
                Check::End(cause, reason) => return Failure::new(cause, reason),
            }
        }
    }
}

/// What the clock says about a connection.
enum Check {
    Wait(Instant),
    Ping,
    End(FailureCause, &'static str),
}

pub(crate) fn closed_by_peer() -> Failure {
    Failure::new(FailureCause::Closed, "the other side closed the connection")
}

pub(crate) fn closing() -> Failure {
    Failure::new(FailureCause::Closed, "the program is closing")
}

impl Pulse {
    pub(crate) fn new(supervised: bool) -> Self {
        let signs = Mutex::new(Signs {
            last_activity: Instant::now(),
            incomplete_since: None,
            ping: None,
            untold_pings: 0,
            answers_pings: false,
            supervised,
        });
        Self { signs, bell: Notify::new() }
    }

    pub(crate) fn last_activity(&self) -> Instant {
        self.signs().last_activity
    }

    /// Whether an unanswered ping ends the connection even if the peer never answered one.
    pub(crate) fn supervise(&self, supervised: bool) {
        self.signs().supervised = supervised;
        self.bell.notify_one();
    }

    /// Returns how many pings were sent since the last call.
    pub(crate) fn on_bytes(&self) -> u32 {
        let mut signs = self.signs();
        signs.last_activity = Instant::now();
        std::mem::take(&mut signs.untold_pings)
    }

    /// Notes how much of an unfinished message is held, and whether one was finished before it.
    fn on_drained(&self, buffered: usize, progress: bool) {
        let mut signs = self.signs();
        if buffered == 0 {
            signs.incomplete_since = None;
        } else if progress || signs.incomplete_since.is_none() {
            signs.incomplete_since = Some(Instant::now());
            self.bell.notify_one();
        }
    }

    pub(crate) fn on_pong(&self) {
        let mut signs = self.signs();
        signs.ping = None;
        signs.answers_pings = true;
    }

    pub(crate) fn on_written(&self) {
        self.signs().last_activity = Instant::now();
    }

    /// Judges the signs at `now`. When it says ping, the ping counts as sent.
    fn check(&self, now: Instant, config: &TransportConfig, pings: bool) -> Check {
        let mut signs = self.signs();
        let mut next = signs.last_activity + config.idle_timeout;
        if next <= now {
            return Check::End(FailureCause::Closed, "it was idle for too long");
        }
        if let Some(since) = signs.incomplete_since {
            let end = since + config.message_timeout;
            if end <= now {
                return Check::End(FailureCause::Nonsense, "a message was begun and not completed");
            }
            next = next.min(end);
        }
        if let Some(sent) = signs.ping {
            let end = sent + config.pong_timeout;
            let counts = signs.answers_pings || signs.supervised;
            if end <= now && counts {
                return Check::End(FailureCause::Timeout, "a ping was not answered");
            }
            if end <= now {
                signs.ping = None;
            } else {
                next = next.min(end);
            }
        }
        if pings && signs.ping.is_none() {
            let due = signs.last_activity + config.ping_interval;
            if due <= now {
                signs.ping = Some(now);
                signs.untold_pings += 1;
                return Check::Ping;
            }
            next = next.min(due);
        }
        Check::Wait(next)
    }

    fn signs(&self) -> MutexGuard<'_, Signs> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
