// Runs decision vectors on whatever gate it is given, in whatever runtime it finds itself. `tests/vectors/decisions/*.json` at
// the root of the repository is data; this is one of its readers.

/**
 * @param {(options: object) => object} createGate
 * @param {{ name: string, text: string }[]} files
 * @returns {Promise<{ cases: number, failures: string[] }>}
 */
export async function judge(createGate, files) {
  const failures = [];
  let cases = 0;
  for (const { name, text } of files) {
    const worlds = new Map();
    const { policies, cases: list } = JSON.parse(text);
    for (const vector of list) {
      cases++;
      const world = vector.after ? worlds.get(vector.after) : newWorld(createGate, policies[vector.policy]);
      worlds.set(vector.name, world);
      const problems = world ? await play(world, vector) : [`there is no case before it called ${vector.after}`];
      for (const problem of problems) failures.push(`${name}: ${vector.name}: ${problem}`);
    }
  }
  return { cases, failures };
}

/** A gate of its own, with a clock and a network that a case can set. */
function newWorld(createGate, { config, env = {}, stores = [] }) {
  const world = { now: 0, replies: [], asks: [], background: [], said: [] };
  world.gate = createGate({
    config,
    env,
    stores: Object.fromEntries(stores.map((name) => [name, () => undefined])),
    now: () => world.now,
    // What is said about the configuration is not about a request.
    log: (line) => line.startsWith("{") && world.said.push(line),
    waitUntil: (work) => world.background.push(work),
    carry: (errand, usual) => carry(world, errand, usual),
    cache: { get: async () => undefined, put: async () => {} },
  }, { names: ["NODE_ENV"] });
  return world;
}

async function play(world, { now_ms, request, replies = [], origin_set_cookies = [], expect }) {
  Object.assign(world, { now: now_ms, replies: [...replies], asks: [], background: [], said: [] });
  const head = {
    method: request.method,
    target: request.target,
    publicOrigin: request.public_origin,
    clientAddress: request.client_address,
    headers: request.headers ?? [],
  };
  const decision = await world.gate.decideHead(head, { seesResponse: true });
  const renewed = (await decision.finish?.(origin_set_cookies)) ?? [];
  await Promise.all(world.background);
  const problems = differences(decision, renewed, world, expect);
  if (expect.assertion) problems.push(...(await problemsOfAssertion(expect.assertion, decision)));
  return problems.length > 0 ? [...problems, ...world.said.map((line) => `the log says: ${line}`)] : [];
}

/** Fetches are answered by the script, in order by purpose; signatures are checked for real unless the script says otherwise. */
async function carry(world, errand, usual) {
  if (errand.work === "wait") {
    world.now += errand.milliseconds;
    return { kind: "waited" };
  }
  const purpose = errand.work === "fetch" ? errand.purpose : errand.work;
  if (!errand.background) world.asks.push({ errand, purpose });
  const sent = (errand.headers ?? []).filter(([name]) => name === "cookie").flatMap(([, line]) => line.split("; "));
  const names = canonical(sent.map((pair) => pair.split("=")[0]));
  // A copy where none will do would not have been looked for.
  const isFor = ({ to, url, key, cookies }) =>
    to === purpose && [undefined, errand.url].includes(url) && [undefined, errand.key].includes(key) && (!cookies || canonical(cookies) === names);
  const place = world.replies.findIndex((reply) => isFor(reply) && (reply.copied === undefined || errand.copy !== undefined));
  if (place === -1) return errand.work === "fetch" || errand.work === "read" ? { kind: "failed" } : usual(errand);
  const [reply] = world.replies.splice(place, 1);
  world.now += reply.takes_ms ?? 0;
  if (reply.real) return usual(errand);
  if (reply.failed) return { kind: "failed" };
  if (reply.too_large) return { kind: "tooLarge" };
  if (reply.headers_too_large) return { kind: "headTooLarge" };
  if (reply.unsupported) return { kind: "unsupported" };
  if (reply.absent) return { kind: "absent" };
  if (reply.found !== undefined) return { kind: "found", value: new TextEncoder().encode(reply.found) };
  if (reply.copied !== undefined) return { kind: "copied", text: new TextEncoder().encode(reply.copied) };
  const body = new TextEncoder().encode(reply.body ?? "");
  return { kind: "answered", status: reply.status, headers: reply.headers ?? [], body };
}

