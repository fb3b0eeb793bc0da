//! A token scan of JavaScript and TypeScript: comments and strings are told apart from code, and
//! object literals are read as far as they are literals. Nothing is executed, and what is found is
//! a hint: a value may be computed elsewhere.

/// A literal, as far as it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Object(Vec<Member>),
    Array(Vec<(usize, Self)>),
    Text(String),
    Number(String),
    /// A name: `true`, `settings.url`.
    Word(String),
    /// A call, by the name that is called.
    Call(String, Vec<Self>),
    Other,
}

/// A member of an object literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// The byte that its name begins with.
    pub(crate) at: usize,
    pub(crate) value: Literal,
}

impl Literal {
    /// A member by its path: `session.cookieCache.enabled`.
    pub(crate) fn member(&self, path: &str) -> Option<&Member> {
        let mut value = self;
        let mut found = None;
        for name in path.split('.') {
            let Self::Object(members) = value else { return None };
            let member = members.iter().find(|member| member.name == name)?;
            value = &member.value;
            found = Some(member);
        }
        found
    }

    /// The text in a member.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        match &self.member(path)?.value {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether a member is exactly this word.
    pub(crate) fn is_word(&self, path: &str, word: &str) -> bool {
        matches!(self.member(path), Some(Member { value: Self::Word(own), .. }) if own == word)
    }
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Number(String),
    Mark(char),
    /// A template with substitutions, or a regular expression.
    Opaque,
}

/// A source, scanned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    tokens: Vec<(usize, Token)>,
}

impl Source {
    pub(crate) fn read(text: &str) -> Self {
        let mut scanner = Scanner { text, at: 0, tokens: Vec::new() };
        while scanner.token().is_some() {}
        Self { tokens: scanner.tokens }
    }

    fn token(&self, index: usize) -> Option<&Token> {
        self.tokens.get(index).map(|(_, token)| token)
    }

    fn is_mark(&self, index: usize, mark: char) -> bool {
        self.token(index) == Some(&Token::Mark(mark))
    }

    /// Where a word stands in code, first of all.
    pub(crate) fn word(&self, word: &str) -> Option<usize> {
        self.position(word).and_then(|index| self.tokens.get(index)).map(|(at, _)| *at)
    }

    fn position(&self, word: &str) -> Option<usize> {
        self.tokens.iter().position(|(_, token)| matches!(token, Token::Word(own) if own == word))
    }

    /// The modules that it imports: the text behind `from`, `import` or `require(`.
    pub(crate) fn imports(&self) -> Vec<(usize, &str)> {
        let mut found = Vec::new();
        for (index, (at, token)) in self.tokens.iter().enumerate() {
            let Token::Text(module) = token else { continue };
            let before = |back: usize| index.checked_sub(back).and_then(|index| self.token(index));
            let is_word = |token: Option<&Token>, words: &[&str]| matches!(token, Some(Token::Word(word)) if words.contains(&word.as_str()));
            let is_called =
                before(1) == Some(&Token::Mark('(')) && is_word(before(2), &["require", "import"]);
            if is_called || is_word(before(1), &["from", "import"]) {
                found.push((*at, module.as_str()));
            }
        }
        found
    }

    /// The names that it exports.
    pub(crate) fn exports(&self) -> Vec<(usize, &str)> {
        let mut found = Vec::new();
        for (index, (at, token)) in self.tokens.iter().enumerate() {
            if !matches!(token, Token::Word(word) if word == "export") {
                continue;
            }
            let mut next = index.saturating_add(1);
            while let Some(Token::Word(word)) = self.token(next) {
                match word.as_str() {
                    "const" | "let" | "var" | "async" | "function" | "class" => {}
                    name => {
                        found.push((*at, name));
                        break;
                    }
                }
                next = next.saturating_add(1);
            }
            if self.is_mark(next, '{') {
                found.extend(self.listed(next));
            }
        }
        found
    }

