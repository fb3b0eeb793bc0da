//! Formats of Better Auth: signed cookies, the session data cookie, and the session record of
//! `/get-session`.

pub(crate) mod attributes;
pub(crate) mod session_data;
pub(crate) mod session_record;
pub(crate) mod signed_cookie;
