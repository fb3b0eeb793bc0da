//! A Python API: what it lacks, and how it decodes tokens.

use crate::causes::Cause;
use crate::causes::file_finding::{FileFinding, FileRule};
use crate::project::Project;

pub(super) const RULES: &[FileRule] = &[
    (&[Cause::ApiNoCryptography], no_cryptography),
    (&[Cause::ApiAlgorithm, Cause::ApiLeeway, Cause::Api403Not401], code),
];

fn no_cryptography(project: &Project) -> Vec<FileFinding> {
    let Some(python) = &project.python else { return Vec::new() };
    let Some(place) = python.pyjwt.clone().filter(|_| !python.has_cryptography) else {
        return Vec::new();
    };
    let seen = format!(
        "PyJWT is required without `cryptography` ({}): it knows HMAC only, and the auth service signs with EdDSA, ES256 or RS256",
        python.manifests.join(", ")
    );
    vec![FileFinding::strong(Cause::ApiNoCryptography, seen).at(place).fix("require PyJWT[crypto]")]
}

fn code(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for file in project.python.iter().flat_map(|python| &python.decoders) {
        let text = file.text.as_str();
        for (at, _) in text.match_indices("jwt.decode(") {
            let call = call_at(text, at);
            let Some(list) = call.split_once("algorithms=").map(|(_, list)| list) else { continue };
            let list = list.split(']').next().unwrap_or_default();
            let is_written = list.trim_start().starts_with('[');
            let names: Vec<&str> = ["EdDSA", "ES256", "ES384", "ES512", "RS256", "PS256", "HS256"]
                .into_iter()
                .filter(|name| list.contains(name))
                .collect();
            if is_written && names == ["HS256"] {
                let seen = "jwt.decode takes HS256 only: that is how Better Auth's `session_data` cookie is signed, not its tokens";
                found.push(FileFinding::hint(Cause::ApiAlgorithm, seen).at(file.place(at)));
            } else if is_written && !names.is_empty() && !names.contains(&"EdDSA") {
                let seen = format!(
                    "jwt.decode takes {} only, and Better Auth signs with EdDSA unless it is told otherwise",
                    names.join(", ")
                );
                found.push(FileFinding::hint(Cause::ApiAlgorithm, seen).at(file.place(at)));
            }
            if !call.contains("leeway") {
                let seen = "jwt.decode has no leeway: a token is refused while its `iat` is a second ahead of this clock";
                found.push(FileFinding::hint(Cause::ApiLeeway, seen).at(file.place(at)));
            }
        }
        if let Some(at) =
            text.find("HTTPBearer(").filter(|at| !call_at(text, *at).contains("auto_error=False"))
        {
            let seen = "HTTPBearer() answers 403 to a request without a token in FastAPI before 0.122, where 401 is meant";
            found.push(FileFinding::hint(Cause::Api403Not401, seen).at(file.place(at)));
        }
    }
    found
}

/// A call, up to its closing bracket.
fn call_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let mut depth = 0_usize;
    for (index, character) in rest.char_indices() {
        match character {
            '(' => depth = depth.saturating_add(1),
            ')' if depth <= 1 => return rest.get(..index).unwrap_or(rest),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    rest
}
