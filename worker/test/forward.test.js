// What becomes of a request that may pass: nothing but what the decision and the platform say.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import http from "node:http";

import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from "jose";

import { fetched, send, startAuth, startGate, startOrigin, variables } from "./harness.js";

async function house(test, more) {
  const origin = await startOrigin(test);
  const auth = await startAuth(test);
  const gate = await startGate(test, { bindings: variables(origin, auth, more) });
  return { origin, auth, gate };
}

test("a public path passes, without identity headers in any spelling and with the client's true address", async (t) => {
  const { origin, gate } = await house(t);
  const spoofed = {
    "X-Doorward-Subject": "root",
    X_Doorward_Subject: "root",
    "x-doorward_subject": "root",
    "X_DOORWARD-EMAIL": "root@example.com",
    "X-Forwarded-For": "6.6.6.6",
    X_Forwarded_For: "6.6.6.6",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Real-IP": "6.6.6.6",
    Forwarded: "for=6.6.6.6",
    "X-Kept": "kept",
    "X-Named": "named",
    Connection: "x-forwarded-for, x-named, host",
  };
  const response = await fetched(gate, "/public/page?a=%2F&b=1", { headers: { host: "app.example:8443", ...spoofed } });
  assert.equal(response.status, 200);
  const { url, raw } = origin.last();
  assert.equal(url, "/public/page?a=%2F&b=1");
  const values = (name) => raw.filter(([candidate]) => candidate.replaceAll("_", "-") === name).map(([, value]) => value);
  assert.deepEqual(raw.filter(([name]) => /^x[-_]doorward/.test(name)), []);
  assert.deepEqual(values("x-forwarded-for"), ["127.0.0.1"]);
  assert.deepEqual(values("x-forwarded-host"), ["app.example:8443"]);
  assert.deepEqual(values("x-forwarded-proto"), ["http"]);
  assert.deepEqual(values("host"), [new URL(origin.url).host]);
  assert.deepEqual([values("forwarded"), values("x-real-ip"), values("x-forwarded-port")], [[], [], []]);
  assert.deepEqual(values("x-kept"), ["kept"]);
  assert.deepEqual(values("x-named"), [], "what a client names in Connection is about that connection");
});

test("the public origin is that of PUBLIC_ORIGIN where it is set", async (t) => {
  const { origin, gate } = await house(t, { PUBLIC_ORIGIN: "https://app.example.com" });
  await fetched(gate, "/public/page", { headers: { host: "internal:8080" } });
  assert.equal(origin.last().headers["x-forwarded-host"], "app.example.com");
  assert.equal(origin.last().headers["x-forwarded-proto"], "https");
});

test("a body of 20 MB reaches the origin while the client is still sending it", async (t) => {
  const { origin, gate } = await house(t);
  const chunk = Buffer.alloc(1024 * 1024, "doorward");
  const hash = createHash("sha256");
  const response = await send(gate, "/public/upload", {
    method: "POST",
    headers: { "content-type": "application/octet-stream", "transfer-encoding": "chunked" },
    body: async (request) => {
      const write = async () => {
        hash.update(chunk);
        if (!request.write(chunk)) await once(request, "drain");
      };
      await write();
      while (!origin.last()) await new Promise((resolve) => setTimeout(resolve, 5));
      // The origin has the beginning before the client has sent the rest.
      await origin.last().firstBytes;
      for (let i = 1; i < 20; i++) await write();
      request.end();
    },
  });
  assert.equal(response.status, 200);
  assert.deepEqual((await response.json()).body, { bytes: 20 * chunk.length, sha256: hash.digest("hex") });
});

test("a body with a length keeps it", async (t) => {
  const { origin, gate } = await house(t);
  const response = await fetched(gate, "/public/upload", { method: "PUT", headers: { "content-length": "5" }, body: "hello" });
  assert.equal(JSON.parse(response.body).body.bytes, 5);
  assert.equal(origin.last().headers["content-length"], "5");
  assert.equal(origin.last().method, "PUT");
});

test("a body comes through with any method, and none is made up", async (t) => {
  const { origin, gate } = await house(t);
  const withBody = await fetched(gate, "/public/search", { headers: { "content-length": "5" }, body: "hello" });
  assert.deepEqual([origin.last().method, JSON.parse(withBody.body).body.bytes], ["GET", 5]);
  await fetched(gate, "/public/search");
  assert.deepEqual([origin.last().headers["content-length"], origin.last().headers["transfer-encoding"]], [undefined, undefined]);
  await fetched(gate, "/public/empty", { method: "POST", headers: { "content-length": "0" } });
  assert.equal(origin.last().headers["content-length"], "0");
});

