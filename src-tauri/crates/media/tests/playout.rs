//! What is heard of real speech through Opus and a simulated network, in virtual time: how late, how much stretched,
//! and how alike, beside a buffer that waits 60 ms whatever happens.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test program")]
#![expect(clippy::cast_precision_loss, reason = "audio lengths")]

mod virtual_call;

use virtual_call::{Network, adaptive, fixed, median, places, speech};

const SECONDS: usize = 15;

struct Figures {
    delay_ms: f64,
    /// Mean of the normalised correlation over all tenths of a second.
    alike: f64,
    stretches: usize,
    concealed: f64,
}

/// Through the jitter buffer, and the likeness through the fixed one.
fn listen(loss: u32, jitter_ms: u32, busy: bool) -> (Figures, f64) {
    let speech = speech(SECONDS);
    let network = Network { loss, jitter_ms, busy, ..Network::quiet() };
    let alike = |sound: &[f32]| {
        let places = places(&speech, sound);
        let sum: f64 = places.iter().map(|place| place.likeness).sum();
        (sum / places.len() as f64, median(places.iter().map(|place| place.delay_ms).collect()))
    };
    let heard = adaptive(&speech, network);
    let (likeness, delay_ms) = alike(&heard.sound);
    let (reference, _) = alike(&fixed(&speech, network).sound);
    let figures = Figures {
        delay_ms,
        alike: likeness,
        stretches: heard.stretches,
        concealed: heard.concealed,
    };
    println!(
        "loss {loss} jitter {jitter_ms} busy {busy}: {delay_ms:.1} ms, alike {likeness:.3} (fixed {reference:.3}), \
         {} stretches, {:.2} % made up, -{} +{} ms",
        figures.stretches,
        figures.concealed * 100.0,
        heard.removed_ms,
        heard.inserted_ms,
    );
    (figures, reference)
}

fn holds(loss: u32, jitter_ms: u32, most_delay_ms: f64) {
    let (figures, reference) = listen(loss, jitter_ms, false);
    assert!(figures.delay_ms <= most_delay_ms, "{} ms", figures.delay_ms);
    assert!(figures.alike > reference - 0.02, "{} below {reference}", figures.alike);
    assert!(figures.stretches <= 8, "{} stretches", figures.stretches);
    let bound = match loss {
        0 => 0.003,
        10 => 0.02,
        _ => 0.06,
    };
    assert!(figures.concealed < bound, "{} made up", figures.concealed);
}

#[test]
fn without_loss_speech_comes_soon_and_whole() {
    holds(0, 0, 30.0);
    holds(0, 20, 50.0);
    holds(0, 60, 105.0);
}

#[test]
fn one_lost_packet_in_ten_is_repaired() {
    holds(10, 0, 70.0);
    holds(10, 20, 90.0);
    holds(10, 60, 125.0);
}

#[test]
fn one_lost_packet_in_five_is_borne() {
    holds(20, 20, 90.0);
}

/// Late ticks make the delay grow once; it is not given back between one and the next.
#[test]
fn a_busy_machine_does_not_make_speech_waver() {
    let (figures, reference) = listen(0, 3, true);
    assert!(figures.delay_ms <= 60.0, "{} ms", figures.delay_ms);
    assert!(figures.alike > reference - 0.02, "{} below {reference}", figures.alike);
    assert!(figures.stretches <= 6, "{} stretches in {SECONDS} s", figures.stretches);
    assert!(figures.concealed < 0.005, "{} made up", figures.concealed);
}
