//! Figures for 1,000 watched lines at 200 changes a second: time per change and memory per line.
//! Run with `cargo run --release -p pbx --example lamps`.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use pbx::{Call, CallState, Input, Lamps, LineDocument, Output, Peer, Policy, SourceId, Watch};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "an allocator that counts")]
// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LINES: u64 = 1_000;
const SECONDS: u64 = 60;
const CHANGES: u64 = 200;

#[expect(clippy::disallowed_methods, reason = "this program measures")]
#[expect(clippy::print_stdout, reason = "this program prints its figures")]
fn main() {
    let start = Instant::now();
    let before = HELD.load(Ordering::Relaxed);
    let mut lamps = Lamps::new(Policy::default());
    for line in 0..LINES {
        let source = SourceId(line);
        let watch = Watch::Line(format!("sip:{line}@pbx.example.test"));
        lamps.handle_input(start, Input::Watch { source, watch });
        let expires = Duration::from_secs(3600);
        lamps.handle_input(start, Input::Up { source, expires, reliable: false });
        lamps.handle_input(start, Input::Line { source, document: document(0, true) });
    }
    drain(&mut lamps);
    let held = HELD.load(Ordering::Relaxed) - before;
    let (mut told, mut refreshed) = (0, 0);
    let mut versions = vec![0; usize::try_from(LINES).unwrap_or(0)];
    let begun = Instant::now();
    for change in 0..SECONDS * CHANGES {
        let now = start + Duration::from_micros(change * 1_000_000 / CHANGES);
        let line = change * 7919 % LINES;
        let Some(version) = usize::try_from(line).ok().and_then(|at| versions.get_mut(at)) else {
            continue;
        };
        *version += 1;
        let input = Input::Line { source: SourceId(line), document: document(*version, false) };
        lamps.handle_input(now, input);
        if lamps.poll_timeout().is_some_and(|at| at <= now) {
            lamps.handle_timeout(now);
        }
        let (changed, asked) = drain(&mut lamps);
        told += changed;
        refreshed += asked;
    }
    let spent = begun.elapsed();
    let each = spent.as_nanos() / u128::from(SECONDS * CHANGES);
    let share = spent.as_secs_f64() / Duration::from_secs(SECONDS).as_secs_f64() * 100.0;
    println!("{LINES} lines, {CHANGES} changes/s for {SECONDS} s of virtual time");
    println!(
        "  per change {each} ns ({share:.4} % of one core), {told} lamps told, {refreshed} refreshes"
    );
    println!("  memory per line {} bytes with one call", held as u64 / LINES);
}

fn drain(lamps: &mut Lamps) -> (u64, u64) {
    let (mut changed, mut asked) = (0, 0);
    while let Some(output) = lamps.poll_output() {
        match output {
            Output::Changed { .. } => changed += 1,
            Output::Refresh { .. } => asked += 1,
            Output::Appeared { .. } | Output::Vanished { .. } => {}
        }
    }
    (changed, asked)
}

fn document(version: u32, full: bool) -> LineDocument {
    let states = [CallState::Busy, CallState::Ringing, CallState::Held];
    let state = states.into_iter().nth(version as usize % 3).unwrap_or(CallState::Busy);
    let peer =
        Peer { uri: "sip:0201234567@pbx.example.test".to_owned(), name: Some("Jan".to_owned()) };
    let call = Call { id: "5f3a".to_owned(), state, incoming: Some(true), peer: Some(peer) };
    LineDocument { version, full, calls: vec![call] }
}
