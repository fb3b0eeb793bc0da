// The middleware protocol by itself: what becomes of each decision, and what the host vouches for.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { routing } from "../routing.js";

/** `gate(options)` over an engine that always decides the same, and what that engine was given. */
function gateThatDecides(decision, options = {}) {
  const given = [];
  const createGate = (gateOptions) => ({
    async decide(request, context) {
      given.push({ gateOptions, request, context });
      return typeof decision === "function" ? decision(request) : decision;
    },
  });
  return { middleware: routing(createGate)(options), given };
}

const pass =
  (more = {}) =>
  (request) => {
    const { pathname, search } = new URL(request.url);
    return {
      kind: "forward",
      target: pathname + search,
      headers: new Headers(request.headers),
      removed: [],
      set: [],
      responseHeaders: [],
      ...more,
    };
  };

const variables = ["VERCEL", "VERCEL_ENV", "VERCEL_URL", "VERCEL_BRANCH_URL", "VERCEL_PROJECT_PRODUCTION_URL"];
const before = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
afterEach(() => {
  for (const name of variables) before[name] === undefined ? delete process.env[name] : (process.env[name] = before[name]);
  delete globalThis[Symbol.for("@vercel/request-context")];
});

test("a request that goes on keeps exactly the headers of the decision", async () => {
  const headers = new Headers({ accept: "*/*", "x-doorward-subject": "ada" });
  const { middleware } = gateThatDecides(pass({ headers }));
  const response = await middleware(
    new Request("https://app.example/a?b=c", { headers: { accept: "*/*", cookie: "left=out" } }),
  );
  assert.deepEqual(Object.fromEntries(response.headers), {
    "x-middleware-next": "1",
    "x-middleware-override-headers": "accept,x-doorward-subject",
    "x-middleware-request-accept": "*/*",
    "x-middleware-request-x-doorward-subject": "ada",
  });
});

test("the list of kept headers is never empty, because an empty list would keep all of them", async () => {
  const { middleware } = gateThatDecides(pass({ headers: new Headers({ "x-middleware-subrequest": "1" }) }));
  const response = await middleware(new Request("https://app.example/", { headers: { "x-doorward-subject": "evil" } }));
  const names = response.headers.get("x-middleware-override-headers").split(",").filter(Boolean);
  assert.ok(names.length > 0);
  for (const name of names)
    assert.equal(response.headers.get(`x-middleware-request-${name}`), null, "a name without a value is removed");
});

test("the protocol's own names are not taken from a client, however they are spelled", async () => {
  const headers = new Headers({
    "x-middleware-rewrite": "/evil",
    x_middleware_subrequest: "1",
    "X-Middleware-Request-X": "1",
    accept: "*/*",
  });
  const { middleware } = gateThatDecides(pass({ headers }));
  const response = await middleware(new Request("https://app.example/"));
  assert.equal(response.headers.get("x-middleware-override-headers"), "accept");
  assert.equal(response.headers.get("x-middleware-rewrite"), null);
});

test("several cookies for the browser stay several", async () => {
  const { middleware } = gateThatDecides(
    pass({
      responseHeaders: [
        ["set-cookie", "a=1; Path=/"],
        ["set-cookie", "b=2; Path=/"],
      ],
    }),
  );
  const response = await middleware(new Request("https://app.example/"));
  assert.deepEqual(response.headers.getSetCookie(), ["a=1; Path=/", "b=2; Path=/"]);
});

test("a response header that might look like an identity to the application lets nobody in", async () => {
  for (const name of ["x-doorward-subject", "X_Doorward_Subject", "acme-user", "x-acme-mark", "x-middleware-next", "location", "authorization"]) {
    const { middleware } = gateThatDecides(pass({ responseHeaders: [[name, "evil"]] }));
    assert.equal((await middleware(new Request("https://app.example/"))).status, 503, name);
  }
  const usual = [["set-cookie", "a=1"], ["cache-control", "no-store"], ["cloudflare-cdn-cache-control", "no-store"], ["surrogate-control", "no-store"], ["vary", "cookie"], ["doorward-decision", "x"]];
  const { middleware } = gateThatDecides(pass({ responseHeaders: usual }));
  assert.equal((await middleware(new Request("https://app.example/"))).status, 200);
});

