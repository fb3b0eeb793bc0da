// `node --import doorward/register server.js`: the gate in front of whatever a Node program listens with, without a change to it.
//
// Every HTTP server of Node hands its requests on as events of itself, and `net.Server` is what they all are made of. So one `emit` in its
// prototype stands before frameworks, static files and WebSockets. Two things are looked after: that nothing else listens (a server of bare
// sockets ends the program), and that the events do come through here.

import cluster from "node:cluster";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { readFileSync } from "node:fs";
import path from "node:path";

import { guardOf } from "./guard.js";
import { logLine } from "./log.js";

const REGISTERED = Symbol.for("doorward.registered");

/** Names of variables. */
const CONFIG = "DOORWARD";
const PUBLIC_ORIGIN = "PUBLIC_ORIGIN";

/** How this is named where a program is started. */
const OWN_NAME = /doorward[/\\]register|on[/\\]register\.js/;

/**
 * So long after a server listens the gate starts, unless a request has started it: frameworks read their `.env` files meanwhile, and what is
 * wrong is said all the same. Milliseconds.
 */
const STARTS_AFTER_MS = 1000;

/** What an HTTP server announces that the application would answer. */
const ANSWERED = ["request", "checkContinue", "checkExpectation"];

/**
 * Puts the gate in front of this program.
 *
 * @param {ReturnType<typeof import("./node.js").nodeOn>} host
 * @throws {Error} it cannot be there, or is there already: the program does not start
 */
export function register(host) {
  if (globalThis.Bun || globalThis.Deno) throw new Error("doorward/register is for Node: in Bun and Deno, use createGate of doorward");
  if (globalThis[REGISTERED]) throw new Error("doorward/register is loaded twice: name it once, in the start script");
  globalThis[REGISTERED] = true;
  const given = optionsOf(process.env, process.cwd());
  attach(guardOf(host, given.options), given.source);
}

function optionsOf(env, folder) {
  const publicOrigin = present(env[PUBLIC_ORIGIN]);
  const text = present(env[CONFIG]);
  if (text !== undefined) return { options: { config: text, publicOrigin }, source: `variable ${CONFIG}` };
  const file = path.join(folder, "doorward.json");
  const found = textOf(file);
  return found === undefined ? { options: { publicOrigin }, source: "preset better-auth" } : { options: { config: found, publicOrigin }, source: file };
}

/** What the file says; nothing where there is none. One that cannot be read ends the program. */
function textOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw new Error(`doorward: ${file} cannot be read: ${error.code}`);
  }
}

/** A blank variable is a missing one. */
const present = (value) => (value?.trim() ? value : undefined);

function attach(guard, source) {
  // Read without a variable: a program may listen before its `.env` files are.
  const ungated = new Set(guard.ungatedPorts());
  const { emit, listen } = net.Server.prototype;
  /** Servers whose events have come through here. */
  const seen = new WeakSet();
  /** Servers of ports that are not to be gated. */
  const open = new WeakSet();
  const watched = new WeakSet();
  const secure = Object.getPrototypeOf(http2.createSecureServer());
  const plain = Object.getPrototypeOf(http2.createServer());

  net.Server.prototype.emit = function doorward(event, ...args) {
    seen.add(this);
    const through = (...edited) => emit.call(this, event, ...edited);
    if (open.has(this)) return through(...args);
    if (event === "session" && kindOf(this) === "http2") guard.session(args[0]);
    if (ANSWERED.includes(event)) return guard.request(args, through), true;
    if (event === "upgrade") return guard.upgrade(args, through), true;
    // A tunnel to anywhere, and sockets with another protocol: nothing that the gate could decide on.
    if (event === "connect") return guard.refuse(args[1]), true;
    if (event === "unknownProtocol") return args[0].destroy(), true;
    return through(...args);
  };

  net.Server.prototype.listen = function doorward(...args) {
    if (!watched.has(this)) {
      watched.add(this);
      this.on("listening", () => listening(this));
    }
    return listen.apply(this, args);
  };

  function listening(server) {
    const address = server.address();
    const port = address?.port;
    const kind = kindOf(server);
    if (ungated.has(port)) {
      open.add(server);
      return console.log(logLine("listening", { address: addressOf(address), configuration: source, guards: [] }));
    }
    // A pipe has no port: what is on this machine alone, like the way between a development server and its parts.
    if (kind === undefined && port === undefined) return;
    if (kind === undefined && cluster.isPrimary && Object.keys(cluster.workers).length > 0) return process.nextTick(handedOn, server, port);
    if (kind === undefined) return bare(port);
    if (!seen.has(server)) return ends("another tool has taken over the events of this HTTP server", "name doorward/register before any other --import or --require");
    console.log(logLine("listening", { address: addressOf(address), configuration: source, guards: guardedBy(kind) }));
    setTimeout(started, STARTS_AFTER_MS).unref();
  }

  function started() {
    if (!guard.start()) console.error(`doorward: the configuration (${source}) has mistakes: every request gets 503`);
  }

  /** `node:cluster` listens in the first process and hands its socket on to the workers, where the gate is as well if it was named for all. */
  function handedOn(server, port) {
    // Nothing is left of it here then.
    if (server._handle !== null) return bare(port);
    const isInWorkers = [process.env.NODE_OPTIONS ?? "", ...(cluster.settings.execArgv ?? process.execArgv)].some((text) => OWN_NAME.test(text));
    if (!isInWorkers) ends(`the workers that listen on port ${port} have no gate`, "leave --import doorward/register in `execArgv` of cluster.setupPrimary");
  }

  function kindOf(server) {
    if (secure.isPrototypeOf(server) || plain.isPrototypeOf(server)) return "http2";
    // `https.Server` is no `http.Server`: it is one of TLS that has its methods.
    if (server instanceof http.Server || server.setTimeout === http.Server.prototype.setTimeout) return "http";
    return undefined;
  }
}

function bare(port) {
  ends(`something other than HTTP listens on port ${port}, which the gate cannot guard`, `if nothing there needs the gate, add the port to "ungated_ports" of the configuration`);
}

const guardedBy = (kind) => [...ANSWERED, "upgrade", ...(kind === "http2" ? ["stream"] : [])];

function addressOf(address) {
  if (typeof address !== "object" || address === null) return String(address);
  return address.family === "IPv6" ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}

function ends(problem, hint) {
  console.error(`doorward: ${problem}, so the program ends.\ndoorward: ${hint}`);
  process.exit(1);
}
