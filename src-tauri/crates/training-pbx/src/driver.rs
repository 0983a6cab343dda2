//! The tokio driver: SIP and media sockets, timers, and the questions of the handle and the control port.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret, SecretString};
use sip_core::Random;
use sip_transport::{BindError, Incoming, Transport, TransportConfig};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};

use crate::acd::{AcdEvent, Calendar, WallClock};
use crate::control;
use crate::endpoint::StreamSeed;
use crate::exchange::{Exchange, Input, Output, Settings};
use crate::knob::Knob;
use crate::media_task::{self, EndpointId, Folders, MediaCommand, MediaNews, Sockets};
use crate::notifier::LIST;
use crate::pbx::{Ask, PbxConfig, PbxError, PbxHandle};
use crate::ready::{Ready, ReadyAccount};
use crate::web_task::Web;
use crate::xsi::http::{WebAnswer, WebAsk};
use crate::xsi::web::StreamId;
use crate::xsi::{Xsi, XsiSettings};

/// Questions and news that may wait.
const QUEUE: usize = 256;
/// How long the goodbyes may take when the PBX stops.
const GOODBYE: Duration = Duration::from_millis(500);

/// What makes the seed of the web services another.
const WEB_SEED: u64 = 0x5853_4900_0000_0000;

/// How often, and how long apart, the ports are tried after a restart: the old sockets close in their own time.
const BINDS: usize = 250;
const BIND_AGAIN: Duration = Duration::from_millis(20);

/// Opens the ports and spawns the loop.
pub(crate) async fn start(config: PbxConfig) -> Result<PbxHandle, PbxError> {
    let failed = |source: std::io::Error| PbxError::Listen { listen: config.listen, source };
    let sockets = TransportConfig {
        bind: config.listen,
        port: config.sip_port,
        ..TransportConfig::default()
    };
    let (transport, incoming) =
        Transport::bind(sockets.clone()).await.map_err(|error| failed(io_error(error)))?;
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, config.control_port)).await.map_err(failed)?;
    let control = listener.local_addr().map_err(failed)?.port();
    let (web, incoming_web) = Web::open(config.listen, config.xsi_port).await.map_err(failed)?;
    let mut random = Random::from_seed(seed(config.seed));
    let passwords = passwords(&config, &mut random);
    let address = advertised(config.listen);
    let clock = wall_clock();
    let hosts = web.hosts(address);
    // From a source of its own, so that the exchange plays the same for the same seed with and without web services.
    let mut web_random = Random::from_seed(seed(config.seed ^ WEB_SEED));
    let web_passwords = web_passwords(&config, &mut web_random);
    let both = (&passwords, &web_passwords);
    let ready = ready(&config, both, &hosts, (address, transport.port()), control);
    let passwords_of_both = (passwords.clone(), web_passwords);
    let xsi = xsi_settings(&config, passwords_of_both, hosts, (address, transport.port()));
    let xsi = Xsi::new(now(), xsi, web_random);
    let settings = Settings {
        company: config.company,
        passwords,
        address,
        port: transport.port(),
        ring_time: config.ring_time,
        pace: config.pace,
        calendar: clock.dutch(),
        records: config.recordings_folder.is_some(),
    };
    let exchange = Exchange::new(clock.at, settings, random);
    let (centre, _) = broadcast::channel(QUEUE * 4);
    let (asks, questions) = mpsc::channel(QUEUE);
    let (media, commands) = mpsc::unbounded_channel();
    let (news, happened) = mpsc::channel(QUEUE);
    let sockets = TransportConfig { port: transport.port(), ..sockets };
    let driver = Driver {
        exchange,
        xsi,
        web,
        transport: Some(transport),
        sockets,
        media,
        listen: config.listen,
        centre: centre.clone(),
        stopping: None,
    };
    let folders =
        Folders { letters: config.voicemail_folder, recordings: config.recordings_folder };
    let control = control::serve(listener, asks.clone());
    let sound = media_task::run(commands, news, folders, config.silent);
    let run = driver.run(incoming, questions, happened, incoming_web);
    let task = tokio::spawn(until_one_ends(run, sound, control));
    Ok(PbxHandle::new(ready, asks, centre, clock, task))
}

