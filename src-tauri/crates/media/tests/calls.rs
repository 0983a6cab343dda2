//! Whole calls between engines on the loopback interface, in real time.

#![expect(clippy::disallowed_methods, reason = "calls take real time")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test program")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use audio::read_wav;
use media::codec::Decoder;
use media::{
    AudioSpec, Engine, EngineConfig, EngineError, Events, MediaEvent, StreamId, TestStage, Tone,
};
use rtp::FrameDecoder as _;
use sdp::{CodecKind, CryptoSuite, MasterKey, Negotiated, SrtpKeys, TelephoneEvent};

mod agreement;

const FOUR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SIX: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A range of ports that no other test uses.
fn ports(pairs: u16) -> std::ops::RangeInclusive<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(48_000);
    let first = NEXT.fetch_add(pairs * 2, Ordering::Relaxed);
    first..=first + pairs * 2 - 1
}

fn engine(audio: AudioSpec) -> (Engine, Events) {
    let bind = Ipv4Addr::UNSPECIFIED.into();
    Engine::start(EngineConfig { audio, bind, rtp_ports: ports(4) }).unwrap()
}

fn wav(input: &Path, output: &Path, looped: bool) -> AudioSpec {
    AudioSpec::Wav { input: input.to_owned(), output: output.to_owned(), looped }
}

fn agreed(kind: CodecKind, ip: IpAddr, port: u16) -> Negotiated {
    let keys = TelephoneEvent { payload_type: 101, clock_rate: kind.clock_rate() };
    Negotiated {
        telephone_event: Some(keys),
        telephone_event_receive: vec![keys],
        ..agreement::plain(kind, SocketAddr::new(ip, port))
    }
}

/// Connects one stream of each engine with the other.
fn connect(a: &Engine, b: &Engine, kind: CodecKind, ip: IpAddr) -> (StreamId, StreamId) {
    let (a_stream, a_port, _) = a.open(ip).unwrap();
    let (b_stream, b_port, _) = b.open(ip).unwrap();
    b.configure(b_stream, agreed(kind, ip, a_port)).unwrap();
    a.configure(a_stream, agreed(kind, ip, b_port)).unwrap();
    (a_stream, b_stream)
}

fn key(suite: CryptoSuite, who: u8) -> MasterKey {
    MasterKey::new(suite, vec![who; suite.key_length() + suite.salt_length()]).unwrap()
}

/// An agreement under which we send with one key and receive with the other.
fn encrypted(port: u16, suite: CryptoSuite, send: u8, receive: u8) -> Negotiated {
    let keys = SrtpKeys { send: key(suite, send), receive: key(suite, receive) };
    Negotiated { srtp: Some(keys), ..agreed(CodecKind::Pcma, FOUR, port) }
}

fn pause(ms: u64) {
    let (_keep, never) = channel::<()>();
    let _ = never.recv_timeout(Duration::from_millis(ms));
}

fn until(ms: u64, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_millis(ms);
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        pause(10);
    }
}

/// A voice-like sound that is nowhere like itself a little later.
fn voice(seconds: f64) -> Vec<f32> {
    let mut phase = 0.0_f64;
    (0..(seconds * 48_000.0) as usize)
        .map(|n| {
            let t = n as f64 / 48_000.0;
            let hz = 140.0 + 35.0 * (1.7 * t + 0.9 * t * t).sin() + 25.0 * (5.3 * t).cos();
            phase += hz / 48_000.0;
            let turn = 2.0 * std::f64::consts::PI * phase;
            // Above 400 Hz: Opus takes the lowest frequencies of a voice away.
            let sound: f64 =
                (3..20).map(|k| (turn * f64::from(k)).sin() / f64::from(k).sqrt()).sum();
            let syllable = (0.55
                + 0.45 * (2.0 * std::f64::consts::PI * (2.3 * t + 0.4 * (3.1 * t).sin())).sin())
            .max(0.0);
            (0.11 * syllable * sound) as f32
        })
        .collect()
}

