//! Entry point of `fuzz_targets::sdp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::sdp(data));
