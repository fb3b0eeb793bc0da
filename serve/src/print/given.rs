//! What a configuration is made of.

use doorward::ForwardAuth;

use crate::options::Address;

/// It.
pub(super) struct Given {
    /// Where the gate listens.
    pub(super) gate: Address,
    /// The application: scheme, and host name with port.
    pub(super) app: (String, String),
    /// The port that visitors come to.
    pub(super) port: u16,
    /// What the proxy proves itself by.
    pub(super) secret: Option<String>,
    pub(super) names: ForwardAuth,
    /// Headers of a client's that end here: those that would tell the application another path,
    /// method or person.
    pub(super) removed: Vec<&'static str>,
}

/// Identity headers, and where a rule edits credentials those as well.
pub(super) fn copied(given: &Given) -> impl Iterator<Item = &str> {
    let credentials = ["cookie", "authorization"].into_iter();
    let credentials = credentials.filter(|_| given.names.edits_credentials);
    given.names.identity.iter().map(String::as_str).chain(credentials)
}

/// `x-doorward-subject` as it is usually written.
pub(super) fn capitalised(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}
