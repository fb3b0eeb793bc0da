//! What one credential is worth: the rooms of a token in their order.
//!
//! Layers are judged each on its own and put together at the end, so that `explain` can show all of them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::alg::Algorithm;
use crate::annotate;
use crate::budget::Share;
use crate::claims::{self, Claims, Expectations};
use crate::cookie::{self, Cookie};
use crate::credential::{BearerValue, Credential};
use crate::demands::ClaimPath;
use crate::digest;
use crate::errand::{Copies, SignatureCheck, SignatureRequest};
use crate::keys::{KeyCache, Selection, Wanted};
use crate::policy::{Bearer, BetterAuth, CookieCache, Issuer, Place, Policy, Rule};
use crate::progress::{Progress, Subject};
use crate::proofs::{Identity, KeySetUsed, Proof, Proofs, Use};
use crate::reason::Reason;
use crate::request::RequestHead;
use crate::session::{Answer, Doubt, LONG_AGO, Pair, Session, Source};
use crate::sessions::{Knowledge, Sessions};
use crate::time::{Seconds, UnixTime, Window};
use crate::token::jwe::Jwe;
use crate::token::jws::{Jws, UnverifiedClaims};
use crate::token::session_data::{Compact, Strategy};
use crate::token::signed_cookie::SignedValue;
use crate::verify::{self, Secret, Signature, Verified};

/// Where nothing says how long a cookie cache lives: Better Auth's default.
const USUAL_LIFE_MILLIS: i64 = 300_000;

/// What a credential came to.
pub(crate) enum Finding {
    /// Somebody.
    Good(Identity),
    /// Nobody, and why.
    Bad(Reason),
    /// Not known without an errand.
    Needs(Need),
}

/// What has to be known first.
pub(crate) enum Need {
    /// The key set of this source, for a token with this `kid`.
    Keys { source: usize, copies: Copies, kid: Option<String> },
    /// The platform's verdict on a signature.
    Check(Box<SignatureCheck>),
    /// The auth service's word on a session.
    Session(Box<Question>),
    /// The platform's signature on the assertion.
    Sign(Box<SignatureRequest>),
    /// What another request is asking for; without an answer in time, this is the reason.
    Wait(Reason),
}

impl Need {
    /// The reason of a request that cannot wait for it.
    pub(crate) const fn reason_without_answer(&self) -> Reason {
        match self {
            Self::Keys { .. } => Reason::KeysUnavailable,
            Self::Check(_) => Reason::CheckUnavailable,
            Self::Session(_) => Reason::SessionUnavailable,
            Self::Sign(_) => Reason::AssertionUnavailable,
            Self::Wait(reason) => *reason,
        }
    }
}

/// A question to the auth service.
pub(crate) struct Question {
    pub(crate) issuer: usize,
    pub(crate) digest: [u8; 32],
    /// The session token that the answer has to be about.
    pub(crate) token: String,
    /// How old another instance's word may be; 0: only the auth service's own will do.
    pub(crate) copies_up_to: Seconds,
    /// Who pays for it.
    pub(crate) share: Share,
    /// The credential as a request header.
    pub(crate) header: (&'static str, String),
}

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

/// What `session_data` is worth.
pub(crate) enum DataState {
    /// There is none, or it is not to be read.
    Absent,
    /// It says who it is.
    Good(Proof),
    /// It is a cache miss, and why.
    Miss(Reason),
    /// A cache miss too, but the auth service did say it of this very session, once.
    Outdated(Reason),
    /// Not known without an errand.
    Needs(Need),
}

/// Everything that a judgement depends on.
pub(crate) struct Judge<'e> {
    pub(crate) policy: &'e Policy,
    pub(crate) keys: &'e KeyCache,
    pub(crate) sessions: &'e Sessions,
    /// What has been verified before; nothing where everything is to be looked at anew.
    pub(crate) proofs: Option<&'e mut Proofs>,
    pub(crate) progress: &'e Progress,
    pub(crate) head: RequestHead<'e>,
    pub(crate) now: UnixTime,
    /// How old the knowledge of a session may be.
    pub(crate) max_staleness: Option<Seconds>,
    /// What is not asked for now but should be soon.
    pub(crate) soon: Soon,
}

