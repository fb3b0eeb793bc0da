//! Better Auth's options, as far as a token scan finds them written out: hints, never more.

use crate::project::folder::{Folder, TextFile};
use crate::project::javascript::{Literal, Source};
use crate::project::place::Place;

/// Where Better Auth's own command line looks for the options, and where else they often are.
const FOLDERS: [&str; 10] = [
    "",
    "lib/",
    "utils/",
    "src/",
    "src/lib/",
    "src/utils/",
    "app/lib/",
    "src/server/",
    "server/",
    "server/utils/",
];
const NAMES: [&str; 6] =
    ["auth.ts", "auth.js", "auth.server.ts", "auth/index.ts", "better-auth.ts", "auth.mjs"];

/// The options of `betterAuth({…})`.
#[derive(Debug, Clone)]
pub(crate) struct AuthOptions {
    pub(crate) file: TextFile,
    pub(crate) source: Source,
    /// Where the call stands.
    pub(crate) at: usize,
    pub(crate) options: Literal,
}

impl AuthOptions {
    pub(crate) async fn find(folder: &Folder) -> Option<Self> {
        for below in FOLDERS {
            for name in NAMES {
                let Some(file) = folder.file(&format!("{below}{name}")).await else { continue };
                let source = Source::read(&file.text);
                if let Some((at, options)) = source.call("betterAuth") {
                    return Some(Self { file, source, at, options });
                }
            }
        }
        None
    }

    /// The place of a member, or of the call.
    pub(crate) fn place(&self, path: &str) -> Place {
        self.file.place(self.options.member(path).map_or(self.at, |member| member.at))
    }

    /// The calls among its plugins; nothing where the list is computed in whole or in part.
    pub(crate) fn plugins(&self) -> Option<Vec<(usize, &str, &[Literal])>> {
        let Some(member) = self.options.member("plugins") else { return Some(Vec::new()) };
        let Literal::Array(items) = &member.value else { return None };
        items
            .iter()
            .map(|(at, item)| match item {
                Literal::Call(name, arguments) => Some((*at, name.as_str(), arguments.as_slice())),
                _ => None,
            })
            .collect()
    }
}
