//! A Better Auth session: by its cookies, by a token of the bearer plugin, by the auth service's word.

use std::collections::BTreeSet;

use crate::budget::Share;
use crate::cookie::{self, Cookie};
use crate::digest;
use crate::policy::{Bearer, BetterAuth, Issuer};
use crate::progress::{Stored, Subject};
use crate::proofs::{Identity, Use};
use crate::reason::Reason;
use crate::session::{Answer, Blame, Doubt, LONG_AGO, Session, Source};
use crate::sessions::Knowledge;
use crate::time::{Seconds, Window};
use crate::token::signed_cookie::SignedValue;
use crate::verify::{self, Secret};

use super::{DataState, Finding, Judge, Lookup, Need, Question};

/// Where nothing says how long a cookie cache lives: Better Auth's default.
const USUAL_LIFE_MILLIS: i64 = 300_000;

/// The layers of a Better Auth cookie.
pub(crate) struct CookieLayers {
    /// `session_token` by itself.
    pub(crate) token: Result<TokenState, Reason>,
    /// `session_data` by itself.
    pub(crate) data: DataState,
}

/// A `session_token` that is not bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenState {
    /// Its signature holds.
    Signed,
    /// There is no secret to check it with.
    Unverified,
    /// A bare bearer token: there is nothing to check.
    Unsigned,
}

