//! Entry point of `fuzz_targets::stream_framing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::stream_framing(data));
