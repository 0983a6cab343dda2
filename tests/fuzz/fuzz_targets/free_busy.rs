//! Entry point of `fuzz_targets::free_busy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::free_busy(data));
