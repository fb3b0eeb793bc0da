import type { SharedCache } from "../gate.js";

/** What is used of what `getCache()` of `@vercel/functions` gives. */
export interface RuntimeCache {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, options?: { ttl?: number }): Promise<void>;
}

/**
 * Vercel's Runtime Cache, by `getCache` of `@vercel/functions`: `cache: vercel(getCache).cache`. It is
 * one cache for each region, and may forget anything at any time; so it is no store for `stores`.
 */
export function vercel(cache: RuntimeCache | (() => RuntimeCache)): { cache: SharedCache };
