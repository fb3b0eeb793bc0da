//! Traefik, by the middleware `forwardAuth`: by its documents, since there is no Traefik to test
//! with.

use std::fmt::Write as _;

use super::given::{Given, capitalised, copied};
use crate::options::{Address, Wrong};
use crate::verify::PATH;

pub(super) fn configuration(given: &Given) -> Result<String, Wrong> {
    let Address::Tcp(gate) = &given.gate else {
        return Err(Wrong::new("Traefik asks over TCP alone").hint("--listen 127.0.0.1:4180"));
    };
    if given.secret.is_some() {
        return Err(Wrong::new("Traefik cannot prove itself by a header of its own")
            .hint("let the gate listen where Traefik alone can reach it, without the secret"));
    }
    let mut text = "
# Traefik 3, the file provider. NOT TRIED: written by Traefik's documents. `trustForwardHeader` stays
# false: Traefik then says itself what X-Forwarded-Method and X-Forwarded-Uri are.

http:
  middlewares:
    doorward-removes:
      headers:
        customRequestHeaders:
"
    .to_owned();
    for name in copied(given).chain(given.removed.iter().copied()) {
        if !["cookie", "authorization"].contains(&name) && !name.starts_with("x-forwarded-") {
            let _ = writeln!(text, "          {}: \"\"", capitalised(name));
        }
    }
    let _ = write!(
        text,
        "    doorward:\n      forwardAuth:\n        address: http://{gate}{PATH}\n        \
         trustForwardHeader: false\n        authResponseHeaders:\n"
    );
    for name in copied(given) {
        let _ = writeln!(text, "        - {}", capitalised(name));
    }
    let (scheme, app) = &given.app;
    let _ = write!(
        text,
        "        addAuthCookiesToResponse: [\"*\"]\n  routers:\n    app:\n      rule: PathPrefix(`/`)\n      \
         middlewares: [doorward-removes, doorward]\n      service: app\n  services:\n    app:\n      \
         loadBalancer:\n        servers:\n        - url: {scheme}://{app}\n"
    );
    Ok(text)
}