fn write_wav(path: &Path, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in samples {
        writer.write_sample((sample * 32_767.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += f64::from(*x) * f64::from(*y);
        aa += f64::from(*x).powi(2);
        bb += f64::from(*y).powi(2);
    }
    ab / (aa * bb).sqrt().max(1e-9)
}

/// Where the second of `reference` from 1 s on is found in `heard`: (correlation, lag in ms).
fn find(reference: &[f32], heard: &[f32]) -> (f64, f64) {
    let thin = |x: &[f32]| x.chunks_exact(8).map(|c| c.iter().sum::<f32>()).collect::<Vec<_>>();
    let (thin_reference, thin_heard) = (thin(&reference[48_000..96_000]), thin(heard));
    let coarse = (0..thin_heard.len().saturating_sub(6_000))
        .map(|lag| (correlation(&thin_reference, &thin_heard[lag..lag + 6_000]), lag))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap()
        .1
        * 8;
    (coarse.saturating_sub(16)..coarse + 16)
        .filter_map(|lag| {
            Some((correlation(&reference[48_000..96_000], heard.get(lag..lag + 48_000)?), lag))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(c, lag)| (c, (lag as f64 - 48_000.0) / 48.0))
        .unwrap()
}

/// One engine whose microphone goes out on one stream and comes back in on the other: both files
/// share one time line, so the lag is the way from mouth to ear.
fn mouth_to_ear(kind: CodecKind) -> (f64, f64) {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in.wav"), dir.path().join("out.wav"));
    let sound = voice(4.0);
    write_wav(&input, &sound);
    let (engine, _events) = engine(wav(&input, &output, false));
    let (talker, listener) = connect(&engine, &engine, kind, FOUR);
    engine.set_muted(listener, true);
    pause(3_500);
    println!("{kind}: {:?}", engine.stats(listener).unwrap());
    engine.close(talker);
    engine.close(listener);
    drop(engine);
    find(&sound, &read_wav(&output).unwrap())
}

fn arrives_whole(kind: CodecKind, algorithmic_ms: f64) {
    let (likeness, lag) = mouth_to_ear(kind);
    println!("{kind}: correlation {likeness:.3}, mouth to ear {lag:.1} ms");
    assert!(likeness > 0.9, "{kind}: correlation {likeness:.3}");
    // Packet, stand-in's two blocks, codec; the jitter buffer holds what the machine's scheduling asks for.
    assert!(lag > 30.0 + algorithmic_ms && lag < 160.0, "{kind}: {lag:.1} ms");
}

#[test]
fn opus_arrives_whole() {
    arrives_whole(CodecKind::Opus, 6.0);
}

#[test]
fn g722_arrives_whole() {
    arrives_whole(CodecKind::G722, 3.0);
}

#[test]
fn pcma_arrives_whole() {
    arrives_whole(CodecKind::Pcma, 3.0);
}

#[test]
fn pcmu_arrives_whole() {
    arrives_whole(CodecKind::Pcmu, 3.0);
}

#[test]
fn sound_goes_from_one_engine_to_another_over_ipv6() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let sound = voice(4.0);
    write_wav(&file("a.wav"), &sound);
    let (a, _a_events) = engine(wav(&file("a.wav"), &file("a-out.wav"), false));
    let (b, _b_events) = engine(wav(&file("a.wav"), &file("b-out.wav"), false));
    connect(&a, &b, CodecKind::Opus, SIX);
    pause(3_500);
    drop((a, b));
    for name in ["a-out.wav", "b-out.wav"] {
        let (likeness, _) = find(&sound, &read_wav(&file(name)).unwrap());
        assert!(likeness > 0.9, "{name}: {likeness:.3}");
    }
}

#[test]
fn mute_and_hold_are_silent_and_end() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    write_wav(&file("a.wav"), &voice(2.0));
    let (a, _a_events) = engine(wav(&file("a.wav"), &file("a-out.wav"), true));
    let (b, _b_events) = engine(AudioSpec::Null);
    let (a_stream, b_stream) = connect(&a, &b, CodecKind::G722, FOUR);
    b.watch_levels(true);
    let loud = || b.levels().1 > 0.02;
    let silent = || b.levels().1 < 0.0005;
    assert!(until(3_000, loud), "nothing heard");
    a.set_muted(a_stream, true);
    assert!(until(2_000, silent), "muted and heard");
    a.set_muted(a_stream, false);
    assert!(until(2_000, loud), "unmuted and not heard");
    a.set_held(a_stream, true);
    assert!(until(2_000, silent), "held and heard");
    a.set_held(a_stream, false);
    assert!(until(2_000, loud), "resumed and not heard");
    b.set_held(b_stream, true);
    assert!(until(2_000, silent), "a held stream plays");
    b.set_held(b_stream, false);
    assert!(until(2_000, loud), "a resumed stream does not play");
    // What we may not send by agreement is not sent at all.
    let mut receive_only =
        agreed(CodecKind::G722, FOUR, a.stats(a_stream).unwrap().remote.unwrap().port());
    receive_only.send = false;
    a.configure(a_stream, receive_only).unwrap();
    assert!(until(2_000, silent));
    let before = a.stats(a_stream).unwrap().tx.packets;
    pause(300);
    assert_eq!(a.stats(a_stream).unwrap().tx.packets, before);
}

#[test]
fn where_comfort_noise_is_agreed_on_a_muted_line_takes_few_packets_and_is_never_missed() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("a.wav");
    write_wav(&input, &voice(2.0));
    let (a, _a_events) = engine(wav(&input, &dir.path().join("a-out.wav"), true));
    let (b, mut b_events) = engine(AudioSpec::Null);
    let (a_stream, a_port, _) = a.open(FOUR).unwrap();
    let (b_stream, b_port, _) = b.open(FOUR).unwrap();
    let noise =
        |port| Negotiated { comfort_noise_pt: Some(13), ..agreed(CodecKind::Pcma, FOUR, port) };
    a.configure(a_stream, noise(b_port)).unwrap();
    b.configure(b_stream, noise(a_port)).unwrap();
    b.watch_levels(true);
    assert!(until(3_000, || b.levels().1 > 0.02), "nothing heard");
    a.set_muted(a_stream, true);
    assert!(until(2_000, || b.levels().1 < 0.0005), "muted and heard");
    pause(500);
    while b_events.try_recv().is_ok() {}
    let before = a.stats(a_stream).unwrap().tx.packets;
    pause(2_500);
    let sent = a.stats(a_stream).unwrap().tx.packets - before;
    // One every 400 ms in place of 125.
    assert!((5..=8).contains(&sent), "{sent} packets in a pause of 2.5 s");
    let told: Vec<_> = std::iter::from_fn(|| b_events.try_recv().ok()).collect();
    let quiet = |event: &MediaEvent| matches!(event, MediaEvent::Activity { rx: false, .. });
    assert!(!told.iter().any(quiet), "{told:?}");
    let heard = b.stats(b_stream).unwrap();
    assert_eq!((heard.rx.lost, heard.rejected), (Some(0), 0));
    a.set_muted(a_stream, false);
    assert!(until(2_000, || b.levels().1 > 0.02), "unmuted and not heard");
}

