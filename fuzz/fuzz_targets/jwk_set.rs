//! `cargo xtask fuzz jwk_set`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    doorward_fuzz::jwk_set::run(input);
});
