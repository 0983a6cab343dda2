//! Endpoints fed with packets by hand, in virtual time.

use std::net::Ipv4Addr;
use std::time::Duration;

use rtp::FrameDecoder;
use sdp::{Codec, Direction, TelephoneEvent};

use super::*;

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 30_000);

fn codec(kind: CodecKind) -> Codec {
    Codec {
        kind,
        payload_type: kind.static_payload_type().unwrap_or(96),
        clock_rate: kind.clock_rate(),
        channels: kind.channels(),
        fmtp: None,
    }
}

fn agreed(kind: CodecKind, send: bool) -> Negotiated {
    Negotiated {
        remote: PEER,
        remote_rtcp: PEER,
        codec: codec(kind),
        receive: vec![codec(kind)],
        telephone_event: None,
        telephone_event_receive: vec![TelephoneEvent { payload_type: 101, clock_rate: 8_000 }],
        comfort_noise_pt: None,
        ptime_ms: 20,
        max_ptime_ms: None,
        voip_metrics: false,
        send,
        receive_active: true,
        remote_direction: Direction::SendRecv,
        remote_held: !send,
        rtcp_mux: false,
        srtp: None,
        dtls: None,
        ice: None,
    }
}

fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    Instant::now()
}

fn endpoint(kind: CodecKind, steps: Vec<Step>) -> Endpoint {
    let mut endpoint = Endpoint::new(StreamSeed { ssrc: 1, sequence: 65_530, timestamp: 7 });
    endpoint.configure(&agreed(kind, true)).unwrap();
    endpoint.play(steps);
    endpoint
}

/// Packets that an endpoint sends in `ms`.
fn run(endpoint: &mut Endpoint, now: &mut Instant, ms: u32) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for _ in 0..ms / 10 {
        *now += Duration::from_millis(10);
        endpoint.tick(*now, &mut |to, packet| {
            assert_eq!(to, PEER);
            packets.push(packet.to_vec());
        });
    }
    packets
}

fn decode(kind: CodecKind, packets: &[Vec<u8>]) -> Vec<f32> {
    let mut decoder = Decoder::new(kind).unwrap();
    let mut out = [0.0; 5_760];
    let mut sound = Vec::new();
    for packet in packets {
        let packet = rtp::RtpPacket::parse(packet).unwrap();
        let samples = decoder.decode(packet.payload, &mut out).unwrap();
        sound.extend_from_slice(&out[..samples]);
    }
    sound
}

fn loudness(sound: &[f32]) -> f32 {
    (sound.iter().map(|s| s * s).sum::<f32>() / sound.len().max(1) as f32).sqrt()
}

#[test]
fn a_beep_is_heard_in_every_codec_and_then_it_is_over() {
    for kind in CodecKind::ALL {
        let mut endpoint = endpoint(kind, vec![Step::Beep]);
        let mut now = start();
        let packets = run(&mut endpoint, &mut now, 400);
        assert_eq!(packets.len(), 20);
        assert!(loudness(&decode(kind, &packets)) > 0.15, "{kind}");
        assert_eq!(endpoint.poll_happened(), None);
        run(&mut endpoint, &mut now, 40);
        assert_eq!(endpoint.poll_happened(), Some(Happened::Finished));
        assert_eq!(endpoint.poll_happened(), None);
    }
}

#[test]
fn on_hold_nothing_is_sent_and_the_words_wait() {
    let mut endpoint = endpoint(CodecKind::Pcma, vec![Step::Beep]);
    let mut now = start();
    run(&mut endpoint, &mut now, 200);
    endpoint.configure(&agreed(CodecKind::Pcma, false)).unwrap();
    assert!(run(&mut endpoint, &mut now, 2_000).is_empty());
    assert_eq!(endpoint.poll_happened(), None);
    endpoint.configure(&agreed(CodecKind::Pcma, true)).unwrap();
    let rest = run(&mut endpoint, &mut now, 200);
    assert!(loudness(&decode(CodecKind::Pcma, &rest)) > 0.15);
    let first = rtp::RtpPacket::parse(&rest[0]).unwrap();
    assert!(first.header.marker);
}

