// Rate classes (docs/sessions.md, "Asking"): no user is refused because of the requests of another.

import { NOW, OTHER_TOKEN, SECRET, ada, api, betterAuth, forward, nullAnswer, pair, reject, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { compact, signedCookie } from "../mint.mjs";

const rules = [{ path: "/now", access: "required", max_staleness_seconds: 0 }, { path: "/**", access: "required" }];
export const policies = { twenty: betterAuth({}, { rules }), eight: betterAuth({}, { rules, auth_requests_per_second: 8 }),
  // Ten reads a second are for unverified credentials.
  stored: { ...betterAuth({ storage: { store: "SESSIONS", lag_seconds: 0 } }, { rules, auth_requests_per_second: 4 }), stores: ["SESSIONS"] },
};

const effects = ["session"];
/** Person number so and so, by a session of their own. */
const token = (number) => OTHER_TOKEN.slice(0, -3) + String(number).padStart(3, "0");
const person = (number, session = number) => ({ session: { token: token(session), userId: `u${number}`, id: `s${session}` }, user: { id: `u${number}` } });
const cookie = (number, session = number) => sessionCookies(compact(pair(person(number, session)), NOW + 240_000, SECRET), signedCookie(token(session), SECRET));
const bare = (number) => sessionCookies(undefined, signedCookie(token(number), SECRET));
const as = (number, session = number) => forward(ada("auth-service", { "x-doorward-subject": `u${number}`, "x-doorward-session": `s${session}` }));
const answer = (number, session) => ({ effects, results: [sessionAnswer(person(number, session))] });
const from = (head, client_address) => ({ ...head, client_address });

/** A chain of cases, each with the engine as the one before has left it. */
const chain = (policy, steps) => steps.map(([name, head, expected, more], number) => vector(name, policy, head, expected, { after: number === 0 ? undefined : steps[number - 1][0], ...more }));

export const cases = [
  // One account asks all the time, with any number of sessions: another that needs a request has one at once. Waits let the clock go on.
  ...chain("twenty", [
    ...Array.from({ length: 60 }, (_, number) => [`one account asks with its session ${number + 1}`, api("/now", cookie(0, 100 + number)), as(0, 100 + number), { ...answer(0, 100 + number), now: NOW + number * 20 }]),
    ...Array.from({ length: 10 }, (_, number) => [`beside its sessions, person ${number + 1}`, api("/now", cookie(number + 1)), as(number + 1), { ...answer(number + 1), now: NOW + 1_200 }]),
  ]),
  // A new instance: first visits without a cookie cache, and an hour later the same people, ten a second.
  ...chain("twenty", [
    ...Array.from({ length: 30 }, (_, number) => [`first visit ${number + 1}`, api("/", bare(number + 200)), as(number + 200), { ...answer(number + 200), now: NOW + number * 250 }]),
    ...Array.from({ length: 30 }, (_, number) => [`an hour later ${number + 1}`, api("/", bare(number + 200)), as(number + 200), { ...answer(number + 200), now: NOW + 3_600_000 + number * 100 }]),
  ]),
  // A flood of forged cookies from one address does not keep an unverified credential from another waiting.
  ...chain("eight", [
    ["a flood from one address: first", from(api("/", bare(300)), "192.0.2.66"), reject("session_ended"), { effects, results: [nullAnswer()] }],
    ["a flood from one address: second", from(api("/", bare(301)), "192.0.2.66"), reject("session_ended"), { effects, results: [nullAnswer()] }],
    ["a flood from one address: third", from(api("/", bare(302)), "192.0.2.66"), reject("session_unavailable"), { also: { log: { lookup_failure: "request-limit" } } }],
    ["a flood from one address: it takes no more than half of what flows in", from(api("/", bare(303)), "192.0.2.66"), reject("session_unavailable"), { now: NOW + 500, also: { log: { lookup_failure: "request-limit" } } }],
    ["an unverified credential from another address", from(api("/", bare(304)), "198.51.100.7"), as(304), { ...answer(304), now: NOW + 500 }],
  ]),
  // Signed tokens of which a storage knows nothing: it is not read for ever.
  ...chain("stored", Array.from({ length: 12 }, (_, number) => [
    `a token that no storage has ${number + 1}`,
    api("/", bare(number + 400)),
    reject(number === 0 ? "session_ended" : "session_unavailable"),
    { effects: [...(number < 10 ? ["read"] : []), ...(number === 0 ? ["session"] : [])], results: [...(number < 10 ? [{ of: "read", absent: true }] : []), ...(number === 0 ? [nullAnswer()] : [])], ...(number === 0 ? {} : { also: { log: { lookup_failure: "request-limit" } } }) },
  ])),
];
