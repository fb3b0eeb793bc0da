//! Lines of the log: on standard error, one JSON object each, in the form of the engine's.

use std::io::Write as _;

use doorward::event_line;
use doorward_native::now;

/// Writes a line. Where nobody reads it the server goes on.
pub(crate) fn write(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes a line about the server itself.
pub(crate) fn event(event: &str, members: &[(&'static str, &str)]) {
    let json = |value: &str| serde_json::Value::from(value).to_string();
    let members = members.iter().map(|(name, value)| (*name, json(value))).collect();
    write(&event_line(event, members, now()));
}
