//! Starting, asking and stopping the PBX: the public face of the crate.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::acd::{AcdEvent, AcdView, Done, Refusal, Request, WallClock};
use crate::books::CallRecord;
use crate::company::Company;
use crate::knob::Knob;
use crate::life::Pace;
use crate::ready::Ready;

/// Why the PBX could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PbxError {
    /// A port could not be opened.
    #[error("cannot open a port on {listen}: {source}")]
    Listen {
        /// The address asked for.
        listen: IpAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// No account or person with this number.
    #[error("there is no number {0}")]
    UnknownNumber(String),
    /// The called account has no phone registered.
    #[error("{0} has no phone registered")]
    NotRegistered(String),
    /// As many calls as the PBX carries are up.
    #[error("all lines are taken")]
    TooManyCalls,
    /// A value that makes no sense.
    #[error("{0}")]
    BadValue(String),
    /// The call centre refuses.
    #[error(transparent)]
    Centre(#[from] Refusal),
    /// The PBX has stopped.
    #[error("the exchange has stopped")]
    Stopped,
}

/// Which hosted service is imitated where they differ (identity headers, web services).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Release 21.
    R21,
    /// The releases since 2020.
    #[default]
    #[serde(rename = "2020")]
    R2020,
}

/// How to start the PBX.
#[derive(Debug, Clone)]
pub struct PbxConfig {
    /// Address of all sockets. Loopback by default.
    pub listen: IpAddr,
    /// SIP port for UDP and TCP; 0 takes a free one (the same for both where possible).
    pub sip_port: u16,
    /// Port of the web services; 0 takes a free one. Their second host always takes a free one.
    pub xsi_port: u16,
    /// Control port, always on loopback; 0 takes a free one.
    pub control_port: u16,
    /// The company.
    pub company: Company,
    /// Which service is imitated.
    pub profile: Profile,
    /// Seed of everything made up: passwords, tags, how long people take to answer.
    pub seed: u64,
    /// How long a phone rings before voicemail or 480.
    pub ring_time: Duration,
    /// Nobody listens: the lines of simulated parties are opened and negotiated as ever, and what they say takes its
    /// time, but no sound is made or read. For tests of what becomes of calls.
    pub silent: bool,
    /// How often the simulated colleagues call each other; never unless said.
    pub pace: Pace,
    /// Where messages on the voicemail are put as mails (`.eml` with a WAV); nowhere unless said.
    pub voicemail_folder: Option<PathBuf>,
    /// Where recordings of calls are put (WAV, 16 kHz mono, readable by their owner only); no call can be recorded unless
    /// said.
    pub recordings_folder: Option<PathBuf>,
}

impl Default for PbxConfig {
    fn default() -> Self {
        Self {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            sip_port: 0,
            xsi_port: 0,
            control_port: 0,
            company: Company::demo(),
            profile: Profile::default(),
            seed: 1,
            ring_time: Duration::from_secs(30),
            silent: false,
            pace: Pace::default(),
            voicemail_folder: None,
            recordings_folder: None,
        }
    }
}

/// A test customer who rings a user of the PBX.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CustomerCall {
    /// Extension (or the main number) to ring.
    pub to: String,
    /// Name shown; the next customer of the company file when there is neither name nor number.
    #[serde(default)]
    pub name: Option<String>,
    /// Number shown, international form; likewise.
    #[serde(default)]
    pub number: Option<String>,
    /// Seconds the customer lets it ring before giving up; 25 when left out.
    #[serde(default)]
    pub patience_s: Option<u64>,
    /// Seconds the customer stays on the line after the story before saying goodbye; 30 when left out.
    #[serde(default)]
    pub talk_s: Option<u64>,
}

impl CustomerCall {
    /// A call to `to` by the next customer of the company file.
    pub fn to(to: impl Into<String>) -> Self {
        Self { to: to.into(), ..Self::default() }
    }
}

/// Number of a call within this run of the PBX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallNumber(pub u64);

/// What is going on, for `status` and for tests that look for leaks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Status {
    /// Bindings of the registrar: extension and contact.
    pub registrations: Vec<(String, String)>,
    /// Calls that exist.
    pub calls: usize,
    /// SIP sessions that exist (legs of calls).
    pub sessions: usize,
    /// Media endpoints that exist.
    pub endpoints: usize,
    /// Subscriptions that exist.
    pub subscriptions: usize,
    /// Messages that could not be understood.
    pub malformed: u64,
    /// Calls that were traced, oldest first: the line that they came to, and the number they came from.
    pub traced: Vec<(String, String)>,
}

/// Starts PBXs.
#[derive(Debug)]
pub struct Pbx;

