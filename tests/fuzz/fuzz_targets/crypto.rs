//! Entry point of `fuzz_targets::crypto`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::crypto(data));
