//! Secrets of Better Auth services, by the names of their variables.

use std::sync::Arc;

use super::compiler::Compiler;
use super::reader::Node;
use crate::jose::verify::{PUBLISHED_SECRETS, Secret};
use crate::policy::auth_service::{AS_OF_PURPOSE, AuthService, Secrets};

/// A shorter secret can be guessed.
const MIN_SECRET_BYTES: usize = 16;

impl Compiler<'_> {
    pub(super) fn secrets(&mut self, node: &Node<'_>) -> Secrets {
        let errors_before = self.reader.errors.len();
        let mut secrets = self.named_secrets(node);
        secrets.as_of = secrets.current.as_ref().and_then(|secret| secret.derived(AS_OF_PURPOSE));
        let listed = node.text("secrets").map_or("secret", |_| "secrets");
        if let Some(secret) = &secrets.current {
            secrets.about = self.reader.about_secret(&node.path_of(listed), secret);
        }
        let is_named =
            ["secret", "secrets"].iter().any(|name| self.reader.is_unset(&node.path_of(name)));
        if is_named && secrets.current.is_none() && self.reader.errors.len() == errors_before {
            let hint = "set BETTER_AUTH_SECRET (or the variable that you named); to go without a \
                secret, leave \"secret\" and \"secrets\" out";
            self.reader.wrong(
                &node.path_of("secret"),
                "none of the variables that may hold the secret is set",
                hint,
            );
        }
        secrets
    }

    fn named_secrets(&mut self, node: &Node<'_>) -> Secrets {
        let single = node.text("secret");
        let Some(list) = node.text("secrets") else {
            return Secrets { current: self.secret(node, "secret", single), ..Secrets::default() };
        };
        // Better Auth's form `2:new,1:old`: the first entry is current, whatever its number.
        let entries: Vec<&str> =
            list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        let mut secrets: Vec<Secret> = Vec::new();
        for entry in &entries {
            match entry.split_once(':') {
                Some((version, secret))
                    if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) =>
                {
                    secrets.extend(self.secret(node, "secrets", Some(secret.trim())));
                }
                _ => self.reader.wrong(
                    &node.path_of("secrets"),
                    "an entry has no version",
                    "write it like 2:newest-secret,1:older-secret",
                ),
            }
        }
        // Better Auth wants the first secret of all kept beside the list: there it is the oldest
        // entry once more.
        let single = self
            .secret(node, "secret", single)
            .filter(|single| !secrets.iter().any(|own| own.equals(single)));
        secrets.extend(single);
        let mut secrets = secrets.into_iter();
        Secrets { current: secrets.next(), retired: secrets.collect(), ..Secrets::default() }
    }

    fn secret(&mut self, node: &Node<'_>, name: &str, secret: Option<&str>) -> Option<Secret> {
        let secret = secret?;
        if PUBLISHED_SECRETS.contains(&secret) {
            self.reader.wrong(
                &node.path_of(name),
                "this is Better Auth's published default secret",
                "make one of your own: openssl rand -base64 32",
            );
        } else if secret.len() < MIN_SECRET_BYTES {
            self.reader.wrong(
                &node.path_of(name),
                format!("the secret has fewer than {MIN_SECRET_BYTES} bytes"),
                "make a longer one: openssl rand -base64 32",
            );
        } else if secret.trim() != secret || secret.contains(['\r', '\n']) {
            self.reader.wrong(
                &node.path_of(name),
                "the secret has white space around it or a line end in it",
                "take it away: the auth service would have to have the very same, or no cookie \
                 verifies",
            );
        }
        let is_quoted = ["\"", "'"]
            .iter()
            .any(|mark| secret.len() > 1 && secret.starts_with(mark) && secret.ends_with(mark));
        if is_quoted {
            self.reader.warn(
                &node.path_of(name),
                "the secret has quotation marks around it",
                "take them away, unless the auth service's secret has them too",
            );
        }
        let secret = Secret::new(secret);
        let longer = "make a longer one: openssl rand -base64 32";
        if secret.is_short() {
            self.reader.warn(&node.path_of(name), "the secret has fewer than 32 bytes", longer);
        } else if secret.is_monotonous() {
            self.reader.warn(
                &node.path_of(name),
                "the secret has few different characters",
                longer,
            );
        }
        Some(secret)
    }

    pub(super) fn equal_secrets(&mut self, services: &[Arc<AuthService>]) {
        let secrets: Vec<&Secret> =
            services.iter().flat_map(|service| service.secrets.all()).collect();
        let equal = secrets.iter().enumerate().any(|(place, one)| {
            secrets.iter().skip(place.saturating_add(1)).any(|other| one.equals(other))
        });
        if equal {
            self.reader.wrong(
                "issuers",
                "two configured secrets are equal",
                "give each service and each version a secret of its own",
            );
        }
    }
}
