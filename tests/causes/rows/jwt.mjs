// JWTs and key sets: a token that the API refuses is pasted, or `--deep` asks for one.

import { jwt } from "better-auth/plugins/jwt";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

import { answering, OTHER_SECRET, SECRET, SITE } from "../lab.mjs";

const withJwt = (options, more) => ({ plugins: [jwt(options)], ...more });

/** `--deep` gets a token of the service. */
const deep =
  (options, more = {}) =>
  (lab) =>
    lab.serve(lab.service(options, more.of), {
      flags: ["--deep", ...(more.flags ?? [])],
      env: more.env,
      config: more.config,
    });

/** A token is pasted: of the service, and then what became of it. */
const pasted =
  (change, options = {}, more = {}) =>
  async (lab) => {
    const service = lab.service(options);
    const { jar } = await lab.signedUp(service);
    const token = await change(await lab.token(service, jar), { lab, service, jar });
    return lab.serve(service, { ...more, token });
  };

/** A token with other claims, signed with a key that the service has in its set. */
async function signed(lab, service, claims) {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
  const jwk = await exportJWK(publicKey);
  service.db.jwks.push({
    id: "key-of-the-test",
    publicKey: JSON.stringify(jwk),
    privateKey: '""',
    createdAt: new Date(Date.now() - 60_000),
    alg: "EdDSA",
  });
  const token = await new SignJWT({ sub: "u1", iss: SITE, aud: SITE, ...claims })
    .setProtectedHeader({ alg: "EdDSA", kid: "key-of-the-test" })
    .sign(privateKey);
  return lab.hide(token);
}

const now = () => Math.floor(Date.now() / 1000);
const keysBehind = (fault) => async (lab) => {
  const service = lab.service();
  return lab.serve(service, { handler: await lab.proxy(service.handler, { request: fault }) });
};
const isKeys = (req) => req.url.startsWith("/api/auth/jwks");

