//! What is learned from what an errand has brought, for everybody and for its request.

use crate::authn::of_set_cookies;
use crate::better_auth::session_record::{Answer, Doubt, Session, hides_token, needs_refresh};
use crate::cache::deny_list;
use crate::cache::exchanged_tokens;
use crate::cache::rate_limit::{Share, party_of};
use crate::cache::session_events::{Moment, SessionName, Standing};
use crate::cache::shared::{Copied, Keep};
use crate::effects::effect::{Checked, Copies, Manner, Reply, Work};
use crate::effects::progress::{
    Answered, Brought, CookiesFor, End, Heard, Minted, Mission, Progress, Subject,
};
use crate::http::cookie::SetCookie;
use crate::jose::alg::Algorithm;
use crate::jose::jwk;
use crate::policy::{BetterAuth, Policy};
use crate::reason::Reason;
use crate::time::UnixTime;

use super::asks::{
    Asks, MAX_KEEPS, MAX_KEEPS_BYTES, MAX_SESSION_BYTES, name_of_deny_list, name_of_keys,
    name_of_session, service,
};

impl Asks {
    /// Learns what an errand has brought, for everybody and for its request.
    pub(crate) fn learn(
        &mut self,
        policy: &Policy,
        (work, mission): (Work, Mission),
        reply: &Reply<'_>,
        progress: &mut Progress,
        now: UnixTime,
    ) {
        if matches!(reply, Reply::Failed) && progress.was_kept_waiting(now) {
            return self.give_up(&mission, progress);
        }
        match mission {
            Mission::Keys { source, kid } => match reply {
                Reply::Copied(copied) => self.keys.receive_copy(source, copied, now),
                _ => {
                    // Whatever copy would have done: the issuer itself has been asked.
                    progress.asked.push(Subject::Keys(source, Copies::DoNot));
                    let useful = self.keys.receive(source, kid.as_deref(), reply, now);
                    if let Some(((copy, seconds), name)) = useful.zip(name_of_keys(policy, source))
                    {
                        self.keep(copy.kept(name, seconds, jwk::MAX_SET_BYTES, now));
                    }
                }
            },
            Mission::Storage { issuer, digest, session, asked, token, user } => {
                self.learn_stored(
                    policy,
                    (issuer, &token, user),
                    (digest, session, asked),
                    reply,
                    progress,
                    now,
                );
            }
            Mission::Session {
                issuer,
                digest,
                session: name,
                since,
                asked,
                copies_up_to,
                payer,
                ..
            } if let Reply::Copied(copied) = reply => {
                self.budget.give_back(&payer, now);
                let copy = Copied::open(copied, copies_up_to, now);
                let session = copy.and_then(|it| {
                    Session::from_copy(it.body, &policy.named_claims, it.fetched, now)
                });
                let counts = |known| {
                    since.admits_dated(known) && !self.events.has_changed(&name, asked.number)
                };
                match session.filter(|session| counts(session.known)) {
                    Some(session)
                        if self.sessions.receive_copy(
                            digest,
                            party_of(issuer, &session.subject),
                            &session,
                            (session.known, asked),
                            now,
                        ) =>
                    {
                        progress.answers.push(Answered {
                            digest,
                            session: name,
                            answer: Answer::Alive(session),
                            asked,
                        });
                    }
                    Some(_) => {}
                    None => self.sessions.release(&digest, asked.number),
                }
            }
            Mission::Session {
                issuer,
                digest,
                session,
                asked,
                token,
                payer,
                cookies,
                is_renewal,
                manner,
                ..
            } => {
                progress.asked.push(Subject::Session(digest));
                let heard = match reply {
                    Reply::Answered { status, body, headers } => {
                        let named = &policy.named_claims;
                        Answer::read(*status, body, &token, named, now).or_else(|doubt| {
                            match service(policy, issuer) {
                                // `customSession` may have taken it out; what the service writes
                                // beside it proves as much.
                                Some(service) if doubt == Doubt::OddBody && hides_token(body) => {
                                    progress.heard.hint = Some(HIDES_TOKEN);
                                    of_set_cookies(service, named, headers, &token, now)
                                        .map(Answer::Alive)
                                        .ok_or(doubt)
                                }
                                _ => Err(doubt),
                            }
                        })
                    }
                    Reply::TooLarge => Err(Doubt::TooLarge),
                    Reply::HeadTooLarge => Err(Doubt::HeadersTooLarge),
                    _ => Err(Doubt::Failed),
                };
                if is_renewal && heard.is_err() {
                    self.sessions.pause_renewal(digest, asked.number, now);
                    progress.heard.doubt = heard.err();
                    return;
                }
                let is_overtaken = self.events.has_changed(&session, asked.number);
                if is_overtaken && matches!(heard, Ok(Answer::Alive(_))) {
                    self.budget.settle(&payer, Share::Users, now);
                    self.sessions.release(&digest, asked.number);
                    if !progress.may_ask_again(Subject::Session(digest)) {
                        progress.heard.doubt = Some(Doubt::Changed);
                    }
                    return;
                }
                let was_vouched_for = self.sessions.owner(&digest).is_some();
                let says_it_lives = matches!(heard, Ok(Answer::Alive(_)));
                let owner = match &heard {
                    Ok(Answer::Alive(session)) => Some(party_of(issuer, &session.subject)),
                    _ => None,
                };
                match (
                    self.sessions.receive(digest, owner, heard, asked, now),
                    reply,
                    service(policy, issuer),
                ) {
                    (Ok(answer), Reply::Answered { headers, .. }, Some(service)) => {
                        self.budget.settle(
                            &payer,
                            if answer == Answer::Ended { Share::Strangers } else { Share::Users },
                            now,
                        );
                        let is_asked_for =
                            matches!(reply, Reply::Answered { body, .. } if needs_refresh(body));
                        self.sessions.owe(
                            &digest,
                            is_asked_for && answer != Answer::Ended && manner == Manner::Ask,
                        );
                        if answer == Answer::Ended {
                            let lines: Vec<&str> = headers
                                .iter()
                                .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
                                .map(|(_, line)| *line)
                                .collect();
                            let deletes = |line: &&str| {
                                let cookie = SetCookie::parse(line);
                                cookie.is_some_and(|it| {
                                    it.is_deletion() && service.cookies.include(it.name)
                                })
                            };
                            let end = End {
                                url: url_of(&work),
                                has_deleted_cookies: lines.iter().any(deletes),
                            };
                            progress.heard.end = Some(Box::new(end));
                            self.tokens.forget(&digest);
                            let standing =
                                if was_vouched_for { Standing::Known } else { Standing::Stranger };
                            self.events.note_end(session, standing, now);
                        }
                        // Cookies of a word that does not count any more are none for the client.
                        if says_it_lives == (answer != Answer::Ended) && !is_overtaken {
                            self.hear(service, &cookies, session, headers, &mut progress.heard);
                        }
                        // Of what nobody has vouched for there is no copy, and forged tokens shall
                        // not fill the cache.
                        if answer != Answer::Ended || was_vouched_for {
                            self.share_answer(policy, issuer, &digest, &answer, asked, now);
                        }
                        progress.answers.push(Answered { digest, session, answer, asked });
                    }
                    (answer, ..) => progress.heard.doubt = answer.err(),
                }
            }
            Mission::Token { issuer, place, session, asked, payer, cookies } => {
                let answer = exchanged_tokens::read(reply);
                if self.events.has_changed(&session, asked.number) && answer.is_ok() {
                    self.budget.settle(&payer, Share::Users, now);
                    self.tokens.release(place, asked.number);
                    if !progress.may_ask_again(Subject::Token) {
                        progress.heard.doubt = Some(Doubt::Changed);
                    }
                    return;
                }
                if let (Ok(_), Reply::Answered { headers, .. }, Some(service)) =
                    (&answer, reply, service(policy, issuer))
                {
                    self.budget.settle(&payer, Share::Users, now);
                    self.hear(service, &cookies, session, headers, &mut progress.heard);
                }
                match &answer {
                    // Whoever has it goes on to see whether it holds: the lease lasts until that is
                    // known.
                    Ok(_) => {}
                    // And whoever was denied it goes on to ask about the session.
                    Err(Doubt::Unauthorized) => self.budget.settle(&payer, Share::Strangers, now),
                    Err(doubt) => {
                        progress.heard.doubt = Some(*doubt);
                        self.tokens.fail(
                            place,
                            asked.number,
                            Reason::TokenExchangeUnavailable,
                            Some(*doubt),
                            now,
                        );
                    }
                }
                progress.minted = Some(Minted { token: answer, session, asked });
            }
            Mission::DenyList { asked } => {
                self.learn_deny_list(policy, asked, reply, progress, now)
            }
            Mission::Check(presumed) => {
                let Some(checked) = checked(work, reply) else { return };
                progress.proven.extend(
                    presumed.and_then(|presumed| presumed.given(&checked)).map(|claimed| *claimed),
                );
                progress.checked.push(checked);
            }
            Mission::Sign => {
                // Not every WebCrypto has Ed25519, and no host finds out before it tries.
                let is_eddsa =
                    matches!(&work, Work::Sign(request) if request.algorithm == Algorithm::EdDSA);
                progress.signs_inside = is_eddsa && matches!(reply, Reply::Unsupported);
                progress.signed = signed(work, reply);
            }
            Mission::Wait | Mission::Watch => {}
        }
    }

