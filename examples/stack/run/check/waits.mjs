// What the steps wait for.

import { setTimeout as sleep } from "node:timers/promises";

/** Until the browser has dropped the cookie cache. */
export async function cacheExpired({ cookie }) {
  while (await cookie("session_data")) await sleep(100);
}
