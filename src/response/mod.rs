//! What a refused request is answered with: a page, a problem document, or a redirect to sign in.

pub(crate) mod log;
pub(crate) mod page;
mod problem;
pub(crate) mod refusal;
pub(crate) mod session_cookies;
pub(crate) mod sign_in;
