//! The head of a request, read once and kept for as long as the request is undecided.

use doorward::RequestHead;
use js_sys::Array;
use wasm_bindgen::JsCast;
use web_sys::{Headers, Request};

use crate::start::Settings;

/// Everything that the engine is shown of a request.
pub(crate) struct Head {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    public_origin: String,
    client_address: Option<String>,
}

impl Head {
    /// The head of this request, or nothing if its URL is not a URL of a server.
    pub(crate) fn of(request: &Request, settings: &Settings) -> Option<Self> {
        let url = request.url();
        let (origin, target) = split(&url)?;
        let headers = pairs(&request.headers());
        Some(Self {
            method: request.method(),
            target: target.to_owned(),
            public_origin: settings.public_origin.clone().unwrap_or_else(|| origin.to_owned()),
            // The platform writes this header itself, over whatever the client has sent under its name.
            client_address: headers.iter().find(|(name, _)| name == "cf-connecting-ip").map(|(_, address)| address.clone()),
            headers,
        })
    }

    /// Shows the head to the engine.
    pub(crate) fn lend<R>(&self, work: impl FnOnce(&RequestHead<'_>) -> R) -> R {
        let headers = borrowed(&self.headers);
        work(&RequestHead {
            method: &self.method,
            target: &self.target,
            headers: &headers,
            public_origin: &self.public_origin,
            client_address: self.client_address.as_deref(),
        })
    }

    pub(crate) fn public_origin(&self) -> &str {
        &self.public_origin
    }

    pub(crate) fn client_address(&self) -> Option<&str> {
        self.client_address.as_deref()
    }

    /// Header names, lower case, as the platform lists them.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    /// Whether the answer must have no body (RFC 9110 section 9.3.2).
    pub(crate) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

/// Origin and target of a request's URL, without reading either: what the platform left as it came stays as it came.
fn split(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (origin, target) = url.split_at_checked(scheme.len().checked_add("://".len())?.checked_add(authority)?)?;
    Some((origin, if target.is_empty() { "/" } else { target }))
}

/// Header pairs as a Fetch `Headers` lists them: names lower case and sorted, `Set-Cookie` once per line.
pub(crate) fn pairs(headers: &Headers) -> Vec<(String, String)> {
    headers
        .entries()
        .into_iter()
        .filter_map(|entry| {
            let pair: Array = entry.ok()?.dyn_into().ok()?;
            Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
        })
        .collect()
}

/// The same pairs, borrowed.
pub(crate) fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
