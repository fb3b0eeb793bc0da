// What a row starts: a real Better Auth in this process, servers with and without TLS, proxies with
// one fault, the gate. A lab belongs to one row, counts the requests that reach it, knows each value
// that must not be printed, and ends what it has started.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins/jwt";
import { betterAuth as betterAuth14 } from "better-auth-1.4";
import { memoryAdapter as memoryAdapter14 } from "better-auth-1.4/adapters/memory";
import { toNodeHandler as toNodeHandler14 } from "better-auth-1.4/node";
import { jwt as jwt14 } from "better-auth-1.4/plugins/jwt";
import { betterAuth as betterAuth15 } from "better-auth-1.5";
import { memoryAdapter as memoryAdapter15 } from "better-auth-1.5/adapters/memory";
import { toNodeHandler as toNodeHandler15 } from "better-auth-1.5/node";
import { jwt as jwt15 } from "better-auth-1.5/plugins/jwt";
import { betterAuth as betterAuth16 } from "better-auth-1.6";
import { memoryAdapter as memoryAdapter16 } from "better-auth-1.6/adapters/memory";
import { toNodeHandler as toNodeHandler16 } from "better-auth-1.6/node";
import { jwt as jwt16 } from "better-auth-1.6/plugins/jwt";

import { freePort } from "../../examples/shared/port.mjs";

export const SITE = "https://app.example.com";
export const SECRET = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
export const OTHER_SECRET = "Zr5uW1xE8oN4cV7bK2qM9gT6jP3dH0sY-fLiA";
export const PASSWORD = "correct-horse-battery-9";

/** Every name for which the rows have a server with TLS. */
const NAMES = ["app.example.com", "*.example.com", "example.com", "*.vercel.app", "*.example.org", "localhost"];

const API = fileURLToPath(new URL("api.py", import.meta.url));

const PROCESS = fileURLToPath(new URL("process.mjs", import.meta.url));

const VERSIONS = {
  1.7: { betterAuth, memoryAdapter, toNodeHandler, jwt },
  1.6: { betterAuth: betterAuth16, memoryAdapter: memoryAdapter16, toNodeHandler: toNodeHandler16, jwt: jwt16 },
  1.5: { betterAuth: betterAuth15, memoryAdapter: memoryAdapter15, toNodeHandler: toNodeHandler15, jwt: jwt15 },
  1.4: { betterAuth: betterAuth14, memoryAdapter: memoryAdapter14, toNodeHandler: toNodeHandler14, jwt: jwt14 },
};

const hash = async (password) => createHash("sha256").update(password).digest("hex");
const cheap = { hash, verify: async (given) => given.hash === (await hash(given.password)) };

const TABLES = ["user", "session", "account", "verification", "jwks", "rateLimit", "twoFactor"];
export const emptyDatabase = () => Object.fromEntries(TABLES.map((name) => [name, []]));

/** What the doctor may cause to be written: the first signing key, and counters of the rate limit. */
const MAY_CHANGE = new Set(["jwks", "rateLimit"]);

export class Lab {
  #ends = [];
  #certify;
  #certificate;
  #services = [];
  /** Values that nothing may print. */
  hidden = new Set();
  /** Requests that came to a server which the doctor talks to. */
  requests = 0;

  constructor({ certify }) {
    this.#certify = certify;
  }

  /** Marks a value as one that nothing may print. */
  hide(value) {
    if (value) this.hidden.add(value);
    return value;
  }

  /** Something to do when the row is over. */
  atEnd(end) {
    this.#ends.push(end);
  }

  async end() {
    await this.close();
  }

