// Copies in the cache that instances share: what one is good for, from when its age counts, and what is asked where it is good
// for nothing. A copy says when it was fetched and until when it counts, both in milliseconds; a key set's is of use for 300 s.

import { NOW, NOW_S, SITE, ada, api, bearer, betterAuth, claims, forward, jwtIssuer, keysAnswer, nullAnswer, reject, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { jwt, publicJwk } from "../mint.mjs";

export const policies = {
  keys: jwtIssuer({ jwks: undefined, jwks_url: "https://issuer.example/jwks" }),
  sessions: betterAuth({ share_sessions: true }, { rules: [
    { path: "/admin/**", access: "required", roles: "admin" },
    { path: "/strict/**", access: "required", max_staleness_seconds: 0 },
    { path: "/fresh/**", access: "required", max_staleness_seconds: 5 },
    { path: "/**", access: "required" },
  ] }),
  alone: betterAuth(),
};

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const ed2 = publicJwk("ed2", { kid: "ed2", alg: "EdDSA" });
const good = bearer(await jwt("EdDSA", "ed", claims({ exp: NOW_S + 900_000 }), { kid: "ed" }));
const passes = forward(told({ "x-doorward-expires": String(NOW_S + 900_000) }));

/** A copy that was fetched so many seconds ago and counts for so many more. */
const copyOf = (body, { ago = 20, left = 40, control = "" } = {}) =>
  `doorward-copy-1 ${NOW - ago * 1000} ${NOW + left * 1000}\n${control}\n${body}`;
const set = (...keys) => JSON.stringify({ keys });
const copied = (of, text) => ({ of, copied: text });

const on = (name, expected, results, members = {}) =>
  vector(name, "keys", api("/", good), expected, { results, effects: results.map(({ of }) => of), ...members });
/** Who has a copy that is none asks the issuer, and is served. */
const noCopy = (name, text) => on(name, passes, [copied("keys", text), keysAnswer([ed])]);
/** Later, a token by the keys that are known then. */
const later = (seconds, after, members) => ({ now: NOW + seconds * 1000, after, ...members });

const cookie = sessionCookies();
/** What a session's copy says. */
const kept = (members = {}) =>
  JSON.stringify({ claims: {}, subject: "ada", id: "session-1", email: "ada@example.com", expires: NOW + 604_800_000, impersonated: false, ...members });
const session = (name, expected, results, { target = "/app", policy = "sessions", ...members } = {}) =>
  vector(name, policy, api(target, cookie), expected, { results, effects: results.map(({ of }) => of), ...members });
const noSession = (name, text, members = {}) => session(name, forward(ada("auth-service")), [copied("session", text), sessionAnswer()], members);

export const cases = [
  on("an instance without keys takes a copy and makes no request", passes, [copied("keys", copyOf(set(ed)))]),
  on("and has the keys from then on", passes, [], later(1, "an instance without keys takes a copy and makes no request", { effects: [] })),
  on("a copy without the key is asked past", passes, [copied("keys", copyOf(set(ed2))), keysAnswer([ed])]),
  on("a copy without the key does not stand in for an issuer that is away", reject("keys_unavailable"), [copied("keys", copyOf(set(ed2))), { of: "keys", failed: true }]),
  on("a copy without a key that the issuer has not either", reject("key_not_found"), [copied("keys", copyOf(set(ed2))), keysAnswer([ed2])]),
  on("a request asks the issuer itself at most once", reject("keys_unavailable"), [copied("keys", "x"), { of: "keys", failed: true }]),
  on("an issuer that has just failed is not asked because of a copy", reject("keys_unavailable"), [{ of: "keys", status: 500, headers: [], body: "" }]),
  on("a failed look-up is the issuer's failure", reject("keys_unavailable"), [{ of: "keys", failed: true }]),

  on("a copy counts up to 300 s after its fetch", passes, [copied("keys", copyOf(set(ed), { ago: 299.999 }))]),
  noCopy("and not a moment longer", copyOf(set(ed), { ago: 300, left: 999 })),
  noCopy("a copy whose time is over is none", copyOf(set(ed), { left: 0 })),
  noCopy("a copy from the future is none", copyOf(set(ed), { ago: -0.001 })),
  noCopy("a copy of nothing is none", copyOf("")),
  noCopy("a copy of an empty set is none", copyOf(set())),
  noCopy("a copy of a page is none", copyOf("<!doctype html>")),
  noCopy("a copy of a set whose keys are all odd is none", copyOf(set({ kty: "oct", k: "AAAA", kid: "ed" }))),
  noCopy("an empty text is no copy", ""),
  noCopy("a key set is no copy of one", set(ed)),
  noCopy("a copy of another form is none", copyOf(set(ed)).replace("copy-1", "copy-2")),
  noCopy("a copy that is cut short is none", copyOf(set(ed)).slice(0, 60)),
  noCopy("a copy with one word more is none", copyOf(set(ed)).replace("\n", " 1\n")),
  noCopy("a session's copy is none of a key set", copyOf(kept())),

  on("freshness counts from the fetch, not from the copy", passes, [copied("keys", copyOf(set(ed), { ago: 250 }))]),
  on("and is over when that was long ago", passes, [keysAnswer([ed])], later(51, "freshness counts from the fetch, not from the copy", { effects: [], also: { after: ["keys"] } })),
  on("the issuer's own freshness is kept", passes, [copied("keys", copyOf(set(ed), { ago: 250, control: "max-age=3600" }))]),
  on("and holds", passes, [], later(51, "the issuer's own freshness is kept", { effects: [], also: { after: [] } })),
  on("the hard ceiling counts from the fetch too", passes, [copied("keys", copyOf(set(ed), { ago: 299 }))]),
  on("and ends what the copy has brought", reject("keys_unavailable"), [{ of: "keys", failed: true }], later(86_101, "the hard ceiling counts from the fetch too", { effects: ["keys"] })),

  session("a session that another instance has asked about", forward(ada("auth-service")), [copied("session", copyOf(kept(), { ago: 4, left: 6 }))]),
  session("a copy of a session is as old as its answer", forward(ada("auth-service")), [copied("session", copyOf(kept(), { ago: 9, left: 6 }))]),
  session("and is asked about when that is too long ago", forward(ada("auth-service")), [sessionAnswer()], later(1, "a copy of a session is as old as its answer")),
  session("a copy never says that a session has ended", reject("session_ended"), [copied("session", copyOf("null", { ago: 1 })), nullAnswer()]),
  session("unless it is configured no copy of a session is looked for", forward(ada("auth-service")), [sessionAnswer()], { policy: "alone" }),
  noSession("a session's copy that is too old is none", copyOf(kept(), { ago: 10, left: 90 })),
  noSession("a session's copy of one that is over is none", copyOf(kept({ expires: NOW - 1 }), { ago: 1 })),
  noSession("a session's copy without a person is none", copyOf(kept({ subject: "" }), { ago: 1 })),
  noSession("a session's copy without an end is none", copyOf(kept({ expires: undefined }), { ago: 1 })),
  noSession("a session's copy without claims is none", copyOf(kept({ claims: undefined }), { ago: 1 })),
  noSession("an answer of the auth service is no copy", copyOf(sessionAnswer().body, { ago: 1 })),
  noSession("a key set's copy is none of a session", copyOf(set(ed), { ago: 1 })),
  session("a rule that always asks takes no copy", forward(ada("auth-service")), [sessionAnswer()], { target: "/strict/x" }),
  session("a rule's staleness bounds a copy", forward(ada("auth-service")), [copied("session", copyOf(kept(), { ago: 4 }))], { target: "/fresh/x" }),
  noSession("and refuses an older one", copyOf(kept(), { ago: 6 }), { target: "/fresh/x" }),
  session("the claims that a rule names go along", forward(ada("auth-service")), [copied("session", copyOf(kept({ claims: { role: "admin" } }), { ago: 1 }))], { target: "/admin/x" }),
  session("what a copy does not say is asked for", forward(ada("auth-service")), [copied("session", copyOf(kept(), { ago: 1 })), sessionAnswer({ user: { role: "admin" } })], { target: "/admin/x", effects: ["session", "session"] }),
  session("what neither a copy nor the auth service says is a no", reject("forbidden"), [copied("session", copyOf(kept(), { ago: 1 })), sessionAnswer()], { target: "/admin/x", effects: ["session", "session"] }),
];