impl Judge<'_> {
    /// `session_token`, with `session_data` beside it. A good signature alone is a reason to ask, not a sign-in.
    pub(super) fn session_cookie(&mut self, number: usize, cookie: &Cookie<'_>) -> Finding {
        let data = self.session_data_cookie(number);
        if let Ok(Some(data)) = &data
            && let Some((identity, window)) = self.proven(Use::CookieCache, [cookie.as_received(), data])
            && identity.issuer == number
            && self.is_recent(&identity.session)
        {
            return self.cached(number, cookie, identity, window);
        }
        let value = &*cookie.value();
        let token = self.token_layer(number, value);
        let session_data = self.session_data(number, data.as_ref(), Some(token_of(value)));
        let share = match (&token, &session_data) {
            // Whoever could vary an unverified token could have any number of sessions vouched for.
            (Ok(TokenState::Signed), DataState::Good(_) | DataState::Outdated(_)) => Share::Users,
            _ => Share::Strangers,
        };
        match (token, session_data) {
            (Err(reason), _) => Finding::Bad(reason),
            (Ok(_), DataState::Good(proof)) if self.is_recent(&proof.identity.session) => {
                if let Ok(Some(data)) = &data {
                    self.keep(Use::CookieCache, [cookie.as_received(), data], &proof);
                }
                if share == Share::Users {
                    self.soon.vouched_for = self.issuer(number).map(|issuer| Box::new(digest_of(issuer, "cookie", value)));
                }
                self.cached(number, cookie, proof.identity, proof.window)
            }
            (Ok(_), DataState::Needs(need)) => Finding::Needs(need),
            // What was written into the cookie too long ago for this rule is no better than nothing.
            (Ok(state), DataState::Absent | DataState::Miss(_) | DataState::Outdated(_) | DataState::Good(_)) => {
                let sent = self.session_cookies(number, |_| true);
                self.ask_about(number, value, (token_of(value), state), ("cookie", sent), share)
            }
        }
    }

    /// A session of the cookie cache. Near its end it is time to have the cookies renewed, and until that is done the service
    /// may have said that it has ended.
    fn cached(&mut self, number: usize, cookie: &Cookie<'_>, identity: Identity, window: Window) -> Finding {
        let Some(issuer) = self.issuer(number) else { return Finding::Bad(Reason::IssuerUnknown) };
        let Some(service) = issuer.better_auth.as_ref().filter(|service| self.is_due(service, &identity.session, window)) else {
            return Finding::Good(identity);
        };
        let value = &*cookie.value();
        let digest = digest_of(issuer, "cookie", value);
        if let Knowledge::Known(Answer::Ended) = self.sessions.look_up(&digest, service.session_cache, self.now) {
            return Finding::Bad(Reason::SessionEnded);
        }
        if self.sessions.may_renew(&digest, self.now) && !self.is_never_renewed(service) && self.soon.renewal.is_none() {
            let is_vouched_for = service.secrets.current.is_some() || self.sessions.is_vouched_for(&digest);
            self.soon.renewal = Some(Box::new(Question {
                issuer: number,
                digest,
                token: token_of(value).to_owned(),
                copies_up_to: Seconds::new(0),
                share: if is_vouched_for { Share::Users } else { Share::Strangers },
                header: ("cookie", self.session_cookies(number, |_| true)),
            }));
        }
        Finding::Good(identity)
    }

    /// Whether the cookie cache is in the last part of its life. Better Auth before 1.4 does not say when that began.
    fn is_due(&self, service: &BetterAuth, session: &Session, window: Window) -> bool {
        let end = window.until.plus_millis(-1);
        let life = if session.known == LONG_AGO { USUAL_LIFE_MILLIS } else { end.millis_since(session.known) };
        let left = end.millis_since(self.now);
        let is_near = left.saturating_mul(100) <= life.saturating_mul(i64::from(service.renew_percent));
        is_near && service.renew_percent > 0 && !session.is_impersonated
    }

    /// What the auth service would not renew: sessions that are not to be remembered or are somebody else's, and what a
    /// browser fetches ahead of need or does not take cookies from.
    fn is_never_renewed(&self, service: &BetterAuth) -> bool {
        let is_for_now = |cookie: &Cookie<'_>| {
            let value = &*cookie.value();
            let signed = SignedValue::from_cookie(value).and_then(|it| token_state(&it, service.secrets.current.as_ref()));
            signed.is_ok() && token_of(value) == "true"
        };
        !matches!(self.head.method, "GET" | "HEAD")
            || self.head.is_prefetch()
            || self.head.is_web_socket()
            || cookie::first(&self.head, &service.cookies.dont_remember).is_some_and(|cookie| is_for_now(&cookie))
    }

    /// A token of the bearer plugin: the auth service has to be asked.
    pub(super) fn bearer_token(&mut self, number: usize, value: &str) -> Finding {
        match self.bearer_layer(number, value) {
            Err(reason) => Finding::Bad(reason),
            Ok(state) => {
                let token = value.split_once('.').map_or(value, |(token, _)| token);
                self.ask_about(number, value, (token, state), ("authorization", ["Bearer ", value].concat()), Share::Strangers)
            }
        }
    }

    /// What a bearer-plugin token is worth by itself.
    pub(crate) fn bearer_layer(&self, number: usize, value: &str) -> Result<TokenState, Reason> {
        let service = self.service(number)?;
        if value.contains('.') {
            let signed = SignedValue::from_bearer(value)?;
            return token_state(&signed, service.secrets.current.as_ref());
        }
        if service.bearer == Bearer::Any { Ok(TokenState::Unsigned) } else { Err(Reason::CredentialMalformed) }
    }

    /// Both layers of a Better Auth session, each on its own.
    pub(crate) fn cookie_layers(&mut self, number: usize, session_token: Option<&str>) -> CookieLayers {
        let token = session_token.ok_or(Reason::NoCredential).and_then(|value| self.token_layer(number, value));
        let data = self.session_data_cookie(number);
        CookieLayers { token, data: self.session_data(number, data.as_ref(), session_token.map(token_of)) }
    }

    fn token_layer(&self, number: usize, value: &str) -> Result<TokenState, Reason> {
        let service = self.service(number)?;
        token_state(&SignedValue::from_cookie(value)?, service.secrets.current.as_ref())
    }

    /// What the auth service has said, to this request or lately; or the question. Where nobody can be asked, what it said
    /// longer ago counts as long as the configuration lets it.
    fn ask_about(
        &mut self,
        number: usize,
        value: &str,
        (token, state): (&str, TokenState),
        header: (&'static str, String),
        share: Share,
    ) -> Finding {
        let Some(issuer) = self.issuer(number) else {
            return Finding::Bad(Reason::IssuerUnknown);
        };
        let Some(service) = &issuer.better_auth else {
            return Finding::Bad(Reason::IssuerUnknown);
        };
        let digest = digest_of(issuer, header.0, value);
        let max_staleness = self.max_staleness;
        let up_to = |most: Seconds| max_staleness.map_or(most, |wanted| wanted.min(most));
        // A storage that says things late is of no use to a rule that wants to know sooner.
        let suits = |session: &Session, is_own: bool| match &service.storage {
            Some(storage) if session.source == Source::Storage => {
                max_staleness.is_none_or(|most| if is_own { storage.lag <= most } else { self.now <= session.known.plus(most) })
            }
            _ => true,
        };
        let is_of_use = |answer: &Answer, is_own| !matches!(answer, Answer::Alive(session) if !suits(session, is_own));
        let known = match self.progress.answer(&digest).filter(|answer| is_of_use(answer, true)) {
            Some(answer) => Knowledge::Known(answer.clone()),
            None => match self.sessions.look_up(&digest, up_to(service.session_cache), self.now) {
                Knowledge::Known(answer) if !is_of_use(&answer, false) => Knowledge::Nothing,
                knowledge => knowledge,
            },
        };
        let has_asked = self.progress.has_given_up || self.progress.has_asked(&Subject::Session(digest));
        match known {
            Knowledge::Known(Answer::Alive(session)) if self.now <= session.expires => {
                Finding::Good(self.identity(number, session))
            }
            Knowledge::Known(Answer::Alive(_)) => Finding::Bad(Reason::SessionExpired),
            Knowledge::Known(Answer::Ended) => Finding::Bad(Reason::SessionEnded),
            Knowledge::Asked if !has_asked => Finding::Needs(Need::Wait(Reason::SessionUnavailable)),
            Knowledge::Nothing if !has_asked => {
                if let Some(lookup) = self.in_storage(service, number, (token, state), digest) {
                    return Finding::Needs(Need::Storage(Box::new(lookup)));
                }
                let share = if self.sessions.is_vouched_for(&digest) { Share::Users } else { share };
                Finding::Needs(Need::Session(Box::new(Question {
                    issuer: number,
                    digest,
                    token: token.to_owned(),
                    copies_up_to: if service.shares_sessions { up_to(service.session_cache) } else { Seconds::new(0) },
                    share,
                    header,
                })))
            }
            Knowledge::Asked | Knowledge::InDoubt(_) | Knowledge::Nothing => {
                let told = if let Knowledge::InDoubt(doubt) = known { Some(doubt) } else { None };
                let own = self.progress.heard.doubt;
                self.soon.doubt = Some(own.or(told).unwrap_or(Doubt::KeptWaiting));
                let knows_client = self.head.client_address.is_some();
                let is_theirs = |doubt: &Doubt| doubt.blame(knows_client) == Blame::Partner;
                if own.or(told).is_none() || !own.iter().chain(&told).all(is_theirs) {
                    return Finding::Bad(Reason::SessionUnavailable);
                }
                match self.sessions.lived_within(&digest, up_to(service.stale), self.now).filter(|session| suits(session, false))
                {
                    Some(session) => Finding::Good(self.identity(number, session.clone())),
                    None => Finding::InDoubt(Reason::SessionUnavailable),
                }
            }
        }
    }

    /// What is to be read of the service's storage before it is asked itself; nothing where that is done or of no use. Only a
    /// token whose signature holds is ever looked up: any other text would be a key that a client chooses.
    fn in_storage(
        &self,
        service: &BetterAuth,
        issuer: usize,
        (token, state): (&str, TokenState),
        digest: [u8; 32],
    ) -> Option<Lookup> {
        let storage = service.storage.as_ref().filter(|_| state == TokenState::Signed)?;
        if self.max_staleness.is_some_and(|most| most < storage.lag) {
            return None;
        }
        let has_read = |what| self.progress.has_asked(&Subject::Storage(digest, what));
        let lookup = |user| Some(Lookup { issuer, digest, token: token.to_owned(), user });
        match self.progress.stored(&digest) {
            _ if !has_read(Stored::Session) => lookup(None),
            Some(session) if !has_read(Stored::RevokedBefore) => lookup(Some(session.subject.clone())),
            _ => None,
        }
    }

    /// Those of a service's cookies that are to be sent, and no others, as they came in; of two with one name the first, which
    /// is the one judged.
    pub(super) fn session_cookies(&self, number: usize, is_sent: impl Fn(&str) -> bool) -> String {
        let Ok(service) = self.service(number) else {
            return String::new();
        };
        let mut names = BTreeSet::new();
        let ours = cookie::all(&self.head).filter(|cookie| service.cookies.include(cookie.name) && is_sent(cookie.name));
        let sent: Vec<String> = ours.filter(|cookie| names.insert(cookie.name)).map(|cookie| cookie.as_sent()).collect();
        sent.join("; ")
    }
}

fn token_state(signed: &SignedValue<'_>, secret: Option<&Secret>) -> Result<TokenState, Reason> {
    match secret {
        None => Ok(TokenState::Unverified),
        Some(secret) => verify::signed_value(signed, secret).map(|_| TokenState::Signed),
    }
}

/// The name under which is kept what the auth service says about a credential.
pub(crate) fn digest_of(issuer: &Issuer, header: &str, value: &str) -> [u8; 32] {
    digest::of_parts(&[issuer.name.as_bytes(), header.as_bytes(), value.as_bytes()])
}

/// The session token in a signed cookie: what stands before the last dot.
pub(super) fn token_of(value: &str) -> &str {
    value.rsplit_once('.').map_or(value, |(token, _)| token)
}
