// What every proxy in front of the application has to show, each as `[what, problem]`; no problem: it is right.

import { send } from "./world.mjs";

const FORGED = "forged-by-a-client";
const PAGE = [["Accept", "text/html"], ["Sec-Fetch-Mode", "navigate"], ["Sec-Fetch-Dest", "document"]];
const bearer = (token) => [["Authorization", `Bearer ${token}`]];

/** Headers by which clients have got in elsewhere: identities, paths, methods. */
const FORGERIES = [
  "X-Doorward-Subject", "x-doorward-subject", "X-DOORWARD-SUBJECT", "X_Doorward_Subject", "X-Doorward_Subject", "X-Doorward-Email", "X-Doorward-Role",
  "X-Doorward-Issuer", "X-Doorward-Session", "X-Doorward-Source", "X-Doorward-Expires", "X-Doorward-Assertion", "X-Doorward-Omitted", "X-Doorward-Mark",
  "X-Doorward-Org", "X-Doorward-Unknown", "Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Request-User", "X-Authentik-Username",
  "X-Original-URL", "X-Original-URI", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Forwarded-Method", "X-Original-Method",
  "X-Http-Method-Override", "X-Envoy-Original-Path", "X-Middleware-Subrequest", "Forwarded", "X-Forwarded-Host", "X-Forwarded-For", "X-Real-IP",
];

/** Spellings of /dash that some reader takes for it, and others for something public. */
const SPELLINGS = [
  "/dash", "//dash", "/%64ash", "/dash/", "/dash;x=1", "/DASH", "/./dash", "/public/../dash", "/public/..%2fdash", "/public/%2e%2e/dash",
  "/public/..;/dash", "/public/..%5cdash", "/public/..%252fdash", "/public\\..\\dash", "/public/%2e%2e%2fdash", "/public//../dash", "/public;/../dash",
  "/%2fdash", "/public/%c0%ae%c0%ae/dash", "/public/#/../../dash", "/public%2f..%2fdash", "/public/.%2e/dash", "/public/x/..%2f..%2fdash",
  "http://evil.test/dash", "/public/%00/../dash",
];

/** Spellings that a proxy may not change: what was decided about is what the application gets. */
const KEPT = ["/public/a%20b", "/public/%5Bslug%5D", "/public/a?b=%2F&c=%27x%27", "/public/%64", "/public/caf%C3%A9", "/public/a+b?x=/../dash"];

/** Whether some reader takes it for the protected page. */
function isDash(url) {
  let path = url.replace(/^[a-z]+:\/\/[^/]*/i, "");
  path = path.split("?")[0];
  for (let round = 0; round < 3; round++) {
    try {
      path = decodeURIComponent(path);
    } catch {
      path = path.replace(/%c0%ae/gi, ".").replace(/%2f/gi, "/").replace(/%2e/gi, ".").replace(/%5c/gi, "\\");
    }
  }
  const parts = [];
  for (const segment of path.replaceAll("\\", "/").split("/")) {
    const name = segment.split(";")[0];
    if (name === "..") parts.pop();
    else if (name !== "" && name !== ".") parts.push(name);
  }
  return parts[0]?.toLowerCase() === "dash";
}

/** Whether the application was told something that a client has made up. */
const isFooled = ({ headers }) => headers.some((text, at) => at % 2 === 1 && text.includes(FORGED));
const told = ({ headers }, name) => headers.findLast((_, at) => at % 2 === 1 && headers[at - 1].toLowerCase() === name);

/**
 * @param {{ port: number, app: object, tokens: { user: string, admin: string, expired: string }, session: object, isProxyMode: boolean,
 *   respells: boolean, rejectsEncoded?: RegExp, hidesUnavailable: boolean }} world the gate as a proxy and Envoy write paths in a spelling of
 *   their own; Envoy refuses some escapes, and makes a 503 its own
 * @returns {AsyncGenerator<[string, string | undefined]>}
 */
export async function* checks(world) {
  yield* decisions(world);
  yield* forgeries(world);
  yield* spellings(world);
  yield* bodies(world);
  yield* webSockets(world);
  yield* renewals(world);
}

