//! `cargo xtask site`: the documents as a site, by VitePress.

use crate::shell::{self, Failure, Result};
use crate::{build, debian, node};

pub(crate) const HELP: &str = "\
Make a site of the documents, with search, the page that explains decisions, and llms.txt

usage: cargo xtask site
       cargo xtask site --check    also open every page in a browser

needs    Node 20 or newer, and the npm registry; what `cargo xtask build package` has built, or it
         builds that. For --check Chromium, a Debian package that it installs where it may (as root)
does     puts every Markdown file of the repository into one site, as it is. A link that leads
         nowhere stops it. With PROJECT_URL set, pages link to the repository
         --check: all links and their sections; every page at two widths: no error on the console,
         no request to another host, nothing wider than the screen; contrast in light and dark;
         search and focus by keyboard
writes   target/site/, files that any host of static sites takes (addresses without .html)
prints   the folder
exit     0, or 1 if something is not as it should be

examples
  cargo xtask site
  PROJECT_URL=https://example.com/acme/doorward cargo xtask site
";

/// What is installed for it.
const MEMBER: &str = "docs";

/// `cargo xtask site`
pub(crate) fn run(options: &[String]) -> Result {
    let is_check = match options.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--check"] => true,
        words => {
            let problem = format!("`site` does not take `{}`", words.join(" "));
            return Err(Failure::usage(problem).hint("cargo xtask site --help"));
        }
    };
    node::check()?;
    if is_check {
        debian::ensure("chromium", debian::BROWSERS)?;
    }
    let root = shell::root();
    if !root.join("middleware/wasm/page.html").exists() {
        build::package()?;
    }
    node::install(&[MEMBER])?;
    let folder = shell::target_directory()?.join("site");
    let npm = |script: &str| {
        let mut command = node::npm(&["run", script, "--workspace", MEMBER], &root);
        command.env("DOORWARD_SITE", &folder);
        command
    };
    shell::run(&mut npm("build"))?;
    if is_check {
        shell::run(&mut npm("test"))?;
    }
    println!("{}", folder.display());
    Ok(())
}
