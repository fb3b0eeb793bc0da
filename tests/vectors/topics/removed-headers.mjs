// What must not reach an origin besides our own names: headers of proxies that hold a path or a user's name, and the session's
// further cookies.

import { SECRET, ada, api, betterAuth, forward, goodData, sessionCookies, vector } from "../cases.mjs";
import { signedCookie } from "../mint.mjs";

const DONT_REMEMBER = "__Secure-better-auth.dont_remember";
const rules = [
  { path: "/elsewhere/**", access: "required", upstream: "https://api.example.com" },
  { path: "/removed/**", access: "required", credential: "remove" },
  { path: "/kept/**", access: "required", credential: "keep" },
];

export const policies = { site: betterAuth({}, { rules, sign_in: null }) };

const session = sessionCookies(goodData());
const remembered = [session[0], `${session[1]}; ${DONT_REMEMBER}=${signedCookie("true", SECRET)}; theme=dark`];
const said = (name, value, is_removed) =>
  vector(`${name}: ${value}`, "site", api("/kept/x", session, [name, value]), forward(ada(), { removed: is_removed ? [name] : [] }));

export const cases = [
  // A URL parser takes what stands before `@` for a user, and what follows for the host.
  said("x-forwarded-host", "app.example.com@evil.example", true),
  said("X-Forwarded-Host", "user:secret@app.example.com", true),
  said("x_forwarded_host", "a@b", true),
  said("x-forwarded-server", "a@b", true),
  said("x-forwarded-port", "443@evil.example", true),
  said("forwarded", "host=\"app.example.com@evil.example\"", true),
  said("x-forwarded-host", "app.example.com\\admin", true),
  said("x-forwarded-host", "app.example.com#admin", true),
  said("x-forwarded-host", "app.example.com:443", false),
  said("x-forwarded-host", "[2001:db8::1]:8443", false),

  vector("dont_remember goes with the session's other cookies to no other origin", "site", api("/elsewhere/x", remembered), forward({ ...ada(), cookie: "theme=dark" }, { removed: ["cookie"], upstream: "https://api.example.com" })),
  vector("dont_remember is removed with the session's other cookies", "site", api("/removed/x", remembered), forward({ ...ada(), cookie: "theme=dark" }, { removed: ["cookie"] })),
  vector("dont_remember stays where all stays", "site", api("/kept/x", remembered), forward(ada(), { removed: [] })),
];