#[test]
fn encrypted_sound_arrives_whole_under_every_suite() {
    for suite in CryptoSuite::ALL {
        let dir = tempfile::tempdir().unwrap();
        let (input, output) = (dir.path().join("in.wav"), dir.path().join("out.wav"));
        let sound = voice(3.0);
        write_wav(&input, &sound);
        let (engine, _events) = engine(wav(&input, &output, false));
        let (talker, talker_port, _) = engine.open(FOUR).unwrap();
        let (listener, listener_port, _) = engine.open(FOUR).unwrap();
        engine.configure(listener, encrypted(talker_port, suite, 2, 1)).unwrap();
        engine.configure(talker, encrypted(listener_port, suite, 1, 2)).unwrap();
        engine.set_muted(listener, true);
        pause(2_500);
        let stats = engine.stats(listener).unwrap();
        engine.close(talker);
        engine.close(listener);
        drop(engine);
        let (likeness, _) = find(&sound, &read_wav(&output).unwrap());
        assert!(likeness > 0.9, "{suite}: {likeness:.3}");
        assert_eq!((stats.suite, stats.unauthenticated, stats.rejected), (Some(suite), 0, 0));
    }
}

#[test]
fn what_is_not_proven_is_neither_heard_nor_answered_and_is_counted() {
    let suite = CryptoSuite::AesCm128HmacSha1_80;
    let (a, _a_events) = engine(AudioSpec::Null);
    let (b, _b_events) = engine(AudioSpec::Null);
    let (a_stream, a_port, _) = a.open(FOUR).unwrap();
    let (b_stream, b_port, _) = b.open(FOUR).unwrap();
    a.configure(a_stream, encrypted(b_port, suite, 1, 2)).unwrap();
    // B sends in clear, then under a key that A does not know.
    b.configure(b_stream, agreed(CodecKind::Pcma, FOUR, a_port)).unwrap();
    let unproven = || a.stats(a_stream).unwrap().unauthenticated;
    assert!(until(3_000, || unproven() > 10), "sound in clear is not counted");
    b.configure(b_stream, encrypted(a_port, suite, 9, 1)).unwrap();
    let before = unproven();
    assert!(until(3_000, || unproven() > before + 10), "another key is not noticed");
    assert_eq!(a.stats(a_stream).unwrap().rx.packets, 0);
    // Then as agreed, and later under a new key that A is told of: nothing more is lost.
    b.configure(b_stream, encrypted(a_port, suite, 2, 1)).unwrap();
    assert!(until(3_000, || a.stats(a_stream).unwrap().rx.packets > 20), "not heard");
    assert!(until(3_000, || b.stats(b_stream).unwrap().rx.packets > 20), "not heard back");
    a.configure(a_stream, encrypted(b_port, suite, 1, 3)).unwrap();
    b.configure(b_stream, encrypted(a_port, suite, 3, 1)).unwrap();
    let (before, packets) = (unproven(), a.stats(a_stream).unwrap().rx.packets);
    assert!(until(3_000, || a.stats(a_stream).unwrap().rx.packets > packets + 50));
    // What B sent before it changed is taken under the old key.
    assert_eq!(unproven(), before);
    assert_eq!(a.stats(a_stream).unwrap().rx.lost, Some(0));
}

