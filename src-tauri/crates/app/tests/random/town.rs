//! The town: an exchange, the desk behind a bad wire, customers and colleagues with telephones of their own; and how time
//! passes in it.
//!
//! The clock is the runtime's, which stands still while anybody has something to do. Sockets are real: what was sent is
//! there at once, and is looked for at least every few milliseconds of that clock while anything happens.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use app::config::{Config, Sound};
use app::control::{Answer, Command, ErrorReply, Request};
use app::event::EventLine;
use app::view::centre::CentreView;
use app::view::{AccountState, AppView, CallView, HistoryEntry, Update};
use app::{App, Shell, StartOptions, Surface, TrayState};
use serde_json::Value;
use sip_core::Random;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use training_pbx::books::CallRecord;
use training_pbx::{Account, Barred, Company, Pbx, PbxConfig, PbxHandle, Role};

use crate::phone::{Habit, Phone};
use crate::wire::{Way, Weather, Wire};

/// Colleagues, and what they do when they are rung.
pub(crate) const COLLEAGUES: [(&str, Habit); 4] = [
    ("102", Habit::Answers),
    ("103", Habit::Declines),
    ("104", Habit::LetsRing),
    ("105", Habit::Answers),
];
/// Customers; to the exchange they are lines like others.
pub(crate) const CUSTOMERS: [&str; 4] = ["0302318801", "0302318802", "0302318803", "0302318804"];
/// The desk.
pub(crate) const DESK: &str = "101";
/// How long anything rings.
const RING: Duration = Duration::from_secs(15);
/// How far the clock goes at once while anything happens, and while nothing does.
const STEP: Duration = Duration::from_millis(4);
const STRIDE: Duration = Duration::from_millis(250);
/// Nothing happens when nothing was heard for so long.
const QUIET: Duration = Duration::from_millis(120);

/// Who heard a datagram.
#[derive(Debug, Clone, Copy)]
enum Ear {
    Near,
    Far,
    Phone(usize),
}

pub(crate) struct Town {
    pub(crate) pbx: PbxHandle,
    pub(crate) phones: Vec<Phone>,
    pub(crate) wire: Wire,
    app: App,
    parked: Arc<Mutex<Vec<CentreView>>>,
    sockets: Vec<Arc<UdpSocket>>,
    near: Arc<UdpSocket>,
    far: Arc<UdpSocket>,
    /// Where the desk is.
    desk: Option<SocketAddr>,
    /// The exchange's address as it names itself, and as the desk is to know it.
    names: (Vec<u8>, Vec<u8>),
    heard: mpsc::UnboundedReceiver<(Ear, SocketAddr, Vec<u8>)>,
    last: Instant,
    began: Instant,
    readers: Vec<tokio::task::JoinHandle<()>>,
}

/// The runtime's clock.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

struct Silent {
    centres: Arc<Mutex<Vec<CentreView>>>,
}

impl Shell for Silent {
    fn publish(&self, update: Update) {
        if let Update::Centre(view) = update {
            *self.centres.lock().unwrap() = vec![*view];
        }
    }
    fn incoming(&self, _: &[CallView]) {}
    fn missed(&self, _: &HistoryEntry) {}
    fn tray(&self, _: TrayState) {}
    fn open(&self, _: Surface) {}
    fn event(&self, _: &EventLine) {}
}

fn company() -> Company {
    let mut company = Company::demo();
    company.accounts.extend(CUSTOMERS.iter().enumerate().map(|(at, number)| Account {
        extension: (*number).to_owned(),
        name: format!("Klant {at}"),
        role: Role::Employee,
        department: "Buiten".to_owned(),
        password: None,
        barred: Barred::default(),
        mobile: None,
        email: None,
    }));
    company
}

