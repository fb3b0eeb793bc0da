//! Requests as they arrive: head, path, cookies, and the header fields that a client may not set.

pub(crate) mod client_headers;
pub(crate) mod cookie;
pub(crate) mod header_pairs;
pub(crate) mod path;
pub(crate) mod request;
pub(crate) mod set_cookie;
