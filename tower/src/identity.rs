//! Who is asking, as handlers read it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http::Extensions;
use serde_json::Value;

/// Who is asking; nothing for an anonymous request. The gate puts it into the extensions of each
/// request that goes on; with the feature `axum` it is an extractor. No header counts.
#[derive(Clone, Debug)]
pub struct Identity(pub Option<Arc<Session>>);

impl Identity {
    /// The identity of a request with these extensions.
    ///
    /// # Errors
    /// The gate did not run for this request.
    pub fn of(extensions: &Extensions) -> Result<Self, NotGated> {
        extensions.get::<Self>().cloned().ok_or(NotGated)
    }
}

/// An identity that the gate has verified.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Session {
    /// The user: `sub`.
    pub subject: String,
    /// The session's id, where there is a session.
    pub session_id: Option<String>,
    /// The user's e-mail address, where it is known.
    pub email: Option<String>,
    /// The name of the issuer in the configuration.
    pub issuer: String,
    /// How the gate knows: `jwt`, `cookie-cache`, `auth-service` or `storage`.
    pub source: String,
    /// When the session ends, in seconds since 1970.
    pub expires: Option<i64>,
    /// What the rule's `identity_headers` let through.
    pub claims: BTreeMap<String, Value>,
}

impl Session {
    /// Reads what the engine says of an identity; nothing if that has no subject.
    pub(crate) fn read(json: &str) -> Option<Self> {
        let said: Value = serde_json::from_str(json).ok()?;
        let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
        let claims = said.get("claims").and_then(Value::as_object).cloned().unwrap_or_default();
        Some(Self {
            subject: text("sub")?,
            session_id: text("sid"),
            email: text("email"),
            issuer: text("idp").unwrap_or_default(),
            source: text("src").unwrap_or_default(),
            expires: said.get("sess_exp").and_then(Value::as_i64),
            claims: claims.into_iter().collect(),
        })
    }
}

/// The gate did not run for this request: the layer is not around what handles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotGated;

impl fmt::Display for NotGated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the gate did not run for this request: put GateLayer around the whole router")
    }
}

impl std::error::Error for NotGated {}

#[cfg(feature = "axum")]
mod axum {
    use axum_core::extract::FromRequestParts;
    use axum_core::response::{IntoResponse, Response};
    use http::StatusCode;
    use http::request::Parts;

    use super::{Identity, NotGated};

    impl<S: Sync> FromRequestParts<S> for Identity {
        type Rejection = NotGated;

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotGated> {
            Self::of(&parts.extensions)
        }
    }

    impl IntoResponse for NotGated {
        fn into_response(self) -> Response {
            (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
        }
    }
}
