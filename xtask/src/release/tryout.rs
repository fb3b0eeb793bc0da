//! Each artefact, installed into an empty folder as its users install it, and run.

use std::fs;
use std::path::Path;

use super::archive;
use super::artefact::Artefact;
use super::folder::{empty_folder, unwritten};
use super::source::Release;
use crate::shell::{self, Failure, Result};
use crate::{node, python as interpreters};

/// What the npm package may weigh, packed.
const NPM_LIMIT: u64 = 1_100_000;
/// What the archive of the native program may weigh.
const BINARY_LIMIT: u64 = 6_000_000;

/// Installed by npm, its manifest and types looked through, and in front of a server of Node.
pub(super) fn npm(artefact: &Artefact, release: &Release) -> Result<String> {
    artefact.weighs_at_most(NPM_LIMIT)?;
    node::install(&["tests/release"])?;
    let script = shell::root().join("tests/release/npm.mjs");
    let folder = empty_folder("npm")?;
    write(&folder.join("package.json"), "{ \"type\": \"module\", \"private\": true }\n")?;
    let file = artefact.file.to_string_lossy();
    let install = ["install", "--no-audit", "--no-fund", "--loglevel=error", &file];
    shell::run(&mut node::npm(&install, &folder))?;
    let arguments = [&*script.to_string_lossy(), &*file, &release.version];
    Ok(last_line(&shell::output(&mut shell::command("node", &arguments, &folder))?))
}

/// Deployed on paper by wrangler, from what the template's own manifest installs, and asked in
/// workerd.
pub(super) fn worker(artefact: &Artefact, release: &Release) -> Result<String> {
    node::install(&["tests/release"])?;
    let folder = empty_folder("worker")?;
    archive::unpack(&artefact.file, &folder)?;
    let folder = folder.join(format!("doorward-worker-{}", release.version));
    let install = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
    shell::run(&mut node::npm(&install, &folder))?;
    let deploy = ["run", "deploy", "--silent", "--", "--dry-run"];
    shell::run(node::npm(&deploy, &folder).env("WRANGLER_SEND_METRICS", "false"))?;
    let script = shell::root().join("tests/release/worker.mjs");
    let script = script.to_string_lossy();
    Ok(last_line(&shell::output(&mut shell::command("node", &[&script], &folder))?))
}

/// Unpacked, and needed by a new crate that decides on two requests.
pub(super) fn rust_crate(artefact: &Artefact, release: &Release) -> Result<String> {
    let folder = empty_folder("crate")?;
    let out = artefact.file.parent().unwrap_or(&folder).to_path_buf();
    let version = &release.version;
    let mut patches = String::new();
    for (name, _) in super::source::CRATES {
        let file = format!("{name}-{version}");
        archive::unpack(&out.join(format!("{file}.crate")), &folder)?;
        patches.push_str(&format!("{name} = {{ path = \"../{file}\" }}\n"));
    }
    let app = folder.join("app");
    fs::create_dir_all(app.join("src")).map_err(|error| unwritten(&app, &error))?;
    let file_name = artefact.file_name();
    let name = file_name.trim_end_matches(&format!("-{version}.crate")).to_owned();
    let package = "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n";
    let needed: String = [name.as_str(), "doorward"]
        .map(|name| format!("{name} = \"{version}\"\n"))
        .into_iter()
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    let manifest =
        format!("{package}\n[dependencies]\n{needed}\n[patch.crates-io]\n{patches}\n[workspace]\n");
    write(&app.join("Cargo.toml"), &manifest)?;
    let program = shell::root().join("tests/release").join(format!("{name}.rs"));
    let to = app.join("src/main.rs");
    fs::copy(program, &to).map_err(|error| unwritten(&to, &error))?;
    let mut command = shell::command("cargo", &["run", "--quiet"], &app);
    command.env("CARGO_TARGET_DIR", shell::target_directory()?.join("release-tryout"));
    Ok(last_line(&shell::output(command.env_remove("CARGO_MANIFEST_DIR"))?))
}

/// Installed by pip into an empty environment, imported, and its command run.
pub(super) fn python(artefact: &Artefact, _: &Release) -> Result<String> {
    let folder = empty_folder("python")?;
    let requirements = folder.join("requirements.txt");
    write(&requirements, &format!("{}\n", artefact.file.display()))?;
    let interpreter = interpreters::environment(&folder.join("venv"), &requirements)?;
    let script = shell::root().join("tests/release/python.py");
    // -I: nothing of this folder or of the user counts.
    let arguments = ["-I", &*script.to_string_lossy()];
    Ok(last_line(&shell::output(&mut shell::command(&interpreter, &arguments, &folder))?))
}

/// Unpacked and run with an empty environment; it needs no library.
pub(super) fn binary(artefact: &Artefact, release: &Release) -> Result<String> {
    artefact.weighs_at_most(BINARY_LIMIT)?;
    let folder = empty_folder("binary")?;
    archive::unpack(&artefact.file, &folder)?;
    let top = artefact.file_name().trim_end_matches(".tar.gz").to_owned();
    let program = folder.join(&top).join("doorward");
    if !folder.join(&top).join("man/man1/doorward.1").exists() {
        return Err(Failure::new("it has no manual page"));
    }
    let bytes = archive::read(&program)?;
    if has_interpreter(&bytes) {
        return Err(Failure::new("it is not static: it names a program that loads it"));
    }
    let run = |arguments: &[&str]| {
        let mut command = shell::command(&program.to_string_lossy(), arguments, &folder);
        shell::output(command.env_clear())
    };
    let said = run(&["--version"])?;
    if !said.contains(&release.version) {
        return Err(Failure::new(format!("it says `{}`", said.trim())));
    }
    run(&["reasons", "token_expired"])?;
    Ok(format!("{}, static, {} bytes", said.trim(), bytes.len()))
}

/// Whether an ELF program has a segment PT_INTERP (the System V ABI, chapter 5): a dynamic linker
/// has to load it.
fn has_interpreter(elf: &[u8]) -> bool {
    const PT_INTERP: [u8; 4] = [3, 0, 0, 0];
    let number = |at: usize, length: usize| {
        let bytes = elf.get(at..at.saturating_add(length)).unwrap_or_default();
        bytes
            .iter()
            .rev()
            .fold(0_usize, |sum, byte| sum.saturating_mul(256).saturating_add(usize::from(*byte)))
    };
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    let start = |index: usize| table.saturating_add(index.saturating_mul(size));
    let kind = |index: usize| elf.get(start(index)..start(index).saturating_add(4));
    (0..count).any(|index| kind(index) == Some(&PT_INTERP))
}

fn last_line(text: &str) -> String {
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

fn write(file: &Path, text: &str) -> Result {
    fs::write(file, text).map_err(|error| unwritten(file, &error))
}
