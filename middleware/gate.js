// The gate: head → decide → perform → resume, until there is a final decision. It knows Request and Response and no
// framework, and it has no opinion about who may pass: whatever it cannot act on is a 503, never a pass.

import { performer } from "./perform.js";
import { signaturesBy } from "./signatures.js";
import { engineOf, supervisorOf } from "./engine.js";
import { notStarted } from "./not-started.js";
import { passed } from "./passed.js";
import { configurationOf } from "./short-form.js";
import { withErrors } from "./start-errors.js";
import { isIdentity } from "./origin/names.js";
import { clock, logLine, withDuration } from "./log.js";
import { METRICS, lostText, observed, runtimeName, scraped, textWithout } from "./metrics.js";
import { ending, isBounded, isStream } from "./open.js";
import { FLAG, FUNCTION, checkOptions, isFunction, isObject, momentOf, wrongOption } from "./options.js";
import { encodeResult } from "./wire.js";

const isTextOrFunction = (value) => typeof value === "string" || isFunction(value);

/** What each option must be where it is given; `publicOrigin` says so by itself. */
const OPTIONS = {
  config: [(value) => typeof value === "string" || isObject(value), "a configuration: an object or its JSON text"],
  env: [isObject, "an object with the environment variables"],
  fetch: FUNCTION,
  stores: [(value) => isObject(value) && Object.values(value).every(isFunction), "an object of functions"],
  cache: [isObject, "an object with `get` and `put`"],
  now: FUNCTION,
  clientAddress: [(value) => value === null || isTextOrFunction(value), "an address or a function"],
  log: FUNCTION,
  waitUntil: FUNCTION,
  perform: FUNCTION,
  metrics: METRICS,
  marks: FLAG,
};

/** All that is not about the configuration. */
const OPTION_NAMES = [...Object.keys(OPTIONS).filter((name) => name !== "config"), "publicOrigin"];

/** What comes with one request; each member goes before the option of the same name. */
const CONTEXT = {
  waitUntil: FUNCTION,
  clientAddress: [(value) => value === null || typeof value === "string", "an address"],
  publicOrigin: [(value) => value === null || typeof value === "string", "an origin"],
  seesResponse: FLAG,
  usesArgument: FLAG,
  isOwnMachine: FLAG,
};

/** What the log says of a forged identity that this runtime does not let the gate remove. */
const FORGED = "A client sent an identity header, and this runtime does not let the gate remove it: set usesArgument if next uses the request that it is given";

/**
 * Makes `createGate` for the WebAssembly of one kind of runtime. See `gate.d.ts` for what it takes and gives. The second argument is for
 * hosts in this package: `marks` says that the application is another process, which reads who it is from a mark, `proxies` that each
 * request goes on over a connection of its own, `fetchPage` fetches a path of their origin, `listens` that it can serve metrics at a port, `names` are variables that are of use besides those that
 * the configuration names, and `application` is what the application is known to be where no configuration is given. They also get `hop`: what the
 * core says of the way to the origin and back.
 *
 * @param {object} glue
 * @param {object} [host] stands in for clock and log in the life of the instance
 * @param {{ headersOf?: (request: Request) => Headers }} [runtime] how its requests' headers are read, for the gate and for whom it goes to
 */
