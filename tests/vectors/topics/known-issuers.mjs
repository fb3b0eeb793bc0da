// Tokens of fifteen issuers, of the form that their documentation or source publishes (the page says which, and what could not be
// confirmed), signed by throwaway keys, and the entries of `docs/issuers.md`, which are read from that page: what it says is what is
// played. And what must not pass: another audience, another tenant, another kind of token, such as an ID token.

import { readFileSync } from "node:fs";

import { NOW_S, api, bearer, cookies, forward, policy, reject, vector } from "../cases.mjs";
import { b64u, forged, forgedHmac, publicJwk } from "../mint.mjs";

const page = readFileSync(new URL("../../../docs/issuers.md", import.meta.url), "utf8");
const entries = Object.fromEntries(
  page.split(/^## /m).slice(1).filter((section) => section.includes("```json")).map((section) => [section.split("\n")[0], JSON.parse(section.split("```json")[1].split("```")[0])]),
);
/** What the page says in words beside an entry: other members of it, and what a rule requires. */
const besides = {
  "Amazon Cognito: a rule for access tokens": ["Amazon Cognito", {}, { claims: { token_use: "access" } }],
  "GitHub Actions: of one repository": ["GitHub Actions", {}, { claims: { repository_id: "456789", ref: "refs/heads/main" } }],
  "Keycloak: one client for both": ["Keycloak", { audience: "notes-web" }, { claims: { typ: "Bearer" } }],
  "Keycloak: typed": ["Keycloak", { audience: "notes-web", typ: "at+jwt" }],
  "Kinde: for an API": ["Kinde", { audience: "myapp:prod-api", audience_may_be_empty: undefined, subject_claim: ["sub", "azp"] }],
  "Microsoft Entra ID: daemons too": ["Microsoft Entra ID", { required_claims: "azp" }],
  "Supabase: no anonymous users": ["Supabase", {}, { claims: { is_anonymous: false } }],
  "WorkOS AuthKit: an older environment": ["WorkOS AuthKit", { issuer: "https://api.workos.com" }],
};
const entryOf = (name) => (besides[name] ? { ...entries[besides[name][0]], ...besides[name][1] } : entries[name]);
export const policies = Object.fromEntries(
  [...Object.keys(entries), ...Object.keys(besides)].map((name) => [name, policy({ issuers: [entryOf(name)], rules: [{ path: "/**", access: "required", ...besides[name]?.[2] }] })]),
);

const iat = NOW_S - 30;
const times = { iat, exp: iat + 3600 };
const KEYS = { RS256: publicJwk("rsa", { kid: "k1", alg: "RS256", use: "sig" }), ES256: publicJwk("p256", { kid: "k1", alg: "ES256", use: "sig" }), ES384: publicJwk("p384", { kid: "k1", alg: "ES384", use: "sig" }) };
const NAMES = { RS256: "rsa", ES256: "p256", ES384: "p384" };
/** Beside the keys some issuers publish one for encryption, or certificates. */
const ENCRYPTION = { ...publicJwk("rsa2", { kid: "e1", alg: "RSA-OAEP", use: "enc" }), x5c: ["MIIC"] };

function issuer(name, sample, { alg = "RS256", header = { typ: "JWT" }, places = bearer } = {}) {
  const entry = entryOf(name);
  const token = (claims = {}, more = {}) => forged(alg, NAMES[alg], { alg, kid: "k1", ...header, ...more }, { ...times, ...sample, ...claims });
  const result = { of: "keys", status: 200, headers: [["content-type", "application/json"]], body: JSON.stringify({ keys: [KEYS[alg], ENCRYPTION], public_certs: [] }), url: entry.jwks_url };
  const case_ = (what, credential, expected, effects) => vector(`${name}: ${what}`, name, api("/", credential), expected, { effects, results: effects.includes("keys") ? [result] : [] });
  const host = entry.issuer.includes("://") ? new URL(entry.issuer).host : entry.issuer;
  return {
    token,
    good: (what, claims = {}, { subject = sample.sub, set = {}, more = {}, at = places } = {}) => {
      const all = { ...times, ...sample, ...claims };
      const told = { "x-doorward-subject": subject, "x-doorward-issuer": host, "x-doorward-expires": String(all.exp), "x-doorward-source": "jwt", ...(all.email ? { "x-doorward-email": all.email } : {}), ...(all.sid ? { "x-doorward-session": all.sid } : {}), ...set };
      return case_(what, at(token(claims, more)), forward(told), ["keys", "check"]);
    },
    bad: (what, claims, reason, { more = {}, at = places } = {}) =>
      case_(what, at(token(claims, more)), reject(reason), reason === "issuer_unknown" ? [] : ["keys", "check"]),
    other: case_,
  };
}

const auth0 = issuer("Auth0", {
  iss: "https://tenant.us.auth0.com/", sub: "auth0|507f1f77bcf86cd799439011", aud: ["https://api.example.com", "https://tenant.us.auth0.com/userinfo"],
  azp: "my_client_id", scope: "openid profile read:messages",
});
const cognitoSample = {
  sub: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:groups": ["testgroup"], iss: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI", version: 2,
  client_id: "1example23456789", origin_jti: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeef", token_use: "access", scope: "openid phone", auth_time: iat, jti: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeee0", username: "my-test-user",
};
const cognito = issuer("Amazon Cognito", cognitoSample, { header: {} });
const cognitoRule = issuer("Amazon Cognito: a rule for access tokens", cognitoSample, { header: {} });
const clerk = issuer("Clerk", {
  azp: "https://app.example.com", exp: iat + 60, fea: "o:dashboard", fva: [0, -1], iss: "https://clerk.example.com", jti: "10db7f531a90cb2faea4", nbf: iat - 10, pla: "u:free", sid: "sess_2GbDB4enNdCa5vS1zpC3Xzg9tK9", sts: "active", sub: "user_2GIpXOEpVyJw51rkZn9Kmnc6Sxr", v: 2,
}, { header: { typ: "JWT", cat: "cl_B7d4PD111AAA" } });
/** Without what is a session's: a JWT template's, a machine's. */
const sessionless = { fea: undefined, fva: undefined, pla: undefined, sid: undefined, sts: undefined, v: undefined };
const access = issuer("Cloudflare Access", {
  aud: ["32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228"], email: "user@example.com", nbf: iat, iss: "https://team.cloudflareaccess.com", type: "app",
  identity_nonce: "6ei69kawdKzMIAPF", sub: "7335d417-61da-459d-899c-0a01c76a2f94", country: "US",
}, { places: (token) => ["cf-access-jwt-assertion", token] });
const service = { type: "app", nbf: undefined, email: undefined, identity_nonce: undefined, country: undefined, sub: "", common_name: "e367826f93b8d71185e03fe518aff3b4.access" };
const firebase = issuer("Firebase Authentication", {
  iss: "https://securetoken.google.com/my-project", aud: "my-project", auth_time: iat, user_id: "9jK3", sub: "9jK3", email: "ada@example.com", email_verified: true, firebase: { identities: { email: ["ada@example.com"] }, sign_in_provider: "password" },
});
const actionsSample = {
  jti: "example-id", sub: "repo:octo-org@123456/octo-repo@456789:ref:refs/heads/main", aud: "https://deploy.example.com", ref: "refs/heads/main", ref_type: "branch", repository: "octo-org/octo-repo", repository_id: "456789", repository_owner: "octo-org",
  repository_owner_id: "123456", repository_visibility: "private", run_id: "example-run-id", run_number: "10", run_attempt: "2", runner_environment: "github-hosted", actor: "octocat", actor_id: "12", workflow: "example-workflow", event_name: "workflow_dispatch", head_ref: "", base_ref: "",
  job_workflow_ref: "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main", iss: "https://token.actions.githubusercontent.com", nbf: iat, exp: iat + 300,
};
const actions = issuer("GitHub Actions", actionsSample);
const actionsOfOne = issuer("GitHub Actions: of one repository", actionsSample);
const keycloakSample = {
  jti: "d1a2c3", iss: "https://sso.example.com/realms/acme", aud: ["notes-api", "account"], sub: "f:1:ada", typ: "Bearer", azp: "notes-web", sid: "0f4d1c1e", acr: "1", "allowed-origins": ["https://app.example.com"],
  realm_access: { roles: ["offline_access"] }, scope: "openid email profile", email_verified: true, email: "ada@example.com",
};
const keycloak = issuer("Keycloak", keycloakSample);
const keycloakOne = issuer("Keycloak: one client for both", { ...keycloakSample, aud: ["notes-web", "account"] });
const keycloakTyped = issuer("Keycloak: typed", { ...keycloakSample, aud: ["notes-web", "account"] }, { header: { typ: "at+jwt" } });
const kindeSample = {
  aud: [], azp: "dee7f3c57b3c47e8b96edde2c7ecab7d", feature_flags: { analytics: { t: "b", v: true }, theme: { t: "s", v: "pink" } }, iss: "https://acme.kinde.com", jti: "fbb6bc62-a64e-4256-8ea4-8fb9a645b123", org_code: "org_1", permissions: ["view:stats"], scp: ["openid", "profile", "email", "offline"], sub: "kp_7c2f",
};
const kinde = issuer("Kinde", kindeSample);
const kindeApi = issuer("Kinde: for an API", { ...kindeSample, aud: ["myapp:prod-api"] });
/** Without `sub`, and for whom there is neither a session nor flags. */
const kindeMachine = { sub: undefined, feature_flags: undefined, org_code: undefined, permissions: undefined, gty: ["client_credentials"], scope: "read:users", scp: ["read:users"], v: "2" };
const kindeId = { scp: undefined, feature_flags: undefined, permissions: undefined, org_code: undefined, org_codes: ["org_1"], at_hash: "VZ6cU0Ay0RKB5EosbWuTCQ", auth_time: iat, email: "jane.smith@example.com", updated_at: iat };
const logto = issuer("Logto", {
  jti: "VovNyqJ5_tuYac89eTbpF", sub: "rkxl1ops7gs1", scope: "read:notes", client_id: "app-id", iss: "https://tenant.logto.app/oidc", aud: "https://api.example.com",
}, { alg: "ES384", header: { typ: "at+jwt" } });
const TENANT = "9122040d-6c67-4c5b-b112-36a304b66dad";
const entraSample = {
  aud: "6e74172b-be56-4843-9ff4-e66a39bb12e3", iss: `https://login.microsoftonline.com/${TENANT}/v2.0`, nbf: iat, aio: "AXQAi/8IAAAAtAaZ", azp: "11112222-bbbb-3333-cccc-4444dddd5555", azpacr: "0", name: "Abe Lincoln", oid: "690222be-ff1a-4d56-abd1-7e4f7d38e474",
  preferred_username: "abeli@microsoft.com", rh: "I", scp: "access_as_user", sub: "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", tid: TENANT, uti: "fqiBqXLPj0eQa82S-IYFAA", ver: "2.0",
};
const entra = issuer("Microsoft Entra ID", entraSample);
const entraDaemons = issuer("Microsoft Entra ID: daemons too", entraSample);
/** A daemon's, by client credentials; and an ID token for the same registration, of a user with a role in it. */
const daemon = { scp: undefined, name: undefined, preferred_username: undefined, azpacr: "1", roles: ["Notes.ReadAll"] };
const entraId = { scp: undefined, azp: undefined, azpacr: undefined, nonce: "n", roles: ["Notes.ReadAll"] };
const okta = issuer("Okta", {
  ver: 1, jti: "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE", iss: "https://acme.okta.com/oauth2/default", aud: "api://default", cid: "nmdP1fcyvdVO11AL7ECm", uid: "00ujmkLgagxeRrAg20g3", scp: ["openid", "email", "flights"], sub: "00ujmkLgagxeRrAg20g3",
}, { header: {} });
const PROJECT = "project-live-c60c0abe-c25a-4472-a9ed-320c6667d317";
const stytch = issuer("Stytch", {
  aud: [PROJECT], exp: iat + 300, "https://stytch.com/session": { id: "session-live-fe6c042b", started_at: "2027-01-15T07:00:00Z", last_accessed_at: "2027-01-15T07:59:30Z", expires_at: "2027-01-22T07:00:00Z", attributes: { user_agent: "", ip_address: "" }, authentication_factors: [], roles: [] }, iss: `stytch.com/${PROJECT}`, nbf: iat, sub: "user-live-fde03dd1-fff7-4b3c-9b31-ead3fbc224de",
});
const REF = "abcdefghijklmnopqrst";
const supabaseSample = {
  iss: `https://${REF}.supabase.co/auth/v1`, sub: "94db8a4d-2f1b-4b0e-9a4c-5f6e7d8c9b0a", aud: "authenticated", email: "ada@example.com", phone: "", app_metadata: { provider: "email", providers: ["email"] }, user_metadata: {}, role: "authenticated", aal: "aal1", amr: [{ method: "password", timestamp: iat }],
  session_id: "2f1b4b0e-94db-4a4d-9a4c-5f6e7d8c9b0a", is_anonymous: false,
};
const supabase = issuer("Supabase", supabaseSample, { alg: "ES256" });
const supabaseNamed = issuer("Supabase: no anonymous users", supabaseSample, { alg: "ES256" });
const THEIR_APP = "1f2e3d4c-5b6a-4978-8695-a4b3c2d1e0f9";
const CLIENT = "client_01HXYZ123456789ABCDEFGHIJ";
const workosSample = {
  iss: `https://api.workos.com/user_management/${CLIENT}`, client_id: CLIENT, auth_time: iat, sub: "user_01HBEQKA6K4QJAS93VPE39W1JT", org_id: "org_01HRDMC6CM357W30QMHMQ96Q0S", role: "member", roles: ["member"], permissions: ["posts:read"], entitlements: ["audit-logs"], sid: "session_01HQSXZGF8FHF7A9ZZFCW4387R", jti: "01HQSXZXPPFPKMDD32RKTFY6PV", exp: iat + 300,
};
const workos = issuer("WorkOS AuthKit", workosSample, { header: {} });
const workosOlder = issuer("WorkOS AuthKit: an older environment", { ...workosSample, iss: "https://api.workos.com", client_id: undefined, auth_time: undefined }, { header: {} });
const zitadel = issuer("ZITADEL", {
  iss: "https://acme-x1y2z3.zitadel.cloud", sub: "170848145649959169", aud: ["170086824411201793", "162840474281345025"], client_id: "170086824411201793", jti: "170848145649959170", nbf: iat,
});

// ---- Supabase's cookie, as @supabase/ssr writes it ------------------------------------------------------------------

const NAME = `sb-${REF}-auth-token`;
const supabaseSession = (access_token, members = {}) => ({
  access_token, token_type: "bearer", expires_in: 3600, expires_at: iat + 3600, refresh_token: "v1.MjQ2", user: { id: "94db8a4d-2f1b-4b0e-9a4c-5f6e7d8c9b0a", aud: "authenticated", email: "ada@example.com", user_metadata: { name: "Ada Lövelace" } }, ...members,
});
const base64 = (session) => `base64-${b64u(typeof session === "string" ? session : JSON.stringify(session))}`;
/** In pieces of at most 3180 characters, as `createChunks` makes them. */
function chunks(value, size = 3180) {
  const pieces = value.match(new RegExp(`.{1,${size}}`, "g"));
  return cookies(Object.fromEntries(pieces.map((piece, number) => [`${NAME}.${number}`, piece])));
}
const inCookie = (token) => cookies({ [NAME]: base64(supabaseSession(token)) });
const inChunks = (token) => chunks(base64(supabaseSession(token, { provider_token: "x".repeat(5000) })));
const raw = (token) => cookies({ [NAME]: encodeURIComponent(JSON.stringify(supabaseSession(token))) });
const supabaseBad = (what, credential, reason) => supabase.other(what, credential, reject(reason), []);
const own = supabase.token();

export const cases = [
  auth0.good("an access token"),
  auth0.good("of the profile of RFC 9068", { azp: undefined, client_id: "my_client_id", jti: "73WakrfVbNJBaAmhQtEeDv" }, { more: { typ: "at+jwt" } }),
  auth0.good("a machine's", { sub: "awZfdIir8YFdGZWkvCejDoUb7SjTDicx@clients", azp: "awZfdIir8YFdGZWkvCejDoUb7SjTDicx", aud: "https://api.example.com", gty: "client-credentials", scope: "read:messages" }, { subject: "awZfdIir8YFdGZWkvCejDoUb7SjTDicx@clients" }),
  auth0.bad("for another API", { aud: "https://other.example.com" }, "audience_mismatch"),
  auth0.bad("an ID token", { aud: "my_client_id", azp: undefined, scope: undefined, nonce: "n" }, "audience_mismatch"),
  auth0.bad("another tenant's", { iss: "https://other.us.auth0.com/" }, "issuer_unknown"),
  auth0.bad("without its slash", { iss: "https://tenant.us.auth0.com" }, "issuer_unknown"),

  cognito.good("an access token"),
  cognito.bad("of another client", { client_id: "another" }, "authorized_party_mismatch"),
  cognito.bad("an ID token", { aud: "1example23456789", client_id: undefined, token_use: "id" }, "audience_mismatch"),
  cognitoRule.good("an access token"),
  cognitoRule.bad("a token of another use", { token_use: "id" }, "forbidden"),
  cognito.bad("of another pool", { iss: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Another99" }, "issuer_unknown"),

  clerk.good("a session token"),
  clerk.good("in the cookie", {}, { at: (token) => cookies({ __session: token }) }),
  clerk.good("a native app's", { azp: undefined }),
  clerk.bad("a page's of another origin", { azp: "https://evil.example.com" }, "authorized_party_mismatch"),
  clerk.bad("with an azp of null", { azp: null }, "claims_malformed"),
  clerk.bad("a template's", sessionless, "claim_missing"),
  clerk.bad("a machine's", { ...sessionless, azp: undefined, sub: "mch_2vYVtestTESTtestTESTtestTESTtest" }, "claim_missing", { more: { cat: "cl_B7d4PD333AAA" } }),
  clerk.bad("an application's by OAuth", { ...sessionless, azp: undefined, client_id: "oauth_app", scope: "profile" }, "type_mismatch", { more: { typ: "at+jwt", cat: undefined } }),
  clerk.bad("a template's for another service", { aud: "https://other.example.com" }, "audience_mismatch"),
  clerk.bad("of another instance", { iss: "https://clerk.other.com" }, "issuer_unknown"),

  access.good("a person's"),
  access.good("a person's in the cookie", {}, { at: (token) => cookies({ CF_Authorization: token }) }),
  access.good("a service token's", service, { subject: service.common_name }),
  access.bad("for another application", { aud: ["0000000000000000000000000000000000000000000000000000000000000000"] }, "audience_mismatch"),
  access.bad("without a subject", { ...service, common_name: "" }, "claim_missing"),
  access.bad("of a service whose name is no text", { ...service, common_name: ["x"] }, "claims_malformed"),
  access.good("a person's with another name beside it", { common_name: "somebody-else" }),
  access.bad("of another team", { iss: "https://other.cloudflareaccess.com" }, "issuer_unknown"),

  firebase.good("an ID token, which is what there is"),
  firebase.bad("of another project by its audience", { aud: "other-project" }, "audience_mismatch"),
  firebase.bad("a session cookie", { iss: "https://session.firebase.google.com/my-project" }, "issuer_unknown"),
  firebase.bad("of another project", { iss: "https://securetoken.google.com/other-project", aud: "other-project" }, "issuer_unknown"),

  actions.good("a workflow's"),
  actions.good("of a repository of before July 2026", { sub: "repo:octo-org/octo-repo:environment:prod", environment: "prod" }, { subject: "repo:octo-org/octo-repo:environment:prod" }),
  actions.bad("for another service", { aud: "https://github.com/octo-org" }, "audience_mismatch"),
  actionsOfOne.good("a workflow's"),
  actionsOfOne.bad("of another repository of that name", { repository_id: "999999", repository_owner_id: "888888", sub: "repo:octo-org@888888/octo-repo@999999:ref:refs/heads/main" }, "forbidden"),
  actionsOfOne.bad("of another branch", { ref: "refs/heads/demo", sub: "repo:octo-org@123456/octo-repo@456789:ref:refs/heads/demo" }, "forbidden"),

  keycloak.good("an access token"),
  keycloak.bad("for the account console only", { aud: "account" }, "audience_mismatch"),
  keycloak.bad("of another client", { azp: "other-web" }, "authorized_party_mismatch"),
  keycloak.bad("an ID token", { aud: "notes-web", typ: "ID" }, "audience_mismatch"),
  keycloakOne.good("an access token"),
  keycloakOne.bad("an ID token", { aud: "notes-web", typ: "ID", scope: undefined }, "forbidden"),
  keycloakTyped.good("an access token"),
  keycloakTyped.bad("an ID token", { aud: "notes-web", typ: "ID", scope: undefined }, "type_mismatch", { more: { typ: "JWT" } }),
  keycloak.bad("of another realm", { iss: "https://sso.example.com/realms/other" }, "issuer_unknown"),

  kinde.good("an access token without an API"),
  kinde.good("an access token without any audience", { aud: undefined }),
  kinde.bad("of another application", { azp: "another" }, "authorized_party_mismatch"),
  kinde.bad("of no application", { azp: undefined }, "claim_missing"),
  kinde.bad("for another API", { aud: ["other:api"] }, "audience_mismatch"),
  kinde.bad("an ID token", { ...kindeId, aud: ["https://acme.kinde.com"] }, "audience_mismatch"),
  kinde.bad("an ID token for no audience", { ...kindeId, aud: [] }, "claim_missing"),
  kinde.bad("a machine's", kindeMachine, "claim_missing"),
  kindeApi.good("an access token"),
  kindeApi.good("a machine's", kindeMachine, { subject: kindeSample.azp }),
  kindeApi.bad("an ID token", { ...kindeId, aud: ["https://acme.kinde.com"] }, "audience_mismatch"),
  kindeApi.bad("an access token for no API", { aud: [] }, "audience_mismatch"),
  kinde.bad("with an empty text for whom it is", { aud: "" }, "audience_mismatch"),

  logto.good("an access token"),
  logto.good("a machine's", { sub: "app-id" }, { subject: "app-id" }),
  logto.bad("an ID token", { aud: "app-id", at_hash: "x" }, "type_mismatch", { more: { typ: undefined } }),
  logto.bad("an ID token that says JWT", { aud: "app-id", at_hash: "x" }, "type_mismatch", { more: { typ: "JWT" } }),
  logto.bad("for another resource", { aud: "https://other.example.com" }, "audience_mismatch"),

  entra.good("an access token"),
  entra.bad("for another API", { aud: "00000003-0000-0000-c000-000000000000" }, "audience_mismatch"),
  entra.bad("an ID token of the same registration", entraId, "claim_missing"),
  entra.bad("a daemon's", daemon, "claim_missing"),
  entraDaemons.good("a user's"),
  entraDaemons.good("a daemon's", daemon),
  entraDaemons.bad("an ID token of the same registration", entraId, "claim_missing"),
  entra.bad("another tenant's", { iss: "https://login.microsoftonline.com/f8cdef31-a31e-4b4a-93e4-5f571e91255a/v2.0", tid: "f8cdef31-a31e-4b4a-93e4-5f571e91255a" }, "issuer_unknown"),
  entra.bad("of the endpoint for all tenants", { iss: "https://login.microsoftonline.com/common/v2.0" }, "issuer_unknown"),
  entra.bad("of the pattern of its metadata", { iss: "https://login.microsoftonline.com/{tenantid}/v2.0" }, "issuer_unknown"),
  entra.bad("of version 1.0", { iss: `https://sts.windows.net/${TENANT}/`, ver: "1.0" }, "issuer_unknown"),

  okta.good("an access token"),
  okta.good("a machine's", { uid: undefined, sub: "nmdP1fcyvdVO11AL7ECm", scp: ["flights"] }, { subject: "nmdP1fcyvdVO11AL7ECm" }),
  okta.bad("an ID token", { jti: "ID.4eAWJOCMB3SX8XewDfVR", aud: "nmdP1fcyvdVO11AL7ECm", cid: undefined, uid: undefined, scp: undefined, amr: ["pwd"], auth_time: iat, at_hash: "x" }, "audience_mismatch"),
  okta.bad("an ID token of a client that is called like the API", { jti: "ID.4eAWJOCMB3SX8XewDfVR", cid: undefined, uid: undefined, scp: undefined, amr: ["pwd"], auth_time: iat }, "claim_missing"),
  okta.bad("of the org server", { iss: "https://acme.okta.com", aud: "https://acme.okta.com" }, "issuer_unknown"),

  stytch.good("a session"),
  stytch.good("a session in the cookie", {}, { at: (token) => cookies({ stytch_session_jwt: token }) }),
  stytch.bad("a Connected App's access token", { "https://stytch.com/session": undefined, client_id: "connected-app-live-d731954d", jti: "LOe49j3s", scope: "openid email", exp: iat + 3600 }, "claim_missing"),
  stytch.bad("a Connected App's ID token", { "https://stytch.com/session": undefined, aud: ["connected-app-live-d731954d"], name: "Jane Doe" }, "audience_mismatch"),
  stytch.bad("a machine's", { "https://stytch.com/session": undefined, sub: "m2m-client-live-d731954d", scope: "read:users", exp: iat + 3600 }, "claim_missing"),
  stytch.bad("of another project", { iss: "stytch.com/project-test-1", aud: ["project-test-1"] }, "issuer_unknown"),

  supabase.good("an access token"),
  supabase.good("in the cookie of @supabase/ssr", {}, { at: inCookie }),
  supabase.good("in chunks of that cookie", {}, { at: inChunks }),
  supabase.good("in chunks in another order", {}, { at: (token) => ["cookie", inChunks(token)[1].split("; ").reverse().join("; ")] }),
  supabase.good("in that cookie as plain JSON", {}, { at: raw }),
  supabase.good("in that cookie without the user", {}, { at: (token) => cookies({ [NAME]: base64({ ...supabaseSession(token), user: undefined }) }) }),
  supabase.bad("past, in that cookie", { iat: iat - 7200, exp: iat - 3600 }, "token_expired", { at: inCookie }),
  supabase.bad("of another project", { iss: "https://zzzzzzzzzzzzzzzzzzzz.supabase.co/auth/v1" }, "issuer_unknown", { at: inCookie }),
  supabase.bad("for another role's audience", { aud: "anon" }, "audience_mismatch", { at: inCookie }),
  supabase.good("of an OAuth client of one's own", { client_id: "9a8b7c6d-5e4f-3a2b-1c0d-9e8f7a6b5c4d", user_id: supabaseSample.sub }),
  supabase.bad("of a user's OAuth client", { client_id: THEIR_APP, user_id: supabaseSample.sub }, "authorized_party_mismatch"),
  supabase.bad("an ID token", { aud: THEIR_APP, client_id: THEIR_APP, auth_time: iat, session_id: undefined, role: undefined, aal: undefined, amr: undefined, app_metadata: undefined }, "audience_mismatch"),
  supabase.good("of an anonymous user", { email: "", is_anonymous: true }),
  supabaseNamed.good("an access token"),
  supabaseNamed.bad("of an anonymous user", { email: "", is_anonymous: true }, "forbidden"),
  supabase.other("the public anon key", bearer(forgedHmac("HS256", "public", { alg: "HS256", typ: "JWT" }, { iss: "supabase", ref: REF, role: "anon", iat, exp: iat + 9e6 })), reject("issuer_unknown"), []),
  supabase.other("a session of the legacy secret", bearer(forgedHmac("HS256", "public", { alg: "HS256", typ: "JWT" }, { ...times, ...supabaseSample })), reject("alg_not_allowed"), []),
  supabaseBad("a chunk of that cookie is missing", ["cookie", inChunks(own)[1].split("; ").slice(1).join("; ")], "cookie_incomplete"),
  supabaseBad("that cookie is cut off", cookies({ [NAME]: base64(supabaseSession(own)).slice(0, -8) }), "token_malformed"),
  supabaseBad("that cookie with padding", cookies({ [NAME]: `${base64("{}")}=` }), "token_malformed"),
  supabaseBad("that cookie without a token", cookies({ [NAME]: base64({ user: {} }) }), "token_malformed"),
  supabaseBad("that cookie with a token that is a list", cookies({ [NAME]: base64({ access_token: [own] }) }), "token_malformed"),
  supabaseBad("that cookie with two tokens", cookies({ [NAME]: base64(`{"access_token":"x","access_token":${JSON.stringify(own)}}`) }), "token_malformed"),
  supabaseBad("that cookie as a list", cookies({ [NAME]: base64([own, "refresh"]) }), "token_malformed"),
  supabaseBad("a bare token in that cookie", cookies({ [NAME]: own }), "token_malformed"),
  supabaseBad("the verifier's cookie is none", cookies({ [`${NAME}-code-verifier`]: base64(supabaseSession(own)) }), "no_credential"),

  workos.good("an access token"),
  workos.good("that names no client", { client_id: undefined }),
  workos.good("of a user who is impersonated", { act: { sub: "admin@foocorp.com" } }),
  workos.bad("that names another client", { client_id: "client_other" }, "authorized_party_mismatch"),
  workos.bad("that names another party", { azp: "client_other" }, "authorized_party_mismatch"),
  workos.bad("that names an audience", { aud: "client_other" }, "audience_mismatch"),
  workos.bad("with an empty list for whom it is", { aud: [] }, "audience_mismatch"),
  workos.bad("without a session", { sid: undefined }, "claim_missing"),
  workos.bad("of another environment", { iss: "https://api.workos.com/user_management/client_other" }, "issuer_unknown"),
  workos.bad("of an older environment", { iss: "https://api.workos.com" }, "issuer_unknown"),
  workosOlder.good("an access token"),
  workosOlder.bad("that names another client", { client_id: "client_other" }, "authorized_party_mismatch"),
  workosOlder.bad("without a session", { sid: undefined }, "claim_missing"),

  zitadel.good("an access token"),
  zitadel.bad("an ID token", { jti: undefined, azp: "170086824411201793", at_hash: "x" }, "claim_missing"),
  zitadel.bad("of another application of the project", { client_id: "170086824411201794" }, "authorized_party_mismatch"),
  zitadel.bad("of another project", { aud: ["170086824411201793"] }, "audience_mismatch"),
];
