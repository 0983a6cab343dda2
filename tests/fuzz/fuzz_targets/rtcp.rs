//! Entry point of `fuzz_targets::rtcp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::rtcp(data));
