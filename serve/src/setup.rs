//! From the configuration to a gate; and again when the file changes, or at SIGHUP. One with a
//! mistake is refused with all its problems in the log, and the gate that is there stays.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use doorward::config_error_line;
use doorward_host::{Host as _, engine};
use tokio::time::{MissedTickBehavior, interval};

use crate::client::Client;
use crate::gate::Gate;
use crate::log;
use crate::options::{Options, Wrong};
use crate::server::Server;
use crate::tls;

/// Where a configuration is, where nothing else is said.
const USUAL_FILE: &str = "doorward.json";
/// The variable that it may be in.
const VARIABLE: &str = "DOORWARD";
/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A configuration, and where it comes from, in words for the log.
pub(crate) type Source = (String, String);

/// The configuration: the file that is named, the variable, the usual file, or none, which is the
/// preset `better-auth`.
pub(crate) fn source(options: &Options) -> Result<Source, Wrong> {
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map(|text| (text, path.display().to_string()))
            .map_err(|error| Wrong::new(format!("{} cannot be read: {error}", path.display())))
    };
    if let Some(path) = &options.config {
        return read(path);
    }
    if let Ok(text) = std::env::var(VARIABLE)
        && !text.trim().is_empty()
    {
        return Ok((text, format!("variable {VARIABLE}")));
    }
    let usual = Path::new(USUAL_FILE);
    if usual.exists() {
        return read(usual);
    }
    Ok((String::new(), "preset better-auth".to_owned()))
}

/// The gate of a configuration; where it has mistakes, they are logged, and there is none.
pub(crate) fn gate(
    source: &Source,
    options: &Options,
    client: &Arc<Client>,
) -> Result<Gate, Wrong> {
    let gate = silent_gate(source, options, client)?;
    let lines = gate.with_engine(|engine| engine.start_lines(&source.1, doorward_native::now()));
    lines.unwrap_or_default().iter().for_each(|line| log::write(line));
    Ok(gate)
}

/// The same, without the lines of a start.
pub(crate) fn silent_gate(
    (document, name): &Source,
    options: &Options,
    client: &Arc<Client>,
) -> Result<Gate, Wrong> {
    let mut can = doorward_native::capabilities();
    if options.upstream.is_some() {
        can = can.and_fetching_pages();
    }
    if options.metrics.is_some() {
        can = can.and_measuring();
    }
    let variable = |name: &str| std::env::var(name).ok();
    let made = engine(document, variable, &can, RandomState::new().hash_one(0));
    let engine = made.map_err(|mistakes| {
        for mistake in &mistakes {
            log::write(&config_error_line(mistake, doorward_native::now()));
        }
        Wrong::new(format!("the configuration ({name}) has {} mistakes", mistakes.len()))
            .hint("the lines of the log before this one have them all")
    })?;
    let gate = Gate::new(engine, Arc::clone(client));
    if options.upstream.is_none()
        && let Some(rule) = gate.names.upstreams.first()
    {
        return Err(Wrong::new(format!("{rule}: a rule with an upstream of its own"))
            .hint("a proxy that asks by forward-auth forwards by itself: use --upstream"));
    }
    Ok(gate)
}

/// Files that are looked at, as they were.
#[derive(PartialEq, Eq, Clone)]
struct Seen {
    configuration: Option<Source>,
    certificate: Option<(Vec<u8>, Vec<u8>)>,
}

impl Seen {
    fn now(options: &Options) -> Self {
        let pair = options.tls.as_ref();
        Self {
            configuration: source(options).ok(),
            certificate: pair.and_then(|(cert, key)| tls::read((cert, key)).ok()),
        }
    }
}

/// Follows the files for as long as the server runs.
pub(crate) async fn follow(server: Arc<Server>) {
    let mut used = Seen::now(&server.options);
    let mut before = used.clone();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut hangup = hangups();
    loop {
        let is_asked = tokio::select! {
            _ = look.tick() => false,
            () = hangup.next() => true,
        };
        let options = server.options.clone();
        let Ok(found) = tokio::task::spawn_blocking(move || Seen::now(&options)).await else {
            continue;
        };
        // One that is still being written is not the same a moment later.
        let is_whole = found == before;
        before = found.clone();
        if !is_asked && (!is_whole || found == used) {
            continue;
        }
        if is_asked || found.configuration != used.configuration {
            reload(&server);
        }
        if is_asked || found.certificate != used.certificate {
            renew(&server, found.certificate.as_ref());
        }
        used = found;
    }
}

/// Takes the configuration that is there now.
fn reload(server: &Server) {
    let gate = source(&server.options)
        .and_then(|source| gate(&source, &server.options, &server.gate().client));
    match gate {
        Ok(gate) => server.replace(gate),
        Err(wrong) => log::event(
            "config_kept",
            &[
                ("problem", &wrong.problem),
                ("hint", "the gate goes on with the configuration that it has"),
            ],
        ),
    }
}

fn renew(server: &Server, pair: Option<&(Vec<u8>, Vec<u8>)>) {
    let Some((acceptor, (cert, key))) = server.acceptor.as_ref().zip(pair) else { return };
    match acceptor.replace(cert, key) {
        Ok(()) => log::event("certificate", &[("read", "anew")]),
        Err(wrong) => log::event(
            "certificate_kept",
            &[("problem", &wrong.problem), ("hint", "connections get the one that was there")],
        ),
    }
}

/// SIGHUP, where there are signals.
struct Hangups {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

fn hangups() -> Hangups {
    Hangups {
        #[cfg(unix)]
        signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
    }
}

impl Hangups {
    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}