#[test]
fn echo_sends_back_what_it_hears() {
    let mut speaker = endpoint(CodecKind::G722, vec![Step::Beep, Step::Listen]);
    let mut echo = endpoint(CodecKind::G722, vec![Step::Echo]);
    let mut now = start();
    let mut heard = Vec::new();
    for _ in 0..60 {
        let said = run(&mut speaker, &mut now, 10);
        said.iter().for_each(|packet| echo.handle_packet(now, PEER, packet));
        heard.extend(run(&mut echo, &mut now, 10));
    }
    let heard = decode(CodecKind::G722, &heard);
    assert!(loudness(&heard) > 0.1, "{}", loudness(&heard));
}

#[test]
fn rubbish_from_the_network_changes_nothing() {
    let mut echo = endpoint(CodecKind::Opus, vec![Step::Echo]);
    let mut now = start();
    for length in 0..80_u8 {
        let rubbish: Vec<u8> = (0..length).map(|at| at.wrapping_mul(37) ^ length).collect();
        echo.handle_packet(now, PEER, &rubbish);
        let mut framed = vec![0x80, 96, 0, length, 0, 0, 0, 0, 0, 0, 0, 9];
        framed.extend(rubbish);
        echo.handle_packet(now, PEER, &framed);
    }
    assert_eq!(run(&mut echo, &mut now, 100).len(), 5);
}

#[test]
fn digits_are_heard() {
    let mut endpoint = endpoint(CodecKind::Pcmu, vec![Step::Listen]);
    let now = start();
    for sequence in 0..3 {
        let packet = [0x80, 101, 0, sequence, 0, 0, 0, 1, 0, 0, 0, 9, 5, 0x8a, 0, 160];
        endpoint.handle_packet(now, PEER, &packet);
    }
    assert_eq!(endpoint.poll_happened(), Some(Happened::Digit('5')));
    assert_eq!(endpoint.poll_happened(), None);
}

#[test]
fn the_peer_gets_reports_and_a_goodbye() {
    let mut endpoint = endpoint(CodecKind::Pcma, vec![Step::Listen]);
    let mut now = start();
    let wall = NtpTime::from_unix(Duration::from_secs(1_000_000));
    let mut reports: Vec<Vec<u8>> = Vec::new();
    for _ in 0..1_500 {
        now += Duration::from_millis(10);
        endpoint.tick(now, &mut |_, _| {});
        endpoint.report(now, wall, &mut |to, datagram| {
            assert_eq!(to, PEER);
            reports.push(datagram.to_vec());
        });
    }
    assert!((2..=6).contains(&reports.len()), "{}", reports.len());
    // A sender report, about 750 packets of 20 ms.
    assert!(reports.iter().all(|report| report[1] == 200));
    let packets = u32::from_be_bytes(reports.last().unwrap()[20..24].try_into().unwrap());
    assert!((300..=750).contains(&packets), "{packets}");
    endpoint.handle_report(now, b"rubbish");
    let mut farewell = Vec::new();
    endpoint.goodbye(now, &mut |_, datagram| farewell = datagram.to_vec());
    let mut peer = RtcpSession::new(now, wall, "peer", 5);
    assert_eq!(peer.handle_packet(now, 77, &farewell), Ok(true));
}

#[test]
fn where_nobody_listens_everything_takes_its_time_and_makes_no_sound() {
    let mut endpoint =
        endpoint(CodecKind::Pcma, vec![Step::Beep, Step::Pause(300), Step::Pause(50)]);
    endpoint.pass(Duration::from_millis(500));
    assert_eq!(endpoint.poll_happened(), None);
    // On hold nothing goes on.
    endpoint.configure(&agreed(CodecKind::Pcma, false)).unwrap();
    endpoint.pass(Duration::from_secs(5));
    assert_eq!(endpoint.poll_happened(), None);
    endpoint.configure(&agreed(CodecKind::Pcma, true)).unwrap();
    endpoint.pass(Duration::from_millis(200));
    assert_eq!(endpoint.poll_happened(), None);
    endpoint.pass(Duration::from_millis(100));
    assert_eq!(endpoint.poll_happened(), Some(Happened::Finished));
    endpoint.play(vec![Step::Music]);
    endpoint.pass(Duration::from_secs(3_600));
    assert_eq!(endpoint.poll_happened(), None);
}
