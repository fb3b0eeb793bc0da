//! How each artefact is made of the sources.

use std::path::Path;
use std::process::Command;

use super::artefact::Artefact;
use super::source::{CRATES, Release, Source, set_mode};
use super::{archive, folder, sbom, tryout};
use crate::shell::{self, Result};
use crate::{debian, node, python};

/// A part of a release.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Makes its artefacts in a folder.
    pub(super) make: fn(&Source, &Path) -> Result<Vec<Artefact>>,
    /// Installs one into an empty folder and runs it; gives what it said.
    pub(super) try_out: fn(&Artefact, &Release) -> Result<String>,
}

/// Every part; a new one is a new line.
#[rustfmt::skip]
pub(super) const PARTS: &[Part] = &[
    Part { name: "crates", about: "doorward, doorward-host and doorward-native, for crates.io", make: crates,      try_out: tryout::rust_crate },
    Part { name: "python", about: "doorward-origin as wheel and sdist, for PyPI",               make: wheel,       try_out: tryout::python },
    Part { name: "npm",    about: "doorward, for npm",                                          make: npm_package, try_out: tryout::npm },
    Part { name: "worker", about: "the Worker as a template that is deployed without Rust",     make: template,    try_out: tryout::worker },
    Part { name: "binary", about: "the native program, static, for Linux on x86-64",            make: binary,      try_out: tryout::binary },
];

const MUSL: &str = "x86_64-unknown-linux-musl";
const WASM: &str = "wasm32-unknown-unknown";

fn npm_package(source: &Source, out: &Path) -> Result<Vec<Artefact>> {
    shell::run(&mut source.xtask(&["build", "package"])?)?;
    let folder = source.folder.join("middleware");
    for (_, file) in archive::files_below(&folder.join("wasm"))? {
        set_mode(&file, false)?;
    }
    let out_text = out.to_string_lossy();
    let arguments = ["pack", "--silent", "--pack-destination", &out_text];
    let name = shell::output(&mut node::npm(&arguments, &folder))?;
    let crates = ["doorward-binding", "doorward-cli-wasm"];
    let about = sbom::About { kind: "npm", name: "doorward", version: &source.version };
    let sbom = sbom::of_crates(source, &about, &crates, WASM)?;
    Ok(vec![Artefact { file: out.join(name.trim()), sbom }])
}

fn crates(source: &Source, out: &Path) -> Result<Vec<Artefact>> {
    // Its packages go where everything goes that cargo builds. The second time they are not built.
    let mut command =
        shell::command("cargo", &["publish", "--dry-run", "--allow-dirty"], &source.folder);
    let target = &source.target;
    command.env("CARGO_TARGET_DIR", target);
    for (name, _) in CRATES {
        command.args(["--package", name]);
    }
    if !source.is_first {
        command.arg("--no-verify");
    }
    shell::run(&mut command)?;
    let mut artefacts = Vec::new();
    for (name, _) in CRATES {
        let file_name = format!("{name}-{}.crate", source.version);
        let made = target.join("package").join(&file_name);
        // With several packages at once cargo leaves them in a registry of its own.
        let made = match made.exists() {
            true => made,
            false => target.join("package/tmp-registry").join(&file_name),
        };
        let file = out.join(&file_name);
        std::fs::copy(&made, &file).map_err(|error| folder::unwritten(&made, &error))?;
        let about = sbom::About { kind: "cargo", name, version: &source.version };
        let sbom = sbom::of_crates(source, &about, &[name], "all")?;
        artefacts.push(Artefact { file, sbom });
    }
    Ok(artefacts)
}