async function* decisions({ port, app, tokens, hidesUnavailable }) {
  const ask = async (what, request, right) => {
    const before = app.seen.length;
    const response = await send(port, request);
    return [what, right(response, app.seen.slice(before))];
  };
  const reason = (code) => ({ status, body, get }, seen) => {
    if (seen.length > 0) return "the application was asked";
    if (!body.includes(code) || !get("content-type")?.includes("problem+json")) return `${status} ${body.slice(0, 200)}`;
    return undefined;
  };
  const both = (status, code) => (response, seen) => (response.status === status ? reason(code)(response, seen) : `${response.status}, not ${status}`);
  yield await ask("anonymous page: to the sign-in", { target: "/dash", headers: PAGE }, (response, seen) => {
    if (seen.length > 0) return "the application was asked";
    if (response.status !== 307 || response.get("location") !== "/login?callbackURL=%2Fdash") return `${response.status} ${response.get("location")}`;
    return response.all("set-cookie").length === 1 ? undefined : `${response.all("set-cookie").length} cookies`;
  });
  yield await ask("anonymous API call", { target: "/dash" }, both(401, "no_credential"));
  yield await ask("a challenge", { target: "/dash" }, ({ get }) => (get("www-authenticate")?.includes("Bearer") ? undefined : "no challenge"));
  yield await ask("expired token", { target: "/dash", headers: bearer(tokens.expired) }, both(401, "token_expired"));
  yield await ask("a role is missing", { target: "/admin", headers: bearer(tokens.user) }, both(403, "forbidden"));
  yield await ask("a role is there", { target: "/admin", headers: bearer(tokens.admin) }, ({ status }, [seen]) => (status === 200 && told(seen, "x-doorward-role") === "admin" ? undefined : `${status}`));
  yield await ask("auth service away", { target: "/dash", headers: [["Cookie", "better-auth.session_token=" + tokens.away]] }, hidesUnavailable ? ({ status }, seen) => (status === 503 && seen.length === 0 ? undefined : `${status}`) : both(503, "session_unavailable"));
  yield await ask("Retry-After of that", { target: "/dash", headers: [["Cookie", "better-auth.session_token=" + tokens.away]] }, ({ status, get }) => (status === 503 && (hidesUnavailable || get("retry-after")) ? undefined : `${status} ${get("retry-after")}`));
  yield await ask("public page", { target: "/public/x" }, ({ status }, [seen]) => {
    if (status !== 200) return `${status}`;
    const names = seen.headers.filter((_, at) => at % 2 === 0 && seen.headers[at].toLowerCase().startsWith("x-doorward-") && seen.headers[at + 1] !== "");
    return names.length > 0 ? `${names} for the anonymous` : undefined;
  });
  for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"]) {
    yield await ask(`${method} with a token`, { method, target: "/dash?a=b", headers: bearer(tokens.user) }, ({ status }, [seen]) =>
      status === 200 && seen?.method === method && seen.url === "/dash?a=b" && told(seen, "x-doorward-subject") === "u1" ? undefined : `${status} ${JSON.stringify(seen)}`,
    );
    yield await ask(`${method} without`, { method, target: "/dash" }, ({ status }, seen) => (status === 401 && seen.length === 0 ? undefined : `${status}, ${seen.length} reached the application`));
  }
}

async function* forgeries({ port, app, tokens }) {
  for (const name of FORGERIES) {
    for (const [who, target, credential, subject] of [["anonymous", "/public/x", [], undefined], ["a user", "/dash", bearer(tokens.user), "u1"]]) {
      const before = app.seen.length;
      const { status } = await send(port, { target, headers: [[name, FORGED], ...credential] });
      const seen = app.seen.slice(before);
      yield [`${name} of ${who}`, problemOf(seen, status, subject)];
    }
    const before = app.seen.length;
    await send(port, { target: "/public/x", headers: [["Connection", `close, ${name}, X-Doorward-Subject`], [name, FORGED], [name, FORGED]] });
    yield [`${name} twice, named in Connection`, app.seen.slice(before).some(isFooled) ? "the application believes it" : undefined];
  }
  for (const name of ["X-Original-URI", "X-Forwarded-Uri", "X-Original-URL", "X-Envoy-Original-Path", "X-Forwarded-Uri-Path", "X-Original-Method", "X-Forwarded-Method"]) {
    const before = app.seen.length;
    await send(port, { target: "/dash", headers: [[name, name.endsWith("Method") ? "OPTIONS" : "/public/x"]] });
    yield [`${name}: /public/x for /dash`, app.seen.length > before ? "the application was asked" : undefined];
  }
  const before = app.seen.length;
  await send(port, { target: "/dash", headers: [...bearer(tokens.user), ["Connection", "close, X-Doorward-Subject"]] });
  const [seen] = app.seen.slice(before);
  yield ["Connection names the identity", seen && told(seen, "x-doorward-subject") !== "u1" ? "a user's request arrives without the identity" : undefined];
}

