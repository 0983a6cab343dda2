//! The codecs against the recommendations they implement.

use super::*;
use std::f64::consts::PI;

fn speechlike(samples: usize) -> Vec<f32> {
    (0..samples)
        .map(|n| {
            let t = n as f64 / 48_000.0;
            let envelope = 0.5 + 0.5 * (2.0 * PI * 3.0 * t).sin();
            // Above 400 Hz: Opus takes the lowest frequencies of a voice away.
            let voice: f64 = (3..20)
                .map(|k| (2.0 * PI * 140.0 * f64::from(k) * t).sin() / f64::from(k).sqrt())
                .sum();
            (0.1 * envelope * voice) as f32
        })
        .collect()
}

/// Signal to noise of `out` against `input`, at the best alignment up to 30 ms, in dB.
fn snr(input: &[f32], out: &[f32]) -> f64 {
    let window = 4_800..input.len() - 4_800;
    (0..1_440)
        .map(|lag| {
            let (mut signal, mut noise) = (0.0, 0.0);
            for n in window.clone() {
                signal += f64::from(input[n]).powi(2);
                noise += f64::from(out[n + lag] - input[n]).powi(2);
            }
            10.0 * (signal / noise).log10()
        })
        .fold(f64::MIN, f64::max)
}

fn round_trip(kind: CodecKind, packet: usize) -> f64 {
    let input = speechlike(48_000);
    let (mut encoder, mut decoder) = (Encoder::new(kind).unwrap(), Decoder::new(kind).unwrap());
    let mut out = Vec::new();
    for block in input.chunks_exact(packet) {
        let mut payload = Vec::new();
        encoder.encode(block, &mut payload).unwrap();
        assert_eq!(decoder.decode_48k(&payload, &mut out).unwrap(), packet);
    }
    snr(&input, &out)
}

#[test]
fn sound_comes_back_through_every_codec_at_every_packet_length() {
    for packet in [480, 960, 1_920, 2_880] {
        assert!(round_trip(CodecKind::Opus, packet) > 10.0);
        assert!(round_trip(CodecKind::G722, packet) > 20.0);
        assert!(round_trip(CodecKind::Pcma, packet) > 30.0);
        assert!(round_trip(CodecKind::Pcmu, packet) > 30.0);
    }
}

