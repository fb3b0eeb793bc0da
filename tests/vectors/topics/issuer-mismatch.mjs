// What the log says of an `iss` that no issuer here has: what came, shortened and escaped, and what it is most like.

import { ENV, SITE, NOW, NOW_S, SECRET, api, bearer, claims, foreign, pair, policy, reject, sessionCookies, vector } from "../cases.mjs";
import { compact, forged, publicJwk } from "../mint.mjs";

const jwks = { keys: [publicJwk("ed", { kid: "ed", alg: "EdDSA" })] };
const issuer = (iss, members = {}) => foreign({ issuer: iss, name: iss, jwks, ...members });
const betterAuth = (members = {}) => ({ type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null, jwks, ...members });
const rules = [{ path: "/**", access: "required" }];

export const policies = {
  origin: policy({ issuers: [betterAuth()], rules }, ENV),
  path: policy({ issuers: [issuer("https://app.example.com/api/auth")], rules }),
  slash: policy({ issuers: [issuer("https://tenant.example/")], rules }),
  several: policy({
    issuers: [issuer("https://other.example/x"), issuer("https://one.example"), issuer("https://two.example/api", { token_locations: ["cookie:id"] }), issuer("our-issuer")],
    rules: [{ path: "/one/**", access: "required", issuers: "https://one.example" }, { path: "/**", access: "required" }],
  }),
  bridge: policy({ issuers: [betterAuth()], rules: [{ path: "/**", access: "required", token_exchange: true }] }, ENV),
};

const of = (iss, more = {}) => bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed", ...more }, claims({ iss })));
const near = (policyName, iss, expected, differs_in, target = "/") =>
  vector(`${policyName}: ${iss.slice(0, 60)}${target === "/" ? "" : ` at ${target}`}`, policyName, api(target, of(iss)), reject("issuer_unknown"), {
    also: { log: { reason: "issuer_unknown", iss: JSON.parse(JSON.stringify({ unverified: iss, expected, differs_in })) } },
  });
const odd = (name, iss, unverified, more = {}) =>
  vector(name, "several", api("/", of(iss)), reject("issuer_unknown"), { also: { log: { reason: "issuer_unknown", iss: { unverified, ...more } } } });

export const cases = [
  near("origin", `${SITE}/`, SITE, "trailing slash"),
  near("origin", `${SITE}/api/auth`, SITE, "path"),
  near("origin", "http://app.example.com", SITE, "scheme"),
  near("origin", "https://app.example.com:3000", SITE, "port"),
  near("origin", "https://App.Example.com", SITE, "case"),
  near("origin", "https://preview.example.com", SITE, "host"),
  near("origin", "http://localhost:3000", undefined, undefined),
  near("path", SITE, `${SITE}/api/auth`, "path"),
  near("path", `${SITE}/api/auth/`, `${SITE}/api/auth`, "trailing slash"),
  near("path", `${SITE}/auth`, `${SITE}/api/auth`, "path"),
  near("path", "https://evil.example/api/auth", `${SITE}/api/auth`, "host"),
  near("path", "https://evil.example", undefined, undefined),
  near("slash", "https://tenant.example", "https://tenant.example/", "trailing slash"),
  near("several", "https://one.example/", "https://one.example", "trailing slash"),
  near("several", "https://one.example/x", "https://one.example", "path"),
  near("several", "https://two.example/api", "https://two.example/api", "place"),
  near("several", "our-issuer", "our-issuer", "rule", "/one/x"),
  near("several", "their-issuer", undefined, undefined),
  odd("no iss at all to speak of", "", ""),
  odd("an iss with line ends and quotation marks", 'a"\r\n{"gate":"doorward"}', "a%22%0D%0A{%22gate%22:%22doorward%22}".replaceAll("%22", '"')),
  odd("an iss that never ends", `https://x.example/${"y".repeat(5000)}/z?`, `https://x.example/${"y".repeat(282)}...`),
  odd("an iss of other letters", "https://éx.example:8443/\u202e", "https://%C3%A9x.example:8443/%E2%80%AE"),
  vector("an exchanged token of another environment", "bridge", api("/notes", sessionCookies(compact(pair(), NOW + 86_400_000, SECRET))), reject("exchanged_token_invalid"), {
    effects: ["token"],
    results: [{ of: "token", status: 200, headers: [], body: JSON.stringify({ token: forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, { iss: "https://staging.example.com", aud: SITE, sub: "ada", iat: NOW_S, exp: NOW_S + 900 }) }) }],
    also: { log: { reason: "exchanged_token_invalid", cause: "issuer_unknown", iss: { unverified: "https://staging.example.com", expected: SITE, differs_in: "host" } } },
  }),
];
