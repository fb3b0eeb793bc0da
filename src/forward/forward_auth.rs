//! Forward-auth: what a proxy hears that asks about a request and forwards it by itself (nginx
//! `auth_request`, Envoy `ext_authz` and others).
//!
//! Such a proxy copies headers by name from the answer to the request. A name that the answer does
//! not have may stay what the client has made it, so the answer has all of them, empty where there
//! is nothing to say.

use crate::decision::Forward;
use crate::forward::onward::OF_CLIENT;
use crate::http::client_headers;
use crate::http::request::RequestHead;
use crate::policy::rules::CredentialHandling;
use crate::policy::{IDENTITY_HEADERS, Policy};

/// What of a policy the configuration of such a proxy has to name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForwardAuth {
    /// Every identity header that the policy can set, in lower case.
    pub identity: Vec<String>,
    /// What their names begin with.
    pub prefix: String,
    /// Headers besides that a client may not send to the origin, in lower case: by name, and by how
    /// they begin.
    pub removed: Vec<&'static str>,
    /// The same by how they begin.
    pub removed_prefixes: Vec<&'static str>,
    /// Whether `cookie` and `authorization` are among the edits: a rule keeps the credential from
    /// the origin, or gives it another.
    pub edits_credentials: bool,
    /// Rules with an upstream of their own, by name: no such proxy can follow them.
    pub upstreams: Vec<String>,
}

/// What a client may not say, by name. `X-Forwarded-Method` is none that origins read, but a proxy
/// that asks may say it.
fn removed() -> impl Iterator<Item = &'static str> {
    let of_client = OF_CLIENT.into_iter().filter(|name| *name != "forwarded");
    client_headers::names().chain(of_client).chain(["x-forwarded-method"])
}

impl ForwardAuth {
    pub(crate) fn of(policy: &Policy) -> Self {
        let claims = policy.claim_headers.iter().map(|(name, _)| name.as_str());
        let names = IDENTITY_HEADERS.into_iter().chain(claims);
        let is_removed = |name: &&str| !policy.keeps_header(name);
        let edits = policy.rules.iter().any(|rule| {
            rule.credential != CredentialHandling::Keep || rule.token_exchange.is_some()
        });
        let upstreams = policy.rules.iter().filter(|rule| rule.upstream.is_some());
        Self {
            identity: names.map(|name| [&policy.header_prefix, name].concat()).collect(),
            prefix: policy.header_prefix.clone(),
            removed: removed().filter(is_removed).collect(),
            removed_prefixes: client_headers::prefixes().filter(is_removed).collect(),
            edits_credentials: edits,
            upstreams: upstreams.map(|rule| rule.name.clone()).collect(),
        }
    }

    /// The headers that a proxy copies to a request that may go on: each of its names once, empty
    /// where the request is to have none.
    pub(crate) fn answer(
        &self,
        head: &RequestHead<'_>,
        forward: &Forward,
    ) -> Vec<(String, String)> {
        let said = |name: &str| {
            let set = forward.set.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
            set.map(|(_, value)| value.to_owned())
        };
        let identity = self.identity.iter().map(|name| (name.clone(), said(name)));
        let credentials = ["cookie", "authorization"].into_iter().map(|name| {
            let is_removed = || forward.remove.iter().any(|own| own.eq_ignore_ascii_case(name));
            let received = || {
                let lines: Vec<&str> = head.headers_named(name).collect();
                lines.join(if name == "cookie" { "; " } else { ", " })
            };
            let value = said(name).or_else(|| (!is_removed()).then(received));
            (name.to_owned(), value)
        });
        identity
            .chain(credentials.filter(|_| self.edits_credentials))
            .map(|(name, value)| (name, value.unwrap_or_default()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::header_pairs::HeaderPairs;

    fn forward(remove: &[&str], set: &[(&str, &str)]) -> Forward {
        let set: HeaderPairs =
            set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Forward {
            target: "/a".to_owned(),
            upstream: None,
            remove: remove.iter().map(|name| (*name).to_owned()).collect(),
            set,
            identity: None,
            response_headers: Vec::new(),
            alongside: None,
            after: None,
            connection: crate::decision::ConnectionLimits::default(),
            log: None,
        }
    }

    #[test]
    fn each_name_is_said_once_and_empty_where_there_is_nothing() {
        let names = ForwardAuth {
            identity: vec!["x-doorward-subject".to_owned(), "x-doorward-email".to_owned()],
            edits_credentials: true,
            ..ForwardAuth::default()
        };
        let headers = [
            ("Cookie", "session=1"),
            ("cookie", "other=2"),
            ("Authorization", "Bearer x"),
            ("x-doorward-email", "forged"),
        ];
        let head = RequestHead {
            method: "GET",
            target: "/a",
            headers: &headers,
            public_origin: "https://app.test",
            client_address: None,
        };
        let told = |forward: &Forward| {
            let told = names.answer(&head, forward);
            told.into_iter().map(|(_, value)| value).collect::<Vec<_>>()
        };
        assert_eq!(told(&forward(&[], &[])), ["", "", "session=1; other=2", "Bearer x"]);
        let kept_back = forward(
            &["Cookie", "cookie", "Authorization"],
            &[("x-doorward-subject", "u1"), ("cookie", "other=2")],
        );
        assert_eq!(told(&kept_back), ["u1", "", "other=2", ""]);
        let other = ForwardAuth { edits_credentials: false, ..names.clone() };
        assert_eq!(other.answer(&head, &kept_back).len(), 2);
    }
}
