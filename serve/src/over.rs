//! When a connection that stays open has to end: a WebSocket, an event stream.

use std::sync::Arc;

use doorward::ConnectionLimits;
use doorward_host::{OwnedHead, connection_end, recheck};

use crate::gate::Gate;
use crate::server::Server;

/// Why it ends, as a WebSocket says it (RFC 6455 section 7.4): a code and a word.
pub(crate) type Why = (u16, &'static str);

/// What it rested on is over: a code of the application's own, as of all hosts.
const CLOSED_BY_GATE: u16 = 4401;
/// The server ends; its client is to come back.
const GOING_AWAY: Why = (1001, "going away");

/// Waits until what a connection rests on is over, or the server ends. Under another configuration
/// the request that began it is decided on anew.
pub(crate) async fn over(
    server: Arc<Server>,
    mut gate: Arc<Gate>,
    head: OwnedHead,
    limits: ConnectionLimits,
) -> Why {
    let mut gates = server.gates();
    loop {
        tokio::select! {
            reason = connection_end(&*gate, &head, limits) => {
                return (CLOSED_BY_GATE, reason.map_or("expired", |reason| reason.code()));
            }
            () = server.stopped() => return GOING_AWAY,
            Ok(()) = gates.changed() => {
                gate = Arc::clone(&gates.borrow_and_update());
                if let Some(reason) = recheck(&*gate, &head).await {
                    return (CLOSED_BY_GATE, reason.code());
                }
            }
        }
    }
}
