//! Entry point of `fuzz_targets::sip_session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::sip_session(data));
