//! What an engine remembers between requests. Each table is bounded in entries and in bytes, and
//! says what gives way when it is full, and who can fill it (`docs/sessions.md`, "What is kept in
//! memory"). Two moulds make them: `bounded_map`, and `fetch_state` for what is fetched.

pub(crate) mod as_of;
mod bounded_map;
pub(crate) mod deny_list;
pub(crate) mod exchanged_tokens;
mod fetch_state;
pub(crate) mod keys;
pub(crate) mod rate_limit;
pub(crate) mod session_events;
pub(crate) mod sessions;
pub(crate) mod shared;
pub(crate) mod verified;
