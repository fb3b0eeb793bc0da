//! `cargo xtask test`: everything, in order, whatever fails; a table at the end.

use std::time::{Duration, Instant};

use crate::shell::{self, Failure, Result};
use crate::{alerts, causes, debian, demo, hosts, node, python, sessions, soak, stack, wasm};

pub(crate) const HELP: &str = "\
Run every test, or the parts that you name

usage: cargo xtask test [part …]
       cargo xtask test --fast      what a change breaks first: the core with every vector, and the
                                    npm package in Node
       cargo xtask test --list      the parts, one a line; last those of --fast

needs    Node 20 or newer, Python 3.11 or newer with venv, and the registries of crates, npm and
         PyPI
does     builds and installs what the parts need, then runs them in order, also after one has
         failed. What they print goes to stderr. All parts take about an hour, --fast a
         few minutes
prints   a table of the parts, and last `N passed, N failed`
exit     0 if every part has passed, otherwise 1

examples
  cargo xtask test
  cargo xtask test --fast
  cargo xtask test native clippy
  cargo xtask test demo-worker
";

struct Part {
    name: &'static str,
    about: &'static str,
    work: Work,
}

enum Work {
    Cargo(&'static [&'static str]),
    /// A command of this program, and the members of the npm workspace that it needs.
    Xtask(&'static [&'static str], &'static [&'static str]),
    /// A script of a member of the npm workspace. It loads what the part `build` makes.
    Npm(&'static str, &'static str),
    /// The same for a script that loads what the part `build-tests` makes, besides.
    NpmOnVariants(&'static str, &'static str),
    /// The Python package in that folder: style, types and tests. They ask the real Better Auth of
    /// the stack's auth service.
    Python(&'static str),
    /// A function of this program, that needs nothing built.
    Own(fn() -> Result),
}
use Work::{Cargo, Npm, NpmOnVariants, Own, Python, Xtask};

