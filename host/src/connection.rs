//! Connections that stay open: a WebSocket, an event stream.

use doorward::{ConnectionLimits, ConnectionStatus, Reason};

use crate::head::LendHead;
use crate::host::Host;
use crate::timing::within;

/// Whether the connection that began with this head has to end now, and why. Without an engine, or
/// in an outage, it stays open: its `until` ends it.
pub async fn recheck<H: Host>(host: &H, head: &impl LendHead) -> Option<Reason> {
    let now = host.now();
    let mut status = host.with_engine(|engine| head.lend(|head| engine.recheck(head, now)))?;
    while let ConnectionStatus::Perform(pending) = status {
        let result = host.perform(pending.effect()).await;
        let now = host.now();
        status = host.with_engine(|engine| {
            head.lend(|head| result.lend(|result| engine.rechecked(head, pending, result, now)))
        })?;
    }
    if let ConnectionStatus::Closed(reason) = status { Some(reason) } else { None }
}

/// Waits until this connection has to end; a connection without limits never has to. Gives the
/// reason, or nothing where its time is over.
pub async fn connection_end<H: Host>(
    host: &H,
    head: &impl LendHead,
    limits: ConnectionLimits,
) -> Option<Reason> {
    let left = || limits.until.map_or(LONGEST_MS, |until| whole(until.millis_since(host.now())));
    while left() > 0 {
        let after = limits.recheck_after_ms.filter(|after| *after < left());
        host.sleep(after.unwrap_or_else(left)).await;
        if after.is_some()
            && let Some(Some(reason)) = within(host.sleep(left()), recheck(host, head)).await
        {
            return Some(reason);
        }
    }
    None
}

/// No timer takes more: afterwards there is another.
const LONGEST_MS: u32 = 0x7fff_ffff;

fn whole(millis: i64) -> u32 {
    u32::try_from(millis.max(0)).unwrap_or(LONGEST_MS).min(LONGEST_MS)
}
