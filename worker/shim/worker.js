// The entry point of the Cloudflare Worker: hands each request to the gate and stays outside of it, so that there is
// somebody left to answer when the gate falls. A request that was undecided then gets 503 and is never let through.

import * as platform from "cloudflare:workers";
import * as gate from "./gate.js";
import { currentInstance } from "./instance.js";
import { notStartedResponse } from "./not-started.js";

// A request that fells every gate must not turn the Worker into a machine that only starts gates.
const STARTS = 6;
const WITHIN_MS = 10_000;

export default {
  fetch(request, env, context) {
    if (!isRunning()) return notStartedResponse(request);
    try {
      const response = gate.fetch(request, env, context);
      return response instanceof Response ? response : response.catch(() => notStartedResponse(request));
    } catch {
      return notStartedResponse(request);
    }
  },
};

/** Whether there is a running instance, started now if need be. */
function isRunning() {
  const instance = currentInstance();
  if (instance && !instance.fallen) return true;
  if (!mayStart()) return false;
  if (instance) console.error("doorward: the gate has fallen; every undecided request in it gets 503, a new one starts");
  try {
    gate.__wbg_reset_state();
    return true;
  } catch (error) {
    console.error("doorward: the gate does not start:", error instanceof Error ? error.name : "");
    return false;
  }
}

let starts = [];

// The platform starts an isolate before it has a request for it. What fails here is done again by the first request, which says so
// in the log.
if (platform.env !== undefined && isRunning()) {
  try {
    gate.prepare(platform.env);
  } catch {
    // The instance has fallen, and the first request starts another.
  }
}

function mayStart() {
  const now = Date.now();
  starts = starts.filter((time) => now - time < WITHIN_MS);
  if (starts.length >= STARTS) return false;
  starts.push(now);
  return true;
}
