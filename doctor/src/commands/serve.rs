//! `doorward serve`: the gate as a server of its own. What serves is the native program; the carrier
//! on Node says so.

use crate::effects::{Effect, EffectResult, Io};
use crate::exit::ExitCode;
use crate::usage::{Opt, Usage, Words};

/// The proxies that ask by forward-auth.
const PROXIES: &[&str] = &["nginx", "caddy", "haproxy", "envoy", "traefik"];

/// What it takes, and its help.
pub(crate) const USAGE: Usage = Usage {
    name: "serve",
    about: "Serve as a reverse proxy, or answer another proxy (forward-auth); native program only",
    arguments: &[],
    options: &[
        Opt::value("upstream", "URL", "Forward requests to this application"),
        Opt {
            words: PROXIES,
            ..Opt::value("verify", "PROXY", "Answer this proxy, which forwards by itself")
        },
        Opt {
            words: PROXIES,
            ..Opt::value("print-config", "PROXY", "Print this proxy's configuration, and exit")
        },
        Opt::value(
            "listen",
            "ADDRESS",
            "Address and port, or unix:PATH [default: 127.0.0.1:8080; 127.0.0.1:4180 with --verify]",
        ),
        Opt::value(
            "config",
            "FILE",
            "The configuration [default: the variable DOORWARD, doorward.json, or the preset]",
        ),
        Opt::value(
            "public-origin",
            "URL",
            "The address that visitors see [default: PUBLIC_ORIGIN, or where it listens]",
        ),
        Opt {
            words: &["public", "origin"],
            ..Opt::value("origin-host", "NAME", "Which name the application hears as Host")
        },
        Opt::value("tls-cert", "FILE", "Certificate chain, PEM; read again when it changes"),
        Opt::value("tls-key", "FILE", "Its private key, PEM"),
        Opt::value("health", "PATH", "Answer 200 here while requests are taken"),
        Opt::value("metrics", "ADDRESS", "Serve /metrics and /health here, like 127.0.0.1:9464"),
        Opt::value(
            "client-address-header",
            "NAME",
            "Where a load balancer in front says the client's address, as the last entry",
        ),
        Opt::value("max-head", "BYTES", "Largest head of a request [default: 65536]"),
        Opt::value("max-body", "BYTES", "Largest body of a request [default: no limit]"),
        Opt::value("max-connections", "N", "Connections at a time [default: 10000]"),
        Opt::value(
            "origin-timeout",
            "SECONDS",
            "How long the application may take to respond [default: 60]",
        ),
        Opt::value(
            "drain",
            "SECONDS",
            "How long requests may go on after SIGTERM [default: 10]",
        ),
    ],
    commands: &[],
    more: "\
The configuration is read again when its file changes, and at SIGHUP. One with a mistake is refused
with all its problems in the log, and the server goes on with the one that it has. SIGTERM and SIGINT
end it: it finishes what has begun.

With --verify it listens on this machine or on a Unix socket; elsewhere only with
DOORWARD_VERIFY_SECRET, which --print-config writes into the proxy's configuration.

Examples:
  doorward serve --upstream http://127.0.0.1:3000 --listen 0.0.0.0:8080 \\
    --public-origin https://app.example.com
  doorward serve --verify nginx --public-origin https://app.example.com
  doorward serve --print-config nginx --upstream http://127.0.0.1:3000 > /etc/nginx/conf.d/app.conf",
};

/// What the command line says.
pub(crate) struct Args {
    options: Vec<(String, String)>,
}

impl Args {
    pub(crate) fn of(words: &mut Words) -> Self {
        let value = |option: &Opt| Some((option.name.to_owned(), words.one(option.name)?));
        Self { options: USAGE.options.iter().filter_map(value).collect() }
    }
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: Args) -> ExitCode {
    match io.perform(Effect::Serve { options: args.options }).await {
        EffectResult::Done => ExitCode::Good,
        EffectResult::Refused { problem, hint } => {
            io.error(&problem, Some(hint.as_str()).filter(|hint| !hint.is_empty())).await;
            ExitCode::Bad
        }
        _ => {
            io.error(
                "the native program serves, and this is not it",
                Some(
                    "the release has it for Linux, and as a container image: docs/deploy/serve.md",
                ),
            )
            .await;
            ExitCode::Usage
        }
    }
}
