//! Both carriers print the same: the native program, and Node with the WebAssembly that `cargo
//! xtask build cli` makes. Where that was not built, only the native program is looked at.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

/// Command lines, what is typed, and how each ends. `{service}` is an auth service of a few
/// answers.
const LINES: [(&str, &str, i32); 30] = [
    ("", "", 2),
    ("--help", "", 0),
    ("--version", "", 0),
    ("doctor --help", "", 0),
    ("keys --help", "", 0),
    ("explain --help", "", 0),
    ("doctr", "", 2),
    ("causes", "", 0),
    ("causes --json", "", 0),
    ("causes secret-whitespace", "", 0),
    ("causes secret-white", "", 2),
    ("reasons signature_invalid --json", "", 0),
    (
        "keys jwks",
        r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        0,
    ),
    ("keys jwks", "{}", 1),
    ("keys jwks missing.json", "", 2),
    ("explain --cookie-file -", "better-auth.session_token=abc", 1),
    ("explain --cookie-file - --json --at 2027-01-15T08:00:00Z", "Cookie: a=b", 1),
    ("explain --token-file -", "Bearer abc", 1),
    ("explain - --path /x --at 2027-01-15T08:00:00Z", "Cookie: a=b", 1),
    ("explain - --json --at 2027-01-15T08:00:00Z", "curl https://a.example/x -H 'Cookie: a=b'", 1),
    ("explain - --at soon", "a.b.c", 2),
    ("explain --page", "", 2),
    ("help check", "", 0),
    ("check --strickt", "", 2),
    ("doctor https://app.example.com --offline", "", 0),
    ("doctor nowhere", "", 2),
    ("doctor http://127.0.0.1:1", "", 1),
    ("doctor http://127.0.0.1:1 --report", "", 1),
    ("doctor {service}", "", 0),
    ("doctor {service} --only reach --verbose", "", 0),
];

#[test]
fn both_carriers_print_the_same() {
    let service = service();
    let node = node_program();
    if node.is_none() {
        println!("middleware/wasm/cli.wasm.br is not there: only the native program is looked at");
    }
    let mut wrong = Vec::new();
    for (line, typed, exit) in LINES {
        let line = line.replace("{service}", &service);
        let words: Vec<&str> = line.split_whitespace().collect();
        let native = run(Command::new(env!("CARGO_BIN_EXE_doorward")).args(&words), typed);
        if native.status.code() != Some(exit) {
            wrong.push(format!("{line}: exit {:?}\n{}", native.status.code(), text(&native)));
        }
        let Some(program) = &node else { continue };
        let by_node = run(Command::new("node").arg(program).args(&words), typed);
        if text(&native) != text(&by_node) || native.status.code() != by_node.status.code() {
            wrong.push(format!("{line}:\n{}\n--- node ---\n{}", text(&native), text(&by_node)));
        }
    }
    println!("{} command lines", LINES.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n======\n"));
}

fn node_program() -> Option<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../middleware");
    package.join("wasm/cli.wasm.br").exists().then(|| package.join("bin/doorward.mjs"))
}

fn run(command: &mut Command, typed: &str) -> Output {
    let mut child = command
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{error}"));
    if let Some(mut stdin) = child.stdin.take() {
        // A command that reads nothing may have ended.
        let _ = stdin.write_all(typed.as_bytes());
    }
    child.wait_with_output().unwrap_or_else(|error| panic!("{error}"))
}

/// What was printed, without how long it took.
fn text(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    let lines = out.lines().chain(err.lines()).map(|line| match line.find(" requests, ") {
        Some(at) => line.chars().take(at).collect(),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// An auth service that answers `/ok`, `/get-session` and `/sign-out` as Better Auth does.
fn service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
    let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = Vec::new();
            let mut byte = [0; 1];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1)
            {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).to_lowercase();
            let _ = stream.write_all(answer(&head).as_bytes());
        }
    });
    format!("http://{address}")
}

fn answer(head: &str) -> String {
    let path = head.split_whitespace().nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let has_cookie = head.contains("\r\ncookie:");
    let has_origin = head.contains("\r\norigin:");
    let chunk = "set-cookie: better-auth.session_data.0=; Max-Age=0; Path=/\r\n";
    let deletions = "set-cookie: better-auth.session_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax\r\nset-cookie: better-auth.session_data=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax\r\n";
    let (status, headers, body) = match path {
        "/api/auth/ok" => ("200 OK", String::new(), r#"{"ok":true}"#),
        "/api/auth/get-session" => ("200 OK", String::new(), "null"),
        "/api/auth/verify-email" => {
            ("401 Unauthorized", String::new(), r#"{"code":"INVALID_TOKEN"}"#)
        }
        "/api/auth/sign-out" if has_cookie && !has_origin => {
            ("403 Forbidden", String::new(), r#"{"code":"MISSING_OR_NULL_ORIGIN"}"#)
        }
        "/api/auth/sign-out" => {
            let chunk = if has_cookie { chunk } else { "" };
            ("200 OK", [deletions, chunk].concat(), r#"{"success":true}"#)
        }
        _ => ("404 Not Found", String::new(), ""),
    };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