    /// A request that others kept waiting had too little time left for its errand: that says
    /// nothing about whoever was asked.
    fn give_up(&mut self, mission: &Mission, progress: &mut Progress) {
        progress.heard.doubt = Some(Doubt::KeptWaiting);
        match mission {
            Mission::Keys { source, .. } => {
                progress.asked.push(Subject::Keys(*source, Copies::DoNot));
                self.keys.release(*source);
            }
            Mission::Session { digest, asked, .. } => {
                progress.asked.push(Subject::Session(*digest));
                self.sessions.release(digest, asked.number);
            }
            Mission::Storage { digest, asked, .. } => self.sessions.release(digest, asked.number),
            Mission::Token { place, asked, .. } => self.tokens.release(*place, asked.number),
            Mission::DenyList { .. } => {
                progress.asked.push(Subject::DenyList(Copies::DoNot));
                if let Some(list) = &mut self.deny_list {
                    list.release();
                }
            }
            Mission::Check(_) | Mission::Sign | Mission::Wait | Mission::Watch => {}
        }
    }

    fn learn_deny_list(
        &mut self,
        policy: &Policy,
        asked: UnixTime,
        reply: &Reply<'_>,
        progress: &mut Progress,
        now: UnixTime,
    ) {
        let Some(list) = &mut self.deny_list else { return };
        if let Reply::Copied(copied) = reply {
            return list.receive_copy(copied, now);
        }
        // Whatever copy would have done: the source itself has been asked.
        progress.asked.push(Subject::DenyList(Copies::DoNot));
        match list.receive(asked, reply, now) {
            Ok(useful) => {
                if let Some(((copy, seconds), name)) = useful.zip(name_of_deny_list(policy)) {
                    self.keep(copy.kept(name, seconds, deny_list::MAX_LIST_BYTES, now));
                }
            }
            Err(doubt) => progress.heard.deny_list = Some(doubt),
        }
    }