test("a response reaches the client while the origin is still sending it", async (t) => {
  const { origin, gate } = await house(t);
  const response = await send(gate, "/public/drip");
  assert.equal(await response.firstBytes, "first");
  origin.release();
  assert.equal(await response.text(), "first last");
});

test("a redirect of the origin to itself leads to the public address, and is not followed", async (t) => {
  const { origin, gate } = await house(t);
  const response = await fetched(gate, "/public/redirect");
  assert.equal(response.status, 302);
  assert.equal(response.headers.location, `${gate.origin}/elsewhere?a=b`);
  assert.equal((await fetched(gate, "/public/redirect", { headers: { host: "app.example:8443" } })).headers.location, "http://app.example:8443/elsewhere?a=b");
  assert.equal(origin.seen.length, 2);
});

test("so does whatever else the origin says of its own address", async (t) => {
  const { gate } = await house(t, { PUBLIC_ORIGIN: "https://app.example.com" });
  const { headers } = await fetched(gate, "/public/own-cookie");
  assert.equal(headers["content-location"], "https://app.example.com/x");
  assert.deepEqual(headers["set-cookie"], ["a=1; Path=/", "b=2; Path=/"]);
});

test("a page of the origin is shown in place of the gate's own", async (t) => {
  const { sign_in, ...usual } = variables({ url: "" }, { url: "" }).DOORWARD;
  const rules = [{ path: "/public/**", access: "public" }, { path: "/app/**", access: "required" }];
  const pages = { 400: "/public/redirect", 401: "/public/page/signed-out", 403: "/public/large" };
  const { origin, gate } = await house(t, { DOORWARD: { ...usual, rules, pages }, PUBLIC_ORIGIN: "https://app.example.com" });
  const visitor = { accept: "text/html", "accept-language": "de", authorization: "Basic YTpi", "x-doorward-subject": "root" };
  for (const method of ["GET", "HEAD", "POST"]) {
    const { status, headers, body } = await fetched(gate, "/app/x?b=c", { method, headers: visitor });
    const url = `/public/page/signed-out?reason=no_credential${method === "POST" ? "" : "&from=%2Fapp%2Fx%3Fb%3Dc"}`;
    assert.deepEqual([status, body], [401, method === "HEAD" ? "" : `<p>${url}</p>`], method);
    assert.deepEqual([headers["content-type"], headers["cache-control"], headers["set-cookie"]], ["text/html", "private, no-store", undefined]);
    const { headers: sent, ...heard } = origin.last();
    assert.deepEqual([heard.method, heard.url, sent.accept, sent["accept-language"], sent["x-forwarded-host"]], ["GET", url, "text/html", "de", "app.example.com"]);
    assert.deepEqual(Object.keys(sent).filter((name) => /cookie|authorization|doorward|cf-connecting/.test(name)), []);
  }
  for (const [path, status, reason, failure] of [["/app//x", 400, "path_refused", "redirect"], ["/other", 403, "route_denied", "too_large"]]) {
    const answer = await fetched(gate, path, { headers: visitor });
    assert.equal(answer.status, status);
    assert.match(answer.body, new RegExp(`Code: ${reason}`));
    await gate.logged(`"page_failure":"${failure}"`);
  }
});

test("where another host's address is asked, the origin's URL is the one that is sent", async (t) => {
  const origin = await startOrigin(t);
  const auth = await startAuth(t);
  const entry = `
    const usual = globalThis.fetch;
    globalThis.fetch = async (request, init) => (init?.cf ? Response.json([request.url, init.cf]) : usual(request, init));
    import worker from "./worker.js";
    export default worker;`;
  const bindings = { ...variables(origin, auth), ORIGIN_URL: "https://app.example.com", ORIGIN_RESOLVE_OVERRIDE: "origin.example.com" };
  const gate = await startGate(t, { bindings, entry });
  assert.deepEqual(JSON.parse((await fetched(gate, "/public/page?a")).body), ["https://app.example.com/public/page?a", { resolveOverride: "origin.example.com" }]);
  // The page for a refusal is fetched in the same way; this answer is no HTML.
  bindings.DOORWARD = { ...bindings.DOORWARD, pages: { 400: "/public/page" } };
  const withPage = await startGate(t, { bindings, entry: entry.replace("Response.json([", "console.log(request.url ?? request, init.cf.resolveOverride) ?? Response.json([") });
  assert.equal((await fetched(withPage, "/public//x", { headers: { accept: "text/html" } })).status, 400);
  await withPage.logged("https://app.example.com/public/page?reason=path_refused origin.example.com");
  await withPage.logged('"page_failure":"not_html"');
  const wrong = await startGate(t, { bindings: { ...bindings, ORIGIN_RESOLVE_OVERRIDE: "https://origin.example.com" } });
  assert.equal((await fetched(wrong, "/public/page")).status, 503);
  await wrong.logged('"path":"ORIGIN_RESOLVE_OVERRIDE","problem":"is not a host name"');
});

