//! `doorward keys`: makes keys and secrets, and shows the public side of a private key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward::probe;

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;
use crate::usage::{Argument, Opt, Usage, Words};

const MAX_KEY_BYTES: usize = 64 * 1024;

/// What it takes, and its help.
pub(crate) const USAGE: Usage = Usage {
    name: "keys",
    about: "Make keys and secrets, or print the public key set of a private key",
    arguments: &[],
    options: &[],
    commands: &[&NEW, &JWKS],
    more: "\
Examples:
  doorward keys new                            an Ed25519 key pair for assertions
  doorward keys new --alg ES256 --out key.json a P-256 key pair, in a file that only you may read
  doorward keys new --alg HS256                a random secret of 32 bytes, such as
                                               BETTER_AUTH_SECRET wants
  doorward keys jwks key.json                  the key set that verifiers may know",
};

const NEW: Usage = Usage {
    name: "new",
    about: "Make a key pair (a private JWK), or a secret",
    arguments: &[],
    options: &[
        Opt {
            usual: Some("EdDSA"),
            words: &["EdDSA", "ES256", "HS256"],
            ..Opt::value(
                "alg",
                "ALG",
                "What the key signs with: Ed25519, ECDSA on P-256, or a shared secret",
            )
        },
        Opt::value(
            "out",
            "FILE",
            "Write it to this file, which only you may read, instead of standard output",
        ),
    ],
    commands: &[],
    more: "",
};

const JWKS: Usage = Usage {
    name: "jwks",
    about: "Print the public key set (JWKS) of a private key",
    arguments: &[
        Argument::optional("FILE", "The private key, a JWK; `-` is standard input").usual("-")
    ],
    options: &[],
    commands: &[],
    more: "",
};

/// What the command line says.
pub(crate) enum Args {
    New { alg: String, out: Option<String> },
    Jwks { file: String },
}

impl Args {
    pub(crate) fn of(words: &mut Words) -> Self {
        if words.commands.contains(&"jwks") {
            Self::Jwks { file: words.one("FILE").unwrap_or_else(|| "-".to_owned()) }
        } else {
            Self::New { alg: words.one("alg").unwrap_or_default(), out: words.one("out") }
        }
    }
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: Args, output: Output) -> ExitCode {
    match args {
        Args::New { alg, out } => new(io, &alg, out, output).await,
        Args::Jwks { file } => jwks(io, &file).await,
    }
}

async fn new(io: &Io, alg: &str, out: Option<String>, output: Output) -> ExitCode {
    let made = match alg {
        "HS256" => secret(io).await.map(|secret| {
            if output.json { serde_json::json!({ "secret": secret }).to_string() } else { secret }
        }),
        alg => io.generate_key(alg).await,
    };
    let text = match made {
        Ok(text) => format!("{text}\n"),
        Err(message) => {
            io.error(&format!("no key was made: {message}"), None).await;
            return ExitCode::Unfinished;
        }
    };
    let Some(path) = out else {
        io.out(text).await;
        return ExitCode::Good;
    };
    if let Err(message) = io.write(&path, &text, true).await {
        io.error(&format!("{path} was not written: {message}"), None).await;
        return ExitCode::Unfinished;
    }
    io.err(format!("doorward: {path} is written; keep it out of version control\n")).await;
    ExitCode::Good
}

async fn secret(io: &Io) -> Result<String, String> {
    let bytes = io.random(32).await.ok_or("this platform gives no random bytes")?;
    Ok(STANDARD.encode(bytes))
}

async fn jwks(io: &Io, file: &str) -> ExitCode {
    let text = match io.read_text(file, MAX_KEY_BYTES).await {
        Ok(Some(text)) => text,
        Ok(None) => {
            io.error(&format!("{file} does not exist"), None).await;
            return ExitCode::Usage;
        }
        Err(message) => {
            io.error(&format!("{file}: {message}"), None).await;
            return ExitCode::Usage;
        }
    };
    match probe::public_jwk(text.trim()) {
        Ok(jwk) => {
            io.out(format!("{{\"keys\":[{jwk}]}}\n")).await;
            ExitCode::Good
        }
        Err(wrong) => {
            io.error(wrong, Some("`doorward keys new` makes one")).await;
            ExitCode::Bad
        }
    }
}
