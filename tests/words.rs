//! Do words and code say the same? Reasons and their page, options and their reference.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::collections::BTreeSet;

use doorward::Reason;

#[test]
fn every_reason_has_its_section_and_no_section_is_left_over() {
    let page = include_str!("../docs/reasons.md");
    let sections: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let codes: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(sections, codes);
    assert_eq!(codes.len(), Reason::ALL.len(), "two reasons share a code");
}

/// Cure first: whoever opens the page has a problem.
#[test]
fn every_section_on_a_reason_has_its_status_its_sentence_a_cure_a_cause_and_a_link() {
    let page = include_str!("../docs/reasons.md");
    for reason in Reason::ALL {
        let (code, head) = (reason.code(), format!("{}. {}. ", reason.status(), reason.sentence()));
        let section =
            page.split("\n### ").find_map(|section| section.strip_prefix(code)?.strip_prefix('\n'));
        let words: Vec<&str> = section.unwrap_or_default().split_whitespace().collect();
        let section = words.join(" ");
        assert!(section.starts_with(&format!("{head}**Cure:** ")), "{code}: {head}{section:.200}");
        assert!(section.contains(" **Cause:** "), "{code}");
        assert!(section.contains(" [Explain a request of your own](explain.md)"), "{code}");
    }
}

#[test]
fn sentences_are_sentences() {
    for reason in Reason::ALL {
        let sentence = reason.to_string();
        assert!(
            sentence.len() > 15 && !sentence.ends_with('.') && sentence.is_ascii(),
            "{sentence}"
        );
        assert!(sentence.starts_with(char::is_uppercase), "{sentence}");
        assert!([400, 401, 403, 502, 503, 504].contains(&reason.status()), "{sentence}");
    }
}

/// A key that is left out is logged with a rule of that page.
#[test]
fn every_rule_by_which_a_key_is_left_out_is_on_its_page() {
    let page = include_str!("../docs/strictness.md");
    let code = include_str!("../src/jose/jwk.rs")
        .split("const fn name(self)")
        .nth(1)
        .and_then(|rest| rest.split("}\n").next());
    let names: Vec<&str> = code.unwrap_or_default().split('"').skip(1).step_by(2).collect();
    assert!(names.len() > 8, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("| `{name}` |")), "docs/strictness.md has no rule {name}");
    }
}

/// What the page says is what the vectors play.
#[test]
fn the_entries_of_the_page_on_issuers_are_the_ones_that_are_played() {
    let page = include_str!("../docs/issuers.md");
    let played: serde_json::Value =
        serde_json::from_str(include_str!("vectors/decisions/known-issuers.json"))
            .unwrap_or_default();
    let mut entries = 0;
    for section in page.split("\n## ").skip(1).filter(|section| section.contains("```json")) {
        let name = section.lines().next().unwrap_or_default();
        let entry = section
            .split("```json")
            .nth(1)
            .and_then(|rest| rest.split("```").next())
            .unwrap_or_default();
        let entry: serde_json::Value =
            serde_json::from_str(entry).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            entry, played["policies"][name]["config"]["issuers"][0],
            "{name}: make the vectors anew"
        );
        entries += 1;
    }
    assert_eq!(entries, 15);
}
