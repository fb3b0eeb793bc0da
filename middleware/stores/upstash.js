// Upstash Redis by its REST interface, for runtimes without sockets. The package @upstash/redis
// reads values as JSON unless it is told not to, and would hand objects to the gate; this needs none.

/** @param {{ url: string, token: string, prefix?: string, fetch?: typeof globalThis.fetch }} options */
export function upstash({ url, token, prefix = "", fetch = globalThis.fetch.bind(globalThis) }) {
  if (!/^https:\/\/|^http:\/\/(localhost|127\.0\.0\.1)[:/]/.test(`${url}/`)) throw new TypeError("doorward/stores/upstash: url is no https URL (UPSTASH_REDIS_REST_URL)");
  if (typeof token !== "string" || token.trim() === "") throw new TypeError("doorward/stores/upstash: there is no token (UPSTASH_REDIS_REST_TOKEN)");
  const send = async (...command) => {
    const response = await fetch(url, { method: "POST", redirect: "manual", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(command) });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`Upstash answers ${response.status}`);
    }
    const { result, error } = await response.json();
    if (error !== undefined) throw new Error("Upstash refuses the command");
    return result;
  };
  const read = async (key) => {
    const value = await send("GET", prefix + key);
    if (value !== null && typeof value !== "string") throw new Error("Upstash has another type under this key");
    return value;
  };
  return { read, cache: { get: read, put: (key, value, { ttlSeconds }) => send("SET", prefix + key, value, "EX", String(ttlSeconds)) } };
}