/// What a judgement leaves to do and to say.
#[derive(Default)]
pub(crate) struct Soon {
    /// Why it is not known what has become of a session.
    pub(crate) doubt: Option<Doubt>,
    /// Key sources that should be fetched anew after the response.
    pub(crate) refresh: Vec<usize>,
    /// The session whose cookies should be renewed before they run out.
    pub(crate) renewal: Option<Question>,
    /// A session that the auth service has signed a cookie cache for: it is worth asking about later.
    pub(crate) vouched_for: Option<[u8; 32]>,
}

impl<'e> Judge<'e> {
    /// Judges a credential.
    pub(crate) fn credential(&mut self, credential: &Credential<'_>, rule: &Rule) -> Finding {
        match credential {
            Credential::Malformed(reason) => Finding::Bad(*reason),
            Credential::Bearer(value) => self.bearer_value(value, rule),
            Credential::Jwt { token, place } => self.jwt(token, place, rule),
            Credential::SessionCookie { issuer, cookie } => self.session_cookie(*issuer, cookie),
            Credential::BearerToken { issuer, value } => self.bearer_token(*issuer, value),
        }
    }

    fn issuer(&self, number: usize) -> Option<&'e Issuer> {
        self.policy.issuers.get(number)
    }

    /// What follows `Bearer`: most often a JWT that has been verified before, and then nobody has to look what it is.
    fn bearer_value(&mut self, value: &BearerValue<'_>, rule: &Rule) -> Finding {
        match value.as_jwt().and_then(|token| self.proven_jwt(token, &Place::Authorization, rule)) {
            Some(identity) => self.if_recent(identity),
            None => self.credential(&value.read(), rule),
        }
    }

    /// A JWT: whose is it, does its signature hold, do its claims.
    pub(crate) fn jwt(&mut self, token: &str, place: &Place, rule: &Rule) -> Finding {
        if let Some(identity) = self.proven_jwt(token, place, rule) {
            return self.if_recent(identity);
        }
        match self.jwt_proof(token, place, rule) {
            Ok(proof) => {
                self.keep(Use::Jwt, [token, ""], &proof);
                self.if_recent(proof.identity)
            }
            Err(Obstacle::Bad(reason) | Obstacle::Outdated(reason)) => Finding::Bad(reason),
            Err(Obstacle::Needs(need)) => Finding::Needs(need),
        }
    }

    fn proven_jwt(&mut self, token: &str, place: &Place, rule: &Rule) -> Option<Identity> {
        self.proven(Use::Jwt, [token, ""])
            .map(|(identity, _)| identity)
            .filter(|identity| self.admits(identity.issuer, place, rule))
    }

    fn jwt_proof(&mut self, token: &str, place: &Place, rule: &Rule) -> Result<Proof, Obstacle> {
        let jws = Jws::parse(token)?;
        let unverified = jws.unverified_claims().ok_or(Reason::ClaimsMalformed)?;
        let number = self.issuer_of(&unverified, place, rule)?;
        let (verified, key_set) = self.by_key_set(number, &jws)?;
        let issuer = self.issuer(number).ok_or(Reason::IssuerUnknown)?;
        let claims = Claims::check(&verified, Some(unverified), jws.header.typ.as_deref(), &issuer.expectations, self.now)?;
        let identity = self.identity(number, Session::of_claims(&claims, &self.policy.named_claims)?);
        Ok(Proof { identity, window: claims.window(), key_set: Some(key_set) })
    }

    /// A JWT that is older than the rule wants to know is nobody's: there is nobody to ask about it.
    fn if_recent(&self, identity: Identity) -> Finding {
        if self.is_recent(&identity.session) { Finding::Good(identity) } else { Finding::Bad(Reason::TokenTooOld) }
    }

    /// Whether what is known of a session is as recent as the rule wants it.
    fn is_recent(&self, session: &Session) -> bool {
        self.max_staleness.is_none_or(|most| most > Seconds::new(0) && self.now <= session.known.plus(most))
    }

    /// Whether a rule takes the word of this issuer at this place.
    fn admits(&self, number: usize, place: &Place, rule: &Rule) -> bool {
        rule.believes(number) && self.issuer(number).is_some_and(|issuer| issuer.places.contains(place))
    }

    /// The proof of a credential that has been verified before, if everything that it rests on still stands.
    fn proven(&mut self, purpose: Use, parts: [&str; 2]) -> Option<(Identity, Window)> {
        let Proof { identity, window, key_set } = self.proofs.as_mut()?.find(purpose, parts, self.now)?.clone();
        if let Some(used) = key_set {
            let in_use = self.keys.generation(used.source, self.now);
            if in_use != Some(used.generation) {
                return None;
            }
            self.note_refresh(used.source);
        }
        Some((identity, window))
    }

    fn identity(&self, issuer: usize, session: Session) -> Identity {
        let name = self.issuer(issuer).map_or("", |issuer| issuer.name.as_str());
        let (headers, statement) = annotate::identity(&session, name, self.policy);
        let (headers, statement) = (headers.into_iter().collect(), statement.map(Arc::from));
        Identity { issuer, session: Arc::new(session), headers, statement }
    }

    fn keep(&mut self, purpose: Use, parts: [&str; 2], proof: &Proof) {
        if let Some(proofs) = self.proofs.as_mut() {
            proofs.keep(purpose, parts, proof.clone());
        }
    }

    fn note_refresh(&mut self, source: usize) {
        let has_asked = self.progress.has_asked(&Subject::Keys(source, Copies::DoNot));
        if self.keys.wants_refresh(source, has_asked, self.now) && !self.soon.refresh.contains(&source) {
            self.soon.refresh.push(source);
        }
    }

    /// Whose token it says it is: that only picks the keys and the expectations that it is then held to. Of several with one
    /// `iss` the audience picks (the configuration sees to it that they share none).
    fn issuer_of(&self, unverified: &UnverifiedClaims<'_>, place: &Place, rule: &Rule) -> Result<usize, Reason> {
        let unverified = &unverified.members;
        let unverified_issuer = match unverified.get("iss") {
            None => return Err(Reason::ClaimMissing),
            Some(issuer) => issuer.as_text().ok_or(Reason::ClaimsMalformed)?,
        };
        let is_candidate =
            |number: usize, issuer: &Issuer| issuer.expectations.issuer == unverified_issuer && self.admits(number, place, rule);
        let mut candidates = self.policy.issuers.iter().enumerate().filter(|(number, issuer)| is_candidate(*number, issuer));
        let first = candidates.next().ok_or(Reason::IssuerUnknown)?;
        let by_audience = |(_, issuer): &(usize, &Issuer)| claims::check_aud(unverified, &issuer.expectations).is_ok();
        let (number, _) = [first].into_iter().chain(candidates).find(by_audience).unwrap_or(first);
        Ok(number)
    }

    /// The signature of a token by an issuer's key set.
    pub(crate) fn by_key_set<'j>(&mut self, number: usize, jws: &'j Jws<'_>) -> Result<(Verified<'j>, KeySetUsed), Obstacle> {
        let issuer = self.issuer(number).ok_or(Obstacle::Bad(Reason::IssuerUnknown))?;
        let algorithm = Algorithm::from_name(&jws.header.alg).filter(|algorithm| issuer.algorithms.contains(algorithm));
        let algorithm = algorithm.ok_or(Obstacle::Bad(Reason::AlgNotAllowed))?;
        let wanted = Wanted { algorithm, kid: jws.header.kid.as_deref() };
        let has_asked = |copies| self.progress.has_asked(&Subject::Keys(number, copies));
        let key = match self.keys.select(number, wanted, has_asked, self.now) {
            Selection::Use(key) => key,
            Selection::Ask(copies) => {
                return Err(Obstacle::Needs(Need::Keys { source: number, copies, kid: jws.header.kid.clone() }));
            }
            Selection::Wait => return Err(Obstacle::Needs(Need::Wait(Reason::KeysUnavailable))),
            Selection::Missing(reason) => return Err(Obstacle::Bad(reason)),
        };
        match verify::jws(jws, algorithm, key, &self.policy.capabilities, &self.progress.checked) {
            Signature::Holds(verified) => {
                let generation = self.keys.generation(number, self.now).ok_or(Reason::KeysUnavailable)?;
                self.note_refresh(number);
                Ok((verified, KeySetUsed { source: number, generation }))
            }
            Signature::Fails => Err(Obstacle::Bad(Reason::SignatureInvalid)),
            // A second check of one signature is refused: the platform has failed, or the key has changed under way.
            Signature::Unchecked(check) if self.progress.has_asked_to_check(&check) => {
                Err(Obstacle::Bad(Reason::CheckUnavailable))
            }
            Signature::Unchecked(check) => Err(Obstacle::Needs(Need::Check(Box::new(check)))),
        }
    }

    /// `session_token`, with `session_data` beside it. A good signature alone is a reason to ask, not a sign-in.
    fn session_cookie(&mut self, number: usize, cookie: &Cookie<'_>) -> Finding {
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
                    self.soon.vouched_for = self.issuer(number).map(|issuer| digest_of(issuer, "cookie", value));
                }
                self.cached(number, cookie, proof.identity, proof.window)
            }
            (Ok(_), DataState::Needs(need)) => Finding::Needs(need),
            // What was written into the cookie too long ago for this rule is no better than nothing.
            (Ok(_), DataState::Absent | DataState::Miss(_) | DataState::Outdated(_) | DataState::Good(_)) => {
                let sent = self.session_cookies(number);
                self.ask_about(number, value, token_of(value), ("cookie", sent), share)
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
            self.soon.renewal = Some(Question {
                issuer: number,
                digest,
                token: token_of(value).to_owned(),
                copies_up_to: Seconds::new(0),
                share: if is_vouched_for { Share::Users } else { Share::Strangers },
                header: ("cookie", self.session_cookies(number)),
            });
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
    fn bearer_token(&mut self, number: usize, value: &str) -> Finding {
        match self.bearer_layer(number, value) {
            Err(reason) => Finding::Bad(reason),
            Ok(_) => {
                let token = value.split_once('.').map_or(value, |(token, _)| token);
                self.ask_about(number, value, token, ("authorization", ["Bearer ", value].concat()), Share::Strangers)
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

    /// `session_data`: verified by its own strategy, fresh, of this version, and about this session token.
    fn session_data(&mut self, number: usize, cookie: Result<&Option<Cow<'_, str>>, &Reason>, token: Option<&str>) -> DataState {
        let value = match cookie {
            Ok(Some(value)) => value,
            Ok(None) => return DataState::Absent,
            Err(reason) => return DataState::Miss(*reason),
        };
        match self.session_data_value(number, value, token) {
            Ok(proof) => DataState::Good(proof),
            Err(Obstacle::Bad(reason)) => DataState::Miss(reason),
            Err(Obstacle::Outdated(reason)) => DataState::Outdated(reason),
            Err(Obstacle::Needs(need)) => DataState::Needs(need),
        }
    }

    /// The cookie, its chunks joined; nothing where it is not to be read.
    fn session_data_cookie(&self, number: usize) -> Result<Option<Cow<'e, str>>, Reason> {
        match self.service(number) {
            Ok(service) if service.cookie_cache != CookieCache::Off => {
                cookie::joined_value(&self.head, &service.cookies.session_data)
            }
            _ => Ok(None),
        }
    }

    fn session_data_value(&mut self, number: usize, value: &str, token: Option<&str>) -> Result<Proof, Obstacle> {
        let service = self.service(number)?;
        let has_secret = service.secrets.current.is_some();
        let (pair, window, key_set) = match Sealed::parse(value, service.cookie_cache, has_secret)? {
            Sealed::Compact(compact) => {
                // A cookie is good in the millisecond in which it expires, as it is for Better Auth.
                let until = compact.unverified_expires.plus_millis(1);
                let verified = verify::compact(compact, service.current_secret()?)?;
                (pair_of(&verified, &self.policy.named_claims)?, Window::up_to(until), None)
            }
            Sealed::Jwt(jws) => {
                let (pair, until) = dated_pair(&verify::hs256(&jws, service.current_secret()?)?, &self.policy.named_claims)?;
                (pair, Window::up_to(until), None)
            }
            Sealed::Jwe(jwe) => {
                let (pair, until) = dated_pair(&verify::jwe(&jwe, service.secrets.all())?, &self.policy.named_claims)?;
                (pair, Window::up_to(until), None)
            }
            Sealed::JwtJwks(jws) => {
                let (pair, window, key_set) = self.pair_by_key_set(number, &jws)?;
                (pair, window, Some(key_set))
            }
        };
        let token = token.map_or_else(|| pair.token().to_owned(), str::to_owned);
        let miss: fn(Reason) -> Obstacle = if pair.is_about(&token) { Obstacle::Outdated } else { Obstacle::Bad };
        if !window.contains(self.now) {
            return Err(miss(Reason::TokenExpired));
        }
        let service = self.service(number)?;
        let session = pair.judge(&token, service.version.as_deref(), Source::CookieCache, self.now).map_err(miss)?;
        // A session, too, is good in the millisecond in which it expires.
        let window = Window { until: window.until.min(session.expires.plus_millis(1)), ..window };
        Ok(Proof { identity: self.identity(number, session), window, key_set })
    }

    /// The pair of a token of the key set: of its own type, audience and issuer, and agreeing with itself.
    fn pair_by_key_set(&mut self, number: usize, jws: &Jws<'_>) -> Result<(Pair, Window, KeySetUsed), Obstacle> {
        let (verified, key_set) = self.by_key_set(number, jws)?;
        let expectations: &Expectations = &self.service(number)?.cache_expectations;
        let claims = Claims::check(&verified, None, jws.header.typ.as_deref(), expectations, self.now)?;
        let pair = Pair::from_members(claims.members(), &self.policy.named_claims).ok_or(Reason::TokenMalformed)?;
        let agrees = claims.text("sub") == Some(pair.subject()) && claims.text("sid").is_some_and(|sid| pair.is_about(sid));
        if agrees { Ok((pair, claims.window(), key_set)) } else { Err(Obstacle::Bad(Reason::ClaimsMalformed)) }
    }

    /// What the auth service has said, to this request or lately; or the question. Where nobody can be asked, what it said
    /// longer ago counts as long as the configuration lets it.
    fn ask_about(&mut self, number: usize, value: &str, token: &str, header: (&'static str, String), share: Share) -> Finding {
        let Some(issuer) = self.issuer(number) else {
            return Finding::Bad(Reason::IssuerUnknown);
        };
        let Some(service) = &issuer.better_auth else {
            return Finding::Bad(Reason::IssuerUnknown);
        };
        let digest = digest_of(issuer, header.0, value);
        let max_staleness = self.max_staleness;
        let up_to = |most: Seconds| max_staleness.map_or(most, |wanted| wanted.min(most));
        let known = match self.progress.answer(&digest) {
            Some(answer) => Knowledge::Known(answer.clone()),
            None => self.sessions.look_up(&digest, up_to(service.session_cache), self.now),
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
                let told = if let Knowledge::InDoubt(doubt) = known { doubt } else { Doubt::OutOfTime };
                self.soon.doubt = Some(self.progress.heard.doubt.unwrap_or(told));
                match self.sessions.lived_within(&digest, up_to(service.stale), self.now) {
                    Some(session) => Finding::Good(self.identity(number, session.clone())),
                    None => Finding::Bad(Reason::SessionUnavailable),
                }
            }
        }
    }

    fn service(&self, number: usize) -> Result<&BetterAuth, Reason> {
        self.issuer(number).and_then(|issuer| issuer.better_auth.as_ref()).ok_or(Reason::IssuerUnknown)
    }

    /// The cookies of a service, and no others, as they came in; of two with one name the first, which is the one judged.
    fn session_cookies(&self, number: usize) -> String {
        let Ok(service) = self.service(number) else {
            return String::new();
        };
        let mut names: Vec<&str> = Vec::new();
        let mut sent: Vec<String> = Vec::new();
        for cookie in cookie::all(&self.head).filter(|cookie| service.cookies.include(cookie.name)) {
            if !names.contains(&cookie.name) {
                names.push(cookie.name);
                sent.push(cookie.as_sent());
            }
        }
        sent.join("; ")
    }
}

impl BetterAuth {
    fn current_secret(&self) -> Result<&Secret, Reason> {
        self.secrets.current.as_ref().ok_or(Reason::KeyNotFound)
    }
}

/// Why a token is not verified (yet).
pub(crate) enum Obstacle {
    /// It is bad.
    Bad(Reason),
    /// It was good once.
    Outdated(Reason),
    /// Not known without an errand.
    Needs(Need),
}

impl From<Reason> for Obstacle {
    fn from(reason: Reason) -> Self {
        Self::Bad(reason)
    }
}

fn token_state(signed: &SignedValue<'_>, secret: Option<&Secret>) -> Result<TokenState, Reason> {
    match secret {
        None => Ok(TokenState::Unverified),
        Some(secret) => verify::signed_value(signed, secret).map(|_| TokenState::Signed),
    }
}

/// The name under which is kept what the auth service says about a credential.
fn digest_of(issuer: &Issuer, header: &str, value: &str) -> [u8; 32] {
    digest::of_parts(&[issuer.name.as_bytes(), header.as_bytes(), value.as_bytes()])
}

/// The session token in a signed cookie: what stands before the last dot.
fn token_of(value: &str) -> &str {
    value.rsplit_once('.').map_or(value, |(token, _)| token)
}

/// The pair of a token, and its `exp`: Better Auth's server has no tolerance here.
fn dated_pair(verified: &Verified<'_>, named: &[ClaimPath]) -> Result<(Pair, UnixTime), Reason> {
    let members = verified.members(None).ok_or(Reason::TokenMalformed)?;
    let pair = Pair::from_members(&members, named).ok_or(Reason::TokenMalformed)?;
    let expires = claims::date(&members, "exp")?.ok_or(Reason::ClaimMissing)?;
    Ok((pair, expires))
}

fn pair_of(verified: &Verified<'_>, named: &[ClaimPath]) -> Result<Pair, Reason> {
    verified.members(None).and_then(|members| Pair::from_members(&members, named)).ok_or(Reason::TokenMalformed)
}

/// `session_data`, taken apart but not verified.
enum Sealed<'a> {
    Compact(Compact),
    Jwt(Jws<'a>),
    Jwe(Jwe<'a>),
    JwtJwks(Jws<'a>),
}

impl<'a> Sealed<'a> {
    /// By the configured strategy, or the one that the value's shape tells: 0 dots compact, 2 JWS, 4 JWE. Which of the two
    /// kinds of JWS it is, its algorithm tells: HS256 needs the secret, all others the key set, and neither reads the other's.
    fn parse(value: &'a str, cookie_cache: CookieCache, has_secret: bool) -> Result<Self, Reason> {
        let strategy = match cookie_cache {
            CookieCache::Only(strategy) => strategy,
            CookieCache::Off | CookieCache::Auto => match value.bytes().filter(|byte| *byte == b'.').count() {
                0 => Strategy::Compact,
                2 => {
                    let jws = Jws::parse_joined(value)?;
                    return Ok(if has_secret && jws.header.alg == "HS256" { Self::Jwt(jws) } else { Self::JwtJwks(jws) });
                }
                4 => Strategy::Jwe,
                _ => return Err(Reason::TokenMalformed),
            },
        };
        Ok(match strategy {
            Strategy::Compact => Self::Compact(Compact::parse(value)?),
            Strategy::Jwt => Self::Jwt(Jws::parse_joined(value)?),
            Strategy::Jwe => Self::Jwe(Jwe::parse(value)?),
            Strategy::JwtJwks => Self::JwtJwks(Jws::parse_joined(value)?),
        })
    }
}
