//! Entry point of `fuzz_targets::dialog_info`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::dialog_info(data));