    /// The names in `{ a, b as c }`: what they are called outside.
    fn listed(&self, open: usize) -> Vec<(usize, &str)> {
        let mut found: Vec<(usize, &str)> = Vec::new();
        let mut renames = false;
        for (at, token) in self.tokens.iter().skip(open.saturating_add(1)) {
            match token {
                Token::Word(word) if word == "as" => renames = true,
                Token::Word(word) => {
                    if renames {
                        found.pop();
                    }
                    renames = false;
                    found.push((*at, word));
                }
                Token::Mark(',') => {}
                _ => break,
            }
        }
        found
    }

    /// The value of `const name = …`.
    pub(crate) fn constant(&self, name: &str) -> Option<Literal> {
        self.tokens.iter().enumerate().find_map(|(index, (_, token))| {
            let is_it = matches!(token, Token::Word(own) if own == name);
            let is_declared = index.checked_sub(1).and_then(|before| self.token(before)).is_some_and(
                |token| matches!(token, Token::Word(word) if matches!(word.as_str(), "const" | "let" | "var")),
            );
            if !is_it || !is_declared {
                return None;
            }
            // A type may stand before the value.
            let assigned = (index..index.saturating_add(12)).find(|next| self.is_mark(*next, '='))?;
            Some(self.literal(assigned.saturating_add(1), 0).0)
        })
    }

    /// The object of `export default {…}`, or of `module.exports = {…}`.
    pub(crate) fn default_object(&self) -> Option<Literal> {
        let named = |name: &str| {
            let index = self.position(name)?;
            let open = (index..index.saturating_add(4)).find(|next| self.is_mark(*next, '{'))?;
            Some(self.literal(open, 0).0)
        };
        named("default").or_else(|| named("exports"))
    }

    /// The first argument of the first call of this function.
    pub(crate) fn call(&self, name: &str) -> Option<(usize, Literal)> {
        self.tokens.iter().enumerate().find_map(|(index, (at, token))| {
            let is_it = matches!(token, Token::Word(own) if own == name);
            let open = index.saturating_add(1);
            // A type argument may stand between: `betterAuth<…>(`.
            (is_it && self.is_mark(open, '('))
                .then(|| (*at, self.literal(open.saturating_add(1), 0).0))
        })
    }

    /// Every object literal that is the first argument of a call of this function.
    pub(crate) fn calls(&self, name: &str) -> Vec<(usize, Literal)> {
        let mut found = Vec::new();
        for (index, (at, token)) in self.tokens.iter().enumerate() {
            let open = index.saturating_add(1);
            if matches!(token, Token::Word(own) if own == name) && self.is_mark(open, '(') {
                found.push((*at, self.literal(open.saturating_add(1), 0).0));
            }
        }
        found
    }

    /// A literal, and the token behind it.
    fn literal(&self, index: usize, depth: usize) -> (Literal, usize) {
        let next = index.saturating_add(1);
        let deeper = depth.saturating_add(1);
        let (value, end) = match self.token(index) {
            _ if depth > 32 => (Literal::Other, index),
            Some(Token::Mark('{')) => self.object(next, deeper),
            Some(Token::Mark('[')) => self.array(next, deeper),
            Some(Token::Text(text)) => (Literal::Text(text.clone()), next),
            Some(Token::Number(number)) => (Literal::Number(number.clone()), next),
            Some(Token::Word(word)) if !matches!(word.as_str(), "async" | "function" | "new") => {
                self.named(word, next, deeper)
            }
            _ => (Literal::Other, index),
        };
        // What goes on behind it (an operator, a call) makes it none.
        let ends = |index: usize| {
            matches!(self.token(index), None | Some(Token::Mark(',' | '}' | ']' | ')' | ';')))
                || matches!(self.token(index), Some(Token::Word(_)))
        };
        if ends(end) {
            return (value, self.skipped(end));
        }
        (Literal::Other, self.skipped(end))
    }

    /// A name with members, or a call.
    fn named(&self, first: &str, mut index: usize, depth: usize) -> (Literal, usize) {
        let mut name = first.to_owned();
        while self.is_mark(index, '.') {
            let Some(Token::Word(member)) = self.token(index.saturating_add(1)) else { break };
            name.push('.');
            name.push_str(member);
            index = index.saturating_add(2);
        }
        if !self.is_mark(index, '(') {
            return (Literal::Word(name), index);
        }
        let (arguments, end) = self.array(index.saturating_add(1), depth);
        let arguments = match arguments {
            Literal::Array(items) => items.into_iter().map(|(_, item)| item).collect(),
            _ => Vec::new(),
        };
        (Literal::Call(name, arguments), end)
    }

