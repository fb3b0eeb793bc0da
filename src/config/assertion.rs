//! `assertion`: what the gate signs for the origin.

use super::Compiler;
use super::reader::Node;
use crate::http::path;
use crate::jose::sign::SigningKey;
use crate::policy::{Assertions, Issuer, SigningKeys};
use crate::time::Seconds;

/// One that signs, and the one before it or after it.
const MAX_KEYS: usize = 2;
/// An assertion is for one request that is on its way already.
const MAX_LIFE_SECONDS: u32 = 60;
/// Long enough for clocks that differ by some seconds and an origin that starts up.
const USUAL_LIFE: Seconds = Seconds::new(30);

impl Compiler<'_> {
    pub(super) fn assertions(&mut self, root: &Node<'_>, issuers: &[Issuer]) -> Option<Assertions> {
        let node = root.member("assertion").filter(|node| !node.value.is_null())?;
        self.reader.only_members(
            &node,
            &["audience", "issuer", "keys", "secret", "life_seconds", "jwks_path"],
        );
        let audience = self.reader.required_text(
            &node,
            "audience",
            "the origin has no name",
            "write the audience that it expects",
        );
        let issuer =
            self.reader.optional_text(&node, "issuer").unwrap_or_else(|| "doorward".to_owned());
        if issuer.is_empty() || audience.as_deref() == Some("") {
            self.reader.wrong(
                &node.path,
                "a name is empty",
                "write what the origin's verifier expects",
            );
        }
        let life =
            self.reader.seconds(&node, "life_seconds", MAX_LIFE_SECONDS).unwrap_or(USUAL_LIFE);
        if life < Seconds::new(1) {
            self.reader.wrong(
                &node.path_of("life_seconds"),
                "an assertion would be over at once",
                "write 1 to 60",
            );
        }
        let keys = self.signing_keys(&node, issuers);
        let jwks_path = self.reader.optional_text(&node, "jwks_path");
        let jwks_segments = jwks_path.as_deref().and_then(path::plain_segments);
        if jwks_path.is_some() && jwks_segments.as_ref().is_none_or(Vec::is_empty) {
            self.reader.wrong(
                &node.path_of("jwks_path"),
                "this is not a path of this site",
                "write it like /.well-known/doorward/jwks.json",
            );
        }
        if jwks_path.is_some() && keys.iter().any(|key| key.secret().is_some()) {
            self.reader.wrong(
                &node.path_of("jwks_path"),
                "a shared secret is not published",
                "leave \"jwks_path\" out",
            );
        }
        let mut keys = keys.into_iter();
        let keys = SigningKeys { signing: keys.next()?, other: keys.next() };
        Some(Assertions { issuer, audience: audience?, life, keys, jwks_path: jwks_segments })
    }

    /// The keys, the one that signs first; or the one shared secret.
    fn signing_keys(&mut self, node: &Node<'_>, issuers: &[Issuer]) -> Vec<SigningKey> {
        let mut keys = Vec::new();
        let places = node
            .member("keys")
            .filter(|keys| !keys.value.is_null())
            .map(|keys| keys.items())
            .unwrap_or_default();
        for place in &places {
            // The next key of a rotation may not be there yet.
            let Some(jwk) = self.secret_value(place) else { continue };
            match SigningKey::from_jwk(&jwk, self.capabilities) {
                Ok(key) => keys.push(key),
                Err(problem) => {
                    let hint = "make one as docs/assertion.md shows, with Node or jose";
                    self.reader.wrong(&place.path, problem, hint);
                }
            }
        }
        if let Some(place) = node.member("secret").filter(|secret| !secret.value.is_null())
            && let Some(secret) = self.secret_value(&place)
        {
            match SigningKey::from_secret(&secret) {
                Ok(key) => keys.push(key),
                Err(problem) => self.reader.wrong(
                    &place.path,
                    problem,
                    "make a longer one: openssl rand -base64 32",
                ),
            }
        }
        let shared: Vec<_> = keys.iter().filter_map(SigningKey::secret).collect();
        let others = issuers
            .iter()
            .filter_map(|issuer| issuer.better_auth.as_ref())
            .flat_map(|service| service.secrets.all());
        if others.into_iter().any(|other| shared.iter().any(|secret| secret.equals(other))) {
            self.reader.wrong(
                &node.path_of("secret"),
                "this is the secret of an auth service",
                "give the assertion one of its own: whoever knows it can speak in the gate's name",
            );
        }
        if keys.is_empty() || keys.len() > MAX_KEYS || !shared.is_empty() && keys.len() > 1 {
            self.reader.wrong(
                &node.path_of("keys"),
                "there has to be one key or two of a rotation, or one shared secret",
                "write \"keys\": [{\"env\": \"DOORWARD_ASSERTION_KEY\"}] or \"secret\": {\"env\": \"DOORWARD_ASSERTION_SECRET\"}",
            );
        }
        if keys.iter().enumerate().any(|(place, key)| {
            keys.iter().skip(place.saturating_add(1)).any(|other| other.kid == key.kid)
        }) {
            self.reader.wrong(
                &node.path_of("keys"),
                "two keys have the same \"kid\"",
                "give each a name of its own",
            );
        }
        keys
    }
}
