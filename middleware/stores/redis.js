// Redis as a store that a configuration names, and as the cache that instances share: by a client of
// `redis` (node-redis) or of `ioredis`.

/**
 * @param {import("./redis.js").RedisClient} client
 * @param {{ prefix?: string }} [options]
 */
export function redis(client, { prefix = "" } = {}) {
  // The libraries name the command SETEX differently, and agree on its words.
  const set = client?.setEx ?? client?.setex;
  if (typeof client?.get !== "function" || typeof set !== "function") throw new TypeError("doorward/stores/redis: a client of `redis` or `ioredis` is needed");
  const read = (key) => client.get(prefix + key);
  return { read, cache: { get: read, put: (key, value, { ttlSeconds }) => set.call(client, prefix + key, ttlSeconds, value) } };
}
