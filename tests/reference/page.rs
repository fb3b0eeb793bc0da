//! `docs/reference/configuration.md`: one heading a member.

use doorward::reference::{ISSUERS, Kind, Member, Object, VARIABLE};

const HEAD: &str = "\
# Configuration reference

For everybody who writes a configuration: each member with its type, unit, range, default and an
example. [configuration.md](../configuration.md) explains how they work together; editors know the
same from [`schema/doorward.schema.json`](../../schema/doorward.schema.json), TypeScript from
`doorward`'s type `Config`.

This page is made from `src/config/table.rs`: `DOORWARD_WRITE=1 cargo test --test reference` writes
it anew.
";

/// The whole page.
pub(crate) fn page(document: &Object) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n## The document\n");
    members(document, "", &mut text);
    let inner = |name: &str| match document.find(name).map(|member| member.kind) {
        Some(
            Kind::Object(inner)
            | Kind::Objects(inner)
            | Kind::WordOr(_, inner)
            | Kind::TextOr(inner),
        ) => inner,
        _ => &VARIABLE,
    };
    text.push_str("\n## `issuers`: a Better Auth service\n\nEntries of the type `better-auth`.\n");
    let [(_, better_auth), (_, jwt)] = ISSUERS;
    let is_shared = |member: &&Member| {
        let same = |object: &Object| {
            object.find(member.name).is_some_and(|other| {
                let (one, other) = (&member.about, &other.about);
                one.text == other.text && one.default == other.default
            })
        };
        same(better_auth) && same(jwt)
    };
    for member in better_auth.all().filter(|member| !is_shared(member) || member.name == "type") {
        heading(member, "issuers[].", &mut text);
    }
    text.push_str("\n## `issuers`: an issuer of JWTs\n\nEntries of the type `jwt`.\n");
    for member in jwt.all().filter(|member| !is_shared(member)) {
        heading(member, "issuers[].", &mut text);
    }
    text.push_str(
        "\n## `issuers`: tokens of both\n\nWhat entries of both types say of their JWTs.\n",
    );
    for member in jwt.all().filter(|member| is_shared(member) && member.name != "type") {
        heading(member, "issuers[].", &mut text);
    }
    text.push_str("\n## `issuers[].storage`\n");
    let storage = better_auth.find("storage").map(|member| member.kind);
    if let Some(Kind::Object(storage)) = storage {
        members(storage, "issuers[].storage.", &mut text);
    }
    text.push_str(
        "\n## `rules`\n\nAn entry of `rules`. The values of `require` have the same members but \
         for `path` and `access`.\n",
    );
    members(inner("rules"), "rules[].", &mut text);
    text.push_str("\n## `rules[].token_exchange`, as an object\n");
    if let Some(Kind::FlagOr(exchange)) =
        inner("rules").find("token_exchange").map(|member| member.kind)
    {
        members(exchange, "rules[].token_exchange.", &mut text);
    }
    for name in ["framework", "sign_in", "pages", "cors", "assertion", "deny_list"] {
        text.push_str(&format!("\n## `{name}`\n"));
        members(inner(name), &format!("{name}."), &mut text);
    }
    text.push_str(
        "\n## `{\"env\": …}`\n\nThe value of an environment variable, in place of a string.\n",
    );
    members(&VARIABLE, "", &mut text);
    text
}

fn members(object: &Object, prefix: &str, text: &mut String) {
    for member in object.all() {
        heading(member, prefix, text);
    }
}

fn heading(member: &Member, prefix: &str, text: &mut String) {
    text.push_str(&format!("\n### `{prefix}{}`\n\n", member.name));
    for line in super::wrapped(member.about.text, 100) {
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str(&format!("\n- Type: {}", kind(member)));
    if member.env {
        text.push_str(", or `{\"env\": …}`");
    }
    if let Kind::Number(number) | Kind::Numbers(number) = member.kind {
        let most =
            if number.most == u32::MAX { String::new() } else { format!(" to {}", number.most) };
        text.push_str(&format!("\n- Unit: {}\n- Range: from {}{most}", number.unit, number.least));
    }
    let default = super::default_of(member).unwrap_or_else(|| "none: it is required".to_owned());
    text.push_str(&format!(
        "\n- Default: {default}\n- Example: `\"{}\": {}`\n",
        member.name, member.about.example
    ));
}

fn kind(member: &Member) -> String {
    let words = |words: &[&str]| {
        words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    };
    match member.kind {
        Kind::Text => "string".to_owned(),
        Kind::Texts => "list of strings, or one string".to_owned(),
        Kind::Word(known) => format!("one of {}", words(known)),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Number(_) => "whole number".to_owned(),
        Kind::Numbers(_) => "list of whole numbers, or one".to_owned(),
        Kind::Secret => "`{\"env\": …}` alone: a secret is never written".to_owned(),
        Kind::Secrets => "list of `{\"env\": …}`: a secret is never written".to_owned(),
        Kind::Store => "string".to_owned(),
        Kind::KeySet => "JWK Set".to_owned(),
        Kind::Object(_) => "object, below".to_owned(),
        Kind::Objects(_) | Kind::Issuers => "list of objects, or one, below".to_owned(),
        Kind::Requirement => "a value, `{\"any\": [ … ]}` or `{\"all\": [ … ]}`".to_owned(),
        Kind::Requirements => "object of such values by claim".to_owned(),
        Kind::TextMap => "object of strings".to_owned(),
        Kind::RuleMap(_) => "object by pattern, or a list of patterns".to_owned(),
        Kind::WordOr(known, _) => format!("one of {}, or an object, below", words(known)),
        Kind::FlagOr(_) => "`true`, `false` or an object".to_owned(),
        Kind::TextOr(_) => "string, or an object, below".to_owned(),
    }
}
