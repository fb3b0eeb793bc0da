// Gates as they are deployed: a built Next app (`proxy.ts`), and the Worker in workerd.

import { next, right, worker } from "../deployed.mjs";
import { answering, OTHER_SECRET } from "../lab.mjs";

/**
 * A service and what is deployed beside it, at one address of this machine. `start` gives what
 * answers everything but the service's own paths.
 */
const beside =
  (start, { gate, options = {}, ...more }) =>
  async (lab) => {
    let handler;
    const port = await lab.listen((req, res) => handler(req, res));
    const site = `http://localhost:${port}`;
    const service = lab.service({ ...options, baseURL: site }, { site });
    const onward = await start(lab, site);
    handler = (req, res) => (req.url.startsWith("/api/auth") ? service.handler(req, res) : onward(req, res));
    return { url: site, port, flags: ["--gate", gate], env: { BETTER_AUTH_URL: site }, ...more };
  };

const nextWith = (file, variables, more) =>
  beside((lab, site) => next(lab, file, { ...right(site), ...variables }), { gate: "/dashboard", ...more });

const workerWith = (bindings, more) =>
  beside(
    async (lab, site) => {
      const app = await lab.listen((req, res) => answering(200, {}, "the application")({}, req, res), { inner: true });
      return worker(lab, `http://127.0.0.1:${app}`, { ...right(site), ...bindings });
    },
    { gate: "/app", ...more },
  );

const row = (name, cause, certainty, start, more) => ({ name, cause, certainty, start, ...more });

export default [
  row("healthy: a built Next app with proxy.ts", null, null, nextWith("proxy.ts")),
  row(
    "Next: proxy.ts has another secret",
    "gate-secret-differs",
    "proof",
    nextWith("proxy.ts", { BETTER_AUTH_SECRET: OTHER_SECRET }),
  ),
  row(
    "Next: proxy.ts has no secret at run time",
    "secret-bundled-at-build",
    "strong",
    nextWith("proxy.ts", { BETTER_AUTH_SECRET: undefined }),
  ),
  row(
    "Next: proxy.ts cannot reach the service",
    "gate-doubt",
    "proof",
    nextWith("proxy.ts", { BETTER_AUTH_URL: "http://127.0.0.1:9" }),
  ),
  row(
    "Next: the matcher leaves the path out",
    "proxy-file-not-run",
    "strong",
    nextWith("narrow.ts", {}, { gate: "/users/7" }),
    {
      or: ["matcher-excludes"],
    },
  ),
  row(
    "Next: there is no proxy.ts, and the page is rendered for each request",
    "proxy-file-not-run",
    "strong",
    nextWith(undefined),
  ),
  row(
    "Next: there is no proxy.ts, and the page was rendered at build time",
    "page-cached-static",
    "proof",
    nextWith(undefined, {}, { gate: "/archive" }),
  ),
  row("healthy: the Worker in workerd", null, null, workerWith({})),
  row(
    "workerd: the Worker has another secret",
    "gate-secret-differs",
    "proof",
    workerWith({ BETTER_AUTH_SECRET: OTHER_SECRET }),
  ),
  row(
    "workerd: the Worker has no secret",
    "secret-bundled-at-build",
    "strong",
    workerWith({ BETTER_AUTH_SECRET: undefined }),
  ),
  row(
    "workerd: the Worker cannot reach the service",
    "gate-doubt",
    "proof",
    workerWith({ BETTER_AUTH_URL: "http://127.0.0.1:9" }),
  ),
  row(
    "workerd: no rule covers the path",
    "gate-route-denied",
    "proof",
    workerWith({
      DOORWARD: JSON.stringify({
        issuers: [{ type: "better-auth", url: { env: "BETTER_AUTH_URL" }, secret: { env: "BETTER_AUTH_SECRET" } }],
        rules: [{ path: "/account/**", access: "required" }],
      }),
    }),
  ),
  row(
    "workerd: the configuration is wrong, and is at hand",
    "gate-configuration-wrong",
    "strong",
    workerWith(
      { DOORWARD: JSON.stringify({ extends: "better-auth", publik: ["/"] }) },
      { config: { extends: "better-auth", publik: ["/"] } },
    ),
  ),
];
