//! Measures what a call costs in processor time, each codec in turn: two engines without devices talk to each other
//! over the loopback interface for 10 s. `cargo run --release --example processor_time -p media` (Linux only).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::mpsc::channel;
use std::time::Duration;

use media::{AudioSpec, Engine, EngineConfig, Events};
use sdp::{Codec, CodecKind, Direction, Negotiated};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SECONDS: u16 = 10;

fn engine(first_port: u16) -> (Engine, Events) {
    let rtp_ports = first_port..=first_port + 7;
    Engine::start(EngineConfig { audio: AudioSpec::Null, bind: HERE, rtp_ports }).unwrap()
}

fn agreed(kind: CodecKind, port: u16) -> Negotiated {
    let codec = Codec {
        kind,
        payload_type: kind.static_payload_type().unwrap_or(111),
        clock_rate: kind.clock_rate(),
        channels: kind.channels(),
        fmtp: None,
    };
    Negotiated {
        remote: SocketAddr::new(HERE, port),
        remote_rtcp: SocketAddr::new(HERE, port + 1),
        codec: codec.clone(),
        receive: vec![codec],
        telephone_event: None,
        telephone_event_receive: Vec::new(),
        comfort_noise_pt: None,
        ptime_ms: 20,
        send: true,
        receive_active: true,
        remote_direction: Direction::SendRecv,
        remote_held: false,
        rtcp_mux: false,
        srtp: None,
        dtls: None,
        ice: None,
    }
}

/// Processor time of this process so far, in seconds.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let mut fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11);
    let mut next = || fields.next().unwrap().parse::<f64>().unwrap() / 100.0;
    next() + next()
}

/// Per cent of one core used during the next seconds.
fn share() -> f64 {
    let before = processor_time();
    let (_keep, never) = channel::<()>();
    let _ = never.recv_timeout(Duration::from_secs(SECONDS.into()));
    (processor_time() - before) / f64::from(SECONDS) * 100.0
}

fn main() {
    for kind in CodecKind::ALL {
        let (a, _a_events) = engine(47_000);
        let (b, _b_events) = engine(47_100);
        let (a_stream, a_port, _) = a.open(HERE).unwrap();
        let (b_stream, b_port, _) = b.open(HERE).unwrap();
        b.configure(b_stream, agreed(kind, a_port)).unwrap();
        a.configure(a_stream, agreed(kind, b_port)).unwrap();
        println!("{kind}: {:.2} % of a core per call end", share() / 2.0);
    }
    let (_idle, _events) = engine(47_200);
    println!("idle: {:.2} %", share());
}
