// The life of an instance. The WebAssembly starts at the first request that needs it, never at import. When it traps, its
// memory is not to be trusted any more: it is dropped, and a later request starts the next one. Each instance has its
// generation; what was begun in one is not finished in another.

import { bindingOf } from "./binding.js";
import { logLine } from "./log.js";
import { joinHead } from "./wire.js";

/** The first restart is at once; each further one waits twice as long as the one before, up to the longest. Milliseconds. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/** After this long without a trap, earlier ones are forgotten. Milliseconds. */
const CALM = 60_000;

/** The gate cannot say anything about this request: no instance, or not the one that began with it. */
export class NotStarted extends Error {}

/**
 * Follows the lives of the instances of one glue. All gates of a program share it, and so they share a trap.
 *
 * @param {object} glue what wasm-bindgen wrote: `Draft`, `linearMemory`, `__wbg_reset_state`
 * @param {{ now?: () => number, log?: (line: string) => void }} [host]
 */
export function supervisorOf(glue, { now = Date.now, log = (line) => console.error(line) } = {}) {
  let generation = 0;
  let alive = false;
  let traps = 0;
  let lastTrap = 0;
  let notBefore = 0;

  return {
    /** The number of the instance that was started last. */
    get generation() {
      return generation;
    },

    /** Makes sure that an instance is there, and gives its generation. */
    start() {
      if (alive) return generation;
      const wait = notBefore - now();
      // A pause longer than the longest is a clock that was set back.
      if (wait > 0 && wait <= LONGEST_PAUSE) throw new NotStarted("the gate restarts after a pause");
      generation++;
      guarded("could not start", () => glue.__wbg_reset_state());
      alive = true;
      return generation;
    },

    /**
     * Calls into the instance of this generation.
     *
     * @template T
     * @param {number} expected
     * @param {() => T} call
     * @returns {T}
     */
    call(expected, call) {
      if (!alive || expected !== generation) throw new NotStarted("the WebAssembly instance of this request is gone");
      return guarded("crashed", call);
    },
  };

  /** Any exception is the end of the instance: the engine itself throws nothing but text about its configuration. */
  function guarded(what, call) {
    try {
      return call();
    } catch (error) {
      if (typeof error === "string") throw error;
      drop();
      // The place was said by the panic hook; an exception's own message says no more than `unreachable`.
      const problem = `the WebAssembly instance ${generation} ${what} (${error?.name ?? "exception"}); a later request starts a new one`;
      log(logLine("crash", { problem }));
      throw new NotStarted("the WebAssembly instance has crashed");
    }
  }

  function drop() {
    alive = false;
    const moment = now();
    traps = moment - lastTrap > CALM ? 1 : traps + 1;
    lastTrap = moment;
    notBefore = traps === 1 ? moment : moment + Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (traps - 2));
  }
}

/**
 * The engine of one configuration, compiled once in each instance.
 *
 * @param {object} glue
 * @param {ReturnType<typeof supervisorOf>} supervisor
 * @param {{ config?: object | string, source?: string, beside?: string[], say?: (error: string[]) => string[], env?: () => Record<string, unknown>, checks: string[], signs: string[], stores: string[], shares: boolean, marks?: boolean, proxies?: boolean, measures?: boolean, now: () => number, log: (line: string) => void, complain: (line: string) => void }} host
 */
