//! JSON as strictly as a verifier needs it (RFC 8259, RFC 7519 section 4: duplicate members are
//! refused).
//!
//! Two readers of one text that disagree are an attack; so whatever JSON leaves open is refused
//! here.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{
    Deserialize as _, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor,
};
use serde_json::Number;
use serde_json::value::RawValue;

/// Nobody nests claims deeper; a stack is finite.
const MAX_DEPTH: u8 = 16;
/// Objects have about so many members; a list of them does not have to grow then.
const USUAL_MEMBERS: usize = 12;

/// A value. Text that has no escapes is the document's own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Object<'a>),
    /// Not read yet: the document's own spelling, where [`unread`] was asked for.
    Unread(&'a str),
}

impl Value<'_> {
    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> From<&'a serde_json::Value> for Value<'a> {
    /// The same, as what has just been read.
    fn from(value: &'a serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => Self::Number(number.clone()),
            serde_json::Value::String(text) => Self::Text(Cow::Borrowed(text)),
            serde_json::Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            serde_json::Value::Object(members) => {
                let member = |(name, value): (&'a String, &'a serde_json::Value)| {
                    (Cow::Borrowed(name.as_str()), value.into())
                };
                Self::Object(Object { members: members.iter().map(member).collect() })
            }
        }
    }
}

impl From<Value<'_>> for serde_json::Value {
    /// The same as a tree of its own, for what is kept.
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null | Value::Unread(_) => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number),
            Value::Text(text) => Self::String(text.into_owned()),
            Value::List(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Value::Object(object) => {
                let mut members = serde_json::Map::new();
                for (name, value) in object.members {
                    members.insert(name.into_owned(), value.into());
                }
                Self::Object(members)
            }
        }
    }
}

/// An object's members, no two of one name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Object<'a> {
    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.members.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Whether there is a member of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The text of the member of this name, if it is one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_text)
    }

    /// The member of this name as it is spelled, if there is exactly one and it is
    /// [`Value::Unread`].
    pub(crate) fn spelled(&self, name: &str) -> Option<&'a str> {
        let mut found = self.members.iter().filter(|(own, _)| own == name);
        match (found.next(), found.next()) {
            (Some((_, Value::Unread(text))), None) => Some(text),
            _ => None,
        }
    }

    /// All members, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// Few names are compared with each other; many are sorted, so that nobody can make that
    /// expensive. Nearly always one look at each is enough.
    fn names_repeat(&self) -> bool {
        let mut names = self.members.iter().map(|(name, _)| name);
        let mut marks = 0_u64;
        let is_new = |mark: u64| (marks & mark == 0, marks |= mark).0;
        if names.clone().map(|name| mark_of(name)).all(is_new) {
            return false;
        }
        if self.members.len() > 2 * USUAL_MEMBERS {
            let mut seen = BTreeSet::new();
            return !names.all(|name| seen.insert(name));
        }
        names.enumerate().any(|(number, name)| {
            self.members.iter().take(number).any(|(before, _)| before == name)
        })
    }
}

/// One bit of 64: names whose marks differ are different.
fn mark_of(name: &str) -> u64 {
    let (first, last) =
        (name.bytes().next().unwrap_or_default(), name.bytes().next_back().unwrap_or_default());
    let mixed = usize::from(first)
        .wrapping_mul(7)
        .wrapping_add(usize::from(last))
        .wrapping_add(name.len().wrapping_mul(11));
    1_u64.rotate_left(u32::try_from(mixed % 64).unwrap_or_default())
}

/// Reads one JSON object and nothing else: no duplicate members at any depth, no trailing data, at
/// most 16 levels.
pub(crate) fn object(text: &[u8]) -> Option<Object<'_>> {
    match value(text)? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Reads one JSON value under the same rules.
pub(crate) fn value(text: &[u8]) -> Option<Value<'_>> {
    let mut reader = serde_json::Deserializer::from_str(std::str::from_utf8(text).ok()?);
    let value = Strict { levels_left: MAX_DEPTH, read: Read::All }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(value)
}

/// A value as JSON.
pub(crate) fn written(value: &impl serde::Serialize) -> String {
    // Texts and numbers in members of known names: there is nothing that could fail.
    serde_json::to_string(value).unwrap_or_default()
}

