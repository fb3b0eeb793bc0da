// The requests that every host gets, as data, and what has to come: the decision and its reason. The configuration has `debug_header`, so
// each response that has come through the gate says so: a 2xx without that header is a leak.

/** What each app says of itself: where, who is asking by the gate's value, and by the header. */
const SAID = /content:(?<place>[\w-]+) who:(?<who>[\w-]+) header:(?<header>[\w-]+)(?: bytes:(?<bytes>\d+))?/;
const DECISION = "doorward-decision";
const REASON = /reason=(\w+)/;
const FORGED = "root";
const LARGE = Buffer.alloc(11 * 1024 * 1024, 7);

/** Headers that no client may bring; every request has them. */
export const FORGERIES = { "x-doorward-subject": FORGED, "X-Doorward-Mark": "a.b.c", "x-doorward-email": "root@people.example" };
const PAGE = { accept: "text/html", "sec-fetch-mode": "navigate" };
const API = { accept: "application/json" };
const BYTES = { ...API, "content-type": "application/octet-stream" };
const OWN = { "sec-fetch-site": "same-origin" };
const FOREIGN = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };

const refused = (reason, status = 401) => ({ reason, status });
const signIn = { reason: "no_credential", status: 307 };
const content = (place, whom = "session", more) => ({ status: 200, place, whom, ...more });
/** A file or a page that was made before anybody asked: it says nothing of who is asking. */
const file = (place, whom = "session") => ({ status: 200, place, whom, isFile: true });
/** Refused by the path, or as the path that it stands for; in no case content. */
const spelling = { reasons: ["path_refused", "no_credential", "head_malformed"] };

/** What a request needs of a host: `post`, `files`, `prerendered`, `stream`, `socket`. A host that has it not says why. */
export const REQUESTS = [
  { name: "page, anonymous", target: "/dashboard", headers: PAGE, expected: signIn },
  { name: "page without an Accept, anonymous", target: "/dashboard", expected: refused("no_credential") },
  { name: "API, anonymous", target: "/api/me", headers: API, expected: refused("no_credential") },
  { name: "HEAD, anonymous", method: "HEAD", target: "/dashboard", headers: API, expected: refused("no_credential") },
  { name: "OPTIONS, anonymous", method: "OPTIONS", target: "/api/me", headers: API, expected: refused("no_credential") },
  { name: "public page, anonymous", target: "/", headers: PAGE, expected: content("home", "anonymous") },
  { name: "public page of a session", target: "/", headers: PAGE, whose: "session", expected: content("home", "anonymous") },
  { name: "page of a session", target: "/dashboard", headers: PAGE, whose: "session", expected: content("dashboard") },
  { name: "API of a session", target: "/api/me", headers: API, whose: "session", expected: content("me") },
  { name: "API of a JWT", target: "/api/me", headers: API, whose: "jwt", expected: content("me") },
  { name: "tampered cookie", target: "/api/me", headers: API, whose: "tampered", expected: refused("signature_invalid") },
  { name: "session_token alone", target: "/api/me", headers: API, whose: "uncached", expected: content("me", "session", { renews: true }) },
  { name: "role that is missing", target: "/admin/users", headers: API, whose: "session", expected: refused("forbidden", 403) },
  { name: "path that no route has, anonymous", target: "/nowhere/at/all", headers: API, expected: refused("no_credential") },
  { name: "POST from this site", method: "POST", target: "/api/note", headers: { ...BYTES, ...OWN }, ownOrigin: true, whose: "session", body: "hello", needs: "post", expected: content("note", "session", { bytes: 5 }) },
  { name: "POST from another site", method: "POST", target: "/api/note", headers: { ...BYTES, ...FOREIGN }, whose: "session", body: "hello", needs: "post", expected: refused("cross_site_request", 403) },
  { name: "POST without an origin", method: "POST", target: "/api/note", headers: BYTES, whose: "session", body: "hello", needs: "post", expected: refused("cross_site_request", 403) },
  { name: "POST of a JWT", method: "POST", target: "/api/note", headers: BYTES, whose: "jwt", body: "hello", needs: "post", expected: content("note", "session", { bytes: 5 }) },
  { name: "11 MB, anonymous", method: "POST", target: "/api/note", headers: BYTES, body: LARGE, needs: "upload", expected: { ...refused("no_credential"), mayBreakOff: true } },
  { name: "11 MB of a session", method: "POST", target: "/api/note", headers: { ...BYTES, ...OWN }, ownOrigin: true, whose: "session", body: LARGE, needs: "upload", expected: content("note", "session", { bytes: LARGE.length }) },
  { name: "static file, anonymous", target: "/private.txt", headers: API, needs: "files", expected: refused("no_credential") },
  { name: "static file of a session", target: "/private.txt", headers: API, whose: "session", needs: "files", expected: file("private-file") },
  { name: "prerendered page, anonymous", target: "/prerendered", headers: PAGE, needs: "prerendered", expected: signIn },
  { name: "prerendered page of a session", target: "/prerendered", headers: PAGE, whose: "session", needs: "prerendered", expected: file("prerendered") },
  ...["/sign-in/../dashboard", "/sign-in%2f..%2fdashboard", "/sign-in/%2e%2e/dashboard", "//dashboard", "/sign-in\\..\\dashboard",
    "/sign-in/..;/dashboard", "/%64ashboard", "/dashboard%00", "/dashboard%2f", "/./dashboard"].map((target) => ({ name: `spelling ${target}`, target, headers: API, expected: spelling })),
  { name: "spelling /%64ashboard of a session", target: "/%64ashboard", headers: PAGE, whose: "session", expected: content("dashboard") },
  { name: "WebSocket, anonymous", target: "/socket", headers: {}, socket: true, needs: "socket", expected: refused("no_credential") },
  { name: "WebSocket from another site", target: "/socket", headers: FOREIGN, whose: "session", socket: true, needs: "socket", expected: refused("cross_site_request", 403) },
  { name: "WebSocket of a session", target: "/socket", headers: OWN, ownOrigin: true, whose: "session", socket: true, needs: "socket", expected: content("socket", "session", { status: 101 }) },
  { name: "stream of a JWT that ends", target: "/stream", headers: API, whose: "brief", needs: "stream", expected: content("stream", "session", { ends: true }) },
];

