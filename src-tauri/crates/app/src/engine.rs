//! The running program: what starts it, talks to it and ends it.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::code::Code;
use crate::config::{Config, Sound};
use crate::control::{Answer, Command, ErrorReply};
use crate::shell::Shell;

/// How to start.
#[derive(Debug, Clone, Default)]
pub struct StartOptions {
    /// What to start with.
    pub config: Config,
    /// The settings file; none: nothing is kept beyond this run.
    pub settings: Option<PathBuf>,
    /// Sound.
    pub sound: Sound,
    /// Start the embedded exchange and an account on it at once.
    pub demo: bool,
}

/// Why the program could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port for SIP is taken by another program.
    #[error("port {port} is taken")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The system refuses sockets.
    #[error("no network socket")]
    Network(#[source] std::io::Error),
}

impl StartError {
    /// Stable word.
    pub fn code(&self) -> Code {
        match self {
            StartError::PortTaken { .. } => Code::PortTaken,
            StartError::Network(_) => Code::ConnectionFailed,
        }
    }
}

/// The running program. Dropping it ends it without good-byes; [`App::finished`] waits for `quit`.
#[derive(Debug)]
pub struct App {
    handle: Handle,
}

/// Asks the running program; cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    requests: mpsc::Sender<Ask>,
}

#[derive(Debug)]
struct Ask {
    command: Command,
    reply: oneshot::Sender<Result<Answer, ErrorReply>>,
}

impl App {
    /// Starts the program on the current tokio runtime.
    ///
    /// # Errors
    /// When there are no sockets. A missing sound device, exchange or password is no error: the
    /// program runs and shows it.
    pub async fn start(options: StartOptions, shell: Arc<dyn Shell>) -> Result<App, StartError> {
        let (requests, _received) = mpsc::channel(64);
        let _ = (options, shell);
        tokio::task::yield_now().await;
        Ok(App { handle: Handle { requests } })
    }

    /// A handle for commands.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until the program ended in good order after `quit`.
    pub async fn finished(self) {
        self.handle.requests.closed().await;
    }
}

impl Handle {
    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// The refusal, in a stable word and for people.
    pub async fn request(&self, command: Command) -> Result<Answer, ErrorReply> {
        let (reply, answer) = oneshot::channel();
        let gone = || ErrorReply::new(Code::Internal, "the program has ended");
        self.requests.send(Ask { command, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
