// Secrets and variables that differ between the sides.

import { header, OTHER_SECRET, SECRET, SITE } from "../lab.mjs";

/** A service with that secret, while the doctor has `SECRET`. */
const serviceHas = (secret) => (lab) => lab.serve(lab.service({ secret }));

/** A service with `SECRET`, while the doctor has something else. */
const doctorHas = (env) => (lab) => lab.serve(lab.service(), { env });

/** A service with `SECRET`, while the doctor reads a file of variables. */
const fileHas = (line) => (lab) =>
  lab.serve(lab.service(), { env: { BETTER_AUTH_SECRET: undefined }, files: { ".env.local": `${line}\n` } });

const SHORT = "tooshort-5f9";

export default [
  {
    name: "the secret of another environment",
    quick: true,
    cause: "secret-differs",
    certainty: "proof",
    start: serviceHas(OTHER_SECRET),
  },
  {
    name: "the secret of another environment, at Better Auth 1.4",
    cause: "secret-differs",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service({ secret: OTHER_SECRET }, { version: "1.4" })),
  },
  {
    name: "a secret that differs in its last character",
    cause: "secret-differs",
    certainty: "proof",
    start: serviceHas(`${SECRET.slice(0, -1)}h`),
  },
  {
    name: "the service's secret ends with a line end",
    quick: true,
    packed: true,
    cause: "secret-whitespace",
    certainty: "proof",
    start: serviceHas(`${SECRET}\n`),
  },
  {
    name: "the service's secret ends with CR LF",
    cause: "secret-whitespace",
    certainty: "proof",
    start: serviceHas(`${SECRET}\r\n`),
  },
  {
    name: "the service's secret begins with a space",
    cause: "secret-whitespace",
    certainty: "proof",
    start: serviceHas(` ${SECRET}`),
  },
  {
    name: "this side's secret ends with a line end",
    cause: "secret-whitespace",
    certainty: "proof",
    start: doctorHas({ BETTER_AUTH_SECRET: `${SECRET}\n` }),
  },
  {
    name: "the service's secret is in double quotes",
    quick: true,
    cause: "secret-quoted",
    certainty: "proof",
    start: serviceHas(`"${SECRET}"`),
  },
  {
    name: "the service's secret is in single quotes",
    cause: "secret-quoted",
    certainty: "proof",
    start: serviceHas(`'${SECRET}'`),
  },
  {
    name: "this side's secret is in quotes",
    cause: "secret-quoted",
    certainty: "proof",
    start: doctorHas({ BETTER_AUTH_SECRET: `"${SECRET}"` }),
  },
  {
    name: "the service has no secret and takes the published default",
    quick: true,
    cause: "secret-default",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service({ secret: undefined })),
  },
  {
    name: "the service has no secret, and neither has this side",
    cause: "secret-default",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service({ secret: undefined }), { env: { BETTER_AUTH_SECRET: undefined } }),
  },
  {
    name: "the service still has the secret of before the rotation",
    cause: "secret-retired",
    certainty: "proof",
    start: (lab) =>
      lab.serve(lab.service({ secret: OTHER_SECRET }), {
        env: { BETTER_AUTH_SECRET: undefined, BETTER_AUTH_SECRETS: `2:${SECRET},1:${OTHER_SECRET}` },
      }),
  },
  {
    name: "a cookie of before the rotation",
    cause: "secret-retired",
    certainty: "proof",
    start: async (lab) => {
      const { jar } = await lab.signedUp(lab.service({ secret: OTHER_SECRET }));
      const secrets = [
        { version: 2, value: SECRET },
        { version: 1, value: OTHER_SECRET },
      ];
      const env = { BETTER_AUTH_SECRET: undefined, BETTER_AUTH_SECRETS: `2:${SECRET},1:${OTHER_SECRET}` };
      return lab.serve(lab.service({ secret: undefined, secrets }), { env, cookie: header(jar) });
    },
  },
  {
    name: "a secret of twelve characters on both sides",
    cause: "secret-short",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service({ secret: SHORT }), { env: { BETTER_AUTH_SECRET: SHORT } }),
  },
  {
    name: "no base URL: the service believes the host that its proxy asks for",
    cause: "url-missing",
    certainty: "strong",
    also: ["http-base-url-behind-tls"],
    or: ["http-base-url-behind-tls"],
    start: async (lab) => {
      const service = lab.service({ baseURL: undefined });
      const inner = lab.proxy(service.handler, { request: (headers) => void (headers.host = "notes-auth:3000") });
      return lab.serve(service, { handler: await inner, flags: ["--deep"] });
    },
  },
  {
    name: "the variable of the issuer has a slash that Better Auth does not write",
    cause: "trailing-slash-env",
    certainty: "proof",
    or: ["issuer-trailing-slash"],
    start: (lab) => lab.serve(lab.service(), { env: { BETTER_AUTH_ISSUER: `${SITE}/` }, flags: ["--deep"] }),
  },
  {
    name: "the gate runs without its secret",
    cause: "secret-bundled-at-build",
    certainty: "strong",
    start: async (lab) => {
      const service = lab.service();
      return lab.serve(service, {
        handler: await lab.gate(service, { env: { BETTER_AUTH_SECRET: undefined } }),
        flags: ["--gate", "/app"],
      });
    },
  },
  {
    name: "URLs in the environment name different hosts",
    cause: "url-contradiction",
    certainty: "strong",
    start: (lab) =>
      lab.serve(lab.service(), {
        env: { BETTER_AUTH_JWKS_URL: "https://auth.staging.example.net/api/auth/jwks" },
      }),
  },

  {
    name: "the service's secret ends with a tab",
    cause: "secret-whitespace",
    certainty: "proof",
    or: ["secret-differs"],
    start: serviceHas(`${SECRET}\t`),
  },
  {
    name: "this side's secret is in quotes, with a line end",
    cause: "secret-quoted",
    certainty: "proof",
    or: ["secret-whitespace"],
    start: doctorHas({ BETTER_AUTH_SECRET: `"${SECRET}"\n` }),
  },
  {
    name: "this side's secret is in single quotes, by a file",
    cause: "secret-quoted",
    certainty: "proof",
    start: fileHas(`BETTER_AUTH_SECRET="'${SECRET}'"`),
  },
  {
    name: "this side's secret is in base64",
    cause: "secret-differs",
    certainty: "proof",
    start: doctorHas({ BETTER_AUTH_SECRET: Buffer.from(SECRET).toString("base64") }),
  },
  {
    name: "AUTH_SECRET is the service's, BETTER_AUTH_SECRET is not",
    cause: "secret-retired",
    certainty: "proof",
    or: ["secret-differs"],
    start: (lab) => lab.serve(lab.service({ secret: OTHER_SECRET }), { env: { AUTH_SECRET: OTHER_SECRET } }),
  },
  {
    name: "the service's secret is in another file of variables",
    cause: "secret-retired",
    certainty: "proof",
    or: ["secret-differs"],
    start: (lab) =>
      lab.serve(lab.service({ secret: OTHER_SECRET }), {
        env: { BETTER_AUTH_SECRET: undefined },
        files: {
          ".env.local": `BETTER_AUTH_SECRET=${SECRET}\n`,
          ".env.production": `BETTER_AUTH_SECRET=${OTHER_SECRET}\n`,
        },
      }),
  },
  {
    name: "the service has no secret, at Better Auth 1.4",
    cause: "secret-default",
    certainty: "proof",
    start: (lab) => lab.serve(lab.service({ secret: undefined }, { version: "1.4" })),
  },
  {
    name: "a line end in the secret, at Better Auth 1.4 behind nginx",
    cause: "secret-whitespace",
    certainty: "proof",
    needs: "nginx",
    start: (lab) => lab.nginx(lab.service({ secret: `${SECRET}\n` }, { version: "1.4" }).handler),
  },
];
