//! A telephone that runs by itself: it answers what rings and what changes its calls, says a tone and measures what it
//! hears. A-law over RTP by hand; each of its calls has a socket of its own.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sip_types::{HeaderName, Method};
use sip_ua::{Body, Event, RegistrationState, SessionId};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use training_pbx::PbxHandle;

use crate::client::{PATIENCE, account};
use crate::phone::{Phone, now};

/// Samples a second.
const RATE: usize = 8_000;
/// What is measured: the last so many samples.
const WINDOW: usize = RATE * 2 / 5;
/// How loud a tone is said.
const LEVEL: f32 = 0.25;
/// A tone that is heard at all, and one that is not.
const HEARD: f32 = 0.08;
const SILENT: f32 = 0.02;

/// One call of a telephone.
#[derive(Debug)]
pub(crate) struct Line {
    session: SessionId,
    socket: Arc<UdpSocket>,
    remote: Arc<Mutex<Option<SocketAddr>>>,
    heard: Arc<Mutex<VecDeque<f32>>>,
    held: bool,
    pub(crate) over: bool,
}

type Lines = Arc<Mutex<Vec<Line>>>;

enum Command {
    Call(String),
    Hold(usize, bool),
    HangUp(usize),
}

/// The telephone. Its calls are counted from 0.
pub(crate) struct Telephone {
    pub(crate) tone: f32,
    lines: Lines,
    commands: mpsc::Sender<(Command, oneshot::Sender<()>)>,
    _tasks: JoinSet<()>,
}

impl Telephone {
    /// Registers as a user; the tone is what it says, a multiple of 100 Hz.
    pub(crate) async fn start(pbx: &PbxHandle, extension: &str, tone: f32) -> Self {
        let account = account(pbx, extension);
        let mut phone = Phone::start(account, &account.password, "udp").await;
        let registered = |event: &Event| match event {
            Event::Registration { state: RegistrationState::Registered { .. }, .. } => Some(()),
            _ => None,
        };
        phone.until("registration", registered).await;
        let lines = Lines::default();
        let (commands, wishes) = mpsc::channel(8);
        let mut tasks = JoinSet::new();
        tasks.spawn(run(phone, account.aor.clone(), wishes, Arc::clone(&lines), tone));
        Self { tone, lines, commands, _tasks: tasks }
    }

    async fn ask(&self, command: Command) {
        let (done, wait) = oneshot::channel();
        self.commands.send((command, done)).await.unwrap();
        wait.await.unwrap();
    }

    /// Calls a number and waits until it is answered; the number of the call.
    pub(crate) async fn call(&self, number: &str) -> usize {
        let line = self.lines.lock().unwrap().len();
        self.ask(Command::Call(number.to_owned())).await;
        self.until(line, "an answer", |line| line.remote.lock().unwrap().is_some()).await;
        line
    }

    pub(crate) async fn hold(&self, line: usize, on: bool) {
        self.ask(Command::Hold(line, on)).await;
    }

    pub(crate) async fn hang_up(&self, line: usize) {
        self.ask(Command::HangUp(line)).await;
    }

    /// Waits until there is such a call and it has a state.
    pub(crate) async fn until(&self, line: usize, what: &str, is: impl Fn(&Line) -> bool) {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let seen = async {
            while !self.lines.lock().unwrap().get(line).is_some_and(&is) {
                tick.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("no {what}"));
    }

    pub(crate) async fn until_over(&self, line: usize) {
        self.until(line, "end", |line| line.over).await;
    }

    pub(crate) fn is_over(&self, line: usize) -> bool {
        self.lines.lock().unwrap()[line].over
    }

    /// Waits until the call hears these tones, and none of the others, at the same time.
    pub(crate) async fn hears(&self, line: usize, tones: &[f32], not: &[f32]) {
        self.until_levels(line, |levels| {
            let level = |tone: &f32| levels(*tone);
            tones.iter().all(|tone| level(tone) > HEARD) && not.iter().all(|t| level(t) < SILENT)
        })
        .await;
    }

    /// Waits until the call hears something that is none of the tones, or nothing at all.
    pub(crate) async fn hears_speech(&self, line: usize) {
        let what = format!("speech at {}", self.tone);
        self.until(line, &what, |line| {
            let heard = line.heard.lock().unwrap();
            heard.len() >= WINDOW && loudness(heard.iter().rev().take(WINDOW)) > 0.03
        })
        .await;
    }

    async fn until_levels(&self, line: usize, fits: impl Fn(&dyn Fn(f32) -> f32) -> bool) {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let levels = |tone: f32| {
            let lines = self.lines.lock().unwrap();
            let heard = lines[line].heard.lock().unwrap();
            level(&heard, tone)
        };
        let heard = async {
            loop {
                tick.tick().await;
                let full = self.lines.lock().unwrap()[line].heard.lock().unwrap().len() >= WINDOW;
                if full && fits(&levels) {
                    return;
                }
            }
        };
        if tokio::time::timeout(PATIENCE, heard).await.is_err() {
            let all: Vec<f32> = (4..20).map(|n| levels(n as f32 * 100.0)).collect();
            panic!("{} Hz at call {line} hears, from 400 Hz on: {all:.3?}", self.tone);
        }
    }
}

/// How loud a tone is in the latest sound (Goertzel's algorithm).
fn level(heard: &VecDeque<f32>, tone: f32) -> f32 {
    let turn = 2.0 * (std::f32::consts::TAU * tone / RATE as f32).cos();
    let (mut one, mut two) = (0.0, 0.0);
    let from = heard.len().saturating_sub(WINDOW);
    for sample in heard.iter().skip(from) {
        let next = sample + turn * one - two;
        two = one;
        one = next;
    }
    let power: f32 = one * one + two * two - turn * one * two;
    power.max(0.0).sqrt() * 2.0 / WINDOW as f32
}

fn loudness<'a>(sound: impl Iterator<Item = &'a f32>) -> f32 {
    let (sum, count) = sound.fold((0.0, 0), |(sum, count), s| (sum + s * s, count + 1));
    (sum / count.max(1) as f32).sqrt()
}

