//! What an engine remembers between requests. Each table is bounded in entries and in bytes.

pub(crate) mod as_of;
pub(crate) mod deny_list;
pub(crate) mod exchanged_tokens;
pub(crate) mod fetch_state;
pub(crate) mod keys;
pub(crate) mod rate_limit;
pub(crate) mod session_events;
pub(crate) mod sessions;
pub(crate) mod shared;
pub(crate) mod verified;