/// ITU-T G.711 table 1: the decision of every A-law code, from its definition.
fn a_law(code: u8) -> i32 {
    let code = code ^ 0x55;
    let (segment, step) = (i32::from(code >> 4 & 7), i32::from(code & 15));
    let magnitude = if segment == 0 { step * 16 + 8 } else { (step * 16 + 264) << (segment - 1) };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

/// ITU-T G.711 table 2: the same for µ-law.
fn mu_law(code: u8) -> i32 {
    let code = !code;
    let (segment, step) = (i32::from(code >> 4 & 7), i32::from(code & 15));
    let magnitude = ((step * 8 + 132) << segment) - 132;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

fn g711_decodes_by_the_table(kind: CodecKind, law: fn(u8) -> i32) {
    let mut decoder = Decoder::new(kind).unwrap();
    for code in 0..=255_u8 {
        let mut out = [0.0_f32; 8];
        assert_eq!(decoder.decode(&[code], &mut out), Ok(1));
        assert_eq!((out[0] * 32_768.0) as i32, law(code), "{kind} code {code:#x}");
    }
}

#[test]
fn g711_decodes_all_256_codes_by_the_recommendation() {
    g711_decodes_by_the_table(CodecKind::Pcma, a_law);
    // Step 4 below segment 0 is part of the definition at 14 bits: 16-bit values are times four.
    g711_decodes_by_the_table(CodecKind::Pcmu, |code| {
        let code = !code;
        let (segment, step) = (i32::from(code >> 4 & 7), i32::from(code & 15));
        let magnitude = ((step * 2 + 33) << segment) - 33;
        4 * if code & 0x80 == 0 { magnitude } else { -magnitude }
    });
    assert_eq!(mu_law(0xff), 0);
    assert_eq!(mu_law(0x80), 32_124);
}

/// Between which magnitudes (16 bit, one's complement) a code stands: the decision values of the tables.
fn a_law_interval(code: u8) -> std::ops::Range<i32> {
    let code = code ^ 0x55;
    let (segment, step) = (i32::from(code >> 4 & 7), i32::from(code & 15));
    match segment {
        0 => step * 16..(step + 1) * 16,
        _ => (256 + step * 16) << (segment - 1)..(272 + step * 16) << (segment - 1),
    }
}

fn mu_law_interval(code: u8) -> std::ops::Range<i32> {
    let code = !code;
    let (segment, step) = (i32::from(code >> 4 & 7), i32::from(code & 15));
    let top =
        if code & 0x7f == 0x7f { i32::MAX } else { (((17 + step) << (segment + 1)) - 33) * 4 };
    (((16 + step) << (segment + 1)) - 33) * 4..top
}

#[test]
fn g711_encodes_every_sample_between_its_decision_values() {
    for sample in i16::MIN..=i16::MAX {
        let magnitude = i32::from(if sample < 0 { !sample } else { sample });
        for (code, interval) in [
            (g711::a_law(sample), a_law_interval(g711::a_law(sample))),
            (g711::mu_law(sample), mu_law_interval(g711::mu_law(sample))),
        ] {
            assert!(interval.contains(&magnitude), "{sample}: {code:#x} stands for {interval:?}");
            assert_eq!(code & 0x80 != 0, sample >= 0, "sign of {sample}");
        }
    }
}

#[test]
fn g711_codes_survive_decoding_and_encoding() {
    for code in 0..=255_u8 {
        assert_eq!(g711::a_law(i16::try_from(a_law(code)).unwrap()), code);
        // Both zeros of µ-law are one value.
        let again = g711::mu_law(i16::try_from(mu_law(code)).unwrap());
        assert!(again == code || (code == 0x7f && again == 0xff), "{code:#x}: {again:#x}");
    }
}

/// A signal of whole numbers, so that any language makes the same: noise, sweeps, silence.
fn g722_signal() -> Vec<i16> {
    let (mut seed, mut low) = (0x2545_f491_i64, 0_i64);
    (0..16_000_i64)
        .map(|n| {
            seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
            let noise = ((seed >> 8) & 0xffff) - 32_768;
            low += (noise - low) >> 2;
            let saw = (n * (200 + n / 40)) % 16_000 - 8_000;
            let half = |v: i64, by: i64| v.div_euclid(by);
            let value = match (n / 2_000) % 4 {
                0 => half(low, 2),
                1 => saw,
                2 => half(low, 4) + half(saw, 2),
                _ => noise,
            };
            if n % 4_000 < 300 { 0 } else { i16::try_from(value.clamp(-32_768, 32_767)).unwrap() }
        })
        .collect()
}

/// The vectors are what two independent implementations (libg722 and FFmpeg, which agree on every bit) make
/// of the signal above.
#[test]
fn g722_is_bit_exact_with_other_implementations() {
    let encoded = include_bytes!("../../tests/data/g722-encoded.bin");
    let decoded: Vec<i16> = include_bytes!("../../tests/data/g722-decoded.bin")
        .chunks_exact(2)
        .map(|b| i16::from_le_bytes([b[0], b[1]]))
        .collect();
    let (mut encoder, mut bytes) = (g722::Encoder::new(), Vec::new());
    for block in g722_signal().chunks_exact(320) {
        encoder.encode(block, &mut bytes);
    }
    assert_eq!(bytes.iter().zip(encoded).position(|(a, b)| a != b), None, "encoder");
    let mut decoder = g722::Decoder::new();
    let samples: Vec<i16> = encoded.iter().flat_map(|byte| decoder.decode(*byte)).collect();
    assert_eq!(samples.iter().zip(&decoded).position(|(a, b)| a != b), None, "decoder");
    assert_eq!((bytes.len(), samples.len()), (8_000, 16_000));
}

#[test]
fn payload_lengths_are_those_of_the_standards() {
    for (kind, bytes) in [(CodecKind::G722, 160), (CodecKind::Pcma, 160), (CodecKind::Pcmu, 160)] {
        let mut payload = Vec::new();
        Encoder::new(kind).unwrap().encode(&[0.1; 960], &mut payload).unwrap();
        assert_eq!(payload.len(), bytes);
        let decoder = Decoder::new(kind).unwrap();
        assert_eq!(decoder.frame_samples(&payload), Some(kind.sample_rate() as usize / 50));
    }
}

#[test]
fn opus_carries_the_frame_before_and_conceals_what_is_lost() {
    let input = speechlike(48_000);
    let mut encoder = Encoder::new(CodecKind::Opus).unwrap();
    encoder.set_expected_loss(15);
    let mut decoder = Decoder::new(CodecKind::Opus).unwrap();
    let packets: Vec<Vec<u8>> = input
        .chunks_exact(960)
        .map(|block| {
            let mut payload = Vec::new();
            encoder.encode(block, &mut payload).unwrap();
            payload
        })
        .collect();
    let mut out = vec![0.0; 5_760];
    for packet in &packets[..20] {
        assert_eq!(decoder.decode(packet, &mut out), Ok(960));
    }
    let mut recovered = vec![0.0; 960];
    decoder.decode_fec(&packets[21], &mut recovered).unwrap();
    let energy: f32 = recovered.iter().map(|s| s * s).sum();
    assert!(energy > 0.5, "nothing recovered: {energy}");
    assert!(decoder.conceal(&mut recovered));
}

/// Mean bit rate of Opus over two seconds of speech.
fn bitrate(encoder: &mut Encoder) -> usize {
    let mut payload = Vec::new();
    for block in speechlike(96_000).chunks_exact(960) {
        encoder.encode(block, &mut payload).unwrap();
    }
    payload.len() * 8 / 2
}

#[test]
fn opus_sends_more_where_packets_are_lost_and_never_more_than_the_peer_takes() {
    let mut encoder = Encoder::new(CodecKind::Opus).unwrap();
    let quiet = bitrate(&mut encoder);
    encoder.set_expected_loss(10);
    let lossy = bitrate(&mut encoder);
    encoder.set_max_bitrate(24_000);
    let bounded = bitrate(&mut encoder);
    encoder.set_expected_loss(0);
    let quiet_again = bitrate(&mut encoder);
    assert!(quiet < 56_000 && lossy > quiet + 5_000, "{quiet} {lossy}");
    assert!(bounded < 30_000 && quiet_again < 30_000, "{bounded} {quiet_again}");
}

/// A second of speech, four of silence and half a second of speech again, encoded and put into packets: those of each part,
/// and whether the first of the last part carries the marker (RFC 3551, 4.1).
fn packets_of_a_pause(pauses: bool) -> ([usize; 3], bool) {
    #[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
    let now = std::time::Instant::now();
    let mut encoder = Encoder::new(CodecKind::Opus).unwrap();
    encoder.set_pauses(pauses);
    let mut sender = rtp::Sender::new(rtp::SenderConfig {
        ssrc: 1,
        first_sequence: 0,
        first_timestamp: 0,
        payload_type: 111,
        clock_rate: 48_000,
    });
    let mut sound = speechlike(48_000);
    sound.extend(std::iter::repeat_n(0.0, 4 * 48_000));
    sound.extend(speechlike(24_000));
    let (mut counts, mut resumed, mut skipped) = ([0; 3], None, false);
    for (n, block) in sound.as_chunks::<960>().0.iter().enumerate() {
        let (mut payload, mut datagram) = (Vec::new(), Vec::new());
        encoder.encode(block, &mut payload).unwrap();
        if payload.is_empty() {
            sender.skip(960);
            skipped = true;
            continue;
        }
        sender.frame(now, &payload, 960, &mut datagram);
        let part = usize::from(n >= 50) + usize::from(n >= 250);
        counts[part] += 1;
        let header = rtp::RtpPacket::parse(&datagram).unwrap().header;
        assert_eq!(header.timestamp, 960 * u32::try_from(n).unwrap(), "time goes on in a pause");
        if part == 2 {
            resumed.get_or_insert(header.marker && skipped);
        }
    }
    (counts, resumed.unwrap())
}

#[test]
fn opus_is_hardly_sent_in_a_pause_where_that_is_asked_for() {
    let (counts, marked) = packets_of_a_pause(true);
    println!("packets of speech, pause, speech: {counts:?}");
    // One every 400 ms, and a tenth of a second or so until it is a pause.
    assert!(counts[0] == 50 && counts[2] == 25 && (8..=30).contains(&counts[1]), "{counts:?}");
    assert!(marked, "the first after a pause carries the marker");
    assert_eq!(packets_of_a_pause(false), ([50, 200, 25], false));
}

#[test]
fn nonsense_is_refused_not_fatal() {
    for kind in CodecKind::ALL {
        let mut encoder = Encoder::new(kind).unwrap();
        let mut out = Vec::new();
        assert!(encoder.encode(&[0.0; 481], &mut out).is_err());
        assert!(encoder.encode(&[], &mut out).is_err());
        assert!(out.is_empty());
        let mut decoder = Decoder::new(kind).unwrap();
        let mut sound = Vec::new();
        assert!(decoder.decode_48k(&[], &mut sound).is_err());
        assert!(decoder.decode_48k(&[0xff; 1_500], &mut sound).is_err());
        assert!(sound.is_empty());
        decoder.reset();
    }
}

#[test]
fn loud_sound_is_limited_not_wrapped() {
    for kind in [CodecKind::G722, CodecKind::Pcma, CodecKind::Pcmu] {
        let (mut encoder, mut decoder) = (Encoder::new(kind).unwrap(), Decoder::new(kind).unwrap());
        let mut out = Vec::new();
        for _ in 0..10 {
            let mut payload = Vec::new();
            encoder.encode(&[1.5; 960], &mut payload).unwrap();
            decoder.decode_48k(&payload, &mut out).unwrap();
        }
        assert!(out[6_000..].iter().all(|s| *s > 0.5), "{kind} wrapped");
    }
}
