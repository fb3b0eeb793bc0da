// The versions of Better Auth between 1.4 and 1.7.

import { jwt as jwt15 } from "better-auth-1.5/plugins/jwt";
import { jwt as jwt16 } from "better-auth-1.6/plugins/jwt";

import { header, OTHER_SECRET, SECRET, SITE } from "../lab.mjs";

const of =
  (version, options = {}, more = {}) =>
  (lab) =>
    lab.serve(lab.service(options, { version, site: more.site }), more);

const signedIn =
  (version, options = {}, more = {}) =>
  async (lab) => {
    const service = lab.service(options, { version });
    const { jar } = await lab.signedUp(service);
    return lab.serve(service, { flags: ["--deep"], cookie: header(jar), ...more });
  };

const CACHE = (strategy) => ({ session: { cookieCache: { enabled: true, maxAge: 300, strategy } } });
const healthy = (name, start) => ({ name, cause: null, start });

export default [
  healthy("1.5, signed in", signedIn("1.5")),
  healthy("1.6, signed in", signedIn("1.6")),
  healthy("1.5, the jwe cookie cache", signedIn("1.5", CACHE("jwe"))),
  healthy("1.6, the jwt cookie cache", signedIn("1.6", CACHE("jwt"))),
  healthy(
    "1.6, no cookie cache and keys of ES256",
    signedIn("1.6", { session: {}, plugins: [jwt16({ jwks: { keyPairConfig: { alg: "ES256" } } })] }),
  ),
  healthy("1.5, behind the gate", async (lab) => {
    const service = lab.service({}, { version: "1.5" });
    const { jar } = await lab.signedUp(service);
    return lab.serve(service, { handler: await lab.gate(service), flags: ["--gate", "/app"], cookie: header(jar) });
  }),
  healthy("1.4, a large session and no jwt plugin", signedIn("1.4", { plugins: [] })),
  {
    name: "1.5, a line end in the secret",
    cause: "secret-whitespace",
    certainty: "proof",
    start: of("1.5", { secret: `${SECRET}\n` }),
  },
  {
    name: "1.6, the secret of another environment",
    cause: "secret-differs",
    certainty: "proof",
    start: of("1.6", { secret: OTHER_SECRET }),
  },
  {
    name: "1.5, no secret",
    cause: "secret-default",
    certainty: "proof",
    start: of("1.5", { secret: "better-auth-secret-12345678901234567890" }),
  },
  {
    name: "1.6, http behind TLS",
    cause: "http-base-url-behind-tls",
    certainty: "proof",
    start: of("1.6", { baseURL: "http://app.example.com" }),
  },
  {
    name: "1.5, a cookie prefix that the configuration does not know",
    cause: "cookie-name-differs",
    certainty: "proof",
    start: of("1.5", { advanced: { cookiePrefix: "acme" } }, { config: { extends: "better-auth" } }),
  },
  {
    name: "1.6, allowedHosts lacks this host",
    cause: "allowed-hosts",
    certainty: "strong",
    start: of("1.6", { baseURL: { allowedHosts: ["www.example.com"] } }),
  },
  {
    name: "1.5, a foreign Domain",
    cause: "cookie-domain-foreign",
    certainty: "proof",
    start: of("1.5", { advanced: { crossSubDomainCookies: { enabled: true, domain: "other.example" } } }),
  },
  {
    name: "1.6, aud is another",
    cause: "audience-differs",
    certainty: "proof",
    start: of("1.6", { plugins: [jwt16({ jwt: { audience: "notes-api" } })] }, { flags: ["--deep"] }),
  },
  {
    name: "1.5, iss has a slash at its end",
    cause: "issuer-trailing-slash",
    certainty: "proof",
    start: of("1.5", { plugins: [jwt15({ jwt: { issuer: `${SITE}/` } })] }, { flags: ["--deep"] }),
  },
  {
    name: "1.6, the origin is not trusted",
    cause: "origin-not-trusted",
    certainty: "proof",
    start: of("1.6", {}, { flags: ["--app", "https://other.example.com"] }),
  },
  {
    name: "1.6, a session that was deleted",
    cause: "session-not-in-store",
    certainty: "strong",
    start: async (lab) => {
      const service = lab.service({ session: {} }, { version: "1.6" });
      const { jar } = await lab.signedUp(service);
      await lab.ask(service, "/sign-out", { jar: { ...jar }, body: {} });
      return lab.serve(service, { cookie: header(jar) });
    },
  },
  {
    name: "1.5, the gate has another secret",
    cause: "gate-secret-differs",
    certainty: "proof",
    start: async (lab) => {
      const service = lab.service({}, { version: "1.5" });
      const handler = await lab.gate(service, { env: { BETTER_AUTH_SECRET: OTHER_SECRET } });
      return lab.serve(service, { handler, flags: ["--gate", "/app"] });
    },
  },
  {
    name: "1.4, the gate expects jwe and the service writes compact",
    cause: "strategy-differs",
    certainty: "proof",
    start: of("1.4", {}, { config: { extends: "better-auth", issuers: { cookie_cache: "jwe" } }, flags: ["--deep"] }),
  },
];
