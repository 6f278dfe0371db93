#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nl_laws::settings::groups(data));
