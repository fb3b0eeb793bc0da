//! Which names are public suffixes, below which everybody may register one.
//!
//! `suffixes.txt` is the Public Suffix List (publicsuffix.org, MPL-2.0) as the crate `psl` has it,
//! in ASCII and as a tree of labels, the last label of a name first: a label a line, indented by as
//! many tabs as there are labels behind it. A full stop behind one says that a rule ends there, `!`
//! an exception. Rules of one label are left out: the list's own default covers them. The crate
//! itself is a program of 1.3 MB, which is too much for `npx`; a test holds the file to it. The text
//! is the carrier's, which reads it where two hosts are compared.

use std::fmt;
use std::rc::Rc;

use crate::url;

/// The list.
#[derive(Clone)]
pub(crate) struct Suffixes(Rc<str>);

impl fmt::Debug for Suffixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Suffixes")
    }
}

impl Suffixes {
    /// The list, as the carrier has it.
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The registrable domain of a host name: what a browser takes for a site.
    pub(crate) fn registrable(&self, host: &str) -> Option<String> {
        if url::is_address(host) || !host.contains('.') {
            return Some(host.to_owned());
        }
        let suffix = self.suffix(host);
        let before = host.strip_suffix(suffix)?.strip_suffix('.')?;
        let label = before.rsplit('.').next().filter(|label| !label.is_empty())?;
        Some([label, ".", suffix].concat())
    }

    /// Whether a name is a public suffix: no cookie can be set for it.
    pub(crate) fn is_public_suffix(&self, name: &str) -> bool {
        let name = name.trim_start_matches('.');
        !url::is_address(name) && !name.is_empty() && self.suffix(name) == name
    }

    /// The public suffix of a name: by its longest rule, or its last label. An exception ends one label
    /// sooner.
    fn suffix<'h>(&self, host: &'h str) -> &'h str {
        let mut labels = 1;
        let mut below: &str = &self.0;
        for (behind, label) in host.rsplit('.').enumerate() {
            let own = behind.saturating_add(1);
            if child(below, behind, "*").is_some_and(|(mark, _)| mark == ".") {
                labels = own;
            }
            match child(below, behind, label) {
                Some(("!", _)) => return last_labels(host, behind),
                Some((mark, inner)) => {
                    if mark == "." {
                        labels = own;
                    }
                    below = inner;
                }
                None => break,
            }
        }
        last_labels(host, labels)
    }
}

/// What stands behind a label with so many labels behind it, and the lines below it.
fn child<'a>(lines: &'a str, behind: usize, label: &str) -> Option<(&'a str, &'a str)> {
    let mut rest = lines;
    let depth = |line: &str| line.bytes().take_while(|byte| *byte == b'\t').count();
    loop {
        let (line, below) = rest.split_once('\n')?;
        let mark = line.trim_start().strip_prefix(label);
        if depth(line) == behind
            && let Some(mark @ ("" | "." | "!")) = mark
        {
            let own = |line: &&str| depth(line) > behind;
            let bytes: usize = below.split_inclusive('\n').take_while(own).map(str::len).sum();
            return Some((mark, below.get(..bytes)?));
        }
        rest = below;
    }
}

/// The end of a name.
fn last_labels(host: &str, count: usize) -> &str {
    let dot = host.rmatch_indices('.').nth(count.saturating_sub(1));
    dot.and_then(|(at, _)| host.get(at.saturating_add(1)..)).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUFFIXES: &str = include_str!("suffixes.txt");

    #[test]
    fn names_are_compared_with_the_list() {
        let suffixes = Suffixes::new(SUFFIXES);
        for (name, expected) in
            [("vercel.app", true), (".workers.dev", true), ("example.com", false), ("com", true)]
        {
            assert_eq!(suffixes.is_public_suffix(name), expected, "{name}");
        }
        assert_eq!(suffixes.registrable("vercel.app"), None);
    }

    /// Every exception and wildcard, one in twenty of the rest, and hosts below each.
    #[test]
    fn suffixes_are_those_of_the_list() {
        let suffixes = Suffixes::new(SUFFIXES);
        let mut labels: Vec<&str> = Vec::new();
        let mut count = 0;
        for (number, line) in SUFFIXES.lines().enumerate() {
            let label = line.trim_start_matches('\t');
            labels.truncate(line.len() - label.len());
            labels.push(label.trim_end_matches(['.', '!']));
            let is_odd = label.ends_with('!') || label.starts_with('*');
            if !(is_odd || label.ends_with('.') && number % 20 == 0) {
                continue;
            }
            let name: Vec<&str> =
                labels.iter().rev().map(|own| if *own == "*" { "any" } else { *own }).collect();
            let name = name.join(".");
            for host in [name.clone(), format!("b.{name}"), format!("a.b.{name}")] {
                assert_eq!(
                    suffixes.registrable(&host),
                    psl::domain_str(&host).map(str::to_owned),
                    "{host}"
                );
                count += 1;
            }
        }
        println!("{count} hosts");
        assert!(count > 1_000);
    }
}
