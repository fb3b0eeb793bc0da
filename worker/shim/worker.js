// The entry point of the Cloudflare Worker: hands each request to the gate and stays outside of it, so that there is
// somebody left to answer when the gate falls. A request whose gate has fallen gets 503 and is never let through.

import * as gate from "./gate.js";
import { currentInstance } from "./instance.js";

// A request that fells every gate must not turn the Worker into a machine that only starts gates.
const STARTS = 6;
const WITHIN_MS = 10_000;

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

/**
 * The response, unless the instance falls before it is there: a promise of a fallen instance never settles. A request is told
 * of the fall while another one runs; the platform lets it go on in its own context (`handle_cross_request_promise_resolution`).
 */
function whileStanding(instance, response) {
  if (response instanceof Response) return response;
  return new Promise((resolve, reject) => {
    const fall = () => reject(new Error("doorward: the gate has fallen"));
    const end = (settle) => (value) => {
      instance.waiting.delete(fall);
      if (instance.fallen) fall();
      else settle(value);
    };
    instance.waiting.add(fall);
    response.then(end(resolve), end(reject));
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
