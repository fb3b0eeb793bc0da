//! `assertion`: what the gate signs for the origin.

use std::sync::Arc;

use super::compiler::Compiler;
use super::reader::Node;
use super::table::ASSERTION;
use crate::http::path;
use crate::jose::alg::Algorithm;
use crate::jose::sign::SigningKey;
use crate::policy::auth_service::AuthService;
use crate::policy::{Assertions, SigningKeys};
use crate::time::Seconds;

/// One that signs, and the one before it or after it.
const MAX_KEYS: usize = 2;

impl Compiler<'_> {
    pub(super) fn assertions(
        &mut self,
        root: &Node<'_>,
        services: &[Arc<AuthService>],
    ) -> Option<Assertions> {
        let node = root.member("assertion")?;
        let audience = node.text("audience");
        let issuer = node.text("issuer").unwrap_or("doorward");
        if issuer.is_empty() || audience == Some("") {
            self.reader.wrong(
                &node.path,
                "a name is empty",
                "write what the origin's verifier expects",
            );
        }
        let keys = self.signing_keys(&node, services);
        let jwks_path = node.text("jwks_path");
        let jwks_segments = jwks_path.and_then(path::plain_segments);
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
        Some(Assertions {
            issuer: issuer.to_owned(),
            audience: audience?.to_owned(),
            life: Seconds::new(node.number(&ASSERTION, "lifetime_seconds")),
            keys: SigningKeys { signing: keys.next()?, other: keys.next() },
            jwks_path: jwks_segments,
        })
    }

    /// The keys, the one that signs first; or the one shared secret.
    fn signing_keys(&mut self, node: &Node<'_>, services: &[Arc<AuthService>]) -> Vec<SigningKey> {
        let mut keys = Vec::new();
        // The next key of a rotation may not be there yet.
        for key in node.items("keys") {
            let is_es256_by_host = self.capabilities.signs(Algorithm::ES256);
            match key.value.as_str().map(|jwk| SigningKey::from_jwk(jwk, is_es256_by_host)) {
                Some(Ok(read)) => keys.push(read),
                Some(Err(problem)) => {
                    let hint = "make one as docs/assertion.md shows, with Node or jose";
                    self.reader.wrong(&key.path, problem, hint);
                }
                None => {}
            }
        }
        match node.text("secret").map(SigningKey::from_secret) {
            Some(Ok(key)) => keys.push(key),
            Some(Err(problem)) => {
                self.reader.wrong(
                    &node.path_of("secret"),
                    problem,
                    "make a longer one: openssl rand -base64 32",
                );
            }
            None => {}
        }
        let shared: Vec<_> = keys.iter().filter_map(SigningKey::secret).collect();
        let others = services.iter().flat_map(|service| service.secrets.all());
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
                "write \"keys\": [{\"env\": \"DOORWARD_ASSERTION_KEY\"}] or \"secret\": \
                 {\"env\": \"DOORWARD_ASSERTION_SECRET\"}",
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
