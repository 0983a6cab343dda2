//! A name server of a few lines: one service with two servers, of which the first is dead.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::SERVER;

/// The domain that it knows.
pub const DOMAIN: &str = "pbx.test";
/// The server that never answers.
pub const DEAD: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 66);
const A: u16 = 1;
const SRV: u16 = 33;

/// A running name server.
pub struct Names {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Names {
    /// Answers on port 53 of the server's address. SRV of the domain names `one` (dead) before `two`; A of the domain
    /// itself lists both addresses in that order.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(sip_port: u16) -> Result<Self> {
        let socket = UdpSocket::bind((SERVER, 53)).context("no name server")?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 1_500];
            while !end.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let query = buffer.get(..length).unwrap_or_default();
                if let Some(answer) = answer(query, sip_port) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Ok(Self { over, thread: Some(thread) })
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The answer to one question (RFC 1035, RFC 2782); names that it does not know do not exist.
fn answer(query: &[u8], sip_port: u16) -> Option<Vec<u8>> {
    let question = query.get(12..)?;
    let mut labels = Vec::new();
    let mut at = 0;
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(question.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes(question.get(at..at + 2)?.try_into().ok()?);
    let question = question.get(..at + 4)?;
    let live: Ipv4Addr = SERVER.parse().ok()?;
    let name = labels.join(".");
    let known = name.ends_with(DOMAIN);
    let mut records: Vec<Vec<u8>> = Vec::new();
    if kind == A && name == DOMAIN {
        records.extend([DEAD, live].map(|ip| record(A, &ip.octets())));
    } else if kind == A && name == format!("one.{DOMAIN}") {
        records.push(record(A, &DEAD.octets()));
    } else if kind == A && name == format!("two.{DOMAIN}") {
        records.push(record(A, &live.octets()));
    } else if kind == SRV && name == format!("_sip._udp.{DOMAIN}") {
        records.extend(
            [("one", 10), ("two", 20)]
                .map(|(host, priority)| record(SRV, &service(host, priority, sip_port))),
        );
    }
    let mut answer = query.get(..2)?.to_vec();
    answer.extend([0x85, if known { 0x80 } else { 0x83 }, 0, 1]);
    answer.extend(u16::try_from(records.len()).ok()?.to_be_bytes());
    answer.extend([0; 4]);
    answer.extend(question);
    records.into_iter().for_each(|record| answer.extend(record));
    Some(answer)
}

/// A record of the name asked for, to be kept for a second.
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut record = vec![0xc0, 12];
    record.extend(kind.to_be_bytes());
    record.extend([0, 1, 0, 0, 0, 1]);
    record.extend(u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
    record.extend(data);
    record
}

fn service(host: &str, priority: u16, port: u16) -> Vec<u8> {
    let mut data = priority.to_be_bytes().to_vec();
    data.extend([0, 0]);
    data.extend(port.to_be_bytes());
    for label in host.split('.').chain(DOMAIN.split('.')) {
        data.push(u8::try_from(label.len()).unwrap_or(0));
        data.extend(label.as_bytes());
    }
    data.push(0);
    data
}
