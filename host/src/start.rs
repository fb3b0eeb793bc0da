//! From a configuration to an engine.

use doorward::{Capabilities, Config, ConfigError, Engine};

/// The engine of a configuration (JSON; empty is the preset), with the variables that it names and
/// what the host can do. `seed` is any random number: it spreads retries over time.
///
/// # Errors
/// Every mistake in the configuration, at once.
pub fn engine(
    document: &str,
    variable: impl Fn(&str) -> Option<String>,
    host: &Capabilities,
    seed: u64,
) -> Result<Engine, Vec<ConfigError>> {
    let config = Config::parse(document)?;
    let names = config.names().into_iter();
    let values = names.filter_map(|name| variable(&name).map(|value| (name, value))).collect();
    Ok(Engine::new(config.compile(&values, host)?, seed))
}
