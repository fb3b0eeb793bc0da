import assert from "node:assert/strict";
import { createSign, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";

import { performer } from "../perform.js";
import { nodes, signaturesBy, webs } from "../signatures.js";
import { serve, serveBytes } from "./support.js";

const effect = (url, more = {}) => ({
  kind: "fetch",
  method: "GET",
  url,
  headers: [["accept", "application/json"]],
  timeoutMs: 2000,
  maxBytes: 1000,
  ...more,
});
const perform = performer();
const FAILED = { kind: "failed" };
const LATE = { kind: "failed", code: "TIMEOUT" };
const text = (bytes) => new TextDecoder().decode(bytes);

test("an answer comes back whole, whatever its status, with each Set-Cookie by itself", async (t) => {
  const seen = [];
  const { origin } = await serve(t, (req, res) => {
    seen.push([req.method, req.url, req.headers.accept, req.headers.cookie]);
    res.writeHead(503, [["set-cookie", "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], ["set-cookie", "b=2"], ["x-a", "1"]].flat());
    res.end("sörry");
  });
  const result = await perform(effect(`${origin}/x?y`, { headers: [["accept", "a/b"], ["cookie", "c=d"]] }));
  assert.deepEqual(seen, [["GET", "/x?y", "a/b", "c=d"]]);
  assert.equal(result.kind, "answered");
  assert.equal(result.status, 503);
  assert.equal(text(result.body), "sörry");
  const cookies = result.headers.filter(([name]) => name === "set-cookie").map(([, value]) => value);
  assert.deepEqual(cookies, ["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "b=2"]);
  assert.ok(result.headers.some(([name, value]) => name === "x-a" && value === "1"));
});

test("an answer without a body is an answer", async (t) => {
  const { origin } = await serve(t, (req, res) => res.writeHead(204).end());
  const result = await perform(effect(origin));
  assert.deepEqual([result.kind, result.status, result.body.length], ["answered", 204, 0]);
});

test("a redirect is an answer and is not followed", async (t) => {
  let followed = 0;
  const { origin } = await serve(t, (req, res) => {
    if (req.url === "/elsewhere") followed++;
    res.writeHead(302, { location: "/elsewhere" }).end();
  });
  const result = await perform(effect(`${origin}/`));
  assert.deepEqual([result.kind, result.status, followed], ["answered", 302, 0]);
  assert.ok(result.headers.some(([name, value]) => name === "location" && value === "/elsewhere"));
});

test("a store is read by its name and key, and only text and bytes are values", async () => {
  const read = (value, more = {}) =>
    performer(undefined, { stores: { S: value } })({ kind: "read", store: "S", key: "k", timeoutMs: 50, maxBytes: 4, ...more });
  const keys = [];
  const bytes = (text) => ({ kind: "found", value: new TextEncoder().encode(text) });
  assert.deepEqual(await read((key) => (keys.push(key), "tön")), bytes("tön"));
  assert.deepEqual(keys, ["k"]);
  assert.deepEqual(await read(async () => new Uint8Array([1, 2])), { kind: "found", value: new Uint8Array([1, 2]) });
  assert.deepEqual(await read(() => ""), bytes(""));
  for (const nothing of [null, undefined]) assert.deepEqual(await read(async () => nothing), { kind: "absent" });
  for (const long of ["abcde", "töne", new Uint8Array(5)]) assert.deepEqual(await read(() => long), { kind: "tooLarge" });
  for (const other of [7, {}, [], true, new ArrayBuffer(2)]) assert.deepEqual(await read(() => other), FAILED);
  assert.deepEqual(await read(() => Promise.reject(new Error("no"))), FAILED);
  assert.deepEqual(await read(() => { throw new Error("no"); }), FAILED);
  assert.deepEqual(await read(() => new Promise(() => {})), FAILED);
  assert.deepEqual(await read(() => "x", { store: "toString" }), { kind: "unsupported" });
});

test("a redirect that the platform hides is a failure", async () => {
  const hidden = { status: 0, type: "opaqueredirect", body: null, headers: new Headers() };
  assert.deepEqual(await performer(async () => hidden)(effect("https://a.test/")), FAILED);
});

test("silence is a failure, as soon as the time is over", async (t) => {
  const { origin } = await serve(t, () => {});
  const late = new Promise((resolve) => setTimeout(resolve, 1500, "late").unref());
  assert.deepEqual(await Promise.race([perform(effect(origin, { timeoutMs: 100 })), late]), LATE);
});

test("the time covers the body too, and the connection is closed", async (t) => {
  const closed = [];
  const { origin } = await serve(t, (req, res) => {
    closed.push(once(res, "close"));
    res.write("{");
  });
  assert.deepEqual(await perform(effect(origin, { timeoutMs: 100 })), LATE);
  await closed[0];
});

test("a fetch that does not listen to its signal ends in time as well", async () => {
  assert.deepEqual(await performer(() => new Promise(() => {}))(effect("https://a.test/", { timeoutMs: 50 })), LATE);
});

test("an answer that is too large is told apart, and reading stops", async (t) => {
  let sent = 0;
  const { origin } = await serve(t, (req, res) => {
    const more = () => {
      sent += 10_000;
      if (sent < 50_000_000) res.write("x".repeat(10_000), more);
      else res.end();
    };
    more();
  });
  assert.deepEqual(await perform(effect(origin)), { kind: "tooLarge" });
  assert.ok(sent < 50_000_000);
});

test("an answer may be just as large as allowed", async (t) => {
  const { origin } = await serve(t, (req, res) => res.end("x".repeat(1000)));
  assert.equal((await perform(effect(origin))).body.length, 1000);
  assert.deepEqual(await perform(effect(origin, { maxBytes: 999 })), { kind: "tooLarge" });
});

/** A session of 9 KiB of cookies beside the token of the jwt plugin. */
test("an answer may have a head that is larger than Node's fetch takes by itself", async (t) => {
  const cookies = [0, 1, 2, 3, 4].map((chunk) => `session_data.${chunk}=${"x".repeat(3900)}; Path=/`);
  const { origin } = await serve(t, (req, res) => res.writeHead(200, [["set-auth-jwt", "y".repeat(2000)], ...cookies.map((line) => ["set-cookie", line])].flat()).end("{}"));
  for (const round of [1, 2]) {
    const result = await perform(effect(origin));
    assert.equal(result.kind, "answered", `round ${round}`);
    assert.deepEqual(result.headers.filter(([name]) => name === "set-cookie").map(([, line]) => line), cookies);
  }
});

test("an answer whose head is too large is told apart", async (t) => {
  const { origin } = await serve(t, (req, res) => res.writeHead(200, { "x-large": "x".repeat(200_000) }).end("{}"));
  assert.deepEqual(await perform(effect(origin)), { kind: "headTooLarge" });
});

test("what the application has put behind fetch stays", async (t) => {
  const { origin } = await serve(t, (req, res) => res.end("{}"));
  const place = Symbol.for("undici.globalDispatcher.1");
  const usual = globalThis[place];
  const used = [];
  class ProxyAgent extends usual.constructor {
    dispatch(options, handler) {
      used.push(options.path);
      return super.dispatch(options, handler);
    }
  }
  t.after(() => Object.defineProperty(globalThis, place, { value: usual, writable: true, enumerable: false, configurable: false }));
  Object.defineProperty(globalThis, place, { value: new ProxyAgent(), writable: true, enumerable: false, configurable: false });
  assert.equal((await perform(effect(`${origin}/proxied`))).kind, "answered");
  assert.deepEqual(used, ["/proxied"]);
});

test("what is not HTTP, ends early or is not there is a failure", async (t) => {
  const garbage = await serveBytes(t, (socket) => socket.end("SSH-2.0-OpenSSH\r\n\r\n"));
  const failed = async (url, code) => {
    const { kind, code: told } = await perform(effect(url));
    assert.equal(kind, "failed", url);
    assert.match(String(told), code, url);
  };
  await failed(garbage.origin, /^HPE_/);
  const short = await serveBytes(t, (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"));
  await failed(short.origin, /^UND_ERR_SOCKET$/);
  const gone = await serveBytes(t, (socket) => socket.destroy());
  await failed(gone.origin, /^(UND_ERR_SOCKET|ECONNRESET)$/);
  await failed("http://127.0.0.1:59998/", /^ECONNREFUSED$/);
  await failed("nonsense", /^ERR_INVALID_URL$/);
});

/** RFC 7518 section 3.1: how the signatures of an algorithm are made. */
const SCHEMES = {
  RS256: { kind: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  RS384: { kind: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  RS512: { kind: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
  PS256: { kind: "RSA-PSS", hash: "SHA-256", saltBytes: 32 },
  PS384: { kind: "RSA-PSS", hash: "SHA-384", saltBytes: 48 },
  PS512: { kind: "RSA-PSS", hash: "SHA-512", saltBytes: 64 },
  ES256: { kind: "ECDSA", curve: "P-256", hash: "SHA-256" },
  ES384: { kind: "ECDSA", curve: "P-384", hash: "SHA-384" },
  ES512: { kind: "ECDSA", curve: "P-521", hash: "SHA-512" },
  EdDSA: { kind: "EdDSA", curve: "Ed25519" },
};
/** RFC 8812 section 3.2. WebCrypto does not have its curve. */
const ES256K = { kind: "ECDSA", curve: "secp256k1", hash: "SHA-256" };

/** A signature check that holds, and the private key. Node's key pairs, signed by WebCrypto where that can. */
async function check(scheme) {
  const { kind, curve, hash, saltBytes } = scheme;
  const input = new TextEncoder().encode("a.b");
  const [type, options] = { ECDSA: ["ec", { namedCurve: curve }], EdDSA: ["ed25519"] }[kind] ?? ["rsa", { modulusLength: 2048 }];
  const { publicKey, privateKey } = generateKeyPairSync(type, options);
  const jwk = privateKey.export({ format: "jwk" });
  return { kind: "check", scheme, thumbprint: `of ${kind} ${curve} ${hash}`, key: JSON.stringify(publicKey.export({ format: "jwk" })), signingInput: input, signature: await signature(), jwk };

  async function signature() {
    if (curve === "secp256k1") return new Uint8Array(createSign("sha256").update(input).sign({ key: privateKey, dsaEncoding: "ieee-p1363" }));
    const name = kind === "EdDSA" ? curve : kind;
    const key = await crypto.subtle.importKey("jwk", jwk, { name, hash, namedCurve: curve }, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign({ name, hash, saltLength: saltBytes }, key, input));
  }
}

const PLATFORMS = { "node:crypto": nodes, WebCrypto: webs };

for (const [name, platform] of Object.entries(PLATFORMS)) {
  const performing = () => performer(undefined, { signatures: signaturesBy(platform()) });

  test(`${name}: signatures of each scheme of the registry are told from others`, async (t) => {
    const perform = performing();
    for (const [algorithm, scheme] of Object.entries(SCHEMES)) {
      const good = await check(scheme);
      assert.deepEqual(await perform(good), { kind: "checked", holds: true }, algorithm);
      assert.deepEqual(await perform({ ...good, signingInput: new Uint8Array([1]) }), { kind: "checked", holds: false }, algorithm);
      const { length } = good.signature;
      const wrong = [
        good.signature.with(3, good.signature[3] ^ 1), new Uint8Array(0), new Uint8Array(length),
        good.signature.subarray(1), Uint8Array.of(0, ...good.signature), Uint8Array.of(...good.signature, 0),
      ];
      for (const signature of wrong) {
        assert.deepEqual(await perform({ ...good, signature }), { kind: "checked", holds: false }, `${algorithm} ${signature}`);
      }
    }
    t.diagnostic(Object.keys(SCHEMES).join(" "));
  });

  test(`${name}: a key that cannot be imported is a failure, never a verdict`, async () => {
    const perform = performing();
    const good = await check(SCHEMES.ES256);
    const [other, rsa] = [await check(SCHEMES.ES384), await check(SCHEMES.RS256)];
    for (const key of ["{", "{}", "null", '{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}', '{"kty":"RSA","n":"AQAB","e":"AQAB"}', other.key, rsa.key]) {
      assert.deepEqual(await perform({ ...good, key, thumbprint: key }), FAILED, key);
    }
    assert.deepEqual(await perform({ ...rsa, key: good.key, thumbprint: "EC" }), FAILED);
    assert.deepEqual(await perform({ ...good, scheme: SCHEMES.EdDSA, thumbprint: "EC" }), FAILED);
  });

  test(`${name}: signs by each scheme that it has, and with no key for another use or scheme`, async (t) => {
    const perform = performing();
    const input = new Uint8Array([1, 2]);
    for (const [algorithm, scheme] of Object.entries(SCHEMES)) {
      const { jwk, key } = await check(scheme);
      const effect = { kind: "sign", scheme, kid: algorithm, input };
      const made = await perform({ ...effect, key: JSON.stringify(jwk) });
      assert.equal(made.kind, "signed", algorithm);
      const checked = await perform({ kind: "check", scheme, thumbprint: algorithm, key, signingInput: input, signature: made.signature });
      assert.deepEqual(checked, { kind: "checked", holds: true }, algorithm);
      assert.deepEqual(await perform({ ...effect, kid: "public", key }), FAILED, algorithm);
      const other = scheme.kind === "ECDSA" ? SCHEMES.RS256 : SCHEMES.ES256;
      assert.deepEqual(await perform({ ...effect, scheme: other, key: JSON.stringify(jwk) }), FAILED, algorithm);
    }
    t.diagnostic(Object.keys(SCHEMES).join(" "));
  });

  test(`${name}: a scheme that this host does not have is unsupported, never a verdict`, async () => {
    const perform = performing();
    const good = await check(SCHEMES.ES256);
    const { ES256 } = SCHEMES;
    const schemes = [
      ...["none", "HMAC", "AKP", "constructor", "__proto__", "", undefined].map((kind) => ({ ...ES256, kind })),
      ...["brainpoolP256r1", "Ed448", "constructor", ""].map((curve) => ({ ...ES256, curve })),
      ...["SHA-1", "SHA3-256", "sha256", ""].map((hash) => ({ ...ES256, hash })),
    ];
    for (const scheme of schemes) {
      for (const effect of [{ ...good, scheme }, { kind: "sign", scheme, kid: "k", key: JSON.stringify(good.jwk), input: good.signingInput }]) {
        assert.deepEqual(await perform(effect), { kind: "unsupported" }, JSON.stringify(scheme));
      }
    }
  });

  test(`${name}: a key is imported once; the same key for another scheme is another key`, async () => {
    let imported = 0;
    const counted = { ...platform() };
    const { publicKey } = counted;
    counted.publicKey = (...given) => (imported++, publicKey(...given));
    const mine = performer(undefined, { signatures: signaturesBy(counted) });
    const rsa = await check(SCHEMES.RS256);
    await mine(rsa);
    await mine(rsa);
    assert.equal(imported, 1);
    assert.deepEqual(await mine({ ...rsa, scheme: SCHEMES.RS512 }), { kind: "checked", holds: false });
    assert.deepEqual(await mine({ ...rsa, scheme: SCHEMES.PS256 }), { kind: "checked", holds: false });
    assert.equal(imported, 3);
    for (let i = 0; i < 70; i++) await mine({ ...rsa, thumbprint: `other ${i}` });
    await mine(rsa);
    assert.equal(imported, 74, "the oldest of very many is forgotten");
  });
}

test("a curve is declared where the platform has it: secp256k1 by node:crypto, not by WebCrypto", async () => {
  const good = await check(ES256K);
  assert.ok(nodes().parts.includes("secp256k1"));
  const node = performer(undefined, { signatures: signaturesBy(nodes()) });
  assert.deepEqual(await node(good), { kind: "checked", holds: true });
  assert.deepEqual(await node({ ...good, signingInput: new Uint8Array([1]) }), { kind: "checked", holds: false });
  assert.deepEqual(await node({ ...good, scheme: SCHEMES.ES256, thumbprint: "other" }), FAILED);
  assert.ok(!webs().parts.includes("secp256k1"));
  assert.deepEqual(await performer(undefined, { signatures: signaturesBy(webs()) })(good), { kind: "unsupported" });
});

test("without any cryptography nothing is declared and nothing is checked", async () => {
  const signatures = signaturesBy(null);
  assert.deepEqual(signatures.parts, []);
  assert.deepEqual(await performer(undefined, { signatures })(await check(SCHEMES.ES256)), { kind: "unsupported" });
});

test("a wait takes its time", async () => {
  const started = performance.now();
  assert.deepEqual(await perform({ kind: "wait", milliseconds: 40 }), { kind: "waited" });
  assert.ok(performance.now() - started >= 38);
});
