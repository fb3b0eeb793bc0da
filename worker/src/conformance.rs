//! The decision vectors, played by this host's own code, behind the feature `conformance`, which no
//! deployment has.
//!
//! A vector brings the clock and what effects come back with, and hears what was decided;
//! everything between is the Worker as it ships. Without the feature nothing of this does anything.

#[cfg(feature = "conformance")]
pub(crate) use script::{decided, finished, looks_at, now, odd_head, performed, sends_on};

#[cfg(feature = "conformance")]
mod script {
    use doorward::{Effect, Finish, Forward, Onward, PendingEffect, Refusal, Served, UnixTime};
    use doorward_host::{Failure, FinalDecision, Host, LendHead, OwnedHead, OwnedResult, Response};
    use serde_json::{Value, json};
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen(raw_module = "./script.js")]
    extern "C" {
        /// The vector's clock, in milliseconds.
        #[wasm_bindgen(js_name = "now")]
        fn clock() -> f64;

        /// The result of an effect, both as JSON; nothing: it is performed for real.
        #[wasm_bindgen(js_name = "performed")]
        fn result(effect: &str) -> Option<String>;

        /// The vector's head, as JSON, where it is none that this platform lets through.
        #[wasm_bindgen(js_name = "oddHead")]
        fn odd() -> Option<String>;

        /// Hears of what was found or decided, as JSON.
        fn say(what: &str, json: &str);
    }

    #[allow(clippy::as_conversions)] // whole and far below 2^53
    pub(crate) fn now() -> UnixTime {
        UnixTime::from_millis(clock() as i64)
    }

    /// A head that no request of this platform has: with a line feed in it, or a target that is no
    /// path.
    pub(crate) fn odd_head() -> Option<OwnedHead> {
        let head: Value = serde_json::from_str(&odd()?).ok()?;
        let text = |name: &str| head.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(OwnedHead {
            method: text("method").unwrap_or_default(),
            target: text("target").unwrap_or_default(),
            headers: head
                .get("headers")
                .and_then(|pairs| serde_json::from_value(pairs.clone()).ok())
                .unwrap_or_default(),
            public_origin: text("public_origin").unwrap_or_default(),
            client_address: text("client_address"),
        })
    }

    /// Says what is found in a request before anything is decided.
    pub(crate) fn looks_at(host: &impl Host, head: &impl LendHead) {
        let found = host.with_engine(|engine| {
            head.lend(|head| doorward::conformance::session_data(engine, head, host.now()))
        });
        say("session_data", &json!(found.flatten()).to_string());
    }

    pub(crate) fn decided(decision: &FinalDecision) {
        say("decision", &told(decision).to_string());
    }

    pub(crate) fn sends_on(Onward { remove, set }: &Onward) {
        let set: Vec<(&str, &str)> = set.iter().collect();
        say("onward", &json!({ "remove": remove, "set": set }).to_string());
    }

    pub(crate) fn finished(finish: &Finish) {
        say("renewed", &json!(finish.headers).to_string());
        say("withdraws", &json!(finish.withdraws_cookies).to_string());
    }

    /// What the vector has in place of what an effect would come back with.
    pub(crate) fn performed(effect: &Effect) -> Option<OwnedResult> {
        let result: Value = serde_json::from_str(&result(&asked(effect).to_string())?).ok()?;
        let bytes = |name: &str| {
            result.get(name).and_then(Value::as_str).map(|text| text.as_bytes().to_vec())
        };
        let is = |name: &str| result.get(name).and_then(Value::as_bool).unwrap_or_default();
        let headers = result
            .get("headers")
            .and_then(|pairs| serde_json::from_value(pairs.clone()).ok())
            .unwrap_or_default();
        let status = result
            .get("status")
            .and_then(Value::as_u64)
            .and_then(|status| u16::try_from(status).ok());
        Some(match (bytes("found"), bytes("copied"), status) {
            (Some(value), _, _) => OwnedResult::Found(value),
            (_, Some(text), _) => OwnedResult::Copied(text),
            (_, _, Some(status)) => OwnedResult::Answered(Response {
                status,
                headers,
                body: bytes("body").unwrap_or_default(),
            }),
            _ if is("waited") => OwnedResult::Waited,
            _ if is("absent") => OwnedResult::Absent,
            _ if is("too_large") => Failure::TooLarge.into(),
            _ if is("headers_too_large") => Failure::HeadTooLarge.into(),
            _ if is("unsupported") => Failure::Unsupported.into(),
            _ => Failure::Failed.into(),
        })
    }

    fn asked(work: &Effect) -> Value {
        match work {
            Effect::Fetch(fetch) => {
                json!({ "purpose": fetch.purpose, "url": fetch.url, "headers": fetch.headers, "copy": fetch.copy })
            }
            Effect::Check(_) => json!({ "purpose": "check" }),
            Effect::Sign(_) => json!({ "purpose": "sign" }),
            Effect::Read(read) => json!({ "purpose": "read", "key": read.key }),
            Effect::Wait { millis } => json!({ "purpose": "wait", "millis": millis }),
        }
    }

    fn told(decision: &FinalDecision) -> Value {
        match decision {
            FinalDecision::Forward(Forward {
                target,
                upstream,
                remove,
                set,
                response_headers,
                alongside,
                after,
                connection,
                ..
            }) => {
                let set: Vec<(&str, &str)> = set.iter().collect();
                let purpose = |pending: &Option<PendingEffect>| {
                    pending.as_ref().map(|pending| asked(pending.effect()))
                };
                let until = connection.until.map(UnixTime::as_millis);
                let forward = json!({
                    "target": target, "upstream": upstream, "removed": remove, "set": set, "response_headers": response_headers,
                    "until": until,
                });
                json!({
                    "decision": "forward",
                    "forward": forward,
                    "alongside": purpose(alongside),
                    "after": purpose(after),
                })
            }
            FinalDecision::Redirect(Refusal { reason, .. }) => {
                json!({ "decision": "redirect", "reason": reason.code() })
            }
            FinalDecision::Reject(Refusal { reason, .. }) => {
                json!({ "decision": "reject", "reason": reason.code() })
            }
            FinalDecision::Respond(Served { .. }) => json!({ "decision": "respond" }),
        }
    }
}

#[cfg(not(feature = "conformance"))]
mod nothing {
    use doorward::{Finish, Onward};
    use doorward_host::{FinalDecision, Host, LendHead};

    pub(crate) const fn looks_at(_: &impl Host, _: &impl LendHead) {}
    pub(crate) const fn decided(_: &FinalDecision) {}
    pub(crate) const fn finished(_: &Finish) {}
    pub(crate) const fn sends_on(_: &Onward) {}
}
#[cfg(not(feature = "conformance"))]
pub(crate) use nothing::{decided, finished, looks_at, sends_on};
