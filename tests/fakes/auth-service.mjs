// A fake auth service over HTTP. It has a key set, sessions and tokens as Better Auth has them, at
// whatever base path, and fails as it is told to. README.md says where a real one is used instead.

import { createServer } from "node:http";

import { freePort } from "../../examples/shared/port.mjs";
import { tokenIn } from "./better-auth.mjs";

const JSON_TYPE = { "content-type": "application/json" };
/** More than the gate reads of any answer. */
const TOO_MUCH = " ".repeat(400_000);

/** What becomes of a request instead of its answer. */
const FAULTS = {
  down: ({ socket }) => socket.destroy(),
  page: (response) => response.writeHead(200, { "content-type": "text/html" }).end("<h1>Welcome</h1>"),
  garbage: (response) => response.writeHead(200, JSON_TYPE).end('<!doctype html><title>{"keys":['),
  error: (response) => response.writeHead(500, JSON_TYPE).end('{"message":"no"}'),
  limit: (response) =>
    response.writeHead(429, { ...JSON_TYPE, "x-retry-after": "10" }).end('{"message":"Too many requests."}'),
  denied: (response) => response.writeHead(401, JSON_TYPE).end("{}"),
  huge: (response, answer) => send(response, answer(), TOO_MUCH),
  // The same without a length that is known beforehand.
  "huge, chunked": (response, answer) => response.writeHead(200, JSON_TYPE).end(answer().body + TOO_MUCH),
  redirect: (response, answer, { location = "/sign-in" }) => response.writeHead(302, { location }).end(),
  slow: (response, answer, { milliseconds = 2600 }) => setTimeout(() => send(response, answer()), milliseconds),
};

/** What is asked for, by the end of the path. */
const QUESTIONS = { jwks: "keys", "get-session": "session", token: "token" };

/**
 * Starts one on a free port.
 *
 * @param {object} options
 * @param {string} [options.secret] what signs the session cookie; without it there is no session
 * @param {() => object[]} [options.keys] the public keys, as JWKs
 * @param {string} [options.cacheControl] of the key set
 * @param {(token: string) => {pair: object | null, cookies?: string[]} | undefined} [options.session] what `/get-session` says of a
 *   session token, and the lines of `Set-Cookie` beside it; without a token it is asked about the empty one
 * @param {(token: string) => string | undefined} [options.token] the JWT for a session token
 * @param {(question: "keys" | "session" | "token", path: string[]) => undefined | string | [string, object]} [options.fault] what goes wrong
 *   now: a name in `FAULTS`, or that and its options
 */
export async function startAuthService({ secret, keys = () => [], cacheControl, session, token, fault = () => undefined } = {}) {
  const asked = { keys: 0, session: 0, token: 0 };
  const remembered = new Map();
  /** Replace an answer, by path. */
  const answers = {};
  const answerTo = {
    keys: () => ({ body: JSON.stringify({ keys: keys() }), headers: cacheControl ? { "cache-control": cacheControl } : {} }),
    session: (of) => {
      const { pair = null, cookies = [] } = session?.(of) ?? remembered.get(of) ?? {};
      return { body: JSON.stringify(pair), headers: cookies.length > 0 ? { "set-cookie": cookies } : {} };
    },
    token: (of) => {
      const jwt = token?.(of);
      return jwt ? { body: JSON.stringify({ token: jwt }) } : { status: 401, body: "{}" };
    },
  };

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://auth");
    const path = pathname.split("/").slice(1);
    const question = QUESTIONS[path.at(-1)];
    if (question) asked[question] += 1;
    if (answers[pathname]) return void answers[pathname](request, response);
    if (!question) return void response.writeHead(404).end();
    const [wrong, options = {}] = [fault(question, path)].flat();
    const of = secret === undefined ? "" : (tokenIn(request.headers.cookie, secret) ?? "");
    // Not before it is sent: what is true then is what counts.
    const answer = () => answerTo[question](of);
    if (wrong) FAULTS[wrong](response, answer, options);
    else send(response, answer());
  });
  server.on("connection", (socket) => socket.on("error", () => {}));
  // When it has stopped, nobody else is given its port.
  const port = await freePort();
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    asked,
    answers,
    /** From now on `/get-session` knows this session. */
    remember: (of, pair, cookies = []) => remembered.set(of, { pair, cookies }),
    stop: () => new Promise((resolve) => (server.close(() => resolve()), server.closeAllConnections())),
  };
}

function send(response, { status = 200, headers = {}, body }, more = "") {
  const length = Buffer.byteLength(body) + more.length;
  response.writeHead(status, { ...JSON_TYPE, "content-length": length, ...headers }).end(body + more);
}
