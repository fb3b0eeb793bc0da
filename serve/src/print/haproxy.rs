//! HAProxy 2.5 or newer, by a Lua action that asks with HAProxy's own client. Two files: the Lua is
//! behind the configuration, each line as a comment.

use super::given::{Given, copied};
use crate::options::Address;
use crate::verify::{PATH, SECRET_HEADER};

pub(super) fn configuration(given: &Given) -> String {
    let listed = |names: &mut dyn Iterator<Item = &str>| {
        let quoted: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
        quoted.join(", ")
    };
    let gate = match &given.gate {
        Address::Tcp(address) => address.to_string(),
        Address::Unix(path) => format!("unix@{}", path.display()),
    };
    let secret = given.secret.as_ref().map_or_else(String::new, |secret| {
        format!("headers[\"{SECRET_HEADER}\"] = {{ \"{secret}\" }}")
    });
    let prefix = given.names.prefix.clone();
    let prefixes =
        std::iter::once(prefix.as_str()).chain(given.names.removed_prefixes.iter().copied());
    let lua = include_str!("doorward.lua")
        .replace("@gate@", &gate)
        .replace("@path@", PATH)
        .replace("@copied@", &listed(&mut copied(given)))
        .replace("@removed@", &listed(&mut given.removed.iter().copied()))
        .replace("@prefixes@", &listed(&mut prefixes.into_iter()))
        .replace("-- @secret@", &secret);
    let lua: String = lua.lines().map(|line| format!("#lua {line}\n")).collect();
    let (scheme, app) = &given.app;
    let tls = if scheme == "https" { " ssl verify required ca-file @system-ca" } else { "" };
    include_str!("haproxy.cfg")
        .replace("@port@", &given.port.to_string())
        .replace("@app@", app)
        .replace("@tls@", tls)
        + &lua
}