  /**
   * A Better Auth: e-mail and password, the compact cookie cache and the jwt plugin, in memory.
   * `options` are Better Auth's, over those.
   */
  service(options = {}, { version = "1.7", site = SITE, db = emptyDatabase() } = {}) {
    const { betterAuth, memoryAdapter, toNodeHandler, jwt } = VERSIONS[version];
    const auth = betterAuth({
      baseURL: site,
      secret: SECRET,
      database: memoryAdapter(db),
      emailAndPassword: { enabled: true, password: cheap },
      session: { cookieCache: { enabled: true, maxAge: 300 } },
      plugins: [jwt()],
      rateLimit: { enabled: false },
      telemetry: { enabled: false },
      logger: { disabled: true },
      ...options,
    });
    for (const secret of [options.secret ?? SECRET, ...(options.secrets ?? []).map(({ value }) => value)])
      this.hide(secret);
    const handle = toNodeHandler(auth);
    const service = {
      auth,
      db,
      site,
      base: `${site}${options.basePath ?? "/api/auth"}`,
      handler: (req, res) =>
        handle(req, res).catch(() => {
          // As a platform answers for a handler that throws.
          if (!res.headersSent) res.writeHead(500);
          res.end();
        }),
    };
    this.#services.push(service);
    return service;
  }

  /** The gate in front of an application, and the service beside it at its base path. */
  async gate(
    service,
    { config = { extends: "better-auth" }, env = {}, app = answering(200, {}, "the application"), fetch, ...more } = {},
  ) {
    const { middleware } = await import("../../middleware/on/node.js");
    const gate = middleware({
      config,
      env: { BETTER_AUTH_URL: service.site, BETTER_AUTH_SECRET: SECRET, ...env },
      publicOrigin: service.site,
      log: () => {},
      fetch: fetch ?? ((url, init) => service.auth.handler(new Request(url, init))),
      ...more,
    });
    return (req, res) =>
      req.url.startsWith("/api/auth") ? service.handler(req, res) : gate(req, res, () => app({}, req, res));
  }

  /** What the services have stored, but for what the doctor may cause to be written. */
  stored() {
    return JSON.stringify(
      this.#services.map(({ db }) => Object.entries(db).filter(([table]) => !MAY_CHANGE.has(table))),
    );
  }

  /** A server: over TLS if `tls` says for which names, or with which certificate. */
  async listen(handler, { tls, inner = false, host = "127.0.0.1" } = {}) {
    const counted = (req, res) => {
      if (!inner) this.requests += 1;
      handler(req, res);
    };
    const limits = { maxHeaderSize: 65_536, keepAliveTimeout: 500 };
    if (tls === true) this.#certificate ??= this.#certify(NAMES);
    const pair = tls === true ? await this.#certificate : tls;
    const server = tls ? createTlsServer({ ...limits, ...pair }, counted) : createServer(limits, counted);
    server.listen({ host, port: 0 });
    await once(server, "listening");
    this.atEnd(() => {
      server.close();
      server.closeAllConnections();
    });
    return server.address().port;
  }

  /** A certificate of its own, of the authority that the doctor is told of. */
  certify(names, life) {
    return this.#certify(names, life);
  }

  /** The service at its site: what every row has that needs nothing else. */
  async serve(service, { site = service.site, handler = service.handler, ...more } = {}) {
    return this.at(site, handler, more);
  }

  /**
   * A handler at an address on the web, which is a port of this machine. `own`: BETTER_AUTH_URL is
   * the address with that port.
   */
  async at(site, handler, { flags = [], env, tls, own = false, ...more } = {}) {
    const { protocol, hostname } = new URL(site);
    const isLocal = hostname === "localhost" || hostname === "127.0.0.1";
    const port = await this.listen(handler, { tls: protocol === "https:" && (tls ?? true) });
    const url = isLocal ? `${protocol}//${hostname}:${port}` : site;
    return {
      url,
      port,
      flags: [...(isLocal ? [] : ["--connect", `127.0.0.1:${port}`]), ...flags],
      env: { ...(own && { BETTER_AUTH_URL: url }), ...env },
      ...more,
    };
  }

