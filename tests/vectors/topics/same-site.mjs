// Whose request it is (Fetch Metadata, section 2.3; RFC 6454): a browser's one `Sec-Fetch-Site: same-origin` counts, whatever name the
// site goes by; otherwise its `Origin` decides: the public one, a listed one, or that of a Better Auth service.

import { ENV, SITE, ada, api, betterAuth, forward, foreign, goodData, policy, reject, send, sessionCookies, vector } from "../cases.mjs";

const service = (url, members = {}) => ({ type: "better-auth", name: "auth", url, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null, secure_cookies: true, ...members });
const rules = [{ path: "/native/**", access: "required", native_clients: true }, { path: "/**", access: "required" }];
const elsewhere = "https://auth.example.net";
const local = "http://localhost:3000";

export const policies = {
  site: betterAuth({}, { rules, allowed_origins: ["https://admin.example.com"] }),
  service: policy({ issuers: [service(elsewhere)], rules }, ENV),
  "service-path": policy({ issuers: [service("https://auth.example.net:8443/base/auth")], rules }, ENV),
  "service-here": policy({ issuers: [service("http://localhost:4000")], rules }, ENV),
  "other-issuer": policy({ issuers: [service(elsewhere), foreign({ issuer: "https://issuer.example", token_locations: ["cookie:token"] })], rules }, ENV),
  development: policy({ issuers: [service("http://localhost:4000")], rules }, { ...ENV, NODE_ENV: "development" }),
  test: policy({ issuers: [service("http://localhost:4000")], rules }, { ...ENV, NODE_ENV: "Development" }),
};

const session = sessionCookies(goodData());
const origin = (value) => ["origin", value];
const site = (value) => ["sec-fetch-site", value];
const crossing = reject("cross_site_request");
const as = (name) => forward(ada("cookie-cache", { "x-doorward-issuer": name }));
const post = (name, headers, expected, more) => vector(name, "site", send("POST", "/app", session, ...headers), expected, more);
const logged = (members) => ({ also: { log: members } });

/** A request to a program on a developer's own machine. */
const at = (publicOrigin, address, ...headers) => ({ ...send("POST", "/app", session, ...headers), public_origin: publicOrigin, client_address: address });
const developing = (name, head, expected, policyName = "development") => vector(name, policyName, head, expected);
const host = ["host", "localhost:3000"];
const socket = (...headers) => ({ ...send("GET", "/app", session, ["upgrade", "websocket"], ["connection", "Upgrade"], ...headers) });

