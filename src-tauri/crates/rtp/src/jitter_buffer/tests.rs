//! The jitter buffer in virtual time, over a simulated network, with a codec that is plain PCM.

use proptest::prelude::*;

use super::*;
use crate::frame_decoder::DecodeError;

/// 20 ms at 8 kHz.
const FRAME: usize = 160;

/// 16 bit samples at 8 kHz; with `repairs`, each payload begins with the frame before.
#[derive(Debug, Clone, Copy)]
struct Pcm {
    repairs: bool,
}

impl FrameDecoder for Pcm {
    fn sample_rate(&self) -> u32 {
        8_000
    }

    fn clock_rate(&self) -> u32 {
        8_000
    }

    fn frame_samples(&self, payload: &[u8]) -> Option<usize> {
        let samples = payload.len() / if self.repairs { 4 } else { 2 };
        (1..=960).contains(&samples).then_some(samples)
    }

    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        let start = if self.repairs { payload.len() / 2 } else { 0 };
        Ok(read(&payload[start..], out))
    }

    fn supports_fec(&self) -> bool {
        self.repairs
    }

    fn decode_fec(&mut self, payload: &[u8], out: &mut [f32]) -> Result<(), DecodeError> {
        read(&payload[..payload.len() / 2], out);
        Ok(())
    }
}

fn read(bytes: &[u8], out: &mut [f32]) -> usize {
    for (sample, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        *sample = f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0;
    }
    bytes.len() / 2
}

/// Numbers that are the same in every run.
struct Dice(u32);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0.checked_rem(limit).unwrap_or(0)
    }
}

/// Syllables of a gliding voice with pauses between, 8 kHz.
fn voice(seconds: usize) -> Vec<f32> {
    let (mut phase, mut dice) = (0.0_f32, Dice(7));
    (0..seconds * 8_000)
        .map(|i| {
            let t = i as f32 / 8_000.0;
            let pitch = 140.0 + 45.0 * (t * 1.7).sin() + 20.0 * (t * 0.43).sin();
            phase = (phase + std::f32::consts::TAU * pitch / 8_000.0) % std::f32::consts::TAU;
            let place = t % 2.4;
            let spoken = place % 0.33 < 0.25 && place < 2.0;
            let swell = ((place % 0.33) / 0.25 * std::f32::consts::PI).sin().max(0.0);
            let colour = 1.0 + 0.5 * (t * 3.1).sin();
            let sound =
                phase.sin() + 0.5 * colour * (3.0 * phase).sin() + 0.25 * (7.0 * phase).sin();
            let noise = (dice.below(2_000) as f32 / 1_000.0 - 1.0) * 0.000_5;
            if spoken { 0.25 * swell * sound + noise } else { noise }
        })
        .collect()
}

/// What the network does to packet `n`.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Lost,
    /// Arrives so many microseconds late.
    Late(u64),
}

struct Run {
    output: Vec<f32>,
    kinds: Vec<Pulled>,
    buffer: JitterBuffer<Pcm>,
    /// Delay of the buffer after each pull, in ms.
    delays: Vec<f32>,
}

#[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
fn base() -> Instant {
    Instant::now()
}

fn payload(signal: &[f32], n: usize, repairs: bool) -> Vec<u8> {
    let from = if repairs { n.saturating_sub(1) } else { n };
    let frames = &signal[from * FRAME..(n + 1) * FRAME];
    let mut bytes: Vec<u8> =
        frames.iter().flat_map(|s| ((s * 32_767.0) as i16).to_le_bytes()).collect();
    if repairs && n == 0 {
        bytes.splice(0..0, [0; 2 * FRAME]);
    }
    bytes
}

/// Sends a signal over a network and listens to what comes out, one block every 10 ms.
fn listen(signal: &[f32], repairs: bool, fate: impl FnMut(usize) -> Fate) -> Run {
    listen_at(signal, repairs, fate, |_| 0)
}