  /** The API of Python with these settings, with or without `cryptography`: its port. */
  async python(settings, { bare = false } = {}) {
    const interpreter = bare ? process.env.DOORWARD_BARE_PYTHON : process.env.DOORWARD_PYTHON;
    if (!interpreter) throw new Error("DOORWARD_PYTHON or DOORWARD_BARE_PYTHON is not set: cargo xtask causes does");
    const child = spawn(interpreter, ["-B", API], {
      env: { PATH: process.env.PATH, ...settings },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.atEnd(() => child.kill());
    const [line] = await once(child.stdout.setEncoding("utf8"), "data");
    return Number(line);
  }

  /** A service whose clock is off by that many seconds, as what sends requests on to it. */
  async skewed(seconds, options = {}, more = {}) {
    const words = [
      "-f",
      `${seconds < 0 ? "" : "+"}${seconds}s`,
      process.execPath,
      PROCESS,
      JSON.stringify([options, more]),
    ];
    const child = spawn("faketime", words, { stdio: ["pipe", "pipe", "inherit"] });
    this.atEnd(() => child.stdin.end());
    const [line] = await once(child.stdout.setEncoding("utf8"), "data");
    return this.forward(Number(line));
  }

  /** What sends each request on to that port. */
  forward(port) {
    return (req, res) => {
      const onward = httpRequest(
        { host: "127.0.0.1", port, method: req.method, path: req.url, headers: req.headers, agent: false },
        (answer) => {
          res.writeHead(answer.statusCode, answer.headers);
          answer.pipe(res);
        },
      );
      onward.on("error", () => res.writeHead(502).end("Bad Gateway"));
      req.pipe(onward);
    };
  }

  /**
   * A real nginx with TLS before a handler: `http` stands in its block of that name, `server` and
   * `location` in theirs, `listen` at the end of its line. The location is `at`, and `onto` the path
   * that is put in its place. `isHostKept`: the service gets the host that was asked for.
   */
  async nginx(
    handler,
    { http = "", server = "", listen = "", location = "", at = "/", onto = "", isHostKept = true } = {},
  ) {
    const inner = await this.listen(handler, { inner: true });
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    return this.#program("nginx", ({ port, folder }) => [
      "/usr/sbin/nginx",
      ["-p", folder, "-c", join(folder, "conf"), "-e", "stderr"],
      `daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events { worker_connections 64; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
  ${http}
  server {
    listen 127.0.0.1:${port} ssl ${listen};
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    ${server}
    location ${at} {
      proxy_pass http://127.0.0.1:${inner}${onto};
      ${isHostKept ? "proxy_set_header Host $host;" : ""}
      ${location}
    }
  }
}
`,
    ]);
  }

