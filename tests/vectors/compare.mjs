// The one comparator of the decision vectors. Every host plays them in its own way, without having seen what is expected, and
// says what came of each case; whether that is right is said here and nowhere else.
//
//     node compare.mjs <folder> <host> < outcomes
//
// `outcomes` are lines of JSON, one per case (README.md has their form). Exit 0: every case is as expected, and each
// expectation, falsified, would have been found wrong; 1: not so; 2: used wrongly.

import { webcrypto } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @typedef {{ name: string, text: string }} File
 * @typedef {{ file: string, number: number, outcome: object }} Line what came of the case of that number in its file
 * @typedef {{ file: string, number: number, name: string, problem: string }} Failure
 */

/** What may stand where, and of which type. Whatever else stands there is a mistake of the vector. */
const FORMS = {
  file: { policies: "object", cases: "list" },
  policy: { config: "any", env: "texts?", stores: "list?" },
  case: {
    name: "text", policy: "text?", after: "text?", now_ms: "number", request: "object", results: "list?",
    origin_set_cookies: "list?", expect: "object",
  },
  request: { method: "text", target: "text", headers: "pairs?", public_origin: "text", client_address: "text or null?" },
  result: {
    of: "text", url: "text?", key: "text?", cookies: "list?", headers: "pairs?", body: "text?", takes_ms: "number?",
    status: "number?", failed: "true?", unsupported: "true?", too_large: "true?", headers_too_large: "true?", real: "true?", absent: "true?", found: "text?", copied: "text?",
  },
  expect: {
    forward: "object?", redirect: "object?", reject: "object?", respond: "object?", effects: "list?", after: "list?", alongside: "list?",
    renewed: "pairs?", headers: "object?", set_cookies: "any", body: "any", log: "object or null?", assertion: "object?", session_data: "text or null?",
  },
  forward: { set: "texts?", removed: "list?", target: "text?", upstream: "text or null?", response_headers: "pairs?", until: "number or null?" },
  redirect: { status: "number?", reason: "text?", location: "text or null?" },
  reject: { status: "number?", reason: "text?" },
  respond: { status: "number?" },
  assertion: { header: "object", claims: "object", key: "object" },
};
const ANSWERS = ["status", "failed", "unsupported", "too_large", "headers_too_large", "real", "absent", "found", "copied"];
const DECISIONS = ["forward", "redirect", "reject", "respond"];

/** What each outcome says; a host that leaves one out has not said it. */
const TOLD = ["decision", "reason", "forward", "answer", "log", "effects", "after", "alongside", "renewed", "session_data", "unused", "problems"];

/**
 * Whether what came of each case is what its vector says.
 *
 * @param {File[]} files
 * @param {Line[]} lines
 * @returns {Promise<{ cases: number, failures: Failure[] }>}
 */
export async function judge(files, lines) {
  const failures = [];
  const played = new Map(lines.map(({ file, number, outcome }) => [`${file}:${number}`, outcome]));
  if (played.size !== lines.length) failures.push({ file: "", number: -1, name: "", problem: "a case was played twice" });
  let cases = 0;
  for (const { file, number, vector, problems } of casesOf(files)) {
    if (vector) {
      cases++;
      const outcome = played.get(`${file}:${number}`);
      problems.push(...(outcome ? await problemsOf(vector, outcome) : ["it was not played"]));
    }
    played.delete(`${file}:${number}`);
    for (const problem of problems) failures.push({ file, number, name: vector?.name ?? "", problem });
  }
  for (const place of played.keys()) failures.push({ file: place, number: -1, name: "", problem: "there is no such case" });
  return { cases, failures };
}

/**
 * Falsifies each thing that is expected, one at a time, and says which of these lies would not have been found.
 *
 * @param {File[]} files
 * @param {Line[]} lines of a host whose outcomes are right
 * @returns {Promise<{ told: Record<string, number>, missed: Failure[] }>} how many lies were told, by member
 */
export async function falsified(files, lines) {
  const played = new Map(lines.map(({ file, number, outcome }) => [`${file}:${number}`, outcome]));
  const told = {};
  const missed = [];
  for (const { file, number, vector } of casesOf(files)) {
    if (!vector || !played.has(`${file}:${number}`)) continue;
    for (const { place, expect } of lies(vector.expect)) {
      const member = DECISIONS.includes(place[0]) || place[0] === "assertion" ? place.slice(0, 2).join(".") : String(place[0]);
      told[member] = (told[member] ?? 0) + 1;
      const problems = await problemsOf({ ...vector, expect }, played.get(`${file}:${number}`));
      if (problems.length === 0) missed.push({ file, number, name: vector.name, problem: `a false ${place.join(".")} was not found` });
    }
  }
  return { told, missed };
}

