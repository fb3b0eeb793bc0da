// The page that explains (`doorward explain --page`): plays that command in the browser and shows its
// JSON. What it means is said by the command (doctor/); here are its effects and the elements.
// `startCli` and `startGate` are the modules, which the build puts in front.

const $ = (id) => document.getElementById(id);
const inputs = ["paste", "url", "path", "config", "jwks", "secret"];

/** The bytes of a module that stands in the page as base64. */
function bytesOf(id) {
  const text = atob($(id).textContent);
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

const [cliModule, gateModule] = await Promise.all(
  ["cli-wasm", "gate-wasm"].map((id) => WebAssembly.compile(bytesOf(id))),
);
const gate = startGate(gateModule);
const { Doorward } = startCli(cliModule);

const computer = {
  inspect: (question) => gate.inspect(question),
  // Hosts are compared where a deployment is asked, which the page does not do.
  suffixes: () => "",
  matches: (expression, text) => {
    try {
      return new RegExp(expression).test(text);
    } catch {
      return undefined;
    }
  },
};

// Effects (doctor/src/effects.rs). There are no files, no variables and no network: what stands in
// the form is all that a command can read.

const encoded = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const decoded = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const texts = (text) => (text ? { result: "text", text } : { result: "absent" });

function performers(given, printed) {
  const files = { "-": given.paste, "doorward.json": given.config, "jwks.json": given.jwks };
  const variables = { BETTER_AUTH_URL: given.url, BETTER_AUTH_SECRET: given.secret };
  return {
    read: ({ path }) =>
      files[path]?.trim()
        ? { result: "bytes", bytes: encoded(new TextEncoder().encode(files[path])) }
        : { result: "absent" },
    env: ({ name }) => texts(variables[name]),
    now: () => ({ result: "time", millis: Math.round(given.at) }),
    "load-functions": () => ({ result: "done" }),
    "check-signature": check,
    print: ({ stream, text }) => {
      printed[stream] += text;
      return { result: "done" };
    },
  };
}

const SCHEMES = { RS: "RSASSA-PKCS1-v1_5", PS: "RSA-PSS", ES: "ECDSA" };

/** Whether a JWS signature holds; nothing where the browser cannot tell. */
async function check({ algorithm, key, message, signature }) {
  try {
    const jwk = JSON.parse(key);
    const hash = `SHA-${algorithm.slice(2)}`;
    const name = algorithm === "EdDSA" ? "Ed25519" : SCHEMES[algorithm.slice(0, 2)];
    const scheme = { name, hash, namedCurve: jwk.crv, saltLength: Number(algorithm.slice(2)) / 8 };
    const { kty, crv, x, y, n, e } = jwk;
    const used = await crypto.subtle.importKey("jwk", { kty, crv, x, y, n, e }, scheme, false, ["verify"]);
    const holds = await crypto.subtle.verify(scheme, used, decoded(signature), decoded(message));
    return { result: "checked", holds };
  } catch {
    return { result: "absent" };
  }
}

/** Plays `doorward explain` with what stands in the form. */
async function explain(given) {
  const printed = { out: "", err: "" };
  const perform = performers(given, printed);
  const args = ["explain", "-", "--json"];
  for (const [option, value] of [["--url", given.url], ["--path", given.path]]) {
    if (value) args.push(option, value);
  }
  if (given.jwks.trim()) args.push("--jwks", "jwks.json");
  const program = new Doorward(JSON.stringify({ args }), computer);
  let step = JSON.parse(program.start());
  while (step.exit === undefined) {
    const result = (await perform[step.effect]?.(step)) ?? { result: "absent" };
    step = JSON.parse(program.resume(JSON.stringify(result)));
  }
  program.free();
  const wrong = printed.err.split("\n")[0].replace(/^doorward: error: (-: )?/, "");
  // The variables of this program are what stands in the form.
  return step.exit === 2 ? { wrong } : JSON.parse(printed.out.replaceAll(" of this shell", ""));
}

// The form.

/** A third power: minutes near the middle, thirty days at the ends. */
const offset = () => Math.sign(clock.value) * Math.abs(clock.value / 100) ** 3 * 30 * 86_400_000;
const clock = $("clock");
/** A moment that was picked from the list counts over the slider. */
let picked;
let turn = 0;
let shown;

async function update() {
  const own = ++turn;
  const given = Object.fromEntries(inputs.map((id) => [id, $(id).value]));
  given.at = picked ?? Date.now() + offset();
  const isNow = picked === undefined && Number(clock.value) === 0;
  $("moment").textContent = isNow ? "now" : time(given.at);
  clock.setAttribute("aria-valuetext", $("moment").textContent);
  const answer = given.paste.trim() ? await explain(given) : undefined;
  if (own === turn) show(answer, given);
}

for (const id of inputs) $(id).addEventListener("input", update);
clock.addEventListener("input", () => {
  picked = undefined;
  update();
});
$("now").addEventListener("click", () => {
  picked = undefined;
  clock.value = 0;
  update();
});
$("input").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden || !$("secret").value) return;
  $("secret").value = "";
  $("secret-note").textContent = "The secret was cleared, since this page was hidden.";
  update();
});

