//! `GET /get-session` with a `Cookie` header as large as a session's can be: what on the way
//! refuses it?

use crate::probes::{Run, Stop};
use crate::wall::Wall;

/// As large as a session with a cookie cache in two chunks. Below the default of nginx (8 KB a
/// line), so that only less than usual is found.
const BYTES: usize = 7_500;

/// Asks once, where there is a request left for it.
pub(crate) async fn run(run: &mut Run<'_>) {
    if run.left() == 0 || run.facts.oracle.wall.is_some() {
        return;
    }
    // Names that are nobody's.
    let half = "a".repeat(BYTES.div_euclid(2));
    let cookie = format!("doorward_a={half}; doorward_b={half}");
    let ask = run.get("large-cookie", "/get-session").header("cookie", cookie);
    match run.send_past_walls(ask).await {
        Ok(answer) if matches!(answer.status(), 413 | 431 | 494) => {
            run.facts.reach.refused_cookie_bytes = Some((BYTES, answer.status()));
        }
        Err(Stop::Wall(Wall::Refused { status } | Wall::Gateway { status })) => {
            run.facts.reach.refused_cookie_bytes = Some((BYTES, status));
        }
        _ => {}
    }
}
