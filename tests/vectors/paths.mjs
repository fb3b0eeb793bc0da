// Writes path/*.json: request targets, and what is left of them (README.md, "Paths").
//
// What is expected is written here, by hand or by the rule that the family names; nothing is taken from the gate's output.

import { mkdirSync, writeFileSync } from "node:fs";

/** What the origin is known to be. */
const sites = {
  any: null,
  next: "next",
  shop: { name: "next", base_path: "/shop" },
  intl: { name: "next", locales: ["en", "de-AT"] },
  both: { name: "next", base_path: "/shop", locales: ["en", "de-AT"] },
  kit: "sveltekit",
  "kit below": { name: "sveltekit", base_path: "/shop" },
  router: "react-router",
  "router below": { name: "react-router", base_path: "/shop" },
  nuxt: "nuxt",
  "nuxt below": { name: "nuxt", base_path: "/shop" },
  astro: "astro",
  "astro below": { name: "astro", base_path: "/shop" },
  start: "tanstack-start",
  none: "none",
};

const families = {};
let family;
const begin = (name) => (families[name] ??= family = []);
const add = (site, target, expect, headers, method) => family.push({ site, ...(method && { method }), target, ...(headers && { headers }), expect });

/** RFC 3986 section 3.3: what stands in a segment as it is; all else is written escaped. `;` is left out: servers cut there. */
const pchar = /^[A-Za-z0-9\-._~!$&'()*+,=:@]$/;
const hex = (byte) => byte.toString(16).padStart(2, "0").toUpperCase();
const written = (text) =>
  [...text].map((c) => (pchar.test(c) ? c : [...new TextEncoder().encode(c)].map((byte) => `%${hex(byte)}`).join(""))).join("");
const segmentsOf = (path) => (path === "/" ? [] : path.slice(1).split("/"));

/** One reading, given as a decoded path; the query, if any, is carried as it is. */
function plain(site, target, path, { slash = false, query = "", readings = [path], headers, method } = {}) {
  const segments = segmentsOf(path);
  const forwarded = `/${segments.map(written).join("/")}${slash && segments.length > 0 ? "/" : ""}${query}`;
  add(site, target, { segments, trailing_slash: slash, forwarded, readings: readings.map(segmentsOf) }, headers, method);
}
/** A target that is forwarded as it came, and is read in these ways. */
function read(site, target, readings, headers, method) {
  const [path, query] = target.split(/(?=\?)/);
  const slash = path.length > 1 && path.endsWith("/");
  plain(site, target, slash ? path.slice(0, -1) : path, { slash, query: query ?? "", readings, headers, method });
}
const refused = (site, target, headers, method) => add(site, target, { refused: true }, headers, method);

begin("bytes");
// Each byte, escaped: a character that a path can have is itself, however it was written; the rest is refused.
// Refused: what ends or splits a segment for some server (/ \ ; ? #), what is decoded again by some (%), controls (RFC 3986
// has none, C strings end at NUL), and bytes that are no UTF-8 (all from 80 on, when alone).
for (let byte = 0; byte < 256; byte += 1) {
  const character = String.fromCharCode(byte);
  const isDoubtful = byte < 0x20 || byte >= 0x7f || "/\\;?#%".includes(character);
  for (const escape of new Set([`%${hex(byte)}`, `%${hex(byte).toLowerCase()}`])) {
    if (isDoubtful) refused("any", `/a${escape}b`);
    else plain("any", `/a${escape}b`, `/a${character}b`);
  }
}
// Each character of ASCII as it is: none but visible ones can be in a target (RFC 9112 section 3.2).
for (let byte = 0; byte < 128; byte += 1) {
  const character = String.fromCharCode(byte);
  if (byte <= 0x20 || byte === 0x7f || "\\;#%".includes(character)) refused("any", `/a${character}b`);
  else if (character === "/") plain("any", "/a/b", "/a/b");
  else if (character === "?") plain("any", "/a?b", "/a", { query: "?b" });
  else plain("any", `/a${character}b`, `/a${character}b`);
}

begin("dots");
// A dot segment, raw or escaped in part, is resolved by some servers and not by others (RFC 3986 section 5.2.4).
for (const dots of [".", "%2e", "%2E", "..", ".%2e", "%2e.", "%2e%2e", "%2E%2e", "%2e%2E"]) {
  for (const target of [`/${dots}`, `/${dots}/`, `/${dots}/a`, `/a/${dots}`, `/a/${dots}/`, `/a/${dots}/b`, `/a/${dots}/${dots}/b`]) {
    refused("any", target);
  }
}
// Dots that are names.
for (const name of ["...", ".a", "..a", "a.", "a..", "a..b", ".well-known", "....", ".git", "a.b.c"]) {
  plain("any", `/${name}`, `/${name}`);
  plain("any", `/x/${name}/y`, `/x/${name}/y`);
}
plain("any", "/%2e%2e%2e", "/...");
plain("any", "/%2ewell-known/x", "/.well-known/x");
refused("any", "/public/../admin");
refused("any", "/public/%2e%2e%2fadmin");
refused("any", "/admin/users/..%2f..%2f..%2fhealth");
refused("any", "/admin;/../health");
refused("any", "/admin#/../health");

begin("slashes");
for (const target of ["//", "///", "//a", "///a", "/a//", "/a//b", "/a///b", "//a//b", "//evil.example/a", "/a/%2f", "/%2f", "/%2F/a", "/%2f%2fa", "/a%2Fb%2Fc"]) refused("any", target);
for (const target of ["\\", "/\\", "/\\a", "\\a", "/a\\", "/a\\b", "/a\\..\\b", "/%5c", "/a%5Cb", "/a/%5c..%5c/b", "/\\/a", "/\\evil.example", "/%5cevil.example"]) refused("any", target);
plain("any", "/", "/");
plain("any", "/a", "/a");
plain("any", "/a/", "/a", { slash: true });
plain("any", "/a/b/c/", "/a/b/c", { slash: true });
plain("any", "/%61/", "/a", { slash: true });
plain("any", "/?", "/", { query: "?" });
plain("any", "/a/?x", "/a", { slash: true, query: "?x" });

begin("parameters");
// `/a;x` is `/a` for a servlet container and `/a;x` for others.
for (const target of ["/;", "/;/a", "/a;", "/a;/b", "/a;x=1", "/a;jsessionid=1/b", "/a/;x/b", "/..;/a", "/a/..;/b", "/a/..;x=1/b", "/a%3b", "/a%3Bx", "/;a=b", "/a;;b", "/.;/a"]) refused("any", target);
plain("any", "/a,b=c", "/a,b=c");
plain("any", "/a?x;y=1", "/a", { query: "?x;y=1" });
plain("any", "/a?;", "/a", { query: "?;" });

begin("case");
// Letters are themselves: a page that an origin serves in either case has two paths, and rules say which they mean.
for (const path of ["/Admin", "/ADMIN", "/aDmIn", "/a/B/c", "/É", "/ß", "/SS", "/İ", "/ı"]) plain("any", encodeURI(path), path);
plain("any", "/%41dmin", "/Admin");
plain("any", "/%61DMIN", "/aDMIN");

begin("escapes");
for (const target of ["/%", "/a%", "/a%2", "/a%/b", "/%zz", "/%2g", "/%g2", "/% 1", "/%+1", "/%-1", "/%u0061", "/%u002e", "/a%%61", "/%%", "/%%32%65", "/%0", "/%x41", "/%\u00e9"]) refused("any", target);
// What is left after one decoding is not decoded again, and may not look as if somebody should.
for (const target of ["/%2561", "/%252e%252e/a", "/a%252fb", "/a%255cb", "/a%2500", "/%25", "/%2525", "/%25zz", "/%25252e", "/a%25/b", "/%c4%81%25"]) refused("any", target);
for (const [target, path] of [["/%61", "/a"], ["/%61%62%63", "/abc"], ["/a%7eb", "/a~b"], ["/a%2Db", "/a-b"], ["/a%5Fb", "/a_b"], ["/a%2eb", "/a.b"], ["/%41%2d%5a", "/A-Z"], ["/a%20b", "/a b"], ["/%20", "/ "], ["/a+b", "/a+b"], ["/a%2Bb", "/a+b"], ["/a%26b%3Dc", "/a&b=c"], ["/%5Bslug%5D", "/[slug]"], ["/[slug]", "/[slug]"], ["/%7Bid%7D", "/{id}"], ["/{id}", "/{id}"], ["/%3Cb%3E", "/<b>"], ["/%22", '/"'], ["/%60", "/`"], ["/%7C", "/|"], ["/%5E", "/^"], ["/%40me", "/@me"], ["/a%3Ab", "/a:b"], ["/%2A", "/*"], ["/*", "/*"], ["/**", "/**"], ["/:id", "/:id"]]) plain("any", target, path);

begin("utf-8");
for (const path of ["/café", "/日本語", "/🙂", "/Ω", "/a/ü/b", "/😀x", "/ﬁ", "/ｆｕｌｌ"]) plain("any", encodeURI(path), path);
plain("any", "/caf%c3%a9", "/café");
plain("any", "/caf%C3%a9", "/café");
// Normalisation forms are different paths (é and e + U+0301), and nothing is folded into ASCII: ／ is no slash here.
for (const path of ["/\u00e9", "/e\u0301", "/\u212b", "/\u00c5", "/A\u030a", "/\u1e9b\u0323", "/\uff0fadmin", "/\u2215admin", "/\u2044admin", "/\uff0e\uff0e", "/\u2024\u2024", "/\uff3cadmin", "/\uff1badmin", "/\uff05admin", "/\u037eadmin", "/\u202eadmin", "/\ufeffadmin", "/\u200badmin", "/\u00a0admin", "/\u2028admin"]) plain("any", encodeURI(path), path);
// Overlong, surrogates, above U+10FFFF, cut short, bytes that never occur (RFC 3629).
for (const bytes of ["c0 ae", "c0 af", "c1 9c", "e0 80 ae", "e0 80 af", "f0 80 80 ae", "f0 80 80 af", "f8 80 80 80 af", "fc 80 80 80 80 ae", "c0 80", "e0 80 80", "ed a0 80", "ed bf bf", "ed a0 bd ed b8 80", "f4 90 80 80", "f5 80 80 80", "c3", "e2 82", "f0 9f 99", "80", "bf", "fe", "ff", "ff fe", "c3 28", "e9", "e2 28 a1", "c2 c2"]) {
  const escaped = bytes.split(" ").map((byte) => `%${byte}`).join("");
  for (const target of [`/${escaped}`, `/a${escaped}/b`]) refused("any", target);
}
// Controls of the second block (U+0080 to U+009F): next line, string terminators.
for (const point of [0x80, 0x85, 0x8d, 0x9b, 0x9f]) refused("any", `/a${encodeURIComponent(String.fromCharCode(point))}b`);
// Not ASCII as it is: bytes that a host reads as Latin-1 or as UTF-8.
for (const target of ["/é", "/cafÃ©", "/日本", "/a?é", "/\u2028", "/\u00ad", "/\ufeff"]) refused("any", target);

begin("controls");
for (const mark of ["\0", "\t", "\n", "\r", "\r\n", "\v", "\f", "\x1b", "\x7f", " "]) {
  for (const target of [`${mark}/a`, `/${mark}`, `/a${mark}`, `/a${mark}?x`, `/a?x${mark}`, `/pub${mark}lic`]) refused("any", target);
}
for (const escape of ["%00", "%09", "%0a", "%0d", "%0d%0a", "%1f", "%7f"]) {
  for (const target of [`/${escape}`, `/a${escape}`, `/a${escape}/b`, `/a${escape}.png`, `/a/..${escape}/b`]) refused("any", target);
}

begin("forms");
// Only the origin-form names a path of this site (RFC 9112 section 3.2).
for (const target of ["", "a", "a/b", "*", "?", "?a", "#", ".", "..", "./a", "../a", "http://app.example.com/a", "http://app.example.com", "HTTP://app.example.com/a", "https://evil.example/a", "app.example.com:443", "//app.example.com/a", "ftp://x/a", "javascript:alert(1)", "@/a", ":80/a", "%2fa", "%2Fa/b", "~/a"]) refused("any", target);
for (const target of ["/#", "/a#", "/a#b", "/#/../a", "/a%23", "/a%23/../b", "/a?x#y", "/a#?x", "/a%3f", "/a%3Fx=1", "/a%3f/../b"]) refused("any", target);
plain("any", "/http:/x", "/http:/x");
refused("any", "/http://x");
plain("any", "/a:80/b", "/a:80/b");
plain("any", "/@evil.example", "/@evil.example");
plain("any", "/a?x=/../b", "/a", { query: "?x=/../b" });
plain("any", "/a?/health", "/a", { query: "?/health" });
plain("any", "/a?x=%23&y=%00", "/a", { query: "?x=%23&y=%00" });
plain("any", "/a??", "/a", { query: "??" });
plain("any", "/a?x=%zz", "/a", { query: "?x=%zz" });

begin("length");
plain("any", `/${"a".repeat(8191)}`, `/${"a".repeat(8191)}`);
refused("any", `/${"a".repeat(8192)}`);
plain("any", `/a?${"b".repeat(8189)}`, "/a", { query: `?${"b".repeat(8189)}` });
refused("any", `/a?${"b".repeat(8190)}`);
plain("any", "/a".repeat(4096), "/a".repeat(4096));
refused("any", `${"/a".repeat(4096)}/`);
refused("any", "/..".repeat(2000));

begin("transport");
// Each must be covered: the target itself and the page that Next.js would serve for it.
read("any", "/app.rsc", ["/app.rsc", "/app"]);
read("any", "/app.rsc?_rsc=1x2y", ["/app.rsc", "/app"]);
read("any", "/app?_rsc=1x2y", ["/app"]);
read("any", "/app?_rsc", ["/app"]);
read("any", "/a/b.rsc", ["/a/b.rsc", "/a/b"]);
read("any", "/app.rsc/", ["/app.rsc", "/app"]);
read("any", "/app.prefetch.rsc", ["/app.prefetch.rsc", "/app"]);
read("any", "/a/b.prefetch.rsc", ["/a/b.prefetch.rsc", "/a/b"]);
plain("any", "/app%2ersc", "/app.rsc", { readings: ["/app.rsc", "/app"] });
plain("any", "/app.%72sc", "/app.rsc", { readings: ["/app.rsc", "/app"] });
read("any", "/app.rscx", ["/app.rscx"]);
read("any", "/app.RSC", ["/app.RSC"]);
read("any", "/rsc", ["/rsc"]);
read("any", "/app.rsc/x", ["/app.rsc/x"]);
read("any", "/.rsc", ["/.rsc", "/"]);
read("any", "/a/.rsc", ["/a/.rsc", "/a"]);
read("any", "/app.segments/_tree.segment.rsc", ["/app.segments/_tree.segment.rsc", "/app"]);
read("any", "/app.segments/_index.segment.rsc", ["/app.segments/_index.segment.rsc", "/app"]);
read("any", "/a/b.segments/a/b/__PAGE__.segment.rsc", ["/a/b.segments/a/b/__PAGE__.segment.rsc", "/a/b"]);
plain("any", "/app.segments/$d$id.segment.rsc", "/app.segments/$d$id.segment.rsc", { readings: ["/app.segments/$d$id.segment.rsc", "/app"] });
plain("any", "/app%2esegments/x", "/app.segments/x", { readings: ["/app.segments/x", "/app"] });
read("any", "/app.segments", ["/app.segments", "/app"]);
read("any", "/index.segments/_tree.segment.rsc", ["/index.segments/_tree.segment.rsc", "/"]);
read("any", "/index.rsc", ["/index.rsc", "/"]);
read("any", "/index.prefetch.rsc", ["/index.prefetch.rsc", "/"]);
read("any", "/index.json", ["/index.json"]);
read("any", "/index", ["/index"]);
read("any", "/index.html", ["/index.html"]);
read("any", "/index/index.rsc", ["/index/index.rsc", "/index/index", "/index"]);
read("any", "/index/app.rsc", ["/index/app.rsc", "/index/app", "/app"]);
read("any", "/docs/index.rsc", ["/docs/index.rsc", "/docs/index", "/docs"]);
const data = "/_next/data/b-1";
read("any", `${data}/app.json`, [`${data}/app.json`, "/app"]);
read("any", `${data}/a/b.json`, [`${data}/a/b.json`, "/a/b"]);
read("any", `${data}/app.json?x=1`, [`${data}/app.json`, "/app"]);
read("any", `${data}/app.json/`, [`${data}/app.json`, "/app"]);
read("any", `${data}/index.json`, [`${data}/index.json`, "/"]);
read("any", `${data}/index/index.json`, [`${data}/index/index.json`, "/index/index", "/index"]);
read("any", `${data}/index/app.json`, [`${data}/index/app.json`, "/index/app", "/app"]);
read("any", `${data}/en/app.json`, [`${data}/en/app.json`, "/en/app"]);
read("any", `${data}/en/index.json`, [`${data}/en/index.json`, "/en/index", "/en"]);
read("any", `/shop${data}/app.json`, [`/shop${data}/app.json`, "/shop/app"]);
read("any", `/shop${data}/index.json`, [`/shop${data}/index.json`, "/shop"]);
read("any", `${data}/app`, [`${data}/app`]);
read("any", `${data}/app.JSON`, [`${data}/app.JSON`]);
read("any", data, [data]);
read("any", "/_next/data", ["/_next/data"]);
read("any", "/_next/data/app.json", ["/_next/data/app.json"]);
plain("any", "/%5fnext/data/b-1/app.json", `${data}/app.json`, { readings: [`${data}/app.json`, "/app"] });
plain("any", "/_next/d%61ta/b-1/app%2ejson", `${data}/app.json`, { readings: [`${data}/app.json`, "/app"] });
read("any", "/_next/static/chunks/app.js", ["/_next/static/chunks/app.js"]);
// A form of a form is refused.
for (const target of ["/app.rsc.rsc", "/app.prefetch.rsc.rsc", "/app.rsc.prefetch.rsc", `${data}/app.rsc.json`, `/index${data}/app.json.rsc`, "/a.rsc.segments/x.segment.rsc", `${data}/a.segments/x.segment.rsc.json`]) refused("any", target);
read("any", `${data}/_next/data/b-2/app.json`, [`${data}/_next/data/b-2/app.json`, "/_next/data/b-2/app"]);
// What is left of a name may be a dot segment.
for (const target of ["/a/..rsc", "/a/...rsc", "/a/..prefetch.rsc", "/a/...prefetch.rsc", "/a/..segments/x.segment.rsc", "/a/...segments/x", `${data}/..json`, `${data}/a/..json`, `${data}/a/...json`, "/a/%2e%2e%2ersc"]) refused("any", target);
for (const target of [`${data}/a/..json`, `${data}/...json`]) refused("next", target);
refused("any", "/_next//data/b-1/app.json");
refused("any", "/_next/data/b-1/../b-1/app.json");
refused("any", "/_next/data//app.json");

begin("parameters-of-next");
for (const name of ["nxtPid", "nxtIid", "nxtP", "nxtI", "nxtPslug.rest", "%6extPid", "n%78tPid", "%6e%78%74%50id", "%6E%78%74Iid", "__nextLocale", "__nextDataReq", "__nextDefaultLocale", "%5f%5fnextDataReq", "_%5FnextLocale"]) {
  refused("any", `/a?${name}=x`);
  refused("any", `/a?${name}`);
  refused("any", `/a?b=1&${name}=x`);
}
for (const query of ["?nxtQ=1", "?NXTPid=1", "?xnxtPid=1", "?id=nxtPid", "?b=1&c=nxtIid", "?_next=1", "?next=/a", "?_rsc=nxtP", "?nxt=1", "?%zznxtP=1", "?+nxtPid=1"]) plain("any", `/a${query}`, "/a", { query });
refused("next", "/a?nxtPid=x");
refused("next", "/a?__nextLocale=en");

begin("known-next");
// The origin is Next.js: `/_next/data` is its own, so a data request is its page and nothing else. `/a.rsc` stays both: to
// `next start` it is a path like another, which a dynamic route may serve.
read("next", "/app", ["/app"]);
read("next", "/", ["/"]);
read("next", `${data}/app.json`, ["/app"]);
read("next", `${data}/a/b.json`, ["/a/b"]);
read("next", `${data}/index.json`, ["/"]);
read("next", `${data}/index/index.json`, ["/index/index", "/index"]);
read("next", `${data}/index/app.json`, ["/index/app", "/app"]);
read("next", `${data}/app`, [`${data}/app`]);
read("next", `/shop${data}/app.json`, [`/shop${data}/app.json`, "/shop/app"]);
read("next", "/app.rsc", ["/app.rsc", "/app"]);
read("next", "/index.rsc", ["/index.rsc", "/"]);
read("next", "/app.segments/_tree.segment.rsc", ["/app.segments/_tree.segment.rsc", "/app"]);
read("next", "/en/app", ["/en/app"]);
refused("next", "/app.rsc.rsc");

begin("base-path");
read("shop", "/shop", ["/"]);
read("shop", "/shop/", ["/"]);
read("shop", "/shop/app", ["/app"]);
read("shop", "/shop/app/", ["/app"]);
plain("shop", "/sh%6fp/app", "/shop/app", { readings: ["/app"] });
read("shop", "/shop?x=1", ["/"]);
read("shop", "/shop/shop/app", ["/shop/app"]);
read("shop", `/shop${data}/app.json`, ["/app"]);
read("shop", `/shop${data}/index.json`, ["/"]);
read("shop", "/shop/app.rsc", ["/app.rsc", "/app"]);
read("shop", "/shop/index.rsc", ["/index.rsc", "/"]);
read("shop", "/shop.rsc", ["/shop.rsc", "/shop"]);
read("shop", "/shop/a/b.segments/_tree.segment.rsc", ["/a/b.segments/_tree.segment.rsc", "/a/b"]);
// Outside of it nothing is known: judged as it is, by every reading.
read("shop", "/", ["/"]);
read("shop", "/app", ["/app"]);
read("shop", "/shopping/app", ["/shopping/app"]);
read("shop", "/Shop/app", ["/Shop/app"]);
read("shop", `${data}/app.json`, [`${data}/app.json`, "/app"]);
read("shop", `${data}/shop/app.json`, [`${data}/shop/app.json`, "/shop/app"]);
read("shop", "/app.rsc", ["/app.rsc", "/app"]);
for (const target of ["//shop/app", "/shop//app", "/shop/../app", "/shop%2fapp", "/shop/%2e%2e/app", "/./shop/app"]) refused("shop", target);

begin("locales");
for (const locale of ["en", "EN", "eN", "de-AT", "de-at", "DE-AT"]) {
  read("intl", `/${locale}`, ["/"]);
  read("intl", `/${locale}/`, ["/"]);
  read("intl", `/${locale}/app`, ["/app"]);
  read("intl", `/${locale}/a/b?x=1`, ["/a/b"]);
  read("intl", `${data}/${locale}/app.json`, ["/app"]);
  read("intl", `${data}/${locale}.json`, ["/"]);
  read("intl", `/${locale}/app.rsc`, ["/app.rsc", "/app"]);
}
plain("intl", "/%65n/app", "/en/app", { readings: ["/app"] });
read("intl", "/app", ["/app"]);
read("intl", "/fr/app", ["/fr/app"]);
read("intl", "/english/app", ["/english/app"]);
read("intl", "/de/app", ["/de/app"]);
read("intl", "/app/en", ["/app/en"]);
read("intl", "/en/en/app", ["/en/app"]);
read("intl", "/en/api/x", ["/api/x"]);
read("intl", `${data}/app.json`, ["/app"]);
read("intl", `${data}/index.json`, ["/"]);
// The page /index in English, or the English root.
read("intl", `${data}/en/index.json`, ["/index", "/"]);
read("intl", `/en${data}/app.json`, ["/app"]);
read("intl", `/en${data}/de-at/app.json`, ["/app"]);
read("intl", "/en.rsc", ["/en.rsc", "/"]);
read("intl", "/en/index.rsc", ["/index.rsc", "/"]);
for (const target of ["/en//app", "//en/app", "/en/../app", "/en%2fapp", "/en\\app", "/en;/app"]) refused("intl", target);
read("both", "/shop/en/app", ["/app"]);
read("both", "/shop/app", ["/app"]);
read("both", "/shop/en", ["/"]);
read("both", `/shop${data}/en/app.json`, ["/app"]);
read("both", `/shop${data}/de-AT.json`, ["/"]);
read("both", "/en/shop/app", ["/en/shop/app"]);
read("both", "/en/app", ["/en/app"]);
read("both", "/shop/shop/en/app", ["/shop/en/app"]);

begin("images");
// What is made smaller is judged as itself as well.
const image = (value, more = "&w=640&q=75") => `/_next/image?url=${value}${more}`;
read("any", image("%2Fprivate%2Fa.png"), ["/_next/image", "/private/a.png"]);
read("any", image("/private/a.png"), ["/_next/image", "/private/a.png"]);
read("any", "/_next/image?w=640&q=75&url=%2Fa.png", ["/_next/image", "/a.png"]);
read("any", "/_next/image?w=640&%75rl=%2Fa.png", ["/_next/image", "/a.png"]);
read("any", "/_next/image/?url=%2Fa.png", ["/_next/image", "/a.png"]);
read("any", "/_vercel/image?url=%2Fa.png&w=640", ["/_vercel/image", "/a.png"]);
read("any", image("%2Fa.png%3Fv%3D1"), ["/_next/image", "/a.png"]);
read("any", image("%2Fmy%20photo.png"), ["/_next/image", "/my photo.png"]);
read("any", image("%2Fmy+photo.png"), ["/_next/image", "/my photo.png"]);
read("any", image("%2Fcaf%C3%A9.png"), ["/_next/image", "/café.png"]);
read("any", image("%2Fcaf%25C3%25A9.png"), ["/_next/image", "/café.png"]);
read("any", image("%2F%2561dmin.png"), ["/_next/image", "/admin.png"]);
read("any", image("%2Fapp.rsc"), ["/_next/image", "/app.rsc", "/app"]);
read("any", image(encodeURIComponent(`${data}/app.json`)), ["/_next/image", `${data}/app.json`, "/app"]);
read("any", image("%2F"), ["/_next/image", "/"]);
plain("any", "/_next/im%61ge?url=%2Fa.png", "/_next/image", { query: "?url=%2Fa.png", readings: ["/_next/image", "/a.png"] });
read("any", "/shop/_next/image?url=%2Fshop%2Fa.png", ["/shop/_next/image", "/shop/a.png"]);
for (const host of ["https%3A%2F%2Fcdn.example%2Fa.png", "http%3A%2F%2Fcdn.example%2Fa.png", "https://cdn.example/a.png", "HTTPS%3A%2F%2Fcdn.example", "https%3A%2F%2F%5B%3A%3A1%5D%2Fa"]) read("any", image(host), ["/_next/image"]);
read("any", "/_next/image", ["/_next/image"]);
read("any", "/_next/image?w=640", ["/_next/image"]);
read("any", "/_next/image?Url=%2Fa.png", ["/_next/image"]);
read("any", "/_next/images?url=%2Fa.png", ["/_next/images"]);
read("any", "/image?url=%2Fa.png", ["/image"]);
for (const value of ["", "a.png", ".%2Fa.png", "..%2Fa.png", "%2F%2Fevil.example%2Fa.png", "%2F..%2Fa.png", "%2Fa%2F%2E%2E%2Fb.png", "%2Fa%252F..%252Fb.png", "%2Fa%252e%252e.png%2F..", "%2F%5Cevil.example", "%5Ca.png", "%2Fa%3Bb.png", "%2Fa%23b", "%2Fa%00.png", "%2Fa%0A.png", "%09%2Fa.png", "%20%2Fa.png", "%2Fa%2525.png", "%ff", "%zz", "%", "%2Fa%25.png", "data%3Aimage%2Fpng%2C", "javascript%3Ax", "https%3A%2Fa", "https%3A%5C%5Cx%2Fa", "https%3A%2F%2F%2Fa", "https%3A%2F%2F", "ftp%3A%2F%2Fx%2Fa", "%2F_next%2Fimage%3Furl%3D%252Fa.png", "%2Fshop%2F_next%2Fimage", "%2Fa%3FnxtPid%3D1"]) refused("any", image(value));
for (const query of ["?url=%2Fa.png&url=%2Fb.png", "?url=%2Fa.png&%75rl=%2Fa.png", "?url=%2Fa.png&w=1&url=https%3A%2F%2Fcdn.example%2Fa.png", "?url", "?url&url"]) refused("any", `/_next/image${query}`);
read("next", image("%2Fa.png"), ["/_next/image", "/a.png"]);
read("shop", `/shop${image("%2Fshop%2Fa.png")}`, ["/_next/image", "/a.png"]);
read("shop", `/shop${image("%2Fa.png")}`, ["/_next/image", "/a.png"]);
read("intl", image("%2Fen%2Fa.png"), ["/_next/image", "/a.png"]);
read("intl", `/en${image("%2Fa.png")}`, ["/_next/image", "/a.png"]);

begin("shown-in");
// `Next-Url` says in which page another is shown; Next.js goes by it before its own routes.
const within = (url) => [["next-url", url]];
read("any", "/photo/1", ["/photo/1", "/admin"], within("/admin"));
read("any", "/photo/1", ["/photo/1"], within(""));
read("any", "/photo/1", ["/photo/1", "/"], within("/"));
read("any", "/photo/1?_rsc=1", ["/photo/1", "/admin"], [["Next-Url", "/admin?x=1"]]);
read("any", "/photo.rsc", ["/photo.rsc", "/admin", "/photo"], within("/%61dmin"));
read("shop", "/shop/photo/1", ["/admin", "/photo/1"], within("/admin"));
read("shop", "/shop/photo/1", ["/admin", "/photo/1"], within("/shop/admin"));
read("intl", "/photo/1", ["/photo/1", "/admin"], within("/en/admin"));
for (const url of ["admin", "//admin", "/a/../admin", "/admin;x", "/admin%2fx", "/admin#x", "https://app.example.com/admin", "/é"]) refused("any", "/photo/1", within(url));

for (const hosts of [["app.example.com", "app.example.com"], ["app.example.com, app.example.com"], ["a:80/admin?"]]) refused("any", "/a", hosts.map((host) => ["host", host]));

begin("queries");
// A query goes on as the URL standard's readers write it ("special-query percent-encode set"): what is signed is what they see.
for (const [byte, escape] of [['"', "%22"], ["<", "%3C"], [">", "%3E"], ["'", "%27"]]) {
  plain("any", `/a?x=${byte}`, "/a", { query: `?x=${escape}` });
  plain("any", `/a?${byte}=1&b=${byte}${byte}`, "/a", { query: `?${escape}=1&b=${escape}${escape}` });
}
// All else of ASCII that can be in a target stays, as `new URL()` leaves it.
for (let byte = 0x21; byte < 0x7f; byte += 1) {
  const character = String.fromCharCode(byte);
  if (character === "#") continue;
  plain("any", `/a?x=${character}y`, "/a", { query: new URL(`https://app.example.com/a?x=${character}y`).search });
  plain("any", `/a?x=%${hex(byte)}y`, "/a", { query: `?x=%${hex(byte)}y` });
}
plain("any", "/%61?x='%61'", "/a", { query: "?x=%27%61%27" });
plain("any", "/a'b?c", "/a'b", { query: "?c" });

// What follows was read in the frameworks' sources: a page's data is the page; what any page can call is a thing of its own.

begin("sveltekit");
for (const site of ["kit", "kit below"]) {
  const base = site === "kit" ? "" : "/shop";
  read(site, `${base}/a`, ["/a"]);
  read(site, `${base}/a/__data.json`, ["/a"]);
  read(site, `${base}/a/b/__data.json?x-sveltekit-invalidated=01`, ["/a/b"]);
  read(site, `${base}/a/__route.js`, ["/a"]);
  read(site, `${base}/a.html__data.json`, ["/a.html"]);
  read(site, `${base}/__data.json`, ["/"]);
  read(site, `${base}/__route.js`, ["/"]);
  plain(site, `${base}/a/__d%61ta.json`, `${base}/a/__data.json`, { readings: ["/a"] });
  // With a slash at its end it is a page's name like another.
  read(site, `${base}/a/__data.json/`, ["/a/__data.json"]);
  read(site, `${base}/a.json`, ["/a.json"]);
  read(site, `${base}/_payload.json`, ["/_payload.json"]);
  read(site, `${base}/_app/remote/1a2b/name`, ["/_app/remote/1a2b/name"]);
  read(site, `${base}/_app/remote/1a2b/name/W10`, ["/_app/remote/1a2b/name/W10", "/_app/remote/1a2b/name"]);
  read(site, `${base}/_app/immutable/a.js`, ["/_app/immutable/a.js"]);
  read(site, `${base}/a?/remote=1a2b/name`, ["/a", "/_app/remote/1a2b/name"], undefined, "POST");
  read(site, `${base}/a?x=1&/remote=1a2b%2Fname%2F%22key%22`, ["/a", "/_app/remote/1a2b/name"], undefined, "POST");
  read(site, `${base}/a?%2Fremote=1a2b/name`, ["/a", "/_app/remote/1a2b/name"], undefined, "PUT");
  read(site, `${base}/a?/remote=1a2b/name`, ["/a"]);
  // A form action is the page's own.
  read(site, `${base}/a?/login`, ["/a"], undefined, "POST");
  read(site, `${base}/a?_action=x`, ["/a"], undefined, "POST");
  // What a remote function hears of the page that calls it.
  read(site, `${base}/_app/remote/1a2b/name`, ["/_app/remote/1a2b/name", "/admin"], [["x-sveltekit-pathname", `${base}/admin`]]);
  read(site, `${base}/a`, ["/a"], [["x-sveltekit-pathname", "/admin"]]);
  refused(site, `${base}/_app/remote/1a2b/name`, [["x-sveltekit-pathname", "/a"], ["x-sveltekit-pathname", "/admin"]]);
  refused(site, `${base}/_app/remote/1a2b/name`, [["x-sveltekit-pathname", "/a/../admin"]]);
  refused(site, `${base}/a?/remote=1a2b//name`, undefined, "POST");
  refused(site, `${base}/a?/remote=1a2b%2F..%2Fname`, undefined, "POST");
  refused(site, `${base}/a?/remote=1a2b/%2561`, undefined, "POST");
}
read("kit below", "/a/__data.json", ["/a/__data.json"]);
read("kit", "/shop/_app/remote/1a2b/name", ["/shop/_app/remote/1a2b/name", "/_app/remote/1a2b/name"]);
for (const target of ["/_app/remote/a/b/_app/remote/c/d", "/__data.json/_app/remote/a/_app/remote/x"]) refused("kit", target);

begin("react-router");
for (const site of ["router", "router below"]) {
  const base = site === "router" ? "" : "/shop";
  read(site, `${base}/a.data`, ["/a"]);
  read(site, `${base}/a/b.data?_routes=routes%2Fa`, ["/a/b"]);
  read(site, `${base}/a.data?index`, ["/a"], undefined, "POST");
  read(site, `${base}/a?index`, ["/a"], undefined, "POST");
  read(site, `${base}/_root.data`, ["/"]);
  read(site, `${base}/_.data`, ["/"]);
  read(site, `${base}/a/_.data`, ["/a", "/a/_"]);
  read(site, `${base}/a/_root.data`, ["/a/_root"]);
  read(site, `${base}/a/.data`, ["/a"]);
  plain(site, `${base}/a.dat%61`, `${base}/a.data`, { readings: ["/a"] });
  read(site, `${base}/a.data/`, ["/a.data"]);
  read(site, `${base}/a.DATA`, ["/a.DATA"]);
  read(site, `${base}/a/__data.json`, ["/a/__data.json"]);
  read(site, `${base}/__manifest?paths=%2Fa`, ["/__manifest"]);
  read(site, `${base}/a.rsc`, ["/a.rsc", "/a"]);
  read(site, `${base}/a`, ["/a", "/_actions/1a2b/save"], [["rsc-action-id", "1a2b#save"]], "POST");
  read(site, `${base}/a`, ["/a"], [["rsc-action-id", "1a2b#save"]]);
  read(site, `${base}/a`, ["/a", "/_actions/x", "/_actions/y"], [["rsc-action-id", "x"], ["Rsc-Action-Id", "y"]], "POST");
  refused(site, `${base}/a`, [["rsc-action-id", "1a2b##save"]], "POST");
  for (const target of ["/...data", "/a/..data", "/a/...data"]) refused(site, base + target);
}
read("router below", "/a.data", ["/a.data"]);

begin("nuxt");
for (const site of ["nuxt", "nuxt below"]) {
  const base = site === "nuxt" ? "" : "/shop";
  read(site, `${base}/a/_payload.json`, ["/a"]);
  read(site, `${base}/a/_payload.json?1a2b`, ["/a"]);
  read(site, `${base}/a/_payload.js`, ["/a"]);
  read(site, `${base}/_payload.json`, ["/"]);
  read(site, `${base}/a/_payload.json/`, ["/a/_payload.json"]);
  read(site, `${base}/a/__data.json`, ["/a/__data.json"]);
  read(site, `${base}/__nuxt_island/Card_1a2b.json?props=%7B%7D`, ["/__nuxt_island/Card_1a2b.json"]);
  read(site, `${base}/_nuxt/entry.js`, ["/_nuxt/entry.js"]);
}
read("nuxt", "/_ipx/w_200&f_webp/photos/a.png", ["/_ipx/w_200&f_webp/photos/a.png", "/photos/a.png"]);
read("nuxt", "/_ipx/w_200", ["/_ipx/w_200"]);

begin("astro");
for (const site of ["astro", "astro below"]) {
  const base = site === "astro" ? "" : "/shop";
  read(site, `${base}/a?_action=save`, ["/a", "/_actions/save"], undefined, "POST");
  read(site, `${base}/?_action=blog.like`, ["/", "/_actions/blog.like"], undefined, "POST");
  read(site, `${base}/a?_astroAction=save`, ["/a", "/_actions/save"], undefined, "POST");
  read(site, `${base}/a?%5Faction=s%61ve`, ["/a", "/_actions/save"], undefined, "POST");
  read(site, `${base}/a?x=1&_action=one&_action=two`, ["/a", "/_actions/one", "/_actions/two"], undefined, "POST");
  read(site, `${base}/a?_action=my+action`, ["/a", "/_actions/my action"], undefined, "DELETE");
  // Nothing is called by looking: the name stays in the address bar.
  for (const method of ["GET", "HEAD", "OPTIONS"]) read(site, `${base}/a?_action=save`, ["/a"], undefined, method);
  read(site, `${base}/a?_action=`, ["/a"], undefined, "POST");
  read(site, `${base}/a?_Action=save`, ["/a"], undefined, "POST");
  read(site, `${base}/a?x_action=save`, ["/a"], undefined, "POST");
  read(site, `${base}/a?/remote=1/2`, ["/a"], undefined, "POST");
  read(site, `${base}/_actions/save`, ["/_actions/save"], undefined, "POST");
  read(site, `${base}/_actions/save/`, ["/_actions/save"], undefined, "POST");
  read(site, `${base}/_server-islands/Card?e=1`, ["/_server-islands/Card"]);
  read(site, `${base}/_image?href=%2Fprivate%2Fa.png&w=1`, ["/_image", "/private/a.png"]);
  read(site, `${base}/_image?href=https%3A%2F%2Fcdn.example%2Fa.png`, ["/_image"]);
  // Decoded twice there.
  refused(site, `${base}/a?_action=%2573ave`, undefined, "POST");
  refused(site, `${base}/a?_action=%zz`, undefined, "POST");
  refused(site, `${base}/a?_action=..`, undefined, "POST");
  // The last counts there.
  refused(site, `${base}/_actions/open/_actions/save`, undefined, "POST");
  refused(site, `${base}/_image?href=%2Fa.png&href=%2Fb.png`);
}
read("astro", "/a?_action=save", ["/a", "/_actions/save"], [["origin", "https://app.example.com"], ["access-control-request-method", "POST"]], "OPTIONS");
read("astro", "/shop/_actions/save", ["/shop/_actions/save", "/_actions/save"], undefined, "POST");

begin("tanstack-start");
read("start", "/_serverFn/1a2b", ["/_serverFn/1a2b"], undefined, "POST");
read("start", "/_serverFn/1a2b?payload=%7B%7D&createServerFn", ["/_serverFn/1a2b"]);
read("start", "/_serverFn/1a2b/x", ["/_serverFn/1a2b/x", "/_serverFn/1a2b"]);
read("start", "/shop/_serverFn/1a2b/x", ["/shop/_serverFn/1a2b/x", "/_serverFn/1a2b"]);
read("start", "/_serverFn", ["/_serverFn"]);
read("start", "/_serverFns/x", ["/_serverFns/x"]);
refused("start", "/_serverFn/open/_serverFn/secret");

begin("functions");
// Nobody says which framework it is: it may be any.
for (const site of ["any", "none"]) {
  read(site, "/a?_action=save", ["/a", "/_actions/save"], undefined, "POST");
  read(site, "/a?/remote=1a2b/name", ["/a", "/_app/remote/1a2b/name"], undefined, "POST");
  read(site, "/a?qfunc=1a2b", ["/a", "/_actions/1a2b"], undefined, "POST");
  read(site, "/a", ["/a", "/_actions/1a2b/save"], [["rsc-action-id", "1a2b#save"]], "POST");
  read(site, "/_server", ["/_server", "/_actions/file/1"], [["x-server-id", "file#1"]], "POST");
  read(site, "/a?_action=save", ["/a"]);
  read(site, "/x/_actions/save", ["/x/_actions/save", "/_actions/save"], undefined, "POST");
  read(site, "/x/_app/remote/1a2b/name/arg", ["/x/_app/remote/1a2b/name/arg", "/_app/remote/1a2b/name"]);
  read(site, "/_serverFn/1a2b/x", ["/_serverFn/1a2b/x", "/_serverFn/1a2b"]);
  read(site, "/x/__nuxt_island/A_1.json", ["/x/__nuxt_island/A_1.json", "/__nuxt_island/A_1.json"]);
  read(site, "/a/__data.json", ["/a/__data.json"]);
  read(site, "/_root.data", ["/_root.data"]);
  refused(site, "/_actions/open/_serverFn/secret");
}
// Next's own action runs for the page that has it, or is sent there.
read("next", "/a", ["/a"], [["next-action", "7f00"]], "POST");
read("next", "/a?_action=save", ["/a"], undefined, "POST");
read("next", "/_actions/save", ["/_actions/save"]);
read("any", "/cdn-cgi/image/width=80,quality=75/private/a.png", ["/cdn-cgi/image/width=80,quality=75/private/a.png", "/private/a.png"]);
read("any", "/cdn-cgi/image/width=80", ["/cdn-cgi/image/width=80"]);
read("shop", "/cdn-cgi/image/width=80/shop/a.png", ["/cdn-cgi/image/width=80/shop/a.png", "/a.png"]);
refused("any", "/cdn-cgi/image/a/cdn-cgi/image/b/c.png");
refused("any", "/cdn-cgi/image/width=80/https://cdn.example/a.png");
read("any", "/.netlify/images?url=%2Fprivate%2Fa.png&w=1", ["/.netlify/images", "/private/a.png"]);

const folder = new URL("path/", import.meta.url);
mkdirSync(folder, { recursive: true });
let count = 0;
for (const [name, cases] of Object.entries(families)) {
  const seen = new Set();
  const distinct = cases.filter((one) => !seen.has(JSON.stringify(one)) && seen.add(JSON.stringify(one)));
  const used = Object.fromEntries(Object.entries(sites).filter(([site]) => distinct.some((one) => one.site === site)));
  count += distinct.length;
  const lines = distinct.map((one) => `    ${JSON.stringify(one)}`).join(",\n");
  writeFileSync(new URL(`${name}.json`, folder), `{\n  "sites": ${JSON.stringify(used)},\n  "cases": [\n${lines}\n  ]\n}\n`);
}
console.log(`${count} paths in ${Object.keys(families).length} families`);
