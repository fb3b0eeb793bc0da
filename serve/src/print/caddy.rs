//! Caddy, by `reverse_proxy` with `handle_response` (what `forward_auth` is made of).

use std::fmt::Write as _;

use super::given::{Given, capitalised, copied};
use crate::options::Address;
use crate::verify::{PATH, SECRET_HEADER};

const BEGINNING: &str = "
# Caddy 2.8 or newer. Where the site has a name, put it in place of the port: Caddy gets a certificate.
# `route` keeps the order; a `request_header` outside of it would run after the gate.

(doorward_header) {
	@doorward_has_{args[0]} not vars {rp.header.{args[0]}} \"\"
	request_header @doorward_has_{args[0]} {args[0]} {rp.header.{args[0]}}
}

:{port} {
	route {
		# What a client may not say to the application.
";

pub(super) fn configuration(given: &Given) -> String {
    let gate = match &given.gate {
        Address::Tcp(address) => address.to_string(),
        Address::Unix(path) => format!("unix/{}", path.display()),
    };
    let mut text = BEGINNING.replace("{port}", &given.port.to_string());
    let prefix = capitalised(&given.names.prefix);
    // What is named in `Connection` would be removed, the identity too.
    text.push_str(
        "\t\t@doorward_upgrade header Upgrade *\n\t\t@doorward_plain not header Upgrade *\n\
         \t\trequest_header @doorward_plain -Connection\n\
         \t\trequest_header @doorward_upgrade Connection Upgrade\n",
    );
    let mut remove = |pattern: &str| {
        let _ = writeln!(text, "\t\trequest_header -{pattern}");
    };
    remove(&format!("{prefix}*"));
    // Some servers take both for the same.
    remove(&format!("{}*", prefix.replace('-', "_")));
    given.removed.iter().for_each(|name| remove(&capitalised(name)));
    given.names.removed_prefixes.iter().for_each(|name| remove(&format!("{}*", capitalised(name))));
    let _ = write!(
        text,
        "\n\t\treverse_proxy {gate} {{\n\t\t\tmethod GET\n\t\t\trewrite {PATH}\n\
         \t\t\theader_up X-Forwarded-Method {{method}}\n\t\t\theader_up X-Forwarded-Uri {{uri}}\n\
         \t\t\theader_up X-Original-Upgrade {{header.Upgrade}}\n\
         \t\t\theader_up -Connection\n\t\t\theader_up -Upgrade\n"
    );
    if let Some(secret) = &given.secret {
        let _ = writeln!(text, "\t\t\theader_up {} {secret}", capitalised(SECRET_HEADER));
    }
    text.push_str("\t\t\t@doorward_good status 2xx\n\t\t\thandle_response @doorward_good {\n");
    // What the gate leaves empty is not to be there.
    if given.names.edits_credentials {
        text.push_str("\t\t\t\trequest_header -Cookie\n\t\t\t\trequest_header -Authorization\n");
    }
    for name in copied(given) {
        let _ = writeln!(text, "\t\t\t\timport doorward_header {}", capitalised(name));
    }
    let (scheme, authority) = &given.app;
    let app = if scheme == "https" { format!("https://{authority}") } else { authority.clone() };
    let _ = write!(
        text,
        "\t\t\t\tcopy_response_headers {{\n\t\t\t\t\tinclude Set-Cookie\n\t\t\t\t}}\n\
         \t\t\t}}\n\t\t}}\n\t\treverse_proxy {app}\n\t}}\n}}\n"
    );
    text
}
