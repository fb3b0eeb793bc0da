//! Assertions: the statement about a request that the origin gets signed, and the keys for it.

use crate::capabilities::Capabilities;
use crate::decision::Served;
use crate::effects::RequestProgress;
use crate::effects::assertion::ToSign;
use crate::forward::assertion::{self, About};
use crate::forward::header_edits;
use crate::http::path::Path;
use crate::http::request::RequestHead;
use crate::reason::Reason;

use super::Engine;
use super::admission::{Admitted, NotAdmitted, Otherwise, Routed};

impl Engine {
    /// The public keys of the assertions, for whoever asks at their path: they are no secret.
    pub(super) fn key_set(&self, head: &RequestHead<'_>, path: &Path<'_>) -> Option<Served> {
        let assertions = self.policy.assertions.as_ref()?;
        if assertions.jwks_path.as_deref()? != path.segments()
            || !matches!(head.method, "GET" | "HEAD")
        {
            return None;
        }
        let body =
            if head.method == "HEAD" { String::new() } else { assertion::key_set(assertions) };
        let headers = vec![
            ("content-type".to_owned(), "application/jwk-set+json".to_owned()),
            ("cache-control".to_owned(), "public, max-age=300".to_owned()),
        ];
        Some(Served { status: 200, headers, body })
    }

    /// What the gate says to the origin about this request, signed; nothing where no identity is
    /// vouched for.
    pub(super) fn assertion(
        &mut self,
        routed: Routed<'_>,
        admitted: &Admitted,
        progress: &mut RequestProgress,
    ) -> Result<Option<String>, NotAdmitted> {
        let (Some(assertions), Some(identity)) = (&self.policy.assertions, &admitted.identity)
        else {
            return Ok(None);
        };
        let Routed { head, path, rules, now } = routed;
        let (id, issued) = *progress.memory.assertion.number.get_or_insert_with(|| {
            self.assertions_made = self.assertions_made.wrapping_add(1);
            (assertion::id(self.seed, self.assertions_made, now), now)
        });
        let audience = rules.strictest.audience.as_deref();
        let statement = &header_edits::statement(identity, &self.policy, rules);
        let about = About {
            request: head,
            target: &path.target(),
            audience: audience.unwrap_or(&assertions.audience),
            statement,
        };
        let nothing = Capabilities::none();
        let memory = &progress.memory.assertion;
        let host = if memory.signs_inside { &nothing } else { &self.policy.capabilities };
        match assertion::sign(assertions, &about, id, issued, memory.signed.as_ref(), host) {
            Ok(assertion) => Ok(Some(assertion)),
            Err(request) if memory.may_ask() => {
                Err(NotAdmitted::Missing(ToSign(request).into(), Otherwise::default()))
            }
            Err(_) => Err(NotAdmitted::Refuse(Reason::AssertionUnavailable)),
        }
    }
}
