// What is measured, in any runtime: ours and the rivals', by case and phase. Which calls, and why they compare:
//
// phase `first`: a credential that this gate has never seen.
//   ours    `gate.decideHead(head)` of the npm package, up to the decision as an object; for a signature that the platform
//           checks that includes its effect. The instance of WebAssembly is new for each batch and every credential is
//           there once, so nothing is remembered; key set and imported key are there.
//   rival   JWT: jose's `jwtVerify(token, set, { issuer, audience })` with a local set whose keys are imported.
//           Cookies: `getCookieCache` of better-auth/cookies. It gets the `Cookie` header as a string, as ours gets its head.
//
// phase `repeat`: 64 credentials in turn that have been verified before. Ours remembers, the rivals do not.
//   ours    the whole decision from the head's strings to the decision's bytes: `joinHead`, then the binding's
//           `decide(head, now)`. The object around it is shown as the row `decideHead`.
//   rival   as in `first`.
//
// phase `repeat_headers`: the same from a Fetch `Request` and with two headers set on a response.
//   ours    `gate.decide(request)`, and two of the headers in `verdict.set`.
//   rival   `headers.get("authorization")`, `jwtVerify`, and two claims.
//
// case `session_token`: ours verifies the HMAC and says what to ask the auth service (from a Fetch `Headers`: `encodeHead`,
//   `decide`, up to the bytes of the Ask); the rival, `getSessionCookie(headers)`, finds the cookie and verifies nothing.
//
// Our head has what a browser or a client sends: six headers in all, and each is read. The rivals read just the one.

import { getCookieCache, getSessionCookie } from "better-auth/cookies";
import { verifyWithJwks } from "hono/jwt";
import { createLocalJWKSet, createRemoteJWKSet, customFetch, jwtVerify } from "jose";

import { bindingOf } from "../middleware/binding.js";
import { performer } from "../middleware/perform.js";
import { signaturesBy } from "../middleware/signatures.js";
import { gatesOn } from "../middleware/gate.js";
import { encodeResult, joinHead } from "../middleware/wire.js";
import { signingCases } from "./signing.js";

/** Credentials of the `repeat` phases. */
const REPEATED = 64;

/** Effects of `session_token` are forgotten this often: a real gate has few on their way. */
const ASKS_ON_THEIR_WAY = 60;
const LATER_MS = 30_000;

const USUAL_HEADERS = [
  ["host", "app.test"],
  ["accept", "application/json"],
  ["accept-language", "en-GB,en;q=0.9"],
  ["accept-encoding", "gzip, deflate, br, zstd"],
  ["user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"],
];

const PATH = "/api/items?page=2";
const FORWARD = 1;
const ASK = 0;

/**
 * All subjects: `{ key: "eddsa.first", who, prepare, isCompared }`. `prepare(iterations)` gives the function that is timed.
 *
 * @param {object} glue the WebAssembly of this runtime
 * @param {object} fixtures
 */
