//! What is generated from the table of the configuration's members (`src/config/table.rs`) is what
//! the table says: the JSON Schema, the types and the reference page. `DOORWARD_WRITE=1 cargo test
//! --test reference` writes them anew.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

#[path = "reference/page.rs"]
mod page;
#[path = "reference/schema.rs"]
mod schema;
#[path = "reference/types.rs"]
mod types;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use doorward::reference::{DOCUMENT, ISSUERS, Kind, Member, Object, VARIABLE};
use serde_json::Value;

#[test]
fn generated_files_are_what_the_table_says() {
    let mut schema = schema::schema(&DOCUMENT);
    // The same bytes whether or not another package of the workspace has serde_json keep the order.
    schema.sort_all_objects();
    let files = [
        ("schema/doorward.schema.json", format!("{schema:#}\n")),
        // The same in the npm package.
        ("middleware/doorward.schema.json", format!("{schema}\n")),
        ("middleware/config.d.ts", types::types(&DOCUMENT)),
        ("docs/reference/configuration.md", page::page(&DOCUMENT)),
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let writes = std::env::var_os("DOORWARD_WRITE").is_some();
    let mut old = Vec::new();
    for (name, text) in &files {
        let path = root.join(name);
        if fs::read_to_string(&path).ok().as_ref() == Some(text) {
            continue;
        }
        if writes {
            path.parent()
                .map(fs::create_dir_all)
                .transpose()
                .and_then(|_| fs::write(&path, text))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        } else {
            old.push(*name);
        }
    }
    assert!(
        old.is_empty(),
        "out of date: {old:?}; `DOORWARD_WRITE=1 cargo test --test reference` writes them anew"
    );
}

/// Every member is explained, and its example is one.
#[test]
fn every_member_is_explained() {
    let mut count = 0;
    for object in objects() {
        let mut names = BTreeSet::new();
        for Member { name, about, .. } in object.all() {
            let place = format!("{}.{name}", object.name);
            assert!(names.insert(name), "{place} is there twice");
            assert!(
                about.text.len() > 4 && about.text.ends_with(['.', ')']),
                "{place}: {}",
                about.text
            );
            assert!(
                serde_json::from_str::<Value>(about.example).is_ok(),
                "{place}: {}",
                about.example
            );
            count += 1;
        }
        for (old, hint) in object.old {
            assert!(object.find(old).is_none(), "{old} is a name that counts");
            let new = hint.split('"').nth(1).unwrap_or_default();
            assert!(object.find(new).is_some(), "{}: {hint}", object.name);
        }
    }
    println!("members: {count}");
    assert!(count > 90, "{count}");
}

/// What it says to people, it says in lines that fit and in words that are not the code's.
#[test]
fn prose_about_the_configuration_names_only_members_that_there_are() {
    let prose = include_str!("../docs/configuration.md");
    let known: BTreeSet<&str> =
        objects().iter().flat_map(|object| object.all()).map(|member| member.name).collect();
    for object in objects() {
        for (old, _) in
            object.old.iter().filter(|(old, _)| old.contains('_') && !known.contains(old))
        {
            assert!(
                !prose.contains(&format!("`{old}`")) && !prose.contains(&format!("\"{old}\"")),
                "docs/configuration.md: {old}"
            );
        }
    }
}

/// Every object of the table, once.
fn objects() -> Vec<&'static Object> {
    let mut all: Vec<&'static Object> = Vec::new();
    let mut left: Vec<&'static Object> = vec![&DOCUMENT, &VARIABLE];
    while let Some(object) = left.pop() {
        if all.iter().any(|known| known.name == object.name) {
            continue;
        }
        all.push(object);
        for member in object.all() {
            match member.kind {
                Kind::Object(inner)
                | Kind::Objects(inner)
                | Kind::RuleMap(inner)
                | Kind::WordOr(_, inner)
                | Kind::FlagOr(inner)
                | Kind::TextOr(inner) => left.push(inner),
                Kind::Issuers => left.extend(ISSUERS.map(|(_, inner)| inner)),
                _ => {}
            }
        }
    }
    all
}

/// What counts where a member is missing, in words; nothing where it may not be missing.
fn default_of(member: &Member) -> Option<String> {
    match member.kind {
        Kind::Number(number) => {
            Some(number.default.map_or_else(|| "none".to_owned(), |default| default.to_string()))
        }
        _ if member.about.default.is_empty() => None,
        _ => Some(member.about.default.to_owned()),
    }
}

/// Text in lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().unwrap_or_else(|| panic!("there is a line"));
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