// What is shown. Everything is text: nothing that was pasted becomes an element.

function el(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

const time = (millis) => new Date(millis).toISOString().replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");

const MARKS = { passed: "✔", refused: "✘", unknown: "?", "not-reached": "–" };
const WORDS = { passed: "passed", refused: "refused here", unknown: "not known offline", "not-reached": "not reached" };

function show(answer, given) {
  shown = answer?.wrong === undefined ? answer : undefined;
  $("kind").textContent = shown ? `This is ${shown.pasted}.` : "Nothing is explained yet.";
  verdict(answer);
  fill("way", shown?.way.map(passage));
  fill("causes", [...(shown?.causes ?? []), ...(shown?.hints ?? [])].map(cause));
  fill("differences", shown?.differences.map(difference));
  fill("times", shown && shown.times.length > 1 ? shown.times.map((own) => stretch(own, given.at)) : []);
  fill("cookies", shown?.cookies?.rows.map(cookie));
  $("limits").replaceChildren(...(shown?.cookies?.limits ?? []).map((own) => limit(own, shown.cookies.bytes)));
  $("copy-section").hidden = !shown;
  $("save-vector").hidden = !shown?.vector;
  $("copied").textContent = "";
}

function fill(id, children = []) {
  $(id).replaceChildren(...children);
  $(`${id}-section`).hidden = children.length === 0;
}

function verdict(answer) {
  const reason = shown?.verdict.reason;
  const passes = shown?.gate.passes;
  const state = !shown ? "" : passes ? "passes" : !reason || reason.status === 503 ? "unknown" : "refused";
  const title = {
    "": answer?.wrong ?? "Paste something, and the verdict appears here.",
    passes: "✔ The gate lets it pass",
    refused: `✘ The gate refuses it: ${reason?.sentence}`,
    unknown: reason ? `? It cannot be known offline: ${reason.sentence}` : `? ${shown?.verdict.words}`,
  }[state];
  $("verdict").className = state;
  const rows = reason && [
    ["Reason", el("code", { textContent: reason.code }), ` (${reason.status})`],
    ["Who can mend it", reason.who],
    ["How", ...markdown(reason.cure)],
    ["More", documentOf(reason.doc, `reasons ${reason.code}`)],
  ];
  const list = rows?.flatMap(([name, ...value]) => [el("dt", { textContent: name }), el("dd", {}, ...value)]);
  $("verdict").replaceChildren(el("p", { className: "title", textContent: title }), ...(list ? [el("dl", {}, ...list)] : []));
}

/** A section of the documents: a link where the build knows where they are. */
function documentOf(doc, command) {
  const base = document.documentElement.dataset.documents;
  if (!base) return el("span", {}, `${doc}, or `, el("code", { textContent: `npx doorward ${command}` }));
  return el("a", { href: base + doc, textContent: doc, rel: "noreferrer" });
}

/** Code spans of Markdown; everything else is text. */
function markdown(text) {
  return text.split(/`([^`]+)`/).map((part, at) => (at % 2 ? el("code", { textContent: part }) : part));
}

function passage({ step, question, state, details }) {
  const head = el(
    "summary",
    {},
    el("span", { className: "mark word", textContent: MARKS[state], ariaHidden: "true" }),
    el("span", { className: "step", textContent: step }),
    el("span", { className: "word", textContent: WORDS[state] }),
  );
  const lines = details.map((line) => el("li", { textContent: line }));
  const inner = el("div", {}, el("p", { className: "note", textContent: question }), el("ul", {}, ...lines));
  const open = state === "refused" || state === "unknown";
  return el("li", {}, el("details", { className: state, open }, head, inner));
}

function cause({ id, certainty, title, seen, fix, doc }) {
  return el(
    "div",
    { className: "cause" },
    el("h3", { textContent: title }),
    el("p", { className: "note" }, el("code", { textContent: id }), ` (${certainty})`),
    el("p", {}, "Seen: ", ...markdown(seen)),
    el("p", {}, "Fix: ", ...markdown(fix)),
    el("p", {}, "More: ", documentOf(doc, `causes ${id}`)),
  );
}

function difference({ claim, found, expected, source, same }) {
  const marked = (label, text) => {
    const letters = Array.from(text);
    const letter = el("mark", { textContent: letters[same] ?? "(end)", title: "the first character that differs" });
    const [before, after] = [letters.slice(0, same).join(""), letters.slice(same + 1).join("")];
    return el("pre", { ariaLabel: `${label}: ${text}` }, `${label}  `, before, letter, after);
  };
  return el(
    "div",
    {},
    el("p", {}, el("code", { textContent: claim }), ` differs at character ${same + 1}. What is expected comes from ${source}.`),
    marked("token   ", found),
    marked("expected", expected),
  );
}

function stretch({ from, until, passes, reason }, at) {
  const here = (from ?? -Infinity) <= at && at < (until ?? Infinity);
  const ends = [from === null ? "" : `from ${time(from)}`, until === null ? "" : `until ${time(until)}`];
  const words = `${ends.filter(Boolean).join(" ")}: ${passes ? "✔ passes" : `✘ ${reason}`}`;
  const moment = from ?? until - 1000;
  const button = el("button", { type: "button", textContent: "Look at it", ariaLabel: `Look at the moment ${time(moment)}` });
  button.addEventListener("click", () => {
    picked = moment;
    update().then(() => $("clock").focus());
  });
  return el("li", { ariaCurrent: here ? "time" : null }, el("span", { textContent: here ? `${words} ← this moment` : words }), here ? null : button);
}

function cookie({ name, bytes, copies, role, remark }) {
  const words = [role, remark].filter(Boolean).join("; ");
  return el("tr", {}, ...[name, bytes, copies, words].map((text) => el("td", { textContent: text })));
}

function limit({ bytes, who, is_over }, all) {
  return el("li", { textContent: `${is_over ? "✘ over" : "✔ within"} ${bytes} bytes (${who}): ${all} in all` });
}

async function copy(text, what) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el("textarea", { value: text });
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  $("copied").textContent = done ? `${what} is copied.` : "The browser does not copy.";
}

function save(name, text) {
  const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  el("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

$("save-vector").addEventListener("click", () => save("doorward.test.json", `${JSON.stringify(shown.vector, undefined, 2)}\n`));
$("copy-ticket").addEventListener("click", () => copy(shown.ticket, "The ticket"));
$("copy-command").addEventListener("click", () => copy(shown.command, "The command"));
update();
