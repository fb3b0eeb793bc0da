// Signatures by the platform, in the form that a JWS has them in: checked for the engine with an issuer's key, made with a key of the
// gate's own. Node's own cryptography answers at once; WebCrypto, which everybody has, takes a thread in Node, and the way there
// and back is longer than most checks.

/** How many keys are kept ready. An issuer has one to four. */
const KEPT_KEYS = 64;

/** RFC 7518 section 3.1, RFC 8037 section 3.1: the kind of key, its curve, and the hash. */
const ALGORITHMS = {
  __proto__: null,
  RS256: { kind: "RSA", bits: 256 },
  RS384: { kind: "RSA", bits: 384 },
  RS512: { kind: "RSA", bits: 512 },
  PS256: { kind: "PSS", bits: 256 },
  PS384: { kind: "PSS", bits: 384 },
  PS512: { kind: "PSS", bits: 512 },
  ES256: { kind: "EC", bits: 256, curve: "P-256" },
  ES384: { kind: "EC", bits: 384, curve: "P-384" },
  ES512: { kind: "EC", bits: 512, curve: "P-521" },
  EdDSA: { kind: "Ed25519" },
};

/** Algorithms of the signatures that a host checks. EdDSA is not among them: the engine does that by itself, and sooner. */
export const CHECKS = Object.keys(ALGORITHMS).filter((name) => name !== "EdDSA");

/** Algorithms of the signatures that a host makes; the engine makes the others by itself. */
export const SIGNS = ["ES256", "EdDSA"];

/**
 * @typedef {{
 *   publicKey: (jwk: object, algorithm: object) => object, privateKey: (jwk: object, algorithm: object) => object,
 *   verify: (key: object, signature: Uint8Array, input: Uint8Array) => boolean | Promise<boolean>,
 *   sign: (key: object, input: Uint8Array) => Uint8Array | Promise<ArrayBuffer> }} Cryptography keys are its own, ready for use
 */

/**
 * What checks and makes signatures; both give nothing for an algorithm that is not there.
 *
 * @param {Cryptography} [platform]
 */
export function signaturesBy(platform = nodes() ?? webs()) {
  const keys = new Map();
  return {
    async check(effect) {
      const { algorithm: name, thumbprint, signature, signingInput } = effect;
      const algorithm = CHECKS.includes(name) && ALGORITHMS[name];
      if (!algorithm || !platform) return undefined;
      const kept = `${name} ${thumbprint}`;
      const key = keys.get(kept) ?? keep(kept, await platform.publicKey(JSON.parse(effect.key), algorithm));
      return platform.verify(key, signature, signingInput);
    },

    async sign({ algorithm: name, kid, key: jwk, input }) {
      const algorithm = SIGNS.includes(name) && ALGORITHMS[name];
      if (!algorithm || !platform) return undefined;
      const kept = `${name} signs as ${kid}`;
      const key = keys.get(kept) ?? keep(kept, await platform.privateKey(JSON.parse(jwk), algorithm));
      return new Uint8Array(await platform.sign(key, input));
    },
  };

  /** Keeps keys, not promises of keys: workerd forbids one request to wait for what another has begun. */
  function keep(name, key) {
    keys.set(name, key);
    if (keys.size > KEPT_KEYS) keys.delete(keys.keys().next().value);
    return key;
  }
}

/** Web Cryptography API; nothing where there is none. */
export function webs(subtle = globalThis.crypto?.subtle) {
  const imported = (use) => async (jwk, { kind, bits, curve }) => {
    const [name, hash] = [WEB_NAMES[kind], `SHA-${bits}`];
    const parameters = bits ? { name, hash, namedCurve: curve } : { name };
    const key = await subtle.importKey("jwk", jwk, parameters, false, [use]);
    return { key, parameters: bits ? { name, hash, saltLength: bits / 8 } : { name } };
  };
  return subtle && {
    publicKey: imported("verify"),
    privateKey: imported("sign"),
    verify: ({ parameters, key }, signature, input) => subtle.verify(parameters, key, signature, input),
    sign: ({ parameters, key }, input) => subtle.sign(parameters, key, input),
  };
}

const WEB_NAMES = { RSA: "RSASSA-PKCS1-v1_5", PSS: "RSA-PSS", EC: "ECDSA", Ed25519: "Ed25519" };

/** Node's own, of the versions that give it without an import, which would be a riddle to bundlers for other runtimes. */
export function nodes() {
  const { process, navigator } = globalThis;
  // Others have a module by this name, with corners of its own that nobody has looked into.
  if (!process?.versions?.node || process.versions.bun || process.versions.deno) return undefined;
  if (navigator?.userAgent === "Cloudflare-Workers") return undefined;
  const crypto = process.getBuiltinModule?.("node:crypto");
  return crypto && {
    publicKey: (jwk, algorithm) => readied(crypto, crypto.createPublicKey({ key: jwk, format: "jwk" }), algorithm),
    privateKey: (jwk, algorithm) => readied(crypto, crypto.createPrivateKey({ key: jwk, format: "jwk" }), algorithm),
    verify: ({ hash, key }, signature, input) => crypto.verify(hash, input, key, signature),
    sign: ({ hash, key }, input) => crypto.sign(hash, input, key),
  };
}

const NODE_KINDS = { RSA: "rsa", PSS: "rsa", EC: "ec", Ed25519: "ed25519" };
const NODE_CURVES = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" };

/** A key with all that Node wants to be told at each use. WebCrypto looks whether key and algorithm belong together; Node does not. */
function readied({ constants }, key, { kind, bits, curve }) {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  if (asymmetricKeyType !== NODE_KINDS[kind] || asymmetricKeyDetails?.namedCurve !== NODE_CURVES[curve]) {
    throw new TypeError("this key is for another algorithm");
  }
  const padding = { RSA: constants.RSA_PKCS1_PADDING, PSS: constants.RSA_PKCS1_PSS_PADDING }[kind];
  const saltLength = kind === "PSS" ? bits / 8 : undefined;
  return { hash: bits && `sha${bits}`, key: { key, padding, saltLength, dsaEncoding: "ieee-p1363" } };
}
