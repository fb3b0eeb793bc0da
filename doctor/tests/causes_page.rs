//! `docs/causes.md` is what the table of causes says. `DOORWARD_WRITE=1 cargo test -p
//! doorward-doctor --test causes_page` writes it anew.

#![allow(clippy::panic, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use doorward_doctor::causes::{Cause, Group};

const HEAD: &str = "\
# Causes

For everybody whose users are refused, and who wants to know why. A [reason](reasons.md) says which
check refused a request; a cause is the mistake behind it. `doorward doctor` looks for these causes
in a running deployment, `doorward check` in a project's files, `doorward explain` in a pasted cookie
or token, and `doorward explain-log` in a gate's log. Each section says how to tell the cause by
hand, too.

**Certainty** is that of the best evidence: *proof* means that what was seen cannot come about
otherwise, *strong* that one other explanation is left, *hint* that it is worth a look.

<!-- Made from doctor/src/causes/table.rs:
     DOORWARD_WRITE=1 cargo test -p doorward-doctor --test causes_page -->
";

#[test]
fn the_page_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/causes.md");
    let text = page();
    if std::env::var_os("DOORWARD_WRITE").is_some() {
        fs::write(&path, &text).unwrap_or_else(|error| panic!("{error}"));
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "docs/causes.md is out of date; the head of this file says what to do");
}

#[test]
fn every_cause_has_its_texts_and_a_name_of_its_own() {
    let ids: BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.id()).collect();
    println!("{} causes", ids.len());
    assert_eq!(ids.len(), Cause::ALL.len(), "two causes share a name");
    assert!(ids.len() >= 108);
    for cause in Cause::ALL {
        let id = cause.id();
        assert!(cause.title().len() > 8 && !cause.title().ends_with('.'), "{id}");
        assert!(cause.symptom().len() > 8, "{id}");
        assert!(cause.fix().len() > 8 && cause.fix().ends_with(['.', ')']), "{id}");
        assert!(cause.signs().count() > 0, "{id}: how is it told?");
        assert_eq!(Cause::from_id(id), Some(*cause));
    }
}

fn page() -> String {
    let mut out = HEAD.to_owned();
    for group in Group::ALL {
        out.push_str(&format!("\n## {}\n", group.title()));
        for cause in Cause::ALL.iter().filter(|cause| cause.group() == *group) {
            out.push_str(&section(*cause));
        }
    }
    out
}

fn section(cause: Cause) -> String {
    let mut out = format!("\n### {}\n\n", cause.id());
    let title = format!("**{}.** Certainty: {}. ", cause.title(), cause.certainty().word());
    let who = cause.actor().words();
    let who = format!(
        "{}{}.",
        who.chars().next().map_or(' ', |c| c.to_ascii_uppercase()),
        who.get(1..).unwrap_or_default()
    );
    push_wrapped(&mut out, &format!("{title}{who}"), "");
    out.push('\n');
    push_wrapped(&mut out, &format!("**What users see:** {}", escaped(cause.symptom())), "");
    out.push('\n');
    push_wrapped(&mut out, &format!("**What to do:** {}", escaped(cause.fix())), "");
    out.push_str("\nHow it is told:\n\n");
    for (channel, text) in cause.signs() {
        push_wrapped(&mut out, &format!("- {}: {}", channel.words(), escaped(text)), "  ");
    }
    out
}

/// What Markdown would take for HTML or emphasis, outside of code.
fn escaped(text: &str) -> String {
    let pieces = text.split('`').enumerate().map(|(number, piece)| match number % 2 {
        0 => piece.replace('<', "\\<").replace('*', "\\*"),
        _ => piece.to_owned(),
    });
    pieces.collect::<Vec<_>>().join("`")
}

fn push_wrapped(out: &mut String, text: &str, indent: &str) {
    let mut width = 0;
    for word in text.split_whitespace() {
        let long = word.chars().count();
        if width > 0 && width + 1 + long > 100 {
            out.push('\n');
            out.push_str(indent);
            width = indent.len();
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += long;
    }
    out.push('\n');
}
