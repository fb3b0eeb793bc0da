// What users ask, in words that they may type, and where the answer stands. The test of the site
// counts how far it is.

export const QUESTIONS = [
  { question: "make /pricing public", typed: "public page", answers: ["docs/README.md#make-a-page-public"] },
  { question: "let only admins in", typed: "admin role", answers: ["docs/README.md#let-only-admins-in"] },
  { question: "an API with JWTs", typed: "api jwt", answers: ["docs/README.md#accept-jwts-in-an-api"] },
  { question: "preview deployments", typed: "preview deployments", answers: ["docs/README.md#preview-deployments", "docs/deploy/vercel.md#preview-addresses"] },
  { question: "revoke a session now", typed: "revoke session", answers: ["docs/README.md#revoke-a-session-now", "docs/revocation.md#the-deny-list"] },
  { question: "rotate a secret", typed: "rotate secret", answers: ["docs/README.md#rotate-the-secret", "docs/guides/rotation.md#the-better-auth-secret", "docs/guides/rotation.md"] },
  { question: "why do I get a 401", typed: "401", answers: ["docs/README.md#why-do-i-get-a-401", "docs/guides/troubleshooting.md", "docs/guides/troubleshooting.md#3-look-at-the-reason-of-a-401"] },
  { question: "behind nginx", typed: "nginx", answers: ["docs/README.md#behind-nginx-or-another-proxy"] },
  { question: "local development over http", typed: "local http", answers: ["docs/README.md#develop-locally-over-http"] },
  { question: "upload size", typed: "upload", answers: ["docs/README.md#upload-large-files"] },
];