export function gatesOn(glue, host, { headersOf = ({ headers }) => headers } = {}) {
  const supervisor = supervisorOf(glue, host);

  return function createGate(options = {}, { marks: always = false, proxies = false, listens = false, fetchPage, names = [], application = {} } = {}) {
    checkOptions(options, OPTIONS);
    if (options.metrics?.port !== undefined && !listens) throw wrongOption("metrics.port", "left out: only doorward/node listens");
    const now = () => momentOf(options.now ?? Date.now);
    const log = unfailing(options.log ?? ((line) => console.log(line)));
    const complain = unfailing(options.log ?? ((line) => console.error(line)));
    const { stores = {}, cache } = options;
    const publicOrigin = publicOriginOf(options.publicOrigin);
    const signatures = signaturesBy();
    const usual = performer(options.fetch, { stores, cache, signatures, fetchPage });
    const env = () => options.env ?? globalThis.process?.env ?? {};
    const shares = cache !== undefined;
    const marks = always || options.marks === true;
    const measures = Boolean(options.metrics);
    const observe = measures && observed(metrics);
    let notDecided = 0;
    const able = { measures, checks: signatures.parts, signs: signatures.parts, stores: Object.keys(stores), shares, marks, proxies, names };
    const configuration = configurationOf(options, OPTION_NAMES, application);
    const engine = engineOf(glue, supervisor, { ...configuration, env, ...able, now, log, complain });

    return { decide, decideHead, handle, metrics, hop: { refuse, responseRemovals: engine.responseRemovals, start: engine.start, ungatedPorts: engine.ungatedPorts } };

    /** The answer for what only the host finds out, after the decision: the code of a reason, and a hint for the log. */
    function refuse(head, code, hint) {
      try {
        const answer = engine.refuse(head, code, now());
        if (answer.log) log(hint === undefined ? answer.log : JSON.stringify({ ...JSON.parse(answer.log), hint }));
        return answer;
      } catch {
        return lost(head);
      }
    }

    /** What has been counted, in the text format of Prometheus, also where the gate has not started. */
    function metrics() {
      const host = runtimeName();
      try {
        return engine.prometheus(host, now()) + lostText(notDecided);
      } catch {
        // No moment, no instance, or a wrong configuration.
        return textWithout(host, engine.errors?.length ?? 0) + lostText(notDecided);
      }
    }

    /** Says how long something took that began then, where the clock runs. */
    function took(begun, name, word, began) {
      if (!measures || word === undefined) return;
      const micros = Math.round((clock() - began) * 1000);
      observe(name, micros / 1e6, name === "decision" ? { via: word } : { purpose: word });
      if (micros <= 0) return;
      try {
        engine.took(begun, name === "decision", word, micros);
      } catch {
        // The instance is gone, and what it has counted.
      }
    }

    /** What is answered when there is no decision, and said. Who develops on this machine is told why. */
    function lost(head, context) {
      notDecided++;
      const answer = unavailable(head);
      log(answer.log);
      return context?.isOwnMachine === true && engine.errors ? withErrors(answer, engine.errors) : answer;
    }

    function decide(request, context = {}) {
      return decideOn(request, context, context?.seesResponse);
    }

    async function decideOn(request, context, seesResponse) {
      try {
        const decision = await judgeHead(headOf(request, context), context, seesResponse);
        if (decision.kind !== "forward") return answerVerdict(request, decision);
        const verdict = forwardVerdict(headersOf(request), decision);
        // What `session(request)` rests on.
        passed.set(request, verdict);
        return verdict;
      } catch {
        return answerVerdict(request, lost(request, context));
      }
    }

    async function handle(request, next, context = {}) {
      const verdict = await decideOn(request, context, true);
      if (verdict.kind === "answer") return verdict.response;
      const mayBeIgnored = !verdict.upstream && context.usesArgument !== true;
      if (mayBeIgnored && !editInPlace(request, verdict, engine.prefix)) {
        verdict.abandon?.();
        return answerVerdict(request, refuse(headOf(request, context), "head_malformed", FORGED)).response;
      }
      const { response, removed } = await answered(request, verdict, next, context);
      const more = verdict.finish ? await verdict.finish(response.headers.getSetCookie()) : [];
      return withHeaders(response, removed, [...verdict.responseHeaders, ...more]);
    }

    /** The origin's answer, or what the gate says in its place; and which of its headers end here. */
    async function answered(request, verdict, next, context) {
      const { upstream } = verdict;
      try {
        const onward = forwarded(request, verdict);
        passed.set(onward, verdict);
        if (!upstream) return { response: withEnd(await next(onward), verdict), removed: [] };
        const response = await (options.fetch ?? globalThis.fetch)(onward);
        return { response: withEnd(response, verdict), removed: engine.responseRemovals([...response.headers]) };
      } catch (error) {
        // Without a response there is nothing to finish.
        if (request.signal?.aborted || !(upstream || foundNobody(error))) verdict.abandon?.();
        // What else the application throws is its own matter: frameworks throw their redirects too.
        if (request.signal?.aborted || !(upstream || foundNobody(error))) throw error;
        const answer = refuse(headOf(request, context), whyNobody(error));
        return { response: answerVerdict(request, answer).response, removed: [] };
      }
    }

    function decideHead(head, context = {}) {
      return judgeHead(head, context, context?.seesResponse);
    }

    async function judgeHead(head, context, seesResponse) {
      try {
        checkOptions(context, CONTEXT);
        const scrape = scraped(head, options.metrics?.path, env, metrics);
        if (scrape) return scrape;
        const began = clock();
        const begun = engine.begin();
        let decision = engine.decide(begun, head, now());
        // Kept as it came: who gets the request edits its headers.
        const kept = decision.kind === "perform" || decision.recheckAfterMs ? engine.head(begun) : undefined;
        const waited = { for: "memory" };
        if (decision.kind === "perform") decision = await settle(begun, kept, decision, context, waited);
        took(begun, "decision", waited.for, began);
        if (decision.log) decision.log = withDuration(decision.log, began);
        for (const line of decision.log?.split("\n") ?? []) log(line);
        if (decision.recheckAfterMs) decision.recheck = () => recheck(kept, context);
        if (decision.alongside) await begin(decision, begun, context, seesResponse);
        if (decision.after) inBackground(decision.after, begun, context);
        return decision;
      } catch {
        return lost(head, context);
      }
    }

    /** Carries what is asked until it is decided. The host keeps the head: nothing of it waits in wasm memory. */
    async function settle(begun, head, decision, context, waited) {
      while (decision.kind === "perform") {
        const { effect } = decision;
        const began = clock();
        const result = encodeResult(await (options.perform ? perform(effect) : usual(effect)));
        took(begun, "effect", purposeOf(effect), began);
        if (waited.for !== "lookup") waited.for = SIGNATURES.has(effect.kind) ? "signature" : "lookup";
        decision = engine.resume(begun, head, effect.id, result, now());
        if (shares && effect.kind === "fetch") share(begun, context);
      }
      return decision;
    }

    /** The reason why a connection that began with this head is over; nothing where it is not, or that is not known. */
    async function recheck(head, context) {
      const begun = engine.begin();
      let status = engine.look(begun, head, now());
      if (status.kind !== "perform") return status.reason;
      while (status.kind === "perform") {
        const { effect } = status;
        status = engine.rechecked(begun, head, effect.id, encodeResult(await perform(effect)), now());
        if (shares && effect.kind === "fetch") share(begun, context);
      }
      return status.reason;
    }

    async function perform(effect) {
      if (!options.perform) return usual(effect);
      try {
        return await options.perform(effect, usual);
      } catch {
        return { kind: "failed" };
      }
    }

    /** Begins what is done while the origin works. Where the host does not see its response, that is finished before the request goes on. */
    async function begin(decision, begun, context, seesResponse) {
      const { id } = decision.alongside;
      let result;
      const performed = perform(decision.alongside).then((performed) => (result = encodeResult(performed)));
      performed.catch(() => {});
      const taken = (take) => {
        try {
          const finished = take();
          if (finished.log) log(finished.log);
          if (shares) share(begun, context);
          return finished;
        } catch {
          return { headers: [], withdraws: true };
        }
      };
      const abandon = () => {
        try {
          engine.abandon(begun, id);
        } catch {
          // The instance is gone, and the effect with it.
        }
      };
      if (!seesResponse) {
        await performed.catch(abandon);
        decision.responseHeaders.push(...taken(() => engine.finishUnseen(begun, id, result, now())).headers);
        return;
      }
      // What waits for the response: whether these cookies still count then, `finish` says.
      const held = decision.responseHeaders.filter(([name]) => name === "set-cookie");
      decision.decidedHeaders = decision.responseHeaders;
      decision.responseHeaders = decision.responseHeaders.filter(([name]) => name !== "set-cookie");
      decision.finishNow = (originSetCookies) => {
        const { headers, withdraws } = taken(() => engine.finish(begun, id, result, originSetCookies, now()));
        return withdraws ? headers : [...held, ...headers];
      };
      decision.finish = async (originSetCookies) => {
        await performed.catch(abandon);
        return decision.finishNow(originSetCookies);
      };
      decision.performed = performed.catch(abandon);
      decision.abandon = abandon;
    }

    /** After the response: no request is waiting, so a failure is reported to none; the engine will ask again. */
    function inBackground(effect, begun, context) {
      const began = clock();
      const work = perform(effect)
        .then((result) => {
          took(begun, "effect", purposeOf(effect), began);
          engine.receive(begun, effect.id, encodeResult(result), now());
          if (shares) share(begun, context);
        })
        .catch(() => {});
      outlive(work, context);
    }

    /** Puts what the engine gives into the shared cache. No request waits for it; a cache that does not take it has less to give. */
    function share(begun, context) {
      for (const { key, text, seconds } of engine.cacheWrites(begun)) {
        const put = async () => cache.put(key, text, { ttlSeconds: seconds });
        outlive(put().catch(() => {}), context);
      }
    }

    function outlive(work, context) {
      try {
        (context.waitUntil ? context : options).waitUntil?.(work);
      } catch {
        // The platform does not wait; the work goes on as long as it is let.
      }
    }

    function headOf(request, context) {
      const { url } = request;
      return {
        method: request.method,
        target: targetOf(url),
        publicOrigin: context.publicOrigin ?? publicOrigin(request) ?? originOf(url),
        clientAddress: context.clientAddress ?? given(options.clientAddress, request),
        headers: headersOf(request),
      };
    }
  };
}

