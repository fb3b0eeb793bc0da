// The gate, and the holes that are planted in its place: gates that match what came instead of what is meant.

import { createGate } from "../../middleware/on/default.js";
import { nodeOn } from "../../middleware/node.js";

const ISSUER = "http://localhost:9";

/** Of each a maker of gates, as `doorward/node` is made on one: rules and secret come with the options. */
export const makers = {
  doorward: ({ rules, framework, secret }, host) => {
    const issuers = [{ type: "better-auth", url: ISSUER, secret: { env: "SECRET" } }];
    return createGate({ config: { issuers, rules, framework, debug_header: true }, env: { SECRET: secret }, log: () => {} }, host);
  },
  /** Public is what begins as a public path does. */
  "raw prefix": (site) => naive((target) => publicPaths(site).some((path) => beginsWith(target, path))),
  /** Public is what is not written as a protected path is. */
  "raw list": ({ kept }) => naive((target) => !kept.some((path) => beginsWith(target, path))),
};

export function gateOf(name) {
  return nodeOn(makers[name]);
}

/** Literal beginnings: what comes before a parameter or a wildcard. */
function beginsWith(target, pattern) {
  const [literal, more] = pattern.split(/(?=\/(?:\*\*|:))/u);
  return more === undefined ? target === literal || target.startsWith(`${literal}?`) : target.startsWith(`${literal}/`);
}

function publicPaths({ rules, framework }) {
  const patterns = rules.filter(({ access }) => access === "public").flatMap(({ path }) => path);
  return patterns.map((path) => (framework?.base_path ?? "") + path);
}

function naive(isPublic) {
  const decideHead = async ({ target }) =>
    isPublic(target)
      ? { kind: "forward", target, removed: [], set: [], onward: { removed: [], set: [] }, responseHeaders: [] }
      : { kind: "answer", status: 401, headers: [], body: "" };
  // Neither knows what concerns one connection only: nothing here depends on that.
  const hop = { responseRemovals: () => [], refuse: () => ({ status: 502, headers: [], body: "" }) };
  return { decideHead, hop };
}
