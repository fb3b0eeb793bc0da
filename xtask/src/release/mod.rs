//! `cargo xtask release`: everything that a release consists of, made twice, compared, and tried.
//!
//! | file | has |
//! |---|---|
//! | `source.rs` | the sources as they are released: normal file modes, addresses, no mark that forbids publishing |
//! | `parts.rs` | how each artefact is made of them |
//! | `tryout.rs` | how each is installed into an empty folder and run |
//! | `sbom.rs` | what is in each, as CycloneDX |
//! | `archive.rs` | archives that have the same bytes each time, and checksums |
//! | `artefact.rs`, `folder.rs` | what is released; folders to make it in |

mod archive;
mod artefact;
mod folder;
mod parts;
mod sbom;
mod source;
mod tryout;

use std::fs;
use std::path::Path;

use crate::shell::{self, Failure, Result};
use artefact::Artefact;
use folder::unwritten;
use parts::{PARTS, Part};
use source::{Release, Source};

pub(crate) const HELP: &str = "\
Make what a release consists of, twice, compare the bytes, and try each artefact; nothing is published

usage: cargo xtask release --dry-run [part …]
       cargo xtask release [part …]      refuses unless this is the commit of a release, see below
       cargo xtask release --list        the parts, one a line

needs    Node 20 or newer, Python 3.10 or newer with venv, the registries of crates, npm and PyPI;
         for the part `binary` the Rust target x86_64-unknown-linux-musl and Debian's musl-tools
does     copies the sources to two folders with normal file modes, puts the address of PROJECT_URL
         into manifests and READMEs, takes away the marks that forbid publishing, makes each
         artefact in both, compares them, installs each into an empty folder and runs it
checks   every manifest has the same version and CHANGELOG.md a section for it. Without --dry-run also: PROJECT_URL is
         set, nothing is uncommitted, and the commit has the tag v<version>
writes   target/release-artefacts/: the artefacts, an SBOM beside each (CycloneDX), SHA256SUMS
prints   a table
exit     0 if every artefact was made twice alike and has run, otherwise 1
";

/// Stands for the address of the project where it is not known yet: no such name exists.
const NO_ADDRESS: &str = "https://doorward.invalid/example/doorward";

/// `cargo xtask release`
pub(crate) fn run(arguments: &[String]) -> Result {
    if arguments == ["--list"] {
        PARTS.iter().for_each(|part| println!("{:8} {}", part.name, part.about));
        return Ok(());
    }
    let (options, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with('-'));
    let is_dry = match options.as_slice() {
        [] => false,
        [option] if *option == "--dry-run" => true,
        _ => return Err(Failure::usage("`release` takes --dry-run, --list and names of parts")),
    };
    let parts = chosen(&names)?;
    crate::node::check()?;
    let release = Release::of_this(is_dry, NO_ADDRESS)?;
    let home = shell::target_directory()?.join("release-artefacts");
    if home.exists() {
        fs::remove_dir_all(&home).map_err(|error| unwritten(&home, &error))?;
    }
    // Both are copied before anything is made: the working tree may be worked on meanwhile.
    let (first, second) = (home.join("first"), home.join("second"));
    let source = Source::copied(&release, &first.join("source"), true)?;
    let again = Source::copied(&release, &second.join("source"), false)?;
    let first = made(&source, &first.join("out"), &parts)?;
    let second = made(&again, &second.join("out"), &parts)?;
    let rows = tried(&release, first, &second)?;
    delivered(&home, rows)
}

fn chosen(names: &[&String]) -> Result<Vec<&'static Part>> {
    if let Some(unknown) = names.iter().find(|name| !PARTS.iter().any(|part| part.name == **name)) {
        return Err(Failure::usage(format!("there is no part `{unknown}`"))
            .hint("cargo xtask release --list"));
    }
    let is_chosen = |part: &&Part| names.is_empty() || names.iter().any(|name| part.name == *name);
    Ok(PARTS.iter().filter(is_chosen).collect())
}

/// An artefact and the part that it is of.
type Made = (&'static Part, Artefact);

/// Makes the artefacts of these parts from one copy of the sources.
fn made(source: &Source, out: &Path, parts: &[&'static Part]) -> Result<Vec<Made>> {
    fs::create_dir_all(out).map_err(|error| unwritten(out, &error))?;
    let mut all = Vec::new();
    for part in parts {
        let artefacts = (part.make)(source, out)?;
        all.extend(artefacts.into_iter().map(|artefact| (*part, artefact)));
    }
    Ok(all)
}

/// A line of the table.
struct Row {
    artefact: Artefact,
    bytes: u64,
    is_same: bool,
    /// What it said when it ran, or why it did not.
    ran: Result<String>,
}

fn tried(release: &Release, first: Vec<Made>, second: &[Made]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (part, artefact) in first {
        let bytes = archive::read(&artefact.file)?;
        let again = second.iter().find(|(_, other)| other.file_name() == artefact.file_name());
        let is_same =
            again.is_some_and(|(_, other)| fs::read(&other.file).is_ok_and(|other| other == bytes));
        let ran = (part.try_out)(&artefact, release);
        let bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        rows.push(Row { artefact, bytes, is_same, ran });
    }
    Ok(rows)
}

/// Puts artefacts, SBOMs and checksums side by side and prints the table.
fn delivered(home: &Path, rows: Vec<Row>) -> Result {
    let mut files = Vec::new();
    for row in &rows {
        let file = home.join(row.artefact.file_name());
        fs::copy(&row.artefact.file, &file).map_err(|error| unwritten(&file, &error))?;
        let sbom = home.join(format!("{}.cdx.json", row.artefact.file_name()));
        fs::write(&sbom, &row.artefact.sbom).map_err(|error| unwritten(&sbom, &error))?;
        files.extend([file, sbom]);
    }
    archive::write_checksums(home, &files)?;
    println!("{:52} {:>9}  {:5}  installed and run", "artefact", "bytes", "twice");
    let mut failed = 0_usize;
    for Row { artefact, bytes, is_same, ran } in &rows {
        let twice = if *is_same { "same" } else { "DIFF" };
        let said = match ran {
            Ok(said) => said.clone(),
            Err(failure) => format!("FAILED: {failure}"),
        };
        println!("{:52} {bytes:>9}  {twice:5}  {said}", artefact.file_name());
        failed = failed.saturating_add(usize::from(!is_same || ran.is_err()));
    }
    println!("{} artefacts, {failed} failed, in {}", rows.len(), home.display());
    if failed == 0 && !rows.is_empty() { Ok(()) } else { Err(Failure::new("this is no release")) }
}
