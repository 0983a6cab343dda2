//! Driving the headless program and other people's SIP programs, and judging what was heard.
//!
//! Everything started here is ended here, by its own process id. The servers listen on the two addresses of the
//! wire that `cargo xtask test` lays inside a namespace without a way out.

pub mod address_books;
pub mod agents;
pub mod ami;
pub mod asterisk;
pub mod balie;
pub mod baresip;
pub mod caller;
pub mod centre;
pub mod certificate;
pub mod corners;
pub mod coturn;
pub mod directory;
pub mod domain;
pub mod embedded;
pub mod kamailio;
pub mod lamps;
pub mod linphone;
pub mod loudspeaker;
pub mod matrix;
pub mod measure;
pub mod microsoft;
pub mod names;
pub mod namespace;
pub mod process;
pub mod queues;
pub mod reading;
pub mod relay;
pub mod roaming;
pub mod rooms;
pub mod sipp;
pub mod sound;
pub mod tap;
pub mod uplinks;
pub mod xsi;
pub mod zone;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Server's end of the wire.
pub const SERVER: &str = "10.99.0.1";
/// Phones' end of the wire.
pub const PHONES: &str = "10.99.0.2";
/// Server's end of the wire, IPv6.
pub const SERVER6: &str = "fd99::1";
/// Phones' end of the wire, IPv6.
pub const PHONES6: &str = "fd99::2";

/// Top of the checkout.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or_else(|| here.to_path_buf(), Path::to_path_buf)
}

/// The speech that is sent through calls: about ten seconds, 16 kHz mono.
#[must_use]
pub fn speech() -> PathBuf {
    root().join("assets/speech/test-speech.wav")
}

/// The moment `limit` from now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests of real programs wait with a deadline")]
pub fn deadline(limit: Duration) -> Instant {
    Instant::now() + limit
}

/// True when the moment has passed.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests of real programs wait with a deadline")]
pub fn is_over(deadline: Instant) -> bool {
    Instant::now() >= deadline
}

/// Asks again until `probe` gives something or the time is over. For programs that cannot tell when they are ready.
///
/// # Errors
/// When the time is over; the error names what was waited for.
pub fn poll<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> Result<T> {
    let end = deadline(limit);
    while !is_over(end) {
        if let Some(found) = probe() {
            return Ok(found);
        }
        pause(Duration::from_millis(20));
    }
    bail!("{what}: nothing after {limit:?}")
}

/// Lets time pass while a call goes on; what happens meanwhile is judged afterwards.
#[expect(clippy::disallowed_methods, reason = "real sound takes real time")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}
