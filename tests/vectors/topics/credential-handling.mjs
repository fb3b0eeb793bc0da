// `credential`: what becomes of the credential itself on its way to the origin: kept, removed, or replaced by the assertion.

import { ENV, SESSION_DATA, SESSION_TOKEN, SITE, ada, api, bearer, claims, foreign, forward, goodData, policy, reject, send, sessionCookies, told, vector } from "../cases.mjs";
import { forged, publicJwk } from "../mint.mjs";

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const rule = (path, members) => ({ path, access: "required", ...members });

export const policies = {
  site: policy({
    issuers: [
      { type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null },
      foreign({ jwks: { keys: [ed] }, token_locations: ["authorization", "cookie:token", "header:x-token"] }),
    ],
    rules: [
      { path: "/public", access: "public", credential: "remove" }, { path: "/optional", access: "optional", credential: "remove" },
      rule("/kept", { credential: "keep" }), rule("/reported", { credential: "remove", mode: "report", report_until: "2027-01-15" }), rule("/**", { credential: "remove" }),
    ],
  }, ENV),
};

const token = forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims());
const user = bearer(token);
const session = sessionCookies(goodData());
const together = (...pairs) => ["cookie", [session[1], ...pairs].join("; ")];
const site = (name, target, headers, set, removed) => vector(name, "site", api(target, ...headers), forward(set, { removed }));

export const cases = [
  site("kept, it goes on as it came", "/kept", [together("theme=dark")], ada(), []),
  site("kept, a token goes on as it came", "/kept", [user, ["X-Token", token]], told(), []),
  site("a bearer token is removed", "/", [user], told(), ["authorization"]),
  site("a bearer token is removed by another spelling of its header", "/", [["Authorization", user[1]]], told(), ["Authorization"]),
  site("session cookies are removed", "/", [session], ada(), ["cookie"]),
  site("other cookies stay", "/", [together("theme=dark", "lang=en")], ada("cookie-cache", { cookie: "theme=dark; lang=en" }), ["cookie"]),
  site("other cookies stay as they were spelled", "/", [together("a=\"x y\"", "b=%41", "c=")], ada("cookie-cache", { cookie: "a=\"x y\"; b=%41; c=" }), ["cookie"]),
  site("chunks are removed too", "/", [together(`${SESSION_DATA}.0=x`, `${SESSION_DATA}.17=y`, "a=b")], ada("cookie-cache", { cookie: "a=b" }), ["cookie"]),
  site("what is named nearly like it stays", "/", [together(`${SESSION_DATA}x=1`, `x${SESSION_TOKEN}=2`, `${SESSION_DATA}.a=3`)], ada("cookie-cache", { cookie: `${SESSION_DATA}x=1; x${SESSION_TOKEN}=2; ${SESSION_DATA}.a=3` }), ["cookie"]),
  site("all cookies of that name are removed", "/", [together(`${SESSION_TOKEN}=other`, "a=b")], ada("cookie-cache", { cookie: "a=b" }), ["cookie"]),
  site("a second cookie header", "/", [session, ["cookie", "a=b"]], ada("cookie-cache", { cookie: "a=b" }), ["cookie", "cookie"]),
  site("a token's cookie is removed", "/", [["cookie", `token=${token}; a=b`]], told({ cookie: "a=b" }), ["cookie"]),
  site("a token's header is removed", "/", [["X-Token", token]], told(), ["X-Token"]),
  site("a scheme that is not ours stays", "/", [session, ["authorization", "Basic YWRhOng="]], ada(), ["cookie"]),
  site("a public path", "/public", [user, together("a=b")], { cookie: "a=b" }, ["authorization", "cookie"]),
  site("an optional rule", "/optional", [["cookie", "a=b"]], { cookie: "a=b" }, ["cookie"]),
  site("something that an origin might take for one is removed on a public path", "/public", [["authorization", "bearer\tx"]], {}, ["authorization"]),
  site("and in any letters", "/public", [["authorization", "BEARER x"]], {}, ["authorization"]),
  site("a bad one is removed where a rule only reports", "/reported", [bearer("x.y.z")], {}, ["authorization"]),
  vector("from a preflight too", "site", send("OPTIONS", "/", ["origin", "https://other.example"], ["access-control-request-method", "GET"], session), forward({}, { removed: ["cookie"] })),
  vector("a bad one is bad", "site", api("/", bearer("x.y.z")), reject("token_malformed")),
];
