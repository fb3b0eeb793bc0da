// Vercel's Runtime Cache as the cache that instances of a region share.

/** @param {import("./vercel.js").RuntimeCache | (() => import("./vercel.js").RuntimeCache)} given */
export function vercel(given) {
  // `getCache()` belongs to the request that is being handled.
  const cache = () => (typeof given === "function" ? given() : given);
  return {
    cache: {
      get: async (key) => {
        const value = await cache().get(key);
        return typeof value === "string" ? value : null;
      },
      put: (key, value, { ttlSeconds }) => cache().set(key, value, { ttl: ttlSeconds }),
    },
  };
}
