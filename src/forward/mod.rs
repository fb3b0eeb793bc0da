//! What goes to the origin: header edits, the signed assertion, the mark for the application of the
//! same host.

pub(crate) mod assertion;
pub(crate) mod forward_auth;
pub(crate) mod header_edits;
pub(crate) mod mark;
pub(crate) mod onward;