/** A failure as a line. */
export const line = ({ file, name, problem }) => [file, name, problem].filter(Boolean).join(": ");

/** All cases with what is wrong with their form; a file that is no file of vectors has none, and one problem. */
function* casesOf(files) {
  for (const { name: file, text } of files) {
    const document = parsed(text);
    const wrong = wrongForm("file", document);
    for (const [name, policy] of wrong.length > 0 ? [] : Object.entries(document.policies)) {
      wrong.push(...wrongForm("policy", policy).map((problem) => `the policy ${name}: ${problem}`));
    }
    if (wrong.length > 0) yield { file, number: -1, problems: wrong };
    if (!Array.isArray(document?.cases)) continue;
    const earlier = new Set();
    for (const [number, vector] of document.cases.entries()) {
      yield { file, number, vector, problems: wrongCase(vector, document.policies ?? {}, earlier) };
      earlier.add(vector?.name);
    }
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wrongCase(vector, policies, earlier) {
  const wrong = wrongForm("case", vector);
  if (wrong.length > 0) return wrong;
  const { name, policy, after, request, results = [], expect } = vector;
  if (earlier.has(name)) wrong.push("an earlier case of the file has its name");
  if (after === undefined ? !Object.hasOwn(policies, policy ?? "") : !earlier.has(after)) {
    wrong.push(after === undefined ? `there is no policy ${policy}` : `there is no earlier case ${after}`);
  }
  wrong.push(...wrongForm("request", request));
  for (const result of results) {
    wrong.push(...wrongForm("result", result));
    if (ANSWERS.filter((answer) => Object.hasOwn(result ?? {}, answer)).length !== 1) wrong.push(`a result is not one of ${ANSWERS.join(", ")}`);
  }
  wrong.push(...wrongForm("expect", expect));
  for (const member of [...DECISIONS, "assertion"]) {
    if (isObject(expect[member])) wrong.push(...wrongForm(member, expect[member]));
  }
  if (DECISIONS.filter((decision) => Object.hasOwn(expect, decision)).length !== 1) wrong.push(`what is expected is not one of ${DECISIONS.join(", ")}`);
  return wrong;
}

/** Unknown, missing and misshapen members of an object. */
function wrongForm(kind, value) {
  if (!isObject(value)) return [`${kind === "file" ? "the file" : `its ${kind}`} is not an object`];
  const form = FORMS[kind];
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(form, name));
  const misshapen = Object.entries(form).filter(([name, type]) =>
    Object.hasOwn(value, name) ? !isOf(type, value[name]) : type !== "any" && !type.endsWith("?"),
  );
  return [
    ...unknown.map((name) => `nothing is known of ${kind}.${name}`),
    ...misshapen.map(([name, type]) => `${kind}.${name} should be ${type.replace("?", "")} and is ${JSON.stringify(value[name])}`),
  ];
}

function isOf(type, value) {
  const isPair = (pair) => Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === "string");
  switch (type.replace("?", "")) {
    case "any": return true;
    case "text": return typeof value === "string";
    case "text or null": return value === null || typeof value === "string";
    case "number or null": return value === null || Number.isInteger(value);
    case "number": return Number.isInteger(value);
    case "true": return value === true;
    case "list": return Array.isArray(value) && value.every((text) => typeof text === "string" || isObject(text));
    case "pairs": return Array.isArray(value) && value.every(isPair);
    case "texts": return isObject(value) && Object.values(value).every((text) => typeof text === "string");
    case "object": return isObject(value);
    case "object or null": return value === null || isObject(value);
  }
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** What is wrong with what came of a case. */
async function problemsOf({ request, expect }, outcome) {
  const silent = TOLD.filter((member) => outcome[member] === undefined);
  if (silent.length > 0) return [`the host does not say ${silent.join(", ")}`];
  const problems = [...outcome.problems, ...outcome.unused.map((number) => `result ${number} was not used`), ...brokenPromises(request, outcome)];
  const compare = (what, expected, found) => {
    if (canonical(expected) !== canonical(found)) problems.push(`${what} should be ${canonical(expected)} and is ${canonical(found)}`);
  };
  const decision = DECISIONS.find((kind) => Object.hasOwn(expect, kind));
  compare("the decision", decision, outcome.decision);
  if (decision !== outcome.decision) return [...problems, `it is ${JSON.stringify(outcome.reason ?? outcome.forward)}`];

  const found = membersOf(outcome, expect);
  for (const [member, expected] of Object.entries(expect)) {
    if (member === "assertion") await compareAssertion(expected, outcome.forward, compare);
    else if (["headers", "log", ...DECISIONS].includes(member) && isObject(expected) && isObject(found[member])) {
      for (const [name, value] of Object.entries(expected)) compare(`${member}.${name}`, value, found[member][name] ?? null);
    } else compare(member, expected, found[member] ?? null);
  }
  return problems;
}

/** An outcome in the words of `expect`. */
function membersOf({ reason, forward, answer, log, effects, after, alongside, renewed, session_data }, expect) {
  const named = (pairs, name) => pairs.filter(([own]) => own === name).map(([, value]) => value);
  const location = answer && named(answer.headers, "location")[0];
  return {
    forward: forward && { ...forward, set: settled(forward.set, expect.assertion !== undefined) },
    redirect: answer && { status: answer.status, reason, location },
    reject: answer && { status: answer.status, reason },
    respond: answer && { status: answer.status },
    headers: Object.fromEntries((answer?.headers ?? []).map(([name]) => [name, named(answer.headers, name).join(", ")])),
    set_cookies: answer && named(answer.headers, "set-cookie"),
    body: answer?.body,
    log: log.length > 0 ? parsed(log[0]) : null,
    effects, after, alongside, renewed, session_data,
  };
}

/** The assertion is another one each time: it is looked at by itself. */
const ASSERTION = "x-doorward-assertion";

function settled(set, hasAssertion) {
  const members = Object.fromEntries(set);
  if (!hasAssertion || !members[ASSERTION]) return members;
  if (members.authorization === `Bearer ${members[ASSERTION]}`) members.authorization = "Bearer <assertion>";
  delete members[ASSERTION];
  return members;
}

const PARAMETERS = {
  HS256: { name: "HMAC", hash: "SHA-256" }, ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }, EdDSA: { name: "Ed25519" },
};