/// Counted in packets from the one that goes out first: the microphone is in them from the answer on, after at most the
/// 100 ms that a user takes to begin to speak.
#[test]
fn the_first_packets_of_a_call_carry_the_microphone() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in.wav"), dir.path().join("out.wav"));
    let tone: Vec<f32> = (0..96_000).map(|n| 0.4 * (n as f32 * 0.06).sin()).collect();
    write_wav(&input, &tone);
    let peer = std::net::UdpSocket::bind((FOUR, 0)).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let (engine, _events) = engine(wav(&input, &output, true));
    let (stream, _, _) = engine.open(FOUR).unwrap();
    engine
        .configure(stream, agreed(CodecKind::Pcma, FOUR, peer.local_addr().unwrap().port()))
        .unwrap();
    let (mut silent, mut datagram) = (0, [0_u8; 1_500]);
    let loud = loop {
        let length = peer.recv(&mut datagram).unwrap();
        let mut sound = vec![0.0; 160 * 6];
        let mut decoder = Decoder::new(CodecKind::Pcma).unwrap();
        let count = decoder.decode(&datagram[12..length], &mut sound).unwrap();
        let peak = sound[..count].iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
        if peak > 0.1 || silent > 50 {
            break peak > 0.1;
        }
        silent += 1;
    };
    println!("{silent} packets without sound");
    assert!(loud && silent <= 5, "{silent} packets of 20 ms without sound");
}

fn digits(events: &mut Events) -> String {
    let mut digits = String::new();
    while let Ok(event) = events.try_recv() {
        if let MediaEvent::Dtmf { digit, .. } = event {
            digits.push(digit);
        }
    }
    digits
}