const SIGNATURES = new Set(["check", "sign"]);
const PURPOSES = { check: "signature", sign: "assertion", read: "storage" };

/** What an effect is for, as a label says it; nothing where it is a wait. */
function purposeOf({ kind, purpose }) {
  return purpose?.replaceAll("-", "_") ?? PURPOSES[kind];
}

/** A log that fails decides nothing. */
function unfailing(log) {
  return (line) => {
    try {
      log(line);
    } catch {
      // Where it could be said is what has failed.
    }
  };
}

function given(option, request) {
  return (isFunction(option) ? option(request) : option) ?? undefined;
}

/**
 * Reads the option `publicOrigin`, once where it is a text. What browsers send as `Origin` is compared with it, and they write no slash, no
 * usual port and no umlaut.
 *
 * @param {string | ((request: object) => string | undefined) | undefined} option
 * @returns {(request: object) => string | undefined}
 */
export function publicOriginOf(option) {
  if (isFunction(option)) return (request) => ifGiven(option(request));
  const origin = ifGiven(option);
  return () => origin;

  function ifGiven(value) {
    return value === undefined || value === null ? undefined : bareOrigin(value, "publicOrigin", "https://app.example");
  }
}

/** Scheme, host and port as browsers write them, of a URL that has nothing else. */
export function bareOrigin(url, option, example) {
  const isUrl = (typeof url === "string" || url instanceof URL) && URL.canParse(url);
  const { protocol, origin, pathname, search, hash, username, password } = isUrl ? new URL(url) : {};
  const bare = pathname === "/" && !search && !hash && !username && !password;
  if (["http:", "https:"].includes(protocol) && bare) return origin;
  throw wrongOption(option, `an http or https URL with nothing after the host and port; give it like ${example}`);
}

