//! The chain in virtual rooms: echo, noise and level by numbers.

use super::*;

/// Noise in syllables, as loud as a voice; the same for the same seed.
struct Voice {
    seed: u32,
    low: f32,
    at: u32,
}

impl Voice {
    fn new(seed: u32) -> Self {
        Self { seed, low: 0.0, at: 0 }
    }

    fn white(&mut self) -> f32 {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        #[expect(clippy::cast_precision_loss, reason = "sixteen bits")]
        let value = (self.seed >> 16) as f32;
        value / 32_768.0 - 1.0
    }

    fn block(&mut self, gain: f32) -> [f32; BLOCK] {
        let mut block = [0.0; BLOCK];
        for sample in &mut block {
            self.at += 1;
            // Four syllables a second, with a pause after every twelfth.
            let (place, count) = (self.at % 12_000, self.at / 12_000);
            let open = place < 8_000 && count % 13 != 12;
            self.low += 0.25 * (self.white() - self.low);
            *sample = if open { gain * self.low } else { 0.0 };
        }
        block
    }
}

/// A loudspeaker 40 ms away from the microphone, in a room that answers for 60 ms.
struct Room {
    line: Vec<f32>,
    taps: Vec<(usize, f32)>,
    at: usize,
}

impl Room {
    fn new() -> Self {
        Self::after(40)
    }

    /// Its loudspeaker's sound comes so many milliseconds late.
    fn after(ms: usize) -> Self {
        let mut noise = Voice::new(7);
        let taps = (0..120)
            .map(|n| {
                #[expect(clippy::cast_precision_loss, reason = "a hundred or so")]
                let decay = (-(n as f32) / 24.0).exp();
                (ms * 48 + n * 24, 0.35 * decay * noise.white())
            })
            .collect();
        Self { line: vec![0.0; 16_384], taps, at: 0 }
    }

    fn echo(&mut self, speaker: &[f32; BLOCK]) -> [f32; BLOCK] {
        let mut heard = [0.0; BLOCK];
        let length = self.line.len();
        for (sample, out) in speaker.iter().zip(&mut heard) {
            self.line[self.at % length] = *sample;
            *out = self
                .taps
                .iter()
                .map(|(late, gain)| gain * self.line[(self.at + length - late) % length])
                .sum();
            self.at += 1;
        }
        heard
    }
}

fn power(block: &[f32; BLOCK]) -> f64 {
    block.iter().map(|s| f64::from(*s).powi(2)).sum()
}

fn db(of: f64, to: f64) -> f64 {
    10.0 * (of / to.max(1e-12)).log10()
}

fn processor(wanted: Processing) -> Processor {
    let mut processor = Processor::default();
    processor.set(wanted);
    processor
}

const ECHO: Processing =
    Processing { echo_cancelling: true, noise_suppression: false, gain_control: false };

/// By how many dB the echo of `blocks` is softer, after `before` to learn.
fn enhancement(before: usize, blocks: usize) -> f64 {
    enhancement_in(Room::new(), None, before, blocks)
}

/// The same in that room, with the delay of the devices told.
fn enhancement_in(mut room: Room, told: Option<Duration>, before: usize, blocks: usize) -> f64 {
    let (mut chain, mut far) = (processor(ECHO), Voice::new(1));
    chain.set_device_delay(told);
    let (mut heard, mut left) = (0.0, 0.0);
    for n in 0..before + blocks {
        let speaker = far.block(0.5);
        let mut microphone = room.echo(&speaker);
        if n >= before {
            heard += power(&microphone);
        }
        chain.clean(&mut microphone);
        chain.played(&speaker);
        if n >= before {
            left += power(&microphone);
        }
    }
    db(heard, left)
}

#[test]
fn an_echo_is_taken_out() {
    let first = enhancement(0, 100);
    assert!(first > 15.0, "{first:.1} dB in the first second");
    let steady = enhancement(500, 500);
    assert!(steady > 35.0, "{steady:.1} dB after five seconds");
}

#[test]
fn an_echo_that_comes_late_is_taken_out_at_once_where_the_devices_are_known() {
    let first = |told: Option<u64>| {
        enhancement_in(Room::after(200), told.map(Duration::from_millis), 0, 100)
    };
    let unknown = first(None);
    // Half of it known, all of it, and 10 ms too much.
    for told in [100, 180, 200, 210] {
        let known = first(Some(told));
        assert!(
            known > 28.0 && known > unknown + 5.0,
            "told {told}: {known:.1}, not told {unknown:.1}"
        );
    }
    // Near by, what is known does no harm.
    let near = |told| enhancement_in(Room::new(), told, 0, 100);
    let (plain, told) = (near(None), near(Some(Duration::from_millis(30))));
    assert!(told > plain - 1.0, "{told:.1}, {plain:.1}");
}

#[test]
fn ones_own_voice_stays_with_and_without_an_echo() {
    for echo in [false, true] {
        let (mut chain, mut room) = (processor(ECHO), Room::new());
        let (mut far, mut near) = (Voice::new(1), Voice::new(99));
        let (mut said, mut sent) = (0.0, 0.0);
        for n in 0..1_000 {
            let speaker = far.block(if echo && n < 500 { 0.5 } else { 0.0 });
            let mut microphone = room.echo(&speaker);
            if n >= 500 {
                let voice = near.block(0.3);
                said += power(&voice);
                for (to, from) in microphone.iter_mut().zip(&voice) {
                    *to += from;
                }
            }
            chain.clean(&mut microphone);
            chain.played(&speaker);
            sent += if n >= 500 { power(&microphone) } else { 0.0 };
        }
        let change = db(sent, said);
        assert!(change.abs() < 3.0, "echo {echo}: the voice changed by {change:.1} dB");
    }
}

