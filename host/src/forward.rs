//! What goes with a forward: edits for the next hop, and effects while the origin works and after.

use doorward::{Finish, Forward, Onward, PendingEffect};

use crate::decide::{log, write_cache};
use crate::head::LendHead;
use crate::host::Host;
use crate::result::OwnedResult;
use crate::timing::both;

/// All header edits of a forward that is sent on over a connection of the host's own. Nothing where
/// there is no engine any more: then the request is refused ([`crate::refuse`]).
pub fn onward<H: Host>(host: &H, head: &impl LendHead, forward: &Forward) -> Option<Onward> {
    host.with_engine(|engine| head.lend(|head| engine.onward(head, forward)))
}

/// An effect that was performed alongside the origin.
pub struct Performed {
    pending: PendingEffect,
    result: OwnedResult,
}

/// Performs [`Forward::alongside`] while the origin works. Where the origin gives no response the
/// effect is dropped.
///
/// # Errors
/// That of the origin.
pub async fn alongside<H: Host, R, E>(
    host: &H,
    pending: Option<PendingEffect>,
    origin: impl Future<Output = Result<R, E>>,
) -> Result<(R, Option<Performed>), E> {
    let Some(pending) = pending else { return Ok((origin.await?, None)) };
    let (response, result) = both(origin, host.perform(pending.effect())).await?;
    Ok((response, Some(Performed { pending, result })))
}

/// Tells the engine what came of the effect alongside, now that the origin's response is there with
/// these `Set-Cookie` lines: what the response gets besides.
pub fn finish<H: Host>(
    host: &H,
    performed: Option<Performed>,
    origin_set_cookies: &[&str],
) -> Finish {
    let Some(Performed { pending, result }) = performed else { return Finish::default() };
    let now = host.now();
    let finish = host.with_engine(|engine| {
        result.lend(|result| engine.finish(pending, result, origin_set_cookies, now))
    });
    write_cache(host);
    let finish = finish.unwrap_or_default();
    log(host, finish.log.as_deref());
    finish
}

/// Performs [`Forward::alongside`] for a host that does not see the origin's response, before the
/// request goes on.
pub async fn finish_unseen<H: Host>(host: &H, pending: Option<PendingEffect>) -> Finish {
    let Some(pending) = pending else { return Finish::default() };
    let result = host.perform(pending.effect()).await;
    let now = host.now();
    let finish =
        host.with_engine(|engine| result.lend(|result| engine.finish_unseen(pending, result, now)));
    write_cache(host);
    let finish = finish.unwrap_or_default();
    log(host, finish.log.as_deref());
    finish
}

/// The headers that the gate adds to the origin's response: those of the forward, unless they are
/// withdrawn, and those of its [`Finish`]. A `set-cookie` comes in addition to the origin's own,
/// every other header in its place.
pub fn response_headers(
    forward: Vec<(String, String)>,
    finish: Finish,
) -> impl Iterator<Item = (String, String)> {
    let Finish { headers, withdraws_cookies, .. } = finish;
    let counts = move |(name, _): &(String, String)| !(withdraws_cookies && name == "set-cookie");
    forward.into_iter().filter(counts).chain(headers)
}

/// Performs [`Forward::after`]. The host runs this in the background: no response waits for it.
pub async fn receive<H: Host>(host: &H, pending: PendingEffect) {
    let result = host.perform(pending.effect()).await;
    let now = host.now();
    host.with_engine(|engine| result.lend(|result| engine.receive(pending, result, now)));
    write_cache(host);
}
