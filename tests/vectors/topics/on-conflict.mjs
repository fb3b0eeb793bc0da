// `on_conflict`: which of two good credentials counts. A bad one is still bad.

import { ENV, NOW_S, OLD_SECRET, SITE, TOKEN, ada, api, bearer, claims, cookies, foreign, forward, goodData, policy, reject, send, sessionAnswer, sessionCookies, told, vector } from "../cases.mjs";
import { forged, publicJwk, signedCookie } from "../mint.mjs";

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });
const rule = (path, members) => ({ path, access: "required", ...members });

export const policies = {
  both: policy({
    issuers: [
      { type: "better-auth", url: SITE, secret: { env: "BETTER_AUTH_SECRET" }, jwks_url: null },
      foreign({ jwks: { keys: [ed] }, token_locations: ["authorization", "cookie:token", "header:x-token"] }),
    ],
    rules: [
      rule("/cookie/**", { on_conflict: "cookie" }), rule("/header/**", { on_conflict: "header" }),
      rule("/admin", { on_conflict: "cookie", roles: "admin" }), rule("/**"),
    ],
  }, ENV),
};

const token = (members) => forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims(members));
const user = bearer(token());
const session = sessionCookies(goodData());
const evil = ["origin", "https://evil.example"];
const both = (name, head, expected, more) => vector(name, "both", head, expected, more);

export const cases = [
  both("without a preference two people are too many", api("/x", session, user), reject("credential_ambiguous")),
  both("the cookie counts", api("/cookie/x", session, user), forward(ada())),
  both("the header counts", api("/header/x", session, user), forward(told())),
  both("another header is a header", api("/header/x", session, ["x-token", token()]), forward(told())),
  both("another cookie is a cookie", api("/cookie/x", cookies({ token: token() }), bearer(token({ sub: "user-2" }))), forward(told())),
  both("of two cookies the first that is looked for counts", api("/cookie/x", [session[0], `${session[1]}; token=${token()}`], user), forward(ada())),
  both("what is preferred need not be there: a header", api("/cookie/x", user), forward(told())),
  both("what is preferred need not be there: a cookie", api("/header/x", session), forward(ada())),
  both("without a credential it is anonymous", api("/cookie/x"), reject("no_credential")),
  both("a bad header beside the cookie that counts", api("/cookie/x", session, bearer(token({ exp: NOW_S - 60 }))), reject("token_expired")),
  both("a bad cookie beside the header that counts", api("/header/x", sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET)), user), reject("signature_invalid")),
  both("who does not count is asked about all the same", api("/header/x", sessionCookies(), user), forward(told()), { effects: ["session"], results: [sessionAnswer()] }),
  both("a lookup failure about the other credential is one", api("/header/x", sessionCookies(), user), reject("session_unavailable"), { effects: ["session"] }),
  both("the role of who counts is asked for: not there", api("/admin", session, bearer(token({ role: "admin" }))), reject("forbidden"), { effects: ["session"], results: [sessionAnswer()] }),
  both("the role of who counts is asked for: there", api("/admin", sessionCookies(goodData({ user: { role: "admin" } })), user), forward(ada())),
  both("from elsewhere: a cookie that counts is not saved by a header", send("POST", "/cookie/x", session, user, evil), reject("cross_site_request")),
  both("from elsewhere: a header that counts needs no saving", send("POST", "/header/x", session, user, evil), forward(told())),
  both("from elsewhere: a cookie that counts because there is nothing else", send("POST", "/header/x", session, evil), reject("cross_site_request")),
];