export function engineOf(glue, supervisor, { config, source, beside, say, env, checks, signs, stores, shares, marks, proxies, measures, names = [], now, log, complain }) {
  let binding;
  let generation = 0;
  let errors;

  return {
    begin,

    /** Compiles the configuration before the first request; whether that is right. */
    start() {
      try {
        begin();
        return true;
      } catch {
        return false;
      }
    },

    /** Ports that the configuration leaves without a gate; none where it cannot be read. */
    ungatedPorts() {
      try {
        const current = supervisor.start();
        return supervisor.call(current, () => {
          const draft = new glue.Draft(text());
          const ports = [...draft.ungatedPorts()];
          draft.free();
          return ports;
        });
      } catch {
        return [];
      }
    },

    /** What is wrong with the configuration: place, problem and hint of each; nothing where it is right, or not looked at yet. */
    get errors() {
      return errors;
    },

    /** The decision on a head. */
    decide(begun, head, now) {
      const joined = joinHead(head);
      return supervisor.call(begun, () => binding.decision(binding.decide(joined, now)));
    },

    /** Whether a connection that began with this head may stay open. */
    look: (begun, head, now) => supervisor.call(begun, () => binding.decision(binding.look(head, now))),

    /** The same after an effect. */
    rechecked: (begun, head, id, result, now) => supervisor.call(begun, () => binding.decision(binding.rechecked(head, id, result, now))),

    /** The head of the last decision, to keep. */
    head: (begun) => supervisor.call(begun, () => binding.head()),

    /** The next decision. */
    resume: (begun, head, id, result, now) => supervisor.call(begun, () => binding.decision(binding.resume(head, id, result, now))),

    /** What a response gets besides, after an effect that was performed alongside. */
    finish: (begun, id, result, setCookies, now) => supervisor.call(begun, () => binding.decision(binding.finish(id, result, setCookies, now))),

    /** The same where the host does not see the response, before the request goes on. */
    finishUnseen: (begun, id, result, now) => supervisor.call(begun, () => binding.decision(binding.finishUnseen(id, result, now))),

    /** Gives up an effect alongside: its request ends without a response. */
    abandon: (begun, id) => supervisor.call(begun, () => binding.abandon(id)),

    /** Takes the result of an effect that was performed after the response. */
    receive: (begun, id, result, now) => supervisor.call(begun, () => binding.receive(id, result, now)),

    /** What the names of the identity headers begin with. */
    prefix: () => supervisor.call(generation, () => binding.prefix()),

    /** The answer for what only the host has found out, by the code of its reason. */
    refuse(head, code, now) {
      const joined = joinHead(head);
      return supervisor.call(begin(), () => binding.decision(binding.refuse(joined, code, now)));
    },

    /** Names of headers of an origin's response that end at a proxy. */
    // The instance may have fallen since the request went on: any other knows the same of a response.
    responseRemovals: (pairs) => supervisor.call(begin(), () => binding.responseRemovals(pairs)),

    /** What has been counted, in the text format of Prometheus. Starts what has not started yet. */
    prometheus(host, now) {
      return supervisor.call(begin(), () => binding.prometheus(host, now));
    },

    /** Takes how long something took. */
    took: (begun, isDecision, word, micros) => supervisor.call(begun, () => binding.took(isDecision, word, micros)),

    /** What is to be put into the shared cache. */
    cacheWrites: (begun) => supervisor.call(begun, () => binding.decision(binding.cacheWrites()).cacheWrites),
  };

  /** The generation in which a request begins now. */
  function begin() {
    if (errors) throw wrongConfiguration();
    const current = supervisor.start();
    if (generation !== current) {
      binding = compile(current);
      generation = current;
    }
    return current;
  }

  function compile(current) {
    try {
      // A clock that fails is no fault of the instance.
      const moment = now();
      const document = text();
      const draft = supervisor.call(current, () => new glue.Draft(document));
      if (marks) supervisor.call(current, () => draft.marks());
      const values = valuesOf([...JSON.parse(supervisor.call(current, () => draft.names())), ...names], env());
      const gate = supervisor.call(current, () => {
        for (const [name, value] of values) draft.value(name, value);
        for (const part of checks) draft.checks(part);
        for (const part of signs) draft.signs(part);
        for (const name of stores) draft.stores(name);
        if (shares) draft.shares();
        if (proxies) draft.proxies();
        if (measures) draft.measures();
        return draft.compile();
      });
      const [start, ...warnings] = supervisor.call(current, () => gate.startLines(source, moment)).split("\n");
      log(start);
      warnings.forEach(complain);
      return supervisor.call(current, () => bindingOf(glue, gate));
    } catch (error) {
      if (typeof error !== "string") throw error;
      errors = JSON.parse(error).map(say);
      for (const [path, problem, hint] of errors) complain(logLine("config_error", { path, problem, hint }));
      throw wrongConfiguration();
    }
  }

  /** The document as text; none at all is the preset. */
  function text() {
    if (beside) refuse("config", `stands beside ${beside.join(", ")}`, "write all of it in `config`, or all of it among the options");
    if (config === undefined) return "";
    return typeof config === "string" ? config : (jsonOf(config) ?? refuse("config", "is not JSON", "give plain objects and lists"));
  }
}

function jsonOf(value) {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** Refuses a configuration in the form in which the engine does. */
function refuse(path, problem, hint) {
  throw JSON.stringify([[path, problem, hint]]);
}

/** Wrong now is wrong later: it is said once, and every request of this gate is answered with 503. */
function wrongConfiguration() {
  return new NotStarted("the configuration has mistakes");
}

/** Just the values that the configuration and the host name; nothing else of the environment crosses it. */
function valuesOf(names, environment) {
  return names.map((name) => [name, environment[name]]).filter(([, value]) => typeof value === "string");
}
