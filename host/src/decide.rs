//! From the head of a request to a decision that is final.

use doorward::{
    Decision, Engine, Forward, PendingEffect, Reason, Refusal, Served, refuse_without_engine,
};

use crate::head::LendHead;
use crate::host::Host;

/// What a host does with a request: exactly this, and nothing else.
#[derive(Debug)]
#[must_use = "a request without a decision that is acted on gets no response"]
#[allow(clippy::large_enum_variant)] // one lives at a time, in the future of one request
pub enum FinalDecision {
    /// Send the request on to the origin, with these edits.
    Forward(Forward),
    /// Answer with the way to sign in.
    Redirect(Refusal),
    /// Answer with a refusal.
    Reject(Refusal),
    /// Answer with something that the gate itself serves.
    Respond(Served),
}

/// How far a request came without an effect.
#[allow(clippy::large_enum_variant)] // likewise
pub enum Begun {
    /// It is decided without an effect.
    Decided(FinalDecision),
    /// This effect is needed first: [`resume`].
    Pending(PendingEffect),
}

/// Decides on a request. Without an engine it is refused (`not_started`).
pub async fn decide<H: Host>(host: &H, head: &impl LendHead) -> FinalDecision {
    match begin(host, head) {
        Begun::Decided(decision) => decision,
        Begun::Pending(pending) => resume(host, head, pending).await,
    }
}

/// The first step of [`decide`], which waits for nothing: a platform on which futures are dear
/// needs none for most requests.
pub fn begin<H: Host>(host: &H, head: &impl LendHead) -> Begun {
    let decision = host.with_engine(|engine| head.lend(|head| engine.decide(head, host.now())));
    step(host, head, decision)
}

/// The other steps of [`decide`]: performs effects until the decision is final.
pub async fn resume<H: Host>(
    host: &H,
    head: &impl LendHead,
    mut pending: PendingEffect,
) -> FinalDecision {
    loop {
        let result = host.perform(pending.effect()).await;
        let now = host.now();
        let decision = host.with_engine(|engine| {
            head.lend(|head| result.lend(|result| engine.resume(head, pending, result, now)))
        });
        write_cache(host);
        match step(host, head, decision) {
            Begun::Decided(decision) => return decision,
            Begun::Pending(next) => pending = next,
        }
    }
}

/// The refusal for what only the host finds out, after the decision:
/// [`Reason::OriginUnreachable`], [`Reason::OriginTimedOut`], or [`Reason::PathRefused`] where it
/// would send another path than the one that the decision is about.
pub fn refuse<H: Host>(host: &H, head: &impl LendHead, reason: Reason) -> Refusal {
    let now = host.now();
    let refusal = host.with_engine(|engine| head.lend(|head| engine.refuse(head, reason, now)));
    let refusal = refusal.unwrap_or_else(|| not_started(host, head));
    log(host, refusal.log.as_deref());
    refusal
}

/// Puts into the shared cache what has been learned since this was done last.
pub(crate) fn write_cache<H: Host>(host: &H) {
    let writes = host.with_engine(Engine::cache_writes).unwrap_or_default();
    writes.into_iter().for_each(|write| host.cache_put(write));
}

pub(crate) fn log<H: Host>(host: &H, line: Option<&str>) {
    if let Some(line) = line {
        host.log(line);
    }
}

fn step<H: Host>(host: &H, head: &impl LendHead, decision: Option<Decision>) -> Begun {
    let decision = decision.unwrap_or_else(|| Decision::Reject(not_started(host, head)));
    let decision = match decision {
        Decision::Perform(pending) => return Begun::Pending(pending),
        Decision::Forward(forward) => FinalDecision::Forward(forward),
        Decision::Redirect(refusal) => FinalDecision::Redirect(refusal),
        Decision::Reject(refusal) => FinalDecision::Reject(refusal),
        Decision::Respond(served) => FinalDecision::Respond(served),
    };
    log(host, decision.log());
    Begun::Decided(decision)
}

fn not_started<H: Host>(host: &H, head: &impl LendHead) -> Refusal {
    head.lend(|head| refuse_without_engine(Reason::NotStarted, head, host.now()))
}

impl FinalDecision {
    fn log(&self) -> Option<&str> {
        match self {
            Self::Forward(forward) => forward.log.as_deref(),
            Self::Redirect(refusal) | Self::Reject(refusal) => refusal.log.as_deref(),
            Self::Respond(_) => None,
        }
    }
}