/// Reads one JSON value, but of an object's members and a list's items only how they are spelled;
/// members may be there twice.
pub(crate) fn unread(text: &str) -> Option<Value<'_>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { levels_left: 1, read: Read::Outermost }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(value)
}

/// The same for an object.
pub(crate) fn unread_object(text: &str) -> Option<Object<'_>> {
    match unread(text)? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// The whole number of the member of this name, if it is one.
pub(crate) fn integer(members: &Object<'_>, name: &str) -> Option<i64> {
    match members.get(name)? {
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

/// A text as JSON writes it, quotation marks included.
pub(crate) fn quoted(text: &str) -> String {
    written(&text)
}

#[derive(Clone, Copy)]
struct Strict {
    levels_left: u8,
    read: Read,
}

/// How much is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    All,
    Outermost,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let levels_left = self.levels_left.checked_sub(1).ok_or_else(|| E::custom("too deep"))?;
        Ok(Self { levels_left, ..self })
    }

    /// Whether what is to be read now is within what is left unread. A name never is.
    fn leaves_unread(self) -> bool {
        self.levels_left == 0 && self.read == Read::Outermost
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        if self.leaves_unread() {
            return <&RawValue>::deserialize(deserializer).map(|raw| Value::Unread(raw.get()));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value<'de>, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut object = Object { members: Vec::new() };
        while let Some(name) = members.next_key_seed(self)? {
            let Value::Text(name) = name else {
                return Err(A::Error::custom("a name is text"));
            };
            if object.members.is_empty() {
                object.members.reserve(USUAL_MEMBERS);
            }
            object.members.push((name, members.next_value_seed(inner)?));
        }
        if self.read == Read::All && object.names_repeat() {
            Err(A::Error::custom("duplicate member"))
        } else {
            Ok(Value::Object(object))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_leaves_open_is_refused() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"a":1} x"#,
            r#"{"a":1}{}"#,
            "[]",
            "",
            "{",
            "nul",
            "{\"a\":01}",
        ] {
            assert!(object(text.as_bytes()).is_none(), "{text}");
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(17), "}".repeat(17));
        assert!(object(deep.as_bytes()).is_none());
        assert!(object(b"{\"a\":\"\xff\"}").is_none());
    }

    #[test]
    fn ordinary_objects_are_read() {
        let read = object(br#" {"a":[1,-2,null,true,"x","x\u0041"],"\u0062":{}} "#);
        let list =
            [Value::Number(1.into()), Value::Number((-2).into()), Value::Null, Value::Bool(true)];
        let texts = ["x", "xA"].map(|text| Value::Text(text.into()));
        let read = read.map(|read| (read.get("a").cloned(), read.get("b").cloned(), read.has("c")));
        let empty = Value::Object(Object { members: Vec::new() });
        assert_eq!(
            read,
            Some((Some(Value::List(list.into_iter().chain(texts).collect())), Some(empty), false))
        );
    }

    #[test]
    fn what_is_left_unread_keeps_its_spelling() {
        let read =
            unread_object(r#" {"a": [1.50, {"b":{}, "b":{}}] ,"\u0063":"x\u0041", "d":1, "d":1} "#);
        let read =
            read.map(|read| (read.len(), ["a", "c", "d", "e"].map(|name| read.spelled(name))));
        assert_eq!(
            read,
            Some((4, [Some(r#"[1.50, {"b":{}, "b":{}}]"#), Some(r#""x\u0041""#), None, None]))
        );
        for text in ["", "{", "[{}]", "{} x", r#"{"a":}"#, r#"{"a":nul}"#, r#"{"a":"\x"}"#] {
            assert!(unread_object(text).is_none(), "{text}");
        }
    }

    #[test]
    fn among_many_names_a_second_one_is_seen() {
        let of = |names: &[usize]| {
            let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":0")).collect();
            object(format!("{{{}}}", members.join(",")).as_bytes()).is_some()
        };
        for length in [2, 24, 25, 300] {
            let mut names: Vec<usize> = (0..length).collect();
            assert!(of(&names), "{length}");
            names.push(length / 2);
            assert!(!of(&names), "{length}");
        }
    }
}
