//! Where the members of a JSON document stand in its text.
//!
//! The text is known to be JSON (`serde_json` has read it), so nothing is checked here. Places are
//! written as the configuration's errors write them: `issuers[0].url`, `require["/admin/**"].roles`.

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spanned {
    /// The byte that it begins with.
    pub(crate) start: usize,
    /// The byte behind it.
    pub(crate) end: usize,
    pub(crate) inside: Inside,
}

/// What a value consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inside {
    /// Members: name, where the name begins, value.
    Object(Vec<(String, usize, Spanned)>),
    Array(Vec<Spanned>),
    Other,
}

/// Deeper documents are not looked into: serde_json refuses them as well.
const MAX_DEPTH: usize = 128;

/// The document.
pub(crate) fn read(text: &str) -> Option<Spanned> {
    Scanner { text, at: 0 }.value(0)
}

/// The first member that stands twice in one object: where its name begins the second time.
pub(crate) fn duplicate(value: &Spanned) -> Option<(String, usize)> {
    match &value.inside {
        Inside::Object(members) => {
            let mut seen: Vec<&str> = Vec::new();
            for (name, at, inner) in members {
                if seen.contains(&name.as_str()) {
                    return Some((name.clone(), *at));
                }
                seen.push(name);
                if let Some(found) = duplicate(inner) {
                    return Some(found);
                }
            }
            None
        }
        Inside::Array(items) => items.iter().find_map(duplicate),
        Inside::Other => None,
    }
}

/// Where this place is, or as near as the document comes to it; with the byte behind it.
pub(crate) fn find(root: &Spanned, path: &str) -> (usize, usize) {
    let mut value = root;
    let mut found = (root.start, root.start.saturating_add(1));
    for step in steps(path) {
        let next = match (&value.inside, &step) {
            (Inside::Object(members), Step::Member(name)) => {
                members.iter().find(|(own, ..)| own == name).map(|(name, at, inner)| {
                    let is_leaf = !matches!(inner.inside, Inside::Object(_) | Inside::Array(_));
                    let behind_name = at.saturating_add(name.len()).saturating_add(2);
                    let span = if is_leaf { (inner.start, inner.end) } else { (*at, behind_name) };
                    (inner, span)
                })
            }
            (Inside::Array(items), Step::Item(number)) => {
                items.get(*number).map(|item| (item, (item.start, item.end)))
            }
            // One item may stand in place of a list.
            (_, Step::Item(0)) => Some((value, found)),
            _ => None,
        };
        let Some((inner, span)) = next else { break };
        (value, found) = (inner, span);
    }
    found
}

enum Step {
    Member(String),
    Item(usize),
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix("[\"") {
            let (name, behind) = behind.split_once("\"]").unwrap_or((behind, ""));
            steps.push(Step::Member(name.to_owned()));
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix('[') {
            let (number, behind) = behind.split_once(']').unwrap_or((behind, ""));
            steps.push(Step::Item(number.parse().unwrap_or(0)));
            rest = behind;
        } else {
            let behind = rest.strip_prefix('.').unwrap_or(rest);
            let end = behind.find(['.', '[']).unwrap_or(behind.len());
            let (name, behind) = behind.split_at_checked(end).unwrap_or((behind, ""));
            if name.is_empty() {
                break;
            }
            steps.push(Step::Member(name.to_owned()));
            rest = behind;
        }
    }
    steps
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn skip(&mut self, what: &[u8]) {
        while self.peek().is_some_and(|byte| what.contains(&byte)) {
            self.step();
        }
    }

    fn blank(&mut self) {
        self.skip(b" \t\r\n");
    }

    fn value(&mut self, depth: usize) -> Option<Spanned> {
        self.blank();
        let start = self.at;
        let inside = match self.peek()? {
            _ if depth > MAX_DEPTH => return None,
            b'{' => self.object(depth.saturating_add(1))?,
            b'[' => self.array(depth.saturating_add(1))?,
            b'"' => {
                self.string()?;
                Inside::Other
            }
            _ => {
                while self.peek().is_some_and(|byte| !b",]} \t\r\n".contains(&byte)) {
                    self.step();
                }
                Inside::Other
            }
        };
        Some(Spanned { start, end: self.at, inside })
    }

    fn object(&mut self, depth: usize) -> Option<Inside> {
        let mut members = Vec::new();
        self.step();
        loop {
            self.skip(b" \t\r\n,");
            if self.peek()? == b'}' {
                self.step();
                return Some(Inside::Object(members));
            }
            let at = self.at;
            let name = self.string()?;
            self.skip(b" \t\r\n:");
            members.push((name, at, self.value(depth)?));
        }
    }

    fn array(&mut self, depth: usize) -> Option<Inside> {
        let mut items = Vec::new();
        self.step();
        loop {
            self.skip(b" \t\r\n,");
            if self.peek()? == b']' {
                self.step();
                return Some(Inside::Array(items));
            }
            items.push(self.value(depth)?);
        }
    }

    /// A string, read.
    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.step();
        loop {
            match self.peek()? {
                b'\\' => self.step(),
                b'"' => break,
                _ => {}
            }
            self.step();
        }
        self.step();
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{ "issuers": [ {"type": "x", "url" : "u"}, 7 ],
  "one": {"a": "b\"c"}, "require": {"/a/**": {"roles": "admin"}} }"#;

    #[test]
    fn places_are_found_or_what_is_nearest() {
        let root = read(TEXT).unwrap_or_else(|| panic!("it is JSON"));
        let cases = [
            ("", "{"),
            ("issuers[0].url", "\"u\""),
            ("issuers[0].name", "{\"type\": \"x\", \"url\" : \"u\"}"),
            ("issuers[1]", "7"),
            ("issuers", "\"issuers\""),
            ("one[0].a", "\"b\\\"c\""),
            ("require[\"/a/**\"].roles", "\"admin\""),
            ("preset better-auth: rules[1]", "{"),
        ];
        for (path, expected) in cases {
            let (start, end) = find(&root, path);
            assert_eq!(TEXT.get(start..end), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_member_that_stands_twice_is_found() {
        let text = r#"[{"a": 1, "b": {"c": 1, "c": 2}}]"#;
        let found = read(text).and_then(|root| duplicate(&root));
        assert_eq!(found, Some(("c".to_owned(), 24)));
        assert_eq!(read("{\"a\": 1}").and_then(|root| duplicate(&root)), None);
    }
}
