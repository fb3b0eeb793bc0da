//! Metrics of this host: nothing can scrape an instance, so what was counted is written some seconds
//! after the first request that it is about.

use std::cell::Cell;

use doorward::{Engine, UnixTime};
use doorward_host::Host as _;

use crate::gate;
use crate::host::WorkerHost;
use crate::sink::write;

/// The host's name, as a label.
const HOST: &str = "worker";

/// What is counted is written after this long, so that a busy instance writes as little as an idle
/// one. The platform lets work go on for 30 seconds after a response.
const AFTER_MS: u32 = 5_000;
/// If nothing has been written after this long, the platform has ended the work.
const LOST_MS: i64 = 30_000;
thread_local! {
    /// Since when somebody is to write what has been counted.
    static DUE: Cell<Option<UnixTime>> = const { Cell::new(None) };
}

/// Sees to it that what a request has been counted for is written.
pub(crate) fn schedule(host: &WorkerHost) {
    let Some(sink) = host.settings.metrics.clone() else { return };
    let now = host.now();
    let is_due = |since: UnixTime| (0..LOST_MS).contains(&now.millis_since(since));
    if DUE.get().is_some_and(is_due) {
        return;
    }
    DUE.set(Some(now));
    let later = host.clone();
    host.in_background(async move {
        later.sleep(AFTER_MS).await;
        DUE.set(None);
        let now = later.now();
        let measurements = gate::with_engine(|engine: &mut Engine| engine.measurements(HOST, now));
        write(&sink, &measurements.unwrap_or_default(), now);
    });
}
