//! A Python API: what it requires, and what its code says about tokens.

use crate::project::folder::{Folder, TextFile};
use crate::project::place::Place;

/// So many files of code are looked at.
const MAX_FILES: usize = 200;

/// What there is of Python.
#[derive(Debug, Clone, Default)]
pub(crate) struct Python {
    /// Where PyJWT is required without `[crypto]`.
    pub(crate) pyjwt: Option<Place>,
    /// Whether something brings `cryptography`.
    pub(crate) has_cryptography: bool,
    /// The files that say what is required.
    pub(crate) manifests: Vec<String>,
    /// Code in which tokens are decoded, comments left out.
    pub(crate) decoders: Vec<TextFile>,
}

impl Python {
    /// What there is; nothing where this is no Python project.
    pub(crate) async fn find(folder: &Folder) -> Option<Self> {
        let mut python = Self::default();
        let names = folder.names().await;
        let is_manifest = |name: &&String| {
            name.starts_with("requirements") && name.ends_with(".txt")
                || ["pyproject.toml", "uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock"]
                    .contains(&name.as_str())
        };
        for name in names.iter().filter(is_manifest) {
            if let Some(file) = folder.lock_file(name).await {
                python.requires(&file);
                python.manifests.push(file.name);
            }
        }
        if python.manifests.is_empty() {
            return None;
        }
        let files = folder.tree("").await;
        for name in files.iter().filter(|name| name.ends_with(".py")).take(MAX_FILES) {
            let Some(file) = folder.file(name).await else { continue };
            if file.text.contains("jwt.decode(") || file.text.contains("HTTPBearer(") {
                let text = without_comments(&file.text);
                python.decoders.push(TextFile { name: file.name, text });
            }
        }
        Some(python)
    }

    fn requires(&mut self, file: &TextFile) {
        for (number, line) in file.text.lines().enumerate() {
            let line = line.trim().to_ascii_lowercase();
            if line.starts_with('#') {
                continue;
            }
            let named = line.trim_start_matches(['"', '\'', '{', '[', ' ']);
            let named = named.strip_prefix("name = ").unwrap_or(named).trim_start_matches('"');
            let end = named.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
            let (name, behind) =
                named.split_at_checked(end.unwrap_or(named.len())).unwrap_or_default();
            match name {
                "cryptography" | "pyjwt-crypto" | "doorward-origin" | "authlib" => {
                    self.has_cryptography = true
                }
                "pyjwt" if behind.contains("crypto") => self.has_cryptography = true,
                "pyjwt" => {
                    let place = Place::line(&file.name, number.saturating_add(1));
                    self.pyjwt.get_or_insert(place);
                }
                _ => {}
            }
            // A list in one line, or a path to the verifier.
            if line.contains("pyjwt[crypto]")
                || line.contains("\"cryptography")
                || line.contains("origin/python")
            {
                self.has_cryptography = true;
            }
        }
    }
}

/// The same text with blanks in place of comments, so that places stay.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote: Option<char> = None;
    let mut in_comment = false;
    for character in text.chars() {
        match (character, quote) {
            ('\n', _) => (in_comment, quote) = (false, None),
            (_, None) if in_comment => {
                out.extend(std::iter::repeat_n(' ', character.len_utf8()));
                continue;
            }
            ('#', None) => {
                in_comment = true;
                out.push(' ');
                continue;
            }
            ('"' | '\'', None) => quote = Some(character),
            (own, Some(open)) if own == open => quote = None,
            _ => {}
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_read_from_each_form() {
        let cases = [
            ("requirements.txt", "fastapi\nPyJWT==2.10.1\n", (true, false)),
            ("requirements.txt", "PyJWT[crypto]>=2\n", (false, true)),
            ("requirements.txt", "pyjwt\ncryptography==45\n", (true, true)),
            ("requirements.txt", "# pyjwt\nrequests\n", (false, false)),
            ("pyproject.toml", "dependencies = [\n  \"pyjwt>=2\",\n]\n", (true, false)),
            ("pyproject.toml", "dependencies = [\"fastapi\", \"PyJWT[crypto]\"]\n", (false, true)),
            ("uv.lock", "[[package]]\nname = \"pyjwt\"\nversion = \"2.10\"\n", (true, false)),
            (
                "uv.lock",
                "[[package]]\nname = \"cryptography\"\n[[package]]\nname = \"pyjwt\"\n",
                (true, true),
            ),
        ];
        for (name, text, expected) in cases {
            let mut python = Python::default();
            python.requires(&TextFile { name: name.to_owned(), text: text.to_owned() });
            assert_eq!((python.pyjwt.is_some(), python.has_cryptography), expected, "{text}");
        }
    }

    #[test]
    fn comments_become_blanks() {
        assert_eq!(without_comments("a # b\n'#' c"), "a    \n'#' c");
    }
}