/// Whatever ends one of them ends the other two as well, also when their task is aborted.
async fn until_one_ends(
    one: impl Future<Output = ()>,
    two: impl Future<Output = ()>,
    three: impl Future<Output = ()>,
) {
    tokio::select! {
        () = one => {}
        () = two => {}
        () = three => {}
    }
}

/// What the web services are told of the exchange: passwords for SIP and for the web, and where SIP listens.
fn xsi_settings(
    config: &PbxConfig,
    (sip, web): (BTreeMap<String, SecretString>, BTreeMap<String, SecretString>),
    hosts: Vec<String>,
    (address, port): (IpAddr, u16),
) -> XsiSettings {
    XsiSettings {
        company: config.company.clone(),
        profile: config.profile,
        web,
        sip,
        hosts,
        sip_host: std::net::SocketAddr::new(address, port).to_string(),
        epoch_ms: epoch_ms(),
        records: config.recordings_folder.is_some(),
    }
}

struct Driver {
    exchange: Exchange,
    xsi: Xsi,
    web: Web,
    /// None while the exchange restarts.
    transport: Option<Transport>,
    sockets: TransportConfig,
    media: mpsc::UnboundedSender<MediaCommand>,
    listen: IpAddr,
    /// Those who watch the call centre.
    centre: broadcast::Sender<Arc<AcdEvent>>,
    /// When the goodbyes must be said.
    stopping: Option<Instant>,
}

/// One thing that woke the loop.
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
enum Woken {
    Sip(Option<Incoming>),
    Asked(Option<Ask>),
    Media(MediaNews),
    Web(WebAsk),
    StreamGone(StreamId),
    Time,
}

/// What the web services' sockets bring.
pub(crate) struct IncomingWeb {
    pub(crate) asks: mpsc::Receiver<WebAsk>,
    pub(crate) gone: mpsc::UnboundedReceiver<StreamId>,
}

impl Driver {
    async fn run(
        mut self,
        mut incoming: mpsc::Receiver<Incoming>,
        mut questions: mpsc::Receiver<Ask>,
        mut happened: mpsc::Receiver<MediaNews>,
        mut from_web: IncomingWeb,
    ) {
        loop {
            self.carry_out();
            if self.stopping.is_some_and(|at| at <= now() || self.exchange.open_sessions() == 0) {
                return;
            }
            let times = [self.exchange.poll_timeout(), self.xsi.poll_timeout(), self.stopping];
            let wake = times.into_iter().flatten().min();
            let woken = tokio::select! {
                message = incoming.recv() => Woken::Sip(message),
                ask = questions.recv(), if self.stopping.is_none() => Woken::Asked(ask),
                Some(news) = happened.recv() => Woken::Media(news),
                Some(ask) = from_web.asks.recv(), if self.stopping.is_none() => Woken::Web(ask),
                Some(stream) = from_web.gone.recv() => Woken::StreamGone(stream),
                () = at(wake) => Woken::Time,
            };
            let now = now();
            match woken {
                Woken::Sip(Some(message)) => {
                    if let Some(input) = input(message) {
                        self.exchange.handle_input(now, input);
                    }
                }
                Woken::Asked(Some(Ask::Restart(down, reply))) => {
                    match self.restart(down).await {
                        Some(back) => incoming = back,
                        None => return,
                    }
                    let _ = reply.send(());
                }
                Woken::Asked(Some(ask)) => self.answer(now, ask),
                Woken::Media(MediaNews::Endpoint(endpoint, what)) => {
                    self.exchange.handle_input(now, Input::Happened { endpoint, what });
                }
                Woken::Media(MediaNews::Recording((call, what))) => {
                    self.exchange.handle_input(now, Input::Recording { call, what });
                }
                Woken::Media(MediaNews::Message { line, message, sound }) => {
                    self.exchange.handle_input(now, Input::Message { line, message, sound });
                }
                Woken::Web(ask) => self.answer_web(now, ask),
                Woken::StreamGone(stream) => self.xsi.stream_gone(now, stream),
                Woken::Time => {
                    self.exchange.handle_timeout(now);
                    self.xsi.handle_timeout(now);
                }
                Woken::Sip(None) | Woken::Asked(None) => return,
            }
        }
    }

