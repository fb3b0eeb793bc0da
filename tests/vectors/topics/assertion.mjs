// The assertion (docs/assertion.md): what the gate says to the origin about one request, signed. Every case names all claims but
// `jti`, which is another one each time.

import { createHash, createHmac } from "node:crypto";
import { ENV, NOW, NOW_S, SECRET, SITE, TOKEN, ada, api, b64u, bearer, claims, foreign, forward, goodData, page, policy, reject, send, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { forged, privateJwk, publicJwk, signedValue } from "../mint.mjs";

const ASSERTION_SECRET = "assertion-secret-of-the-vectors-5Gh8";
const ed = publicJwk("ed2", { kid: "own", alg: "EdDSA" });
const rule = (path, members) => ({ path, access: "required", ...members });
const rules = [
  { path: "/public/**", access: "public" },
  { path: "/optional/**", access: "optional" },
  rule("/other/**", { assertion_audience: "reports" }),
  rule("/replaced/**", { credential: "replace" }),
  rule("/removed/**", { credential: "remove" }),
  rule("/few/**", { identity_headers: ["subject"] }),
  rule("/address/**", { identity_headers: ["subject", "email"] }),
  rule("/id/**", { identity_headers: ["session"] }),
  rule("/doubt/**", { on_unavailable: "anonymous", max_staleness_seconds: 0 }),
  rule("/reported/**", { mode: "report", report_until: "2027-01-15" }),
  { path: "/**", methods: ["GET", "HEAD", "POST", "OPTIONS", "QUERY"], access: "required" },
];
const site = (assertion, env, document = {}) => policy({
  issuers: [
    { type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null, bearer_tokens: "signed" },
    foreign({ jwks: { keys: [ed] } }),
  ],
  rules, assertion: { audience: "billing", ...assertion }, ...document,
}, { ...ENV, ...env });
const PATH = "/.well-known/doorward/jwks.json";
const KEYS = {
  ES256: JSON.stringify(privateJwk("p256", { kid: "es1" })), EdDSA: JSON.stringify(privateJwk("ed", { kid: "ed1", alg: "EdDSA", use: "sig" })),
  UNNAMED: JSON.stringify(privateJwk("p256b")),
};
const env = (...names) => names.map((name) => ({ env: name }));

export const policies = {
  hs256: site({ secret: { env: "ASSERTION" } }, { ASSERTION: ASSERTION_SECRET }),
  es256: site({ keys: env("ES256") }, KEYS),
  eddsa: site({ keys: env("EdDSA"), jwks_path: PATH }, KEYS),
  thumbprint: site({ keys: env("UNNAMED") }, KEYS),
  rotation: site({ keys: env("EdDSA", "ES256"), jwks_path: PATH }, KEYS),
  rotated: site({ keys: env("ES256", "EdDSA"), jwks_path: PATH }, KEYS),
  early: site({ keys: [{ env: "EdDSA" }, { env: "NEXT", optional: true }], jwks_path: PATH }, KEYS),
  named: site({ keys: env("EdDSA"), issuer: "edge.example.com", lifetime_seconds: 60 }, KEYS),
  claims: site({ keys: env("EdDSA") }, KEYS, { claim_headers: { role: "role", team: "org.team", level: "level" }, rules: [rule("/level/**", { identity_headers: ["level"] }), rule("/role/**", { identity_headers: ["role"] }), ...rules] }),
};

const thumbprint = (name) => {
  const { crv, kty, x, y } = publicJwk(name);
  return createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
};
const SIGNERS = {
  hs256: { header: { alg: "HS256", kid: createHmac("sha256", ASSERTION_SECRET).update("the name of this key in assertions").digest("base64url") }, key: { kty: "oct", k: b64u(ASSERTION_SECRET), alg: "HS256" } },
  es256: { header: { alg: "ES256", kid: "es1" }, key: publicJwk("p256") },
  thumbprint: { header: { alg: "ES256", kid: thumbprint("p256b") }, key: publicJwk("p256b") },
  rotated: { header: { alg: "ES256", kid: "es1" }, key: publicJwk("p256") },
  eddsa: { header: { alg: "EdDSA", kid: "ed1" }, key: publicJwk("ed") },
};
const signer = (name) => SIGNERS[name] ?? SIGNERS.eddsa;
const sha256 = (text) => createHash("sha256").update(text).digest("base64url");

const own = (members) => forged("EdDSA", "ed2", { alg: "EdDSA", kid: "own" }, claims(members));
const user = bearer(own());
const session = sessionCookies(goodData());

/** The assertion about a request: what was forwarded, and who it is. */
const about = (policyName, head, who, members = {}, target = head.target) => {
  const { header, key } = signer(policyName);
  const basic = { iss: "doorward", aud: "billing", iat: NOW_S, exp: NOW_S + 30, htm: head.method, host: "app.example.com", tgt: sha256(target) };
  return { assertion: { header: { ...header, typ: "doorward-assertion+jwt" }, key, claims: { ...basic, ...who, ...members } } };
};
const BY_TOKEN = { sub: "user-1", idp: "issuer.example", src: "jwt", sess_exp: NOW_S + 600 };
const BY_SESSION = { sub: "ada", sid: "session-1", email: "ada@example.com", idp: "better-auth", src: "cookie-cache", sess_exp: NOW_S + 604_800 };
const { sid: _, email: __, ...FEW } = BY_SESSION;
const ASKED = { ...BY_SESSION, src: "auth-service" };
const signs = (policyName) => (signer(policyName).header.alg === "HS256" ? [] : ["sign"]);

/** A request with a good credential, and what the origin gets. */
const good = (name, policyName, head, { who = BY_TOKEN, members, target, set = told(), more = {}, removed } = {}) =>
  vector(name, policyName, head, forward(set, removed ? { removed } : {}), {
    ...more, effects: [...(more.effects ?? []), ...signs(policyName)], also: { ...about(policyName, head, who, members, target), ...more.also },
  });
const none = (name, policyName, head, expected, more) => vector(name, policyName, head, expected, more);
const served = (name, policyName, head, body, headers = {}) => vector(name, policyName, head, { respond: { status: 200 } }, {
  also: { body, headers: { "content-type": "application/jwk-set+json", "cache-control": "public, max-age=300", ...headers } },
});
const published = (...keys) => `{"keys":[${keys.join(",")}]}`;
const edPublic = `{"crv":"Ed25519","kty":"OKP","x":"${publicJwk("ed").x}","alg":"EdDSA","use":"sig","kid":"ed1"}`;
const esPublic = `{"crv":"P-256","kty":"EC","x":"${publicJwk("p256").x}","y":"${publicJwk("p256").y}","alg":"ES256","use":"sig","kid":"es1"}`;
const at = (head, members) => ({ ...head, ...members });

export const cases = [
  good("HS256", "hs256", api("/a/b?x=1", user)),
  good("ES256", "es256", api("/a/b?x=1", user)),
  good("EdDSA", "eddsa", api("/a/b?x=1", user)),
  good("a key without a name is called by its thumbprint", "thumbprint", api("/", user)),
  good("a session", "eddsa", api("/", session), { who: BY_SESSION, set: ada() }),
  good("a session that the auth service knows", "eddsa", api("/", sessionCookies()), { who: ASKED, set: ada("auth-service"), more: { effects: ["session"], results: [sessionAnswer()] } }),
  good("a session that the auth service knows, signed by the platform", "es256", api("/", sessionCookies()), { who: ASKED, set: ada("auth-service"), more: { effects: ["session"], results: [sessionAnswer()] } }),
  good("a token of the bearer plugin", "eddsa", api("/", bearer(signedValue(TOKEN, SECRET))), { who: ASKED, set: ada("auth-service"), more: { effects: ["session"], results: [sessionAnswer()] } }),
  good("a token with sid and email", "eddsa", api("/", bearer(own({ sid: "s-1", email: "a@example.com" }))), { members: { sid: "s-1", email: "a@example.com" }, set: told({ "x-doorward-session": "s-1", "x-doorward-email": "a@example.com" }) }),
  good("a user whose name needs escapes", "eddsa", api("/", bearer(own({ sub: "Zo\u00eb \"1\"\r\n\u0000" }))), { members: { sub: "Zo\u00eb \"1\"\r\n\u0000" }, set: told({ "x-doorward-subject": "Zo%C3%AB%20\"1\"%0D%0A%00" }) }),
  good("an optional rule, with a session", "eddsa", api("/optional/x", user)),
  none("an optional rule, anonymous", "eddsa", api("/optional/x", ["x-doorward-assertion", "a.b.c"]), forward({}, { removed: ["x-doorward-assertion"] })),
  none("a public path", "eddsa", api("/public/x", user, ["X_Doorward_Assertion", "a.b.c"]), forward({}, { removed: ["X_Doorward_Assertion"] })),
  none("a preflight has none", "eddsa", send("OPTIONS", "/", ["origin", "https://other.example"], ["access-control-request-method", "GET"]), forward()),
  none("a request that is admitted in spite of a lookup failure has none", "eddsa", api("/doubt/x", sessionCookies()), forward(), { effects: ["session"] }),
  none("a refusal that is only reported has none", "eddsa", api("/reported/x"), forward()),
  good("a rule that only reports, and a user who may", "eddsa", api("/reported/x", user)),

  // What it is bound to.
  good("the method: HEAD", "eddsa", at(api("/", user), { method: "HEAD" })),
  good("the method: POST", "eddsa", send("POST", "/", user)),
  good("the method: one of its own", "eddsa", send("QUERY", "/", user)),
  good("the target is what is forwarded, not what came", "eddsa", api("/%61%7e?q=%61", user), { target: "/a~?q=%61" }),
  good("the target of an empty query", "eddsa", api("/a?", user), { target: "/a?" }),
  good("the target with its slash behind", "eddsa", api("/a/", user)),
  good("the target in other letters", "eddsa", api("/caf%c3%a9", user), { target: "/caf%C3%A9" }),
  good("the target of a payload", "eddsa", api("/a.rsc?_rsc=1", user)),
  good("the public host with its port", "eddsa", at(api("/", user), { public_origin: "https://app.example.com:8443" }), { members: { host: "app.example.com:8443" } }),
  good("the public host in small letters", "eddsa", at(api("/", user), { public_origin: "https://APP.Example.com" }), { members: { host: "app.example.com" } }),
  good("the public host is not what the client says", "eddsa", api("/", ["host", "evil.example"], ["x-forwarded-host", "evil.example"], user)),
  good("the audience of a rule", "eddsa", api("/other/x", user), { members: { aud: "reports" } }),
  good("the audience is that of the strictest rule", "eddsa", api("/public/x", ["next-url", "/other/x"], user), { members: { aud: "reports" } }),
  good("the moment", "eddsa", api("/", user), { members: { iat: NOW_S + 7, exp: NOW_S + 37 }, more: { now: NOW + 7999 } }),
  good("an issuer and a life of its own", "named", api("/", user), { members: { iss: "edge.example.com", exp: NOW_S + 60 } }),
  good("mapped claims with their types", "claims", api("/", bearer(own({ role: "admin", org: { team: ["a", { b: 1 }] }, level: 3 }))), {
    members: { claims: { role: "admin", team: ["a", { b: 1 }], level: 3 } },
    set: told({ "x-doorward-role": "admin", "x-doorward-team": b64u('["a",{"b":1}]'), "x-doorward-level": "3" }),
  }),
  good("a mapped claim that is too long", "claims", api("/", bearer(own({ role: "a".repeat(4097), level: 3 }))), { members: { claims: { level: 3 } }, set: told({ "x-doorward-level": "3", "x-doorward-omitted": "role" }) }),
  good("no mapped claim is there", "claims", api("/", user)),

  // Beside it.
  good("whatever calls itself one is removed", "eddsa", api("/", ["x-doorward-assertion", "a.b.c"], ["X_DOORWARD_ASSERTION", "d.e.f"], user), { removed: ["x-doorward-assertion", "X_DOORWARD_ASSERTION"] }),
  good("a rule that tells few headers still has it", "eddsa", api("/few/x", user), { set: { "x-doorward-subject": "user-1" } }),
  good("a rule that tells few headers leaves out what may be missing", "eddsa", api("/few/x", session), { who: FEW, set: { "x-doorward-subject": "ada" } }),
  good("a rule that tells the address has it in the assertion", "eddsa", api("/address/x", session), { who: { ...FEW, email: "ada@example.com" }, set: { "x-doorward-subject": "ada", "x-doorward-email": "ada@example.com" } }),
  good("a rule that tells the session has its id in the assertion", "eddsa", api("/id/x", session), { who: { ...FEW, sid: "session-1" }, set: { "x-doorward-session": "session-1" } }),
  good("a rule that tells one of two mapped claims", "claims", api("/level/x", bearer(own({ role: "admin", level: 3 }))), { members: { claims: { level: 3 } }, set: { "x-doorward-level": "3" } }),
  good("a mapped claim that is too long is in neither", "claims", api("/role/x", bearer(own({ role: "a".repeat(4097), level: 3 }))), { set: {} }),
  good("a page shown within another: what both rules tell", "eddsa", api("/address/x", session, ["next-url", "/few/x"]), { who: FEW, set: { "x-doorward-subject": "ada" } }),
  good("in place of a token", "eddsa", api("/replaced/x", user), { set: told({ authorization: "Bearer <assertion>" }), removed: ["authorization"] }),
  good("in place of a session", "eddsa", api("/replaced/x", [session[0], `${session[1]}; a=b`]), { who: BY_SESSION, set: ada("cookie-cache", { authorization: "Bearer <assertion>", cookie: "a=b" }), removed: ["cookie"] }),
  good("in place of a token, signed by the platform", "es256", api("/replaced/x", user), { set: told({ authorization: "Bearer <assertion>" }), removed: ["authorization"] }),
  good("where the credential is removed", "eddsa", api("/removed/x", user), { removed: ["authorization"] }),

  // Where it cannot be had, nothing passes.
  none("the platform fails to sign", "es256", api("/", user), reject("assertion_unavailable"), { effects: ["sign"], results: [{ of: "sign", failed: true }] }),
  none("the platform cannot sign", "es256", page("/", user), reject("assertion_unavailable"), { effects: ["sign"], results: [{ of: "sign", unsupported: true }] }),
  none("the platform fails to sign where a rule only reports", "es256", api("/reported/x", user), reject("assertion_unavailable"), { effects: ["sign"], results: [{ of: "sign", failed: true }] }),
  none("the platform fails to sign under `on_unavailable: anonymous`", "es256", api("/doubt/x", sessionCookies()), reject("assertion_unavailable"), { effects: ["session", "sign"], results: [sessionAnswer(), { of: "sign", failed: true }] }),

  // The key set.
  served("the key set", "eddsa", api(PATH), published(edPublic)),
  served("the key set, for every client", "eddsa", page(PATH, bearer("x.y.z")), published(edPublic)),
  served("the key set by HEAD", "eddsa", at(api(PATH), { method: "HEAD" }), ""),
  served("in a rotation both keys are published, the one that signs first", "rotation", api(PATH), published(edPublic, esPublic)),
  served("in a rotation both keys are published, also after it", "rotated", api(PATH), published(esPublic, edPublic)),
  served("a next key that is not there yet", "early", api(PATH), published(edPublic)),
  good("in a rotation the first key signs", "rotation", api("/", user)),
  good("after it the other one signs", "rotated", api("/", user)),
  good("a next key that is not there yet does not matter", "early", api("/", user)),
  none("another method is not for the key set", "eddsa", send("POST", PATH), reject("no_credential")),
  none("no key set where no path is configured", "named", api(PATH), reject("no_credential")),
  none("no key set of a shared secret", "hs256", api(PATH), reject("no_credential")),
];
