//! Entry point of `fuzz_targets::badgerfish`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::badgerfish(data));
