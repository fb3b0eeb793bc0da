//! `doorward keys`: makes keys and secrets, and shows the public side of a private key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Subcommand, ValueEnum};
use doorward::probe;

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;

const MAX_KEY_BYTES: usize = 64 * 1024;

/// Make keys and secrets, or print the public key set of a private key
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  doorward keys new                            an Ed25519 key pair for assertions
  doorward keys new --alg ES256 --out key.json a P-256 key pair, in a file that only you may read
  doorward keys new --alg HS256                a random secret of 32 bytes, such as
                                               BETTER_AUTH_SECRET wants
  doorward keys jwks key.json                  the key set that verifiers may know")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Make a key pair (a private JWK), or a secret
    New(NewArgs),
    /// Print the public key set (JWKS) of a private key
    Jwks(JwksArgs),
}

#[derive(clap::Args)]
struct NewArgs {
    /// What the key signs with
    #[arg(long, value_enum, default_value_t = Algorithm::EdDsa)]
    alg: Algorithm,
    /// Write it to this file, which only you may read, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
}

#[derive(clap::Args)]
struct JwksArgs {
    /// The private key, a JWK; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Algorithm {
    /// Ed25519
    #[value(name = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256
    #[value(name = "ES256")]
    Es256,
    /// A shared secret
    #[value(name = "HS256")]
    Hs256,
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: Args, output: Output) -> ExitCode {
    match args.command {
        KeysCommand::New(args) => new(io, args, output).await,
        KeysCommand::Jwks(args) => jwks(io, args).await,
    }
}

async fn new(io: &Io, args: NewArgs, output: Output) -> ExitCode {
    let made = match args.alg {
        Algorithm::EdDsa => io.generate_key("EdDSA").await,
        Algorithm::Es256 => io.generate_key("ES256").await,
        Algorithm::Hs256 => secret(io).await.map(|secret| {
            if output.json { serde_json::json!({ "secret": secret }).to_string() } else { secret }
        }),
    };
    let text = match made {
        Ok(text) => format!("{text}\n"),
        Err(message) => {
            io.error(&format!("no key was made: {message}"), None).await;
            return ExitCode::Unfinished;
        }
    };
    let Some(path) = args.out else {
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

async fn jwks(io: &Io, args: JwksArgs) -> ExitCode {
    let file = &args.file;
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