async fn run(
    mut phone: Phone,
    aor: String,
    mut wishes: mpsc::Receiver<(Command, oneshot::Sender<()>)>,
    lines: Lines,
    tone: f32,
) {
    let mut sounds = JoinSet::new();
    loop {
        let next = tokio::time::timeout(
            Duration::from_secs(10),
            phone.until("event", |event| Some(event.clone())),
        );
        tokio::select! {
            event = next => {
                if let Ok(event) = event {
                    take(&mut phone, event, &lines, &mut sounds, tone).await;
                }
            }
            wish = wishes.recv() => {
                let Some((command, done)) = wish else { return };
                obey(&mut phone, &aor, command, &lines, &mut sounds, tone).await;
                let _ = done.send(());
            }
        }
    }
}

async fn obey(
    phone: &mut Phone,
    aor: &str,
    command: Command,
    lines: &Lines,
    sounds: &mut JoinSet<()>,
    tone: f32,
) {
    match command {
        Command::Call(number) => {
            let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
            let session = phone.call(aor, &number, &description(&socket, false));
            open(session, socket, lines, sounds, tone);
        }
        Command::Hold(at, on) => {
            let (session, own) = {
                let mut lines = lines.lock().unwrap();
                lines[at].held = on;
                (lines[at].session, description(&lines[at].socket, on))
            };
            phone.ua.reoffer(now(), session, Body::sdp(own)).unwrap();
        }
        Command::HangUp(at) => {
            let session = lines.lock().unwrap()[at].session;
            phone.ua.hangup(now(), session).unwrap();
        }
    }
}

async fn take(phone: &mut Phone, event: Event, lines: &Lines, sounds: &mut JoinSet<()>, tone: f32) {
    match event {
        Event::Incoming(incoming) => {
            let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
            let own = description(&socket, false);
            open(incoming.session, socket, lines, sounds, tone);
            learn(lines, incoming.session, incoming.body.as_ref());
            phone.ua.accept(now(), incoming.session, Some(Body::sdp(own))).unwrap();
        }
        Event::Reoffered { session, body, .. } => {
            learn(lines, session, body.as_ref());
            let own = {
                let lines = lines.lock().unwrap();
                let line = lines.iter().find(|line| line.session == session).unwrap();
                description(&line.socket, line.held)
            };
            phone.ua.answer_reoffer(now(), session, Some(Body::sdp(own))).unwrap();
        }
        Event::Answered { session, body, .. }
        | Event::Confirmed { session, body }
        | Event::ReofferAnswered { session, body, .. } => learn(lines, session, body.as_ref()),
        Event::Ended { session, .. } => {
            let mut lines = lines.lock().unwrap();
            lines.iter_mut().filter(|line| line.session == session).for_each(|line| {
                line.over = true;
                *line.remote.lock().unwrap() = None;
            });
        }
        Event::InDialog { request, .. } if request.method == Method::Notify => {
            assert!(request.headers.get(&HeaderName::Event).is_some());
        }
        _ => {}
    }
}

fn description(socket: &UdpSocket, held: bool) -> String {
    let port = socket.local_addr().unwrap().port();
    let hold = if held { "a=sendonly\r\n" } else { "" };
    format!(
        "v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n{hold}",
        version = if held { 2 } else { 1 }
    )
}

