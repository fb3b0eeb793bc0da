//! `pages`: how the gate's own pages look, or which pages of the application stand in for them.

use super::compiler::Compiler;
use super::reader::Node;
use crate::http::path;
use crate::http::path::framework::Framework;
use crate::policy::Policy;
use crate::policy::config_error::ConfigError;
use crate::policy::pages::{Accent, OwnPage, Pages};
use crate::policy::rules::Access;

/// Members for pages of the application, by status. The origin that would show one for 502 or 504
/// is what does not answer.
const OWN_PAGES: [(u16, &str); 4] = [(400, "400"), (401, "401"), (403, "403"), (503, "503")];

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
        let own = OWN_PAGES.iter().filter_map(|(status, member)| {
            let path = node.text(member)?;
            let Some(segments) = path::plain_segments(path) else {
                self.reader.wrong(
                    &node.path_of(member),
                    "this is not a path of this site",
                    "write it like \"/errors/no-access\"",
                );
                return None;
            };
            Some(OwnPage { status: *status, path: path.to_owned(), segments })
        });
        let own = own.collect();
        Pages {
            name: name.map(str::to_owned),
            accent,
            home: own_home.map_or(home, str::to_owned).into(),
            own,
        }
    }
}

/// Pages of the application that some visitors do not get to see: whoever is refused has to.
pub(super) fn closed_pages(policy: &Policy) -> Vec<ConfigError> {
    let is_closed = |page: &&OwnPage| {
        !policy
            .rules_of_page(page)
            .is_some_and(|matched| matched.all().all(|rule| rule.access == Access::Public))
    };
    let closed = policy.pages.own.iter().filter(is_closed);
    closed
        .map(|page| ConfigError {
            path: ["pages.", &page.status.to_string()].concat(),
            problem: "this page is not public, so refused visitors cannot see it".to_owned(),
            hint: format!("make it public: \"public\": [{:?}]", page.path),
        })
        .collect()
}
