//! A small Better Auth: sessions, the cookie cache (compact), `/get-session` in the order of the
//! real one, and faults.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{ORIGIN, SECRET};

pub(crate) const TOKEN: &str = "better-auth.session_token";
pub(crate) const DATA: &str = "better-auth.session_data";
pub(crate) const FOR_NOW: &str = "better-auth.dont_remember";
/// What sessions live, and when they are extended, in milliseconds: Better Auth's defaults.
const LIFE: i64 = 604_800_000;
const UPDATE_AGE: i64 = 86_400_000;
/// What tokens live, in seconds.
pub(crate) const TOKEN_LIFE: i64 = 900;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// No connection.
    Down,
    /// The answer takes so many milliseconds.
    Slow(i64),
    Status(u16),
    /// 200 with a page.
    Html,
    /// 500 with a session.
    ErrorWithSession,
    /// 200 with another user's session.
    OtherUser,
    /// 200 with a session that is over.
    Expired,
    Huge,
    Redirect,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) user: String,
    pub(crate) expires: i64,
    pub(crate) remember: bool,
    pub(crate) impersonated: bool,
}

pub(crate) struct Service {
    pub(crate) rows: BTreeMap<String, Row>,
    pub(crate) secret: String,
    pub(crate) cache_millis: i64,
    pub(crate) version: &'static str,
    pub(crate) stateless: bool,
    pub(crate) domain: Option<&'static str>,
    pub(crate) writes_cache: bool,
    /// When it was asked.
    pub(crate) asked: Vec<i64>,
    pub(crate) fault: fn(i64) -> Fault,
    /// When it was asked for a token.
    pub(crate) minted: Vec<i64>,
    /// What goes wrong with tokens only.
    pub(crate) token_fault: fn(i64) -> Fault,
    /// By which of its keys it signs tokens.
    pub(crate) key: usize,
    signed_in: u32,
}