test("a target in another spelling is a rewrite within the same origin, whatever it looks like", async () => {
  for (const [target, rewrite] of [
    ["/dashboard", "https://app.example/dashboard"],
    ["//evil.example/x", "https://app.example//evil.example/x"],
    ["/%64ashboard?a=b", "https://app.example/%64ashboard?a=b"],
  ]) {
    const { middleware } = gateThatDecides(pass({ target }));
    const response = await middleware(new Request("https://app.example/%64ashboard"));
    assert.equal(response.headers.get("x-middleware-rewrite"), rewrite);
    assert.equal(response.headers.get("x-middleware-next"), null);
  }
});

test("an answer is handed on, with an absolute location", async () => {
  const redirect = {
    kind: "answer",
    response: new Response(null, {
      status: 303,
      headers: [
        ["location", "/sign-in?callbackURL=%2Fa"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ],
    }),
  };
  const redirected = await gateThatDecides(redirect).middleware(new Request("https://app.example/a"));
  assert.equal(redirected.status, 303);
  assert.equal(redirected.headers.get("location"), "https://app.example/sign-in?callbackURL=%2Fa");
  assert.deepEqual(redirected.headers.getSetCookie(), ["a=1", "b=2"]);
  const refusal = {
    kind: "answer",
    response: new Response("{}", { status: 401, headers: { "content-type": "application/problem+json" } }),
  };
  const refused = await gateThatDecides(refusal).middleware(new Request("https://app.example/a"));
  assert.equal(refused.status, 401);
  assert.equal(await refused.text(), "{}");
});

test("the way for a server action is handed on as it is, without a location", async () => {
  const headers = { "x-action-redirect": "./../sign-in?callbackURL=%2F;push", "cache-control": "private, no-store" };
  const answer = { kind: "answer", response: new Response(null, { status: 303, headers }) };
  const response = await gateThatDecides(answer).middleware(new Request("https://app.example/", { method: "POST" }));
  assert.equal(response.status, 303);
  assert.deepEqual(Object.fromEntries(response.headers), headers);
});

test("whatever fails is a 503 that nobody may store", async (t) => {
  t.mock.method(console, "error", () => {});
  const failures = {
    "the engine throws": routing(() => ({ decide: () => Promise.reject(new Error("trap")) }))(),
    "the engine cannot be made": routing(() => {
      throw new Error("no wasm");
    })(),
    "no decision": gateThatDecides(undefined).middleware,
    "a decision of an unknown kind": gateThatDecides({ kind: "other" }).middleware,
    "a forward without a target": gateThatDecides(pass({ target: undefined })).middleware,
    "a target that is no path": gateThatDecides(pass({ target: "@evil.example/" })).middleware,
  };
  for (const [name, middleware] of Object.entries(failures)) {
    const response = await middleware(new Request("https://app.example/"));
    assert.equal(response.status, 503, name);
    assert.equal(response.headers.get("cache-control"), "private, no-store", name);
    assert.equal(response.headers.get("x-middleware-next"), null, name);
  }
});

test("work after the response goes to the platform, wherever it takes it", async () => {
  const taken = [];
  const event = {
    waitUntil(promise) {
      assert.equal(this, event);
      taken.push(promise);
    },
  };
  const { middleware, given } = gateThatDecides(pass());
  await middleware(new Request("https://app.example/"), event);
  given.at(-1).context.waitUntil("first");
  globalThis[Symbol.for("@vercel/request-context")] = { get: () => ({ waitUntil: (promise) => taken.push(promise) }) };
  await middleware(new Request("https://app.example/"));
  given.at(-1).context.waitUntil("second");
  assert.deepEqual(taken, ["first", "second"]);
  delete globalThis[Symbol.for("@vercel/request-context")];
  await middleware(new Request("https://app.example/"));
  assert.equal(given.at(-1).context.waitUntil, undefined);
});

test("a client's address is known on Vercel only, and never from what a client can send elsewhere", async () => {
  const address = async (headers, options) => {
    const { middleware, given } = gateThatDecides(pass(), options);
    await middleware(new Request("https://app.example/", { headers }));
    return given[0].context.clientAddress;
  };
  const headers = { "x-vercel-forwarded-for": "203.0.113.7", "x-real-ip": "203.0.113.8", "x-forwarded-for": "203.0.113.9" };
  assert.equal(await address(headers), undefined);
  process.env.VERCEL = "1";
  assert.equal(await address(headers), "203.0.113.7");
  assert.equal(await address({ "x-real-ip": "2001:db8::1" }), "2001:db8::1");
  assert.equal(await address({ "x-forwarded-for": "203.0.113.9" }), undefined);
  assert.equal(await address(headers, { clientAddress: () => "192.0.2.1" }), undefined, "the gate asks the option itself");
  assert.equal(
    await address({ "x-vercel-forwarded-for": "203.0.113.7, 203.0.113.10" }),
    undefined,
    "a list is not an address",
  );
});

test("the public origin is what the platform says of itself", async () => {
  const origin = async (url, env, options) => {
    for (const name of variables) delete process.env[name];
    Object.assign(process.env, env);
    const { middleware, given } = gateThatDecides(pass(), options);
    await middleware(new Request(url, { headers: { host: "evil.example", "x-forwarded-host": "evil.example" } }));
    return given[0].context.publicOrigin;
  };
  const production = {
    VERCEL: "1",
    VERCEL_ENV: "production",
    VERCEL_PROJECT_PRODUCTION_URL: "app.example",
    VERCEL_URL: "app-1a2b.vercel.app",
  };
  const preview = {
    VERCEL: "1",
    VERCEL_ENV: "preview",
    VERCEL_PROJECT_PRODUCTION_URL: "app.example",
    VERCEL_BRANCH_URL: "app-git-b.vercel.app",
    VERCEL_URL: "app-1a2b.vercel.app",
  };
  assert.equal(await origin("http://localhost:3000/a", {}), "http://localhost:3000");
  assert.equal(
    await origin("http://localhost:3000/a", production, { publicOrigin: "https://other.example" }),
    undefined,
    "the gate knows the option itself",
  );
  assert.equal(await origin("https://app.example/a", production), "https://app.example");
  assert.equal(await origin("https://app-1a2b.vercel.app/a", production), "https://app-1a2b.vercel.app");
  assert.equal(await origin("https://evil.example/a", production), "https://app.example");
  assert.equal(await origin("https://app-git-b.vercel.app/a", preview), "https://app-git-b.vercel.app");
  assert.equal(await origin("https://app-1a2b.vercel.app/a", preview), "https://app-1a2b.vercel.app");
  assert.equal(
    await origin("https://app.example/a", preview),
    "https://app-git-b.vercel.app",
    "a preview is not production",
  );
});

test("the gate is made once, with all options", async () => {
  let made = 0;
  const options = { config: { rules: [] }, publicOrigin: "https://app.example" };
  const middleware = routing((given) => {
    made += 1;
    assert.equal(given, options);
    return { decide: async (request) => pass()(request) };
  })(options);
  await middleware(new Request("https://app.example/"));
  await middleware(new Request("https://app.example/"));
  assert.equal(made, 1);
});

test("a request for another origin is rewritten to it, with the decision's headers", async () => {
  const headers = new Headers({ accept: "*/*", authorization: "Bearer minted" });
  const { middleware } = gateThatDecides(pass({ headers, target: "/a%20b?c=%2F", upstream: "https://api.example" }));
  const response = await middleware(new Request("https://app.example/a%20b?c=%2F", { headers: { cookie: "left=out" } }));
  assert.deepEqual(Object.fromEntries(response.headers), {
    "x-middleware-rewrite": "https://api.example/a%20b?c=%2F",
    "x-middleware-override-headers": "accept,authorization",
    "x-middleware-request-accept": "*/*",
    "x-middleware-request-authorization": "Bearer minted",
  });
});
