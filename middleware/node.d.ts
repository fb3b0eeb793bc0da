import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { GateOptions } from "./gate.js";
import type { NotGated, Session } from "./session.js";
import "./express-request.js";

export { NotGated } from "./session.js";
export type { Session } from "./session.js";

export interface NodeOptions extends Omit<GateOptions, "publicOrigin" | "clientAddress" | "metrics"> {
  /**
   * As for every gate; besides, with `port`, a second listener at 127.0.0.1 of that port gives the text at `/metrics`, to this machine and
   * without a token. It does not keep the program running.
   */
  metrics?: boolean | { path?: string; port?: number };
  /**
   * Scheme, host and port under which browsers see this site, like `https://app.example`. Default: the address at which the
   * connection came in; never a header, unless `NODE_ENV` is `development` and somebody asks from this machine, by one of its
   * names, through no proxy: then `Host`. A text with more in it, like a path, is a `TypeError`; from a function it is a 503.
   */
  publicOrigin?: string | ((req: IncomingMessage) => string | undefined);
  /**
   * The client's network address; empty for an unknown one. Default: that of the connection, never a header. A function may
   * give a member of `req.headers` as Node types it; a list is no address, and such a request gets 503.
   */
  clientAddress?: string | ((req: IncomingMessage) => string | string[] | undefined);
}

/** A request of which the gate has decided that it goes on. */
export type Gated = IncomingMessage & {
  /** Who is asking; `null` for an anonymous request. */
  readonly doorward: Session | null;
};

/**
 * Connect-style middleware: answers by itself, or edits the request and calls `next`. A request whose rule has an `upstream` is
 * sent there with its body, so nothing may have read that before.
 */
export function middleware(
  options?: NodeOptions,
): (req: IncomingMessage, res: ServerResponse, next: (problem?: unknown) => void) => Promise<void>;

/** A request listener that lets nothing reach `handler` but what the gate lets through. */
export function protect(
  options: NodeOptions,
  handler: (req: Gated, res: ServerResponse) => void,
): (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/**
 * Who is asking, behind `middleware` or `protect` of this process; `null` for an anonymous request. It was found in the very request: no header
 * counts.
 *
 * @throws {NotGated} the gate did not run for this request
 * @throws {TypeError} that is no request
 */
export function session(req: IncomingMessage): Session | null;

export interface ProxyOptions extends NodeOptions {
  /**
   * Which name the origin is told to be asked for in `Host`: the one that the browser sees, or that of `origin`, as a host that serves
   * several sites needs it. Default: `"public"` where `origin` is an IP address or a name without dots, by which no site can be
   * chosen, and `"origin"` elsewhere. A rule's `upstream` follows that default. The assertion names the public host in every case.
   */
  host?: "public" | "origin";
  /** Where requests go that the gate lets through: scheme, host and port. */
  origin: string | URL;
}

export interface Proxy {
  (req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** For the server's `upgrade` event: passes WebSocket connections, and no other protocol. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

/**
 * A request listener that forwards to an origin through the gate, streaming both ways.
 *
 * @throws {TypeError} for an option that is not of its type
 */
export function createProxy(options: ProxyOptions): Proxy;
