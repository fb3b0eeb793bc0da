// Targets of all kinds for a site: honest ones, and spellings of its paths that one reader could take for another path.
//
// A spelling is a grammar's sentence: a path, and what one family of mutations makes of it; some of what two families make.

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * @param {object} site lists of patterns: `open` and `kept`; where it is Next.js, `base`, `buildId` and protected `images`
 * @param {object} options `count` of the targets, `seed`
 * @returns {{ target: Buffer, headers: string[], family: string }[]} no two alike
 */
export function targetsOf(site, { count, seed }) {
  const draw = drawerOf(chance(seed));
  const all = new Map();
  while (all.size < count) {
    const request = draw.number(100) < 42 ? plain(draw, site) : spelling(draw, site);
    const key = [request.target, ...request.headers].join("\n");
    if (!all.has(key)) all.set(key, { ...request, target: Buffer.from(request.target, "latin1") });
  }
  return [...all.values()];
}

/** Public pages as browsers ask for them. */
export function honestTargets(site, { count, seed }) {
  const draw = drawerOf(chance(seed));
  const of = (patterns) => ({
    target: Buffer.from(path(draw, draw.one(patterns)) + draw.one(["", "", query(draw)])),
    headers: [],
  });
  return {
    open: Array.from({ length: count }, () => of(site.open)),
    kept: Array.from({ length: count }, () => of(site.kept)),
  };
}

function drawerOf(next) {
  const number = (below) => Math.floor(next() * below);
  return { number, one: (list) => list[number(list.length)] };
}

/** A protected path as its site writes it. */
function plain(draw, site) {
  return { target: path(draw, draw.one(site.kept)) + draw.one(["", "", query(draw)]), headers: [], family: "as it is" };
}

function query(draw) {
  const value = draw.one(["1", "a%20b", "%2F", "/health", "https://evil.example/", "..%2f..", "caf%C3%A9", "x;y", "+"]);
  return `?${draw.one(["q", "page", "next", "id", "_rsc"])}=${value}&n=${draw.number(1e6)}`;
}

function path(draw, pattern) {
  const filled = pattern.replaceAll(/:\w+/g, () => value(draw));
  return filled.replace("**", () => Array.from({ length: 1 + draw.number(3) }, () => value(draw)).join("/"));
}

const values = [
  "ada",
  "7",
  "a%20b",
  "caf%C3%A9",
  "%40ada",
  "@ada",
  "x.y",
  "x:y",
  "~x",
  "a+b",
  "a,b",
  "(a)",
  "index",
  "me",
  "a=b",
  "Ada",
  "...",
  "-",
];
const value = (draw) => draw.one([...values, String(draw.number(1e6)), `u${draw.number(1e6).toString(36)}`]);

const dots = [
  "..",
  "%2e%2e",
  ".%2e",
  "%2E.",
  "..;",
  "..;x=1",
  "%252e%252e",
  "..%00",
  "..%09",
  "..\t",
  "%c0%ae%c0%ae",
  "%ef%bc%8e%ef%bc%8e",
];
const oneDot = [".", "%2e", "%2E", ".;", "%252e", ".\t", "%c0%ae"];
const slashes = [
  "/",
  "//",
  "%2f",
  "%2F",
  "\\",
  "%5c",
  "%5C",
  "%252f",
  "%255c",
  "%c0%af",
  "%ef%bc%8f",
  "/\t/",
  ";/",
  "/;/",
  "/./",
];
const marks = ["#", "%23", "?", "%3f", "%00", "\0", ";", "%3b", "%0a", "%0d%0a", "#/", "%09", "\t"];
const controls = [
  "\0",
  "\x01",
  "\t",
  "\x0b",
  "\x0c",
  "\x1f",
  "\x7f",
  "%00",
  "%01",
  "%09",
  "%0a",
  "%0d",
  "%0d%0a",
  "%1f",
  "%7f",
  "%c2%85",
];
const bytes = ["%ff", "%fe", "%80", "%c3", "\xff", "\xc3\xa9", "\xe9", "%e9", "%u0061", "%ed%a0%80", "%f5%80%80%80"];
const overlong = [
  "%c0%ae",
  "%c0%af",
  "%e0%80%af",
  "%e0%80%ae",
  "%c1%a1",
  "%f0%80%80%af",
  "%ef%bc%8f",
  "%ef%bd%81",
  "%e2%84%aa",
  "%c5%bf",
];
const parameters = [";", ";x", ";x=1", ";jsessionid=7", ";.css", ";/", "%3b", "%3Bx=1", ";a;b", ";%2f..", "/;x", ";?"];
const endings = [
  "/",
  "//",
  "/.",
  "/..",
  "%20",
  "+",
  ".",
  "..",
  "%2e",
  ".json",
  ".html",
  ".txt",
  "~",
  ",",
  ":",
  "*",
  "/*",
  "%2f",
  "\\",
  "&",
  "=",
  "%",
];
const hosts = [
  "http://localhost",
  "http://evil.example",
  "https://localhost:443",
  "HTTP://localhost",
  "http://u@localhost",
  "ws://localhost",
  "//localhost",
  "///",
  "http:",
  "http:/",
  "x:",
  "\\\\localhost",
  "//evil.example:80",
  "/\\localhost",
  "http://localhost\\",
  "@localhost",
  ":80",
  ".localhost",
  "*",
  "?",
  "#",
  " ",
  "",
];
const forms = [
  ".rsc",
  ".prefetch.rsc",
  ".segments/_tree.segment.rsc",
  ".segments/_full.segment.rsc",
  ".rsc.rsc",
  "/index",
  "/index.rsc",
  ".segment.rsc",
  ".json",
  ".body",
  ".meta",
  ".action",
  ".rsc/",
  ".RSC",
];
const queries = [
  "nxtPid=7",
  "nxtIid=7",
  "nxtPall=a",
  "__nextLocale=en",
  "__nextDataReq=1",
  "__nextDefaultLocale=en",
  "%6extPid=7",
  "_rsc=1a2b3",
];