function differences(decision, renewed, { asks, said }, expect) {
  const problems = [];
  const compare = (what, expected, found) => {
    if (expected === undefined || canonical(expected) === canonical(found)) return;
    problems.push(`${what} should be ${canonical(expected)} and is ${canonical(found)}`);
  };
  const found = outcome(decision);
  if (expect.assertion && found.forward) takeAssertion(found.forward.set);
  compare("the outcome", outcomeName(expect), outcomeName(found));
  if (outcomeName(expect) !== outcomeName(found)) problems.push(`the reason is ${decision.reason}`);
  for (const kind of OUTCOMES) {
    if (!expect[kind] || !found[kind]) continue;
    for (const [member, value] of Object.entries(expect[kind])) compare(`${kind}.${member}`, value, found[kind][member]);
  }
  const purposes = (wanted) => asks.filter(({ errand }) => (errand === decision.alongside) === wanted).map(({ purpose }) => purpose);
  compare("asks", expect.asks, purposes(false));
  compare("alongside", expect.alongside, purposes(true));
  compare("renewed", expect.renewed, renewed);
  // Lines of the gate about itself are no JSON.
  const line = JSON.parse(said.find((text) => text.startsWith("{")) ?? "null");
  compare("the log's line", expect.log, line && expect.log ? Object.fromEntries(Object.keys(expect.log).map((name) => [name, line[name]])) : line);
  return problems;
}

const OUTCOMES = ["forward", "redirect", "reject", "respond"];

function outcome(decision) {
  if (decision.kind === "forward") {
    const { target, upstream = null, removed, set, responseHeaders } = decision;
    return { forward: { target, upstream, removed, set: Object.fromEntries(set), response_headers: responseHeaders } };
  }
  const { status, reason, headers } = decision;
  if (!reason) return { respond: { status } };
  const location = headers.find(([name]) => name === "location")?.[1];
  return status >= 300 && status < 400 ? { redirect: { status, reason, location } } : { reject: { status, reason } };
}

function outcomeName(outcome) {
  return OUTCOMES.find((kind) => outcome[kind]) ?? "nothing";
}

// The assertion is another one each time: it is looked at by itself.
const ASSERTION = "x-doorward-assertion";

function takeAssertion(set) {
  if (set[ASSERTION] && set.authorization === `Bearer ${set[ASSERTION]}`) set.authorization = "Bearer <assertion>";
  delete set[ASSERTION];
}

const PARAMETERS = {
  HS256: { name: "HMAC", hash: "SHA-256" }, ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }, EdDSA: { name: "Ed25519" },
};

/** Header and claims, all but `jti`, and the signature by the platform. */
async function problemsOfAssertion({ header, claims, key }, decision) {
  const jwt = decision.set?.find(([name]) => name === ASSERTION)?.[1] ?? "..";
  const [protectedHeader, payload, signature] = jwt.split(".").map(fromBase64url);
  const json = (bytes) => JSON.parse(new TextDecoder().decode(bytes) || "{}");
  const { jti = "", ...rest } = json(payload);
  const problems = [];
  const expectAlike = (what, expected, found) => {
    if (canonical(expected) !== canonical(found)) problems.push(`${what} should be ${canonical(expected)} and is ${canonical(found)}`);
  };
  expectAlike("the assertion's header", header, json(protectedHeader));
  expectAlike("the assertion's claims", claims, rest);
  expectAlike("the length of jti", 16, fromBase64url(jti).length);
  const { subtle } = globalThis.crypto;
  const imported = await subtle.importKey("jwk", { ...key, alg: undefined }, PARAMETERS[header.alg], false, ["verify"]);
  const signed = new TextEncoder().encode(jwt.slice(0, jwt.lastIndexOf(".")));
  expectAlike("that its signature holds", true, await subtle.verify(PARAMETERS[header.alg], imported, signature, signed));
  return problems;
}

const fromBase64url = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));

/** JSON with the members of objects in order: their order means nothing, that of lists does. */
function canonical(value) {
  return JSON.stringify(value, (_, member) =>
    member && typeof member === "object" && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
