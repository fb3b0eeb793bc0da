//! What all connections of a server share.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, watch};

use crate::gate::Gate;
use crate::options::Options;
use crate::tls;

/// What is known of a connection.
pub(crate) struct Connection {
    /// The client's address.
    pub(crate) peer: Option<IpAddr>,
    /// The address at which it came in, as scheme, host and port.
    pub(crate) local: String,
}

/// What all connections share.
pub(crate) struct Server {
    pub(crate) options: Options,
    /// The gate that new requests get.
    gates: watch::Sender<Arc<Gate>>,
    pub(crate) acceptor: Option<tls::Acceptor>,
    /// Whether the server is to end.
    stopping: watch::Sender<bool>,
    /// Room for connections.
    pub(crate) room: Arc<Semaphore>,
    /// Connections and streams that are open.
    open: AtomicUsize,
}

impl Server {
    pub(crate) fn new(options: Options, gate: Gate, acceptor: Option<tls::Acceptor>) -> Self {
        Self {
            gates: watch::Sender::new(Arc::new(gate)),
            acceptor,
            stopping: watch::Sender::new(false),
            room: Arc::new(Semaphore::new(options.max_connections)),
            open: AtomicUsize::new(0),
            options,
        }
    }

    /// Tells everything that it is to end.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// How much is open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gates.borrow())
    }

    /// Hears of another gate.
    pub(crate) fn gates(&self) -> watch::Receiver<Arc<Gate>> {
        self.gates.subscribe()
    }

    pub(crate) fn replace(&self, gate: Gate) {
        self.gates.send_replace(Arc::new(gate));
    }

    /// Waits until the server is to end.
    pub(crate) async fn stopped(&self) {
        let _ = self.stopping.subscribe().wait_for(|is_stopping| *is_stopping).await;
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Counts something that is open until this is dropped.
    pub(crate) fn opened(self: &Arc<Self>) -> Opened {
        self.open.fetch_add(1, Ordering::Relaxed);
        Opened(Arc::clone(self))
    }
}

/// Something that is open.
pub(crate) struct Opened(Arc<Server>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
