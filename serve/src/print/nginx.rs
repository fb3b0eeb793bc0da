//! nginx, by `auth_request`.

use std::fmt::Write as _;

use super::given::{Given, capitalised, copied};
use crate::options::Address;
use crate::verify::{ANSWER_PATH, COOKIE_HEADER, COOKIES, PATH, SECRET_HEADER};

const BEGINNING: &str = "
# Into the block `http`. One `location /`: what is public says the gate. No `return`, no `rewrite` and
# no `auth_request off` beside it, and nothing behind the host in `proxy_pass`: then nginx sends the
# application what the gate has decided about.

map $http_upgrade $doorward_connection {
  default upgrade;
  \"\"      \"\";
}

upstream doorward {
  server {gate};
  keepalive 32;
}

upstream doorward_app {
  server {app};
  keepalive 32;
}

server {
  listen {port};   # with TLS: `listen 443 ssl;` and its certificate
  client_max_body_size 0;   # better the size of your uploads: nginx also reads what is refused
  proxy_headers_hash_max_size 2048;
  proxy_headers_hash_bucket_size 128;

  location / {
    auth_request /_doorward;
    # nginx makes 500 of every other answer than 401 and 403: the client gets the gate's own.
    error_page 400 401 403 500 502 504 = @doorward_answer;

    # Who is asking: each header, also where it is empty, so that nothing of a client's is left.
";

const MIDDLE: &str = "
    # Cookies that the gate renews.
";

const REMOVED: &str = "
    # What a client may not say to the application.
";

const END: &str = "
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $doorward_connection;
    proxy_buffering off;
    proxy_request_buffering off;
    proxy_pass {scheme}://doorward_app;
  }

  location = /_doorward {
    internal;
    proxy_pass http://doorward{verify};
{ask}  }

  location @doorward_answer {
    internal;
    rewrite ^ {answer} break;
    proxy_method GET;
    proxy_pass http://doorward;
{ask}  }
}
";

const ASK: [&str; 14] = [
    "proxy_pass_request_body off;",
    "proxy_set_header Content-Length \"\";",
    "proxy_set_header Transfer-Encoding \"\";",
    "proxy_http_version 1.1;",
    "proxy_set_header Connection \"\";",
    "proxy_set_header Upgrade \"\";",
    "proxy_set_header X-Original-Upgrade $http_upgrade;",
    "proxy_set_header Host $http_host;",
    "proxy_set_header X-Original-Method $request_method;",
    "proxy_set_header X-Original-URI $request_uri;",
    "proxy_set_header X-Forwarded-For $remote_addr;",
    "proxy_buffer_size 32k;",
    "proxy_buffers 8 32k;",
    "proxy_intercept_errors off;",
];

pub(super) fn configuration(given: &Given) -> String {
    let gate = match &given.gate {
        Address::Tcp(address) => address.to_string(),
        Address::Unix(path) => format!("unix:{}", path.display()),
    };
    let mut text = BEGINNING
        .replace("{gate}", &gate)
        .replace("{app}", &given.app.1)
        .replace("{port}", &given.port.to_string());
    for name in copied(given) {
        let variable = format!("$doorward_{}", name.replace('-', "_"));
        let header = name.replace('-', "_");
        let _ = writeln!(text, "    auth_request_set {variable} $upstream_http_{header};");
        let _ = writeln!(text, "    proxy_set_header {} {variable};", capitalised(name));
    }
    text.push_str(MIDDLE);
    for number in 1..=COOKIES {
        let header = COOKIE_HEADER.replace('-', "_");
        let _ = writeln!(
            text,
            "    auth_request_set $doorward_cookie_{number} $upstream_http_{header}{number};\n    \
             add_header Set-Cookie $doorward_cookie_{number} always;"
        );
    }
    text.push_str(REMOVED);
    for name in &given.removed {
        let _ = writeln!(text, "    proxy_set_header {} \"\";", capitalised(name));
    }
    let mut ask: String = ASK.iter().map(|line| format!("    {line}\n")).collect();
    if let Some(secret) = &given.secret {
        let _ = writeln!(ask, "    proxy_set_header {} {secret};", capitalised(SECRET_HEADER));
    }
    let end = END
        .replace("{ask}", &ask)
        .replace("{scheme}", &given.app.0)
        .replace("{verify}", PATH)
        .replace("{answer}", ANSWER_PATH);
    text + &end
}
