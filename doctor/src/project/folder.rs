//! A folder of a project, through effects: its files by their paths below it.

use crate::effects::Io;
use crate::functions::Carrier;
use crate::order;
use crate::project::place::Place;

/// No file that is looked at is longer than this, but for lock files.
const MAX_BYTES: usize = 512 * 1024;
/// Lock files are long.
const MAX_LOCK_BYTES: usize = 32 * 1024 * 1024;
/// So many names are listed in all.
const MAX_NAMES: usize = 5_000;
/// So deep are folders looked into.
const MAX_DEPTH: usize = 12;
/// Folders that hold nobody's own code.
const OTHERS: [&str; 12] = [
    "node_modules/",
    ".git/",
    ".next/",
    ".nuxt/",
    ".output/",
    ".svelte-kit/",
    ".vercel/",
    ".wrangler/",
    "dist/",
    "build/",
    "target/",
    "coverage/",
];

/// A text file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextFile {
    /// As messages name it.
    pub(crate) name: String,
    pub(crate) text: String,
}

impl TextFile {
    /// The place of a byte.
    pub(crate) fn place(&self, offset: usize) -> Place {
        Place::at(&self.name, &self.text, offset)
    }
}

/// A folder.
#[derive(Clone)]
pub(crate) struct Folder {
    io: Io,
    dir: String,
}

impl Folder {
    pub(crate) fn new(io: &Io, dir: &str) -> Self {
        let dir = dir.trim_end_matches('/');
        Self { io: io.clone(), dir: if dir.is_empty() { "/".to_owned() } else { dir.to_owned() } }
    }

    /// What the carrier computes.
    pub(crate) const fn carrier(&self) -> &Carrier {
        self.io.carrier()
    }

    /// A path below it, as messages name it.
    pub(crate) fn path(&self, name: &str) -> String {
        match self.dir.as_str() {
            "." => name.to_owned(),
            "/" => format!("/{name}"),
            dir => format!("{dir}/{name}"),
        }
    }

    /// The folder itself, as messages name it.
    pub(crate) fn name(&self) -> &str {
        &self.dir
    }

    /// A folder below it.
    pub(crate) fn below(&self, name: &str) -> Self {
        Self { io: self.io.clone(), dir: self.path(name.trim_end_matches('/')) }
    }

    /// A file; nothing where there is none, or where it cannot be read as text.
    pub(crate) async fn file(&self, name: &str) -> Option<TextFile> {
        self.read(name, MAX_BYTES).await
    }

    /// A lock file.
    pub(crate) async fn lock_file(&self, name: &str) -> Option<TextFile> {
        self.read(name, MAX_LOCK_BYTES).await
    }

    async fn read(&self, name: &str, max_bytes: usize) -> Option<TextFile> {
        let path = self.path(name);
        let text = self.io.read_text(&path, max_bytes).await.ok()??;
        Some(TextFile { name: path, text })
    }

    /// The first of these files that is there.
    pub(crate) async fn first(&self, names: &[&str]) -> Option<TextFile> {
        for name in names {
            if let Some(file) = self.file(name).await {
                return Some(file);
            }
        }
        None
    }

    /// What is in it; folders end with `/`.
    pub(crate) async fn names(&self) -> Vec<String> {
        self.io.list(&self.dir).await.unwrap_or_default()
    }

    /// All files below a folder of it, by their paths below this one, other people's code left out.
    pub(crate) async fn tree(&self, below: &str) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![(below.trim_end_matches('/').to_owned(), 0_usize)];
        let mut listed = 0_usize;
        while let Some((folder, depth)) = folders.pop() {
            let dir = if folder.is_empty() { self.dir.clone() } else { self.path(&folder) };
            let Some(names) = self.io.list(&dir).await else { continue };
            listed = listed.saturating_add(names.len());
            if listed > MAX_NAMES {
                break;
            }
            for name in names {
                let path =
                    if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                match path.strip_suffix('/') {
                    None => files.push(path),
                    Some(_) if OTHERS.contains(&name.as_str()) || depth >= MAX_DEPTH => {}
                    Some(path) => folders.push((path.to_owned(), depth.saturating_add(1))),
                }
            }
        }
        order::sort(&mut files);
        files
    }
}