/** Header and claims, all but `jti`, and the signature by the key that is given. */
async function compareAssertion({ header, claims, key }, forward, compare) {
  const jwt = forward?.set.find(([name]) => name === ASSERTION)?.[1] ?? "..";
  const [protectedHeader, payload, signature] = jwt.split(".").map((part) => Buffer.from(part, "base64url"));
  const { jti = "", ...rest } = parsed(payload.toString()) ?? {};
  compare("the assertion's header", header, parsed(protectedHeader.toString()));
  compare("the assertion's claims", claims, rest);
  compare("the length of jti", 16, Buffer.from(String(jti), "base64url").length);
  compare("that the assertion's signature holds", true, await holds(PARAMETERS[header.alg], key, signature, jwt.slice(0, jwt.lastIndexOf("."))));
}

async function holds(parameters, key, signature, input) {
  try {
    const imported = await webcrypto.subtle.importKey("jwk", { ...key, alg: undefined }, parameters, false, ["verify"]);
    return await webcrypto.subtle.verify(parameters, imported, signature, Buffer.from(input));
  } catch {
    return false;
  }
}

/** What holds for every decision, whatever is expected of it. */
function brokenPromises({ method, headers = [] }, { decision, forward, answer, log }) {
  const broken = [];
  const has = (name, value) => answer.headers.some(([own, its]) => own === name && (value === undefined || its === value));
  if (decision === "redirect" || decision === "reject") {
    if (!has("cache-control", "private, no-store") || !has("vary")) broken.push("an answer may be cached");
    if (answer.status === 401 && !has("www-authenticate")) broken.push("401 without a challenge (RFC 9110 section 11.6.1)");
    if (answer.status === 503 && !has("retry-after")) broken.push("503 does not say when to come back");
  }
  if (method === "HEAD" && answer && answer.body !== "") broken.push("the answer to HEAD has a body");
  const names = (forward?.set ?? []).map(([name]) => name);
  if (new Set(names).size !== names.length) broken.push("a header is set twice");

  // What is left of the client's cookies is the client's.
  const told = [...log, answer?.body ?? "", ...(forward?.set ?? []).filter(([name]) => name !== "cookie").map(([, value]) => value)].join("\n");
  const values = headers.flatMap(([name, value]) => {
    // The names of cookies are no secret.
    if (name.toLowerCase() === "cookie") return value.split(";").map((pair) => pair.slice(pair.indexOf("=") + 1));
    return name.toLowerCase() === "authorization" ? [value] : [];
  });
  const secrets = values.flatMap((value) => value.split(/[=.; ,%]/)).filter((part) => part.length >= 20 && !part.startsWith("__Secure-"));
  if (secrets.some((secret) => told.includes(secret))) broken.push("a part of a credential is told, answered or logged");
  return broken;
}