function problemOf(seen, status, subject) {
  if (seen.some(isFooled)) return "the application believes it";
  if (seen.length === 0) return status >= 400 ? undefined : `${status}`;
  const was = told(seen[0], "x-doorward-subject") || undefined;
  return was === subject ? undefined : `the subject is ${was}`;
}

async function* spellings({ port, app, tokens, rejectsEncoded, respells }) {
  for (const target of SPELLINGS) {
    const before = app.seen.length;
    const { status } = await send(port, { target });
    const seen = app.seen.slice(before);
    const leaked = seen.filter(({ url }) => isDash(url));
    yield [`${target} of the anonymous`, leaked.length > 0 ? `the application got ${leaked[0].url}` : status === 200 && seen.length === 0 ? "200, not of the application" : undefined];
  }
  for (const target of KEPT) {
    const before = app.seen.length;
    const { status } = await send(port, { target, headers: bearer(tokens.user) });
    const [seen] = app.seen.slice(before);
    const isSame = seen && (seen.url === target || (respells && decodeURIComponent(seen.url) === decodeURIComponent(target)));
    yield [`${target} arrives as it was sent`, isSame || rejectsEncoded?.test(target) ? undefined : `${status}: the application got ${seen?.url}`];
  }
}

async function* bodies({ port, app, tokens }) {
  const body = Buffer.alloc(11 * 1024 * 1024, "x");
  let before = app.seen.length;
  const { status } = await send(port, { method: "POST", target: "/dash", headers: bearer(tokens.user), body, ms: 60_000 });
  const bytes = app.seen.slice(before)[0]?.bytes;
  yield ["11 MB with a token", status === 200 && bytes === body.length ? undefined : `${status}, ${bytes} bytes`];
  before = app.seen.length;
  const refused = await send(port, { method: "POST", target: "/dash", body, ms: 60_000 });
  yield ["11 MB without", app.seen.length === before && [401, 0].includes(refused.status) ? undefined : `${refused.status}, ${app.seen.length - before} reached the application`];
}

const HANDSHAKE = [["Connection", "Upgrade"], ["Upgrade", "websocket"], ["Sec-WebSocket-Version", "13"], ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="]];
const hasFrame = (bytes) => bytes.includes("\r\n\r\n") && (!/^HTTP\/1.1 101/.test(bytes.toString("latin1")) || bytes.includes("}"));

async function* webSockets({ port, app, tokens, session }) {
  let before = app.seen.length;
  const anonymous = await send(port, { target: "/dash", headers: HANDSHAKE, until: hasFrame });
  yield ["WebSocket of the anonymous", anonymous.status === 401 && app.seen.length === before ? undefined : `${anonymous.status}`];
  const user = await send(port, { target: "/dash", headers: [...HANDSHAKE, ...bearer(tokens.user)], until: hasFrame });
  yield ["WebSocket with a token", user.status === 101 && user.rest.includes('"u1"') ? undefined : `${user.status} ${user.rest}`];
  const cookie = [["Cookie", session.cookies]];
  const own = await send(port, { target: "/dash", headers: [...HANDSHAKE, ...cookie, ["Origin", `http://127.0.0.1:${port}`]], until: hasFrame });
  yield ["WebSocket with a session, of the own origin", own.status === 101 ? undefined : `${own.status} ${own.body}`];
  before = app.seen.length;
  const foreign = await send(port, { target: "/dash", headers: [...HANDSHAKE, ...cookie, ["Origin", "https://evil.test"]], until: hasFrame });
  yield ["WebSocket with a session, of a foreign page", foreign.status === 403 && app.seen.length === before ? undefined : `${foreign.status}`];
}

async function* renewals({ port, app, session }) {
  const before = app.seen.length;
  const response = await send(port, { target: "/dash", headers: [["Cookie", session.stale]] });
  const [seen] = app.seen.slice(before);
  const names = response.all("set-cookie").map((line) => line.split("=")[0]).sort();
  yield ["a session is asked about, and its cookies are renewed", response.status === 200 && seen && told(seen, "x-doorward-subject") === "user-1" && names.length >= 2 ? undefined : `${response.status}, cookies: ${names}`];
}
