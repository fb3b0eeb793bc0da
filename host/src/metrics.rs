//! Metrics: what the engine has counted, as text.

use doorward::prometheus_without_engine;

use crate::host::Host;

/// What has been counted, in the text format of Prometheus; for a host that has declared
/// [`doorward::Capabilities::and_measuring`], under this name of its own. Where there is no engine,
/// that there is none, and how many mistakes the configuration has.
pub fn metrics<H: Host>(host: &H, name: &str, config_errors: u32) -> String {
    let now = host.now();
    let text = host.with_engine(|engine| engine.prometheus(name, now));
    text.unwrap_or_else(|| prometheus_without_engine(name, config_errors))
}
