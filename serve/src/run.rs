//! The server's beginning and its end.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::Client;
use crate::gate::Gate;
use crate::listen::{self, Listener};
use crate::log;
use crate::options::{Address, Options, Wrong};
use crate::server::Server;
use crate::{admin, setup, tls};

/// A server that runs.
pub struct Running {
    server: Arc<Server>,
    address: Address,
    work: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Ends it: it accepts nothing new, streams end, what has begun is finished within the time
    /// that the options give.
    pub async fn stop(self) {
        self.server.stop();
        let drained = async {
            while self.server.open() > 0 {
                tokio::time::sleep(DRAIN_LOOK).await;
            }
        };
        let is_drained = timeout(self.server.options.drain, drained).await.is_ok();
        let left = self.server.open().to_string();
        if !is_drained {
            log::event("stopped", &[("connections_cut_off", &left)]);
        }
        self.work.iter().for_each(JoinHandle::abort);
        if let Address::Unix(path) = &self.address {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// How often a server that ends looks whether everything is done.
const DRAIN_LOOK: std::time::Duration = std::time::Duration::from_millis(20);

/// Serves until the process is told to stop (SIGTERM or SIGINT).
///
/// # Errors
/// It cannot start: a mistake in the configuration, an address that is taken.
pub fn run(options: Options) -> Result<(), Wrong> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Wrong::new(format!("no thread starts: {error}")))?;
    runtime.block_on(async {
        let running = start(options).await?;
        stop_signal().await;
        log::event("stopping", &[]);
        running.stop().await;
        Ok(())
    })
}

/// Starts it.
///
/// # Errors
/// It cannot start.
pub async fn start(options: Options) -> Result<Running, Wrong> {
    let client = Arc::new(Client::new(&options)?);
    let gate = setup::gate(&setup::source(&options)?, &options, &client)?;
    started(options, gate).await
}

pub(crate) async fn started(options: Options, gate: Gate) -> Result<Running, Wrong> {
    let acceptor = match &options.tls {
        Some((cert, key)) => {
            let (cert, key) = tls::read((cert, key))?;
            Some(tls::Acceptor::new(&cert, &key)?)
        }
        None => None,
    };
    let listener = Listener::bind(&options.listen).await?;
    let address = listener.address(&options.listen);
    let server = Arc::new(Server::new(options, gate, acceptor));
    let mut work = Vec::new();
    if let Some(address) = server.options.metrics {
        work.push(tokio::spawn(admin::serve(admin::bind(address).await?, Arc::clone(&server))));
    }
    work.push(tokio::spawn(listen::accept(listener, Arc::clone(&server))));
    work.push(tokio::spawn(setup::follow(Arc::clone(&server))));
    let mode = match server.options.verify {
        Some(_) => "forward-auth",
        None => "proxy",
    };
    log::event("listening", &[("address", &address.to_string()), ("mode", mode)]);
    Ok(Running { server, address, work })
}

async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
