//! The decision vectors, played by this host's own code, behind the feature `conformance`, which no
//! deployment has.
//!
//! A vector brings the clock and what effects come back with, and hears what was decided;
//! everything between is the Worker as it ships. Without the feature nothing of this does anything.

#[cfg(feature = "conformance")]
pub(crate) use script::{decided, finished, looked_at, now, odd_head, performed, sends_on};

#[cfg(feature = "conformance")]
mod script {
    use doorward::{
        Decision, Effect, Finish, Forward, Onward, PendingEffect, Refusal, RequestHead, Served,
        UnixTime,
    };
    use serde_json::{Value, json};
    use wasm_bindgen::prelude::wasm_bindgen;

    use crate::gate;
    use crate::head::{Head, borrowed};
    use crate::perform::Performed;

    #[wasm_bindgen(raw_module = "./script.js")]
    extern "C" {
        /// The vector's clock, in milliseconds.
        #[wasm_bindgen(js_name = "now")]
        fn clock() -> f64;

        /// The reply to an effect, both as JSON; nothing: it is performed for real.
        #[wasm_bindgen(js_name = "performed")]
        fn result(pending: &str) -> Option<String>;

        /// The vector's head, as JSON, where it is none that this platform lets through.
        #[wasm_bindgen(js_name = "oddHead")]
        fn odd() -> Option<String>;

        /// Hears of what was found or decided, as JSON.
        fn say(what: &str, json: &str);
    }

    /// Lets the gate go: the next request starts another, with the variables that it brings.
    #[wasm_bindgen]
    #[allow(unreachable_pub)] // what JavaScript sees has to be public
    pub fn restart() {
        gate::forget();
    }

    #[allow(clippy::as_conversions)] // whole and far below 2^53
    pub(crate) fn now() -> UnixTime {
        UnixTime::from_millis(clock() as i64)
    }

    /// A head that no request of this platform has: with a line feed in it, or a target that is no
    /// path.
    #[derive(Default)]
    pub(crate) struct OddHead {
        method: String,
        target: String,
        headers: Vec<(String, String)>,
        public_origin: String,
        client_address: Option<String>,
    }

    pub(crate) fn odd_head() -> Option<OddHead> {
        let head: Value = serde_json::from_str(&odd()?).ok()?;
        let text = |name: &str| head.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(OddHead {
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

    impl OddHead {
        pub(crate) fn lend<R>(&self, work: impl FnOnce(&RequestHead<'_>) -> R) -> R {
            work(&RequestHead {
                method: &self.method,
                target: &self.target,
                headers: &borrowed(&self.headers),
                public_origin: &self.public_origin,
                client_address: self.client_address.as_deref(),
            })
        }
    }

    /// Says what is found in a request before anything is asked.
    pub(crate) fn looked_at(head: &Head) {
        say("session_data", &json!(gate::session_data(head)).to_string());
    }

    pub(crate) fn decided(decision: &Decision) {
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
    pub(crate) fn performed(pending: &PendingEffect) -> Option<Performed> {
        let result: Value =
            serde_json::from_str(&result(&asked(pending.effect()).to_string())?).ok()?;
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
            (Some(value), _, _) => Performed::Found(value),
            (_, Some(text), _) => Performed::Copied(text),
            (_, _, Some(status)) => {
                Performed::Answered { status, headers, body: bytes("body").unwrap_or_default() }
            }
            _ if is("waited") => Performed::Waited,
            _ if is("absent") => Performed::Absent,
            _ if is("too_large") => Performed::TooLarge,
            _ if is("headers_too_large") => Performed::HeadTooLarge,
            _ if is("unsupported") => Performed::Unsupported,
            _ => Performed::Failed,
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

    fn told(decision: &Decision) -> Value {
        match decision {
            Decision::Forward(Forward {
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
            Decision::Redirect(Refusal { reason, .. }) => {
                json!({ "decision": "redirect", "reason": reason.code() })
            }
            Decision::Reject(Refusal { reason, .. }) => {
                json!({ "decision": "reject", "reason": reason.code() })
            }
            Decision::Respond(Served { .. }) => json!({ "decision": "respond" }),
            Decision::Perform(_) => Value::Null,
        }
    }
}

#[cfg(not(feature = "conformance"))]
mod nothing {
    use doorward::{Decision, Finish, Onward};

    use crate::head::Head;

    pub(crate) const fn looked_at(_: &Head) {}
    pub(crate) const fn decided(_: &Decision) {}
    pub(crate) const fn finished(_: &Finish) {}
    pub(crate) const fn sends_on(_: &Onward) {}
}
#[cfg(not(feature = "conformance"))]
pub(crate) use nothing::{decided, finished, looked_at, sends_on};