/// Every part; a new one is a new line.
#[rustfmt::skip]
const PARTS: &[Part] = &[
    Part { name: "format",      about: "rustfmt has nothing to change",                                     work: Cargo(&["fmt", "--all", "--check"]) },
    Part { name: "clippy",      about: "no warning, native",                                                work: Cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]) },
    Part { name: "clippy-wasm", about: "no warning, as WebAssembly",                                        work: Cargo(&["clippy", "-p", "doorward-binding", "-p", "doorward-worker", "--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]) },
    Part { name: "notices",     about: "one licence everywhere, and notices of what ships",                 work: Xtask(&["notices", "--check"], &[]) },
    Part { name: "native",      about: "the core and the native host",                                      work: Cargo(&["test", "--workspace", "--no-fail-fast"]) },
    Part { name: "cost",        about: "a decision's cost grows with its input, never faster",              work: Cargo(&["test", "--profile", "cost", "-p", "doorward", "--test", "cost"]) },
    Part { name: "alerts",      about: "alert rules and dashboard, by promtool on series of real faults",   work: Own(alerts::test) },
    Part { name: "build",       about: "both WebAssembly modules and their JavaScript",                     work: Xtask(&["build"], &[]) },
    Part { name: "build-tests", about: "the variants of both that only tests load",                         work: Xtask(&["build", "tests"], &[]) },
    Part { name: "js",          about: "the npm package: Node and the edge runtime",                        work: NpmOnVariants("middleware", "test") },
    Part { name: "suites",      about: "Wycheproof and the RFCs' examples: Node, edge runtime, workerd",    work: NpmOnVariants("middleware", "test:suites") },
    Part { name: "page",        about: "the page that explains decisions, in a browser by keyboard",       work: Npm("middleware", "test:page") },
    Part { name: "site",        about: "the documents as a site: every page in a browser, every link",      work: Npm("docs", "test") },
    Part { name: "next",        about: "a built Next.js app behind doorward/next",                          work: Npm("middleware", "test:next") },
    Part { name: "routers",     about: "spellings of protected paths, sent to real routers",                work: Npm("tests/routers", "test") },
    Part { name: "vercel",      about: "what vercel build makes of doorward/vercel",                        work: Npm("middleware", "test:vercel") },
    Part { name: "python",      about: "the Python verifier and doctor, and the gate before uvicorn and gunicorn",   work: Python("origin/python") },
    Part { name: "worker",      about: "the Worker in workerd",                                             work: NpmOnVariants("worker/test", "test") },
    Part { name: "faults",      about: "every combination of faults, in Node and workerd",                  work: Npm("middleware", "test:faults") },
    Part { name: "soak",        about: "a thousand sessions while the auth service fails",                  work: Xtask(&["soak"], soak::MEMBERS) },
    Part { name: "storage",     about: "what a real Better Auth stores, as the gate reads it",              work: Npm("examples/demo", "test") },
    Part { name: "causes",      about: "the doctor names what is wrong with broken deployments",            work: Xtask(&["causes"], causes::MEMBERS) },
    Part { name: "hosts",       about: "the gate in hosts of each kind, as users install it",               work: Xtask(&["hosts", "--quick"], hosts::MEMBERS) },
    Part { name: "serve",       about: "the native server, by itself and behind a real nginx",                work: Xtask(&["serve"], &[]) },
    Part { name: "demo-worker", about: "the demo with the Worker in workerd",                               work: Xtask(&["demo", "--host", "worker"], demo::MEMBERS) },
    Part { name: "demo-node",   about: "the demo with doorward/node",                                       work: Xtask(&["demo", "--host", "node"], demo::MEMBERS) },
    Part { name: "sessions",    about: "Better Auth old and new, PGlite and PostgreSQL, both hosts",        work: Xtask(&["sessions"], sessions::MEMBERS) },
    Part { name: "stack",       about: "three services behind the gate, in a real browser",                 work: Xtask(&["stack", "--check"], stack::MEMBERS) },
];

/// What a change breaks first; these are parts of the parts above.
#[rustfmt::skip]
const FAST: &[Part] = &[
    Part { name: "format",      about: "rustfmt has nothing to change",                                     work: Cargo(&["fmt", "--all", "--check"]) },
    Part { name: "core",        about: "the core with every vector, the host kit, the native host",         work: Cargo(&["test", "-p", "doorward", "-p", "doorward-host", "-p", "doorward-native", "--no-fail-fast"]) },
    Part { name: "package",     about: "the WebAssembly of the npm package",                                work: Xtask(&["build", "package", "--gate"], &[]) },
    Part { name: "js-unit",     about: "the npm package in Node",                                           work: Npm("middleware", "test:unit") },
];

/// Tools that would phone home, told not to.
const QUIET: [(&str, &str); 3] = [
    ("NEXT_TELEMETRY_DISABLED", "1"),
    ("WRANGLER_SEND_METRICS", "false"),
    ("CLOUDFLARE_CF_FETCH_ENABLED", "false"),
];

/// Whether a part has that name.
#[cfg(test)]
pub(crate) fn has(name: &str) -> bool {
    PARTS.iter().any(|part| part.name == name)
}

/// Runs the named parts, or all.
pub(crate) fn run(names: &[String]) -> Result {
    if names == ["--list"] {
        for Part { name, about, .. } in PARTS {
            println!("{name:12} {about}");
        }
        println!();
        for Part { name, about, .. } in FAST {
            println!("{name:12} {about}");
        }
        return Ok(());
    }
    if names == ["--fast"] {
        node::check()?;
        wasm::ensure_target()?;
        return perform(&FAST.iter().collect::<Vec<_>>());
    }
    if let Some(unknown) = names.iter().find(|name| !PARTS.iter().any(|part| part.name == **name)) {
        return Err(
            Failure::usage(format!("there is no part `{unknown}`")).hint("cargo xtask test --list")
        );
    }
    node::check()?;
    wasm::ensure_target()?;
    if names.is_empty() || names.iter().any(|name| name == "cost") {
        debian::ensure("valgrind", &["/usr/bin/valgrind"])?;
    }
    if names.is_empty() || names.iter().any(|name| ["page", "site"].contains(&&**name)) {
        debian::ensure("chromium", debian::BROWSERS)?;
    }

    if names.is_empty() || names.iter().any(|name| name == "js") {
        debian::ensure("redis-server", &["/usr/bin/redis-server", "/usr/local/bin/redis-server"])?;
    }

    let is_named = |part: &&Part| names.is_empty() || names.iter().any(|name| name == part.name);
    // What is tested through npm, and the gate before the Python servers, is what is built: never
    // that of another day.
    let loads = |name: &str| {
        PARTS.iter().filter(is_named).any(|part| match part.work {
            Npm(..) | Python(..) => name == "build",
            NpmOnVariants(..) => name == "build" || name == "build-tests",
            Cargo(_) | Xtask(..) | Own(_) => false,
        })
    };
    let chosen: Vec<_> = PARTS.iter().filter(|part| is_named(part) || loads(part.name)).collect();
    perform(&chosen)
}

/// Runs these parts, and prints the table.
fn perform(chosen: &[&Part]) -> Result {
    let mut results = Vec::new();
    // At once for all of them: each further member has npm install everything again.
    let members: Vec<_> = chosen.iter().flat_map(|part| part.work.members()).collect();
    if !members.is_empty() {
        results.push((
            "packages",
            timed("packages", "npm packages of all chosen parts", || node::install(&members)),
        ));
    }
    results.extend(
        chosen.iter().map(|part| (part.name, timed(part.name, part.about, || part.work.perform()))),
    );
    summary(&results)
}

impl Work {
    /// The members of the npm workspace that it needs.
    fn members(&self) -> Vec<&'static str> {
        match self {
            Cargo(_) | Own(_) => Vec::new(),
            Python(_) => vec!["examples/stack/auth-service"],
            Xtask(_, members) => members.to_vec(),
            Npm(member, _) | NpmOnVariants(member, _) => vec![member],
        }
    }

    fn perform(&self) -> Result {
        let root = shell::root();
        let mut command = match self {
            Cargo(arguments) => shell::command("cargo", arguments, &root),
            Xtask(arguments, _) => shell::xtask(arguments)?,
            Npm(member, script) | NpmOnVariants(member, script) => {
                node::install(&[member])?;
                node::npm(&["run", script, "--workspace", member], &root)
            }
            Own(test) => return test(),
            Python(folder) => return python::test(&root.join(folder), &QUIET),
        };
        shell::run(command.envs(QUIET))
    }
}

/// How a part went, and for how long.
struct Outcome {
    problem: Option<Failure>,
    took: Duration,
}

fn timed(name: &str, about: &str, work: impl FnOnce() -> Result) -> Outcome {
    eprintln!("\n── {name}: {about}");
    let begin = Instant::now();
    let problem = work().err();
    if let Some(problem) = &problem {
        problem.report();
    }
    Outcome { problem, took: begin.elapsed() }
}

/// Prints the table; an error if a part has failed.
fn summary(results: &[(&str, Outcome)]) -> Result {
    println!("\n{:12}  {:6}  {:>8}", "part", "result", "seconds");
    for (name, Outcome { problem, took }) in results {
        let result = if problem.is_some() { "FAILED" } else { "passed" };
        println!("{name:12}  {result:6}  {:8.1}", took.as_secs_f64());
    }
    let (failed, passed): (Vec<_>, Vec<_>) =
        results.iter().partition(|(_, outcome)| outcome.problem.is_some());
    println!("{} passed, {} failed", passed.len(), failed.len());
    if failed.is_empty() { Ok(()) } else { std::process::exit(1) } // without a word: the count is the last line
}
