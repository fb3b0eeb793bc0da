//! What a host implements, and how effects are performed with it.

use doorward::{
    CacheWrite, Duration, Effect, Engine, Fetch, SignatureCheck, SignatureRequest, StoreRead,
    UnixTime,
};

use crate::result::{Failure, OwnedResult, Response};
use crate::timing::within;

/// How long a look into the shared cache may take, in milliseconds; it is there to save time.
const LOOK_UP_MS: u32 = 200;

/// The platform under an engine: its network, clock, cryptography and stores.
///
/// Each method does exactly what it is told and reports the result or the failure; none of them
/// decides anything. Time-outs are the kit's: when one is over it drops the future, which should
/// end the work. What a host does not have it need not implement, and must not declare in its
/// [`doorward::Capabilities`].
#[allow(async_fn_in_trait)] // no `Send` bound: a Worker's futures are not, others are of themselves
pub trait Host: Sized {
    /// Lends the engine to `work`, which does not block. Nothing where there is no engine: it did
    /// not start, or was lost.
    fn with_engine<R>(&self, work: impl FnOnce(&mut Engine) -> R) -> Option<R>;

    /// The current time.
    fn now(&self) -> UnixTime;

    /// Lets this many milliseconds pass.
    async fn sleep(&self, millis: u32);

    /// Sends exactly this request. A redirect is not followed, a body of more than `max_bytes` not
    /// read to its end ([`Failure::TooLarge`]).
    async fn fetch(&self, fetch: &Fetch) -> Result<Response, Failure>;

    /// Writes a line to the log.
    fn log(&self, line: &str);

    /// Checks a signature with the platform's cryptography. An error is never used for a bad
    /// signature.
    async fn check_signature(&self, _: &SignatureCheck) -> Result<bool, Failure> {
        Err(Failure::Unsupported)
    }

    /// Makes a signature, in the JWS form (RFC 7518 section 3.4: r and s side by side).
    async fn sign(&self, _: &SignatureRequest) -> Result<Vec<u8>, Failure> {
        Err(Failure::Unsupported)
    }

    /// What a store has under a key; `None` if it says that it has nothing.
    async fn read_store(&self, _: &StoreRead) -> Result<Option<Vec<u8>>, Failure> {
        Err(Failure::Unsupported)
    }

    /// What the shared cache has under this name, if that is at most so many bytes. A failure is as
    /// good as nothing.
    async fn cache_get(&self, _name: &str, _max_bytes: u32) -> Option<Vec<u8>> {
        None
    }

    /// Begins to put something into the shared cache. No request waits for it.
    fn cache_put(&self, _: CacheWrite) {}

    /// Performs an effect. A test of a host may bring results of its own in its place.
    async fn perform(&self, effect: &Effect) -> OwnedResult {
        perform(self, effect).await
    }
}

/// Performs one effect: this is what [`Host::perform`] does unless a host says otherwise.
pub async fn perform<H: Host>(host: &H, effect: &Effect) -> OwnedResult {
    let began = host.now();
    let result = match effect {
        Effect::Fetch(fetch) => timed(host, fetch.timeout_ms, copied_or_fetched(host, fetch)).await,
        Effect::Check(check) => host.check_signature(check).await.map(OwnedResult::Checked),
        Effect::Sign(request) => host.sign(request).await.map(OwnedResult::Signed),
        Effect::Read(read) => {
            timed(host, read.timeout_ms, async {
                let found = host.read_store(read).await?;
                Ok(found.map_or(OwnedResult::Absent, OwnedResult::Found))
            })
            .await
        }
        Effect::Wait { millis } => {
            host.sleep(*millis).await;
            Ok(OwnedResult::Waited)
        }
    };
    took(host, effect, began);
    result.unwrap_or_else(OwnedResult::Missing)
}

/// What the shared cache has, where a copy will do, or the response.
async fn copied_or_fetched<H: Host>(host: &H, fetch: &Fetch) -> Result<OwnedResult, Failure> {
    if let Some(name) = &fetch.copy
        && let Some(Some(text)) =
            within(host.sleep(LOOK_UP_MS), host.cache_get(name, fetch.max_bytes)).await
    {
        return Ok(OwnedResult::Copied(text));
    }
    host.fetch(fetch).await.map(OwnedResult::Answered)
}

async fn timed<H: Host>(
    host: &H,
    millis: u32,
    work: impl Future<Output = Result<OwnedResult, Failure>>,
) -> Result<OwnedResult, Failure> {
    within(host.sleep(millis), work).await.unwrap_or(Err(Failure::Unreachable("TIMEOUT")))
}

/// Says how long an effect took that began then, where the clock has moved.
fn took<H: Host>(host: &H, effect: &Effect, began: UnixTime) {
    let purpose = match effect {
        Effect::Fetch(fetch) if fetch.purpose == "deny-list" => "deny_list",
        Effect::Fetch(fetch) => fetch.purpose,
        Effect::Read(_) => "storage",
        Effect::Check(_) => "signature",
        Effect::Sign(_) => "assertion",
        Effect::Wait { .. } => return,
    };
    let micros = host.now().millis_since(began).saturating_mul(1000);
    if let Ok(micros @ 1..) = u64::try_from(micros) {
        host.with_engine(|engine| engine.took(Duration::Effect(purpose), micros));
    }
}