    /// Tells other instances that a session lives, where the configuration wants it; and no longer,
    /// once it has ended.
    fn share_answer(
        &mut self,
        policy: &Policy,
        issuer: usize,
        digest: &[u8; 32],
        answer: &Answer,
        asked: Moment,
        now: UnixTime,
    ) {
        let seconds = match service(policy, issuer) {
            Some(service) if service.shares_sessions => service.session_cache.get(),
            _ => return,
        };
        let body = match answer {
            Answer::Alive(session) => session.to_copy(),
            Answer::Ended => "null".to_owned(),
        };
        if let Some(name) = name_of_session(policy, issuer, digest) {
            let copy = Copied { fetched: asked.at, cache_control: "", body: body.as_bytes() };
            self.keep(copy.kept(name, seconds, MAX_SESSION_BYTES, now));
        }
    }

    /// Something has happened to a session, or may be about to: what is remembered of it is
    /// forgotten, here and in the shared cache.
    pub(crate) fn forget(&mut self, policy: &Policy, brought: &Brought, now: UnixTime) {
        let asked = self.events.moment(now);
        for digest in &brought.digests {
            self.tokens.forget(digest);
            self.sessions.forget(digest, now);
            // Forged tokens shall not fill the cache.
            if brought.standing == Standing::Known {
                self.share_answer(policy, brought.issuer, digest, &Answer::Ended, asked, now);
            }
        }
    }

    /// What this request has learned of sessions to which something has happened since does not
    /// count for it any more.
    pub(crate) fn drop_overtaken(&self, progress: &mut Progress, now: UnixTime) {
        let has_changed =
            |session: &SessionName, asked: Moment| self.events.has_changed(session, asked.number);
        let (overtaken, kept) =
            std::mem::take(&mut progress.answers).into_iter().partition::<Vec<_>, _>(|answered| {
                matches!(answered.answer, Answer::Alive(_))
                    && has_changed(&answered.session, answered.asked)
            });
        progress.answers = kept;
        for answered in overtaken {
            progress.stored.retain(|(digest, ..)| *digest != answered.digest);
            if !progress.may_ask_again(Subject::Session(answered.digest)) {
                progress.heard.doubt = Some(Doubt::Changed);
            }
        }
        if progress.minted.as_ref().is_some_and(|minted| {
            minted.token.is_ok() && has_changed(&minted.session, minted.asked)
        }) {
            progress.minted = None;
            if !progress.may_ask_again(Subject::Token) {
                progress.heard.doubt = Some(Doubt::Changed);
            }
        }
        let arrived = progress.arrival.number;
        if progress
            .heard
            .cookies_of
            .iter()
            .any(|(session, heard)| self.events.has_overtaken(session, *heard, arrived, now))
        {
            progress.heard.set_cookies.clear();
            progress.heard.cookies_of.clear();
        }
    }

