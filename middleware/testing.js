// Sessions for the unit tests of applications. Imported anywhere else it throws, and the program does not start.

import { AsyncLocalStorage } from "node:async_hooks";

import { TEXT, checkOptions, isFunction, isObject, wrongOption } from "./options.js";
import { letOn } from "./passed.js";
import { answerWith } from "./testing-hook.js";

/** Variables that test runners set for the programs that they start: Node's own, Vitest, Jest. */
const RUNNERS = ["NODE_TEST_CONTEXT", "VITEST", "JEST_WORKER_ID"];

refuseElsewhere();

const current = new AsyncLocalStorage();
answerWith(() => current.getStore()?.session);

/** See `testing.d.ts`. */
export function withSession(who, run) {
  refuseElsewhere();
  if (!isFunction(run)) throw wrongOption("run", "a function");
  return current.run({ session: sessionFor(who) }, run);
}

/** See `testing.d.ts`. */
export function requestOf(who, request) {
  refuseElsewhere();
  if (typeof request !== "object" || request === null) throw wrongOption("request", "a request");
  letOn(request, { identity: sessionFor(who) ?? undefined });
  return request;
}

function sessionFor(who) {
  if (who === null) return null;
  const given = typeof who === "string" ? { subject: who } : who;
  if (!isObject(given)) throw wrongOption("who", "a user's id, a session, or null");
  checkOptions(given, { subject: TEXT });
  if (given.subject === undefined) throw wrongOption("subject", TEXT[1]);
  const expires = Math.floor(Date.now() / 1000) + 3600;
  return { sessionId: undefined, email: undefined, issuer: "testing", source: "testing", expires, claims: {}, ...given };
}

/** Many servers run without NODE_ENV, so that alone says nothing: a test is what says that it is one. */
function refuseElsewhere() {
  const { NODE_ENV, VERCEL_ENV } = process.env;
  const isTest = ["test", "development"].includes(NODE_ENV) || RUNNERS.some((name) => process.env[name]);
  if (isTest && NODE_ENV !== "production" && VERCEL_ENV !== "production") return;
  throw new Error("doorward/testing is for tests: it works where NODE_ENV is `test` or `development`, or a test runner has started the program, and never in production");
}