/// Where the other side of a call wants its sound; nowhere while it wants none.
fn learn(lines: &Lines, session: SessionId, body: Option<&Body>) {
    let Some(body) = body else { return };
    let text = String::from_utf8_lossy(&body.bytes).into_owned();
    let port = text.lines().find_map(|line| line.strip_prefix("m=audio "));
    let port: Option<u16> = port.and_then(|line| line.split(' ').next()?.parse().ok());
    let wants = !text.lines().any(|line| matches!(line, "a=sendonly" | "a=inactive"));
    let remote = port.filter(|_| wants).map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let lines = lines.lock().unwrap();
    if let Some(line) = lines.iter().find(|line| line.session == session) {
        *line.remote.lock().unwrap() = remote;
    }
}

fn open(
    session: SessionId,
    socket: Arc<UdpSocket>,
    lines: &Lines,
    sounds: &mut JoinSet<()>,
    tone: f32,
) {
    let line = Line {
        session,
        socket: Arc::clone(&socket),
        remote: Arc::default(),
        heard: Arc::default(),
        held: false,
        over: false,
    };
    let (remote, heard) = (Arc::clone(&line.remote), Arc::clone(&line.heard));
    let at = {
        let mut lines = lines.lock().unwrap();
        lines.push(line);
        lines.len() - 1
    };
    sounds.spawn(say(Arc::clone(&socket), remote, Arc::clone(lines), at, tone));
    sounds.spawn(listen(socket, heard));
}

/// Says the tone, 20 ms at a time, as long as somebody wants it and the call is not on hold.
async fn say(
    socket: Arc<UdpSocket>,
    remote: Arc<Mutex<Option<SocketAddr>>>,
    lines: Lines,
    line: usize,
    tone: f32,
) {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    for packet in 0_u32.. {
        tick.tick().await;
        let to = *remote.lock().unwrap();
        let quiet = lines.lock().unwrap()[line].held;
        let Some(to) = to.filter(|_| !quiet) else { continue };
        let mut datagram = vec![0x80, 8];
        datagram.extend_from_slice(&u16::try_from(packet % 65_536).unwrap().to_be_bytes());
        datagram.extend_from_slice(&packet.wrapping_mul(160).to_be_bytes());
        datagram.extend_from_slice(&0x1234_5678_u32.to_be_bytes());
        for at in 0..160 {
            let phase = ((packet * 160 + at) as f32 * tone / RATE as f32).fract();
            datagram.push(compress(LEVEL * (std::f32::consts::TAU * phase).sin()));
        }
        let _ = socket.send_to(&datagram, to).await;
    }
}

async fn listen(socket: Arc<UdpSocket>, heard: Arc<Mutex<VecDeque<f32>>>) {
    let mut datagram = [0; 2_048];
    // Silence is what comes when nothing does.
    let quiet = Duration::from_millis(40);
    loop {
        let received = tokio::time::timeout(quiet, socket.recv_from(&mut datagram)).await;
        let mut heard = heard.lock().unwrap();
        match received {
            Ok(Ok((length, _))) if length > 12 && datagram[1] & 0x7f == 8 => {
                heard.extend(datagram[12..length].iter().map(|&byte| expand(byte)));
            }
            Ok(_) => {}
            Err(_) => heard.extend([0.0; RATE / 25]),
        }
        let extra = heard.len().saturating_sub(RATE);
        heard.drain(..extra);
    }
}

/// A-law (ITU-T G.711).
fn compress(sample: f32) -> u8 {
    let level = (sample.abs().min(1.0) * 4_095.0) as u16;
    let code = match level {
        0..32 => level >> 1,
        _ => {
            let segment = 15 - level.leading_zeros() as u16 - 4;
            (segment << 4) | ((level >> segment) & 0x0f)
        }
    };
    let sign = if sample < 0.0 { 0 } else { 0x80 };
    (u8::try_from(code).unwrap() | sign) ^ 0x55
}

fn expand(byte: u8) -> f32 {
    let byte = byte ^ 0x55;
    let (segment, steps) = (u32::from(byte >> 4 & 7), f32::from(byte & 0x0f));
    let level = match segment {
        0 => 2.0 * steps + 1.0,
        _ => (steps + 16.5) * 2.0_f32.powi(segment as i32),
    };
    let sign = if byte & 0x80 == 0 { -1.0 } else { 1.0 };
    sign * level / 4_096.0
}

#[test]
fn a_law_there_and_back_is_the_same_within_its_steps() {
    for step in -100_i16..=100 {
        let sample = f32::from(step) / 101.0;
        let back = expand(compress(sample));
        assert!((back - sample).abs() <= 0.04 * sample.abs() + 0.001, "{sample} {back}");
    }
}

#[test]
fn a_tone_is_measured_and_its_neighbours_are_not() {
    let sound: VecDeque<f32> = (0..WINDOW)
        .map(|at| LEVEL * (std::f32::consts::TAU * 700.0 * at as f32 / RATE as f32).sin())
        .collect();
    assert!((level(&sound, 700.0) - LEVEL).abs() < 0.01);
    assert!(level(&sound, 600.0) < 0.005 && level(&sound, 1_100.0) < 0.005);
}