export const cases = [
  post("by Sec-Fetch-Site, where the site does not know what it is called", [origin("https://www.app.example"), site("same-origin")], forward(ada())),
  post("by Sec-Fetch-Site, where http is https to a proxy before", [origin("http://app.example.com"), site("same-origin")], forward(ada())),
  post("by Sec-Fetch-Site, where a page says nothing about itself", [origin("null"), site("same-origin")], forward(ada())),
  post("by Sec-Fetch-Site, with an empty origin", [origin(""), site("same-origin")], forward(ada())),
  post("Sec-Fetch-Site in other letters does not count", [origin("https://evil.example"), site("Same-Origin")], crossing),
  post("Sec-Fetch-Site with a space does not count", [origin("https://evil.example"), site("same-origin ")], crossing),
  post("two words are none", [origin("https://evil.example"), site("same-origin"), site("same-origin")], crossing),
  post("two words that a host has joined are none", [origin("https://evil.example"), site("same-origin, same-origin")], crossing),
  post("two words that differ are none", [origin("https://evil.example"), site("cross-site"), site("same-origin")], crossing),
  post("two words leave it to the origin", [origin(SITE), site("same-origin"), site("cross-site")], forward(ada())),
  post("two words without an origin are refused", [site("same-origin"), site("same-origin")], crossing),
  post("a site's neighbour is not the site", [origin("https://other.example.com"), site("same-site")], crossing),
  post("a listed neighbour is", [origin("https://admin.example.com"), site("same-site")], forward(ada())),
  post("a listed site is, from wherever it is", [origin("https://admin.example.com"), site("cross-site")], forward(ada())),
  post("by the person's own hand, with an origin of ours", [origin(SITE), site("none")], forward(ada())),
  post("by the person's own hand, with another origin", [origin("chrome-extension://abcdefgh"), site("none")], crossing),
  post("two origins are refused", [origin(SITE), origin(SITE)], crossing),
  post("two origins are refused, whatever the browser says", [origin(SITE), origin("https://evil.example"), site("same-origin")], crossing),
  post("two origins that a host has joined are refused", [origin(`${SITE}, ${SITE}`), site("same-origin")], crossing),
  post("two origins, one of which is empty", [origin(""), origin(SITE)], crossing),
  vector("two origins do not hurt what changes nothing", "site", api("/app", session, origin(SITE), origin("https://evil.example")), forward(ada())),

  post("the log names both origins", [origin("https://evil.example"), site("cross-site")], crossing, logged({ origin: "https://evil.example", public_origin: SITE, sec_fetch_site: "cross-site" })),
  post("the log says where there is none", [], crossing, logged({ public_origin: SITE })),
  post("the log takes no more than the beginning", [origin(`https://${"e".repeat(5000)}.example`)], crossing, logged({ origin: `https://${"e".repeat(292)}...`, public_origin: SITE })),
  post("the log moves no terminal", [origin("https://\u009b2Jevil.example\u0007")], crossing, logged({ origin: "https://%C2%9B2Jevil.example%07" })),
  post("the log's line stays one line", [origin('https://evil.example"}\n{"')], crossing, logged({ origin: 'https://evil.example"}%0A{"', reason: "cross_site_request" })),

  vector("from the page of the auth service", "service", send("POST", "/app", session, origin(elsewhere), site("cross-site")), as("auth")),
  vector("from the auth service by another scheme", "service", send("POST", "/app", session, origin("http://auth.example.net")), crossing),
  vector("from the auth service by another port", "service", send("POST", "/app", session, origin("https://auth.example.net:8443")), crossing),
  vector("from below the auth service", "service", send("POST", "/app", session, origin("https://x.auth.example.net")), crossing),
  vector("from an auth service with a path and a port", "service-path", send("POST", "/app", session, origin("https://auth.example.net:8443")), as("auth")),
  vector("from an auth service's host without its port", "service-path", send("POST", "/app", session, origin("https://auth.example.net")), crossing),
  vector("another issuer is another site", "other-issuer", send("POST", "/app", session, origin("https://issuer.example")), crossing),
  vector("an auth service on the visitor's own machine is not this site", "service-here", send("POST", "/app", session, origin("http://localhost:4000")), crossing),
  vector("an auth service on this machine, from a site on this machine", "service-here", at(local, "127.0.0.1", host, origin("http://localhost:4000")), as("auth")),

  vector("a native client has neither", "site", send("POST", "/native/x", session), forward(ada())),
  vector("a native client is one only where the rule says so", "site", send("POST", "/app", session), crossing),
  vector("a native client sends no foreign origin", "site", send("POST", "/native/x", session, origin("https://evil.example")), crossing),
  vector("a native client sends no null origin", "site", send("POST", "/native/x", session, origin("null")), crossing),
  vector("a native client sends no Sec-Fetch-Site", "site", send("POST", "/native/x", session, site("none")), crossing),
  vector("a native client has not two of them", "site", send("POST", "/native/x", session, site("none"), site("same-origin")), crossing),
  vector("a native client has not two origins", "site", send("POST", "/native/x", session, origin(SITE), origin(SITE)), crossing),

  vector("a WebSocket of this site", "site", socket(origin(SITE)), forward(ada())),
  vector("a WebSocket of another site is not admitted by Sec-Fetch-Site", "site", socket(origin("https://evil.example"), site("same-origin")), crossing),
  vector("a WebSocket of nowhere is not admitted by Sec-Fetch-Site", "site", socket(origin("null"), site("same-origin")), crossing),
  vector("a WebSocket of the auth service's page", "service", socket(origin(elsewhere)), as("auth")),
  vector("a WebSocket with two origins", "site", socket(origin(SITE), origin(SITE)), crossing),
  vector("a WebSocket of a native client", "site", socket(), forward(ada())),
  vector("a WebSocket among other protocols is one", "site", send("GET", "/app", session, ["upgrade", "h2c, WebSocket"], origin("https://evil.example")), crossing),
  vector("a WebSocket in the second line is one", "site", send("GET", "/app", session, ["upgrade", "h2c"], ["upgrade", "websocket"], origin("https://evil.example")), crossing),

  developing("in development, one machine has three names", at("http://127.0.0.1:3000", "127.0.0.1", host, origin(local)), as("auth")),
  developing("in development, also by IPv6", at("http://[::1]:3000", "::1", host, origin("http://127.0.0.1:3000")), as("auth")),
  developing("in development, also where IPv4 is written as IPv6", at("http://localhost:3000", "::ffff:127.0.0.1", ["host", "127.0.0.1:3000"], origin("http://[::1]:3000")), as("auth")),
  developing("in development, another port is another program", at("http://127.0.0.1:3000", "127.0.0.1", host, origin("http://localhost:3001")), crossing),
  developing("in development, https is not http", at("http://127.0.0.1:3000", "127.0.0.1", host, origin("https://localhost:3000")), crossing),
  developing("in development, a name below localhost is another", at("http://127.0.0.1:3000", "127.0.0.1", host, origin("http://x.localhost:3000")), crossing),
  developing("in development, another machine is another", at("http://127.0.0.1:3000", "192.0.2.7", host, origin(local)), crossing),
  developing("in development, a client of unknown address is another", at("http://127.0.0.1:3000", undefined, host, origin(local)), crossing),
  developing("in development, another host is another", at("http://127.0.0.1:3000", "127.0.0.1", ["host", "evil.example:3000"], origin(local)), crossing),
  developing("in development, no host is none", at("http://127.0.0.1:3000", "127.0.0.1", origin(local)), crossing),
  developing("in development, not behind a proxy", at("http://127.0.0.1:3000", "127.0.0.1", host, origin(local), ["x-forwarded-host", "localhost:3000"]), crossing),
  developing("in development, not behind a proxy that says Via", at("http://127.0.0.1:3000", "127.0.0.1", host, origin(local), ["Via", "1.1 x"]), crossing),
  developing("in development, not behind a proxy that says Forwarded", at("http://127.0.0.1:3000", "127.0.0.1", host, origin(local), ["forwarded", "for=127.0.0.1"]), crossing),
  developing("in development, a site elsewhere is elsewhere", at(SITE, "127.0.0.1", host, origin(local)), crossing),
  developing("in development, other sites are other sites", at("http://127.0.0.1:3000", "127.0.0.1", host, origin("https://evil.example")), crossing),
  developing("outside of development, names differ", at("http://127.0.0.1:3000", "127.0.0.1", host, origin(local)), crossing, "service-here"),
  developing("outside of development, Sec-Fetch-Site is enough", at("http://127.0.0.1:3000", "127.0.0.1", host, origin(local), site("same-origin")), as("auth"), "service-here"),
  developing("development is one word in small letters", at("http://127.0.0.1:3000", "127.0.0.1", host, origin(local)), crossing, "test"),
];