/** Scheme, host and port of a URL that a `Request` has normalized already: cutting is far cheaper than parsing. */
function originOf(url) {
  return url.slice(0, pathStart(url));
}

function targetOf(url) {
  const fragment = url.indexOf("#");
  return url.slice(pathStart(url), fragment === -1 ? undefined : fragment);
}

function pathStart(url) {
  return url.indexOf("/", url.indexOf("://") + 3);
}

/** The origin's headers are made when they are asked for: copying them costs more than the decision, and not every host wants them. */
function forwardVerdict(came, decision) {
  const { kind, target, upstream, removed, set, onward, responseHeaders, finish, abandon, livesMs, recheckAfterMs, recheck, reason, log } = decision;
  let headers;
  return {
    kind,
    target,
    upstream,
    get identity() {
      return decision.identity;
    },
    get headers() {
      return (headers ??= editedHeaders(came, onward ?? { removed, set }));
    },
    removed,
    set,
    responseHeaders,
    finish,
    abandon,
    livesMs,
    recheckAfterMs,
    recheck,
    reason,
    log,
  };
}

function editedHeaders(came, { removed, set }) {
  const headers = new Headers(came);
  for (const name of removed) headers.delete(name);
  for (const [name, value] of set) headers.set(name, value);
  return headers;
}

