//! The proof of the desk: random keys of the control interface, on a wire that loses, repeats, delays and reorders what is
//! sent and goes away for a while, against the embedded exchange, with customers and colleagues who have telephones of
//! their own. No customer is lost, none is left in limbo without a visible way back, and the desk never shows a call
//! that is none.
//!
//! `BALIE_SEQUENCES` says how many (some dozens unless said); `BALIE_SEQUENCE` runs the one with that number alone, with
//! its log. Time is the runtime's, held still, so that an hour takes a second.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod keys;
mod oracle;
mod phone;
mod sequence;
mod town;
mod wire;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sequence::Seen;

/// Sequences of a usual run of the tests.
const USUAL: u64 = 24;
/// Sequences that run side by side, each in a time of its own.
const SIDE_BY_SIDE: usize = 2;
/// Failures after which no more are begun.
const ENOUGH: usize = 10;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs one sequence in a time of its own.
fn run(seed: u64) -> Result<Seen, String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let seen = runtime.block_on(sequence::run(seed));
    runtime.shutdown_background();
    seen
}

/// What must have been seen in so many sequences, so that a proof proves something.
fn is_enough(seen: &Seen, sequences: u64) -> bool {
    let Seen { cold, warm, brought_back, parked, retrieved, picked_up, returned, cuts, .. } = *seen;
    let share = |of: u64| sequences / of;
    cold >= share(4)
        && warm >= share(12)
        && brought_back >= share(8)
        && parked >= share(6)
        && retrieved >= share(20)
        && picked_up >= share(8)
        && returned >= share(4)
        && cuts >= share(4)
}

#[test]
fn nobody_is_lost_whatever_keys_are_pressed_and_whatever_the_wire_does() {
    if let Some(seed) = number("BALIE_SEQUENCE") {
        tracing_subscriber::fmt()
            .with_env_filter(std::env::var("BALIE_LOG").unwrap_or_else(|_| "info".to_owned()))
            .with_writer(std::io::stderr)
            .without_time()
            .with_ansi(false)
            .init();
        println!("{:?}", run(seed).unwrap_or_else(|why| panic!("sequence {seed}: {why}")));
        return;
    }
    let all = number("BALIE_SEQUENCES").unwrap_or(USUAL);
    let first = number("BALIE_FIRST").unwrap_or(0);
    let next = AtomicU64::new(first);
    let total = Mutex::new((Seen::default(), Vec::new(), 0_u64));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + all || total.lock().unwrap().1.len() >= ENOUGH {
                        return;
                    }
                    let result = run(seed);
                    let mut total = total.lock().unwrap();
                    total.2 += 1;
                    match result {
                        Ok(seen) => total.0.add(seen),
                        Err(why) => {
                            println!("sequence {seed} (BALIE_SEQUENCE={seed}): {why}");
                            total.1.push(seed);
                        }
                    }
                    if total.2.is_multiple_of(250) {
                        println!("{} sequences, {:?}", total.2, total.0);
                    }
                }
            });
        }
    });
    let (seen, failed, done) = total.into_inner().unwrap();
    println!("{done} sequences: {seen:?}");
    assert!(
        failed.is_empty(),
        "somebody was lost in sequences {failed:?}, each run again by BALIE_SEQUENCE"
    );
    assert!(is_enough(&seen, all), "too little has happened to prove anything: {seen:?}");
}