#[test]
fn keys_arrive_once_each_both_ways() {
    let (a, mut a_events) = engine(AudioSpec::Null);
    let (b, mut b_events) = engine(AudioSpec::Null);
    let (a_stream, b_stream) = connect(&a, &b, CodecKind::Pcma, FOUR);
    assert!(a.dtmf(a_stream, "0159#"));
    assert!(b.dtmf(b_stream, "*AD"));
    let (mut at_a, mut at_b) = (String::new(), String::new());
    until(5_000, || {
        at_a += &digits(&mut a_events);
        at_b += &digits(&mut b_events);
        at_a.len() >= 3 && at_b.len() >= 5
    });
    pause(300);
    at_a += &digits(&mut a_events);
    at_b += &digits(&mut b_events);
    assert_eq!((at_a.as_str(), at_b.as_str()), ("*AD", "0159#"));
    let mut without = agreed(CodecKind::Pcma, FOUR, 9);
    without.telephone_event = None;
    a.configure(a_stream, without).unwrap();
    assert!(!a.dtmf(a_stream, "1"));
}

#[test]
fn activity_and_figures_tell_what_flows() {
    let (a, mut events) = engine(AudioSpec::Null);
    let (b, _b_events) = engine(AudioSpec::Null);
    let (a_stream, b_stream) = connect(&a, &b, CodecKind::Opus, FOUR);
    assert!(until(3_000, || a.stats(a_stream).unwrap().rx.packets > 50));
    let stats = a.stats(a_stream).unwrap();
    assert_eq!(stats.codec, Some(CodecKind::Opus));
    assert!(stats.tx.packets > 40 && stats.tx.bytes > 0);
    assert_eq!(stats.rx.lost, Some(0));
    assert!(stats.rx.jitter_ms.is_some());
    b.close(b_stream);
    assert!(b.stats(b_stream).is_none());
    let mut seen = Vec::new();
    until(3_000, || {
        while let Ok(event) = events.try_recv() {
            if let MediaEvent::Activity { rx, tx, .. } = event {
                seen.push((rx, tx));
            }
        }
        seen.last() == Some(&(false, true))
    });
    assert!(seen.contains(&(true, true)), "{seen:?}");
    assert_eq!(seen.last(), Some(&(false, true)), "{seen:?}");
}

#[test]
fn a_peer_behind_a_translator_is_answered_where_it_sends_from() {
    let (a, _a_events) = engine(AudioSpec::Null);
    let (b, _b_events) = engine(AudioSpec::Null);
    let (a_stream, a_port, _) = a.open(FOUR).unwrap();
    let (b_stream, b_port, _) = b.open(FOUR).unwrap();
    // What B's description says of itself is wrong.
    a.configure(a_stream, agreed(CodecKind::Pcmu, FOUR, 9)).unwrap();
    b.configure(b_stream, agreed(CodecKind::Pcmu, FOUR, a_port)).unwrap();
    assert!(until(3_000, || b.stats(b_stream).unwrap().rx.packets > 10));
    assert_eq!(a.stats(a_stream).unwrap().remote, Some(SocketAddr::new(FOUR, b_port)));
}

#[test]
fn a_conference_lets_each_hear_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    write_wav(&file("a.wav"), &voice(2.0));
    let (host, _host_events) = engine(AudioSpec::Null);
    let (talker, _talker_events) = engine(wav(&file("a.wav"), &file("a-out.wav"), true));
    let (listener, _listener_events) = engine(AudioSpec::Null);
    let (first, _) = connect(&host, &talker, CodecKind::Opus, FOUR);
    let (second, _) = connect(&host, &listener, CodecKind::Pcma, FOUR);
    listener.watch_levels(true);
    pause(500);
    assert!(listener.levels().1 < 0.001, "heard without a conference");
    host.set_conference(&[first, second]);
    assert!(until(3_000, || listener.levels().1 > 0.02), "not heard in the conference");
    // Who says nothing himself lets the others talk on.
    host.set_muted(first, true);
    host.set_muted(second, true);
    assert!(!until(500, || listener.levels().1 < 0.001), "the host's mute silences the others");
    host.set_conference(&[]);
    assert!(until(2_000, || listener.levels().1 < 0.001));
}

