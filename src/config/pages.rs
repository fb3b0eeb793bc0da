//! `pages`: how the gate's own pages look.

use super::Compiler;
use super::reader::Node;
use crate::http::path;
use crate::http::path::framework::Framework;
use crate::policy::pages::{Accent, Pages};

/// In characters: it stands above the heading, and in the title of a tab.
const MAX_NAME: usize = 80;

impl Compiler<'_> {
    pub(super) fn pages(&mut self, root: &Node<'_>, framework: Option<&Framework>) -> Pages {
        let base_path = framework.map(|framework| framework.base_path.as_slice());
        let home = ["/", &base_path.unwrap_or_default().join("/")].concat();
        let Some(node) = root.member("pages") else {
            return Pages { home: home.into(), ..Pages::NONE };
        };
        let name = node.text("name");
        let is_name = |name: &&str| {
            (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control)
        };
        if !name.iter().all(is_name) {
            self.reader.wrong(
                &node.path_of("name"),
                "the name of the site is empty, longer than 80 characters, or not one line",
                "write the name that visitors know, like \"Acme\"",
            );
        }
        let accent = node.text("accent").and_then(Accent::new);
        if node.has("accent") && accent.is_none() {
            self.reader.wrong(
                &node.path_of("accent"),
                "this is not a color",
                "write it as hexadecimal digits, like \"#0a7\" or \"#00aa77\"",
            );
        }
        let own_home = node.text("home");
        if own_home.is_some_and(|home| path::plain_segments(home).is_none()) {
            self.reader.wrong(
                &node.path_of("home"),
                "this is not a path of this site",
                "write it like \"/\" or \"/start\"",
            );
        }
        Pages {
            name: name.map(str::to_owned),
            accent,
            home: own_home.map_or(home, str::to_owned).into(),
        }
    }
}