impl Town {
    /// Everybody is registered.
    pub(crate) async fn start(seed: u64, weather: Weather) -> Result<Town, String> {
        let mut random = Random::from_seed(seed_of(seed));
        let settings = PbxConfig {
            seed,
            ring_time: RING,
            silent: true,
            company: company(),
            ..PbxConfig::default()
        };
        let pbx = Pbx::start(settings).await.map_err(|error| error.to_string())?;
        let exchange: SocketAddr = (Ipv4Addr::LOCALHOST, pbx.ready().sip_udp).into();
        let (sender, heard) = mpsc::unbounded_channel();
        let (near, far) = (open().await, open().await);
        let mut readers = vec![
            listen(near.clone(), Ear::Near, sender.clone()),
            listen(far.clone(), Ear::Far, sender.clone()),
        ];
        let (mut phones, mut sockets) = (Vec::new(), Vec::new());
        let customers = CUSTOMERS.iter().map(|number| (*number, Habit::LetsRing));
        for (at, (number, habit)) in COLLEAGUES.into_iter().chain(customers).enumerate() {
            let account = pbx.ready().accounts.iter().find(|one| one.extension == number);
            let password = account.map(|account| account.password.clone()).unwrap_or_default();
            let socket = open().await;
            let own = socket.local_addr().unwrap();
            readers.push(listen(socket.clone(), Ear::Phone(at), sender.clone()));
            let port = 20_000 + 2 * u16::try_from(at).unwrap();
            let who = (number, password.as_str());
            let kit = (port, random.fork());
            phones.push(Phone::new(now(), who, habit, (own, exchange), kit));
            sockets.push(socket);
        }
        let wire = Wire::new(Weather::CALM, random.fork());
        let proxy = near.local_addr().unwrap();
        let centres = Arc::new(Mutex::new(Vec::new()));
        let shell = Arc::new(Silent { centres: centres.clone() });
        let options = desk_options(&pbx, proxy.port(), seed);
        let app = App::start(options, shell).await.map_err(|error| error.to_string())?;
        let names = (exchange.to_string().into_bytes(), proxy.to_string().into_bytes());
        let mut town = Town {
            pbx,
            phones,
            wire,
            app,
            parked: centres,
            sockets,
            near,
            far,
            desk: None,
            names,
            heard,
            last: now(),
            began: now(),
            readers,
        };
        town.open_for_business().await?;
        town.wire.weather = weather;
        Ok(town)
    }

    async fn open_for_business(&mut self) -> Result<(), String> {
        for _ in 0..100 {
            self.pass(Duration::from_millis(100)).await;
            let ready =
                |account: &app::view::AccountView| account.state == AccountState::Registered;
            let desk = self.view().await?.accounts.iter().all(ready);
            if desk && self.phones.iter().all(|phone| phone.registered) {
                // Who is parked, and which lines ring, is told a moment later.
                self.pass(Duration::from_secs(1)).await;
                return Ok(());
            }
        }
        Err("not everybody is registered".to_owned())
    }

    /// How long the town has been there.
    pub(crate) fn age(&self) -> Duration {
        now().saturating_duration_since(self.began)
    }

    /// Lets time pass.
    pub(crate) async fn pass(&mut self, time: Duration) {
        let end = now() + time;
        loop {
            self.carry();
            let at = now();
            if at >= end {
                return;
            }
            let quiet = at.saturating_duration_since(self.last) > QUIET;
            let step = at + if quiet { STRIDE } else { STEP };
            let timers = self.phones.iter().filter_map(Phone::next).chain(self.wire.next());
            let wake =
                timers.chain([step, end]).min().unwrap_or(end).max(at + Duration::from_millis(1));
            let woken = tokio::time::timeout_at(wake.into(), self.heard.recv()).await;
            if let Ok(Some((ear, from, bytes))) = woken {
                self.hear(ear, from, &bytes);
            }
        }
    }

    fn hear(&mut self, ear: Ear, from: SocketAddr, bytes: &[u8]) {
        let at = now();
        self.last = at;
        match ear {
            Ear::Near => {
                self.desk = Some(from);
                self.wire.take(at, Way::ToExchange, bytes);
            }
            Ear::Far => self.wire.take(at, Way::ToDesk, bytes),
            Ear::Phone(index) => {
                if let Some(phone) = self.phones.get_mut(index) {
                    phone.receive(at, bytes);
                }
            }
        }
    }

    /// Does everything that is due.
    fn carry(&mut self) {
        while let Ok((ear, from, bytes)) = self.heard.try_recv() {
            self.hear(ear, from, &bytes);
        }
        let at = now();
        let exchange = (Ipv4Addr::LOCALHOST, self.pbx.ready().sip_udp);
        for (phone, socket) in self.phones.iter_mut().zip(&self.sockets) {
            phone.on_time(at);
            while let Some(bytes) = phone.poll(at) {
                let _ = socket.try_send_to(&bytes, exchange.into());
            }
        }
        while let Some((way, bytes)) = self.wire.poll(at) {
            self.last = at;
            let _ = match (way, self.desk) {
                (Way::ToExchange, _) => self.far.try_send_to(&bytes, exchange.into()),
                (Way::ToDesk, Some(desk)) => {
                    let bytes = renamed(&bytes, &self.names);
                    self.near.try_send_to(&bytes, desk)
                }
                (Way::ToDesk, None) => Ok(0),
            };
        }
    }

    /// Gives the desk a command of the control interface.
    pub(crate) async fn ask(&mut self, command: Value) -> Result<Answer, ErrorReply> {
        let request = Request::from_value(command).expect("a well-formed request");
        self.last = now();
        self.app.handle().request(request.command).await
    }

    pub(crate) async fn view(&mut self) -> Result<AppView, String> {
        match self.app.handle().request(Command::ViewGet {}).await {
            Ok(Answer::View(view)) => Ok(*view),
            other => Err(format!("the desk gives no view: {other:?}")),
        }
    }

