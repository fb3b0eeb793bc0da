//! Does everything hold that fuzzing has tried to refute? The targets of `fuzz/`, without a fuzzer,
//! for each file that is kept: seeds made from vectors, and an input for each mistake that fuzzing
//! has found.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use fuzz::{End, TARGETS};

#[test]
fn every_seed_and_every_regression_holds() {
    let folder = Path::new("fuzz");
    for (target, run) in TARGETS {
        let seeds = files(&folder.join("seeds").join(target));
        let regressions = files(&folder.join("regressions").join(target));
        let mut identities = 0;
        for file in seeds.iter().chain(&regressions) {
            let input =
                std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let end = std::panic::catch_unwind(|| run(&input))
                .unwrap_or_else(|_| panic!("{} refutes it", file.display()));
            identities += usize::from(matches!(end, End::Identity(_)));
        }
        // Past the capture of passing tests: how many ran should be seen.
        let _ = writeln!(
            std::io::stderr(),
            "fuzz target {target}: {} seeds, {} regressions, {identities} with an identity",
            seeds.len(),
            regressions.len()
        );
        assert!(!seeds.is_empty(), "{target} has no seeds");
        assert!(
            identities > 0,
            "no input of {target} gets as far as an identity: the target tests nothing"
        );
    }
}

/// The files of a folder, or none where there is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    files
}