export default [
  {
    name: "the service writes a slash at the end of iss",
    quick: true,
    cause: "issuer-trailing-slash",
    certainty: "proof",
    start: deep(withJwt({ jwt: { issuer: `${SITE}/` } })),
  },
  {
    name: "the service writes its base path into iss",
    cause: "issuer-path",
    certainty: "proof",
    start: deep(withJwt({ jwt: { issuer: `${SITE}/api/auth` } })),
  },
  {
    name: "the API expects the base path in iss",
    cause: "issuer-path",
    certainty: "proof",
    start: deep({}, { env: { BETTER_AUTH_ISSUER: `${SITE}/api/auth` } }),
  },
  {
    name: "iss is http behind TLS",
    cause: "issuer-scheme",
    certainty: "proof",
    also: ["http-base-url-behind-tls"],
    or: ["http-base-url-behind-tls"],
    start: deep({ baseURL: "http://app.example.com", advanced: { useSecureCookies: true }, trustedOrigins: [SITE] }),
  },
  {
    name: "iss names another host",
    cause: "issuer-host",
    certainty: "proof",
    start: deep(withJwt({ jwt: { issuer: "https://auth.staging.example.net" } })),
  },
  {
    name: "aud is not what is expected",
    cause: "audience-differs",
    certainty: "proof",
    start: deep(withJwt({ jwt: { audience: "notes-api" } })),
  },
  {
    name: "the API expects an audience of its own",
    cause: "audience-differs",
    certainty: "proof",
    start: deep({}, { env: { BETTER_AUTH_AUDIENCE: "notes-api" } }),
  },
  {
    name: "expirationTime as a number of seconds",
    cause: "exp-is-a-date",
    certainty: "proof",
    start: deep(withJwt({ jwt: { expirationTime: 3600 } })),
  },
  {
    name: "expirationTime as a number, the token pasted",
    cause: "exp-is-a-date",
    certainty: "proof",
    start: pasted((token) => token, withJwt({ jwt: { expirationTime: 3600 } })),
  },
  {
    name: "a token of an hour ago",
    cause: "token-expired-no-refresh",
    certainty: "proof",
    start: pasted((_, { lab, service }) => signed(lab, service, { iat: now() - 3600, exp: now() - 2700 })),
  },
  {
    name: "a token of another environment",
    cause: "issuer-host",
    certainty: "proof",
    start: pasted(async (_, { lab }) => {
      const other = lab.service({}, { site: "https://staging.example.org" });
      return lab.token(other, (await lab.signedUp(other)).jar);
    }),
    also: ["kid-not-in-jwks", "audience-differs"],
    or: ["kid-not-in-jwks"],
  },
  {
    name: "the pasted token's aud is another",
    cause: "audience-differs",
    certainty: "proof",
    start: pasted((_, { lab, service }) =>
      signed(lab, service, { iat: now(), exp: now() + 900, aud: "https://mobile.example.org" }),
    ),
  },
  {
    name: "the pasted token's iss has a slash at its end",
    cause: "issuer-trailing-slash",
    certainty: "proof",
    start: pasted((_, { lab, service }) => signed(lab, service, { iat: now(), exp: now() + 900, iss: `${SITE}/` })),
  },
  {
    name: "an HTML page in place of the key set",
    cause: "jwks-not-json",
    certainty: "proof",
    start: keysBehind(answering(200, { "content-type": "text/html" }, "<!doctype html><title>Notes</title>", isKeys)),
  },
  {
    name: "an empty key set",
    cause: "jwks-empty",
    certainty: "proof",
    start: keysBehind(answering(200, { "content-type": "application/json" }, '{"keys":[]}', isKeys)),
  },
  {
    name: "a key set with keys that sign nothing",
    cause: "jwks-empty",
    certainty: "proof",
    start: keysBehind(
      answering(200, { "content-type": "application/json" }, '{"keys":[{"kty":"oct","kid":"1","use":"enc"}]}', isKeys),
    ),
  },
  {
    name: "the key table was emptied after the token was made",
    quick: true,
    cause: "kid-not-in-jwks",
    certainty: "proof",
    start: pasted((token, { service }) => {
      service.db.jwks.length = 0;
      return token;
    }),
  },
  {
    name: "the key set is another instance's",
    cause: "kid-not-in-jwks",
    certainty: "proof",
    start: async (lab) => {
      const [service, other] = [lab.service(), lab.service()];
      await lab.signedUp(other);
      return lab.serve(service, {
        handler: (req, res) => (isKeys(req) ? other : service).handler(req, res),
        flags: ["--deep"],
      });
    },
  },
  {
    name: "many keys in the set",
    hint: "jwks-many-keys",
    start: async (lab) => {
      const service = lab.service();
      for (let at = 0; at < 6; at++) {
        const { publicKey } = await generateKeyPair("EdDSA", { extractable: true });
        service.db.jwks.push({
          id: `key-${at}`,
          publicKey: JSON.stringify(await exportJWK(publicKey)),
          privateKey: '""',
          createdAt: new Date(),
          alg: "EdDSA",
        });
      }
      return lab.serve(service);
    },
  },
  {
    name: "the session's token in place of the JWT",
    cause: "wrong-token-sent",
    certainty: "proof",
    start: pasted((_, { service }) => service.db.session[0].token),
  },
  {
    name: "the session's cookie in place of the JWT",
    cause: "wrong-token-sent",
    certainty: "proof",
    start: pasted((_, { jar }) => jar["__Secure-better-auth.session_token"]),
  },
  {
    name: "Bearer is left in the token",
    cause: "bearer-prefix-left",
    certainty: "proof",
    start: pasted((token) => `Bearer ${token}`),
  },
  {
    name: "the token is in quotes",
    cause: "bearer-prefix-left",
    certainty: "proof",
    start: pasted((token) => `"${token}"`),
  },
  {
    name: "there is no jwt plugin, and an API wants tokens",
    cause: "jwt-plugin-missing",
    certainty: "proof",
    start: async (lab) => {
      const service = lab.service({ plugins: [] });
      const app = (req, res) =>
        req.url.startsWith("/api/auth")
          ? service.handler(req, res)
          : res.writeHead(401, { "www-authenticate": "Bearer" }).end('{"detail":"Not authenticated"}');
      return lab.serve(service, { handler: app, flags: ["--api", `${SITE}/items`] });
    },
  },
  {
    name: "the signing key was encrypted with the secret of before",
    cause: "jwks-key-undecryptable",
    certainty: "strong",
    start: async (lab) => {
      const before = lab.service({ secret: OTHER_SECRET });
      await lab.token(before, (await lab.signedUp(before)).jar);
      return lab.serve(lab.service({ secret: SECRET }, { db: before.db }), { flags: ["--deep"] });
    },
  },
  {
    name: "a token that says it was made in ten minutes",
    cause: "clock-skew",
    certainty: "proof",
    start: pasted((_, { lab, service }) => signed(lab, service, { iat: now() + 600, exp: now() + 1500 })),
  },

  {
    name: "the service's clock is ten minutes ahead",
    cause: "clock-skew",
    certainty: "strong",
    needs: "faketime",
    start: async (lab) => lab.at(SITE, await lab.skewed(600), { flags: ["--deep"] }),
  },
  {
    name: "the service's clock is five minutes behind",
    cause: "clock-skew",
    certainty: "strong",
    needs: "faketime",
    start: async (lab) => lab.at(SITE, await lab.skewed(-300)),
  },
];
