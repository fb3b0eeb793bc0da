//! The session that the auth service writes into its cookie cache with an answer.

use crate::better_auth::attributes::ClaimPath;
use crate::better_auth::session_data::{Sealed, dated_pair, pair_of};
use crate::better_auth::session_record::{Session, Source};
use crate::http::cookie;
use crate::http::request::RequestHead;
use crate::http::set_cookie::SetCookie;
use crate::jose::verify;
use crate::policy::auth_service::AuthService;
use crate::time::UnixTime;

/// The session that the auth service itself has just written into the cookie cache with an answer:
/// of its `Set-Cookie` lines the chunks or the whole, verified by the secret like any request's,
/// and about this very session token. Nothing where the service writes none, or signs it by its key
/// set.
pub(crate) fn session_of(
    service: &AuthService,
    named: &[ClaimPath],
    headers: &[(&str, &str)],
    token: &str,
    now: UnixTime,
) -> Option<Session> {
    let lines = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .map(|(_, line)| *line);
    let pairs: Vec<String> = lines
        .filter_map(SetCookie::parse)
        .filter(|it| !it.is_deletion())
        .map(|it| it.as_sent())
        .collect();
    let line = pairs.join("; ");
    let headers = [("cookie", line.as_str())];
    let head = RequestHead {
        method: "GET",
        target: "/",
        headers: &headers,
        public_origin: "",
        client_address: None,
    };
    let value = cookie::joined_value(&head, &service.cookies.session_data).ok()??;
    let secret = service.secrets.current.as_ref()?;
    let (pair, until) = match Sealed::parse(&value, service.cookie_cache, true).ok()? {
        Sealed::Compact(compact) => {
            let until = compact.unverified_expires.plus_millis(1);
            (pair_of(&compact.verified(secret).ok()?, named).ok()?, until)
        }
        Sealed::Jwt(jws) => dated_pair(&verify::hs256(&jws, secret).ok()?, named).ok()?,
        Sealed::Jwe(jwe) => {
            dated_pair(&verify::jwe(&jwe, service.secrets.all()).ok()?, named).ok()?
        }
        Sealed::JwtJwks(_) => return None,
    };
    let session =
        pair.validated(token, service.version.as_deref(), Source::AuthService, now).ok()?;
    (now < until).then_some(session)
}