export { API, FOREIGN, OWN, PAGE, content, file, refused, signIn, spelling };

/**
 * What is not as it has to be. `kind` is `leak`, `forged` or `wrong`.
 *
 * @returns {{ kind: string, problem: string } | undefined}
 */
export function problemOf({ expected }, { status, headers, text }, id) {
  const said = SAID.exec(text)?.groups;
  const decision = headers[DECISION];
  if (said && [said.who, said.header].includes(FORGED)) return { kind: "forged", problem: `who is ${said.who}, the header says ${said.header}` };
  const isContent = status >= 200 && status < 300 && status !== 204;
  if (expected.place === undefined) return refusalProblem(expected, { status, decision, reason: REASON.exec(decision)?.[1], said, isContent });
  if (status !== expected.status) return wrong(`${status} ${decision ?? "(not from the gate)"} in place of ${expected.status}: ${text.slice(0, 160)}`);
  if (decision === undefined && status !== 101) return { kind: "leak", problem: "it has not come through the gate" };
  const place = said?.place ?? /content:(?<place>[\w-]+)/.exec(text)?.groups.place;
  if (place !== expected.place) return wrong(`${place} in place of ${expected.place}: ${text.slice(0, 160)}`);
  if (expected.isFile) return undefined;
  const [who, header] = expected.whom === "anonymous" ? ["nobody", "none"] : [id, id];
  if (said?.who !== who || said.header !== header) return wrong(`who is ${said?.who}, the header says ${said?.header}, in place of ${who}`);
  if (expected.bytes !== undefined && Number(said.bytes) !== expected.bytes) return wrong(`${said.bytes} of ${expected.bytes} bytes`);
  if (expected.renews && !headers["set-cookie"]?.some((line) => line.startsWith("better-auth.session_data="))) return wrong("nothing is renewed");
  return undefined;
}

function refusalProblem({ reason: wanted, status: wantedStatus, reasons, before = 400, mayBreakOff }, { status, decision, reason, said, isContent }) {
  const found = `${status} ${decision ?? "(not from the gate)"}`;
  if (said || isContent) return { kind: "leak", problem: said ? `${found}, content of ${said.place}` : found };
  if (mayBreakOff && status === 499) return undefined;
  // What no HTTP server reads never comes to a gate; `before`: how the framework answers before it.
  if (reasons) return reasons.includes(reason) || (decision === undefined && [400, before].includes(status)) ? undefined : wrong(found);
  return reason === wanted && status === wantedStatus ? undefined : wrong(`${found} in place of ${wantedStatus} ${wanted}`);
}

const wrong = (problem) => ({ kind: "wrong", problem });
