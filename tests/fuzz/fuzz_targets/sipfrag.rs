//! Entry point of `fuzz_targets::sipfrag`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::sipfrag(data));
