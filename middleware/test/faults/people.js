// Who is signed in, in the fault matrix.

import { pairOf } from "../../../tests/fakes/better-auth.mjs";

export const SECRET = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";

/** What the auth service says of this session token; `about` another, for what is signed and untrue. */
export function sessionOf(token, about = token) {
  return token.startsWith("alive-") ? pairOf({ token: about, user: "ada", id: "s" }) : null;
}
