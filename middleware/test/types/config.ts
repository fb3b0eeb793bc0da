// What TypeScript says of a configuration that is written where it is used. Each line below a
// `@ts-expect-error` has to be an error, and no other line may be one: test/config.test.js runs tsc.

import { type Config, createGate } from "../../gate.js";
import { gate } from "../../next.js";
import { createProxy, middleware } from "../../node.js";

createGate({ config: { extends: "better-auth", public: ["/", "/pricing"], require: { "/admin/**": { roles: "admin" } } } });
gate({
  config: {
    $schema: "./node_modules/doorward/doorward.schema.json",
    issuers: [
      { type: "better-auth", url: { env: "BETTER_AUTH_URL" }, secret: { env: ["A", "B"], optional: true }, cookie_cache: "jwt" },
      { type: "jwt", issuer: "https://issuer.example", audience: null, authorized_parties: "web", jwks_url: "https://issuer.example/jwks" },
    ],
    rules: [
      { path: ["/a", "/b/**"], access: "optional", methods: "GET", claims: { plan: { any: ["pro", 2, true] } } },
      { path: "/api/**", access: "required", upstream: "https://api.example.com", token_exchange: { audience: "api" } },
    ],
    framework: { name: "next", base_path: "/docs" },
    assertion: { audience: "origin", keys: [{ env: "KEY" }] },
  },
});
createProxy({ origin: "http://127.0.0.1:3000", config: { extends: "better-auth", issuers: { cookie_prefix: "shop" } } });
const kept = { extends: "auth0", require: ["/**"] } satisfies Config;
middleware({ config: kept });
middleware({ config: JSON.stringify(kept) });

gate({ signIn: "/login", public: ["/", "/pricing", "/blog/**"], require: { "/admin/**": { roles: "admin" } } });
middleware({ signIn: { path: "/login", return_parameter: "next" }, framework: "sveltekit", public: "/" });

// @ts-expect-error: a misspelt option
gate({ pubic: ["/"] });
// @ts-expect-error: the configuration's name of it
gate({ sign_in: "/login" });
// @ts-expect-error: a misspelt member of a rule in short
gate({ require: { "/admin/**": { role: "admin" } } });
// @ts-expect-error: a misspelt member
gate({ config: { extnds: "better-auth" } });
// @ts-expect-error: a preset that there is not
gate({ config: { extends: "next-auth" } });
// @ts-expect-error: a misspelt member of an issuer
gate({ config: { issuers: [{ type: "better-auth", url: "https://a.example", cookie_prefx: "x" }], public: "/" } });
// @ts-expect-error: a member of the other type
gate({ config: { issuers: [{ type: "jwt", issuer: "a", audience: "b", jwks_url: "https://a.example", cookie_prefix: "x" }] } });
// @ts-expect-error: an issuer without its URL
gate({ config: { issuers: [{ type: "better-auth" }] } });
// @ts-expect-error: a misspelt member of a rule
gate({ config: { rules: [{ path: "/", access: "required", role: "admin" }] } });
// @ts-expect-error: a word that there is not
gate({ config: { rules: [{ path: "/", access: "private" }] } });
// @ts-expect-error: an old name
gate({ config: { rules: [{ path: "/", access: "required", on_doubt: "pass" }] } });
// @ts-expect-error: a rule without its access
gate({ config: { rules: [{ path: "/" }] } });
// @ts-expect-error: a path where there is one already
gate({ config: { require: { "/a": { path: "/b" } } } });
// @ts-expect-error: a number as text
gate({ config: { auth_requests_per_second: "20" } });
// @ts-expect-error: a secret in the document
gate({ config: { assertion: { audience: "origin", secret: "0123456789abcdef" } } });
// @ts-expect-error: a bare list of roles
gate({ config: { require: { "/a": { roles: ["admin"] } } } });
// @ts-expect-error: a store by a variable
gate({ config: { deny_list: { store: { env: "STORE" } } } });
