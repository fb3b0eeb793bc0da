import type { Store } from "./redis.js";

export type { Store } from "./redis.js";

/** Upstash Redis by REST: `url` and `token` are `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`. */
export function upstash(options: { url: string; token: string; prefix?: string; fetch?: typeof globalThis.fetch }): Store;