    /// Behind the rest of an expression: at the next comma or bracket of the same depth.
    fn skipped(&self, mut index: usize) -> usize {
        let mut depth = 0_usize;
        while let Some(token) = self.token(index) {
            match token {
                Token::Mark('(' | '[' | '{') => depth = depth.saturating_add(1),
                Token::Mark(')' | ']' | '}') if depth == 0 => return index,
                Token::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
                Token::Mark(',' | ';') if depth == 0 => return index,
                _ => {}
            }
            index = index.saturating_add(1);
        }
        index
    }

    fn object(&self, mut index: usize, depth: usize) -> (Literal, usize) {
        let mut members = Vec::new();
        loop {
            match self.tokens.get(index) {
                None => return (Literal::Object(members), index),
                Some((_, Token::Mark('}'))) => {
                    return (Literal::Object(members), index.saturating_add(1));
                }
                Some((_, Token::Mark(','))) => index = index.saturating_add(1),
                Some((at, Token::Word(name) | Token::Text(name))) => {
                    let colon = index.saturating_add(1);
                    let (value, end) = if self.is_mark(colon, ':') {
                        self.literal(colon.saturating_add(1), depth)
                    } else if matches!(self.token(colon), Some(Token::Mark(',' | '}'))) {
                        (Literal::Word(name.clone()), colon)
                    } else {
                        (Literal::Other, self.skipped(colon))
                    };
                    members.push(Member { name: name.clone(), at: *at, value });
                    index = end.max(colon);
                }
                // A spread, or a computed name.
                Some(_) => index = self.skipped(index.saturating_add(1)),
            }
        }
    }

    fn array(&self, mut index: usize, depth: usize) -> (Literal, usize) {
        let mut items = Vec::new();
        loop {
            match self.tokens.get(index) {
                None => return (Literal::Array(items), index),
                Some((_, Token::Mark(']' | ')'))) => {
                    return (Literal::Array(items), index.saturating_add(1));
                }
                Some((_, Token::Mark(','))) => index = index.saturating_add(1),
                Some((at, _)) => {
                    let (value, end) = self.literal(index, depth);
                    items.push((*at, value));
                    index = end.max(index.saturating_add(1));
                    // A stray bracket ends nothing of ours.
                    if self.is_mark(index, '}') || self.is_mark(index, ';') {
                        index = index.saturating_add(1);
                    }
                }
            }
        }
    }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<(usize, Token)>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Moves on by so many bytes, at least by one character.
    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes.max(1));
        while self.at < self.text.len() && !self.text.is_char_boundary(self.at) {
            self.at = self.at.saturating_add(1);
        }
    }

    /// Reads one token, or what stands between two; nothing at the end.
    fn token(&mut self) -> Option<()> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        if first.is_whitespace() {
            self.advance(first.len_utf8());
        } else if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            self.advance(end);
        } else if rest.starts_with("/*") {
            let end = rest.find("*/").map_or(rest.len(), |end| end.saturating_add(2));
            self.advance(end);
        } else if matches!(first, '"' | '\'') {
            self.quoted(first);
        } else if first == '`' {
            self.template();
        } else if is_name(first) {
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            let word = rest.get(..end).unwrap_or_default().to_owned();
            let token =
                if first.is_ascii_digit() { Token::Number(word) } else { Token::Word(word) };
            self.push(token, end);
        } else if first == '/' && self.regex_may_begin() {
            self.regex();
        } else {
            self.push(Token::Mark(first), first.len_utf8());
        }
        Some(())
    }

    fn push(&mut self, token: Token, bytes: usize) {
        self.tokens.push((self.at, token));
        self.advance(bytes);
    }

    fn quoted(&mut self, quote: char) {
        let mut value = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((index, character)) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, '\n')) | None => {}
                    Some((_, escaped)) => value.push(escaped),
                },
                // A string ends with its line: an apostrophe in JSX is none.
                '\n' => return self.advance(1),
                _ if character == quote => {
                    return self.push(Token::Text(value), index.saturating_add(1));
                }
                _ => value.push(character),
            }
        }
        self.advance(1);
    }

    fn template(&mut self) {
        let rest = self.rest();
        let mut escaped = false;
        let mut end = rest.len();
        for (index, character) in rest.char_indices().skip(1) {
            if character == '`' && !escaped {
                end = index.saturating_add(1);
                break;
            }
            escaped = character == '\\' && !escaped;
        }
        let inner = rest.get(1..end.saturating_sub(1)).unwrap_or_default();
        let token = if inner.contains("${") || inner.contains('\\') {
            Token::Opaque
        } else {
            Token::Text(inner.to_owned())
        };
        self.push(token, end);
    }

    /// A slash divides behind a value, and begins a regular expression elsewhere.
    fn regex_may_begin(&self) -> bool {
        match self.tokens.last() {
            None => true,
            Some((_, Token::Mark(mark))) => !matches!(mark, ')' | ']' | '}' | '<'),
            Some((_, Token::Word(word))) => matches!(word.as_str(), "return" | "case" | "typeof"),
            Some(_) => false,
        }
    }

    fn regex(&mut self) {
        let rest = self.rest();
        let (mut escaped, mut in_class) = (false, false);
        for (index, character) in rest.char_indices().skip(1) {
            match character {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '[' => in_class = true,
                ']' => in_class = false,
                '/' if !in_class => return self.push(Token::Opaque, index.saturating_add(1)),
                _ => {}
            }
        }
        self.push(Token::Mark('/'), 1);
    }
}

