import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { gatesOn } from "../gate.js";
import { AUTH, NOW, config, deferred, glue, newIssuer, openConfig, request } from "./support.js";

const silent = { log: () => {} };

/** The real glue with a trap that can be set, and a record of what is done to it. */
function watched() {
  const record = { drafts: 0, starts: 0, compiled: [], trap: false, noStart: false, garbage: false };
  const sprung = () => {
    if (!record.trap) return;
    record.trap = false;
    throw new WebAssembly.RuntimeError("unreachable");
  };
  class Gate {
    #gate;
    constructor(gate) {
      this.#gate = gate;
    }
    startLines(...parts) {
      return this.#gate.startLines(...parts);
    }
    room(...parts) {
      return this.#gate.room(...parts);
    }
    decide(...parts) {
      sprung();
      const address = this.#gate.decide(...parts);
      if (record.garbage) new Uint8Array(glue.linearMemory().buffer)[address] = 77;
      return address;
    }
    resume(...parts) {
      sprung();
      return this.#gate.resume(...parts);
    }
    receive(...parts) {
      sprung();
      this.#gate.receive(...parts);
    }
  }
  class Draft {
    #draft;
    #values = {};
    constructor(text) {
      record.drafts++;
      this.#draft = new glue.Draft(text);
    }
    names() {
      return this.#draft.names();
    }
    value(name, value) {
      this.#values[name] = value;
      this.#draft.value(name, value);
    }
    checks(part) {
      this.#draft.checks(part);
    }
    signs(part) {
      this.#draft.signs(part);
    }
    compile() {
      record.compiled.push(this.#values);
      return new Gate(this.#draft.compile());
    }
  }
  const __wbg_reset_state = () => {
    record.starts++;
    if (record.noStart) throw new WebAssembly.LinkError("no");
    glue.__wbg_reset_state();
  };
  return { record, glue: { Draft, linearMemory: glue.linearMemory, __wbg_reset_state } };
}

function assertNotStarted(verdict) {
  assert.equal(verdict.kind, "answer");
  assert.equal(verdict.reason, "not_started");
  assert.equal(verdict.response.status, 503);
  assert.equal(verdict.response.headers.get("content-type"), "application/problem+json");
  assert.equal(verdict.response.headers.get("cache-control"), "private, no-store");
  assert.equal(verdict.response.headers.get("retry-after"), "5");
}

test("nothing happens before the first request, and the configuration is compiled once", async () => {
  const { record, glue } = watched();
  const gate = gatesOn(glue, silent)({ config: openConfig, env: {} });
  assert.deepEqual([record.starts, record.drafts, record.compiled.length], [0, 0, 0]);
  for (let i = 0; i < 3; i++) assert.equal((await gate.decide(request("/"))).kind, "forward");
  assert.deepEqual([record.starts, record.drafts, record.compiled.length], [1, 1, 1]);
});

test("two gates share an instance, each with its own configuration", async () => {
  const { record, glue } = watched();
  const createGate = gatesOn(glue, silent);
  const open = createGate({ config: openConfig, env: {} });
  const closed = createGate({ config: JSON.stringify(config), env: {}, log: () => {} });
  assert.equal((await open.decide(request("/"))).kind, "forward");
  assert.equal((await closed.decide(request("/"))).kind, "answer");
  assert.equal((await open.decide(request("/"))).kind, "forward");
  assert.deepEqual([record.starts, record.compiled.length], [1, 2]);
});

test("only the variables that the configuration names are read", async () => {
  const { record, glue } = watched();
  const read = [];
  const env = new Proxy({ URL: AUTH, OTHER: "secret", NUMBER: 1 }, { get: (from, name) => (read.push(name), from[name]) });
  const named = { ...openConfig, issuers: [{ type: "better-auth", url: { env: ["NUMBER", "URL"] } }] };
  const gate = gatesOn(glue, silent)({ config: named, env });
  assert.equal((await gate.decide(request("/"))).kind, "forward");
  assert.deepEqual(read.sort(), ["NUMBER", "URL"]);
  assert.deepEqual(record.compiled[0], { URL: AUTH });
});

test("a wrong configuration answers 503 and is said once, with every place, problem and hint", async () => {
  for (const wrong of ["{", { issuers: 1 }, { ...config, rules: [{ path: "no-slash", access: "maybe" }] }, { n: 1n }]) {
    const { record, glue } = watched();
    const lines = [];
    const gate = gatesOn(glue, silent)({ config: wrong, env: {}, log: (line) => lines.push(line) });
    assertNotStarted(await gate.decide(request("/")));
    const said = lines.length;
    const errors = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "config_error");
    assert.ok(errors.length > 0 && errors.every(({ gate, path, problem, hint, time }) => gate === "doorward" && path !== undefined && problem && hint && time), lines.join("\n"));
    assertNotStarted(await gate.decide(request("/sign-in")));
    // What is said then is that the request was refused.
    assert.deepEqual(lines.slice(said).map((line) => JSON.parse(line).reason), ["not_started"]);
    assert.ok(record.drafts <= 1);
  }
});

test("a short secret is warned of once, without itself, and lets requests through", async () => {
  for (const [length, warned] of [[16, true], [31, true], [32, false]]) {
    const secret = "0123456789abcdef0123456789abcdef".slice(0, length);
    const lines = [];
    const issuers = [{ type: "better-auth", url: AUTH, secret: { env: "SECRET" } }];
    const gate = gatesOn(watched().glue, silent)({ config: { ...openConfig, issuers }, env: { SECRET: secret }, log: (line) => lines.push(line) });
    for (let i = 0; i < 2; i++) assert.equal((await gate.decide(request("/"))).kind, "forward");
    const said = lines.map((line) => JSON.parse(line));
    const warning = { path: "issuers[0].secret", problem: "the secret has fewer than 32 bytes (value of SECRET)", hint: "make a longer one: openssl rand -base64 32" };
    assert.deepEqual(said.slice(1).map(({ event, path, problem, hint }) => [event, { path, problem, hint }]), warned ? [["config_warning", warning]] : []);
    // By the start line the secret can be compared, if it is long enough for that.
    const { fingerprint, ...about } = said[0].secrets[0];
    assert.deepEqual([said[0].event, said[0].configuration, about], ["start", "option config", { variable: "SECRET", length: warned ? "<32" : "32\u201364" }]);
    const mac = createHmac("sha256", secret).update("doorward fingerprint 1").digest("hex");
    assert.equal(fingerprint, warned ? undefined : mac.slice(0, 6));
    assert.ok(!lines.join().includes(secret));
  }
});

test("an instance that cannot start is a 503, and the next request tries again", async () => {
  const { record, glue } = watched();
  record.noStart = true;
  const gate = gatesOn(glue, silent)({ config: openConfig, env: {} });
  assertNotStarted(await gate.decide(request("/")));
  record.noStart = false;
  assert.equal((await gate.decide(request("/"))).kind, "forward");
});

test("a trap is a 503; the next request has a new instance with the configuration compiled anew", async () => {
  const { record, glue } = watched();
  const gate = gatesOn(glue, silent)({ config: openConfig, env: {} });
  assert.equal((await gate.decide(request("/"))).kind, "forward");
  record.trap = true;
  assertNotStarted(await gate.decide(request("/")));
  assert.equal((await gate.decide(request("/"))).kind, "forward");
  assert.deepEqual([record.starts, record.compiled.length], [2, 2]);
});

test("bytes that are no decision are the end of the instance", async () => {
  const { record, glue } = watched();
  const gate = gatesOn(glue, silent)({ config: openConfig, env: {} });
  record.garbage = true;
  assertNotStarted(await gate.decide(request("/")));
  record.garbage = false;
  assert.equal((await gate.decide(request("/"))).kind, "forward");
  assert.equal(record.starts, 2);
});

test("two requests across a trap end in 503, and so does what they had begun; the next one passes", async () => {
  const { record, glue } = watched();
  const { keySet, token } = await newIssuer();
  const fetched = [];
  const fetch = () => {
    fetched.push(deferred());
    return fetched.at(-1).promise;
  };
  const gate = gatesOn(glue, silent)({ config, env: {}, fetch, now: () => NOW, log: () => {} });
  const bearer = request("/api", { authorization: `Bearer ${token}` });

  const first = gate.decide(bearer);
  assert.equal(fetched.length, 1, "the first one asks for the keys");
  record.trap = true;
  assertNotStarted(await gate.decide(bearer));
  fetched[0].resolve(new Response(keySet));
  assertNotStarted(await first);

  const third = gate.decide(bearer);
  assert.equal(fetched.length, 2, "the new instance knows no keys");
  fetched[1].resolve(new Response(keySet));
  assert.equal((await third).kind, "forward");
  assert.equal(record.starts, 2);
});

test("a trap in one gate is the end of what the others had begun", async () => {
  const { record, glue } = watched();
  const { keySet, token } = await newIssuer();
  const keys = deferred();
  const createGate = gatesOn(glue, silent);
  const one = createGate({ config, env: {}, fetch: () => keys.promise, now: () => NOW, log: () => {} });
  const other = createGate({ config: openConfig, env: {} });
  const begun = one.decide(request("/api", { authorization: `Bearer ${token}` }));
  await other.decide(request("/"));
  record.trap = true;
  assertNotStarted(await other.decide(request("/")));
  assert.equal((await other.decide(request("/"))).kind, "forward");
  keys.resolve(new Response(keySet));
  assertNotStarted(await begun);
});

test("after repeated traps the next start waits, twice as long each time and never more than five seconds", async () => {
  const { record, glue } = watched();
  let now = NOW;
  const gate = gatesOn(glue, { now: () => now, ...silent })({ config: openConfig, env: {} });
  const pauses = [];
  for (let trap = 0; trap < 10; trap++) {
    record.trap = true;
    assertNotStarted(await gate.decide(request("/")));
    const before = now;
    while ((await gate.decide(request("/"))).kind === "answer") now += 50;
    pauses.push(now - before);
  }
  assert.deepEqual(pauses, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);

  now += 60_001;
  record.trap = true;
  assertNotStarted(await gate.decide(request("/")));
  assert.equal((await gate.decide(request("/"))).kind, "forward", "long calm is forgiven");
});

test("a clock that is set back does not keep the gate closed", async () => {
  const { record, glue } = watched();
  let now = NOW;
  const gate = gatesOn(glue, { now: () => now, ...silent })({ config: openConfig, env: {} });
  for (let trap = 0; trap < 2; trap++) {
    record.trap = true;
    assertNotStarted(await gate.decide(request("/")));
  }
  now -= 3_600_000;
  assert.equal((await gate.decide(request("/"))).kind, "forward");
});

test("a trap says that it happened, and nothing of the request", async () => {
  const { record, glue } = watched();
  const lines = [];
  const gate = gatesOn(glue, { log: (line) => lines.push(line) })({ config: openConfig, env: {} });
  record.trap = true;
  await gate.decide(request("/?secret", { cookie: "secret" }));
  record.trap = true;
  await gate.decide(request("/"));
  const said = lines.map((line) => JSON.parse(line));
  assert.deepEqual(said.map(({ event, gate }) => [event, gate]), Array(2).fill(["crash", "doorward"]));
  assert.match(said[0].problem, /^the WebAssembly instance \d+ crashed \(RuntimeError\); a later request starts a new one$/);
});