export function subjectsOn(glue, { auth, site, secret, jwks, jwts, cookies, tokens }) {
  const config = {
    issuers: [{ type: "better-auth", url: auth, secret: { env: "SECRET" }, jwks, jwks_url: null }],
    rules: [{ path: "/**", access: "required" }],
    auth_requests_per_second: 10_000,
  };
  const env = { SECRET: secret };
  const expected = { issuer: auth, audience: auth };
  const head = (pair) => ({ method: "GET", target: PATH, publicOrigin: site, headers: [...USUAL_HEADERS, pair] });
  const request = (pair) => new Request(site + PATH, { headers: [...USUAL_HEADERS, pair] });
  const signatures = signaturesBy();
  const perform = performer(undefined, { signatures });

  let memory;
  let view = new DataView(new ArrayBuffer(0));
  const subjects = [];
  const compare = (key, who, prepare) => subjects.push({ key, who, prepare, isCompared: true });
  const show = (key, who, prepare) => subjects.push({ key, who, prepare, isCompared: false });
  for (const [name, list] of Object.entries(jwts)) jwtCase(name, list);
  for (const [name, list] of Object.entries(cookies)) cookieCase(name, list);
  sessionTokenCase();
  signingCases(gatesOn(glue), config, env, head(["authorization", `Bearer ${Object.values(jwts)[0][0]}`]), compare);
  profile();
  return subjects;

  function jwtCase(name, list) {
    const pairs = list.map((token) => ["authorization", `Bearer ${token}`]);
    const local = createLocalJWKSet(jwks);
    const remote = createRemoteJWKSet(new URL(`${auth}/jwks`), {
      [customFetch]: async () => new Response(JSON.stringify(jwks), { headers: { "content-type": "application/json" } }),
      cacheMaxAge: Infinity,
    });
    const alg = [jwks.keys.find((key) => key.kid === `key-${name}`).alg];
    const joseWith = (set) => async (token) => (await jwtVerify(token, set, expected)).payload.sub !== undefined;
    const hono = async (token) => {
      const payload = await verifyWithJwks(token, { keys: jwks.keys, allowedAlgorithms: alg, verification: { iss: auth, aud: auth } });
      return payload.sub !== undefined;
    };

    compare(`${name}.first`, "ours", ourFirst(pairs));
    compare(`${name}.first`, "jose", each(list, joseWith(local)));
    show(`${name}.first`, "jose remote", each(list, joseWith(remote)));
    show(`${name}.first`, "hono/jwk", each(list, hono));

    const repeated = list.slice(0, REPEATED);
    compare(`${name}.repeat`, "ours", ourRepeat(pairs));
    compare(`${name}.repeat`, "jose", each(repeated, joseWith(local)));
    show(`${name}.repeat`, "ours: decideHead", ourRepeatedHead(pairs));

    compare(`${name}.repeat_headers`, "ours", ourRepeatedRequest(pairs));
    compare(`${name}.repeat_headers`, "jose", josesRequest(pairs, local));
  }

  function cookieCase(name, list) {
    const pairs = list.map((cookie) => ["cookie", cookie]);
    const strategy = name === "hs256" ? "jwt" : name;
    const theirs = async (cookie) => {
      const found = await getCookieCache({ get: () => cookie }, { secret, strategy, isSecure: true, version: "1" });
      return found?.user.id !== undefined;
    };
    compare(`${name}.first`, "ours", ourFirst(pairs));
    compare(`${name}.first`, "getCookieCache", each(list, theirs));
    compare(`${name}.repeat`, "ours", ourRepeat(pairs));
    compare(`${name}.repeat`, "getCookieCache", each(list.slice(0, REPEATED), theirs));
    show(`${name}.repeat`, "ours: decideHead", ourRepeatedHead(pairs));
  }

  function sessionTokenCase() {
    compare("session_token.first", "ours", async (iterations) => {
      const engine = newEngine();
      const received = tokens.map((cookie) => new Headers([...USUAL_HEADERS, ["cookie", cookie]]));
      let now = Date.now();
      return () => {
        for (let i = 0; i < iterations; i++) {
          const slot = i % ASKS_ON_THEIR_WAY;
          if (slot === 0) now += LATER_MS;
          const joined = joinHead({ method: "GET", target: PATH, publicOrigin: site, headers: received[slot] });
          if (tagAt(engine.decide(joined, now)) !== ASK) throw new Error("this is not an Ask");
        }
      };
    });
    compare("session_token.first", "getSessionCookie", async (iterations) => {
      const received = tokens.map((cookie) => new Headers([...USUAL_HEADERS, ["cookie", cookie]]));
      return () => {
        for (let i = 0; i < iterations; i++) {
          if (!getSessionCookie(received[i % ASKS_ON_THEIR_WAY])) throw new Error("there is no cookie");
        }
      };
    });
  }

  /** Where the time of a repeated decision goes. */
  function profile() {
    const pairs = Object.values(jwts)[0].map((token) => ["authorization", `Bearer ${token}`]);
    const step = (who, prepare) => show("profile.repeat", who, prepare);
    const loop = (work) => (iterations) => () => {
      for (let i = 0; i < iterations; i++) work(i % REPEATED);
    };
    const heads = pairs.slice(0, REPEATED).map(head);
    const received = () => pairs.slice(0, REPEATED).map((pair) => new Headers([...USUAL_HEADERS, pair]));

    step("joinHead of pairs", async (iterations) => loop((i) => joinHead(heads[i]))(iterations));
    step("joinHead of a Headers", async (iterations) => {
      const all = received().map((headers) => ({ method: "GET", target: PATH, publicOrigin: site, headers }));
      return loop((i) => joinHead(all[i]))(iterations);
    });
    step("decide, joined to bytes", async (iterations) => {
      const engine = await warmEngine(pairs);
      const joined = heads.map((one) => flat(joinHead(one)));
      return loop((i) => engine.decide(joined[i], Date.now()))(iterations);
    });
    step("the same without writing", async (iterations) => {
      const engine = await warmEngine(pairs);
      const { length } = engine.head();
      return loop(() => engine.gate.decide(length, Date.now()))(iterations);
    });
    step("decision, bytes to object", async (iterations) => {
      const engine = await warmEngine(pairs);
      const address = engine.decide(joinHead(heads[0]), Date.now());
      return loop(() => engine.decision(address))(iterations);
    });
    step("new Headers(headers)", async (iterations) => {
      const all = received();
      return loop((i) => new Headers(all[i]))(iterations);
    });
    step("headers.get", async (iterations) => {
      const all = received();
      return loop((i) => all[i].get("authorization"))(iterations);
    });
    step("new Headers, two set", async (iterations) =>
      loop((i) => {
        const headers = new Headers();
        headers.set("x-user", heads[i].target);
        headers.set("x-email", heads[i].target);
      })(iterations));
  }

  // ---- ours

  /** Gates in an instance of their own, each with the key set read and the key imported. */
  async function newGates(count, warmUp) {
    const createGate = gatesOn(glue);
    const gates = Array.from({ length: count }, () => createGate({ config, env, log: () => {} }));
    for (const gate of gates) for (const pair of warmUp) await passes(gate.decideHead(head(pair)));
    return gates;
  }

  function ourFirst(pairs) {
    const unseen = pairs.slice(0, -1).map(head);
    return async (iterations) => {
      const gates = await newGates(Math.ceil(iterations / unseen.length), pairs.slice(-1));
      return async () => {
        for (let i = 0; i < iterations; i++) {
          const decision = await gates[Math.floor(i / unseen.length)].decideHead(unseen[i % unseen.length]);
          if (decision.kind !== "forward") throw refused(decision);
        }
      };
    };
  }

  function ourRepeatedHead(pairs) {
    const seen = pairs.slice(0, REPEATED);
    const heads = seen.map(head);
    return async (iterations) => {
      const [gate] = await newGates(1, seen);
      return async () => {
        for (let i = 0; i < iterations; i++) {
          const decision = await gate.decideHead(heads[i % REPEATED]);
          if (decision.kind !== "forward") throw refused(decision);
        }
      };
    };
  }

  function ourRepeatedRequest(pairs) {
    const seen = pairs.slice(0, REPEATED);
    return async (iterations) => {
      const [gate] = await newGates(1, seen);
      const requests = seen.map(request);
      return async () => {
        for (let i = 0; i < iterations; i++) {
          const verdict = await gate.decide(requests[i % REPEATED]);
          if (verdict.kind !== "forward") throw refused(verdict);
          const headers = new Headers();
          headers.set("x-user", verdict.set[0][1]);
          headers.set("x-expires", verdict.set[2][1]);
        }
      };
    };
  }

  function ourRepeat(pairs) {
    const heads = pairs.slice(0, REPEATED).map(head);
    return async (iterations) => {
      const engine = await warmEngine(pairs);
      return () => {
        for (let i = 0; i < iterations; i++) {
          const at = engine.decide(joinHead(heads[i % REPEATED]), Date.now());
          if (tagAt(at) !== FORWARD) throw refused(engine.decision(at));
        }
      };
    };
  }

  /** The engine without the host around it. */
  function newEngine() {
    glue.__wbg_reset_state();
    const draft = new glue.Draft(JSON.stringify(config));
    for (const [name, value] of Object.entries(env)) draft.value(name, value);
    for (const part of signatures.parts) draft.checks(part);
    const gate = draft.compile();
    memory = glue.linearMemory();
    return { ...bindingOf(glue, gate), gate };
  }

  /** The kind of the decision at an address: its first number. */
  function tagAt(address) {
    if (view.buffer !== memory.buffer) view = new DataView(memory.buffer);
    return view.getUint32(address + 8, true);
  }

  async function warmEngine(pairs) {
    const engine = newEngine();
    for (const pair of pairs.slice(0, REPEATED)) {
      let decision = engine.decision(engine.decide(joinHead(head(pair)), Date.now()));
      const bytes = engine.head();
      while (decision.kind === "perform") {
        const result = encodeResult(await perform(decision.effect));
        decision = engine.decision(engine.resume(bytes, decision.effect.id, result, Date.now()));
      }
      if (decision.kind !== "forward") throw refused(decision);
    }
    return engine;
  }

  // ---- theirs

  function each(list, verify) {
    return async (iterations) => {
      await verify(list.at(-1));
      return async () => {
        for (let i = 0; i < iterations; i++) if (!(await verify(list[i % list.length]))) throw new Error("the rival refuses");
      };
    };
  }

  function josesRequest(pairs, set) {
    return async (iterations) => {
      const requests = pairs.slice(0, REPEATED).map(request);
      return async () => {
        for (let i = 0; i < iterations; i++) {
          const token = requests[i % REPEATED].headers.get("authorization").slice("Bearer ".length);
          const { payload } = await jwtVerify(token, set, expected);
          const headers = new Headers();
          headers.set("x-user", payload.sub);
          headers.set("x-expires", String(payload.exp));
        }
      };
    };
  }
}

const flat = ({ text, lengths, count }) => ({ text, lengths: lengths.slice(0, count), count });

async function passes(decision) {
  const found = await decision;
  if (found.kind !== "forward") throw refused(found);
}

function refused({ reason, kind, log }) {
  return new Error(`the gate says ${kind} ${reason ?? ""} ${log ?? ""}`);
}