fn wheel(source: &Source, out: &Path) -> Result<Vec<Artefact>> {
    let folder = source.folder.join("origin/python");
    let home = shell::target_directory()?.join("python/release");
    let interpreter = python::environment(&home, &folder.join("requirements-release.txt"))?;
    let out_text = out.to_string_lossy();
    let arguments = ["-B", "-m", "build", "--no-isolation", "--outdir", &out_text];
    let mut command = shell::command(&interpreter, &arguments, &folder);
    command.env("SOURCE_DATE_EPOCH", source.seconds.to_string());
    shell::run(command.env("PYTHONDONTWRITEBYTECODE", "1"))?;
    let about = sbom::About { kind: "pypi", name: "doorward-origin", version: &source.version };
    let manifest = super::source::text_of(&folder.join("pyproject.toml"))?;
    let sbom = sbom::of_python(&about, &manifest, &source.time);
    let version = &source.version;
    let names =
        ["-py3-none-any.whl", ".tar.gz"].map(|end| format!("doorward_origin-{version}{end}"));
    Ok(names.map(|name| Artefact { file: out.join(name), sbom: sbom.clone() }).into())
}

/// `worker/template/` with the built Worker in `gate/`, and the licences.
fn template(source: &Source, out: &Path) -> Result<Vec<Artefact>> {
    shell::run(&mut source.xtask(&["build", "worker"])?)?;
    let top = format!("doorward-worker-{}", source.version);
    let worker = source.folder.join("worker");
    let mut files = Vec::new();
    for (from, to) in [(worker.join("template"), ""), (worker.join("build"), "gate/")] {
        for (name, file) in archive::files_below(&from)? {
            files.push((format!("{top}/{to}{name}"), file, false));
        }
    }
    files.push((format!("{top}/LICENSE"), source.folder.join("LICENSE"), false));
    files.push((format!("{top}/THIRD-PARTY.txt"), worker.join("THIRD-PARTY.txt"), false));
    let file = out.join(format!("{top}.tar.gz"));
    archive::write(&file, &files, source.seconds)?;
    let about = sbom::About { kind: "generic", name: "doorward-worker", version: &source.version };
    let crates = ["doorward-worker"];
    let sbom = sbom::of_crates(source, &about, &crates, WASM)?;
    Ok(vec![Artefact { file, sbom }])
}

/// The command line with musl in it: it runs on any Linux, also in a container with nothing else.
fn binary(source: &Source, out: &Path) -> Result<Vec<Artefact>> {
    debian::ensure("musl-tools", &["/usr/bin/musl-gcc"])?;
    let has_target = ["--print", "target-libdir", "--target", MUSL];
    let library = shell::output(&mut shell::command("rustc", &has_target, &source.folder))?;
    if !Path::new(library.trim()).is_dir() {
        shell::say(format!("this toolchain has no target {MUSL}: ADDING IT with rustup"));
        shell::run(&mut shell::command("rustup", &["target", "add", MUSL], &source.folder))?;
    }
    let target = &source.target;
    let mut command = Command::new("cargo");
    command.args(["build", "--profile", "native", "--locked", "--package", "doorward-cli"]);
    command.args(["--target", MUSL, "--config", &remapped()]);
    command.current_dir(&source.folder).env("CARGO_TARGET_DIR", target);
    shell::run(&mut command)?;
    let top = format!("doorward-{}-{MUSL}", source.version);
    let built = target.join(MUSL).join("native/doorward");
    let mut files = vec![
        (format!("{top}/doorward"), built, true),
        (format!("{top}/LICENSE"), source.folder.join("LICENSE"), false),
        (format!("{top}/THIRD-PARTY.txt"), source.folder.join("cli/THIRD-PARTY.txt"), false),
    ];
    for (name, page) in archive::files_below(&source.folder.join("middleware/man"))? {
        files.push((format!("{top}/man/man1/{name}"), page, false));
    }
    let file = out.join(format!("{top}.tar.gz"));
    archive::write(&file, &files, source.seconds)?;
    let about = sbom::About { kind: "generic", name: "doorward-cli", version: &source.version };
    let crates = ["doorward-cli"];
    let sbom = sbom::of_crates(source, &about, &crates, MUSL)?;
    Ok(vec![Artefact { file, sbom }])
}

/// The builder's home is left out of the places of panics. The sources need nothing of the kind:
/// cargo names those of a workspace from its root.
fn remapped() -> String {
    let home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")))
        .unwrap_or_default();
    let flags = [format!("--remap-path-prefix={home}/registry/src=crates")];
    format!("target.{MUSL}.rustflags={}", serde_json::json!(flags))
}
