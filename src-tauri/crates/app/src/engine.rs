//! The running program: what starts it, asks it and ends it. Its loop is in [`desk`].

mod accounts;
mod alarm_sounds;
mod calls;
mod centre;
mod check;
mod codes;
mod colleagues;
mod commands;
mod demo;
mod descriptions;
mod desk;
mod desktop;
mod device_troubles;
mod dialogs;
mod discover;
mod documents;
mod encryption;
mod exchange_form;
mod gather;
mod headset;
mod keeping;
mod line;
mod media_form;
mod memory;
mod network;
mod publish;
mod quality;
mod record;
mod recordings;
mod registrations;
mod remote;
mod rings;
mod safety;
mod screen_pop;
mod settings;
mod sound;
mod targets;
mod tones;
mod transfer_log;
mod transfers;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use media::EngineError;
use sip_transport::BindError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub use self::headset::Headsets;
pub use check::line_check;

use crate::code::Code;
use crate::config::{Config, Sound};
use crate::control::{Answer, Command, ErrorReply};
use crate::exchange::Exchanges;
use crate::shell::Shell;

/// Commands that may wait for the loop.
const REQUESTS: usize = 64;

/// How to start.
#[derive(Debug, Clone, Default)]
pub struct StartOptions {
    /// What to start with, when there is no settings file.
    pub config: Config,
    /// The settings file, read at the start and written on changes; none: nothing is kept beyond
    /// this run and no keyring is used, but for accounts that say `keyring = true`.
    pub settings: Option<PathBuf>,
    /// Sound.
    pub sound: Sound,
    /// Start the embedded exchange and an account on it at once.
    pub demo: bool,
    /// In the demo, how long after the start a first customer rings by himself; none: only when
    /// asked.
    pub first_customer: Option<std::time::Duration>,
    /// Where headsets come from.
    pub headsets: Headsets,
    /// Bindings of exchanges.
    pub exchanges: Exchanges,
    /// Where everything comes from that others must not guess: tags, branches, keys. None: the system's random source.
    /// A test that must run the same way again gives one; nobody else should.
    pub seed: Option<[u8; 32]>,
}

/// Why the program could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port for SIP is taken by another program.
    #[error("port {port} is taken by another program")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The system refuses sockets.
    #[error("no network socket")]
    Network(#[source] BindError),
    /// The sound files cannot be used.
    #[error("no sound: {0}")]
    Sound(#[source] EngineError),
}

impl StartError {
    /// Stable word.
    pub fn code(&self) -> Code {
        match self {
            StartError::PortTaken { .. } => Code::PortTaken,
            StartError::Network(_) => Code::ConnectionFailed,
            StartError::Sound(_) => Code::AudioDeviceFailed,
        }
    }
}

/// The running program. [`App::finished`] waits until it has ended after `quit`.
#[derive(Debug)]
pub struct App {
    handle: Handle,
    task: JoinHandle<()>,
}

/// Asks the running program; cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    requests: mpsc::Sender<Ask>,
}

/// Where an answer goes.
type Reply = Box<dyn FnOnce(Result<Answer, ErrorReply>) + Send>;

/// A command and where its answer goes.
struct Ask {
    command: Command,
    reply: Reply,
}

impl App {
    /// Starts the program on the current tokio runtime.
    ///
    /// # Errors
    /// When there are no sockets or no sound files. A missing sound device, exchange or password is
    /// no error: the program runs and shows it.
    pub async fn start(options: StartOptions, shell: Arc<dyn Shell>) -> Result<App, StartError> {
        let (requests, received) = mpsc::channel(REQUESTS);
        let (desk, sources) = desk::Desk::open(options, shell, received).await?;
        let task = tokio::spawn(desk.run(sources));
        Ok(App { handle: Handle { requests }, task })
    }

    /// A handle for commands.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until the program ended in good order after `quit`.
    pub async fn finished(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the program's loop failed");
        }
    }
}

impl Handle {
    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// The refusal, in a stable word and for people.
    pub async fn request(&self, command: Command) -> Result<Answer, ErrorReply> {
        let (sender, answer) = oneshot::channel();
        let reply = move |result| {
            // Whoever asked may have gone meanwhile.
            let _ = sender.send(result);
        };
        self.submit(command, reply).await;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Asks; `reply` is called from the program's loop, before the events that the command causes.
    pub async fn submit(
        &self,
        command: Command,
        reply: impl FnOnce(Result<Answer, ErrorReply>) + Send + 'static,
    ) {
        let ask = Ask { command, reply: Box::new(reply) };
        if let Err(mpsc::error::SendError(ask)) = self.requests.send(ask).await {
            (ask.reply)(Err(ended()));
        }
    }
}

fn ended() -> ErrorReply {
    ErrorReply::new(Code::Internal, "the program has ended")
}