    /// Keeps the cookies that the auth service wants to set: those of the session only, and only
    /// for this host. The others' names are noted. Its `set-auth-token` and `set-auth-jwt` would
    /// give scripts what cookies keep from them: they stop here.
    fn hear(
        &self,
        service: &BetterAuth,
        cookies: &CookiesFor,
        session: SessionName,
        headers: &[(&str, &str)],
        heard: &mut Heard,
    ) {
        let CookiesFor::Host(host) = cookies else { return };
        for (_, line) in headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        {
            match SetCookie::parse(line) {
                Some(cookie) if service.cookies.include(cookie.name) && cookie.suits_host(host) => {
                    heard.set_cookies.push((*line).to_owned());
                }
                cookie => {
                    heard.dropped.push(loggable(cookie.map_or("", |cookie| cookie.name)).to_owned())
                }
            }
        }
        heard.cookies_of.push((session, self.events.last()));
    }

    fn keep(&mut self, keep: Option<Keep>) {
        let Some(keep) = keep else { return };
        let bytes = self
            .keeps
            .iter()
            .map(|kept| kept.text.len())
            .fold(keep.text.len(), usize::saturating_add);
        if self.keeps.len() < MAX_KEEPS && bytes <= MAX_KEEPS_BYTES {
            self.keeps.push(keep);
        }
    }

    /// Learns what a storage has. Only a session that lives, and that nobody has revoked, is an
    /// answer: with anything else the service itself is asked, for a store may be late and there
    /// may be a database behind it.
    fn learn_stored(
        &mut self,
        policy: &Policy,
        (issuer, token, user): (usize, &str, Option<String>),
        (digest, name, asked): ([u8; 32], SessionName, Moment),
        reply: &Reply<'_>,
        progress: &mut Progress,
        now: UnixTime,
    ) {
        let storage = service(policy, issuer).and_then(|service| service.storage.as_ref());
        let session = match (user, reply, storage) {
            (None, Reply::Found(value), Some(storage)) => {
                let session = Session::stored(value, token, &policy.named_claims, storage.lag, now);
                progress.stored.extend(session.map(|session| (digest, session, asked)));
                None
            }
            (Some(_), Reply::Absent, _) => progress.stored(&digest),
            (Some(_), Reply::Found(since), _) => {
                progress.stored(&digest).filter(|session| began_after(session, since))
            }
            _ => None,
        };
        let first_asked = progress
            .stored
            .iter()
            .find(|(stored, ..)| *stored == digest)
            .map_or(asked, |(.., first)| *first);
        let is_overtaken = self.events.has_changed(&name, first_asked.number);
        match session.cloned().filter(|_| !is_overtaken) {
            // Nobody has heard since that it has ended.
            Some(session)
                if self.sessions.receive_copy(
                    digest,
                    party_of(issuer, &session.subject),
                    &session,
                    (now, asked),
                    now,
                ) =>
            {
                progress.answers.push(Answered {
                    digest,
                    session: name,
                    answer: Answer::Alive(session),
                    asked: first_asked,
                });
            }
            Some(_) => {}
            None => self.sessions.release(&digest, asked.number),
        }
    }
}

/// Whether a session began when its user's sessions counted again: milliseconds since 1970, in
/// decimal.
fn began_after(session: &Session, since: &[u8]) -> bool {
    let since = std::str::from_utf8(since)
        .ok()
        .and_then(|since| since.parse().ok())
        .map(UnixTime::from_millis);
    session.facts.began.zip(since).is_some_and(|(began, since)| began >= since)
}

/// The name of a cookie, without what the multi-session plugin puts behind it: the session's token.
fn loggable(name: &str) -> &str {
    name.split_once("_multi-").map_or(name, |(name, _)| name)
}

/// What the log says about an answer without the session's token.
const HIDES_TOKEN: &str =
    "The response has no session.token: keep it in customSession, or turn on the cookie cache";

/// Where a fetch goes.
fn url_of(work: &Work) -> String {
    match work {
        Work::Fetch(fetch) => fetch.url.clone(),
        _ => String::new(),
    }
}

/// A signature, with all that it was made over. A failure is no signature.
fn signed(work: Work, reply: &Reply<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    match (work, reply) {
        (Work::Sign(request), Reply::Signed(signature)) => {
            Some((request.input, signature.to_vec()))
        }
        _ => None,
    }
}

/// What was to be checked, and what came of it.
pub(crate) fn checked(work: Work, reply: &Reply<'_>) -> Option<Checked> {
    let Work::Check(check) = work else {
        return None;
    };
    let verdict = match reply {
        Reply::Checked(holds) => Some(*holds),
        _ => None,
    };
    Some(Checked { check, verdict, is_unsupported: matches!(reply, Reply::Unsupported) })
}
