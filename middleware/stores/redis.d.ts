import type { SharedCache, StoredValue } from "../gate.js";

/** What is used of a client: that of `redis` (node-redis) or of `ioredis`. */
export type RedisClient = { get(key: string): Promise<any> } & (
  | { setEx(key: string, seconds: number, value: string): Promise<unknown> }
  | { setex(key: string, seconds: number, value: string): Promise<unknown> }
);

/** A store for `stores`, and a cache for `cache`. */
export interface Store {
  /** The value of a key: `stores: { SESSIONS: store.read }`. */
  read: (key: string) => Promise<StoredValue>;
  /** What instances share: `cache: store.cache`. **Whoever can write to it can sign in as anybody.** */
  cache: SharedCache;
}

/**
 * Redis by a client that is connected. `prefix` stands before each key, so that others may use the
 * same database; for Better Auth's `secondaryStorage` it is what `storage.prefix` of the
 * configuration would say: set one of the two.
 */
export function redis(client: RedisClient, options?: { prefix?: string }): Store;