/// The same where the pulls come so many microseconds late.
fn listen_at(
    signal: &[f32],
    repairs: bool,
    mut fate: impl FnMut(usize) -> Fate,
    mut late: impl FnMut(u64) -> u64,
) -> Run {
    let start = base();
    let mut buffer = JitterBuffer::new(JitterConfig::default());
    buffer.set_decoder(96, Pcm { repairs });
    let count = signal.len() / FRAME;
    let mut arrivals: Vec<(u64, usize)> = (0..count)
        .filter_map(|n| match fate(n) {
            Fate::Lost => None,
            Fate::Late(micros) => Some(((n as u64 + 1) * 20_000 + micros, n)),
        })
        .collect();
    arrivals.sort_unstable();
    let mut arrivals = arrivals.into_iter().peekable();
    let mut run = Run { output: Vec::new(), kinds: Vec::new(), buffer, delays: Vec::new() };
    let mut block = [0.0; BLOCK_SAMPLES];
    for tick in 0..count as u64 * 2 {
        let micros = tick * 10_000 + late(tick);
        while let Some((at, n)) = arrivals.next_if(|(at, _)| *at <= micros) {
            let header = RtpHeader {
                payload_type: 96,
                sequence: (n as u16).wrapping_add(65_000),
                timestamp: (n as u32 * FRAME as u32).wrapping_add(u32::MAX - 9_000),
                ..RtpHeader::default()
            };
            let payload = payload(signal, n, repairs);
            let packet = RtpPacket { header, payload: &payload };
            run.buffer.insert(start + Duration::from_micros(at), &packet);
        }
        let kind = run.buffer.pull(start + Duration::from_micros(micros), &mut block);
        run.kinds.push(kind);
        run.output.extend_from_slice(&block);
        run.delays.push(run.buffer.stats().delay.as_secs_f32() * 1_000.0);
    }
    run
}

