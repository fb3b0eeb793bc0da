//! The rules: pure functions from facts to findings, in the order of a request's way. They read no
//! response; what they need is a fact that a probe has filled.
//!
//! | file | the question |
//! |---|---|
//! | `network` | does the service answer, and nothing else in its place? |
//! | `names` | which cookies does it set, and do browsers keep them? |
//! | `arrival` | do cookies arrive, and is the application's origin trusted? |
//! | `browser` | does another origin's page get the cookie, and may it read the answers? |
//! | `keys` | is there a key set, and can it be fetched? |
//! | `environment` | is the secret the service's? |
//! | `session` | what are pasted cookies worth, and is the session in the store? |
//! | `token` | what does a JWT say, against what verifiers expect? |
//! | `gate` | does the gate run, and with which secret? |
//! | `api` | what does the API refuse? |
//! | `time` | do the clocks agree? |

mod api;
mod arrival;
mod browser;
mod environment;
mod gate;
mod keys;
mod names;
mod network;
mod session;
mod time;
mod token;

use crate::causes::Certainty;
use crate::causes::finding::{Finding, Hides, Rule};
use crate::facts::Facts;
use crate::order;
use crate::plan::Plan;

/// Every rule, in the order of a request's way.
pub(crate) fn all() -> impl Iterator<Item = Rule> {
    [
        network::RULES,
        names::RULES,
        arrival::RULES,
        browser::RULES,
        keys::RULES,
        environment::RULES,
        session::RULES,
        token::RULES,
        gate::RULES,
        api::RULES,
        time::RULES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// What the facts come to: findings, the first cause first.
pub(crate) fn findings(facts: &Facts, plan: &Plan) -> Vec<Finding> {
    findings_without(facts, plan, None)
}

/// The same without one rule: for the test that each rule is needed.
pub(crate) fn findings_without(facts: &Facts, plan: &Plan, without: Option<&str>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (cause, find) in all() {
        let is_hidden = found.iter().any(|other| match other.hides {
            Hides::Nothing => false,
            Hides::Later => other.certainty > Certainty::Hint,
            Hides::These(causes) => causes.contains(&cause),
        });
        let is_left_out = without == Some(cause.id());
        if !is_hidden
            && !is_left_out
            && let Some(finding) = find(facts, plan)
        {
            found.push(finding);
        }
    }
    // Stable: within a certainty the order is that of a request's way.
    order::sort_by(&mut found, |one, other| other.certainty.cmp(&one.certainty));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::Cause;

    #[test]
    fn every_rule_looks_for_a_cause_of_its_own() {
        let causes: std::collections::BTreeSet<Cause> = all().map(|(cause, _)| cause).collect();
        println!("{} causes have a rule", causes.len());
        assert_eq!(causes.len(), all().count(), "two rules look for one cause");
    }
}
