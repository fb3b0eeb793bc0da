// The entry point of the Cloudflare Worker: hands each request to the gate and stays outside of it, so that there is
// somebody left to answer when the gate falls. A request whose gate has fallen gets 503 and is never let through.

import * as gate from "./gate.js";
import { currentInstance } from "./instance.js";

// A request that fells every gate must not turn the Worker into a machine that only starts gates.
const STARTS = 6;
const WITHIN_MS = 10_000;

// A promise of a fallen instance never settles, so each request looks after its instance by itself, in its own context:
// soon at first, then less and less often, because an origin may take its time.
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 2_000;

export default {
  async fetch(request, env, context) {
    const instance = runningInstance();
    if (!instance) return unavailable(request);
    try {
      return await whileStanding(instance, gate.fetch(request, env, context));
    } catch {
      return unavailable(request);
    }
  },
};

/** The running instance, started now if need be; nothing if there is none to be had. */
function runningInstance() {
  const instance = currentInstance();
  if (instance && !instance.fallen) return instance;
  if (!mayStart()) return undefined;
  if (instance) console.error("doorward: the gate has fallen; every request in it gets 503, a new one starts");
  try {
    gate.__wbg_reset_state();
    return currentInstance();
  } catch (error) {
    console.error("doorward: the gate does not start:", error instanceof Error ? error.name : "");
    return undefined;
  }
}

let starts = [];

function mayStart() {
  const now = Date.now();
  starts = starts.filter((time) => now - time < WITHIN_MS);
  if (starts.length >= STARTS) return false;
  starts.push(now);
  return true;
}

/** The response, unless the instance falls before it is there. */
function whileStanding(instance, response) {
  if (response instanceof Response) return response;
  return new Promise((resolve, reject) => {
    let timer;
    const end = (settle, value) => {
      clearTimeout(timer);
      if (instance.fallen) reject(new Error("doorward: the gate has fallen"));
      else settle(value);
    };
    const look = (delay) => {
      timer = setTimeout(() => (instance.fallen ? end() : look(Math.min(delay * 2, LAST_LOOK_MS))), delay);
    };
    look(FIRST_LOOK_MS);
    response.then((value) => end(resolve, value), (error) => end(reject, error));
  });
}

function unavailable(request) {
  const body = JSON.stringify({
    type: "urn:doorward:reason:not_started",
    title: "Service Unavailable",
    status: 503,
    detail: "the gate could not start or lost its place",
    reason: "not_started",
  });
  return new Response(request.method === "HEAD" ? null : body, {
    status: 503,
    headers: { "content-type": "application/problem+json", "cache-control": "private, no-store", "retry-after": "5" },
  });
}
