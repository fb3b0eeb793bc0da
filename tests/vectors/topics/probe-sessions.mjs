// Sessions that `doorward doctor --deep` makes to see how a service writes them are signed well and belong to no user: no gate
// admits one, whatever vouches for it.

import { api, bearer, betterAuth, claims, foreign, forward, goodData, policy, reject, sessionCookies, told, vector } from "../cases.mjs";
import { jwt, publicJwk } from "../mint.mjs";

const ed = publicJwk("ed", { kid: "ed", alg: "EdDSA" });

export const policies = {
  session: betterAuth(),
  jwt: policy({ issuers: [foreign({ jwks: { keys: [ed] } })], rules: [{ path: "/optional", access: "optional" }, { path: "/**", access: "required" }] }),
};

const of = async (sub) => bearer(await jwt("EdDSA", "ed", claims({ sub }), { kid: "ed" }));
const nobody = "doorward-probe-Q2vX9mB4tR8wZ1pL";
const refused = reject("session_revoked");

export const cases = [
  vector("a self-made cookie cache", "session", api("/", sessionCookies(goodData({ user: { id: nobody }, session: { userId: nobody } }))), refused),
  vector("a JWT that a service has made for it", "jwt", api("/", await of(nobody)), refused),
  vector("a JWT where a session is optional", "jwt", api("/optional", await of(nobody)), refused),
  vector("a subject that is named alike", "jwt", api("/", await of("my-doorward-probe-1")), forward(told({ "x-doorward-subject": "my-doorward-probe-1" }))),
  vector("a subject without the last dash", "jwt", api("/", await of("doorward-probe")), forward(told({ "x-doorward-subject": "doorward-probe" }))),
];