#[test]
fn without_audio_only_ports_are_held() {
    let (engine, _events) = engine(AudioSpec::None);
    let (stream, port, rtcp) = engine.open(FOUR).unwrap();
    assert_eq!((port % 2, rtcp), (0, port + 1));
    engine.configure(stream, agreed(CodecKind::Opus, FOUR, 9)).unwrap();
    assert!(!engine.dtmf(stream, "1"));
    assert_eq!(engine.stats(stream).unwrap().codec, Some(CodecKind::Opus));
    assert!(std::net::UdpSocket::bind(("0.0.0.0", port)).is_err());
    engine.close(stream);
    assert!(std::net::UdpSocket::bind(("0.0.0.0", port)).is_ok());
    assert!(engine.stats(stream).is_none());
    assert!(matches!(
        engine.configure(stream, agreed(CodecKind::Opus, FOUR, 9)),
        Err(EngineError::UnknownStream)
    ));
}

#[test]
fn a_thousand_streams_leave_nothing_behind() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let bind = Ipv4Addr::LOCALHOST.into();
    let range = ports(3);
    let config = EngineConfig { audio: AudioSpec::Null, bind, rtp_ports: range };
    let (engine, _events) = Engine::start(config).unwrap();
    let mut used = std::collections::BTreeSet::new();
    for n in 0..1_000 {
        let (stream, port, _) = engine.open(FOUR).unwrap();
        used.insert(port);
        if n % 10 == 0 {
            engine.configure(stream, agreed(CodecKind::Pcma, FOUR, 9)).unwrap();
        }
        engine.close(stream);
        engine.close(stream);
    }
    assert_eq!(used.len(), 3, "ports are used again");
    assert!(until(2_000, || engine.ports_in_use() == 0), "{} left", engine.ports_in_use());
    println!("{} descriptors open", descriptors());
    // With all pairs open at once the range is used up, and says so.
    let open: Vec<_> = (0..3).map(|_| engine.open(FOUR).unwrap().0).collect();
    assert!(matches!(engine.open(FOUR), Err(EngineError::PortTaken { .. })));
    engine.close(open[1]);
    assert!(engine.open(FOUR).is_ok(), "the freed pair is not found");
}

#[test]
fn tones_are_played_without_a_call() {
    let (engine, _events) = engine(AudioSpec::Null);
    engine.watch_levels(true);
    engine.tone(Tone::Busy);
    assert!(until(2_000, || engine.levels().1 > 0.02));
    engine.tone(Tone::None);
    assert!(until(2_000, || engine.levels().1 < 0.0005));
    assert!(engine.ring(Some(media::RingTone::Bell)).is_ok());
    assert!(engine.ring(Some(media::RingTone::File("no-such.wav".into()))).is_err());
    engine.ring(None).unwrap();
}

#[test]
fn a_test_of_a_dead_microphone_says_so_and_one_that_lives_is_heard() {
    for (name, sound, dead) in [("dead", vec![0.0; 480_000], true), ("alive", voice(10.0), false)] {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join(name);
        write_wav(&input, &sound);
        let (engine, mut events) = engine(wav(&input, &dir.path().join("out"), true));
        if !dead {
            // A file begins to speak with the first call.
            let (stream, ..) = engine.open(FOUR).unwrap();
            engine.configure(stream, agreed(CodecKind::Pcma, FOUR, 9)).unwrap();
            engine.close(stream);
        }
        engine.test_microphone(true);
        let (mut silent, mut played) = (false, false);
        let done = until(15_000, || {
            while let Ok(event) = events.try_recv() {
                silent |= event == MediaEvent::MicrophoneSilent(true);
                played |= event == MediaEvent::MicrophoneTest(TestStage::Playing);
            }
            played
        });
        assert!(done, "{name}: the test does not come to its end");
        assert_eq!(silent, dead, "{name}");
    }
}
