// Forms of frameworks: a page's data is the page, and a function that any page can call is a thing of its own, which no rule makes public
// that does not name it. Read in the sources of the frameworks that `src/http/path/framework.rs` names.

import { SITE, ada, api, betterAuth, forward, goodData, page, redirect, reject, send, sessionAnswer, sessionCookies, vector } from "../cases.mjs";

const rulesOf = (framework) => [
  // What is public to the visitors of SvelteKit is no prefix of anything to others.
  { path: ["/", "/about", "/login", "/docs/**", ...(["sveltekit", "none"].includes(framework?.name ?? framework ?? "none") ? ["/_app/**"] : [])], access: "public" },
  { path: ["/_actions/newsletter", "/_app/remote/pub1/**", "/_serverFn/who", "/__nuxt_island/Clock_1.json", "/_server-islands/Clock"], access: "public" },
  { path: ["/_actions/admin.delete", "/_app/remote/adm1/drop", "/_serverFn/drop"], access: "required", roles: "admin" },
  { path: "/**", access: "required" },
];
const site = (framework) => betterAuth({}, { rules: rulesOf(framework), ...(framework !== undefined && { framework }) });
const open = (framework) => betterAuth({}, { framework, rules: [{ path: "/admin/**", access: "required" }, { path: "/**", access: "public" }] });

export const policies = {
  unknown: site(),
  none: site("none"),
  next: site("next"),
  kit: site("sveltekit"),
  "kit below": site({ name: "sveltekit", base_path: "/shop" }),
  router: site("react-router"),
  nuxt: site("nuxt"),
  astro: site("astro"),
  start: site("tanstack-start"),
  "astro open": open("astro"),
  "kit open": open("sveltekit"),
  "kit optional": betterAuth({}, { framework: "sveltekit", rules: [{ path: "/**", access: "optional" }] }),
  "start wild": betterAuth({}, { framework: "tanstack-start", rules: [{ path: ["/*/**", "/:any/x"], access: "public" }, { path: "/**", access: "required" }] }),
};

const session = sessionCookies(goodData());
const here = ["origin", SITE];
const missing = reject("no_credential");
const denied = reject("route_denied");
const data = (name, policyName, target, expected, ...headers) => vector(name, policyName, api(target, ...headers), expected);
/** By a user who does not meet the requirement, as the auth service says now. */
const without = (name, policyName, target) =>
  vector(name, policyName, send("POST", target, here, session), reject("forbidden"), { effects: ["session"], results: [sessionAnswer()] });
const call = (name, policyName, target, expected, ...headers) => vector(name, policyName, send("POST", target, here, ...headers), expected);