    fn answer(&mut self, now: Instant, ask: Ask) {
        match ask {
            Ask::CustomerCall(call, reply) => {
                let _ = reply.send(self.exchange.customer_call(now, &call));
            }
            Ask::Turn(Knob::Xsi(knob), reply) => {
                self.xsi.look(now, &self.exchange);
                let _ = reply.send(self.xsi.turn(now, knob));
            }
            Ask::Turn(knob, reply) => {
                let _ = reply.send(self.exchange.turn(now, knob));
            }
            Ask::Status(reply) => {
                let _ = reply.send(self.exchange.status());
            }
            Ask::Calls(reply) => {
                let _ = reply.send(self.exchange.books());
            }
            Ask::Centre(request, reply) => {
                let _ = reply.send(self.exchange.ask_centre(now, *request));
            }
            Ask::CentreView(reply) => {
                let _ = reply.send((self.exchange.centre(now), now));
            }
            Ask::SetClock(local_s, reply) => {
                self.exchange.set_calendar(now, Calendar { told_at: now, local_s });
                let _ = reply.send(());
            }
            Ask::Stop => {
                self.exchange.hang_up_all(now);
                self.stopping = Some(now + GOODBYE);
            }
            // Handled by the loop, which owns what comes in.
            Ask::Restart(..) => {}
        }
    }

    /// Everything is gone at once, and after a while the same ports are open again.
    async fn restart(&mut self, down: Duration) -> Option<mpsc::Receiver<Incoming>> {
        self.exchange.restart(now());
        self.xsi.crash(now(), &mut self.exchange);
        self.transport = None;
        self.carry_out();
        self.web.close();
        tokio::time::sleep_until((now() + down).into()).await;
        self.web.reopen().await;
        for _ in 0..BINDS {
            match Transport::bind(self.sockets.clone()).await {
                Ok((transport, incoming)) => {
                    self.transport = Some(transport);
                    return Some(incoming);
                }
                Err(error) => tracing::debug!(%error, "the ports are not free yet"),
            }
            tokio::time::sleep_until((now() + BIND_AGAIN).into()).await;
        }
        tracing::error!("the ports could not be opened again");
        None
    }

    /// Answers a request to the web services.
    fn answer_web(&mut self, now: Instant, ask: WebAsk) {
        let reply = self.xsi.handle_request(now, &mut self.exchange, &ask.request);
        let chunks = reply.stream.map(|stream| self.web.streams.open(stream));
        let _ = ask.reply.send(WebAnswer { reply, chunks });
    }

    /// Does everything that is to be done. What the exchange wants done may lead to more (a line that is opened rings a
    /// phone), and the web services must know of it before anybody asks them.
    fn carry_out(&mut self) {
        loop {
            self.xsi.observe(now(), &mut self.exchange);
            while let Some(output) = self.xsi.poll_output() {
                self.web.carry_out(output);
            }
            let Some(output) = self.exchange.poll_output() else { return };
            self.obey(output);
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Transmit(transmit) => {
                if let Some(transport) = &self.transport {
                    transport.send(transmit);
                }
            }
            Output::OpenEndpoint(endpoint, seed) => self.open(endpoint, seed),
            Output::Media(command) => {
                let _ = self.media.send(command);
            }
            // Nobody may be watching.
            Output::Acd(event) => {
                self.xsi.hear_centre((*event).clone());
                let _ = self.centre.send(Arc::from(event));
            }
        }
    }

    fn open(&mut self, endpoint: EndpointId, seed: StreamSeed) {
        let port = match media_sockets(self.listen) {
            Ok((sockets, port)) => {
                let _ = self.media.send(MediaCommand::Open(endpoint, sockets, seed));
                Some(port)
            }
            Err(error) => {
                tracing::warn!(%error, "media socket");
                None
            }
        };
        self.exchange.handle_input(now(), Input::EndpointOpened { endpoint, port });
    }
}

