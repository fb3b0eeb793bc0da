// One budget for all that the gate adds to a head: 7680 bytes for the identity headers and what an assertion repeats of them
// (gunicorn takes 8190 bytes a field, Node and Daphne 16 KiB in all). What does not fit is left out, and named.

import { createHmac } from "node:crypto";

import { NOW_S, api, b64u, bearer, claims, forward, jwtIssuer, told, vector } from "../cases.mjs";
import { forged, publicJwk } from "../mint.mjs";

const keys = [publicJwk("ed", { kid: "ed", alg: "EdDSA" })];
const SECRET = "assertion-secret-of-the-vectors-5Gh8";
const claim_headers = { a: "a", b: "b", c: "c", d: "d" };
const assertion = { audience: "https://origin.example", secret: { env: "ASSERTION" } };
const site = (document) => ({ ...jwtIssuer({ jwks: { keys } }, { claim_headers, ...document }), env: { ASSERTION: SECRET } });
const rule = (members = {}) => ({ rules: [{ path: "/**", access: "required", ...members }] });

export const policies = {
  bare: { ...jwtIssuer({ jwks: { keys } }, { claim_headers, ...rule() }) },
  asserted: site({ assertion, ...rule() }),
  replaced: site({ assertion, ...rule({ credential: "replace" }) }),
  some: site({ assertion, ...rule({ identity_headers: ["subject", "assertion", "a", "b", "omitted"] }) }),
};

const of = (members) => bearer(forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims(members)));
const text = (length) => "x".repeat(length);
const mapped = (members) => Object.fromEntries(Object.entries(members).map(([name, value]) => [`x-doorward-${name}`, value]));
const target = "/a";
const stated = (members) => ({
  assertion: {
    header: { alg: "HS256", kid: createHmac("sha256", SECRET).update("the name of this key in assertions").digest("base64url"), typ: "doorward-assertion+jwt" },
    key: { kty: "oct", k: b64u(SECRET), alg: "HS256" },
    claims: {
      iss: "doorward", aud: "https://origin.example", iat: NOW_S, exp: NOW_S + 30, htm: "GET", host: "app.example.com", tgt: "alDchYQTTH3lN8AFL_bSNr-HQ1XgUMkFI-DF_ypUOig",
      sub: "user-1", idp: "issuer.example", src: "jwt", sess_exp: NOW_S + 600, ...members,
    },
  },
});
const asserted = (name, policy, members, set, claims, removed = []) =>
  vector(name, policy, api(target, of(members)), forward(told({ ...mapped(set), ...(removed.length > 0 && { authorization: "Bearer <assertion>" }) }), { removed }), { also: stated(claims) });

export const cases = [
  vector("without an assertion, headers alone may have it", "bare", api(target, of({ a: text(4096), b: text(2000) })), forward(told(mapped({ a: text(4096), b: text(2000) })))),
  vector("a long e-mail address is left out before its user is refused everywhere", "bare", api(target, of({ email: text(7600), a: "1" })), forward(told(mapped({ a: "1", omitted: "email" })))),
  vector("so is the id of a session", "bare", api(target, of({ sid: text(7600), email: "ada@example.com" })), forward(told(mapped({ email: "ada@example.com", omitted: "session" })))),

  asserted("claims that both have room for are told in both", "asserted", { a: text(1000), b: text(1000) }, { a: text(1000), b: text(1000) }, { claims: { a: text(1000), b: text(1000) } }),
  asserted("what an assertion has no room for is told in neither, and named", "asserted", { a: text(2000), b: text(2000), c: "small" }, { a: text(2000), c: "small", omitted: "b" }, { claims: { a: text(2000), c: "small" } }),
  asserted("claims of 5.8 KB, of which the first fits", "asserted", { a: text(1450), b: text(1450), c: text(1450), d: text(1450) }, { a: text(1450), omitted: "b,c,d" }, { claims: { a: text(1450) } }),
  asserted("one claim that is too large takes nothing with it", "asserted", { a: text(4000), b: "b" }, { b: "b", omitted: "a" }, { claims: { b: "b" } }),
  asserted("an e-mail address without room is not in the assertion either", "asserted", { email: text(4000), b: "b" }, { b: "b", omitted: "email" }, { claims: { b: "b" } }),
  asserted("an assertion that replaces the credential counts twice", "replaced", { a: text(1000), b: text(1000) }, { a: text(1000), omitted: "b" }, { claims: { a: text(1000) } }, ["authorization"]),
  vector("what a rule leaves out is no reason to name it", "some", api(target, of({ a: text(2000), b: text(2000), c: "small" })), forward(mapped({ subject: "user-1", a: text(2000), omitted: "b" })), { also: stated({ claims: { a: text(2000) } }) }),
];
