//! The codecs against the recommendations they implement.

use super::*;
use std::f64::consts::PI;

fn speechlike(samples: usize) -> Vec<f32> {
    (0..samples)
        .map(|n| {
            let t = n as f64 / 48_000.0;
            let envelope = 0.5 + 0.5 * (2.0 * PI * 3.0 * t).sin();
            let voice: f64 =
                (1..12).map(|k| (2.0 * PI * 140.0 * f64::from(k) * t).sin() / f64::from(k)).sum();
            (0.2 * envelope * voice) as f32
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

#[test]
fn g711_encodes_every_sample_to_a_nearest_code() {
    let mut a = audio_codec::pcma::PcmaEncoder::new();
    let mut mu = audio_codec::pcmu::PcmuEncoder::new();
    for sample in i16::MIN..=i16::MAX {
        let mut out = [0_u8; 4];
        a.encode_into(&[sample], &mut out).unwrap();
        let wanted = i32::from(sample);
        let error = (a_law(out[0]) - wanted).abs();
        // Half a quantisation step of the segment, in 16-bit units; the top is clipped.
        let step = 16 << ((wanted.abs().max(1).ilog2() as i32) - 8).clamp(0, 6);
        assert!(error <= step / 2 + 16 || wanted.abs() > 32_256, "A {sample}: {error} of {step}");
        mu.encode_into(&[sample], &mut out).unwrap();
        let error = (mu_law(out[0]) - wanted).abs();
        let step = 8 << ((wanted.abs() + 132).ilog2() as i32 - 7).clamp(0, 7);
        assert!(error <= step / 2 + 8 || wanted.abs() > 32_124, "µ {sample}: {error} of {step}");
    }
}

#[test]
fn g711_codes_survive_decoding_and_encoding() {
    let (mut a, mut mu) =
        (audio_codec::pcma::PcmaEncoder::new(), audio_codec::pcmu::PcmuEncoder::new());
    for code in 0..=255_u8 {
        let mut out = [0_u8; 4];
        a.encode_into(&[i16::try_from(a_law(code)).unwrap()], &mut out).unwrap();
        assert_eq!(out[0], code);
        mu.encode_into(&[i16::try_from(mu_law(code)).unwrap()], &mut out).unwrap();
        // Both zeros of µ-law are one value.
        assert_eq!(
            if out[0] == 0xff { 0x7f } else { out[0] },
            if code == 0xff { 0x7f } else { code }
        );
    }
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