/// Sockets on an even port and the next.
fn media_sockets(listen: IpAddr) -> std::io::Result<(Sockets, u16)> {
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrInUse);
    let mut unfit = Vec::new();
    for _ in 0..64 {
        let rtp = UdpSocket::bind((listen, 0))?;
        let port = rtp.local_addr()?.port();
        if port % 2 == 0 {
            match UdpSocket::bind((listen, port + 1)) {
                Ok(rtcp) => {
                    rtp.set_nonblocking(true)?;
                    rtcp.set_nonblocking(true)?;
                    return Ok((Sockets { rtp, rtcp }, port));
                }
                Err(error) => last = error,
            }
        }
        // Kept until the end, so that the system offers another.
        unfit.push(rtp);
    }
    Err(last)
}

fn input(message: Incoming) -> Option<Input> {
    match message {
        Incoming::Message { source, message } => Some(Input::Received { source, message }),
        Incoming::Malformed { source, error } => Some(Input::Malformed { source, error }),
        Incoming::Failed { target, reason, .. } => Some(Input::TransportFailed { target, reason }),
        // An exchange keeps no flow to anybody alive.
        Incoming::Mapped { .. } => None,
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}

/// The runtime's clock: a test may hold it still.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[expect(clippy::disallowed_methods, reason = "the driver is where the time comes from")]
fn wall_clock() -> WallClock {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallClock { at: now(), unix_ms: i64::try_from(since.as_millis()).unwrap_or(i64::MAX) }
}

/// The address phones know us by: loopback where we listen everywhere.
fn advertised(listen: IpAddr) -> IpAddr {
    match listen {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

fn seed(number: u64) -> [u8; 32] {
    let mut seed = *b"training-pbx\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    for (slot, byte) in seed.iter_mut().rev().zip(number.to_le_bytes()) {
        *slot = byte;
    }
    seed
}

fn passwords(config: &PbxConfig, random: &mut Random) -> BTreeMap<String, SecretString> {
    let mut password = |given: &Option<String>| {
        let made_up = random.token(16);
        SecretString::from(given.clone().unwrap_or(made_up))
    };
    let accounts = config.company.accounts.iter();
    accounts.map(|account| (account.extension.clone(), password(&account.password))).collect()
}

/// Web passwords, which are others than those of the phones.
fn web_passwords(config: &PbxConfig, random: &mut Random) -> BTreeMap<String, SecretString> {
    let accounts = config.company.accounts.iter();
    accounts
        .map(|account| (account.extension.clone(), SecretString::from(random.token(16))))
        .collect()
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the driver is where the time comes from")]
fn epoch_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn ready(
    config: &PbxConfig,
    (passwords, web): (&BTreeMap<String, SecretString>, &BTreeMap<String, SecretString>),
    hosts: &[String],
    (address, port): (IpAddr, u16),
    control: u16,
) -> Ready {
    let at = std::net::SocketAddr::new(address, port);
    let exposed = |passwords: &BTreeMap<String, SecretString>, extension: &str| {
        let password = passwords.get(extension);
        password.map(|password| password.expose_secret().to_owned()).unwrap_or_default()
    };
    let account = |account: &crate::company::Account| ReadyAccount {
        extension: account.extension.clone(),
        name: account.name.clone(),
        aor: format!("sip:{}@{at}", account.extension),
        blf: format!("sip:{LIST}{}@{at}", account.extension),
        auth_user: account.extension.clone(),
        password: exposed(passwords, &account.extension),
        xsi_user: format!("{}@{}", account.extension, config.company.domain),
        xsi_password: exposed(web, &account.extension),
        role: account.role,
    };
    Ready {
        sip_udp: port,
        sip_tcp: port,
        xsi: hosts.first().cloned().unwrap_or_default(),
        xsi_hosts: hosts.to_vec(),
        control,
        company: config.company.name.clone(),
        accounts: config.company.accounts.iter().map(account).collect(),
        numbers: config.company.numbers.clone(),
    }
}

fn io_error(error: BindError) -> std::io::Error {
    match error {
        BindError::System(error) => error,
        BindError::PortTaken { .. } => {
            std::io::Error::new(std::io::ErrorKind::AddrInUse, error.to_string())
        }
        BindError::NotOurAddress(_) => {
            std::io::Error::new(std::io::ErrorKind::AddrNotAvailable, error.to_string())
        }
    }
}
