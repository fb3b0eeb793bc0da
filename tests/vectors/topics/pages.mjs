// The gate's own pages: what each says, where it leads, and the policy that a browser holds it to.

import { createHash } from "node:crypto";

import { NOW_S, OLD_SECRET, SITE, TOKEN, bearer, betterAuth, claims, goodData, jwtIssuer, page, reject, send, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { jwt, signedCookie } from "../mint.mjs";

const open = [{ path: "/sign-in", access: "public" }, { path: "/admin", access: "required", roles: "admin" }, { path: "/api/**", methods: ["GET"], access: "required" }];
const rules = [...open, { path: "/app/**", access: "required" }, { path: "/", access: "required" }];
const acme = { name: "Acme", accent: "#0a7", home: "/start" };

export const policies = {
  plain: betterAuth({}, { sign_in: undefined, rules }),
  "sign-in": betterAuth({}, { rules }),
  acme: betterAuth({}, { rules, pages: acme, docs_url: "https://example.com/reasons#" }),
  sons: betterAuth({}, { sign_in: undefined, rules, pages: { name: "<Acme> & \"Sons\"", accent: "#AA0033" } }),
  base: betterAuth({}, { sign_in: undefined, rules, framework: { name: "next", base_path: "/docs" } }),
  loop: betterAuth({}, { rules: [{ path: "/**", access: "required" }] }),
  keys: jwtIssuer({ jwks: undefined, jwks_url: "https://issuer.example/jwks" }),
};

const style = (button = "background:CanvasText;color:Canvas") =>
  [
    ":root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}",
    "body{max-width:32rem;margin:15vh auto;padding:0 1.5rem;overflow-wrap:anywhere}",
    "h1{line-height:1.2}",
    "nav{display:flex;flex-wrap:wrap;gap:1.5rem;align-items:center;margin:2rem 0}",
    "a{color:inherit}",
    "a:focus-visible{outline:3px solid CanvasText;outline-offset:3px}",
    `nav a:first-child{padding:.6rem 1.2rem;border-radius:.5rem;text-decoration:none;${button}}`,
    "footer{font-size:.875rem}",
  ].join("");

/** The response with this page; `name` is HTML. */
function shown({ title, text, links, code, name, button }) {
  const css = style(button);
  const hash = createHash("sha256").update(css).digest("base64");
  const ways = links.map(([target, label]) => `<a href="${target}">${label}</a>`).join("");
  return {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`,
    },
    body:
      '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">' +
      `<meta name="robots" content="noindex"><title>${title}${name ? ` · ${name}` : ""}</title><style>${css}</style></head><body><main>` +
      `${name ? `<header><b>${name}</b></header>` : ""}<h1>${title}</h1><p>${text}</p><nav>${ways}</nav><footer>Code: ${code}</footer></main></body></html>\n`,
  };
}

const ofAcme = { name: "Acme", button: "background:#0a7;color:#000" };
const documented = (code) => `<a href="https://example.com/reasons#${code}">${code}</a>`;
const home = ["/", "Home page"];
const again = ["", "Try again"];
const CHECK = "Check the address, or start again from the home page.";
const LINK = { title: "This link does not work", text: CHECK };
const SIGN_IN = { title: "Please sign in", text: "You have to be signed in to see this page." };
const SIGN_IN_AGAIN = { title: "Please sign in again", text: "You have to be signed in to see this page." };
const LOOP = {
  title: "Sign-in did not work",
  text:
    "This site still cannot tell who you are. Allow cookies for it in your browser, then sign in again. If that does not help, please tell the " +
    "people who run this site.",
};
const NO_ACCESS = {
  title: "You do not have access",
  text: "Your account may not open this page. Use another account, or ask the people who run this site for access.",
};
const BLOCKED = { title: "This request was blocked", text: "It came from another site. Open the page on this site and try again." };
const NOT_HERE = { title: "This page is not available", text: CHECK };
const UNAVAILABLE = {
  title: "Temporarily unavailable",
  text: "Your sign-in cannot be checked at the moment. You have not been signed out. Please try again in a few seconds.",
};

const session = sessionCookies(goodData());
const forged = sessionCookies(undefined, signedCookie(TOKEN, OLD_SECRET));
const back = ["referer", `${SITE}/sign-in?callbackURL=%2Fapp%2Fx&attempt=2`];
const role = { effects: ["session"], results: [sessionAnswer()] };
const token = await jwt("ES256", "p256", claims({ exp: NOW_S + 60 }), { kid: "p256" });
const form = send("POST", "/app/x", ["sec-fetch-mode", "navigate"], ["origin", "https://evil.example"], session);

const shows = (name, policyName, head, reason, expected, { also, ...more } = {}) =>
  vector(name, policyName, head, reject(reason), { ...more, also: { ...shown({ code: reason, ...expected }), ...also } });

export const cases = [
  shows("an address that is not plain", "plain", page("/app//x"), "path_refused", { ...LINK, links: [home] }),
  shows("an address that is not plain, of a site with a name", "acme", page("/app//x"), "path_refused", { ...LINK, ...ofAcme, code: documented("path_refused"), links: [["/start", "Home page"]] }),
  shows("no session, and there is no sign-in page", "plain", page("/app/x?secret=1"), "no_credential", { ...SIGN_IN, links: [home, again] }),
  shows("the home page does not lead to itself", "plain", page("/"), "no_credential", { ...SIGN_IN, links: [again] }),
  shows("a session that does not count, and there is no sign-in page", "plain", page("/app/x", forged), "signature_invalid", { ...SIGN_IN_AGAIN, links: [home, again] }),
  shows("the home page of a site below a base path", "base", page("/app/x"), "no_credential", { ...SIGN_IN, links: [["/docs", "Home page"], again] }),
  shows("the name of a site is text", "sons", page("/app/x"), "no_credential", {
    ...SIGN_IN, links: [home, again], name: "&lt;Acme&gt; &amp; &quot;Sons&quot;", button: "background:#AA0033;color:#fff",
  }),
  shows("a redirect loop", "sign-in", page("/app/x", back), "redirect_loop", { ...LOOP, code: "redirect_loop (no_credential)", links: [["/sign-in", "Sign in"], home] }),
  shows("a redirect loop of a site with a name", "acme", page("/app/x", back, forged), "redirect_loop", {
    ...LOOP, ...ofAcme, code: `${documented("redirect_loop")} (signature_invalid)`, links: [["/sign-in", "Sign in"], ["/start", "Home page"]],
  }),
  shows("a redirect loop at the sign-in page does not lead there", "loop", page("/sign-in"), "redirect_loop", { ...LOOP, code: "redirect_loop (no_credential)", links: [home] }),
  shows("an account without the role", "sign-in", page("/admin", session), "forbidden", { ...NO_ACCESS, links: [home, ["/sign-in", "Sign in with another account"]] }, role),
  shows("an account without the role, and there is no sign-in page", "plain", page("/admin", session), "forbidden", { ...NO_ACCESS, links: [home] }, role),
  shows("a page that no rule matches", "plain", page("/other"), "route_denied", { ...NOT_HERE, links: [home] }),
  shows("a form of another site", "plain", form, "cross_site_request", { ...BLOCKED, links: [home] }),
  shows("the auth service does not answer", "sign-in", page("/app/x", sessionCookies()), "session_unavailable", { ...UNAVAILABLE, links: [again] }, { effects: ["session"] }),
  shows("the auth service does not answer, of a site with a name", "acme", page("/app/x", sessionCookies()), "session_unavailable", {
    ...UNAVAILABLE, ...ofAcme, code: documented("session_unavailable"), links: [again],
  }, { effects: ["session"] }),
  shows("the key set does not answer", "keys", page("/app", bearer(token)), "keys_unavailable", { ...UNAVAILABLE, links: [again] }, { effects: ["keys"] }),
  shows("the head of a page has its headers alone", "plain", { ...page("/app/x"), method: "HEAD" }, "no_credential", { ...SIGN_IN, links: [home, again] }, { also: { body: "" } }),
  shows("a page for another method leads to the same", "plain", send("DELETE", "/app/x", ["sec-fetch-mode", "navigate"], ["origin", SITE]), "no_credential", { ...SIGN_IN, links: [home, again] }),
];
