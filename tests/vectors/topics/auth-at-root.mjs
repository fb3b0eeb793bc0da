// An auth service that answers at the root of its host (better-auth#2648): nothing is public for that, and of another host's
// paths none is its own.

import { ENV, NOW, SECRET, SESSION_TOKEN, SITE, ada, api, betterAuth, forward, page, pair, redirect, reject, sessionAnswer, sessionCookies, vector } from "../cases.mjs";
import { compact } from "../mint.mjs";

const AUTH = "https://auth.example.com";
const rules = [{ path: ["/sign-in/**", "/callback/**"], access: "public" }, { path: "/**", access: "required" }];

export const policies = {
  here: betterAuth({ base_path: "/" }, { rules }),
  elsewhere: betterAuth({ base_path: "/", url: AUTH }, { rules, sign_in: { path: "/sign-in" } }),
  port: betterAuth({ url: "https://App.example.com:443/auth" }, { rules: [{ path: "{auth}/**", access: "public" }, { path: "/**", access: "required" }] }, ENV),
};

const near = sessionCookies(compact(pair({ updatedAt: NOW - 299_000 }), NOW + 1000, SECRET));
const there = { public_origin: AUTH };
const at = (request, members) => ({ ...request, ...members });
const asked = (url, members = {}) => ({ ...sessionAnswer(), url, ...members });

export const cases = [
  vector("the root is asked at the root", "here", api("/app", sessionCookies()), forward(ada("auth-service")), { effects: ["session"], results: [asked(`${SITE}/get-session?disableCookieCache=true`, { cookies: [SESSION_TOKEN] })] }),
  vector("nothing is public but what a rule makes so", "here", api("/get-session"), reject("no_credential")),
  vector("nor is the first page", "here", page("/"), redirect("no_credential", "/sign-in?callbackURL=%2F")),
  vector("what a rule makes public is", "here", api("/callback/github"), forward()),
  vector("what goes to the service's own host it renews by itself", "here", page("/app", near), forward(ada()), { also: { alongside: [] } }),
  vector("what goes to another host the gate renews", "elsewhere", page("/app", near), forward(ada()), { results: [asked(`${AUTH}/get-session?disableCookieCache=true`)], also: { alongside: ["session"] } }),
  vector("at the service's own host it is the service's again", "elsewhere", at(page("/app", near), there), forward(ada()), { also: { alongside: [] } }),
  vector("a URL with the usual port and capitals has its path", "port", api("/auth/get-session"), forward()),
  vector("and is asked as browsers write it", "port", api("/app", sessionCookies()), forward(ada("auth-service")), { effects: ["session"], results: [asked(`${SITE}/auth/get-session?disableCookieCache=true`)] }),
];