/** The same expectation with one lie in it, for each place that can hold one. */
function* lies(expect) {
  for (const [place, value] of placesIn(expect, [])) {
    for (const lie of liesAbout(value, place)) yield { place, expect: replaced(expect, place, lie) };
  }
  const decision = DECISIONS.find((kind) => Object.hasOwn(expect, kind));
  const { [decision]: _, ...rest } = expect;
  for (const other of DECISIONS.filter((kind) => kind !== decision)) yield { place: [decision], expect: { ...rest, [other]: {} } };
}

/** Every member and item of what is expected, but for the objects that only have a place for others. */
function* placesIn(value, place) {
  if (typeof value !== "object" || value === null) return yield [place, value];
  // An empty list says that there is nothing; an empty object, that nothing is compared, but where all of it is.
  const isWhole = Array.isArray(value) || ["forward.set", "assertion.header", "assertion.claims"].includes(place.join("."));
  if (isWhole) yield [place, value];
  for (const [name, member] of Object.entries(value)) yield* placesIn(member, [...place, Array.isArray(value) ? Number(name) : name]);
}

function liesAbout(value, place) {
  if (Array.isArray(value)) return value.length > 0 ? [value.slice(1), [...value, value[0]]] : [place[0] === "renewed" ? [["x", "y"]] : ["x"]];
  if (typeof value === "object" && value !== null) return [{ ...value, "x-falsified": "yes" }];
  if (typeof value === "number") return [value + 1];
  if (typeof value === "boolean") return [!value];
  // The last bits of base64url may mean nothing, and `alg` of a key says nothing that its type does not.
  if (place[0] === "assertion" && place[1] === "key") return ["x", "y", "k"].includes(place[2]) ? [value.startsWith("A") ? `B${value.slice(1)}` : `A${value.slice(1)}`] : [];
  return [value === null ? "falsified" : `${value}-falsified`];
}

function replaced(value, [name, ...rest], lie) {
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[name] = rest.length > 0 ? replaced(value[name], rest, lie) : lie;
  return copy;
}

/** JSON with the members of objects in order: their order means nothing, that of lists does. */
function canonical(value) {
  return JSON.stringify(value, (_, member) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );
}

/** @returns {Promise<File[]>} the files of a folder by name; none where there is no such folder */
export async function vectorFiles(folder) {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith(".json")).sort();
  return Promise.all(files.map(async (name) => ({ name, text: await readFile(path.join(folder, name), "utf8") })));
}

async function main([folder, host]) {
  if (!folder || !host) {
    console.error("doorward: error: a folder of vectors and the name of a host are needed\ndoorward: hint: node compare.mjs tests/vectors/decisions native < outcomes");
    return 2;
  }
  const files = await vectorFiles(folder);
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text += chunk;
  const outcomes = text.split("\n").filter(Boolean).map((outcome) => JSON.parse(outcome));
  return (await report(host, folder, files, outcomes)) ? 0 : 1;
}

/** Judges a host and says how it went; whether all was right. */
export async function report(host, folder, files, outcomes) {
  const { cases, failures } = await judge(files, outcomes);
  const { missed } = failures.length === 0 ? await falsified(files, outcomes) : { missed: [] };
  const wrong = [...failures, ...missed];
  const differ = new Set(wrong.map(({ file, number }) => `${file}:${number}`)).size;
  console.log(`${host}: ${cases} cases, ${wrong.length === 0 && cases > 0 ? "all as expected" : `${differ} differ`}`);
  for (const failure of wrong) console.error(`  ${line(failure)}`);
  if (cases === 0) console.error(`doorward: error: there are no vectors in ${folder}`);
  return cases > 0 && wrong.length === 0;
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
