//! Hears the sound of every call on the wires of the server's end: when a packet passed, which way, and whether its
//! payload is another one than that of the packet before.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use socket2::{Domain, Protocol, Socket, Type};

/// Ports of the server's sound.
const SERVER_PORTS: RangeInclusive<u16> = 30_000..=30_999;
/// Every protocol, in network byte order (ETH_P_ALL).
const EVERYTHING: i32 = 0x0003_u16.to_be() as i32;
const ETHERNET: usize = 14;
const RTP: usize = 12;

/// Which way a packet went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// To the server.
    Up,
    /// To the telephone.
    Down,
}

/// One packet of sound.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// When it passed.
    pub at: Instant,
    /// Which way.
    pub way: Way,
    /// The telephone's address.
    pub phone: Ipv4Addr,
    /// What it carries, hashed.
    pub payload: u64,
}

type Calls = HashMap<u16, Vec<Heard>>;

/// A running tap.
pub struct Tap {
    calls: Arc<Mutex<Calls>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Tap {
    /// Listens on every wire of this namespace.
    ///
    /// # Errors
    /// When we are not root here.
    pub fn open() -> Result<Self> {
        let protocol = Some(Protocol::from(EVERYTHING));
        let socket =
            Socket::new(Domain::PACKET, Type::RAW, protocol).context("cannot listen in")?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let (calls, over) = (Arc::new(Mutex::new(Calls::new())), Arc::new(AtomicBool::new(false)));
        let (kept, end) = (Arc::clone(&calls), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                hear(&socket, &kept);
            }
        });
        Ok(Self { calls, over, thread: Some(thread) })
    }

    /// The calls with sound both ways since `since`, by the server's port.
    #[must_use]
    pub fn alive(&self, since: Instant) -> Vec<u16> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ports: Vec<u16> = calls
            .iter()
            .filter(|(_, heard)| {
                let passed = |way| heard.iter().any(|one| one.way == way && one.at >= since);
                passed(Way::Up) && passed(Way::Down)
            })
            .map(|(port, _)| *port)
            .collect();
        ports.sort_unstable();
        ports
    }

    /// When a call had sound both ways again after `since`, to and from the telephone at `phone`, with payloads that
    /// change in both directions. None: not yet.
    #[must_use]
    pub fn back(&self, port: u16, since: Instant, phone: Ipv4Addr) -> Option<Instant> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = calls.get(&port)?;
        let first = |way: Way| {
            let mut packets =
                heard.iter().filter(|one| one.way == way && one.at >= since && one.phone == phone);
            let first = packets.next()?;
            packets.any(|one| one.payload != first.payload).then_some(first.at)
        };
        let up = first(Way::Up)?;
        // Echo sends back what it gets, so what goes down before anything came up is old.
        let down = heard
            .iter()
            .filter(|one| one.way == Way::Down && one.at >= up && one.phone == phone)
            .map(|one| one.at)
            .next()?;
        first(Way::Down)?;
        Some(up.max(down))
    }

    /// Forgets what was heard.
    pub fn clear(&self) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the time a packet passes is what is measured")]
fn hear(socket: &Socket, calls: &Mutex<Calls>) {
    let mut buffer = [0; 2_048];
    let mut reader = socket;
    let Ok(length) = reader.read(&mut buffer) else { return };
    let at = Instant::now();
    if let Some((port, way, phone, payload)) = parse(buffer.get(..length).unwrap_or_default()) {
        let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.entry(port).or_default().push(Heard { at, way, phone, payload });
    }
}

/// An Ethernet frame with IPv4, UDP and RTP between the server's sound ports and a telephone of the house.
fn parse(frame: &[u8]) -> Option<(u16, Way, Ipv4Addr, u64)> {
    let ip = frame.get(ETHERNET..).filter(|_| frame.get(12..14) == Some(&[8, 0]))?;
    let header = usize::from(ip.first()? & 0xf) * 4;
    if ip.get(9) != Some(&17) {
        return None;
    }
    let address = |at: usize| {
        let bytes: [u8; 4] = ip.get(at..at + 4)?.try_into().ok()?;
        Some(Ipv4Addr::from(bytes))
    };
    let (from, to) = (address(12)?, address(16)?);
    let udp = ip.get(header..)?;
    let port = |at: usize| Some(u16::from_be_bytes(udp.get(at..at + 2)?.try_into().ok()?));
    let (source, destination) = (port(0)?, port(2)?);
    let rtp = udp.get(8 + RTP..)?;
    let is_phone = |ip: Ipv4Addr| ip.octets()[..2] == [10, 98];
    let (server, way, phone) = if SERVER_PORTS.contains(&destination) && is_phone(from) {
        (destination, Way::Up, from)
    } else if SERVER_PORTS.contains(&source) && is_phone(to) {
        (source, Way::Down, to)
    } else {
        return None;
    };
    // Odd ports are RTCP's.
    if server % 2 == 1 {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    rtp.hash(&mut hasher);
    Some((server, way, phone, hasher.finish()))
}