#[test]
fn noise_gets_softer_and_the_level_is_evened_out() {
    let noise_only = Processing { noise_suppression: true, ..Processing::default() };
    let (mut chain, mut noise) = (processor(noise_only), Voice::new(5));
    let (mut heard, mut left) = (0.0, 0.0);
    for n in 0..500 {
        let mut block = [0.0; BLOCK];
        for sample in &mut block {
            *sample = 0.01 * noise.white();
        }
        let before = power(&block);
        chain.clean(&mut block);
        if n >= 300 {
            heard += before;
            left += power(&block);
        }
    }
    let softer = db(heard, left);
    assert!(softer > 10.0, "noise is {softer:.1} dB softer");

    let gain_only = Processing { gain_control: true, ..Processing::default() };
    let (mut chain, mut voice) = (processor(gain_only), Voice::new(6));
    let (mut said, mut sent) = (0.0, 0.0);
    for n in 0..1_500 {
        let mut block = voice.block(0.02);
        let before = power(&block);
        chain.clean(&mut block);
        if n >= 1_000 {
            said += before;
            sent += power(&block);
        }
    }
    let louder = db(sent, said);
    assert!(louder > 6.0, "a soft voice is {louder:.1} dB louder");
}

#[test]
fn it_is_switched_in_mid_call_and_costs_nothing_when_off() {
    let (mut chain, mut voice) = (processor(Processing::default()), Voice::new(3));
    let said = voice.block(0.3);
    let mut heard = said;
    chain.clean(&mut heard);
    assert_eq!(heard, said, "untouched, not even late");
    for wanted in [Processing::ALL, ECHO, Processing::ALL, Processing::default()] {
        chain.set(wanted);
        for _ in 0..50 {
            let mut block = voice.block(0.3);
            chain.clean(&mut block);
            chain.played(&[0.0; BLOCK]);
            assert!(block.iter().all(|s| s.is_finite() && s.abs() <= 1.0));
        }
    }
    let mut heard = said;
    chain.clean(&mut heard);
    assert_eq!(heard, said);
}

/// A call with a headset until nothing is done any more, and its parts: the far voice, the near one, the room.
struct Headset {
    chain: Processor,
    far: Voice,
    near: Voice,
    noise: Voice,
    room: Room,
}

impl Headset {
    fn new() -> Self {
        let (far, near, noise) = (Voice::new(1), Voice::new(99), Voice::new(5));
        Self { chain: processor(ECHO), far, near, noise, room: Room::new() }
    }

    /// 10 ms in which both speak, as far as said, over some noise: what the user says and what is sent.
    fn turn(&mut self, far: f32, near: f32, echo: f32) -> ([f32; BLOCK], [f32; BLOCK]) {
        let (speaker, said) = (self.far.block(far), self.near.block(near));
        let echoed = self.room.echo(&speaker);
        let mut microphone = said;
        for (to, echoed) in microphone.iter_mut().zip(&echoed) {
            *to += echo * echoed + 0.000_5 * self.noise.white();
        }
        self.chain.clean(&mut microphone);
        self.chain.played(&speaker);
        (said, microphone)
    }

    /// Blocks until it does so or does not, of so many.
    fn until(&mut self, cancels: bool, blocks: usize, far: f32, near: f32, echo: f32) -> usize {
        let changed = |this: &mut Self| {
            this.turn(far, near, echo);
            this.chain.cancels_echo() == cancels
        };
        (0..blocks).find(|_| changed(self)).unwrap_or(blocks)
    }
}

#[test]
fn without_an_echo_the_canceller_goes_off_and_comes_back_with_one_within_a_second() {
    for near in [0.0, 0.3] {
        let mut headset = Headset::new();
        assert!(headset.chain.cancels_echo());
        let off = headset.until(false, 3_000, 0.5, near, 0.0);
        assert!((500..1_500).contains(&off), "near {near}: off after {off} blocks");
        // It stays off while both go on talking, and the voice goes out as it is.
        let (mut said, mut sent) = (0.0, 0.0);
        for _ in 0..1_000 {
            let (voice, out) = headset.turn(0.5, 0.3, 0.0);
            (said, sent) = (said + power(&voice), sent + power(&out));
            assert!(!headset.chain.cancels_echo());
        }
        let change = db(sent, said);
        assert!(change.abs() < 1.0, "the voice changed by {change:.2} dB");
        // The headset is laid aside, and its loudspeaker is heard: loud, and 26 dB softer than that.
        for echo in [1.0, 0.05] {
            let on = headset.until(true, 300, 0.5, 0.0, echo);
            println!("near {near}, echo {echo}: off after {off} blocks, on after {on}");
            assert!(on <= 100, "near {near}, echo {echo}: on after {on} blocks");
            assert!(headset.until(false, 3_000, 0.5, near, 0.0) < 1_500);
        }
        headset.chain.expect_echo();
        assert!(headset.chain.cancels_echo(), "another device is not a headset for that");
    }
}

#[test]
fn with_an_echo_the_canceller_stays_on_whoever_talks() {
    let mut headset = Headset::new();
    // Both at once, then the other alone, then nobody for long, then the user alone.
    for (far, near, blocks) in
        [(0.5, 0.15, 1_500), (0.5, 0.0, 1_500), (0.0, 0.0, 3_000), (0.0, 0.3, 2_000)]
    {
        let off = headset.until(false, blocks, far, near, 1.0);
        assert_eq!(off, blocks, "far {far}, near {near}: off after {off} blocks");
    }
}
