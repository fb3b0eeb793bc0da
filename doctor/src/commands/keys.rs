//! `doorward keys`: makes keys and secrets, and shows the public side of a private key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::{Subcommand, ValueEnum};
use doorward::probe;
use serde_json::Value;

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
    match public_jwk(text.trim()) {
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

/// The public side of a private key, as a JWK that says what it is for. Its name is its own or its
/// thumbprint (RFC 7638). Whether both sides belong together is checked by the gate at its start.
///
/// # Errors
/// What is wrong with the key, in words that quote nothing of it.
fn public_jwk(private: &str) -> Result<String, &'static str> {
    let key: Value =
        serde_json::from_str(private).map_err(|_| "this is not a JWK: one JSON object")?;
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let coordinate = |name: &str| {
        let value = text(name)?;
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        (bytes.len() == 32).then(|| value.to_owned())
    };
    let missing = "a part of the key is missing or not base64url of 32 bytes";
    let x = coordinate("x").ok_or(missing)?;
    coordinate("d").ok_or("the private part \"d\" is missing or not base64url of 32 bytes")?;
    let (defining, alg) = match (text("kty"), text("crv")) {
        (Some("OKP"), Some("Ed25519")) => {
            (format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#), "EdDSA")
        }
        (Some("EC"), Some("P-256")) => {
            let y = coordinate("y").ok_or(missing)?;
            (format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#), "ES256")
        }
        _ => return Err("this is neither an EC key on P-256 nor an OKP key on Ed25519"),
    };
    let thumbprint = URL_SAFE_NO_PAD.encode(probe::sha256(defining.as_bytes()));
    let kid = Value::from(text("kid").map_or(thumbprint, str::to_owned));
    let open = defining.trim_end_matches('}');
    Ok(format!(r#"{open},"alg":"{alg}","use":"sig","kid":{kid}}}"#))
}

#[cfg(test)]
mod tests {
    use super::public_jwk;

    /// RFC 8037 appendix A.1 to A.3.
    #[test]
    fn the_public_side_is_that_of_the_rfc() {
        let private = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let public = r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"EdDSA","use":"sig","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}"#;
        assert_eq!(public_jwk(private).as_deref(), Ok(public));
        for wrong in ["", "[]", "{}", &public.replace("\"d\"", "\"e\""), r#"{"kty":"RSA"}"#] {
            assert!(public_jwk(wrong).is_err(), "{wrong}");
        }
    }
}
