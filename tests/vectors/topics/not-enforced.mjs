// What is forwarded although it would be refused: a lookup failure, where a rule says so, and everything, where a rule only reports. Such a
// request is anonymous: no identity, no assertion; and the log says why.

import { ENV, NOW, NOW_S, SECRET, ada, api, bearer, betterAuth, claims, foreign, forward, goodData, jwtIssuer, nullAnswer, page, policy, reject, send, sessionAnswer, sessionCookies, told, vector, OLD_SECRET, SITE, TOKEN } from "../cases.mjs";
import { forged, jwt, publicJwk, signedCookie } from "../mint.mjs";

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const p256 = publicJwk("p256", { kid: "p256", alg: "ES256" });
const rule = (path, members) => ({ path, access: "required", ...members });
const END = Date.UTC(2027, 0, 16);

export const policies = {
  lenient: betterAuth({}, {
    rules: [
      rule("/admin/**", { on_unavailable: "anonymous", roles: "admin" }), rule("/strict/**", { on_unavailable: "deny" }),
      { path: "/optional", access: "optional", on_unavailable: "anonymous" }, rule("/**", { on_unavailable: "anonymous" }),
    ],
    sign_in: { path: "/sign-in" },
    assertion: { audience: "billing", secret: { env: "ASSERTION_SECRET" } },
  }, { ...ENV, ASSERTION_SECRET: "assertion-secret-of-the-vectors-5Gh8" }),
  fetched: jwtIssuer({ jwks: undefined, jwks_url: "https://issuer.example/jwks" }, { rules: [rule("/**", { on_unavailable: "anonymous" })] }),
  checked: jwtIssuer({ jwks: { keys: [p256] } }, { rules: [rule("/**", { on_unavailable: "anonymous" })] }),
  report: policy({
    issuers: [{ type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null }, foreign({ jwks: { keys: [ed] } })],
    rules: [
      rule("/admin/**", { mode: "report", report_until: "2027-01-15", roles: "admin" }),
      rule("/enforced/**", { mode: "enforce" }),
      rule("/over/**", { mode: "report", report_until: "2027-01-14" }),
      rule(["/app/**", "/"], { mode: "report", report_until: "2027-01-15" }),
    ],
    sign_in: { path: "/sign-in" },
  }, ENV),
};

const log = (decision, reason) => ({ also: { log: { decision, reason } } });
const effects = ["session"];
const session = sessionCookies(goodData());
const bad = sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET));
const by = (members) => bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims(members)));
const es256 = bearer(await jwt("ES256", "p256", claims(), { kid: "p256" }));
const lenient = (name, head, expected, more) => vector(name, "lenient", head, expected, more);
const report = (name, head, expected, more) => vector(name, "report", head, expected, more);

