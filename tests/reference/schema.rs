//! `schema/doorward.schema.json`: the configuration as a JSON Schema (draft 2020-12).
//!
//! A schema sees one member at a time. What two members say together, and what stands in variables,
//! only the gate knows: `tests/config/wrong.json` marks the mistakes that no schema sees.

use doorward::reference::{About, BETTER_AUTH_ISSUER, Kind, Member, Object, VARIABLE};
use serde_json::{Map, Value, json};

/// The whole schema.
pub(crate) fn schema(document: &Object) -> Value {
    let mut definitions = Map::new();
    let root = object(document, &mut definitions);
    object(&VARIABLE, &mut definitions);
    definitions.insert("Secret".to_owned(), json!({ "$ref": "#/$defs/Env" }));
    definitions.insert(
        "KeySet".to_owned(),
        json!({ "type": "object", "required": ["keys"], "properties": { "keys": { "type": "array" } } }),
    );
    definitions.insert("Scalar".to_owned(), json!({ "type": ["string", "number", "boolean"] }));
    definitions.insert("Requirement".to_owned(), requirement());
    let Some(Value::Object(mut schema)) = definitions.remove(&root) else { return Value::Null };
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("$id".to_owned(), json!("doorward.schema.json"));
    schema.insert("title".to_owned(), json!("Doorward's configuration"));
    // Over a preset an entry of `issuers` is only what is changed of it.
    let whole = json!({ "required": ["issuers"], "anyOf": [{ "required": ["rules"] }, { "required": ["require"] }, { "required": ["public"] }],
        "properties": { "issuers": list(json!({ "required": ["type"] }), 1) } });
    schema.insert(
        "if".to_owned(),
        json!({ "required": ["extends"], "properties": { "extends": { "type": "string" } } }),
    );
    schema.insert("else".to_owned(), whole);
    schema.insert("$defs".to_owned(), Value::Object(definitions));
    Value::Object(schema)
}

/// Puts an object among the definitions, and gives its name there.
fn object(object: &Object, definitions: &mut Map<String, Value>) -> String {
    let name = definition(object).to_owned();
    if definitions.contains_key(&name) {
        return name;
    }
    definitions.insert(name.clone(), Value::Null);
    let mut properties = Map::new();
    for member in object.all() {
        let described = value(member, definitions);
        properties.insert(member.name.to_owned(), described);
    }
    let is_partial = object.find("type").is_some();
    let required: Vec<&str> = object
        .all()
        .filter(|member| member.required.is_some() && !is_partial)
        .map(|member| member.name)
        .collect();
    let mut schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    definitions.insert(name.clone(), schema);
    name
}

/// The requirement of a claim and the members of `require` are different things.
fn definition(object: &Object) -> &str {
    if object.name == "Requirement" { "RequiredRule" } else { object.name }
}

fn value(member: &Member, definitions: &mut Map<String, Value>) -> Value {
    let About { text, example, pattern, default } = member.about;
    let schema = kind(member, pattern, definitions);
    // `null` is as good as a missing member, but for what a rule requires.
    let is_required = matches!(member.kind, Kind::Requirement | Kind::Requirements)
        || member.name == "email_domains";
    let mut schema =
        if is_required || member.required.is_some() { schema } else { with_null(schema) };
    schema["description"] = json!(text.replace('`', ""));
    if let Ok(example) = serde_json::from_str::<Value>(example) {
        schema["examples"] = json!([example]);
    }
    if let Kind::Number(number) = member.kind
        && let Some(default) = number.default
    {
        schema["default"] = json!(default);
    } else if let Some(word) = default.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'))
        && matches!(member.kind, Kind::Text | Kind::Word(_))
        && !word.contains('<')
    {
        schema["default"] = json!(word);
    }
    schema
}