const localeForms = ["en", "EN", "de", "%65n", "fr", "en/en", "en//", "_next/data/other/en"];
const pathHeaders = [
  "X-Original-URL",
  "X-Rewrite-URL",
  "x-matched-path",
  "X-Invoke-Path",
  "X-Forwarded-Path",
  "X-Forwarded-Uri",
  "X-Forwarded-Prefix",
  "x-middleware-rewrite",
  "Next-Url",
  "x-now-route-matches",
  "x-nextjs-rewritten-path",
  "Script_Name",
  "X-Original-Uri",
];

/** Each: what it makes of a protected path `kept`, beside a public one `open`; `page` is `kept` without the site's base path. */
const families = {
  "query added": (draw, { kept, open }) =>
    kept + draw.one(["?", "??", "?x=%", "?/..", "?#", `?${open}`, `?url=${open}`, "?;x", "?%00", "?x=\xff"]),
  "letters escaped": (draw, { kept }) => somewhere(draw, kept, /[a-z]/gi, (letter) => escaped(draw, letter)),
  "all letters escaped": (draw, { kept }) => kept.replaceAll(/[a-z](?![^%]?[0-9a-f])/gi, (letter) => escaped(draw, letter)),
  case: (draw, { kept }) => otherCase(draw, kept),
  "slash at the end": (draw, { kept }) => kept + draw.one(endings),
  "slashes doubled": (draw, { kept }) =>
    somewhere(draw, kept, /\//g, () => draw.one(["//", "///", "/\\", "\\", "\\/", "//;/"])),
  "slashes in other spellings": (draw, { kept }) => somewhere(draw, kept, /\//g, () => draw.one(slashes)),
  "up from a public path": (draw, { kept, open }) => `${open}${slash(draw)}${up(draw, open)}${kept.slice(1)}`,
  "up to a public path": (draw, { kept, open }) => `${kept}${slash(draw)}${up(draw, kept)}${open.slice(1)}`,
  "up and in again": (draw, { kept }) =>
    somewhere(draw, kept, /\//g, () => `/x${slash(draw)}${draw.one(dots)}${slash(draw)}`),
  "stays where it is": (draw, { kept }) => somewhere(draw, kept, /\//g, () => `/${draw.one(oneDot)}${slash(draw)}`),
  parameters: (draw, { kept }) =>
    somewhere(draw, `${kept}/`, /\//g, () => `${draw.one(parameters)}/`).slice(0, draw.one([undefined, -1])),
  "a parameter as a public path": (draw, { kept, open }) =>
    draw.one([`${kept};${open}`, `${open};${kept}`, `${kept};/..${open}`, `${open};/..${kept}`]),
  "a mark and a public path": (draw, { kept, open }) => kept + draw.one(marks) + draw.one(["", "/..", "/../.."]) + open,
  "a public path and a mark": (draw, { kept, open }) => open + draw.one(marks) + draw.one(["", "/..", "/../.."]) + kept,
  "escaped twice": (draw, { kept }) => somewhere(draw, kept, /[a-z/]/gi, (letter) => `%25${hex(letter)}`),
  controls: (draw, { kept }) => anywhere(draw, kept, controls),
  "bytes that are no UTF-8": (draw, { kept }) => anywhere(draw, kept, bytes),
  "overlong and wide": (draw, { kept, open }) =>
    draw.one([anywhere(draw, kept, overlong), `${open}${draw.one(slashes)}${draw.one(overlong).repeat(2)}${kept}`]),
  "broken escapes": (draw, { kept }) =>
    anywhere(draw, kept, ["%", "%2", "%zz", "%%32%65", "%2%65", "%u002e", "%x61", "%25"]),
  fragments: (draw, { kept, open }) =>
    draw.one([
      `${kept}#`,
      `${kept}#${open}`,
      `${open}#${kept}`,
      `#${kept}`,
      `/#${kept}`,
      `${kept}%23`,
      `${open}#/..${kept}`,
    ]),
  "absolute form": (draw, { kept, open }) =>
    draw.one(hosts) + draw.one([kept, `${open}/..${kept}`, `${open}?${kept}`, `${open}#/..${kept}`, kept.slice(1)]),
  "a star": (draw, { kept }) => draw.one(["*", "/*", `*${kept}`, `/*${kept}`, `${kept}*`, `${kept}/*`, `/**${kept}`]),
  tabs: (draw, { kept }) => anywhere(draw, kept, ["\t", "%09", " ", "%20", "\t\t"]),
  "forms of Next.js": (draw, { kept }) => draw.one([kept, `${kept}/`, `/index${kept}`]) + draw.one(forms),
  "data of Next.js": (draw, { base, page, buildId }) =>
    [
      base,
      "/_next/",
      draw.one(["data", "data", "static", "image", "DATA"]),
      "/",
      draw.one([buildId, buildId, "other"]),
      draw.one(["", "/index", "/en", "/"]),
      page,
      draw.one([".json", "/index.json", ".json", ".rsc", ""]),
    ].join(""),
  "queries of Next.js": (draw, { kept, open }) => `${draw.one([kept, open])}?${draw.one(queries)}`,
  locales: (draw, { base, page }) => [base, "/", draw.one(localeForms), page, draw.one(["", ".json", "/"])].join(""),
  images: (draw, { base, kept, images = [kept] }) => base + imageOf(draw, draw.one([kept, ...images, ...images])),
  "a base path": (draw, { kept }) =>
    draw.one(["/shop", "/SHOP", "/shop/", "/shop/..", "/shop%2f..", "/%73hop", "/shop;", "/shop/shop", "//shop"]) + kept,
};

/** The same for what goes along with the target of a public page. */
const headerFamilies = {
  "headers that name another path": (draw, { kept, page }) => `${draw.one(pathHeaders)}: ${draw.one([kept, page])}`,
  "a host with a path": (draw, { kept }) =>
    [
      "Host: ",
      draw.one(["localhost", "localhost:80", "evil.example", "u@localhost"]),
      kept,
      draw.one(["?", "#", ";", "", "\\", "/x?", "?x="]),
    ].join(""),
};

function spelling(draw, site) {
  const kept = path(draw, draw.one(site.kept));
  const open = path(draw, draw.one(site.open));
  const base = site.base ?? "";
  const given = { ...site, base, kept, open, page: kept.slice(base.length) };
  const name = draw.one([...Object.keys(families), ...Object.keys(headerFamilies)]);
  if (name in headerFamilies) return { target: open, headers: [headerFamilies[name](draw, given)], family: name };
  const once = families[name](draw, given);
  const again =
    draw.number(4) === 0 ? families[draw.one(Object.keys(families))](draw, { ...given, kept: once, page: once }) : once;
  const headers =
    draw.number(20) === 0
      ? [draw.one(["RSC: 1", "Next-Router-Prefetch: 1", "x-nextjs-data: 1", "Accept-Language: en"])]
      : [];
  return { target: again.replaceAll(/[\r\n]/g, ""), headers, family: name };
}

function somewhere(draw, text, pattern, replace) {
  const places = [...text.matchAll(pattern)];
  const chosen = draw.one(places);
  if (!chosen) return text;
  return text.slice(0, chosen.index) + replace(chosen[0]) + text.slice(chosen.index + chosen[0].length);
}

function anywhere(draw, text, pieces) {
  const place = draw.one([0, 1, text.length, text.length, 1 + draw.number(text.length)]);
  return text.slice(0, place) + draw.one(pieces) + text.slice(place);
}

/** Escapes stay what they are; a `K` and an `S` have relatives elsewhere in Unicode. */
function otherCase(draw, text) {
  const how = draw.one(["all", "one", "some", "relative"]);
  if (how === "relative") return somewhere(draw, text, /[ks]/gi, (letter) => (/k/i.test(letter) ? "%e2%84%aa" : "%c5%bf"));
  const turn = (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase());
  if (how === "one") return somewhere(draw, text, /(?<!%[0-9a-f]?)[a-z]/gi, turn);
  return text.replaceAll(/%..|[a-z]/gi, (found) =>
    found.length > 1 || (how === "some" && draw.number(2)) ? found : turn(found),
  );
}

/** The way up from everything in a path, to the root. */
function up(draw, path) {
  const depth = path.split("/").filter(Boolean).length + draw.one([0, 0, 0, 1]);
  const dot = draw.one(dots);
  return Array.from({ length: depth }, () => dot + slash(draw)).join("");
}

const slash = (draw) => draw.one(["/", "/", "/", "/", ...slashes]);
const hex = (letter) => letter.charCodeAt(0).toString(16);
const escaped = (draw, letter) => `%${draw.one([hex(letter), hex(letter).toUpperCase()])}`;

function imageOf(draw, source) {
  const url = draw.one([encodeURIComponent, (text) => text, encodeURI])(
    draw.one(["", "/", "/open/..", "/.", "http://localhost", "\\"]) + source,
  );
  const query = draw.one([
    `url=${url}&w=64&q=75`,
    `w=64&q=75&url=${url}`,
    `w=64&url=%2F&q=75&url=${url}`,
    `%75rl=${url}&w=64&q=75`,
  ]);
  return `/_next/image?${query}`;
}
