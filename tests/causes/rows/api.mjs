// An API with PyJWT behind the service. A JWT of somebody who is signed in is pasted.

import { answering, SITE } from "../lab.mjs";

/** The API with these settings; it gets keys from the service by a port of its own. */
const api =
  (settings = {}, { flags = [], bare = false, front, ...more } = {}) =>
  async (lab) => {
    const service = lab.service(more.options);
    const { jar } = await lab.signedUp(service);
    const token = await lab.token(service, jar);
    const inner = await lab.listen(service.handler, { inner: true });
    const port = await lab.python(
      {
        ISSUER: SITE,
        AUDIENCE: SITE,
        ALGORITHMS: "EdDSA",
        JWKS_URL: `http://127.0.0.1:${inner}/api/auth/jwks`,
        ...settings,
      },
      { bare },
    );
    const there = lab.forward(port);
    const onward = front ? await lab.proxy(there, front) : there;
    return lab.serve(service, {
      handler: (req, res) => (req.url.startsWith("/api/auth") ? service.handler(req, res) : onward(req, res)),
      flags: ["--api", `${SITE}/items`, ...flags],
      token,
    });
  };

export default [
  {
    name: "PyJWT without cryptography, with its message in the answer",
    quick: true,
    packed: true,
    cause: "api-no-cryptography",
    certainty: "proof",
    start: api({ DETAIL: "1" }, { bare: true }),
  },
  {
    name: "algorithms=['RS256'], and the tokens are EdDSA",
    cause: "api-algorithm",
    certainty: "proof",
    start: api({ ALGORITHMS: "RS256", DETAIL: "1" }),
  },
  {
    name: "algorithms=['HS256'], and the tokens are EdDSA",
    cause: "api-algorithm",
    certainty: "proof",
    start: api({ ALGORITHMS: "HS256", DETAIL: "1" }),
  },
  {
    name: "the API expects the base path in iss",
    cause: "issuer-differs-at-api",
    certainty: "strong",
    start: api({ ISSUER: `${SITE}/api/auth`, DETAIL: "1" }),
  },
  {
    name: "the API expects an audience of its own",
    cause: "audience-differs",
    certainty: "proof",
    start: api({ AUDIENCE: "notes-api", DETAIL: "1" }),
  },
  {
    name: "the API names no audience at all",
    cause: "audience-differs",
    certainty: "proof",
    start: api({ AUDIENCE: "", DETAIL: "1" }),
  },
  {
    name: "the API cannot reach the key set",
    cause: "api-cannot-fetch-jwks",
    certainty: "strong",
    start: api({ JWKS_URL: "http://127.0.0.1:9/api/auth/jwks", DETAIL: "1" }),
  },
  {
    name: "the API refuses a good token and does not say why",
    cause: "api-refuses-good-token",
    certainty: "strong",
    start: api({ AUDIENCE: "notes-api" }),
  },
  {
    name: "the API's clock is two minutes behind",
    cause: "api-leeway",
    certainty: "strong",
    or: ["clock-skew"],
    start: api({ CLOCK: "-120", DETAIL: "1" }),
  },
  {
    name: "the API redirects to http",
    cause: "api-redirect-loses-authorization",
    certainty: "proof",
    start: api({}, { front: { request: answering(307, { location: "http://app.example.com/items/" }, "") } }),
  },
  {
    name: "a proxy removes Authorization on the way to the API",
    cause: "authorization-stripped",
    certainty: "strong",
    start: api({ DETAIL: "1" }, { front: { request: (headers) => void delete headers.authorization } }),
  },
  {
    name: "the API answers 403 without a token",
    hint: "api-403-not-401",
    start: api({ MISSING: "403" }),
  },
  {
    name: "the key set that the API reads is of another instance",
    cause: "kid-not-in-jwks",
    certainty: "strong",
    or: ["api-jwks-cached-stale"],
    start: async (lab) => {
      const other = lab.service();
      await lab.token(other, (await lab.signedUp(other)).jar);
      const inner = await lab.listen(other.handler, { inner: true });
      return api({ JWKS_URL: `http://127.0.0.1:${inner}/api/auth/jwks`, DETAIL: "1" })(lab);
    },
  },
];
