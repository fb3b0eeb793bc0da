//! What a refused request is answered with: a page, a problem document, or a redirect to sign in.

pub(crate) mod log;
pub(crate) mod page;
mod problem;
pub(crate) mod refusal;
pub(crate) mod session_cookies;
pub(crate) mod sign_in;
pub(crate) mod start;

use crate::http::path::Path;
use crate::http::request::RequestHead;
use crate::policy::Policy;
use crate::time::UnixTime;

/// The response header that says how long the gate has waited for others, where that is configured.
pub(crate) fn server_timing(
    policy: &Policy,
    arrived: Option<UnixTime>,
    now: UnixTime,
) -> Option<(String, String)> {
    let millis = now.millis_since(arrived.filter(|_| policy.server_timing)?).to_string();
    Some(("server-timing".to_owned(), ["doorward;dur=", &millis].concat()))
}

/// The request that a refusal or a line of the log is about, and the moment of it.
#[derive(Clone, Copy)]
pub(crate) struct RequestContext<'a> {
    /// None where there is no engine.
    pub(crate) policy: Option<&'a Policy>,
    pub(crate) head: &'a RequestHead<'a>,
    pub(crate) path: Option<&'a Path<'a>>,
    pub(crate) now: UnixTime,
}