impl Pbx {
    /// Opens the ports and starts the PBX on the current tokio runtime.
    ///
    /// # Errors
    /// [`PbxError::Listen`] when a port is taken.
    pub async fn start(config: PbxConfig) -> Result<PbxHandle, PbxError> {
        crate::driver::start(config).await
    }
}

/// What the handle asks of the running PBX.
#[derive(Debug)]
pub(crate) enum Ask {
    CustomerCall(CustomerCall, oneshot::Sender<Result<CallNumber, PbxError>>),
    Restart(Duration, oneshot::Sender<()>),
    Turn(Knob, oneshot::Sender<Result<usize, PbxError>>),
    Status(oneshot::Sender<Status>),
    Calls(oneshot::Sender<Vec<CallRecord>>),
    Centre(Box<Request>, oneshot::Sender<Result<Done, Refusal>>),
    CentreView(oneshot::Sender<(AcdView, Instant)>),
    SetClock(i64, oneshot::Sender<()>),
    Stop,
}

/// A running PBX. Dropping the handle stops it.
#[derive(Debug)]
pub struct PbxHandle {
    ready: Ready,
    asks: mpsc::Sender<Ask>,
    centre: broadcast::Sender<Arc<AcdEvent>>,
    clock: WallClock,
    task: Option<JoinHandle<()>>,
}

impl PbxHandle {
    pub(crate) fn new(
        ready: Ready,
        asks: mpsc::Sender<Ask>,
        centre: broadcast::Sender<Arc<AcdEvent>>,
        clock: WallClock,
        task: JoinHandle<()>,
    ) -> Self {
        Self { ready, asks, centre, clock, task: Some(task) }
    }

    /// Asks something of the call centre.
    ///
    /// # Errors
    /// [`PbxError::Centre`] when it refuses, [`PbxError::Stopped`].
    pub async fn centre_request(&self, request: Request) -> Result<Done, PbxError> {
        Ok(self.ask(|reply| Ask::Centre(Box::new(request), reply)).await??)
    }

    /// The call centre as it is, and when that was.
    ///
    /// # Errors
    /// [`PbxError::Stopped`].
    pub async fn centre(&self) -> Result<(AcdView, Instant), PbxError> {
        self.ask(Ask::CentreView).await
    }

    /// What happens in the call centre from now on. Who is too slow misses the oldest events.
    pub fn centre_events(&self) -> broadcast::Receiver<Arc<AcdEvent>> {
        self.centre.subscribe()
    }

    /// Turns the moments that views and events tell into those of the world.
    pub fn clock(&self) -> WallClock {
        self.clock
    }

    /// Ports, accounts and numbers.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Makes a customer ring a user's registered phones.
    ///
    /// # Errors
    /// [`PbxError`]: unknown number, nobody registered, stopped.
    pub async fn customer_call(&self, call: CustomerCall) -> Result<CallNumber, PbxError> {
        self.ask(|reply| Ask::CustomerCall(call, reply)).await?
    }

    /// Forgets all registrations, subscriptions and calls and drops all connections, as a crash does; comes back on the
    /// same ports.
    ///
    /// # Errors
    /// [`PbxError::Stopped`].
    pub async fn restart(&self) -> Result<(), PbxError> {
        self.restart_after(Duration::ZERO).await
    }

    /// [`Self::restart`] that stays away for so long, at most ten minutes.
    ///
    /// # Errors
    /// [`PbxError::Stopped`].
    pub async fn restart_after(&self, down: Duration) -> Result<(), PbxError> {
        self.ask(|reply| Ask::Restart(down, reply)).await
    }

    /// Turns a knob; what it touched.
    ///
    /// # Errors
    /// [`PbxError`]: unknown line, bad value, stopped.
    pub async fn turn(&self, knob: Knob) -> Result<usize, PbxError> {
        self.ask(|reply| Ask::Turn(knob, reply)).await?
    }

    /// What is going on.
    ///
    /// # Errors
    /// [`PbxError::Stopped`].
    pub async fn status(&self) -> Result<Status, PbxError> {
        self.ask(Ask::Status).await
    }

    /// Every call as it stands.
    ///
    /// # Errors
    /// [`PbxError::Stopped`].
    pub async fn calls(&self) -> Result<Vec<CallRecord>, PbxError> {
        self.ask(Ask::Calls).await
    }

    /// Ends all calls and closes the ports.
    pub async fn stop(mut self) {
        let _ = self.asks.send(Ask::Stop).await;
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }

    async fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, PbxError> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(make(reply)).await.map_err(|_| PbxError::Stopped)?;
        answer.await.map_err(|_| PbxError::Stopped)
    }
}

impl Drop for PbxHandle {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}
