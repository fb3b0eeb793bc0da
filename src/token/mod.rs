//! Tokens as they are found: well-formed and **unverified**. One file per kind; nothing here knows a key.

pub(crate) mod jwe;
pub(crate) mod jws;
pub(crate) mod session_data;
pub(crate) mod signed_cookie;
pub(crate) mod supabase;