function answerVerdict(request, { kind, status, headers, body, reason, log }) {
  const response = new Response(body === "" || request.method === "HEAD" ? null : body, { status, headers });
  return { kind, response, reason, log };
}

/** The request as the origin must see it. */
function forwarded(request, { target, upstream, headers }) {
  const moved = new Request((upstream ?? originOf(request.url)) + target, request);
  // Some runtimes decode what `fetch` brings and leave `content-encoding` in the head.
  if (upstream) headers.set("accept-encoding", "identity");
  return new Request(moved, { headers, redirect: "manual" });
}

/**
 * Edits the very request too: a framework may have kept it, and answer it instead of the one that `next` gets. Whether nothing that a
 * client has forged is left on it; some runtimes do not allow to edit a request that came in.
 */
function editInPlace({ headers }, { removed, set }, prefix) {
  try {
    for (const name of removed) headers.delete(name);
    for (const [name, value] of set) headers.set(name, value);
  } catch {
    // They stand as they came.
  }
  // What the gate sets may not have got there either, and then a forged one of that name stands.
  const isOurs = (name) => set.some(([own, value]) => own === name.toLowerCase() && value === headers.get(name));
  const left = removed.filter((name) => headers.has(name) && !isOurs(name));
  return left.length === 0 || !left.some((name) => isIdentity(name, prefix()));
}

/** An event stream ends with what it rests on. */
function withEnd(response, verdict) {
  if (!response.body || !isBounded(verdict) || !isStream(response.headers.get("content-type"))) return response;
  return new Response(ending(response.body, verdict), response);
}

/** Headers of which the origin has lines of its own, which stay. */
const ADDED = new Set(["set-cookie", "server-timing"]);

function withHeaders(response, removed, pairs) {
  if (removed.length === 0 && pairs.length === 0) return response;
  const edited = new Response(response.body, response);
  for (const name of removed) edited.headers.delete(name);
  for (const [name, value] of pairs) {
    if (ADDED.has(name)) edited.headers.append(name, value);
    else edited.headers.set(name, value);
  }
  return edited;
}

/** Whether a `fetch` has made no connection, by the error codes of the runtimes. */
function foundNobody(error) {
  const { name, message = "", code, cause } = error ?? {};
  if (name === "TimeoutError" || isOfNetwork(code) || isOfNetwork(cause?.code)) return true;
  return name === "TypeError" && /^(?:fetch failed|failed to fetch|error sending request|network ?error|network connection lost)/i.test(message);
}

function isOfNetwork(code) {
  return typeof code === "string" && /^(?:ECONN|EHOST|ENET|ENOTFOUND|EAI_|EPIPE|ETIMEDOUT|UND_ERR_(?:CONNECT|SOCKET|HEADERS_TIMEOUT)|Connection|FailedToOpenSocket)/.test(code);
}

/** Why there was no response: the code of a reason. */
export function whyNobody(error) {
  const codes = [error?.code, error?.cause?.code];
  const isLate = error?.name === "TimeoutError" || codes.some((code) => /TIMEDOUT|TIMEOUT/.test(code ?? ""));
  return isLate ? "origin_timed_out" : "origin_unreachable";
}

/** What is answered when there is no decision. */
export function unavailable(head) {
  const { method, headers } = head ?? {};
  const answer = notStarted(method, (name) => headerIn(headers, name));
  const said = { decision: "reject", method, reason: answer.reason, status: answer.status };
  return { kind: "answer", ...answer, log: logLine("refusal", said) };
}

function headerIn(headers, name) {
  try {
    if (typeof headers.get === "function") return headers.get(name);
    for (const [own, value] of headers) if (own.toLowerCase() === name) return value;
  } catch {
    // It is no head, and maybe that is why there is no decision.
  }
  return undefined;
}
