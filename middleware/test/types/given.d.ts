// Names that blocks of code in documents use without importing them: the package's functions by
// their usual names, and what the reader's own program has.

declare const gate: typeof import("doorward/next").gate;
declare const createGate: typeof import("doorward").createGate;
declare const createProxy: typeof import("doorward/node").createProxy;
declare const middleware: typeof import("doorward/node").middleware;
declare const session: typeof import("doorward/next").session;

/** An application of Express. */
declare const app: import("express").Express;
declare const handler: (request: Request) => Promise<Response>;
declare const request: Request;
declare const headers: () => Promise<Headers>;
declare const AdminPage: () => Promise<unknown>;

/** A configuration, and parts of one. */
declare const config: import("doorward").Config;
declare const issuers: NonNullable<import("doorward").Config["issuers"]>;
declare const rules: NonNullable<import("doorward").Config["rules"]>;

/** A client of Redis (node-redis), and Workers KV. */
declare const redis: {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, options: { EX: number }): Promise<unknown>;
};
declare const env: { SESSIONS: { get(key: string): Promise<string | null> } };
