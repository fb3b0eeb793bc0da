//! A JSON object that is put together member by member: a line of the log, and the findings in it.

use crate::encoding::{json, percent};

/// The most bytes of a client's text that are shown. A host name has at most 253 characters.
const MAX_SHOWN_BYTES: usize = 300;

/// Members of a JSON object, by their names. Of two with one name the first counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members(Vec<(&'static str, String)>);

/// One function for each kind of value: they are called in many places, and each copy counts.
impl Members {
    /// A member whose value is JSON already.
    #[inline(never)]
    pub(crate) fn add(&mut self, name: &'static str, json: String) {
        // Few enough that a sort, with all that comes with it, would only make the code larger.
        if let Err(place) = self.0.binary_search_by(|(own, _)| (*own).cmp(name)) {
            self.0.insert(place, (name, json));
        }
    }

    /// A text of the gate's own, or of its configuration.
    #[inline(never)]
    pub(crate) fn text(&mut self, name: &'static str, text: &str) {
        self.add(name, json::quoted(text));
    }

    /// The same where there is one.
    pub(crate) fn text_if_any(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// A text that somebody unknown has made up: shortened, and escaped so that it cannot control a
    /// terminal.
    #[inline(never)]
    pub(crate) fn shown(&mut self, name: &'static str, text: &str) {
        self.add(name, shown(text));
    }

    /// A whole number.
    #[inline(never)]
    pub(crate) fn number(&mut self, name: &'static str, number: i64) {
        self.add(name, number.to_string());
    }

    /// About how many bytes it keeps in memory.
    pub(crate) fn weight(&self) -> usize {
        self.0.iter().map(|(_, json)| json.len()).fold(0, usize::saturating_add)
    }

    /// Those of another object as well.
    pub(crate) fn extend(&mut self, other: &Self) {
        for (name, json) in &other.0 {
            self.add(name, json.clone());
        }
    }

    /// The object, its members in the order of their names.
    #[inline(never)]
    pub(crate) fn written(self) -> String {
        let mut written = String::from("{");
        for (name, json) in self.0 {
            let comma = if written.len() > 1 { ",\"" } else { "\"" };
            for part in [comma, name, "\":", &json] {
                written.push_str(part);
            }
        }
        written.push('}');
        written
    }
}

/// A text that somebody unknown has made up, as JSON.
pub(crate) fn shown(text: &str) -> String {
    json::quoted(&percent::loggable(text, MAX_SHOWN_BYTES))
}

/// A list of what is JSON already.
#[inline(never)]
pub(crate) fn list(items: &[String]) -> String {
    ["[", &items.join(","), "]"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_sorted_and_the_first_of_a_name_counts() {
        let mut members = Members::default();
        members.text("b", "say \"x\"");
        members.shown("c", "a\u{1b}[31m%\n");
        members.number("a", -1);
        members.text("b", "later");
        members.add("d", list(&[json::quoted("x"), shown(&"y".repeat(400))]));
        let long = ["y".repeat(300), "...".to_owned()].concat();
        let expected =
            format!(r#"{{"a":-1,"b":"say \"x\"","c":"a%1B[31m%25%0A","d":["x","{long}"]}}"#);
        assert_eq!(members.written(), expected);
        assert_eq!(Members::default().written(), "{}");
    }
}
