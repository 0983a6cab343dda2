//! Entry point of `fuzz_targets::stun_answer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::stun_answer(data));
