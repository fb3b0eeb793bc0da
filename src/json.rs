//! JSON as strictly as a verifier needs it (RFC 8259, RFC 7519 section 4: duplicate members are refused).
//!
//! Two readers of one text that disagree are an attack; so whatever JSON leaves open is refused here.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// An object's members.
pub(crate) type Object = Map<String, Value>;

/// Nobody nests claims deeper; a stack is finite.
const MAX_DEPTH: u8 = 16;

/// Reads one JSON object and nothing else: no duplicate members at any depth, no trailing data, at most 16 levels.
pub(crate) fn object(text: &[u8]) -> Option<Object> {
    match value(text)? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Reads one JSON value under the same rules.
pub(crate) fn value(text: &[u8]) -> Option<Value> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict { levels_left: MAX_DEPTH }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(value)
}

/// Whether a JSON text is an object's. Derived readers ask this first: they would take an array for an object, its items for
/// the members in their order.
pub(crate) fn is_object(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{")
}

#[derive(Clone, Copy)]
struct Strict {
    levels_left: u8,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let levels_left = self.levels_left.checked_sub(1).ok_or_else(|| E::custom("too deep"))?;
        Ok(Self { levels_left })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom("duplicate member"));
            }
            let value = members.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_leaves_open_is_refused() {
        for text in
            [r#"{"a":1,"a":2}"#, r#"{"a":{"b":1,"b":1}}"#, r#"{"a":1} x"#, r#"{"a":1}{}"#, "[]", "", "{", "nul", "{\"a\":01}"]
        {
            assert!(object(text.as_bytes()).is_none(), "{text}");
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(17), "}".repeat(17));
        assert!(object(deep.as_bytes()).is_none());
        assert!(object(b"{\"a\":\"\xff\"}").is_none());
    }

    #[test]
    fn ordinary_objects_are_read() {
        let read = object(br#" {"a":[1,-2,3.5,null,true,"x\u0041"],"b":{}} "#);
        assert_eq!(read.map(Value::Object), Some(serde_json::json!({"a": [1, -2, 3.5, null, true, "xA"], "b": {}})));
    }
}
