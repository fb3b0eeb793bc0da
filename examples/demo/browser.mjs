// A client that behaves like a browser where it matters here: it keeps cookies and tells what kind of request it makes. It sends targets
// and headers exactly as given, which `fetch` does not.

import { request as send } from "node:http";
import { buffer } from "node:stream/consumers";

const DOCUMENT = { accept: "text/html,application/xhtml+xml", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "same-origin" };
const API = { accept: "application/json", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty", "sec-fetch-site": "same-origin" };

/** Cookies of one host, as RFC 6265 section 5 stores them, without domains and paths. */
export class Jar {
  #cookies = new Map();

  /** Stores the cookies of one `Set-Cookie` line; one that is dead already deletes its namesake. */
  store(line) {
    const [pair, ...attributes] = line.split(";").map((part) => part.trim());
    const [name, value] = cut(pair, "=");
    const maxAge = attributes.map((attribute) => cut(attribute, "=")).find(([key]) => key.toLowerCase() === "max-age")?.[1];
    const ends = maxAge === undefined ? Infinity : Date.now() + Number(maxAge) * 1000;
    if (ends <= Date.now()) this.#cookies.delete(name);
    else this.#cookies.set(name, { value, ends });
  }

  /** The value of a cookie that is still alive. */
  get(name) {
    const cookie = this.#cookies.get(name);
    return cookie && cookie.ends > Date.now() ? cookie.value : undefined;
  }

  /** How long a cookie is still going to live. */
  milliseconds(name) {
    return (this.#cookies.get(name)?.ends ?? 0) - Date.now();
  }

  /** Living cookies by name. */
  all() {
    const names = [...this.#cookies.keys()].filter((name) => this.get(name) !== undefined);
    return Object.fromEntries(names.map((name) => [name, this.get(name)]));
  }
}

export class Browser {
  jar = new Jar();

  constructor(origin) {
    this.origin = origin;
  }

  /** Opens a page. */
  page(target, options) {
    return this.request("GET", target, { as: DOCUMENT, ...options });
  }

  /** Calls an API as a script of the page does. */
  api(target, options) {
    return this.request("GET", target, { as: API, ...options });
  }

  /** Posts JSON as a script of the page does. */
  post(target, body, options) {
    const headers = { "content-type": "application/json", origin: this.origin, ...options?.headers };
    return this.request("POST", target, { as: API, ...options, headers, body: JSON.stringify(body) });
  }

  /** Sends a request. `cookies` replaces the jar's: what comes back is then not stored either. */
  async request(method, target, { as, headers = {}, cookies, body } = {}) {
    const sent = cookies ?? this.jar.all();
    const cookie = Object.entries(sent).map(([name, value]) => `${name}=${value}`).join("; ");
    const { hostname, port } = new URL(this.origin);
    const answer = await new Promise((resolve, reject) => {
      const call = send({ hostname, port, method, path: target, headers: { ...as, ...(cookie && { cookie }), ...headers }, agent: false });
      call.setTimeout(15_000, () => call.destroy(new Error(`no answer to ${method} ${target} within 15 s`)));
      call.on("response", resolve).on("error", reject);
      call.end(body);
    });
    const text = (await buffer(answer)).toString();
    const setCookies = answer.headers["set-cookie"] ?? [];
    if (!cookies) setCookies.forEach((line) => this.jar.store(line));
    return { method, target, status: answer.statusCode, headers: answer.headers, setCookies, text, sent };
  }
}

function cut(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
