//! What the two sides of a call tell each other of its sound: engines on the loopback interface, and a peer by hand.

#![expect(clippy::disallowed_methods, reason = "calls take real time")]
#![expect(clippy::unwrap_used, reason = "a test program")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use media::{AudioSpec, Cause, Engine, EngineConfig, Events, StreamId, StreamStats};
use sdp::{CodecKind, Negotiated};

mod agreement;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn engine(first_port: u16) -> (Engine, Events) {
    let rtp_ports = first_port..=first_port + 3;
    Engine::start(EngineConfig { audio: AudioSpec::Null, bind: HERE, rtp_ports }).unwrap()
}

fn agreed(kind: CodecKind, port: u16, voip_metrics: bool) -> Negotiated {
    Negotiated { voip_metrics, ..agreement::plain(kind, SocketAddr::new(HERE, port)) }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(40);
    let (_keep, never) = channel::<()>();
    while !done() {
        assert!(Instant::now() < end, "{what} does not come");
        let _ = never.recv_timeout(Duration::from_millis(20));
    }
}

/// A call of two engines; `metrics`: their descriptions asked for them.
fn call(first_port: u16, metrics: bool) -> [(Engine, Events, StreamId); 2] {
    let ends = [engine(first_port), engine(first_port + 4)];
    let opened = ends.each_ref().map(|(engine, _)| engine.open(HERE).unwrap());
    for (side, (engine, _)) in ends.iter().enumerate() {
        let other = opened[1 - side].1;
        let agreed = agreed(CodecKind::Opus, other, metrics);
        engine.configure(opened[side].0, agreed).unwrap();
    }
    let [(a, at_a), (b, at_b)] = ends;
    [(a, at_a, opened[0].0), (b, at_b, opened[1].0)]
}

fn stats(end: &(Engine, Events, StreamId)) -> StreamStats {
    end.0.stats(end.2).unwrap()
}

#[test]
fn two_of_ours_know_the_whole_way_of_sound_in_both_directions() {
    let ends = call(47_500, true);
    let whole = |end| {
        let stats = stats(end);
        stats.rx.delay.total().zip(stats.tx.delay.total())
    };
    until("the whole way", || ends.iter().all(|end| whole(end).is_some()));
    for (here, there) in [(0, 1), (1, 0)] {
        let (heard, sent) = (whole(&ends[here]).unwrap().0, whole(&ends[there]).unwrap().1);
        // Both measure the same way, each with what the other told some seconds ago.
        assert!(heard.abs_diff(sent) < Duration::from_millis(120), "{heard:?} {sent:?}");
        let parts = stats(&ends[here]).rx.delay;
        assert_eq!(
            parts.frame,
            Some(Duration::from_micros(26_500)),
            "20 ms and what Opus looks ahead"
        );
        assert!(heard >= Duration::from_micros(26_500));
    }
}

#[test]
fn without_the_peers_word_the_whole_way_stays_unknown() {
    let ends = call(47_520, false);
    until("the round trip", || ends.iter().all(|end| stats(end).rtt_ms.is_some()));
    for end in &ends {
        let stats = stats(end);
        assert_eq!((stats.rx.delay.total(), stats.tx.delay.total()), (None, None));
        assert_eq!((stats.tx.delay.buffer, stats.rx.delay.capture), (None, None));
        assert!(stats.rx.delay.known() > Duration::from_millis(26), "{:?}", stats.rx.delay);
    }
}

#[test]
fn the_direction_that_is_sent_is_judged_by_what_the_peer_says() {
    let rtp = UdpSocket::bind("127.0.0.1:47540").unwrap();
    rtp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (engine, _events) = engine(47_544);
    let (stream, port, rtcp_port) = engine.open(HERE).unwrap();
    engine.configure(stream, agreed(CodecKind::Pcma, 47_540, true)).unwrap();
    let mut packet = [0_u8; 1_500];
    let (_, from) = rtp.recv_from(&mut packet).unwrap();
    assert_eq!(from.port(), port);
    assert_eq!(engine.stats(stream).unwrap().tx.mos, None, "nobody has said anything");
    let ssrc = &packet[8..12];
    // A reception report: a quarter lost, even arrival. A buffer of 90 ms and 150 ms in all.
    let mut report = reception_report(ssrc.try_into().unwrap(), 64, 100, 8);
    report.extend([0x80, 207, 0, 10, 0, 0, 0, 9, 7, 0, 0, 8]);
    report.extend_from_slice(ssrc);
    report.extend([64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 150, 127, 127, 127, 16, 127, 127, 127, 127]);
    report.extend([0b1111_0000, 0, 0, 90, 0, 200, 0, 200]);
    let sender = UdpSocket::bind("127.0.0.1:47541").unwrap();
    sender.send_to(&report, (HERE, rtcp_port)).unwrap();
    until("what the peer says", || engine.stats(stream).unwrap().tx.mos.is_some());
    let stats = engine.stats(stream).unwrap();
    assert!(stats.tx.mos.unwrap() < 3.0, "{stats:?}");
    assert_eq!(stats.rx.mos, None, "nothing came");
    assert_eq!(stats.tx.delay.buffer, Some(Duration::from_millis(90)));
    assert_eq!(stats.tx.delay.total(), None, "the round trip is unknown");
    assert_eq!(stats.evidence.lost_out, Some(0.25));
    assert_eq!(stats.evidence.cause(), Cause::NetworkOut);
}

/// A reception report of the peer's about that source: share lost in 1/256, and jitter in timestamp units.
fn reception_report(ssrc: [u8; 4], lost: u8, highest: u32, jitter: u32) -> Vec<u8> {
    let mut report = vec![0x81, 201, 0, 7, 0, 0, 0, 9];
    report.extend(ssrc);
    report.extend([lost, 0, 0, 25]);
    report.extend(highest.to_be_bytes());
    report.extend(jitter.to_be_bytes());
    report.extend([0; 8]);
    report
}

#[test]
fn packets_get_longer_where_the_peer_tells_of_too_little_room_and_no_sound_is_left_out() {
    let rtp = UdpSocket::bind("127.0.0.1:47560").unwrap();
    rtp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (engine, _events) = engine(47_564);
    let (stream, _, rtcp_port) = engine.open(HERE).unwrap();
    let opus = agreed(CodecKind::Opus, 47_560, false);
    engine.configure(stream, Negotiated { max_ptime_ms: Some(40), ..opus }).unwrap();
    let sender = UdpSocket::bind("127.0.0.1:47561").unwrap();
    let mut packet = [0_u8; 1_500];
    let mut stamps = Vec::new();
    for n in 0..60_u32 {
        rtp.recv_from(&mut packet).unwrap();
        let number = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
        stamps.push(number(4));
        if n % 10 == 5 {
            let ssrc = number(8).to_be_bytes();
            let highest = number(0) & 0xffff;
            let report = reception_report(ssrc, 64, highest, 2_400);
            sender.send_to(&report, (HERE, rtcp_port)).unwrap();
        }
    }
    let steps: Vec<u32> = stamps.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    let longer = steps.iter().position(|step| *step == 1_920).unwrap();
    assert!(longer >= 14, "after the second report: {steps:?}");
    let (short, long) = steps.split_at(longer);
    assert!(
        short.iter().all(|step| *step == 960) && long.iter().all(|step| *step == 1_920),
        "{steps:?}"
    );
    assert_eq!(engine.stats(stream).unwrap().packet_ms, 40);
}