    /// The slots that the desk shows somebody parked at, with his number.
    pub(crate) fn parked_tiles(&self) -> Vec<(String, String)> {
        let centres = self.parked.lock().unwrap();
        let parked = centres.iter().flat_map(|view| &view.parked);
        parked.map(|tile| (tile.slot.clone(), digits(&tile.peer.number))).collect()
    }

    pub(crate) async fn books(&self) -> Result<Vec<CallRecord>, String> {
        self.pbx.calls().await.map_err(|error| error.to_string())
    }

    pub(crate) fn phone(&self, number: &str) -> &Phone {
        self.phones.iter().find(|phone| phone.number == number).unwrap()
    }

    pub(crate) fn phone_mut(&mut self, number: &str) -> &mut Phone {
        self.phones.iter_mut().find(|phone| phone.number == number).unwrap()
    }

    /// Everybody goes home.
    pub(crate) async fn close(mut self) -> Result<(), String> {
        let at = now();
        self.phones.iter_mut().for_each(|phone| phone.hang_up(at));
        let quit = self.app.handle().request(Command::Quit {}).await;
        self.pass(Duration::from_secs(5)).await;
        // Whom the exchange plays may still wait for somebody.
        let mut left = self.books().await?;
        left.retain(|call| !call.caller.phones.is_empty() || !call.called.phones.is_empty());
        for reader in &self.readers {
            reader.abort();
        }
        self.app.finished().await;
        self.pbx.stop().await;
        match (quit, left.is_empty()) {
            (Err(error), _) => Err(format!("the desk does not end: {error}")),
            (Ok(_), false) => {
                Err(format!("everybody has hung up, the exchange has calls: {left:#?}"))
            }
            (Ok(_), true) => Ok(()),
        }
    }
}

fn desk_options(pbx: &PbxHandle, port: u16, seed: u64) -> StartOptions {
    let account = pbx.ready().accounts.iter().find(|account| account.extension == DESK).unwrap();
    let config = Config::parse(&format!(
        "[[account]]\nid = \"main\"\naor = \"sip:{DESK}@127.0.0.1\"\n\
         registrar = \"sip:127.0.0.1:{port};transport=udp\"\nauth_user = \"{user}\"\n\
         password = \"{password}\"\ncodecs = [\"pcma\"]\nsession_expires = 90\n\
         [network]\nbind = \"127.0.0.1\"\nrtp_ports = [44000, 45999]\n[privacy]\nhistory_days = 0\n",
        user = account.auth_user,
        password = account.password,
    ))
    .unwrap();
    StartOptions {
        config,
        sound: Sound::None,
        seed: Some(seed_of(!seed)),
        ..StartOptions::default()
    }
}

pub(crate) fn seed_of(number: u64) -> [u8; 32] {
    let mut seed = [7; 32];
    for (slot, byte) in seed.iter_mut().zip(number.to_le_bytes()) {
        *slot = byte;
    }
    seed
}

/// A number as the exchange has it.
pub(crate) fn digits(number: &str) -> String {
    let bare: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '*').collect();
    match number.trim_start().strip_prefix("+31") {
        Some(rest) => format!("0{}", rest.chars().filter(char::is_ascii_digit).collect::<String>()),
        None => bare,
    }
}

async fn open() -> Arc<UdpSocket> {
    Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap())
}

fn listen(
    socket: Arc<UdpSocket>,
    ear: Ear,
    heard: mpsc::UnboundedSender<(Ear, SocketAddr, Vec<u8>)>,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_536];
        loop {
            match socket.recv_from(&mut buffer).await {
                Ok((length, from)) => {
                    let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                    if heard.send((ear, from, bytes)).is_err() {
                        return;
                    }
                }
                // Somebody has gone home.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
}

/// The desk is to come back through the wire: the exchange's own Contact names the wire.
fn renamed(bytes: &[u8], (exchange, wire): &(Vec<u8>, Vec<u8>)) -> Vec<u8> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
    let (head, body) = bytes.split_at(end);
    let mut out = Vec::with_capacity(bytes.len());
    for (at, line) in head.split(|byte| *byte == b'\n').enumerate() {
        if at > 0 {
            out.push(b'\n');
        }
        let found = line.windows(exchange.len()).position(|part| part == exchange.as_slice());
        match found.filter(|_| line.to_ascii_lowercase().starts_with(b"contact:")) {
            Some(place) => {
                out.extend_from_slice(&line[..place]);
                out.extend_from_slice(wire);
                out.extend_from_slice(&line[place + exchange.len()..]);
            }
            None => out.extend_from_slice(line),
        }
    }
    out.extend_from_slice(body);
    out
}
