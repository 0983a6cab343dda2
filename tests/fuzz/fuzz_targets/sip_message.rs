//! Entry point of `fuzz_targets::sip_message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::sip_message(data));
