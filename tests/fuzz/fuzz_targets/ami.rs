//! Entry point of `fuzz_targets::ami`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::ami(data));