export const cases = [
  // Astro: an action by the query of any page.
  call("astro: an action by the query of a public page", "astro", "/?_action=save", missing),
  call("astro: an action by the query of another public page", "astro", "/docs/a/b?_action=save", missing),
  call("astro: an action by the query, with a session", "astro", "/?_action=save", forward(ada()), session),
  call("astro: an action that a rule makes public", "astro", "/?_action=newsletter", forward()),
  call("astro: an action that a rule makes public, from a page that is not", "astro", "/app?_action=newsletter", missing),
  without("astro: an action that asks for a role", "astro", "/?_action=admin.delete"),
  without("astro: an action that asks for a role, by its path", "astro", "/_actions/admin.delete"),
  call("astro: an action by its path", "astro", "/_actions/save", missing),
  call("astro: a public action by its path", "astro", "/_actions/newsletter", forward()),
  call("astro: the second of two actions", "astro", "/?_action=newsletter&_action=save", missing),
  call("astro: an action whose name is written otherwise", "astro", "/?%5Faction=%73ave", missing),
  call("astro: an action whose name is decoded twice there", "astro", "/?_action=%2573ave", reject("path_refused")),
  call("astro: an action behind a public one", "astro", "/_actions/newsletter/_actions/save", reject("path_refused")),
  call("astro: a page that takes forms itself", "astro", "/login", forward()),
  data("astro: the page that an action was sent to is a page", "astro", "/?_action=save", forward()),
  data("astro: an island", "astro", "/_server-islands/Secret?e=1", missing),
  data("astro: a public island", "astro", "/_server-islands/Clock?e=1", forward()),
  vector("astro: a form without a session is sent to sign in", "astro", { ...page("/?_action=save", here), method: "POST" }, redirect("no_credential", "/sign-in", 303)),
  call("astro: what makes all public names no action", "astro open", "/_actions/save", denied),
  call("astro: nor by the query", "astro open", "/?_action=save", denied),
  call("astro: but the page", "astro open", "/", forward()),
  vector("a preflight for an action is the action's", "astro open", send("OPTIONS", "/?_action=save", here, ["access-control-request-method", "POST"]), denied),

  // SvelteKit: remote functions below what people make public, and by the query of any page.
  data("kit: a remote function below a public prefix", "kit", "/_app/remote/1a2b/secret", missing),
  call("kit: a remote command below a public prefix", "kit", "/_app/remote/1a2b/secret", missing),
  data("kit: a remote function, with a session", "kit", "/_app/remote/1a2b/secret?payload=W10", forward(ada()), session),
  data("kit: what else is below that prefix", "kit", "/_app/immutable/entry.js", forward()),
  data("kit: a public remote function", "kit", "/_app/remote/pub1/now", forward()),
  data("kit: a public remote function with an argument", "kit", "/_app/remote/pub1/now/W10", forward()),
  data("kit: a public remote function that says from which page it is called", "kit", "/_app/remote/pub1/now", forward(), ["x-sveltekit-pathname", "/about"]),
  data("kit: a public remote function that says that it is called from a page that is not public", "kit", "/_app/remote/pub1/now", missing, ["x-sveltekit-pathname", "/app"]),
  without("kit: a remote function that asks for a role", "kit", "/_app/remote/adm1/drop"),
  without("kit: a remote function that asks for a role, with an argument", "kit", "/_app/remote/adm1/drop/W10"),
  call("kit: a remote form by the query of a public page", "kit", "/?/remote=1a2b/secret", missing),
  call("kit: a remote form by the query, with its key", "kit", "/about?%2Fremote=1a2b%2Fsecret%2F%22k%22", missing),
  without("kit: a remote form that asks for a role, by the query", "kit", "/?/remote=adm1/drop/1"),
  call("kit: a public remote form by the query", "kit", "/?/remote=pub1/subscribe", forward()),
  call("kit: the form action of a public page is its own", "kit", "/login?/login", forward()),
  call("kit: the form action of a page that is not public", "kit", "/app?/save", missing),
  call("kit: the form action of a page, by a script", "kit", "/app?/save", missing, ["x-sveltekit-action", "true"]),
  data("kit: the data of a public page", "kit", "/about/__data.json?x-sveltekit-invalidated=01", forward()),
  data("kit: the data of the public root", "kit", "/__data.json", forward()),
  data("kit: the route of a public page", "kit", "/about/__route.js", forward()),
  data("kit: the data of a page that is not public", "kit", "/app/__data.json", missing),
  data("kit: the data of a page that is not public, below public ones", "kit", "/docs.html__data.json", missing),
  data("kit: data with a slash at its end is a page", "kit", "/about/__data.json/", missing),
  vector("kit: data that is not public is a payload", "kit", page("/app/__data.json"), missing, { also: { headers: { "content-type": "application/problem+json" } } }),
  data("kit: the data of a public page below a base path", "kit below", "/shop/about/__data.json", forward()),
  data("kit: a remote function below a base path", "kit below", "/shop/_app/remote/1a2b/secret", missing),
  data("kit: outside of the base path nothing is known", "kit below", "/about/__data.json", missing),
  data("kit: what makes all public names no remote function", "kit open", "/_app/remote/1a2b/secret", denied),
  data("kit: a remote function under an optional rule", "kit optional", "/_app/remote/1a2b/secret", forward()),

  // React Router.
  data("router: the data of a public page", "router", "/about.data?_routes=routes%2Fabout", forward()),
  data("router: the data of the public root, of 7", "router", "/_root.data", forward()),
  data("router: the data of the public root, of 8", "router", "/_.data", forward()),
  data("router: the data of a page that is not public", "router", "/app.data", missing),
  data("router: the data of a page that is not public, with its slash", "router", "/app/_.data", missing),
  call("router: the action of a public page by its data", "router", "/login.data?index", forward()),
  call("router: the action of a page that is not public", "router", "/app.data", missing),
  call("router: a server action that a public page is the way to", "router", "/about", missing, ["rsc-action-id", "1a2b#drop"]),
  data("router: what lists the routes is not public by itself", "router", "/__manifest?paths=%2F", missing),

  // Nuxt.
  data("nuxt: the data of a public page", "nuxt", "/about/_payload.json?1a2b", forward()),
  data("nuxt: the data of the public root", "nuxt", "/_payload.json", forward()),
  data("nuxt: the data of a page that is not public", "nuxt", "/app/_payload.json", missing),
  data("nuxt: an island", "nuxt", "/__nuxt_island/Secret_1.json?props=%7B%7D", missing),
  data("nuxt: a public island", "nuxt", "/__nuxt_island/Clock_1.json", forward()),
  data("nuxt: a picture that is not public, made smaller", "nuxt", "/_ipx/w_20/private/a.png", missing),

  // TanStack Start.
  call("start: a function", "start", "/_serverFn/secret", missing),
  call("start: a public function", "start", "/_serverFn/who", forward()),
  data("start: a function behind a public one's name", "start", "/_serverFn/secret/who", missing),
  without("start: a function that asks for a role", "start", "/_serverFn/drop"),
  call("start: a placeholder names no function", "start wild", "/_serverFn/x", missing),
  data("start: a placeholder names other things", "start wild", "/assets/x", forward()),

  // No framework is configured: it may be any of them.
  ...["unknown", "none"].flatMap((name) => [
    call(`${name}: an action by the query of a public page`, name, "/?_action=save", missing),
    call(`${name}: a remote form by the query of a public page`, name, "/?/remote=1a2b/secret", missing),
    call(`${name}: a server action by a header`, name, "/", missing, ["rsc-action-id", "1a2b"]),
    data(`${name}: a remote function below a public prefix`, name, "/_app/remote/1a2b/secret", missing),
    data(`${name}: a remote function below a public prefix of a base path`, name, "/docs/_app/remote/1a2b/secret", missing),
    call(`${name}: a public action by the query`, name, "/?_action=newsletter", forward()),
    data(`${name}: a page's data is also a path like another`, name, "/about/__data.json", missing),
    data(`${name}: a query names no action by looking`, name, "/?_action=save", forward()),
  ]),
  call("next: its action is the page's that it is sent to", "next", "/login", forward(), ["next-action", "7f00"]),
  call("next: other frameworks' ways are not its own", "next", "/?_action=save", forward()),
];
