// Plays decision vectors on whatever gate it is given, in whatever runtime it finds itself, and says what came of each in the
// words of `tests/vectors/README.md`. What is expected it has never seen: `tests/vectors/compare.mjs` judges every host alike.

import { taken } from "../../../tests/vectors/results.js";

/**
 * @param {object} glue what wasm-bindgen wrote
 * @param {(glue: object) => (options: object) => object} gatesOn
 * @param {{ name: string, text: string }[]} files
 * @returns {Promise<{ file: string, number: number, outcome: object }[]>}
 */
export async function play(glue, gatesOn, files) {
  const lines = [];
  const found = {};
  // One instance for all gates, as in a program.
  const createGate = gatesOn(explaining(glue, found));
  for (const { name: file, text } of files) {
    const worlds = new Map();
    const { policies, cases } = JSON.parse(text);
    for (const [number, { expect: _, ...vector }] of cases.entries()) {
      const world = vector.after === undefined ? newWorld(createGate, policies[vector.policy]) : worlds.get(vector.after);
      worlds.set(vector.name, world);
      lines.push({ file, number, outcome: await outcomeIn(world, vector, found) });
    }
  }
  return lines;
}

/** A gate of its own, with a clock and a network that a case can set. */
function newWorld(createGate, { config, env = {}, stores = [] }) {
  const world = { now: 0, results: [], effects: [], background: [], said: [] };
  world.gate = createGate({
    config,
    env,
    stores: Object.fromEntries(stores.map((name) => [name, () => undefined])),
    now: () => world.now,
    // What is said about the configuration is not about a request.
    // What is said at the start is about no request.
    log: (line) => !/"event":"(start|config_warning)"/.test(line) && world.said.push(line),
    waitUntil: (work) => world.background.push(work),
    perform: (effect, usual) => perform(world, effect, usual),
    cache: { get: async () => undefined, put: async () => {} },
  }, { names: ["NODE_ENV"], proxies: true });
  return world;
}

/** The glue, so that a gate with the door for suites says what it finds the session's cookies to be before it decides. */
function explaining(glue, found) {
  class Draft {
    constructor(document) {
      const draft = new glue.Draft(document);
      const compile = draft.compile.bind(draft);
      draft.compile = () => {
        const gate = compile();
        const decide = gate.decide.bind(gate);
        gate.decide = (length, now) => {
          found.sessionData = gate.session_data?.(length, now) ?? null;
          return decide(length, now);
        };
        return gate;
      };
      return draft;
    }
  }
  return { Draft, linearMemory: glue.linearMemory, __wbg_reset_state: glue.__wbg_reset_state };
}

async function outcomeIn(world, { now_ms, request, results = [], origin_set_cookies = [] }, found) {
  Object.assign(world, { now: now_ms, results: [...results.entries()], effects: [], background: [], said: [] });
  found.sessionData = null;
  const head = {
    method: request.method,
    target: request.target,
    publicOrigin: request.public_origin,
    clientAddress: request.client_address,
    headers: request.headers ?? [],
  };
  const decision = await world.gate.decideHead(head, { seesResponse: true });
  const decidedAt = world.now;
  const finished = (await decision.finish?.(origin_set_cookies)) ?? [];
  // Cookies of the decision wait for the response, and are among what finishes it.
  const held = decision.decidedHeaders?.filter(([name]) => name === "set-cookie") ?? [];
  const renewed = JSON.stringify(finished.slice(0, held.length)) === JSON.stringify(held) ? finished.slice(held.length) : finished;
  await Promise.all(world.background);
  const purposes = (kind) => world.effects.filter(({ effect }) => kindOf(effect, decision) === kind).map(({ purpose }) => purpose);
  return {
    ...decided(decision, decidedAt),
    log: world.said,
    effects: purposes("effects"),
    after: purposes("after"),
    alongside: purposes("alongside"),
    renewed,
    session_data: found.sessionData,
    unused: world.results.map(([number]) => number),
    problems: [],
  };
}

function kindOf(effect, { after, alongside }) {
  if (effect === after) return "after";
  return effect === alongside ? "alongside" : "effects";
}

function decided({ kind, target, upstream, removed, set, responseHeaders, decidedHeaders = responseHeaders, livesMs, status, reason, headers, body }, now) {
  if (kind === "forward") {
    const forward = { target, upstream: upstream ?? null, removed, set, response_headers: decidedHeaders, until: livesMs === undefined ? null : now + livesMs };
    return { decision: "forward", reason: null, forward, answer: null };
  }
  const answer = { status, headers, body };
  if (!reason) return { decision: "respond", reason: null, forward: null, answer };
  return { decision: status >= 300 && status < 400 ? "redirect" : "reject", reason, forward: null, answer };
}

/** Fetches are answered by the script, in order by purpose; signatures are checked for real unless the script says otherwise. */
async function perform(world, effect, usual) {
  if (effect.kind === "wait") {
    world.now += effect.milliseconds;
    return { kind: "waited" };
  }
  const purpose = effect.kind === "fetch" ? effect.purpose : effect.kind;
  world.effects.push({ effect, purpose });
  const result = taken(world, { purpose, ...effect });
  if (result?.real || (!result && !["fetch", "read"].includes(effect.kind))) return usual(effect);
  return resultOf(result);
}

function resultOf(result) {
  const bytes = (text) => new TextEncoder().encode(text);
  if (!result || result.failed) return { kind: "failed" };
  if (result.too_large) return { kind: "tooLarge" };
  if (result.headers_too_large) return { kind: "headTooLarge" };
  if (result.unsupported) return { kind: "unsupported" };
  if (result.absent) return { kind: "absent" };
  if (result.found !== undefined) return { kind: "found", value: bytes(result.found) };
  if (result.copied !== undefined) return { kind: "copied", text: bytes(result.copied) };
  return { kind: "answered", status: result.status, headers: result.headers ?? [], body: bytes(result.body ?? "") };
}
