//! The head of a request, kept for as long as the request is undecided.

use doorward::RequestHead;

/// What can show the head of one request to the engine, each time the same.
pub trait LendHead {
    /// Shows the head.
    fn lend<R>(&self, work: impl FnOnce(&RequestHead<'_>) -> R) -> R;
}

/// The head of a request that owns its texts.
#[derive(Clone, Default)]
pub struct OwnedHead {
    /// The method as received.
    pub method: String,
    /// Path and query as received.
    pub target: String,
    /// Header pairs in the order received; of bytes, as [`crate::latin1::text`] reads them.
    pub headers: Vec<(String, String)>,
    /// Scheme, host name and port under which the client sees this site: from the configuration,
    /// never from a header.
    pub public_origin: String,
    /// The client's network address as the platform knows it, never from a client's header.
    pub client_address: Option<String>,
}

impl LendHead for OwnedHead {
    fn lend<R>(&self, work: impl FnOnce(&RequestHead<'_>) -> R) -> R {
        work(&RequestHead {
            method: &self.method,
            target: &self.target,
            headers: &borrowed(&self.headers),
            public_origin: &self.public_origin,
            client_address: self.client_address.as_deref(),
        })
    }
}

/// The same pairs, borrowed.
pub fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
