// A real Next.js app behind `doorward/next`: built and served as its users would, then asked for what it must not give.
//
// Whether something leaked is judged by content: everything that the app protects contains `kept-by-…`.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";

import { install, progress, run, send, serve } from "./lib.js";
import { forms, gives } from "./next-forms.js";
import { authService, cookies, session } from "./session.js";

const variants = [
  { name: "proxy.ts on Node, Turbopack", file: "proxy.ts", build: [] },
  { name: "middleware.ts on the edge runtime, Turbopack", file: "middleware.ts", build: [] },
  { name: "middleware.ts on the edge runtime, webpack", file: "middleware.ts", build: ["--webpack"] },
];

const secret = randomBytes(32).toString("base64url");
const kept = /kept-by-[a-z0-9-]+/;
const page = { accept: "text/html,application/xhtml+xml", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const script = { accept: "application/json" };
const nextBin = join("node_modules", "next", "dist", "bin", "next");

let app;
let auth;
let notes;

before(async () => {
  app = await install("next");
  auth = await authService(secret);
  notes = await mirror();
});
after(() => Promise.all([auth?.stop(), notes?.stop()]));

/** `DOORWARD_NEXT_VARIANT`: part of a variant's name, to build and ask that one only. */
const isChosen = (name) => name.includes(process.env.DOORWARD_NEXT_VARIANT ?? "");
const narrowMatcher = "a matcher that is too narrow";
const underBasePath = "proxy.ts under a base path";
const withLocales = "proxy.ts under a base path, with locales";
const withoutGate = "no gate";
const brokenConfiguration = "a broken doorward.json";
assert.ok(
  [...variants.map(({ name }) => name), narrowMatcher, underBasePath, withLocales, withoutGate, brokenConfiguration].some(isChosen),
  "DOORWARD_NEXT_VARIANT names none of the variants",
);

for (const [number, { name, file, build }] of variants.entries()) {
  describe(name, { skip: !isChosen(name) }, () => {
    const dist = `.next-${number}`;
    let port;
    let server;
    let buildId;

    const start = (env = {}) => nextStart({ APP_DIST: dist, ...env });
    const get = (target, headers = {}) => send(port, target, { headers });

    before(async () => {
      progress(`next build: ${name}`);
      buildId = await nextBuild(file, build, { APP_DIST: dist });
      progress(`next start: ${name}`);
      ({ server, port } = await start());
    });
    after(() => server?.stop());

    test("a public page is served to anybody", async () => {
      const response = await get("/", page);
      assert.equal(response.status, 200);
      assert.match(response.body, /front page/);
    });

    test("a page without a session goes to sign-in, with the way back", async () => {
      const response = await get("/dashboard?tab=2", page);
      assert.ok([303, 307].includes(response.status), `status ${response.status}`);
      assert.equal(response.headers.location, "/sign-in?callbackURL=%2Fdashboard%3Ftab%3D2");
      assert.match(response.headers["cache-control"], /no-store/);
      assert.doesNotMatch(response.body, kept);
    });

    test("an API call without a session gets 401 as a problem document", async () => {
      const response = await get("/api/headers", script);
      assert.equal(response.status, 401);
      assert.match(response.headers["content-type"], /^application\/problem\+json/);
      assert.match(response.headers["www-authenticate"], /^Bearer/);
      assert.match(response.headers["cache-control"], /no-store/);
    });

    test("no form of a protected path gives its content to anybody", async () => {
      const shapes = {
        nothing: {},
        page,
        rsc: { rsc: "1", accept: "*/*" },
        prefetch: { rsc: "1", "next-router-prefetch": "1", purpose: "prefetch" },
        segment: { rsc: "1", "next-router-prefetch": "1", "next-router-segment-prefetch": "/_tree" },
        data: { "x-nextjs-data": "1" },
        subrequest: { "x-middleware-subrequest": Array(8).fill(file.replace(".ts", "")).join(":") },
        skip: { "x-middleware-next": "1", "x-middleware-skip": "1", "x-middleware-rewrite": "/archive" },
        revalidate: { "x-prerender-revalidate": "guess", "x-matched-path": "/archive", "x-invoke-path": "/archive" },
        action: { "next-action": "0".repeat(42) },
      };
      const cookie = cookies(secret);
      let cases = 0;
      let served = 0;
      const leaks = [];
      for (const target of protectedForms(buildId)) {
        if (kept.test((await get(target, { cookie })).body)) served += 1;
        for (const [shape, headers] of Object.entries(shapes)) {
          const response = await get(target, headers);
          cases += 1;
          if (kept.test(response.body))
            leaks.push(`${target} as ${shape}: ${response.status} ${kept.exec(response.body)[0]}`);
        }
      }
      assert.deepEqual(leaks, []);
      assert.ok(served >= 20, `only ${served} forms have content to give`);
      progress(`${cases} requests without a session, no leak; with one, ${served} forms give content`);
    });

    test("no protected page is given to anybody in any transport", () => judgeForms({ port, buildId }));

    test("a rule's upstream gets its requests with a token, and without the session's cookies", async () => {
      const headers = { ...script, cookie: `${cookies(secret)}; theme=dark`, authorization: "Basic eDp5", "x-doorward-subject": "boss" };
      const response = await get("/notes/mine?q=a%20b", headers);
      assert.equal(response.status, 200, response.body);
      const got = JSON.parse(response.body);
      assert.equal(got.target, "/notes/mine?q=a%20b");
      assert.match(got.headers.authorization, /^Bearer eyJ/);
      const { sub } = JSON.parse(Buffer.from(got.headers.authorization.split(".")[1], "base64url"));
      assert.deepEqual([sub, got.headers["x-doorward-subject"], got.headers.cookie], ["user-7f3a", "user-7f3a", "theme=dark"]);
      assert.deepEqual(Object.keys(got.headers).filter((name) => name.startsWith("x-middleware-")), []);
      const shown = Object.entries(response.headers).filter(([, value]) => String(value).includes("Bearer ey"));
      assert.deepEqual(shown, [], "the token is not the browser's");
      const posted = await send(port, "/notes/mine", { method: "POST", headers: { ...headers, origin: `http://localhost:${port}` }, body: "a note" });
      assert.deepEqual([posted.status, JSON.parse(posted.body).body], [200, "a note"]);
      assert.equal((await get("/notes/mine", script)).status, 401);
    });

    test("a server action without a session is sent to sign in, by what Next's client reads", async () => {
      const origin = `http://localhost:${port}`;
      const headers = { ...page, "next-action": "0".repeat(42), "content-type": "text/plain;charset=UTF-8", origin };
      const response = await send(port, "/dashboard", { method: "POST", body: "[]", headers });
      assert.equal(response.status, 303);
      assert.equal(response.headers["x-action-redirect"], "./../../sign-in?callbackURL=%2Fdashboard;push");
      assert.equal(response.headers.location, undefined, "fetch would follow it");
      assert.match(response.headers["cache-control"], /no-store/);
      assert.doesNotMatch(response.body, kept);
      const foreign = { ...headers, origin: "https://evil.example", cookie: cookies(secret) };
      const refused = await send(port, "/dashboard", { method: "POST", body: "[]", headers: foreign });
      assert.deepEqual([refused.status, refused.headers["content-type"]], [403, "text/plain"], "Next's client shows no other type");
      assert.match(refused.body, /cross_site_request/);
    });

    test("who comes back from sign-in without a session again and again is told why", async () => {
      const from = (target) => get("/dashboard", { ...page, referer: `http://localhost:${port}${target}` });
      const once = (await from("/sign-in?callbackURL=%2Fdashboard")).headers.location;
      assert.equal(once, "/sign-in?callbackURL=%2Fdashboard&attempt=2");
      const twice = await from(once);
      assert.deepEqual([twice.status, twice.headers.location], [401, undefined]);
      assert.match(twice.body, /redirect_loop/);
      let cookie = "";
      let rounds = 0;
      for (let response = {}; response.status !== 401; rounds += 1) {
        assert.ok(rounds < 20, "a browser gives up here");
        response = await get("/dashboard", { ...page, cookie });
        cookie = response.headers["set-cookie"]?.map((line) => line.split(";")[0]).join("; ");
      }
      assert.equal(rounds, 5);
    });

    test("a public path spelled through a protected one gives no protected content", async () => {
      const dots = ["/archive/../open/headers", "/archive/%2e%2e/open/headers", "/archive/..", "/archive/%2e%2e"];
      const slashes = ["/open/..%2farchive", "/open/%2e%2e%2farchive", "/open/..%5carchive"];
      for (const target of [...dots, ...slashes]) {
        assert.doesNotMatch((await get(target)).body, kept, target);
      }
    });

    test("a good session gets every protected page, in every form", async () => {
      const cookie = cookies(secret);
      for (const [target, headers, content] of [
        ["/dashboard", page, "kept-by-dashboard"],
        ["/archive", page, "kept-by-archive"],
        ["/users/7", page, "kept-by-user"],
        ["/legacy", page, "kept-by-legacy"],
        [`/_next/data/${buildId}/legacy.json`, { "x-nextjs-data": "1" }, "kept-by-legacy"],
        ["/api/headers", script, "kept-by-api"],
      ]) {
        const response = await get(target, { ...headers, cookie });
        assert.equal(response.status, 200, `${target}: ${response.body.slice(0, 300)}\n${server.log.slice(-1000)}`);
        assert.match(response.body, new RegExp(content));
      }
      // Next redirects a flight request to an address with a digest of its headers before it answers.
      let flight = await get("/archive", { rsc: "1", cookie });
      if (flight.status === 307) flight = await get(flight.headers.location, { rsc: "1", cookie });
      assert.equal(flight.status, 200);
      assert.match(flight.headers["content-type"], /^text\/x-component/);
      assert.match(flight.body, /kept-by-archive/);
    });

    test("the application sees who it is, in route handlers and in server components", async () => {
      const cookie = cookies(secret);
      const { headers } = JSON.parse((await get("/api/headers", { cookie })).body);
      assert.equal(headers["x-doorward-subject"], "user-7f3a");
      assert.equal(headers["x-doorward-session"], "session-7f3a");
      assert.equal(headers["x-doorward-source"], "cookie-cache");
      assert.equal(headers.cookie, cookie);
      assert.match((await get("/dashboard", { ...page, cookie })).body, /subject=(<!-- -->)?user-7f3a/);
    });

    test("identity headers of a client never reach the application", async () => {
      const spoofed = {
        "x-doorward-subject": "evil",
        X_Doorward_Subject: "evil",
        "x-doorward_subject": "evil",
        "X-DOORWARD-ROLE": "evil",
        x_doorward_anything: "evil",
        "x-middleware-request-x-doorward-subject": "evil",
        "x-middleware-override-headers": "x-doorward-subject",
        "x-middleware-set-cookie": "evil",
        "x-middleware-anything": "evil",
        "x-kept": "kept",
      };
      const cookie = cookies(secret);
      for (const [target, more, subject] of [
        ["/open/headers", {}, undefined],
        ["/open/headers", { cookie }, undefined],
        ["/api/headers", { cookie }, "user-7f3a"],
      ]) {
        const response = await get(target, { ...spoofed, ...more });
        assert.equal(response.status, 200);
        const { headers } = JSON.parse(response.body);
        const spoofs = Object.entries(headers).filter(([, value]) => value.includes("evil"));
        assert.deepEqual(spoofs, [], target);
        assert.equal(headers["x-doorward-subject"], subject, target);
        assert.equal(headers["x-kept"], "kept");
      }
    });

    test("what the browser is told does not look like an identity to the application", async () => {
      const response = await get("/open/headers");
      assert.ok(response.headers["doorward-decision"], "the debug header reaches the browser");
      const seen = Object.keys(JSON.parse(response.body).headers).map((name) => name.replaceAll("_", "-"));
      assert.deepEqual(
        seen.filter((name) => name.startsWith("x-doorward-")),
        ["x-doorward-mark"], // it says that the gate ran and that nobody is there
      );
      assert.deepEqual(
        Object.keys(response.headers).filter((name) => /^x-(doorward|middleware)-/.test(name)),
        [],
      );
    });

    test("a path in another spelling reaches the route that was judged", async () => {
      const cookie = cookies(secret);
      assert.doesNotMatch((await get("/%61rchive")).body, kept);
      const response = await get("/%61rchive", { ...page, cookie });
      assert.equal(response.status, 200);
      assert.match(response.body, /kept-by-archive/);
      const at = await get("/users/%40ada", { ...page, cookie });
      assert.match(at.body, /kept-by-user-7f3a-(<!-- -->)?%40ada/);
    });

    test("an ordinary path is not rewritten, whatever its query says", async () => {
      const cookie = cookies(secret);
      const query = "?a=b%20c&d=%C3%A9&e=[1]&f='x'&g=%2F..%2F&a=+&h=https://evil.example/";
      for (const target of ["/users/a%20b", "/users/caf%C3%A9", `/users/7${query}`, `/archive${query}`]) {
        const response = await get(target, { ...page, cookie });
        assert.equal(response.status, 200, target);
        assert.equal(response.headers["x-middleware-rewrite"], undefined, target);
      }
    });

    test("a body passes untouched from the same site, and not at all from another", async () => {
      const headers = { cookie: cookies(secret), "content-type": "text/plain" };
      const body = "ä".repeat(70_000);
      const post = (origin) => send(port, "/api/headers", { method: "POST", body, headers: { ...headers, origin } });
      const same = await post(`http://localhost:${port}`);
      assert.equal(same.status, 200, same.body.slice(0, 300));
      assert.equal(JSON.parse(same.body).body, body);
      const other = await post("https://evil.example");
      assert.equal(other.status, 403);
      assert.match(other.body, /cross_site_request/);
    });

    test("a session that is tampered with, expired or signed with another secret is refused", async () => {
      const good = session(secret);
      const forged = session("x".repeat(32));
      for (const [why, cookie] of [
        ["tampered data", `${good.tokenCookie}; ${good.dataCookie.slice(0, -4)}AAAA`],
        ["expired data", cookies(secret, { cacheExpiresAt: Date.now() - 1000 })],
        ["another secret", `${forged.tokenCookie}; ${forged.dataCookie}`],
        ["data of another token", `${good.tokenCookie}; ${session(secret).dataCookie}`],
      ]) {
        const response = await get("/api/headers", { ...script, cookie });
        assert.ok([401, 503].includes(response.status), `${why}: ${response.status}`);
        assert.doesNotMatch(response.body, kept, why);
      }
    });

    test("cookies that the auth service renews reach the browser", async () => {
      const alive = session(secret);
      auth.remember(alive);
      const response = await get("/api/headers", { ...script, cookie: alive.tokenCookie });
      assert.equal(response.status, 200, response.body);
      assert.equal(JSON.parse(response.body).headers["x-doorward-source"], "auth-service");
      assert.ok(
        response.headers["set-cookie"]?.some((value) => value.startsWith(alive.dataCookie)),
        "the renewed cookie",
      );
      assert.match(response.headers["cache-control"] ?? "", /no-store/);
    });

    test("`session()` says who it is, or that it is nobody, in each place, whatever the client claims", async () => {
      const claims = { "x-doorward-subject": "boss", "x-doorward-mark": "eyJhbGciOiJIUzI1NiJ9.e30.x", X_Doorward_Subject: "boss" };
      const cookie = cookies(secret);
      const who = "who-is-user-7f3a-by-cookie-cache";
      assert.deepEqual(JSON.parse((await get("/api/who?x=%20y", { ...script, ...claims, cookie })).body), { request: who, headers: who });
      assert.match((await get("/who", { ...page, ...claims, cookie })).body, new RegExp(`told=${who}\\.`));
      assert.deepEqual(JSON.parse((await get("/open/who", { ...script, ...claims })).body), { request: "nobody", headers: "nobody" });
      assert.match((await get("/open/page", { ...page, ...claims })).body, /told=nobody\./);
      const posted = await send(port, "/api/who", { method: "POST", headers: { ...claims, cookie, origin: `http://localhost:${port}` }, body: "x" });
      assert.deepEqual(JSON.parse(posted.body), { request: who, headers: who });
      assert.doesNotMatch((await get("/api/headers", { ...script, cookie })).body, /x-middleware-/);
    });

    test("a wrong configuration answers 503 to everything", async () => {
      const wrong = await start({ BETTER_AUTH_SECRET: "short" });
      try {
        await closed(wrong.port, [503]);
      } finally {
        await wrong.server.stop();
      }
    });

    test("a damaged WebAssembly file lets nobody in", async () => {
      const restore = damageWasm(join(app, dist, "server"));
      const damaged = await start();
      try {
        await closed(damaged.port, [500, 503]);
      } finally {
        await damaged.server.stop();
        restore();
      }
    });

    async function closed(at, statuses) {
      const cookie = cookies(secret);
      const data = `/_next/data/${buildId}/legacy.json`;
      for (const target of ["/", "/dashboard", "/archive", "/open/headers", "/api/headers", data]) {
        for (const headers of [page, { ...script, cookie }, { rsc: "1", cookie }]) {
          // Without `_rsc` Next redirects a flight request to itself, its error page included.
          const response = await send(at, headers.rsc ? `${target}?_rsc` : target, { headers });
          assert.ok(statuses.includes(response.status), `${target}: ${response.status}`);
          assert.doesNotMatch(response.body, kept, target);
          if (response.status === 503) assert.match(response.headers["cache-control"], /no-store/);
        }
      }
    }
  });
}

describe(narrowMatcher, { skip: !isChosen(narrowMatcher) }, () => {
  let port;
  let server;

  before(async () => {
    progress(`next build: ${narrowMatcher}`);
    await nextBuild("proxy.ts", [], { APP_DIST: ".next-narrow" }, "narrow.ts");
    ({ server, port } = await nextStart({ APP_DIST: ".next-narrow" }));
  });
  after(() => server?.stop());

  test("where the gate did not run, `session()` throws, and believes no header of a client", async () => {
    const forged = { "x-doorward-subject": "evil", "x-doorward-source": "jwt", "x-doorward-expires": "4000000000" };
    for (const cookie of [undefined, cookies(secret)]) {
      for (const mark of [undefined, "x", "eyJhbGciOiJIUzI1NiIsInR5cCI6ImRvb3J3YXJkLW1hcmsrand0In0.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]) {
        const headers = { ...forged, ...(cookie && { cookie }), ...(mark && { "x-doorward-mark": mark }) };
        const reason = mark === undefined ? "mark_missing" : mark === "x" ? "mark_malformed" : "mark_signature";
        for (const path of ["/api/who", "/open/who"]) {
          assert.deepEqual(JSON.parse((await send(port, path, { headers })).body), { request: reason, headers: reason });
        }
        for (const path of ["/who", "/open/page"]) {
          const { body } = await send(port, path, { headers: { ...page, ...headers } });
          assert.match(body, new RegExp(`told=${reason}\\.`));
          assert.doesNotMatch(body, /evil/);
        }
      }
    }
    assert.match((await send(port, "/dashboard", { headers: { ...page, cookie: cookies(secret) } })).body, /user-7f3a/);
  });
});

describe(underBasePath, { skip: !isChosen(underBasePath) }, () => {
  const env = { APP_DIST: ".next-base", APP_BASE: "/shop" };
  let port;
  let server;

  let buildId;

  before(async () => {
    progress(`next build: ${underBasePath}`);
    buildId = await nextBuild("proxy.ts", [], env);
    ({ server, port } = await nextStart(env));
  });
  after(() => server?.stop());

  test("no protected page is given to anybody in any transport", () => judgeForms({ port, buildId, base: "/shop" }));

  test("redirects, rewrites and marks are about the path that the browser sees", async () => {
    const cookie = cookies(secret);
    const who = "who-is-user-7f3a-by-cookie-cache";
    assert.deepEqual(JSON.parse((await send(port, "/shop/api/who", { headers: { ...script, cookie } })).body), { request: who, headers: who });
    assert.match((await send(port, "/shop", { headers: page })).body, /front page/);
    const redirect = await send(port, "/shop/dashboard", { headers: page });
    assert.equal(redirect.headers.location, "/shop/sign-in?callbackURL=%2Fshop%2Fdashboard");
    for (const target of ["/shop/dashboard", "/shop/%64ashboard"]) {
      assert.doesNotMatch((await send(port, target)).body, kept, target);
      assert.match((await send(port, target, { headers: { ...page, cookie } })).body, /kept-by-dashboard/, target);
    }
    for (const target of [
      "/dashboard",
      "//shop/dashboard",
      "/shop//dashboard",
      "/shop/../dashboard",
      "/shop%2fdashboard",
      "/SHOP/dashboard",
    ]) {
      assert.doesNotMatch((await send(port, target)).body, kept, target);
    }
  });
});

describe(withLocales, { skip: !isChosen(withLocales) }, () => {
  const env = { APP_DIST: ".next-locales", APP_BASE: "/shop", APP_LOCALES: "en,de" };
  let port;
  let server;
  let buildId;

  before(async () => {
    progress(`next build: ${withLocales}`);
    buildId = await nextBuild("proxy.ts", [], env);
    ({ server, port } = await nextStart(env));
  });
  after(() => server?.stop());

  test("no protected page is given to anybody in any transport", () =>
    judgeForms({ port, buildId, base: "/shop", locales: ["en", "de"] }));
});

describe(withoutGate, { skip: !isChosen(withoutGate) }, () => {
  const env = { APP_DIST: ".next-open" };
  let port;
  let server;
  let buildId;

  before(async () => {
    progress(`next build: ${withoutGate}`);
    buildId = await nextBuild(undefined, [], env);
    ({ server, port } = await nextStart(env));
  });
  after(() => server?.stop());

  test("the same forms give the content: without a gate nothing else refuses them", async () => {
    const actionId = await actionIdOf(port, "");
    const given = await givenBy(port, forms(buildId, { actionId }), {});
    progress(`no gate: ${countsOf(given)}`);
    const transports = ["document", "HEAD", "RSC", "prefetch", "segment prefetch", "server action", "the form .rsc", "data"];
    for (const transport of [...transports, "a photo within the gallery", "image"]) {
      assert.ok(
        given.some((form) => form.transport === transport),
        `nothing is given as ${transport}`,
      );
    }
    assert.equal(given.filter(({ transport }) => transport === "document").length, 11);
  });

  test("node --import doorward/register guards the same build, and session() knows who asks", async () => {
    const guarded = await nextStart({ ...env, DOORWARD: '{"extends":"better-auth","framework":"next"}' }, ["--import", "doorward/register"]);
    try {
      await judgeForms({ port: guarded.port, buildId });
      const cookie = cookies(secret);
      const who = "who-is-user-7f3a-by-cookie-cache";
      const { body } = await send(guarded.port, "/api/who", { headers: { ...script, cookie, "x-doorward-mark": "forged" } });
      assert.deepEqual(JSON.parse(body), { request: who, headers: who });
      assert.match(guarded.server.log, /"event":"listening"/);
    } finally {
      await guarded.server.stop();
    }
  });
});

describe(brokenConfiguration, { skip: !isChosen(brokenConfiguration) }, () => {
  const files = ["next.config.mjs", "package.json", "doorward.json", "proxy.ts"];
  const WRAPPED = 'import { withDoorward } from "doorward/next/config";\nimport plain from "./plain.config.mjs";\nexport default withDoorward(plain);\n';
  const built = { APP_DIST: ".next-checked" };
  let kept;

  before(() => {
    for (const other of ["proxy.ts", "middleware.ts"]) rmSync(join(app, other), { force: true });
    copyFileSync(join(app, "gates", "proxy.ts"), join(app, "proxy.ts"));
    kept = new Map(["next.config.mjs", "package.json"].map((name) => [name, readFileSync(join(app, name), "utf8")]));
    writeFileSync(join(app, "plain.config.mjs"), kept.get("next.config.mjs"));
  });
  after(() => {
    for (const name of [...files, "plain.config.mjs"]) rmSync(join(app, name), { force: true });
    for (const [name, content] of kept) writeFileSync(join(app, name), content);
  });

  const broken = (text) => writeFileSync(join(app, "doorward.json"), text);
  const fails = async (command, args, expected) => {
    const error = await run(command, args, { cwd: app, env: built }).then(() => assert.fail("the build has passed"), (failure) => failure);
    for (const sentence of expected) assert.ok(error.message.includes(sentence), `${sentence} is not in:\n${error.message}`);
  };

  test("a bare `next build` fails by withDoorward(), and says where and why", async () => {
    writeFileSync(join(app, "next.config.mjs"), WRAPPED);
    broken('{\n  "extends": "better-auth",\n}\n');
    await fails(process.execPath, [nextBin, "build"], ["doorward check fails", "doorward.json:3:1", "this is not JSON: trailing comma"]);
    broken('{\n  "extends": "better-auth",\n  "publik": ["/"]\n}\n');
    await fails(process.execPath, [nextBin, "build"], ["doorward.json:3:", "publik", 'did you mean "public"?']);
  });

  test("`npm run build` fails by prebuild, before Next begins", async () => {
    writeFileSync(join(app, "next.config.mjs"), kept.get("next.config.mjs"));
    const manifest = JSON.parse(kept.get("package.json"));
    writeFileSync(join(app, "package.json"), JSON.stringify({ ...manifest, scripts: { prebuild: "doorward check", build: "next build" } }));
    broken('{\n  "extends": "better-auth",\n}\n');
    await fails("npm", ["run", "build"], ["error[configuration]", "doorward.json:3:1", "this is not JSON: trailing comma"]);
  });

  test("with a right one the build passes", async () => {
    writeFileSync(join(app, "next.config.mjs"), WRAPPED);
    broken('{ "extends": "better-auth", "framework": "next" }\n');
    await run(process.execPath, [nextBin, "build"], { cwd: app, env: built });
    assert.ok(readFileSync(join(app, built.APP_DIST, "BUILD_ID"), "utf8"));
  });
});

/** Without a session nothing is given; with one, enough to show that the forms are forms. */
async function judgeForms({ port, buildId, base = "", locales = [] }) {
  const cookie = cookies(secret);
  const all = forms(buildId, { base, locales, actionId: await actionIdOf(port, base, { cookie }) });
  const leaks = await givenBy(port, all, {});
  assert.deepEqual(
    leaks.map(({ transport, target }) => `${target} as ${transport}`),
    [],
  );
  const given = await givenBy(port, all, { cookie });
  assert.ok(given.length >= 100, `only ${given.length} forms have content to give`);
  progress(`${all.length} forms without a session, no leak; with one, ${countsOf(given)}`);
}

async function givenBy(port, all, more) {
  const given = [];
  for (const form of all) {
    const options = { ...form, headers: { ...form.headers, ...more } };
    let response = await send(port, form.target, options);
    // Next redirects a flight request to an address with a digest of its headers before it answers.
    if (response.status === 307 && form.headers.rsc) {
      const { pathname, search } = new URL(response.headers.location, "http://localhost");
      if (search.includes("_rsc")) response = await send(port, pathname + search, options);
    }
    if (gives(form, response)) given.push(form);
  }
  return given;
}

function countsOf(given) {
  const counts = new Map();
  for (const { transport } of given) counts.set(transport, (counts.get(transport) ?? 0) + 1);
  return `${given.length} give content (${[...counts].map(([transport, count]) => `${count} ${transport}`).join(", ")})`;
}

async function actionIdOf(port, base, headers) {
  const { body } = await send(port, `${base}/act`, { headers: { ...page, ...headers } });
  return /\$ACTION_ID_([0-9a-f]+)/.exec(body)[1];
}

async function nextBuild(file, options, env, gate = file) {
  for (const other of ["proxy.ts", "middleware.ts"]) rmSync(join(app, other), { force: true });
  if (file) copyFileSync(join(app, "gates", gate), join(app, file));
  await run(process.execPath, [nextBin, "build", ...options], { cwd: app, env });
  return readFileSync(join(app, env.APP_DIST, "BUILD_ID"), "utf8");
}

/** An API that says what it got. */
async function mirror() {
  const server = createServer(async (request, response) => {
    const { method, url: target, headers } = request;
    response.end(JSON.stringify({ method, target, headers, body: await text(request) }));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const stop = () => new Promise((done) => (server.closeAllConnections(), server.close(done)));
  return { origin: `http://127.0.0.1:${server.address().port}`, stop };
}

async function nextStart(env, before = []) {
  const server = await serve([...before, nextBin, "start", "-p", "0", "-H", "localhost"], {
    cwd: app,
    env: { BETTER_AUTH_URL: auth.url, BETTER_AUTH_SECRET: secret, NOTES_URL: notes.origin, ...env },
    ready: /Ready in/,
  });
  return { server, port: Number(/localhost:(\d+)/.exec(server.log)[1]) };
}

/** Spellings of protected paths: Next's transport forms, encodings, dots, slashes, and what once confused a matcher. */
function protectedForms(buildId) {
  const forms = ["/_next/data/other/legacy.json", `/_next/data/${buildId}/index.json`];
  forms.push("/users/7?nxtPid=8", "/users/7?nxtIid=8", "/users/7?id=8");
  for (const name of ["dashboard", "archive", "legacy", "api/headers"]) {
    const endings = [
      "",
      "/",
      "/.",
      "//",
      ".rsc",
      ".prefetch.rsc",
      ".json",
      ".html",
      ".body",
      ".meta",
      ";x=1",
      "?_rsc=1",
      "?/",
    ];
    const odd = ["%00", "%20", "%23", "%3f", ".segments/_tree.segment.rsc", ".segments/_index.segment.rsc"];
    for (const ending of [...endings, ...odd]) forms.push(`/${name}${ending}`);
    forms.push(`/${name}.segments/${name}.segment.rsc`, `/${name}.segments/${name}/__PAGE__.segment.rsc`);
    for (const infix of ["", "en/", "/"]) forms.push(`/_next/data/${buildId}/${infix}${name}.json`);
    const beginnings = [
      "/",
      "\\",
      "./",
      "x/../",
      "%2e/",
      "%2f",
      "%5c",
      "en/",
      "?/",
      "open/../",
      "open/%2e%2e/",
      "open/..%2f",
    ];
    const detours = ["open/x/../../", "sign-in/../", "sign-in%2f..%2f", "_next/static/../", "_next/static/%2e%2e/"];
    const deeper = ["_next/static/../../", "_next/static//../../", "_next/static/..%2f..%2f", "_next/static/..%5c..%5c"];
    for (const beginning of [...beginnings, ...detours, ...deeper]) forms.push(`/${beginning}${name}`);
    forms.push(`/${name.toUpperCase()}`, `/%${name.charCodeAt(0).toString(16)}${name.slice(1)}`);
    forms.push(`/_next/image?url=%2f${encodeURIComponent(name)}&w=64&q=75`);
  }
  return forms;
}

/** Damages the module wherever the build put it, as a file or inside a script; gives a way to undo it. */
function damageWasm(folder) {
  const [, packed] = /const packed = "(.{40})/.exec(readFileSync(new URL("../../wasm/wasm-inline.js", import.meta.url), "utf8"));
  const undo = [];
  const damage = (path, bytes) => {
    const original = readFileSync(path);
    undo.push(() => writeFileSync(path, original));
    writeFileSync(path, bytes);
  };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.name.endsWith(".wasm")) {
      const bytes = readFileSync(path);
      damage(path, bytes.subarray(0, bytes.length / 2));
    }
    if (entry.name.endsWith(".js")) {
      const text = readFileSync(path, "utf8");
      if (text.includes(packed)) damage(path, text.replaceAll(packed, "A".repeat(packed.length)));
    }
  }
  assert.ok(undo.length > 0, "the build contains the module");
  return () => undo.forEach((restore) => restore());
}
