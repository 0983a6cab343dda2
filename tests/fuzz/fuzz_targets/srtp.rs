//! Entry point of `fuzz_targets::srtp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::srtp(data));
