//! A token of the auth service for the user of one session (token exchange). Private; never to be
//! cached by a host.

use std::sync::Arc;

use crate::better_auth::session_record::LookupFailure;
use crate::cache::exchanged_tokens::{self, ExchangeKey};
use crate::cache::rate_limit::{RateClass, RateKey};
use crate::cache::session_events::{Moment, SessionDigest};
use crate::effect::{Effect, EffectResult, Fetch};
use crate::http::request::RequestHead;
use crate::policy::auth_service::AuthService;
use crate::reason::Reason;

use super::key::EffectKey;
use super::service::{self, CookiesFor};
use super::state::FETCH_TIMEOUT_MILLIS;
use super::{Begun, Context, Continuation, Purpose, wait};

/// What logs call it.
const NAME: &str = "token";
/// A token has to fit into a header.
const MAX_TOKEN_BYTES: u32 = 16 * 1024;
/// A request asks for one token, that of its session.
pub(crate) const KEY: EffectKey = EffectKey::only(NAME);

/// A question to the auth service for a token.
pub(crate) struct TokenQuestion {
    pub(crate) service: Arc<AuthService>,
    pub(crate) place: ExchangeKey,
    pub(crate) session: SessionDigest,
    /// Who pays for it.
    pub(crate) rate_key: RateKey,
    /// The credential as a request header, without what the service would take for the session
    /// unseen.
    pub(crate) header: (&'static str, String),
}

/// A question that has been put.
pub(crate) struct Pending {
    service: Arc<AuthService>,
    place: ExchangeKey,
    session: SessionDigest,
    asked: Moment,
    rate_key: RateKey,
    cookies: CookiesFor,
}

/// What was answered to a request.
#[derive(Default)]
pub(crate) struct Memory {
    /// The token that the auth service gave, or why it did not. Nothing about it is verified.
    pub(crate) fetched: Option<FetchedToken>,
}

/// A token that was given to this request, or why none was.
pub(crate) struct FetchedToken {
    pub(crate) token: Result<String, LookupFailure>,
    session: SessionDigest,
    pub(crate) asked: Moment,
}

impl super::Memory for Memory {
    fn weight(&self) -> usize {
        let token = self.fetched.as_ref().and_then(|fetched| fetched.token.as_ref().ok());
        token.map_or(0, String::len)
    }
}

impl Purpose for TokenQuestion {
    type Pending = Pending;
    type Memory = Memory;

    fn reason(&self) -> Reason {
        Reason::TokenExchangeUnavailable
    }

    fn begin(
        self,
        head: &RequestHead<'_>,
        context: &mut Context<'_>,
    ) -> Result<Begun, LookupFailure> {
        if let Some(instead) = wait::without_turn(&self.rate_key, context) {
            return instead;
        }
        context.progress.note_asked(KEY);
        Ok(self.fetch(head, context))
    }

    fn learn(pending: Pending, _: Effect, result: &EffectResult<'_>, context: &mut Context<'_>) {
        let Pending { service, place, session, asked, rate_key, cookies } = pending;
        let now = context.now;
        let token = exchanged_tokens::read(result);
        if context.state.events.has_changed(&session, asked.number) && token.is_ok() {
            context.state.rate_limit.settle(&rate_key, RateClass::Known, now);
            context.state.tokens.release(place, asked.number);
            return context.progress.ask_again(KEY);
        }
        if let (Ok(_), EffectResult::Answered { headers, .. }) = (&token, result) {
            context.state.rate_limit.settle(&rate_key, RateClass::Known, now);
            service::keep_cookies(&service, &cookies, session, headers, context);
        }
        match &token {
            // Whoever has it goes on to see whether it holds: the lease lasts until that is known.
            Ok(_) => {}
            // And whoever was denied it goes on to ask about the session.
            Err(LookupFailure::Unauthorized) => {
                context.state.rate_limit.settle(&rate_key, RateClass::Unverified, now);
            }
            Err(failure) => {
                context.progress.learned.failure = Some(*failure);
                let reason = Reason::TokenExchangeUnavailable;
                context.state.tokens.fail(place, asked.number, reason, Some(*failure), now);
            }
        }
        context.progress.memory.token.fetched = Some(FetchedToken { token, session, asked });
    }

    fn give_up(pending: &Pending, context: &mut Context<'_>) {
        context.state.tokens.release(pending.place, pending.asked.number);
    }

    fn drop_overtaken(context: &mut Context<'_>) {
        let Context { state, progress, .. } = context;
        let memory = &mut progress.memory.token;
        if memory.fetched.as_ref().is_some_and(|fetched| {
            fetched.token.is_ok()
                && state.events.has_changed(&fetched.session, fetched.asked.number)
        }) {
            memory.fetched = None;
            progress.ask_again(KEY);
        }
    }
}

impl TokenQuestion {
    fn fetch(self, head: &RequestHead<'_>, context: &mut Context<'_>) -> Begun {
        let Self { service, place, session, rate_key, header } = self;
        let asked = context.state.events.moment(context.now);
        let lease_end = context.lease_end();
        context.state.tokens.lease(place, asked.number, lease_end, context.now);
        let cookies = CookiesFor::answers_to(head, &header);
        let fetch = Fetch {
            purpose: NAME,
            method: "GET",
            url: service.token_url.clone(),
            headers: service::request_headers(head, header),
            timeout_ms: FETCH_TIMEOUT_MILLIS,
            max_bytes: MAX_TOKEN_BYTES,
            copy: None,
        };
        let pending = Pending { service, place, session, asked, rate_key, cookies };
        (Effect::Fetch(fetch), Continuation::Token(pending))
    }
}