export const cases = [
  lenient("on_unavailable: no answer", page("/", sessionCookies()), forward(), { effects, ...log("anonymous", "session_unavailable") }),
  lenient("on_unavailable: a script's request too", api("/", sessionCookies()), forward(), { effects, ...log("anonymous", "session_unavailable") }),
  lenient("on_unavailable: a payload too", api("/a.rsc", sessionCookies()), forward(), { effects, ...log("anonymous", "session_unavailable") }),
  lenient("on_unavailable: a form too", send("POST", "/", sessionCookies(), ["origin", SITE]), forward(), { effects, ...log("anonymous", "session_unavailable") }),
  lenient("on_unavailable: the auth service is in trouble", api("/", sessionCookies()), forward(), { effects, results: [{ of: "session", status: 503, body: "" }], ...log("anonymous", "session_unavailable") }),
  lenient("on_unavailable: where a role is required", api("/admin/x", sessionCookies()), forward(), { effects, ...log("anonymous", "session_unavailable") }),
  lenient("on_unavailable: where a credential is optional", api("/optional", sessionCookies()), forward(), { effects, ...log("anonymous", "session_unavailable") }),
  lenient("on_unavailable deny is the same as without", api("/strict/x", sessionCookies()), reject("session_unavailable"), { effects }),
  lenient("on_unavailable is not about what is known: signed out", api("/", sessionCookies()), reject("session_ended"), { effects, results: [nullAnswer()] }),
  lenient("on_unavailable is not about what is known: bad", api("/", bad), reject("signature_invalid")),
  lenient("on_unavailable is not about what is known: no credential", api("/"), reject("no_credential")),
  lenient("on_unavailable is not about what is known: without the role", api("/admin/x", session), reject("forbidden"), { effects, results: [sessionAnswer()] }),
  lenient("on_unavailable is not about what is known: without the role, and no answer", api("/admin/x", session), reject("session_unavailable"), { effects }),
  lenient("on_unavailable is not about what is known: from elsewhere", send("POST", "/", session, ["origin", "https://evil.example"]), reject("cross_site_request")),
  lenient("on_unavailable: no path is excused", api("/a//b", sessionCookies()), reject("path_refused")),
  vector("on_unavailable: keys that cannot be had", "fetched", api("/", by()), forward(), { effects: ["keys"], ...log("anonymous", "keys_unavailable") }),
  vector("on_unavailable: a signature that the platform cannot check", "checked", api("/", es256), forward(), { effects: ["check"], results: [{ of: "check", failed: true }], ...log("anonymous", "signature_check_unavailable") }),
  vector("on_unavailable: nothing is logged where nothing was wrong", "checked", api("/", es256), forward(told()), { effects: ["check"], also: { log: null } }),

  report("report: no credential", api("/app/x"), forward(), log("report", "no_credential")),
  report("report: no credential, on a page", page("/app/x"), forward(), log("report", "no_credential")),
  report("report: a bad session", api("/app/x", bad), forward(), log("report", "signature_invalid")),
  report("report: an expired token", api("/app/x", by({ exp: NOW_S - 60 })), forward(), log("report", "token_expired")),
  report("report: a session that has ended, whose cookies stay", api("/app/x", sessionCookies()), forward(), { effects, results: [nullAnswer()], ...log("report", "session_ended") }),
  report("report: a lookup failure", api("/app/x", sessionCookies()), forward(), { effects, ...log("report", "session_unavailable") }),
  report("report: from elsewhere", send("POST", "/app/x", session, ["origin", "https://evil.example"]), forward(), log("report", "cross_site_request")),
  report("report: without the role", api("/admin/x", session), forward(), { effects, results: [sessionAnswer()], ...log("report", "forbidden") }),
  report("report: two people", api("/app/x", session, by()), forward(), log("report", "credential_ambiguous")),
  report("report: who would pass is forwarded with an identity", api("/app/x", session), forward(ada()), { also: { log: null } }),
  report("report: who would pass by a role is forwarded with an identity", api("/admin/x", sessionCookies(goodData({ user: { role: "admin" } }))), forward(ada()), { also: { log: null } }),
  report("report: what calls itself ours is removed", api("/app/x", ["x-doorward-subject", "admin"]), forward({}, { removed: ["x-doorward-subject"] }), log("report", "no_credential")),
  report("report: the last millisecond of its day", api("/app/x"), forward(), { now: END - 1, ...log("report", "no_credential") }),
  report("report: after its day it enforces", api("/app/x"), reject("no_credential"), { now: END }),
  report("report: long after its day it enforces", api("/app/x"), reject("no_credential"), { now: END * 2 }),
  report("report: a day that is over enforces", api("/over/x"), reject("no_credential")),
  report("report: other rules enforce", api("/enforced/x"), reject("no_credential")),
  report("report does not cover a path that is refused", api("/app/..;/x"), reject("path_refused")),
  report("report does not cover a path without a rule", api("/nowhere"), reject("route_denied")),
  report("report does not cover a reading without a rule", api("/app/x", ["next-url", "/nowhere"]), reject("route_denied")),
];
