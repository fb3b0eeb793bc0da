// Identity headers of other proxies: an origin that once stood behind one may still trust them, and behind the gate it would
// be the client who writes them. Names are those of each product's own documentation.

import { ada, api, claims, forward, goodData, jwtIssuer, betterAuth, reject, send, sessionCookies, told, vector } from "../cases.mjs";
import { forged, publicJwk } from "../mint.mjs";

const keys = [publicJwk("ed", { kid: "ed", alg: "EdDSA" })];
const rules = [
  { path: "/public", access: "public" },
  { path: "/removed", access: "required", credential: "remove" },
  { path: "/**", access: "required" },
];

export const policies = {
  usual: betterAuth({}, { rules }),
  named: betterAuth({}, { rules, keep_headers: ["X-Auth-Request-Email", "remote_user", "Tailscale-User-*"] }),
  access: jwtIssuer({ jwks: { keys }, token_locations: ["header:cf-access-jwt-assertion"] }, { rules }),
};

const groups = {
  "oauth2-proxy": ["X-Auth-Request-User", "X-Auth-Request-Email", "X-Auth-Request-Groups", "X-Auth-Request-Preferred-Username", "X-Auth-Request-Access-Token", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token"],
  "Google IAP": ["X-Goog-Authenticated-User-Email", "X-Goog-Authenticated-User-Id", "X-Goog-IAP-JWT-Assertion"],
  "App Engine and API Gateway": ["X-AppEngine-User-Email", "X-AppEngine-User-Is-Admin", "X-Apigateway-Api-Userinfo", "X-Endpoint-API-UserInfo"],
  "AWS ALB": ["X-Amzn-Oidc-Data", "X-Amzn-Oidc-Identity", "X-Amzn-Oidc-Accesstoken", "X-Amzn-Mtls-Clientcert", "X-Amzn-Mtls-Clientcert-Subject"],
  "Azure App Service": ["X-MS-CLIENT-PRINCIPAL", "X-MS-CLIENT-PRINCIPAL-ID", "X-MS-CLIENT-PRINCIPAL-NAME", "X-MS-CLIENT-PRINCIPAL-IDP", "X-MS-TOKEN-AAD-ID-TOKEN", "X-ARR-ClientCert"],
  "Cloudflare Access": ["Cf-Access-Authenticated-User-Email", "Cf-Access-Jwt-Assertion"],
  Tailscale: ["Tailscale-User-Login", "Tailscale-User-Name", "Tailscale-User-Profile-Pic"],
  "Authelia and CGI": ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"],
  Kubernetes: ["X-Remote-User", "X-Remote-Group", "X-Remote-Extra-Scopes"],
  authentik: ["X-authentik-username", "X-authentik-groups", "X-authentik-email", "X-authentik-uid", "X-authentik-jwt"],
  "Vouch and Pomerium": ["X-Vouch-User", "X-Vouch-IdP-Claims-Groups", "X-Pomerium-Claim-Email", "X-Pomerium-Jwt-Assertion"],
  "Grafana's auth proxy": ["X-WEBAUTH-USER", "X-WEBAUTH-EMAIL", "X-WEBAUTH-GROUPS"],
  Kong: ["X-Userinfo", "X-Consumer-Username", "X-Consumer-Custom-Id", "X-Credential-Identifier", "X-Authenticated-Userid", "X-Authenticated-Groups", "X-Anonymous-Consumer"],
  "Apache's modules": ["OIDC_CLAIM_sub", "OIDC-Access-Token", "Shib-Identity-Provider", "SM_USER"],
  "client certificates": ["SSL-Client-Cert", "SSL_CLIENT_S_DN", "X-SSL-Client-Verify", "X-SSL-Client-S-DN", "X-Client-Cert", "X-Forwarded-Client-Cert", "X-Forwarded-Tls-Client-Cert-Info", "Client-Cert", "Client-Cert-Chain"],
  others: ["X-Clerk-Auth-Token", "X-Replit-User-Id", "Ngrok-Auth-User-Email", "Teleport-Jwt-Assertion", "X-Auth-User", "X-Auth-Email"],
};
const all = Object.values(groups).flat();
const as = (names) => names.map((name) => [name, "admin"]);
const session = sessionCookies(goodData());
const spelled = ["x_auth_request_email", "X-AUTH_REQUEST-EMAIL", "x.forwarded.user", "REMOTE_USER", "remote.user", "x_ms_client_principal", "Tailscale_User_Login", "ssl_client_verify"];
const alike = ["X-Auth-Token", "X-Api-Key", "X-Request-Id", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Cf-Connecting-Ip", "Cf-Access-Client-Id", "X-User-Agent", "Remote", "Client-Id", "X-Client-Info", "X-Csrf-Token", "Authentication", "X-Remote", "Remote-Addr"];
const token = forged("EdDSA", "ed", { alg: "EdDSA", kid: "ed" }, claims());

export const cases = [
  ...Object.entries(groups).map(([whose, names]) => vector(`${whose}: removed`, "usual", api("/", ...as(names), session), forward(ada(), { removed: names }))),
  vector("on a public path", "usual", api("/public", ...as(all)), forward({}, { removed: all })),
  vector("from a preflight", "usual", send("OPTIONS", "/", ["origin", "https://other.example"], ["access-control-request-method", "GET"], ...as(all)), forward({}, { removed: all })),
  vector("none of them is a credential", "usual", api("/", ...as(all)), reject("no_credential")),
  vector("in every spelling that an origin folds into one", "usual", api("/public", ...as(spelled)), forward({}, { removed: spelled })),
  vector("one that comes twice is removed by its name once", "usual", api("/public", ["remote-user", "a"], ["remote-user", "b"]), forward({}, { removed: ["remote-user"] })),
  vector("what names no identity stays", "usual", api("/public", ...as(alike)), forward()),

  vector("one that the configuration names stays, and its neighbours go", "named", api("/public", ...as(["x-auth-request-email", "X_Auth_Request_Email", "x-auth-request-user", "Remote-User", "Remote-Groups", "tailscale-user-login", "tailscale-user-name"])), forward({}, { removed: ["x-auth-request-user", "Remote-Groups"] })),
  vector("one that is configured stays beside an identity too", "named", api("/", ["remote-user", "ada"], session), forward(ada())),

  vector("a header where an issuer's tokens are stays, as every credential does", "access", api("/", ["Cf-Access-Jwt-Assertion", token], ["Cf-Access-Authenticated-User-Email", "admin@example.com"]), forward(told(), { removed: ["Cf-Access-Authenticated-User-Email"] })),
  vector("and goes where the credential goes", "access", api("/removed", ["Cf-Access-Jwt-Assertion", token]), forward(told(), { removed: ["Cf-Access-Jwt-Assertion"] })),
  vector("in another spelling it is no token's place", "access", api("/", ["Cf-Access-Jwt-Assertion", token], ["cf_access_jwt_assertion", "x"]), forward(told(), { removed: ["cf_access_jwt_assertion"] })),
];
