// Two faults at once: the one that a request meets first is named first.

import { jwt } from "better-auth/plugins/jwt";

import { answering, header, OTHER_SECRET, SECRET, SITE } from "../lab.mjs";

export default [
  {
    name: "another secret, and a prefix of its own",
    cause: "cookie-name-differs",
    certainty: "proof",
    also: ["secret-differs"],
    start: (lab) =>
      lab.serve(lab.service({ secret: OTHER_SECRET, advanced: { cookiePrefix: "acme" } }), {
        config: { extends: "better-auth" },
      }),
  },
  {
    name: "a line end in the secret, behind a proxy that removes Cookie",
    cause: "cookie-header-stripped",
    certainty: "proof",
    also: ["secret-whitespace"],
    start: async (lab) => {
      const service = lab.service({ secret: `${SECRET}\n` });
      return lab.serve(service, {
        handler: await lab.proxy(service.handler, { request: (headers) => void delete headers.cookie }),
      });
    },
  },
  {
    name: "another secret, and the database is emptied: a pasted cookie",
    cause: "secret-differs",
    certainty: "proof",
    also: ["store-hidden-by-cache"],
    start: async (lab) => {
      const before = lab.service({ secret: OTHER_SECRET });
      const { jar } = await lab.signedUp(before);
      return lab.serve(lab.service({ secret: OTHER_SECRET }), { cookie: header(jar) });
    },
  },
  {
    name: "http base URL, and a line end in the secret",
    cause: "http-base-url-behind-tls",
    certainty: "proof",
    also: ["secret-whitespace"],
    start: (lab) => lab.serve(lab.service({ baseURL: "http://app.example.com", secret: `${SECRET}\n` })),
  },
  {
    name: "a foreign Domain, and another secret",
    cause: "cookie-domain-foreign",
    certainty: "proof",
    also: ["secret-differs"],
    start: (lab) =>
      lab.serve(
        lab.service({
          secret: OTHER_SECRET,
          advanced: { crossSubDomainCookies: { enabled: true, domain: "other.example" } },
        }),
      ),
  },
  {
    name: "Set-Cookie is removed, and the key set is a page",
    cause: "set-cookie-stripped",
    certainty: "proof",
    also: ["jwks-not-json"],
    start: async (lab) => {
      const service = lab.service();
      const fault = {
        request: answering(200, { "content-type": "text/html" }, "<!doctype html>", (req) =>
          req.url.startsWith("/api/auth/jwks"),
        ),
        response: ({ headers }) => void delete headers["set-cookie"],
      };
      return lab.serve(service, { handler: await lab.proxy(service.handler, fault) });
    },
  },
  {
    name: "the gate has another secret, and so has this side",
    cause: "secret-differs",
    certainty: "proof",
    also: ["gate-secret-differs"],
    start: async (lab) => {
      const service = lab.service({ secret: OTHER_SECRET });
      return lab.serve(service, { handler: await lab.gate(service), flags: ["--gate", "/app"] });
    },
  },
  {
    name: "another base path, and another secret",
    cause: "base-path-differs",
    certainty: "proof",
    also: ["secret-differs"],
    start: (lab) => lab.serve(lab.service({ basePath: "/auth", secret: OTHER_SECRET })),
  },
  {
    name: "the origin is not trusted, and the cookie has no Domain",
    cause: "origin-not-trusted",
    certainty: "proof",
    also: ["host-only-cookie", "cors-missing"],
    or: ["host-only-cookie"],
    start: (lab) =>
      lab.serve(lab.service({}, { site: "https://auth.example.com" }), {
        flags: ["--app", SITE],
        env: { BETTER_AUTH_URL: "https://auth.example.com" },
      }),
  },
  {
    name: "a cache before /get-session, and another secret",
    cause: "get-session-cached",
    certainty: "proof",
    also: ["secret-differs"],
    start: async (lab) => {
      const service = lab.service({ secret: OTHER_SECRET });
      const request = answering(
        200,
        { "content-type": "application/json", age: "40", "x-cache": "Hit from cloudfront" },
        "null",
        (req) => req.url.startsWith("/api/auth/get-session"),
      );
      return lab.serve(service, { handler: await lab.proxy(service.handler, { request }) });
    },
  },

  {
    name: "aud is another, and iss has a slash at its end",
    cause: "issuer-trailing-slash",
    certainty: "proof",
    also: ["audience-differs"],
    start: (lab) =>
      lab.serve(lab.service({ plugins: [jwt({ jwt: { issuer: `${SITE}/`, audience: "notes-api" } })] }), {
        flags: ["--deep"],
      }),
  },
  {
    name: "another secret, and no jwt plugin for the API",
    cause: "jwt-plugin-missing",
    certainty: "proof",
    also: ["secret-differs"],
    or: ["secret-differs"],
    start: (lab) =>
      lab.serve(lab.service({ plugins: [], secret: OTHER_SECRET }), { env: { BETTER_AUTH_ISSUER: SITE } }),
  },
  {
    name: "the origin is not trusted, and the secret is in quotes",
    cause: "origin-not-trusted",
    certainty: "proof",
    also: ["secret-quoted"],
    start: (lab) =>
      lab.serve(lab.service({ secret: `"${SECRET}"` }), { flags: ["--app", "https://other.example.com"] }),
  },
  {
    name: "the gate has another secret, and the key set is empty",
    cause: "jwks-empty",
    certainty: "proof",
    also: ["gate-secret-differs"],
    or: ["gate-secret-differs"],
    start: async (lab) => {
      const service = lab.service();
      const empty = answering(200, { "content-type": "application/json" }, '{"keys":[]}', (req) =>
        req.url.startsWith("/api/auth/jwks"),
      );
      const handler = await lab.gate(service, { env: { BETTER_AUTH_SECRET: OTHER_SECRET } });
      return lab.serve(service, { handler: await lab.proxy(handler, { request: empty }), flags: ["--gate", "/app"] });
    },
  },
];
