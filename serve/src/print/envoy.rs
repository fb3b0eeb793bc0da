//! Envoy, by `ext_authz` over HTTP.

use super::given::{Given, copied};
use crate::options::{Address, Wrong};
use crate::verify::{PATH, SECRET_HEADER};

pub(super) fn configuration(given: &Given) -> Result<String, Wrong> {
    let gate = match &given.gate {
        Address::Tcp(address) => {
            let (host, port) = (address.ip(), address.port());
            format!("socket_address: {{ address: {host}, port_value: {port} }}")
        }
        Address::Unix(path) => format!("pipe: {{ path: {} }}", path.display()),
    };
    let (scheme, authority) = &given.app;
    if scheme == "https" {
        return Err(Wrong::new("an application with TLS needs a transport_socket of its own")
            .hint("print the configuration with --upstream http://… and add it"));
    }
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    let remove = |rule: String| format!("                - {{ {rule} }}\n");
    let by_prefix = |prefix: &str| {
        remove(format!("remove_on_match: {{ key_matcher: {{ prefix: \"{prefix}\" }} }}"))
    };
    let prefixes = given.names.removed_prefixes.iter().copied();
    let removals: String = std::iter::once(given.names.prefix.as_str())
        .chain(prefixes)
        .map(by_prefix)
        .chain(given.removed.iter().map(|name| remove(format!("remove: \"{name}\""))))
        .collect();
    let copied: String =
        copied(given).map(|name| format!("                    - exact: \"{name}\"\n")).collect();
    let secret = given.secret.as_ref().map_or_else(String::new, |secret| {
        format!(
            "                authorization_request:\n                  headers_to_add:\n                  - {{ key: {SECRET_HEADER}, value: \
             \"{secret}\" }}\n"
        )
    });
    Ok(include_str!("envoy.yaml")
        .replace("@port@", &given.port.to_string())
        .replace("@removals@\n", &removals)
        .replace("@copied@\n", &copied)
        .replace("@secret@\n", &secret)
        .replace("@path@", PATH)
        .replace("@gate@", &gate)
        .replace("@app@", &format!("socket_address: {{ address: {host}, port_value: {port} }}")))
}
