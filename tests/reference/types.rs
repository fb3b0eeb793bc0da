//! `middleware/config.d.ts`: the configuration as TypeScript types.

use doorward::reference::{Kind, Member, Object, REQUIRE, RULE, VARIABLE};

const HEAD: &str = "\
// Made from src/config/table.rs: `DOORWARD_WRITE=1 cargo test --test reference` writes it anew.

/** A list, or one value in its place. */
export type List<T> = T | readonly T[];

/** A secret: the environment variable that holds it. It is never written in the configuration. */
export type Secret = Env;

/** A JWK Set (RFC 7517 section 5). */
export interface KeySet {
  keys: readonly Record<string, unknown>[];
}

/** A value that is compared with its type. */
export type Scalar = string | number | boolean;

/** One value, or any or all of several. */
export type Requirement = Scalar | { any: readonly Scalar[]; all?: never } | { all: readonly Scalar[]; any?: never };
";

/// The whole file.
pub(crate) fn types(document: &Object) -> String {
    let mut text = HEAD.to_owned();
    let mut written: Vec<&str> = Vec::new();
    interface(document, &mut written, &mut text);
    interface(&VARIABLE, &mut written, &mut text);
    text.push_str(
        "\n/** An entry of `issuers`: an issuer, or what is changed of a preset's. */\n\
         export type Issuer =\n  | BetterAuthIssuer\n  | JwtIssuer\n  \
         | (Partial<Omit<BetterAuthIssuer, \"type\">> & { type?: undefined })\n  \
         | (Partial<Omit<JwtIssuer, \"type\">> & { type?: undefined });\n",
    );
    text
}

fn interface(object: &Object, written: &mut Vec<&str>, text: &mut String) {
    if written.contains(&object.name) {
        return;
    }
    written.push(object.name);
    if object.name == REQUIRE.name {
        text.push_str(&required_rule());
        return;
    }
    let about = match object.name {
        "Config" => "The configuration; `docs/reference/configuration.md` has the same in prose.",
        "Env" => "The value of an environment variable, in place of a string.",
        "BetterAuthIssuer" => "A Better Auth service.",
        "JwtIssuer" => "An issuer of JWTs.",
        _ => "",
    };
    text.push('\n');
    if !about.is_empty() {
        text.push_str(&format!("/** {about} */\n"));
    }
    text.push_str(&format!("export interface {} {{\n", object.name));
    for member in object.all() {
        text.push_str(&comment(member));
        let optional = if member.required.is_some() { "" } else { "?" };
        let null = if takes_null(member) { " | null" } else { "" };
        let name = if member.name.starts_with('$') {
            format!("\"{}\"", member.name)
        } else {
            member.name.to_owned()
        };
        let type_of = if member.name == "type" {
            format!("\"{}\"", if object.name == "JwtIssuer" { "jwt" } else { "better-auth" })
        } else {
            kind(member)
        };
        text.push_str(&format!("  {name}{optional}: {type_of}{null};\n"));
    }
    text.push_str("}\n");
    for member in object.all() {
        match member.kind {
            Kind::Object(inner)
            | Kind::Objects(inner)
            | Kind::RuleMap(inner)
            | Kind::WordOr(_, inner)
            | Kind::FlagOr(inner)
            | Kind::TextOr(inner) => {
                interface(inner, written, text);
            }
            Kind::Issuers => {
                for (_, inner) in doorward::reference::ISSUERS {
                    interface(inner, written, text);
                }
            }
            _ => {}
        }
    }
}

/// A rule of `require` has the members of a rule but those that `require` itself says.
fn required_rule() -> String {
    let own: Vec<&str> = REQUIRE.all().map(|member| member.name).collect();
    let omitted: Vec<String> = RULE
        .all()
        .filter(|member| !own.contains(&member.name))
        .map(|member| format!("\"{}\"", member.name))
        .collect();
    assert_eq!(own.len() + omitted.len(), RULE.all().count(), "a member is not a rule's");
    let omitted = omitted.join(" | ");
    format!(
        "\n/** A rule of `require`: its path and access are said already. */\n\
         export type {} = Omit<Rule, {omitted}>;\n",
        name_of(&REQUIRE)
    )
}

/// `Requirement` is the name of what a rule's `roles` and the like are.
fn name_of(object: &Object) -> &'static str {
    if object.name == REQUIRE.name { "RequiredRule" } else { object.name }
}

fn takes_null(member: &Member) -> bool {
    let is_requirement = matches!(member.kind, Kind::Requirement | Kind::Requirements)
        || member.name == "email_domains";
    member.required.is_none()
        && !is_requirement
        && !matches!(member.name, "env" | "default" | "optional" | "prefix" | "suffix")
}

/// What editors show: one sentence, unit and default.
fn comment(member: &Member) -> String {
    let mut text = member.about.text.to_owned();
    if let Some(default) = super::default_of(member).filter(|default| default != "none") {
        text.push_str(&format!(" Default: {default}."));
    }
    let line = format!("  /** {text} */\n");
    if line.chars().count() <= 100 {
        return line;
    }
    let mut comment = String::from("  /**\n");
    for line in super::wrapped(&text, 94) {
        comment.push_str(&format!("   * {line}\n"));
    }
    comment.push_str("   */\n");
    comment
}

fn kind(member: &Member) -> String {
    let words = |words: &[&str]| {
        words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" | ")
    };
    let env = if member.env { " | Env" } else { "" };
    match member.kind {
        Kind::Text => format!("string{env}"),
        Kind::Texts => format!("List<string{env}>"),
        Kind::Word(known) => format!("{}{env}", words(known)),
        Kind::Flag => "boolean".to_owned(),
        Kind::Number(_) => "number".to_owned(),
        Kind::Numbers(_) => "List<number>".to_owned(),
        Kind::Secret => "Secret".to_owned(),
        Kind::Secrets => "List<Secret>".to_owned(),
        Kind::Store => "string".to_owned(),
        Kind::KeySet => "KeySet | Env".to_owned(),
        Kind::Object(inner) => name_of(inner).to_owned(),
        Kind::Objects(inner) => format!("List<{}>", name_of(inner)),
        Kind::Issuers => "List<Issuer>".to_owned(),
        Kind::Requirement => "Requirement".to_owned(),
        Kind::Requirements => "Record<string, Requirement>".to_owned(),
        Kind::TextMap => "Record<string, string | Env>".to_owned(),
        Kind::RuleMap(inner) => format!("Record<string, {}> | List<string>", name_of(inner)),
        Kind::WordOr(known, inner) => format!("{} | false | {}", words(known), name_of(inner)),
        Kind::FlagOr(inner) => format!("boolean | {}", name_of(inner)),
        Kind::TextOr(inner) => format!("string | {}", name_of(inner)),
    }
}