fn with_null(schema: Value) -> Value {
    match schema {
        Value::Object(mut members) if members.len() == 1 && members.contains_key("anyOf") => {
            let mut any =
                members.remove("anyOf").and_then(|any| any.as_array().cloned()).unwrap_or_default();
            any.push(json!({ "type": "null" }));
            json!({ "anyOf": any })
        }
        schema => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

fn kind(member: &Member, pattern: &str, definitions: &mut Map<String, Value>) -> Value {
    let mut text = json!({ "type": "string" });
    if !pattern.is_empty() {
        text["pattern"] = json!(pattern);
    }
    let env = |schema: Value| {
        if member.env { json!({ "anyOf": [schema, { "$ref": "#/$defs/Env" }] }) } else { schema }
    };
    match member.kind {
        Kind::Text => env(text),
        Kind::Texts => {
            let item = env(text);
            let least = if MAY_BE_EMPTY.contains(&member.name) { 0 } else { 1 };
            list(item, least)
        }
        Kind::Word(words) => env(json!({ "enum": words })),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Number(number) => {
            json!({ "type": "integer", "minimum": number.least, "maximum": number.most })
        }
        Kind::Numbers(number) => {
            let item =
                json!({ "type": "integer", "minimum": number.least, "maximum": number.most });
            list(item, 0)
        }
        Kind::Secret => json!({ "$ref": "#/$defs/Secret" }),
        Kind::Secrets => list(json!({ "$ref": "#/$defs/Secret" }), 1),
        Kind::Store => json!({ "type": "string", "minLength": 1 }),
        Kind::KeySet => {
            json!({ "anyOf": [{ "$ref": "#/$defs/KeySet" }, { "$ref": "#/$defs/Env" }] })
        }
        Kind::Object(inner) => json!({ "$ref": reference(&object(inner, definitions)) }),
        Kind::Objects(inner) => list(json!({ "$ref": reference(&object(inner, definitions)) }), 1),
        Kind::Issuers => {
            definitions.entry("Issuer").or_insert(Value::Null);
            let issuers = doorward::reference::ISSUERS
                .map(|(kind, inner)| (kind, object(inner, definitions)));
            let [(_, better_auth), (jwt, jwt_issuer)] = issuers;
            let required = |inner: &Object| -> Vec<&str> {
                inner
                    .all()
                    .filter(|member| member.required.is_some())
                    .map(|member| member.name)
                    .collect()
            };
            let whole = |name: &str, inner: &Object| {
                json!({ "if": { "required": ["type", "name"] }, "then": { "$ref": reference(name) }, "else": {
                "$ref": reference(name), "if": { "required": ["type"] }, "then": { "required": required(inner) } } })
            };
            let jwt_object = doorward::reference::ISSUERS[1].1;
            let issuer = json!({
                "if": { "required": ["type"], "properties": { "type": { "const": jwt } } },
                "then": whole(&jwt_issuer, jwt_object),
                "else": {
                    "if": { "required": ["type"] },
                    "then": whole(&better_auth, &BETTER_AUTH_ISSUER),
                    "else": { "anyOf": [{ "$ref": reference(&better_auth) }, { "$ref": reference(&jwt_issuer) }] },
                },
            });
            definitions.insert("Issuer".to_owned(), issuer);
            list(json!({ "$ref": "#/$defs/Issuer" }), 0)
        }
        Kind::Requirement => json!({ "$ref": "#/$defs/Requirement" }),
        Kind::Requirements => {
            json!({ "type": "object", "minProperties": 1, "additionalProperties": { "$ref": "#/$defs/Requirement" } })
        }
        Kind::TextMap => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[a-z0-9-]+$" },
            "additionalProperties": { "anyOf": [{ "type": "string", "minLength": 1 }, { "$ref": "#/$defs/Env" }] },
        }),
        Kind::RuleMap(inner) => {
            let by_pattern = json!({ "type": "object", "additionalProperties": { "$ref": reference(&object(inner, definitions)) } });
            json!({ "anyOf": [by_pattern, list(json!({ "type": "string" }), 1)] })
        }
        Kind::WordOr(words, inner) => {
            json!({ "anyOf": [{ "enum": words }, { "const": false }, { "$ref": reference(&object(inner, definitions)) }] })
        }
        Kind::FlagOr(inner) => {
            json!({ "anyOf": [{ "type": "boolean" }, { "$ref": reference(&object(inner, definitions)) }] })
        }
        Kind::TextOr(inner) => {
            json!({ "anyOf": [text, { "$ref": reference(&object(inner, definitions)) }] })
        }
    }
}

/// Lists in which none is as good as a missing member, or says something.
const MAY_BE_EMPTY: [&str; 7] = [
    "authorized_parties",
    "allowed_origins",
    "origins",
    "identity_headers",
    "required_claims",
    "locales",
    "keep_headers",
];

/// A list of these, or one in its place.
fn list(item: Value, least: u32) -> Value {
    json!({ "if": { "type": "array" }, "then": { "items": item, "minItems": least }, "else": item })
}

fn reference(name: &str) -> String {
    format!("#/$defs/{name}")
}

fn requirement() -> Value {
    let several = json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/Scalar" } });
    json!({ "anyOf": [
        { "$ref": "#/$defs/Scalar" },
        { "type": "object", "required": ["any"], "properties": { "any": several.clone() }, "additionalProperties": false },
        { "type": "object", "required": ["all"], "properties": { "all": several }, "additionalProperties": false },
    ] })
}
