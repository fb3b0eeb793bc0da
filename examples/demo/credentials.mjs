// Credentials as an attacker would make them.

import { generateKeyPairSync, sign } from "node:crypto";

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const decode = (text) => JSON.parse(Buffer.from(text, "base64url").toString());

/** The parts of a compact JWS that can be read without a key. */
export function read(token) {
  const [header, payload] = token.split(".");
  return { header: decode(header), payload: decode(payload) };
}

/** The same claims under another header, signed by a key that the issuer has never seen. */
export function forged(token, header) {
  const { privateKey } = generateKeyPairSync("ed25519");
  const input = `${encode({ ...read(token).header, ...header })}.${token.split(".")[1]}`;
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString("base64url")}`;
}

/** The same claims without a signature (`"alg": "none"`, RFC 7519 section 6). */
export function unsigned(token) {
  return `${encode({ alg: "none" })}.${token.split(".")[1]}.`;
}

/** `session_token` with another token under the old signature. */
export function otherToken(value) {
  return (value.startsWith("A") ? "B" : "A") + value.slice(1);
}

/** `session_data` that names another user under the old signature, whatever its strategy. */
export function otherUser(value) {
  const parts = value.split(".");
  const claimingToBeTheBoss = (text) => text.replace(/"email":"[^"]*"/, '"email":"boss@example.com"');
  if (parts.length === 5) return [...parts.slice(0, 3), parts[3].startsWith("A") ? `B${parts[3].slice(1)}` : `A${parts[3].slice(1)}`, parts[4]].join(".");
  const at = parts.length === 3 ? 1 : 0;
  parts[at] = encode(claimingToBeTheBoss(Buffer.from(parts[at], "base64url").toString()));
  return parts.join(".");
}
