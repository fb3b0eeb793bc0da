//! The application's requests to the service, where it has another origin: what browsers ask before
//! them (a preflight), and whether they may read the answer (CORS).

use crate::answer::Answer;
use crate::facts::{Cors, Relation};
use crate::probes::Run;
use crate::site;

/// Compares the hosts and asks as a browser would.
pub(crate) async fn run(run: &mut Run<'_>) {
    let Some(app) = run.plan.app.clone() else { return };
    let relation = site::relation(&run.plan.suffixes, &app, &run.plan.page);
    run.facts.app.origin = Some(app.clone());
    run.facts.app.relation = Some(relation);
    if relation == Relation::SameOrigin || run.facts.reach.base.is_none() {
        return;
    }
    let origin = app.origin();
    let path = [&run.base, "/get-session"].concat();
    let ask = run
        .ask("preflight", "OPTIONS", &path)
        .header("origin", origin.as_str())
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    if let Ok(answer) = run.send(ask).await {
        run.facts.app.preflight = Some(cors(&answer));
    }
    let ask = run.ask("cross-origin", "GET", &path).header("origin", origin.as_str());
    if let Ok(answer) = run.send_past_walls(ask).await {
        run.facts.app.actual = Some(cors(&answer));
    }
}

fn cors(answer: &Answer) -> Cors {
    Cors {
        status: answer.status(),
        allow_origin: answer.header("access-control-allow-origin").map(str::to_owned),
        allow_credentials: answer.header("access-control-allow-credentials") == Some("true"),
    }
}