  /**
   * A real haproxy with TLS before one handler or several in turn: lines for its sections. `listen`
   * stands at the end of the line that binds, `server` at the end of those of the servers.
   */
  async haproxy(handlers, { global = "", frontend = "", backend = "", listen = "", server = "" } = {}) {
    const inner = await Promise.all([handlers].flat().map((handler) => this.listen(handler, { inner: true })));
    return this.#program("haproxy", ({ port, folder }) => [
      "/usr/sbin/haproxy",
      ["-db", "-q", "-f", join(folder, "conf")],
      `global
  ${global}
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend web
  bind 127.0.0.1:${port} ssl crt ${folder}/cert.pem ${listen}
  ${frontend}
  default_backend service
backend service
  ${backend}
${inner.map((port, at) => `  server s${at} 127.0.0.1:${port} ${server.replaceAll("@", at)}`).join("\n")}
`,
    ]);
  }

  /** A server that is a program with a file of configuration and a certificate, at a free port. */
  async #program(name, made) {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), `doorward-${name}-`));
    const { key, cert } = await this.#certify(NAMES);
    await writeFile(join(folder, "key.pem"), key);
    await writeFile(join(folder, "cert.pem.key"), key);
    await writeFile(join(folder, "cert.pem"), cert);
    const [program, words, text] = made({ port, folder });
    await writeFile(join(folder, "conf"), text);
    const child = spawn(program, words, { stdio: ["ignore", "ignore", "inherit"] });
    const gone = once(child, "close");
    this.atEnd(async () => {
      child.kill("SIGKILL");
      await gone;
      await rm(folder, { recursive: true });
    });
    for (let left = 100; left > 0 && child.exitCode === null && !(await isListening(port)); left--)
      await new Promise((resolve) => setTimeout(resolve, 20));
    if (child.exitCode !== null) throw new Error(`${name} has ended with ${child.exitCode}`);
    return { url: SITE, port, flags: ["--connect", `127.0.0.1:${port}`] };
  }

  /** Ends the servers of this lab before the doctor comes. */
  async close() {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  /**
   * A proxy before a handler: `request` may change the headers on the way there or answer, `response`
   * the status and headers on the way back, `body` the body.
   */
  async proxy(handler, { request, response, body } = {}) {
    const port = await this.listen(handler, { inner: true });
    return (req, res) => {
      const headers = { ...req.headers };
      if (request?.(headers, req, res) === "answered") return;
      const onward = httpRequest(
        {
          host: "127.0.0.1",
          port,
          method: req.method,
          path: req.url,
          headers,
          agent: false,
          setHost: false,
          maxHeaderSize: 65_536,
        },
        (answer) => {
          const back = { status: answer.statusCode, headers: { ...answer.headers } };
          response?.(back, req);
          if (!body) {
            res.writeHead(back.status, back.headers);
            answer.pipe(res);
            return;
          }
          const chunks = [];
          answer.on("data", (chunk) => chunks.push(chunk));
          answer.on("end", () => {
            const changed = body(Buffer.concat(chunks).toString(), req);
            delete back.headers["content-length"];
            delete back.headers["transfer-encoding"];
            res.writeHead(back.status, back.headers);
            res.end(changed);
          });
        },
      );
      onward.on("error", () => res.writeHead(502).end("Bad Gateway"));
      req.pipe(onward);
    };
  }

  /** Asks a service in this process, as a browser at its site. */
  async ask(service, path, { body, jar = {}, headers = {}, method = body ? "POST" : "GET" } = {}) {
    const cookie = header(jar);
    const response = await service.auth.handler(
      new Request(service.base + path, {
        method,
        headers: {
          origin: new URL(service.site).origin,
          ...(body && { "content-type": "application/json" }),
          ...(cookie && { cookie }),
          ...headers,
        },
        body: body && JSON.stringify(body),
      }),
    );
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split("; ");
      const at = pair.indexOf("=");
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      if (attributes.includes("Max-Age=0")) delete jar[name];
      else jar[name] = this.hide(value);
    }
    return { status: response.status, jar, headers: response.headers, body: await response.text() };
  }

  /** Somebody who has just signed up: the cookies of a browser. */
  async signedUp(service, more = {}) {
    const email = this.hide(`ada.${this.#services.length}.lovelace@people.example`);
    this.hide(PASSWORD);
    const body = { email, password: PASSWORD, name: "Ada", ...more };
    const answer = await this.ask(service, "/sign-up/email", { body });
    if (answer.status !== 200) throw new Error(`sign-up: ${answer.status} ${answer.body}`);
    this.hide(JSON.parse(answer.body).token);
    return { jar: answer.jar, email };
  }

  async signIn(service, email, more = {}) {
    const body = { email, password: PASSWORD, ...more };
    const answer = await this.ask(service, "/sign-in/email", { body });
    this.hide(JSON.parse(answer.body).token);
    return answer.jar;
  }

  /** A JWT of the jwt plugin, for whoever has these cookies. */
  async token(service, jar) {
    const answer = await this.ask(service, "/token", { jar: { ...jar } });
    return this.hide(JSON.parse(answer.body).token);
  }
}

function isListening(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.on("error", () => resolve(false)).on("connect", () => socket.destroy());
  });
}

/** The `Cookie` header of a browser with these cookies. */
export function header(jar) {
  return Object.entries(jar)
    .map(([name, value]) => `${name}=${value}`)
    .join("; ");
}

/** One answer to everything, or to what `when` picks: for handlers and proxies. */
export function answering(status, headers, body, when = () => true) {
  return (_headers, req, res) => {
    if (!when(req)) return undefined;
    res.writeHead(status, headers).end(body);
    return "answered";
  };
}
