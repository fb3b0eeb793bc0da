// Signatures by the platform, in the form that a JWS has them in: checked for the engine with an issuer's key, made with a key of the
// gate's own. Node's own cryptography answers at once; WebCrypto, which everybody has, takes a thread in Node, and the way there
// and back is longer than most checks.

/** How many keys are kept ready. An issuer has one to four. */
const KEPT_KEYS = 64;

/** Kinds of signatures, curves and hash functions of the Web Cryptography API. It has no call that says which of them are there. */
const KINDS = ["RSASSA-PKCS1-v1_5", "RSA-PSS", "ECDSA", "EdDSA"];
const CURVES = ["P-256", "P-384", "P-521", "Ed25519"];
const HASHES = ["SHA-256", "SHA-384", "SHA-512"];

/**
 * @typedef {{ kind: string, curve?: string, hash?: string, saltBytes?: number }} Scheme how a signature is made, as the engine says it
 * @typedef {{
 *   parts: string[],
 *   publicKey: (jwk: object, scheme: Scheme) => object, privateKey: (jwk: object, scheme: Scheme) => object,
 *   verify: (key: object, signature: Uint8Array, input: Uint8Array) => boolean | Promise<boolean>,
 *   sign: (key: object, input: Uint8Array) => Uint8Array | Promise<ArrayBuffer> }} Cryptography keys are its own, ready for use
 */

/**
 * What checks and makes signatures; both give nothing for a scheme that is not there. `parts` are the kinds, curves and hash functions that
 * are: the engine knows which algorithms they make.
 *
 * @param {Cryptography} [platform]
 */
export function signaturesBy(platform = nodes() ?? webs()) {
  const keys = new Map();
  const parts = platform?.parts ?? [];
  return {
    parts,

    async check(effect) {
      const { scheme, thumbprint, signature, signingInput } = effect;
      const name = nameOf(scheme, thumbprint);
      const key = keys.get(name) ?? (has(scheme) && keep(name, await platform.publicKey(JSON.parse(effect.key), scheme)));
      return key ? platform.verify(key, signature, signingInput) : undefined;
    },

    async sign({ scheme, kid, key: jwk, input }) {
      const name = nameOf(scheme, `signs as ${kid}`);
      const key = keys.get(name) ?? (has(scheme) && keep(name, await platform.privateKey(JSON.parse(jwk), scheme)));
      return key ? new Uint8Array(await platform.sign(key, input)) : undefined;
    },
  };

  function has({ kind, curve, hash }) {
    return parts.includes(kind) && [curve, hash].every((part) => part === undefined || parts.includes(part));
  }

  /** Keeps keys, not promises of keys: workerd forbids one request to wait for what another has begun. */
  function keep(name, key) {
    keys.set(name, key);
    if (keys.size > KEPT_KEYS) keys.delete(keys.keys().next().value);
    return key;
  }
}

/** A key by its own name and its use: the same for another scheme is another one. */
const nameOf = ({ kind, curve, hash, saltBytes }, key) => `${kind} ${curve} ${hash} ${saltBytes} ${key}`;

/** Web Cryptography API; nothing where there is none. */
export function webs(subtle = globalThis.crypto?.subtle) {
  const imported = (use) => async (jwk, { kind, curve, hash, saltBytes }) => {
    // It reads what the kind and the call have use for.
    const parameters = { name: kind === "EdDSA" ? curve : kind, namedCurve: curve, hash, saltLength: saltBytes };
    return { key: await subtle.importKey("jwk", jwk, parameters, false, [use]), parameters };
  };
  return subtle && {
    parts: [...KINDS, ...CURVES, ...HASHES],
    publicKey: imported("verify"),
    privateKey: imported("sign"),
    verify: ({ parameters, key }, signature, input) => subtle.verify(parameters, key, signature, input),
    sign: ({ parameters, key }, input) => subtle.sign(parameters, key, input),
  };
}

/** Node's own, of the versions that give it without an import, which would be a riddle to bundlers for other runtimes. */
export function nodes() {
  const { process, navigator } = globalThis;
  // Others have a module by this name, with peculiarities that have not been tested here.
  if (!process?.versions?.node || process.versions.bun || process.versions.deno) return undefined;
  if (navigator?.userAgent === "Cloudflare-Workers") return undefined;
  const crypto = process.getBuiltinModule?.("node:crypto");
  return crypto && {
    parts: [...KINDS, ...curvesOf(crypto), ...HASHES],
    publicKey: (jwk, scheme) => readied(crypto, crypto.createPublicKey({ key: jwk, format: "jwk" }), scheme),
    privateKey: (jwk, scheme) => readied(crypto, crypto.createPrivateKey({ key: jwk, format: "jwk" }), scheme),
    verify: ({ hash, key }, signature, input) => crypto.verify(hash, input, key, signature),
    sign: ({ hash, key }, input) => crypto.sign(hash, input, key),
  };
}

/** Types of keys by the kind of signature, curves as OpenSSL calls them, and padding. */
const NODE_TYPES = { "RSASSA-PKCS1-v1_5": "rsa", "RSA-PSS": "rsa", ECDSA: "ec", EdDSA: "ed25519" };
const NODE_CURVES = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1", secp256k1: "secp256k1" };
const NODE_PADDINGS = { "RSASSA-PKCS1-v1_5": "RSA_PKCS1_PADDING", "RSA-PSS": "RSA_PKCS1_PSS_PADDING" };

/** The curves that Node reads from a JWK, as far as its OpenSSL has them: builds leave some out. */
function curvesOf(crypto) {
  const built = crypto.getCurves();
  return ["Ed25519", ...Object.keys(NODE_CURVES).filter((curve) => built.includes(NODE_CURVES[curve]))];
}

/** A key with all that Node wants to be told at each use. WebCrypto looks whether key and scheme belong together; Node does not. */
function readied({ constants }, key, { kind, curve, hash, saltBytes }) {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  const namedCurve = kind === "ECDSA" ? NODE_CURVES[curve] : undefined;
  if (asymmetricKeyType !== NODE_TYPES[kind] || asymmetricKeyDetails?.namedCurve !== namedCurve) {
    throw new TypeError("this key is for another scheme");
  }
  const padding = constants[NODE_PADDINGS[kind]];
  return { hash: hash?.replace("SHA-", "sha"), key: { key, padding, saltLength: saltBytes, dsaEncoding: "ieee-p1363" } };
}