/// A letter or a digit; outside of ASCII everything is taken for one.
pub(crate) const fn is_letter(character: char) -> bool {
    character.is_ascii_alphanumeric() || !character.is_ascii()
}

fn is_name(character: char) -> bool {
    is_letter(character) || matches!(character, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
// cookiePrefix: "comment"
import { gate } from "doorward/next";
/* betterAuth({ a: 1 }) */
export const auth = betterAuth({
  baseURL: settings.url, "basePath": `/auth`, // it's here
  session: { cookieCache: { enabled: true, maxAge: 5 * 60, strategy: 'jwe' } },
  plugins: [jwt({ jwt: { issuer } }), ...more, nextCookies()],
  pattern: /[/}"]/g, text: `a ${b} }`, on: async ({ user }) => ({ x: user }), last: "it's",
});
export const config: Config = { matcher: ["/a", { source: "/b" }] };
export { a, b as proxy };
export default function () { return <p>Don't</p>; }
const lazy = import("./lib/auth");
"#;

    #[test]
    fn literals_are_read_and_the_rest_is_passed_over() {
        let source = Source::read(TEXT);
        let Some((_, options)) = source.call("betterAuth") else { panic!("there is a call") };
        assert_eq!(options.text("basePath"), Some("/auth"));
        assert_eq!(options.text("session.cookieCache.strategy"), Some("jwe"));
        assert!(options.is_word("session.cookieCache.enabled", "true"));
        assert_eq!(
            options.member("session.cookieCache.maxAge").map(|m| &m.value),
            Some(&Literal::Other)
        );
        assert_eq!(
            options.member("baseURL").map(|m| m.value.clone()),
            Some(Literal::Word("settings.url".into()))
        );
        assert_eq!(options.text("last"), Some("it's"));
        assert_eq!(options.member("cookiePrefix"), None);
        let Some(Literal::Array(plugins)) = options.member("plugins").map(|m| &m.value) else {
            panic!("a list")
        };
        let names: Vec<_> = plugins
            .iter()
            .filter_map(|(_, plugin)| match plugin {
                Literal::Call(name, _) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["jwt", "nextCookies"]);
    }

    #[test]
    fn imports_exports_and_constants_are_found() {
        let source = Source::read(TEXT);
        let modules: Vec<_> = source.imports().into_iter().map(|(_, module)| module).collect();
        assert_eq!(modules, ["doorward/next", "./lib/auth"]);
        let names: Vec<_> = source.exports().into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["auth", "config", "a", "proxy", "default"]);
        let Some(Literal::Object(members)) = source.constant("config") else { panic!("an object") };
        assert_eq!(members.len(), 1);
    }
}
