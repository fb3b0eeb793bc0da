//! `cargo xtask fuzz cookie_header`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    doorward_fuzz::cookie_header::run(input);
});
