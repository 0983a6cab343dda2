//! Entry point of `fuzz_targets::xsi_stream`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::xsi_stream(data));
