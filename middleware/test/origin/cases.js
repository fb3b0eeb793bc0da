// Reads `tests/vectors/assertion/` and mints what the cases describe.

import { createHash, createHmac, createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";

const FOLDER = new URL("../../../tests/vectors/assertion/", import.meta.url);
export const URL_OF_KEYS = "https://app.example.com/.well-known/doorward/jwks.json";
export const HEADER = "x-doorward-assertion";

export const load = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8"));
export const base = load("base");
const keys = load("keys");

export const cases = ["token", "claims", "request"].flatMap((topic) => load(topic).cases);

const publicOf = ({ d, ...jwk }) => jwk;

/** A key set; a word before a name says what is wrong with that key. */
export function jwks(...names) {
  return { keys: names.map((name) => published(...name.split(" "))) };
}

function published(first, name) {
  if (first === "odd") return { kty: "EC", crv: "P-256", kid: "odd", x: "AA", y: "AA" };
  if (first === "private") return keys.private[name];
  if (first === "enc") return { ...publicOf(keys.private[name]), use: "enc" };
  if (first === "es512") return { ...publicOf(keys.private[name]), alg: "ES512" };
  return publicOf(keys.private[first]);
}

const base64url = (value) => Buffer.from(value).toString("base64url");
const part = (value) => base64url(JSON.stringify(value));

function signatureOf(how, input) {
  if (how === "none") return Buffer.alloc(0);
  if (how === "zeros") return Buffer.alloc(64);
  if (how.startsWith("hs256:")) {
    const name = how.slice(6);
    const secret = name === "public" ? JSON.stringify(publicOf(keys.private.es1)) : keys.secrets[name];
    return createHmac("sha256", secret).update(input).digest();
  }
  const key = createPrivateKey({ key: keys.private[how], format: "jwk" });
  return keys.private[how].kty === "EC"
    ? sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" })
    : sign(null, Buffer.from(input), key);
}

/** The assertion that a case describes, as the gate would write it at that moment. */
export function mint(example, at = base.now) {
  if ("token" in example) return example.token;
  const header = { ...base.header, ...example.header };
  if (header.jwk) header.jwk = publicOf(keys.private[header.jwk]);
  for (const name of example.without_header ?? []) delete header[name];
  const { method, host, target } = { ...base.request, ...example.minted_for };
  const bound = { htm: method, host, tgt: createHash("sha256").update(target).digest("base64url") };
  const moment = { iat: base.claims.iat + at - base.now, exp: base.claims.exp + at - base.now };
  const claims = { ...base.claims, ...bound, ...moment, ...example.claims };
  if (claims.claims?.x === "@LONG@") claims.claims = { x: "x".repeat(16384) };
  for (const name of example.without ?? []) delete claims[name];

  let head = example.header_segment ?? ("header_text" in example ? base64url(example.header_text) : part(header));
  let payload = example.payload_segment ?? ("payload" in example ? base64url(example.payload) : part(claims));
  const signature = signatureOf(example.sign ?? "es1", `${head}.${payload}`).subarray(0, example.signature_cut);
  if (example.tamper) payload = part({ ...claims, ...example.tamper });
  if (example.tamper_header) head = part({ ...header, ...example.tamper_header });
  return `${head}.${payload}.${base64url(signature)}${example.append ?? ""}`;
}

/** Name and value of each header of a case. */
export function headersOf(example) {
  const token = mint(example);
  const value = "join" in example ? token + example.join + token : token;
  return [...Array.from({ length: example.copies ?? 1 }, () => [HEADER, value]), ...(example.headers ?? [])];
}

/** Options of the verifier that a case asks for. */
export function optionsOf(example, seenInMemory) {
  const { hosts, keys: kind, seen, clock_tolerance_seconds, audience, issuer } = { ...base.verifier, ...example.verifier };
  const now = () => (base.now + (example.after_seconds ?? 0)) * 1000;
  const { secrets } = keys;
  return {
    audience,
    issuer,
    host: hosts,
    keys: {
      set: jwks("es1", "es2", "ed1"),
      secret: { secret: secrets.now },
      secrets: { secret: [secrets.now, secrets.before] },
      down: URL_OF_KEYS,
    }[kind],
    clockToleranceSeconds: clock_tolerance_seconds,
    seen: seen ? seenInMemory(now) : undefined,
    now,
    log: () => {},
    fetch: () => Promise.reject(new Error("down")),
  };
}

export const requestOf = (example) => ({ ...base.request, ...example.request });