test("204, 304, HEAD, OPTIONS, DELETE, an odd status and repeated cookies come through", async (t) => {
  const { origin, gate } = await house(t);
  assert.equal((await fetched(gate, "/public/no-content")).status, 204);
  const notModified = await fetched(gate, "/public/not-modified", { headers: { "if-none-match": '"1"' } });
  assert.deepEqual([notModified.status, notModified.headers.etag], [304, '"1"']);
  const head = await fetched(gate, "/public/page", { method: "HEAD" });
  assert.deepEqual([head.status, head.body, origin.last().method], [200, "", "HEAD"]);
  for (const method of ["OPTIONS", "DELETE", "PATCH"]) {
    assert.equal((await fetched(gate, "/public/page", { method })).status, 200);
    assert.equal(origin.last().method, method);
  }
  const teapot = await fetched(gate, "/public/teapot");
  assert.deepEqual([teapot.status, teapot.headers["x-origin"], teapot.body], [418, "yes", "tea"]);
  assert.deepEqual((await fetched(gate, "/public/cookies")).headers["set-cookie"], ["a=1; Path=/", "b=2; Path=/"]);
});

test("header values that are no text pass as they are", async (t) => {
  const { origin, gate } = await house(t);
  const odd = Buffer.from([0x63, 0xe9, 0xff]).toString("latin1");
  await fetched(gate, "/public/page", { headers: { "x-odd": odd, "x-utf8": Buffer.from("café").toString("latin1") } });
  const { "x-odd": arrived, "x-utf8": utf8 } = origin.last().headers;
  assert.equal(Buffer.from(utf8, "latin1").toString(), "café");
  assert.equal(arrived, odd);
});

test("what the origin has compressed stays compressed", async (t) => {
  const server = http.createServer((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip", "content-type": "text/plain" }).end(gzipSync("compressed"));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const auth = await startAuth(t);
  const gate = await startGate(t, { bindings: variables({ url: `http://127.0.0.1:${server.address().port}` }, auth) });
  const plain = await new Promise((resolve, reject) => {
    const headers = { "accept-encoding": "gzip" };
    http.get({ host: "127.0.0.1", port: gate.port, path: "/public/page", headers, agent: false }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      assert.equal(response.headers["content-encoding"], "gzip");
      resolve(gunzipSync(Buffer.concat(chunks)).toString());
    }).on("error", reject);
  });
  assert.equal(plain, "compressed");
});

test("an origin that is away is 502, said as a problem and never stored", async (t) => {
  const { origin, gate } = await house(t);
  await origin.stop();
  const response = await fetched(gate, "/public/page");
  assert.equal(response.status, 502);
  assert.equal(response.headers["content-type"], "application/problem+json");
  assert.equal(response.headers["cache-control"], "private, no-store");
  assert.equal(JSON.parse(response.body).reason, "origin_unreachable");
  assert.equal((await fetched(gate, "/public/page", { method: "HEAD" })).body, "");
});

for (const algorithm of ["ES256", "EdDSA"]) {
  test(`an assertion is signed by the platform: ${algorithm}`, async (t) => {
    const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
    const origin = await startOrigin(t);
    const auth = await startAuth(t);
    const { DOORWARD } = variables(origin, auth);
    const assertion = { audience: "origin", keys: [{ env: "KEY" }], jwks_path: "/assertion-keys" };
    const more = { DOORWARD: { ...DOORWARD, assertion }, KEY: JSON.stringify(await exportJWK(privateKey)) };
    const gate = await startGate(t, { bindings: variables(origin, auth, more) });
    const keys = createLocalJWKSet(JSON.parse((await fetched(gate, "/assertion-keys")).body));
    const token = await auth.sign("EdDSA");
    for (const target of ["/a?b", "/c"]) {
      assert.equal((await fetched(gate, target, { headers: { authorization: `Bearer ${token}` } })).status, 200);
      const { payload, protectedHeader } = await jwtVerify(origin.last().headers["x-doorward-assertion"], keys, { audience: "origin" });
      const digest = createHash("sha256").update(target).digest("base64url");
      assert.deepEqual([protectedHeader.alg, payload.sub, payload.tgt], [algorithm, "user-1", digest]);
    }
  });
}
