// The session of @supabase/ssr is a cookie like others: a browser sends it along by itself, and what may not go on to an origin
// goes on in no chunk.

import { NOW_S, SITE, api, claims, cookies, forward, jwtIssuer, reject, send, told, vector } from "../cases.mjs";
import { b64u, forged, publicJwk } from "../mint.mjs";

const NAME = "sb-abcdefghijklmnopqrst-auth-token";
const jwks = { keys: [publicJwk("ed", { kid: "ed", alg: "EdDSA" })] };
const rules = [{ path: "/removed/**", access: "required", credential: "remove" }, { path: "/public/**", access: "public" }, { path: "/**", access: "required" }];
export const policies = { site: jwtIssuer({ jwks, token_locations: ["authorization", `supabase-cookie:${NAME}`] }, { rules }) };

const token = (members) => forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims(members));
const session = (access_token) => `base64-${b64u(JSON.stringify({ access_token, token_type: "bearer", expires_at: NOW_S + 600, refresh_token: "r" }))}`;
const pieces = (value, size = 200) => Object.fromEntries(value.match(new RegExp(`.{1,${size}}`, "g")).map((piece, number) => [`${NAME}.${number}`, piece]));
const whole = { [NAME]: session(token()) };
const chunks = pieces(session(token()));
const on = (name, request, expected, more) => vector(name, "site", request, expected, more);

export const cases = [
  on("a session in a cookie", api("/app", cookies(whole)), forward(told())),
  on("a session in chunks", api("/app", cookies({ theme: "dark", ...chunks })), forward(told())),
  on("an origin that is not to have it gets none of its chunks", api("/removed/x", cookies({ theme: "dark", ...chunks, lang: "en" })), forward(told({ cookie: "theme=dark; lang=en" }), { removed: ["cookie"] })),
  on("nor the whole", api("/removed/x", cookies({ ...whole, lang: "en" })), forward(told({ cookie: "lang=en" }), { removed: ["cookie"] })),
  on("a browser sends it by itself, so another site's request changes nothing", send("POST", "/app", cookies(whole), ["origin", "https://evil.example"]), reject("cross_site_request")),
  on("and this site's does", send("POST", "/app", cookies(whole), ["origin", SITE]), forward(told())),
  on("a session of another user beside a token", api("/app", cookies(whole), ["authorization", `Bearer ${token({ sub: "user-2" })}`]), reject("credential_ambiguous")),
  on("a session that is bound to a key", api("/app", cookies({ [NAME]: session(token({ cnf: { jkt: "x" } })) })), reject("token_bound")),
  on("a session whose token has no signature that holds", api("/app", cookies({ [NAME]: session(forged("EdDSA", "ed2", { alg: "EdDSA", kid: "ed" }, claims())) })), reject("signature_invalid")),
  on("an empty cookie is none", api("/app", cookies({ [NAME]: "" })), reject("no_credential")),
  on("on a public path it is not looked at", api("/public/x", cookies({ [NAME]: "base64-###" })), forward()),
];