/// Delay from speech to output in milliseconds and how alike they are, for each 60 ms of loud output.
fn compare(signal: &[f32], output: &[f32]) -> Vec<(f32, f32)> {
    const WIDTH: usize = 480;
    let thin: Vec<f32> = output.iter().step_by(6).copied().collect();
    let mut results = Vec::new();
    for start in (8_000..thin.len() - WIDTH).step_by(4 * WIDTH) {
        let heard = &thin[start..start + WIDTH];
        let energy: f32 = heard.iter().map(|s| s * s).sum();
        if energy < 1.0 {
            continue;
        }
        let likeness = |lag: &usize| {
            let said = &signal[start - lag..start - lag + WIDTH];
            let product: f32 = heard.iter().zip(said).map(|(a, b)| a * b).sum();
            let scale: f32 = said.iter().map(|s| s * s).sum();
            product / (scale * energy).sqrt().max(1e-6)
        };
        let best = (80..2_400)
            .map(|lag| (lag, likeness(&lag)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap();
        results.push((best.0 as f32 / 8.0, best.1));
    }
    results
}

fn median(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    values[values.len() / 2]
}

fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

/// A sound card's rhythm is not exact, and a packet may come just before one pull is due or just after.
#[test]
fn pulls_that_are_not_on_time_make_nothing_up_wherever_packets_fall_between_them() {
    let signal = voice(30);
    for offset in (0..10_000_u64).step_by(500) {
        let (mut dice, mut ticks) = (Dice(5), Dice(11));
        let run = listen_at(
            &signal,
            false,
            |_| Fate::Late(offset + u64::from(dice.below(500))),
            |_| u64::from(ticks.below(3_000)),
        );
        let settled = run.kinds.get(500..).unwrap();
        let made_up = settled.iter().filter(|kind| **kind == Pulled::Concealed).count();
        let delay = median(run.delays.get(500..).unwrap().to_vec());
        assert_eq!(made_up, 0, "{offset} us");
        // What the first guess was too much by is taken out where nobody hears it.
        let worst = compare(&signal, &run.output[..10 * 48_000])
            .iter()
            .fold(1.0_f32, |worst, (_, likeness)| worst.min(*likeness));
        assert!(worst > 0.995, "{offset} us: {worst}");
        assert!(delay < 10.0, "{offset} us: {delay} ms");
    }
}

fn random_network(loss: u32, jitter_ms: u32, seed: u32) -> impl FnMut(usize) -> Fate {
    let mut dice = Dice(seed);
    move |_| {
        let lost = dice.below(1_000) < loss * 10;
        let late = u64::from(dice.below(jitter_ms * 1_000 + 1));
        if lost { Fate::Lost } else { Fate::Late(late) }
    }
}

/// The acceptance figures for speech to output, less the 6.5 ms that Opus would add.
fn delay_bound(loss: u32, jitter: u32) -> f32 {
    match (loss, jitter) {
        (0, 0) => 23.5,
        (0, 20) => 43.5,
        (0, _) => 98.5,
        (_, 0) => 63.5,
        (_, 20) => 83.5,
        // 10 and 20 % were measured up to 10 ms above 5 %.
        (5, _) => 108.5,
        (_, _) => 118.5,
    }
}

#[test]
fn loss_and_jitter_settle_within_the_bounds() {
    let signal = voice(40);
    for loss in [0, 5, 10, 20] {
        for jitter in [0, 20, 60] {
            let run = listen(&signal, true, random_network(loss, jitter, 99));
            let matches = compare(&signal, &run.output);
            let delay = median(matches.iter().map(|m| m.0).collect());
            let alike = matches.iter().map(|m| m.1).sum::<f32>() / matches.len() as f32;
            let stats = run.buffer.stats();
            let made_up = stats.concealed_samples as f32 / run.output.len() as f32;
            println!(
                "loss {loss:2} jitter {jitter:2}: delay {delay:5.1} (bound {:5.1}) alike {alike:.3} made up {:.2} % \
                 late {} repaired {} removed {} inserted {} ms, largest step {:.3}",
                delay_bound(loss, jitter),
                made_up * 100.0,
                stats.late,
                stats.recovered,
                stats.removed_samples / 48,
                stats.inserted_samples / 48,
                largest_step(&run.output),
            );
            assert!(delay <= delay_bound(loss, jitter), "loss {loss} jitter {jitter}: {delay} ms");
            assert!(largest_step(&run.output) < 0.3);
            assert!(run.kinds.iter().skip(100).all(|kind| *kind != Pulled::Silence));
            assert!(made_up < 0.02 + loss as f32 / 100.0, "loss {loss} jitter {jitter}: {made_up}");
            assert!(alike > 0.97 - loss as f32 / 100.0, "loss {loss} jitter {jitter}: {alike}");
        }
    }
}

/// Mean delay of the buffer over a stretch of time in seconds.
fn mean_delay(run: &Run, from: usize, to: usize) -> f32 {
    let delays = &run.delays[from * 100..to * 100];
    delays.iter().sum::<f32>() / delays.len() as f32
}

#[test]
fn a_step_in_jitter_is_followed_both_ways() {
    let signal = voice(40);
    let mut dice = Dice(5);
    let run = listen(&signal, false, |n| {
        let jumpy = (500..1_000).contains(&n);
        Fate::Late(u64::from(dice.below(if jumpy { 60_000 } else { 1 })))
    });
    let (calm, jumpy, after) =
        (mean_delay(&run, 8, 10), mean_delay(&run, 13, 20), mean_delay(&run, 30, 40));
    assert!(calm < 5.0 && after < calm + 20.0, "{calm} {jumpy} {after}");
    assert!((40.0..80.0).contains(&jumpy), "{jumpy}");
    // Settled: hardly anything is made up from 3 s after the step on.
    let made_up = run.kinds[1_300..2_000].iter().filter(|k| **k == Pulled::Concealed).count();
    assert!(made_up <= 7, "{made_up} blocks");
    assert!(largest_step(&run.output) < 0.3);
}

#[test]
fn without_repair_loss_costs_no_delay() {
    let signal = voice(20);
    let run = listen(&signal, false, random_network(5, 0, 3));
    let matches = compare(&signal, &run.output);
    assert!(median(matches.iter().map(|m| m.0).collect()) < 24.0);
    let alike = matches.iter().map(|m| m.1).sum::<f32>() / matches.len() as f32;
    assert!(alike > 0.95, "{alike}");
    assert!(largest_step(&run.output) < 0.3);
    let stats = run.buffer.stats();
    let share = stats.concealed_samples as f32 / run.output.len() as f32;
    assert!((0.03..0.07).contains(&share), "{share}");
}

#[test]
fn a_burst_is_bridged_and_forgotten() {
    let signal = voice(38);
    for burst in [3, 10, 40] {
        let lost = 400..400 + burst;
        let run =
            listen(&signal, true, |n| if lost.contains(&n) { Fate::Lost } else { Fate::Late(0) });
        assert!(largest_step(&run.output) < 0.3);
        // It is remembered for 4 s, and more are expected for 20 s after that.
        let after = mean_delay(&run, 36, 38);
        assert!(after < 5.0, "{burst}: {after}");
        let matches = compare(&signal, &run.output[12 * 48_000..]);
        assert!(matches.iter().all(|m| m.1 > 0.0));
        assert!(run.kinds[1_000..].iter().all(|kind| *kind == Pulled::Speech));
    }
}

#[test]
fn a_stall_is_played_late_and_caught_up() {
    let signal = voice(20);
    // Packets 400 to 420 all arrive when the last of them would.
    let run = listen(&signal, false, |n| {
        let behind = 420_usize.saturating_sub(n).min(20);
        Fate::Late(if (400..420).contains(&n) { behind as u64 * 20_000 } else { 0 })
    });
    assert!(largest_step(&run.output) < 0.3);
    assert!(mean_delay(&run, 18, 20) < 10.0, "{}", mean_delay(&run, 18, 20));
}

#[test]
fn a_drifting_clock_neither_starves_nor_piles_up() {
    let signal = voice(60);
    for ppm in [-200_i64, 200] {
        // Half a second late to begin with, so that a fast sender can get ahead.
        let run = listen(&signal, false, |n| {
            let drift = n as i64 * 20_000 * ppm / 1_000_000;
            Fate::Late(u64::try_from(500_000 - drift).unwrap())
        });
        let (early, last) = (mean_delay(&run, 8, 12), mean_delay(&run, 55, 60));
        assert!((early - last).abs() < 12.0, "{ppm}: {early} {last}");
        let made_up = run.kinds[200..].iter().filter(|k| **k == Pulled::Concealed).count();
        assert!(made_up < 12, "{ppm}: {made_up}");
        assert!(run.buffer.stats().waiting < 4);
    }
}

/// A line to the buffer for tests that make their own packets.
struct Hand {
    buffer: JitterBuffer<Pcm>,
    start: Instant,
    micros: u64,
    output: Vec<f32>,
    kinds: Vec<Pulled>,
}

impl Hand {
    fn new(config: JitterConfig) -> Self {
        let mut buffer = JitterBuffer::new(config);
        buffer.set_decoder(96, Pcm { repairs: false });
        buffer.set_decoder(97, Pcm { repairs: false });
        Self { buffer, start: base(), micros: 0, output: Vec::new(), kinds: Vec::new() }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_micros(self.micros)
    }

    fn insert(&mut self, header: RtpHeader, payload: &[u8]) -> Inserted {
        self.buffer.insert(self.now(), &RtpPacket { header, payload })
    }

    fn pull(&mut self, blocks: usize) {
        for _ in 0..blocks {
            let mut block = [0.0; BLOCK_SAMPLES];
            self.kinds.push(self.buffer.pull(self.now(), &mut block));
            self.output.extend_from_slice(&block);
            self.micros += 10_000;
        }
    }

    /// One frame every 20 ms.
    fn talk(&mut self, signal: &[f32], header: impl Fn(usize) -> RtpHeader) {
        for n in 0..signal.len() / FRAME {
            self.insert(header(n), &payload(signal, n, false));
            self.pull(2);
        }
    }
}

fn header(payload_type: u8, ssrc: u32, n: usize) -> RtpHeader {
    let (sequence, timestamp) = (n as u16, n as u32 * FRAME as u32);
    RtpHeader { marker: false, payload_type, sequence, timestamp, ssrc }
}

#[test]
fn another_source_or_codec_goes_on_without_a_click() {
    let mut hand = Hand::new(JitterConfig::default());
    let signal = voice(1);
    hand.talk(&signal, |n| header(96, 1, n));
    // Another payload type on the same time line, then another source with times of its own.
    hand.talk(&signal, |n| header(97, 1, n + 50));
    hand.talk(&signal, |n| RtpHeader {
        timestamp: 77 + n as u32 * 160,
        ..header(96, 2, n + 9_000)
    });
    let silent = hand.kinds[10..].iter().filter(|kind| **kind == Pulled::Silence).count();
    assert_eq!(silent, 0);
    assert!(largest_step(&hand.output) < 0.3);
    let spoken = hand.kinds.iter().filter(|kind| **kind == Pulled::Speech).count();
    assert!(spoken > 290, "{spoken}");
}

/// A deep voice that never pauses: one pitch period is longer than a block.
fn drone(seconds: usize) -> Vec<f32> {
    let wave = |i: usize| {
        let phase = std::f32::consts::TAU * (i as f32 * 93.0 / 8_000.0);
        0.2 * phase.sin() + 0.1 * (4.0 * phase).sin()
    };
    (0..seconds * 8_000).map(wave).collect()
}

#[test]
fn another_source_is_heard_at_once_wherever_its_clock_stands() {
    for timestamp in [0_u32, 77, 500_000, 0x7fff_0000, 0xffff_ff00] {
        let mut hand = Hand::new(JitterConfig::default());
        let before = drone(1);
        hand.talk(&before[..3 * FRAME], |n| RtpHeader {
            timestamp: 100_000 + n as u32 * 160,
            ..header(96, 1, n)
        });
        // The last packet of the old source and the first of the new one come together.
        hand.talk(&voice(1), |n| RtpHeader {
            timestamp: timestamp.wrapping_add(n as u32 * 160),
            ..header(96, 2, n + 9_000)
        });
        assert_eq!(hand.buffer.segment, 2, "{timestamp}: the new source is played");
        assert!(hand.buffer.stats().inserted_samples < 2_400, "{timestamp}");
        assert!(hand.buffer.stats().waiting < 10, "{timestamp}");
    }
}

#[test]
fn sources_that_take_turns_are_all_played() {
    let mut hand = Hand::new(JitterConfig::default());
    let signal = drone(1);
    for turn in 0..40_u32 {
        hand.talk(&signal[..2 * FRAME], |n| RtpHeader {
            timestamp: turn.wrapping_mul(0x1357_9bdf).wrapping_add(n as u32 * 160),
            ..header(96, turn, n + 50 * turn as usize)
        });
        assert!(hand.buffer.stats().waiting < 10, "{turn}");
    }
    hand.pull(20);
    assert_eq!(hand.buffer.segment, 40);
}

#[test]
fn a_restart_of_the_timestamps_is_a_new_time_line() {
    let mut hand = Hand::new(JitterConfig::default());
    let signal = voice(1);
    hand.talk(&signal, |n| header(96, 1, n));
    hand.talk(&signal, |n| RtpHeader {
        timestamp: 3_000_000_000 + n as u32 * 160,
        ..header(96, 1, n + 50)
    });
    let spoken = hand.kinds.iter().filter(|kind| **kind == Pulled::Speech).count();
    assert!(spoken > 190, "{spoken}");
}

#[test]
fn duplicates_and_stragglers_are_told() {
    let mut hand = Hand::new(JitterConfig::default());
    let signal = voice(1);
    let first = payload(&signal, 0, false);
    assert_eq!(hand.insert(header(96, 1, 0), &first), Inserted::Stored);
    assert_eq!(hand.insert(header(96, 1, 0), &first), Inserted::Duplicate);
    assert_eq!(hand.insert(header(5, 1, 1), &first), Inserted::Unusable);
    assert_eq!(hand.insert(header(96, 1, 1), &[]), Inserted::Unusable);
    hand.insert(header(96, 1, 4), &first);
    hand.pull(8);
    hand.insert(header(96, 1, 6), &first);
    hand.pull(4);
    assert_eq!(hand.insert(header(96, 1, 1), &first), Inserted::Late);
    let stats = hand.buffer.stats();
    assert_eq!((stats.duplicates, stats.discarded, stats.late), (1, 2, 1));
}

#[test]
fn comfort_noise_fills_an_announced_pause() {
    let config = JitterConfig { comfort_noise_pt: Some(13), ..JitterConfig::default() };
    let mut hand = Hand::new(config);
    let signal = voice(1);
    hand.talk(&signal, |n| header(96, 1, n));
    hand.insert(header(13, 1, 50), &[45]);
    hand.pull(200);
    let noise = &hand.output[48_000 + 4_800..48_000 * 3 - 4_800];
    assert!((0.002..0.01).contains(&level(noise)), "{}", level(noise));
    assert!(hand.kinds[110..300].iter().all(|kind| *kind == Pulled::ComfortNoise));
    // The talk goes on at its time; sequence without a gap.
    hand.talk(&signal, |n| RtpHeader {
        timestamp: 24_000 + n as u32 * 160,
        ..header(96, 1, n + 51)
    });
    assert!(hand.kinds[310..].iter().all(|kind| *kind == Pulled::Speech));
    assert!(largest_step(&hand.output) < 0.3);
}

#[test]
fn a_silent_line_ends_in_silence_and_starts_again() {
    let mut hand = Hand::new(JitterConfig::default());
    let signal = voice(1);
    hand.pull(5);
    assert!(hand.kinds.iter().all(|kind| *kind == Pulled::Silence));
    hand.talk(&signal, |n| header(96, 1, n));
    hand.pull(300);
    assert_eq!(hand.kinds.last(), Some(&Pulled::Silence));
    // Thirty seconds of nothing later the same source goes on.
    hand.micros += 30_000_000;
    hand.talk(&signal, |n| header(96, 1, n + 50));
    assert_eq!(hand.kinds.last(), Some(&Pulled::Speech));
}

#[test]
fn a_flood_is_bounded() {
    let mut hand = Hand::new(JitterConfig::default());
    let frame = payload(&voice(1), 0, false);
    for n in 0..5_000 {
        hand.insert(header(96, 1, n), &frame);
    }
    assert!(hand.buffer.stats().waiting <= crate::packet_store::PLACES);
    hand.pull(100);
    assert!(hand.buffer.fifo.len() < 48_000);
}

/// One thing that can happen to a buffer.
#[derive(Debug, Clone)]
enum Event {
    Packet { header: RtpHeader, payload: Vec<u8> },
    Pulls(usize),
    Wait(u64),
    Clear,
}

fn event() -> impl Strategy<Value = Event> {
    let number = prop_oneof![0_u32..8_000, any::<u32>()];
    let packet = (
        prop_oneof![Just(96_u8), Just(97), Just(13), Just(5)],
        prop_oneof![0_u16..50, any::<u16>()],
        number,
        0_u32..2,
        prop_oneof![0_usize..10, Just(320), Just(640)]
            .prop_flat_map(|length| proptest::collection::vec(any::<u8>(), length)),
    );
    prop_oneof![
        8 => packet.prop_map(|(payload_type, sequence, timestamp, ssrc, payload)| Event::Packet {
            header: RtpHeader { marker: false, payload_type, sequence, timestamp, ssrc },
            payload,
        }),
        4 => (1_usize..6).prop_map(Event::Pulls),
        1 => prop_oneof![0_u64..100_000, Just(10_000_000)].prop_map(Event::Wait),
        1 => Just(Event::Clear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_comes_each_pull_gives_one_block(events in proptest::collection::vec(event(), 0..80)) {
        let mut hand = Hand::new(JitterConfig { comfort_noise_pt: Some(13), ..JitterConfig::default() });
        for event in events {
            match event {
                Event::Packet { header, payload } => { hand.insert(header, &payload); }
                Event::Pulls(blocks) => hand.pull(blocks),
                Event::Wait(micros) => hand.micros += micros,
                Event::Clear => {
                    hand.buffer.clear();
                    hand.buffer.set_decoder(96, Pcm { repairs: true });
                }
            }
            prop_assert!(hand.buffer.fifo.len() < 3 * LONGEST_FRAME);
            prop_assert!(hand.buffer.stats().waiting <= crate::packet_store::PLACES);
        }
        hand.pull(3);
        prop_assert!(hand.output.iter().all(|sample| (-1.0..=1.0).contains(sample)));
    }

    #[test]
    fn any_network_keeps_the_sound_going(loss in 0_u32..40, jitter in 0_u32..120, seed in 1_u32..1_000, repairs: bool) {
        let signal = voice(4);
        let run = listen(&signal, repairs, random_network(loss, jitter, seed));
        prop_assert_eq!(run.output.len(), run.kinds.len() * BLOCK_SAMPLES);
        prop_assert!(run.kinds[40..].iter().all(|kind| *kind != Pulled::Silence));
        prop_assert!(largest_step(&run.output) < 0.3);
    }
}
