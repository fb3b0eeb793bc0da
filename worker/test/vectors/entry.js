// The module around the Worker with the feature `conformance`: it plays files of decision vectors in one request, and says what
// came of each case in the words of tests/vectors/README.md. Requests go in at the Worker's own entry and come out at `fetch`.

import { cookieLine } from "./cookie-line.js";
import * as gate from "./gate.js";
import { begin, script } from "./script.js";
import worker from "./worker.js";

const ORIGIN = "https://origin.doorward.test";

export default {
  async fetch(request) {
    const lines = [];
    for (const { name: file, text } of await request.json()) lines.push(...(await played(file, JSON.parse(text))));
    return Response.json(lines);
  },
};

/** An engine lives as long as the cases that go on with it, so these are played one after the other. */
async function played(file, { policies, cases }) {
  const lines = [];
  const first = new Map();
  cases.forEach(({ name, after }) => first.set(name, after === undefined ? name : first.get(after)));
  for (const { name: root, policy } of cases.filter(({ after }) => after === undefined)) {
    try {
      gate.restart();
    } catch {
      // There is none yet, or it has fallen.
    }
    const env = variables(policies[policy]);
    for (const [number, { expect: _, ...vector }] of cases.entries()) {
      if (first.get(vector.name) === root) lines.push({ file, number, outcome: await outcomeOf(vector, env) });
    }
  }
  return lines;
}

const namespace = { getWithMetadata() {}, get: async () => null, put: async () => {} };

function variables({ config, env = {}, stores = [] }) {
  const bound = Object.fromEntries(stores.map((name) => [name, namespace]));
  return { ...env, ...bound, DOORWARD: config, ORIGIN_URL: ORIGIN, DOORWARD_CACHE: namespace };
}

async function outcomeOf(vector, env) {
  const { request, isWhole } = requestOf(vector.request);
  begin(vector, isOdd(vector.request) ? JSON.stringify(vector.request) : undefined);
  const background = [];
  const log = [];
  let sent;
  globalThis.console.warn = () => {};
  // What is said at the start is about no request.
  globalThis.console.log = (line) => !/"event":"(start|config_warning)"/.test(line) && log.push(line);
  globalThis.fetch = async (request) => {
    sent = request;
    return new Response("from the origin", { headers: (vector.origin_set_cookies ?? []).map((line) => ["set-cookie", line]) });
  };
  const response = await worker.fetch(request, env, { waitUntil: (work) => background.push(work), passThroughOnException() {} });
  // Work may bring more of it.
  for (let done = 0; done < background.length; done++) await background[done];

  const { decision = {}, onward, renewed = [], withdraws = false, session_data = null } = script.said;
  const { forward = null, reason = null, after, alongside } = decision;
  // To wait is no effect that a vector speaks of.
  const purposes = (effect) => (effect && effect.purpose !== "wait" ? [effect.purpose] : []);
  const answer = forward ? null : { status: response.status, headers: [...response.headers], body: await response.text() };
  const problems = forward ? notAsDecided({ request, isWhole, sent, response, forward, onward, renewed, withdraws, vector }) : [];
  const later = [...purposes(alongside), ...purposes(after)];
  if (String(later.toSorted()) !== String(script.later.toSorted())) problems.push(`it was sent for ${later} and went for ${script.later}`);
  return {
    decision: decision.decision ?? null,
    reason, forward, answer, log, renewed, session_data,
    effects: script.effects,
    after: purposes(after),
    alongside: purposes(alongside),
    unused: script.results.map(([number]) => number),
    problems,
  };
}

/**
 * The vector's request. One that the platform's own class would hold otherwise (it sorts and joins headers, and reads the URL) is only
 * dressed up as one: what is read of it is the vector's, in the form in which `message.js` reads it.
 */
function requestOf({ method, target, headers = [], public_origin, client_address = null }) {
  const address = client_address === null ? [] : [["cf-connecting-ip", client_address]];
  if (isOdd({ method, target, headers, public_origin })) return { request: new Request(ORIGIN, { method: method === "HEAD" ? "HEAD" : "GET" }), isWhole: false };
  const url = public_origin + target;
  try {
    const request = new Request(url, { method, headers: [...headers, ...address] });
    const shown = [...request.headers].filter(([name]) => name !== "cf-connecting-ip");
    if (headers.some(([name, value]) => name === "cookie" && isAmbiguous(value))) throw new Error("two lines look like that");
    if (request.url === url && request.method === method && JSON.stringify(shown) === JSON.stringify(headers)) return { request, isWhole: true };
  } catch {
    // No request of this platform looks like that.
  }
  // A name that is not in small letters is none of Fetch's: the vector's line is one line, whatever commas it has.
  const pairs = [...headers.map(([name, value]) => [name === "cookie" && isAmbiguous(value) ? "Cookie" : name, value]), ...address];
  const forEach = (take) => pairs.forEach(([name, value]) => take(value, name));
  const request = Object.defineProperties(new Request(ORIGIN), { method: { value: method }, url: { value: url }, headers: { value: { forEach } } });
  return { request, isWhole: false };
}

/** No request of this platform has such a head, and the border would not carry it. */
function isOdd({ method, target, headers = [], public_origin }) {
  return [method, target, ...headers.flat()].some((text) => text.includes("\n")) || !target.startsWith("/") || !/^https?:\/\/[^/?#]+$/.test(public_origin);
}

const isAmbiguous = (cookies) => cookieLine(cookies) !== cookies;

/** What has been sent and answered otherwise than the decision says. */
function notAsDecided({ request, isWhole, sent, response, forward, onward, renewed, withdraws, vector }) {
  if (!sent) return [`nothing was sent: it answered ${response.status}`];
  const { target, upstream, response_headers } = forward;
  const problems = [];
  const compare = (what, expected, found) => JSON.stringify(expected) === JSON.stringify(found) || problems.push(`${what} is ${JSON.stringify(found)} and should be ${JSON.stringify(expected)}`);
  compare("the URL that was sent", new URL((upstream ?? ORIGIN) + target).href, sent.url);
  const set = new Map(onward.set);
  for (const [name, value] of forward.set) compare(`the header ${name} for the next hop`, value, set.get(name));
  for (const [name, value] of set) compare(`the header ${name} that was sent`, value, sent.headers.get(name));
  const removed = onward.remove.map((name) => name.toLowerCase());
  for (const name of [...forward.removed, ...removed].map((name) => name.toLowerCase())) {
    if (!set.has(name)) compare(`the header ${name} that was sent`, null, sent.headers.get(name));
  }
  if (isWhole) {
    compare("the method that was sent", request.method, sent.method);
    const others = (headers) => [...headers].filter(([name]) => !set.has(name) && !removed.includes(name));
    compare("what was sent besides", others(request.headers), others(sent.headers));
  }
  const added = [...response_headers.filter(([name]) => !withdraws || name !== "set-cookie"), ...renewed];
  const cookies = added.filter(([name]) => name === "set-cookie").map(([, line]) => line);
  compare("the cookies that are set", [...(vector.origin_set_cookies ?? []), ...cookies], response.headers.getSetCookie());
  for (const [name, value] of added) if (name !== "set-cookie") compare(`the header ${name} of the response`, value, response.headers.get(name));
  return problems;
}
