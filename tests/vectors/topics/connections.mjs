// `until`: when a connection ends that stays open. A second after what it rests on, or when its rule says so; it is the same whatever the
// request looks like, because only the response says whether it stays open.

import { NOW, NOW_S, ada, api, bearer, betterAuth, claims, forward, goodData, jwtIssuer, nullAnswer, reject, send, sessionAnswer, sessionCookies, told, vector, SITE } from "../cases.mjs";
import { forged, publicJwk } from "../mint.mjs";

const keys = [publicJwk("ed", { kid: "ed", alg: "EdDSA" })];
const rules = [
  { path: "/public/minute", access: "public", max_connection_seconds: 60 },
  { path: "/public/**", access: "public" },
  { path: "/optional/hour", access: "optional", max_connection_seconds: 3600 },
  { path: "/optional/**", access: "optional" },
  { path: "/minute", access: "required", max_connection_seconds: 60 },
  { path: "/week", access: "required", max_connection_seconds: 604_800 },
  // What is read as /a.json is read as /a as well.
  { path: "/a", access: "required", max_connection_seconds: 30 },
  { path: "/**", access: "required" },
];

export const policies = {
  token: jwtIssuer({ jwks: { keys } }, { rules }),
  session: betterAuth({}, { rules }),
  lenient: betterAuth({}, { rules: [{ path: "/**", access: "required", on_unavailable: "anonymous" }] }),
};

const jwt = (members) => bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims(members)));
const until = (millis, set) => forward(set, { until: millis });
const end = (NOW_S + 600) * 1000 + 1000;
const sessionEnd = NOW + 604_800_000 + 1000;
const webSocket = (target, ...headers) => send("GET", target, ["connection", "Upgrade"], ["upgrade", "websocket"], ["sec-websocket-version", "13"], ...headers);
const session = sessionCookies(goodData());

export const cases = [
  vector("with a token it ends a second after the token", "token", api("/events", jwt()), until(end, told())),
  vector("a WebSocket as well", "token", webSocket("/socket", jwt()), until(end, told())),
  vector("by a token that is over by less than the tolerance it ends at once", "token", api("/events", jwt({ exp: NOW_S - 2 })), until(NOW, told({ "x-doorward-expires": String(NOW_S - 2) }))),
  vector("a rule that lets it live for less counts", "token", api("/minute", jwt()), until(NOW + 60_000, told())),
  vector("a rule that lets it live for longer does not", "token", api("/week", jwt()), until(end, told())),
  vector("of two rules that cover it the shorter counts", "token", api("/a.json", jwt()), until(NOW + 30_000, told())),
  vector("an anonymous connection has no end", "token", api("/public/events"), until(null, {})),
  vector("a token on a public path gives it none", "token", api("/public/events", jwt()), until(null, {})),
  vector("an anonymous connection does not last longer than the rule says either", "token", api("/public/minute"), until(NOW + 60_000, {})),
  vector("under an optional rule, anonymous, the rule's end counts", "token", api("/optional/hour"), until(NOW + 3_600_000, {})),
  vector("under an optional rule, with a token, the token's end counts", "token", api("/optional/hour", jwt()), until(end, told())),
  vector("with a session it ends a second after the session, not after its cookie cache", "session", api("/events", session), until(sessionEnd, ada())),
  vector("so it does by the auth service's answer", "session", api("/events", sessionCookies()), until(NOW + 90_000 + 1000, ada("auth-service", { "x-doorward-expires": String(NOW_S + 90) })), {
    effects: ["session"], results: [sessionAnswer({ session: { expiresAt: new Date(NOW + 90_000).toISOString() } })],
  }),
  vector("a session's WebSocket from this site", "session", webSocket("/socket", ["origin", SITE], session), until(sessionEnd, ada())),
  vector("a session that has ended opens none", "session", api("/events", sessionCookies()), reject("session_ended"), { effects: ["session"], results: [nullAnswer()] }),
  vector("a request that is admitted in spite of a lookup failure is anonymous, without an end", "lenient", api("/events", sessionCookies()), until(null, {}), { effects: ["session"], also: { log: { decision: "anonymous" } } }),
];
