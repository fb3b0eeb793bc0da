//! What may change a session on its way through the gate: it is noticed when such a request goes
//! on, and when its response is there.

use std::sync::Arc;

use crate::authn::credential;
use crate::authn::session::token_state;
use crate::better_auth::signed_cookie::{SignedValue, token_of};
use crate::cache::as_of;
use crate::cache::session_events::{SessionDigest, SessionTrust};
use crate::cache::sessions::CredentialDigest;
use crate::effects::watch::{PresentedSession, Watch};
use crate::effects::{RequestProgress, session};
use crate::http::cookie;
use crate::http::path::Path;
use crate::http::request::RequestHead;
use crate::policy::auth_service::AuthService;
use crate::response::session_cookies;
use crate::time::UnixTime;

use super::{Engine, Reach};

impl Engine {
    /// The request goes on. The sessions that it brings and may change: one that goes to the auth
    /// service itself may change what the service knows of them at any moment from now on, so what
    /// is remembered is forgotten. Any other changes them by what its response sets.
    pub(super) fn goes_on(
        &mut self,
        request: &RequestHead<'_>,
        path: &Path<'_>,
        reach: Reach,
        now: UnixTime,
    ) -> Vec<PresentedSession> {
        let presented = self.presented(request, path, reach);
        for each in presented.iter().filter(|each| each.is_for_service) {
            self.effects.events.open(each.session, each.standing, now);
            session::forget(&mut self.effects, &self.policy, each, now);
        }
        presented
    }

    /// The response is there, and sets these cookies.
    pub(super) fn comes_back(&mut self, watch: &Watch, set_cookies: &[&str], now: UnixTime) {
        for each in &watch.presented {
            if each.is_for_service {
                self.effects.events.close(each.session, each.standing, now);
            } else if session_cookies::are_set(&each.service, set_cookies) {
                self.effects.events.note(each.session, each.standing, now);
            } else {
                continue;
            }
            session::forget(&mut self.effects, &self.policy, each, now);
        }
    }

    /// The request goes on, and nobody will see its response: from now on it may have been carried
    /// out.
    pub(super) fn is_unseen(&mut self, watch: &Watch, now: UnixTime) {
        for each in watch.presented.iter().filter(|each| each.is_for_service) {
            self.effects.events.note(each.session, each.standing, now);
        }
    }

    /// The cookies that tell other instances so, of a response that came at this moment or may come
    /// until then.
    pub(super) fn as_of(&self, watch: &Watch, at: UnixTime, more_seconds: u32) -> Vec<String> {
        let line = |each: &PresentedSession| {
            let service = &each.service;
            let key =
                service.secrets.as_of.as_ref().filter(|_| each.is_cookie && each.is_for_service)?;
            let max_age = service.session_cache.get().saturating_add(more_seconds);
            Some(as_of::set_cookie(key, &each.session, at, max_age, &watch.public_origin))
        };
        watch.presented.iter().find_map(line).into_iter().collect()
    }

    /// A session of this request's cookies has ended: they are dead, and what was issued for it is
    /// forgotten. If something has happened to it since the request came in, its response may come
    /// after one that has set new cookies: then it clears none.
    pub(super) fn sign_out(
        &mut self,
        request: &RequestHead<'_>,
        service: &AuthService,
        progress: &mut RequestProgress,
        now: UnixTime,
    ) {
        if let Some(cookie) = cookie::first(request, &service.cookies.session_token) {
            let value = cookie.value();
            self.effects.tokens.forget(&CredentialDigest::of(service, "cookie", &value));
            let session = SessionDigest::of(service, token_of(&value));
            if self.effects.events.may_have_been_changed(&session, progress.arrival.number, now) {
                progress.learned.set_cookies.clear();
                return;
            }
        }
        let dead = session_cookies::deletions(service, request, &progress.learned.set_cookies);
        progress.learned.set_cookies.extend(dead);
    }

    /// The sessions of a request that may change them.
    fn presented(
        &self,
        request: &RequestHead<'_>,
        path: &Path<'_>,
        reach: Reach,
    ) -> Vec<PresentedSession> {
        let mut presented = Vec::new();
        for service in &self.policy.services {
            let is_below =
                path.readings().any(|reading| service.has(reading, request.public_origin));
            if request.is_safe() && !is_below && reach != Reach::All {
                continue;
            }
            let cookie = cookie::first(request, &service.cookies.session_token)
                .filter(|cookie| !cookie.is_empty());
            let cookie = cookie.map(|cookie| cookie.value().into_owned());
            let bearer =
                credential::bearer_token_of(request, service).map(std::borrow::Cow::into_owned);
            let is_for_service = is_below && !request.is_safe();
            for (value, is_cookie) in cookie
                .map(|value| (value, true))
                .into_iter()
                .chain(bearer.map(|value| (value, false)))
            {
                presented.extend(self.session_in(service, &value, is_cookie, is_for_service));
            }
        }
        presented
    }

    /// The session that a credential names. One whose signature does not hold names none.
    fn session_in(
        &self,
        service: &Arc<AuthService>,
        value: &str,
        is_cookie: bool,
        is_for_service: bool,
    ) -> Option<PresentedSession> {
        let secret = service.secrets.current.as_ref();
        let token = if is_cookie {
            token_of(value)
        } else {
            value.split_once('.').map_or(value, |(token, _)| token)
        };
        let is_bare = token.len() == value.len();
        if !is_bare || is_cookie {
            let signed = if is_cookie {
                SignedValue::from_cookie(value)
            } else {
                SignedValue::from_bearer(value)
            };
            token_state(&signed.ok()?, secret).ok()?;
        }
        let mut credentials = vec![CredentialDigest::of(service, "authorization", token)];
        if !is_bare {
            credentials.extend(
                ["cookie", "authorization"]
                    .map(|header| CredentialDigest::of(service, header, value)),
            );
        }
        let is_known = secret.is_some() && !is_bare
            || credentials
                .iter()
                .any(|credential| self.effects.sessions.owner(credential).is_some());
        let standing = if is_known { SessionTrust::Known } else { SessionTrust::Unverified };
        Some(PresentedSession {
            service: Arc::clone(service),
            session: SessionDigest::of(service, token),
            credentials,
            standing,
            is_for_service,
            is_cookie,
        })
    }
}
