//! `cargo xtask fuzz session_data`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    doorward_fuzz::session_data::run(input);
});
