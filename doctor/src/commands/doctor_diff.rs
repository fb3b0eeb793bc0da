//! `doorward doctor diff`: what differs between what is seen of two deployments.

use serde_json::{Map, Value, json};

use crate::effects::Io;
use crate::examination::{self, Options};
use crate::exit::ExitCode;
use crate::order;
use crate::output::Output;
use crate::report::json::facts;
use crate::report::wrap::labelled;

/// Facts that differ between any two runs.
const ALWAYS_DIFFER: [&str; 3] = ["clock.service_ms", "token.exp", "token.iat"];

/// Runs the command.
pub(crate) async fn run(io: &Io, urls: [String; 2], options: Options, output: Output) -> ExitCode {
    let mut seen: Vec<Map<String, Value>> = Vec::new();
    for url in &urls {
        let plan = match examination::plan(io, url, &options).await {
            Ok(plan) => plan,
            Err(wrong) => {
                io.error(&wrong, Some("doorward doctor diff --help")).await;
                return ExitCode::Usage;
            }
        };
        match examination::learn(io, &plan, &options).await {
            Ok(learned) => seen.push(match facts(&learned) {
                Value::Object(members) => members,
                _ => Map::new(),
            }),
            Err(wrong) => {
                io.error(&wrong, None).await;
                return ExitCode::Usage;
            }
        }
        if io.is_interrupted() {
            io.error("interrupted", None).await;
            return ExitCode::Unfinished;
        }
    }
    let [one, other] = seen.as_slice() else { return ExitCode::Unfinished };
    let names: std::collections::BTreeSet<&String> =
        order::collected(one.keys().chain(other.keys()));
    let differing: Vec<&String> = names
        .into_iter()
        .filter(|name| {
            !ALWAYS_DIFFER.contains(&name.as_str()) && one.get(*name) != other.get(*name)
        })
        .collect();
    let text = if output.json {
        let of = |name: &String| json!({ "name": name, "a": one.get(name), "b": other.get(name) });
        let value = json!({
            "schema": "doctor-diff-1",
            "a": urls[0],
            "b": urls[1],
            "differs": differing.iter().map(|name| of(name)).collect::<Vec<_>>(),
        });
        format!("{value:#}\n")
    } else {
        as_text(&differing, one, other, &urls)
    };
    io.out(text).await;
    if differing.is_empty() { ExitCode::Good } else { ExitCode::Bad }
}

fn as_text(
    differing: &[&String],
    one: &Map<String, Value>,
    other: &Map<String, Value>,
    urls: &[String; 2],
) -> String {
    let [a, b] = urls;
    if differing.is_empty() {
        return format!("no difference is seen between {a} and {b}\n");
    }
    let mut out = format!("a is {a}\nb is {b}\n");
    let shown =
        |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    for name in differing {
        out.push_str(&format!("\n{name}\n"));
        out.push_str(&labelled(2, "a", 1, &shown(one.get(*name))));
        out.push_str(&labelled(2, "b", 1, &shown(other.get(*name))));
    }
    out
}
