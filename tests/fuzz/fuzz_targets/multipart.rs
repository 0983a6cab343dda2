//! Entry point of `fuzz_targets::multipart`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::multipart(data));
