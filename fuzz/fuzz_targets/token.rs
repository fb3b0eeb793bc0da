//! `cargo xtask fuzz token`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    doorward_fuzz::token::run(input);
});
