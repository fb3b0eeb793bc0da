//! The page that explains (`doorward explain --page`): one file that opens no connection.
//!
//! Its elements, style and script are in `middleware/page/`. This puts them into one text, together
//! with wasm-bindgen's JavaScript of both modules, and names the digests of style and script in the
//! page's own policy (CSP), so that nothing else runs in it. The modules themselves are data in the
//! page; they are in the npm package anyhow, so the text that ships has a mark in place of each, and
//! `doorward explain --page` puts them in.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::build_cli;
use crate::build_package::base64;
use crate::shell::{self, Failure, Result};
use crate::wasm;

/// Writes `middleware/wasm/page.html`, of what both builds of the package have written.
pub(crate) fn template() -> Result<PathBuf> {
    let page = read("middleware/page/page.html")?;
    let style = read("middleware/page/page.css")?;
    let script = [
        started("startCli", &read("middleware/wasm/cli.js")?, "{ Doorward }")?,
        started("startGate", &read("middleware/wasm/default.js")?, "{ inspect }")?,
        read("middleware/page/page.js")?,
    ]
    .concat();
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}' 'wasm-unsafe-eval'; style-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'",
        base64(&Sha256::digest(&script)),
        base64(&Sha256::digest(&style)),
    );
    let mut page = wasm::replace_once(&page, "@@policy@@", &policy)?;
    for (mark, text) in [("@@page.css@@", style), ("@@script@@", script)] {
        page = wasm::replace_once(&page, mark, &text)?;
    }
    // Where the documents are, if that is known: each reason has its section there.
    if let Ok(url) = std::env::var("PROJECT_URL") {
        let documents =
            format!("<html lang=\"en\" data-documents=\"{}/\"", url.trim_end_matches('/'));
        page = wasm::replace_once(&page, "<html lang=\"en\"", &documents)?;
    }
    let file = folder().join("page.html");
    wasm::write(&file, page.as_bytes())?;
    Ok(file)
}

/// Writes the whole page into the target folder, for a site of documents.
pub(crate) fn whole() -> Result<PathBuf> {
    let mut page = fs::read_to_string(template()?).map_err(|error| unread("page.html", &error))?;
    let gate = "doorward_bg.wasm";
    let gate = fs::read(folder().join(gate)).map_err(|error| unread(gate, &error))?;
    for (mark, module) in [("@@cli.wasm@@", build_cli::module()?), ("@@gate.wasm@@", gate)] {
        page = wasm::replace_once(&page, mark, &base64(&module))?;
    }
    let folder = shell::target_directory()?.join("page");
    fs::create_dir_all(&folder).map_err(|error| wasm::not_written(&folder, &error))?;
    let file = folder.join("explain.html");
    wasm::write(&file, page.as_bytes())?;
    shell::say(format!("{} bytes in {}", page.len(), file.display()));
    Ok(file)
}

fn folder() -> PathBuf {
    shell::root().join("middleware").join("wasm")
}

fn read(name: &str) -> Result<String> {
    fs::read_to_string(shell::root().join(name)).map_err(|error| unread(name, &error))
}

fn unread(name: &str, error: &std::io::Error) -> Failure {
    let file = Path::new(name).display();
    Failure::new(format!("{file} cannot be read: {error}"))
        .hint("cargo xtask build cli and cargo xtask build package make what it consists of")
}

/// wasm-bindgen's JavaScript as a function of the compiled module: the page has no modules of its
/// own that could be imported.
fn started(name: &str, script: &str, exports: &str) -> Result<String> {
    let mut body = String::new();
    for line in script.lines() {
        let loads = ["import ", "const wasmModule = ", "const wasmFile = "];
        let is_loading = loads.iter().any(|begin| line.starts_with(begin));
        if !is_loading {
            body.push_str(line.strip_prefix("export ").unwrap_or(line));
            body.push('\n');
        }
    }
    if body.contains("\nexport ") || body.contains("</script") {
        return Err(Failure::new(
            "wasm-bindgen's JavaScript is not as xtask/src/build_page.rs expects",
        ));
    }
    Ok(format!(
        "function {name}(wasmModule) {{\n{body}__wbg_reset_state();\nreturn {exports};\n}}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::started;

    #[test]
    fn scripts_become_functions() {
        let script = "import { a } from \"b\";\nconst wasmModule = 1;\nexport class Doorward {}\n";
        let function = started("start", script, "{ Doorward }").unwrap_or_default();
        assert_eq!(
            function,
            "function start(wasmModule) {\nclass Doorward {}\n__wbg_reset_state();\nreturn { Doorward };\n}\n"
        );
        assert!(started("start", "const a = \"</script>\";\n", "{}").is_err());
    }
}