/// An answer, and how long it takes; nothing where none comes.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) set_cookies: Vec<String>,
    pub(crate) body: String,
    pub(crate) after_millis: i64,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self {
            rows: BTreeMap::new(),
            secret: SECRET.to_owned(),
            cache_millis: 300_000,
            version: "1",
            stateless: false,
            domain: None,
            writes_cache: true,
            asked: Vec::new(),
            fault: |_| Fault::None,
            minted: Vec::new(),
            token_fault: |_| Fault::None,
            key: 0,
            signed_in: 0,
        }
    }

    /// Signs a user in: the lines that set the cookies.
    pub(crate) fn sign_in(&mut self, user: &str, now: i64) -> Vec<String> {
        self.sign_in_as(
            Row { user: user.to_owned(), expires: now + LIFE, remember: true, impersonated: false },
            now,
        )
    }

    pub(crate) fn sign_in_as(&mut self, row: Row, now: i64) -> Vec<String> {
        self.signed_in += 1;
        let token = format!("token-of-{}-{:020}", row.user, self.signed_in);
        let mut lines = vec![self.line(
            TOKEN,
            &self.signed(&token),
            if row.remember { Some(LIFE) } else { None },
        )];
        lines.extend(self.data_line(&token, &row, now));
        if !row.remember {
            lines.push(self.line(FOR_NOW, &self.signed("true"), None));
        }
        self.rows.insert(token, row);
        lines
    }

    /// The lines with which a sign-out deletes the cookies.
    pub(crate) fn deletions(&self) -> Vec<String> {
        [TOKEN, DATA, FOR_NOW].map(|name| self.line(name, "", Some(0))).to_vec()
    }

    /// `/get-session`; wire format, section 4.1.
    pub(crate) fn get_session(
        &mut self,
        url: &str,
        cookies: &BTreeMap<String, String>,
        now: i64,
    ) -> Option<Answer> {
        self.asked.push(now);
        let fault = (self.fault)(now);
        let mut answer = Answer {
            status: 200,
            set_cookies: Vec::new(),
            body: "null".to_owned(),
            after_millis: 20,
        };
        match fault {
            Fault::Down => return None,
            Fault::Status(status) => {
                return Some(Answer {
                    status,
                    body: "{}".to_owned(),
                    set_cookies: self.deletions(),
                    ..answer
                });
            }
            Fault::Html => {
                return Some(Answer {
                    body: "<!doctype html>".to_owned(),
                    set_cookies: self.deletions(),
                    ..answer
                });
            }
            Fault::Redirect => {
                return Some(Answer { status: 302, set_cookies: self.deletions(), ..answer });
            }
            Fault::Huge => return Some(Answer { body: "[".repeat(300_000), ..answer }),
            Fault::Slow(millis) => answer.after_millis = millis,
            Fault::None | Fault::ErrorWithSession | Fault::OtherUser | Fault::Expired => {}
        }
        let token = cookies.get(TOKEN).and_then(|value| self.unsigned(value));
        let Some(token) = token else { return Some(answer) };
        if !url.ends_with("?disableCookieCache=true") {
            let alive = cookies.get(DATA).and_then(|data| self.cached(data, &token, now));
            if let Some((row, ends)) = alive {
                // Stateless: written anew in the last fifth of its life.
                if self.stateless && ends - now < self.cache_millis / 5 {
                    answer.set_cookies.extend(self.data_line(&token, &row, now));
                }
                answer.body = self.pair(&token, &row, now).to_string();
                return Some(answer);
            }
        }
        // Without a store no session is found in it.
        let Some(mut row) =
            self.rows.get(&token).cloned().filter(|row| row.expires > now && !self.stateless)
        else {
            answer.set_cookies = self.deletions();
            return Some(answer);
        };
        if row.remember {
            if row.expires - LIFE + UPDATE_AGE <= now {
                row.expires = now + LIFE;
                self.rows.insert(token.clone(), row.clone());
                answer.set_cookies.push(self.line(TOKEN, &self.signed(&token), Some(LIFE)));
            }
            answer.set_cookies.extend(self.data_line(&token, &row, now));
        }
        let mut pair = self.pair(&token, &row, now);
        match fault {
            Fault::ErrorWithSession => answer.status = 500,
            Fault::OtherUser => pair["session"]["token"] = json!("token-of-mallory"),
            Fault::Expired => pair["session"]["expiresAt"] = json!(iso(now - 1)),
            _ => {}
        }
        answer.body = pair.to_string();
        Some(answer)
    }

    /// `/token`; wire format, section 6. A live cookie cache is as good as a session there.
    pub(crate) fn token(&mut self, cookies: &BTreeMap<String, String>, now: i64) -> Option<Answer> {
        self.minted.push(now);
        let mut answer =
            Answer { status: 200, set_cookies: Vec::new(), body: String::new(), after_millis: 40 };
        match (self.token_fault)(now) {
            Fault::None => {}
            Fault::Slow(millis) => answer.after_millis = millis,
            Fault::Status(status) => return Some(Answer { status, ..answer }),
            _ => return None,
        }
        let token = cookies.get(TOKEN).and_then(|value| self.unsigned(value));
        let user = token.and_then(|token| {
            let cached = cookies.get(DATA).and_then(|data| self.user_of(data, &token, now));
            cached.or_else(|| {
                self.rows.get(&token).filter(|row| row.expires > now).map(|row| row.user.clone())
            })
        });
        let Some(user) = user else { return Some(Answer { status: 401, ..answer }) };
        let issued = now / 1000;
        let claims = json!({ "sub": user, "iat": issued, "exp": issued + TOKEN_LIFE, "iss": ORIGIN, "aud": ORIGIN });
        answer.body = json!({ "token": self.jwt(&claims) }).to_string();
        Some(answer)
    }

    /// A token that says this, by the key that signs now.
    pub(crate) fn jwt(&self, claims: &Value) -> String {
        let (name, jwk) = self.keys().swap_remove(self.key);
        let header = json!({ "alg": "EdDSA", "kid": name });
        let input =
            [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        // PKCS #8 around the 32 bytes of the key (RFC 8410 section 7).
        let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
        der.extend(
            URL_SAFE_NO_PAD.decode(jwk["d"].as_str().unwrap_or_default()).unwrap_or_default(),
        );
        let key = jsonwebtoken::EncodingKey::from_ed_der(&der);
        let signature =
            jsonwebtoken::crypto::sign(input.as_bytes(), &key, jsonwebtoken::Algorithm::EdDSA);
        let signature = signature.unwrap_or_else(|error| panic!("{error}"));
        format!("{input}.{signature}")
    }

    /// `/jwks`, with the key that signs now and no other.
    pub(crate) fn key_set(&self) -> Answer {
        let (name, jwk) = self.keys().swap_remove(self.key);
        let key =
            json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": name, "x": jwk["x"] });
        Answer {
            status: 200,
            set_cookies: Vec::new(),
            body: json!({ "keys": [key] }).to_string(),
            after_millis: 15,
        }
    }

    fn keys(&self) -> Vec<(&'static str, Value)> {
        let all: Value =
            serde_json::from_str(include_str!("../vectors/keys.json")).unwrap_or_default();
        ["ed", "ed2"].map(|name| (name, all[name].clone())).to_vec()
    }

    /// The session that was begun last, as Better Auth puts it into a secondary storage: key and
    /// value.
    pub(crate) fn stored(&self, now: i64) -> (String, String) {
        let (token, row) = self
            .rows
            .iter()
            .max_by_key(|(token, _)| token.rsplit('-').next())
            .unwrap_or_else(|| panic!("there is no session"));
        (token.clone(), self.pair(token, row, now).to_string())
    }

    fn pair(&self, token: &str, row: &Row, now: i64) -> Value {
        let by = if row.impersonated { json!("admin") } else { Value::Null };
        json!({
            "session": { "id": "s", "token": token, "userId": row.user, "expiresAt": iso(row.expires), "impersonatedBy": by },
            "user": { "id": row.user, "email": "x@example.com", "name": "x" },
            "updatedAt": now,
            "version": self.version,
        })
    }

    fn data_line(&self, token: &str, row: &Row, now: i64) -> Option<String> {
        let life = if row.remember { self.cache_millis } else { 60_000 };
        let value = self.compact(&self.pair(token, row, now), now + life);
        self.writes_cache.then(|| self.line(DATA, &value, Some(life)))
    }

    /// The compact form; wire format, section 3.2.
    pub(crate) fn compact(&self, pair: &Value, expires: i64) -> String {
        let session = pair.to_string();
        let message = format!("{},\"expiresAt\":{expires}}}", &session[..session.len() - 1]);
        let mac = self.mac(&message);
        URL_SAFE_NO_PAD.encode(format!(
            "{{\"session\":{session},\"expiresAt\":{expires},\"signature\":\"{mac}\"}}"
        ))
    }

    /// Whose session a cache that still counts is, whatever has become of it since.
    fn user_of(&self, data: &str, token: &str, now: i64) -> Option<String> {
        let outer: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(data).ok()?).ok()?;
        let expires = outer["expiresAt"].as_i64().filter(|expires| *expires >= now)?;
        let pair = &outer["session"];
        let counts = self.compact(pair, expires) == data && pair["session"]["token"] == token;
        pair["user"]["id"].as_str().filter(|_| counts).map(str::to_owned)
    }

    /// The session of a cache that still counts, and when that ends.
    fn cached(&self, data: &str, token: &str, now: i64) -> Option<(Row, i64)> {
        let outer: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(data).ok()?).ok()?;
        let expires = outer["expiresAt"].as_i64().filter(|expires| *expires >= now)?;
        let pair = &outer["session"];
        if self.compact(pair, expires) != data
            || pair["session"]["token"] != token
            || pair["version"] != self.version
        {
            return None;
        }
        let row = self.rows.get(token).cloned()?;
        Some((row, expires)).filter(|(row, _)| row.expires > now)
    }

    fn line(&self, name: &str, value: &str, life: Option<i64>) -> String {
        let age = life.map_or_else(String::new, |millis| format!("; Max-Age={}", millis / 1000));
        let domain = self.domain.map_or_else(String::new, |domain| format!("; Domain={domain}"));
        format!("{name}={value}{age}{domain}; Path=/; HttpOnly; SameSite=Lax")
    }

    pub(crate) fn signed(&self, value: &str) -> String {
        let mac = URL_SAFE_NO_PAD.decode(self.mac(value)).unwrap_or_default();
        format!("{value}.{}", STANDARD.encode(mac))
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D")
    }

    fn unsigned(&self, cookie: &str) -> Option<String> {
        let (value, _) = cookie.split_once('.')?;
        Some(value.to_owned()).filter(|value| self.signed(value) == cookie)
    }

    fn mac(&self, message: &str) -> String {
        jsonwebtoken::EncodingKey::from_secret(self.secret.as_bytes())
            .and_then(|key| {
                jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256)
            })
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

/// As JavaScript writes it.
pub(crate) fn iso(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % 1000)
}
