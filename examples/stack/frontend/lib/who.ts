import { createVerifier, type Verifier } from "doorward/origin";
import { headers } from "next/headers";
import { cache } from "react";

import { settings } from "./settings";

export interface Who {
  id: string;
  email: string;
  /** How the gate knows: `cookie-cache` or `auth-service`. */
  source: string;
}

let verifier: Verifier | undefined;

/**
 * Who is asking, by what the gate has signed; nobody on a public page. This app stands behind the gate of another host as well, the
 * Worker: an assertion reaches it from there. With `proxy.ts` alone, `session()` of `doorward/next` says it without any of this. Other headers are not looked at: whoever reaches this app past the
 * gate can write them. A server component does not know its request, so this is not bound to one: what was signed for one page of this app
 * is good for another while it lives, 30 seconds.
 */
export const who = cache(async (): Promise<Who | undefined> => {
  const given = await headers();
  const { gate } = settings;
  verifier ??= createVerifier({ audience: "jotter", host: gate.host, keys: new URL("/.well-known/doorward/jwks.json", gate) });
  if (!verifier.has(given)) return undefined;
  const { subject, email = "", source } = await verifier.readSession(given);
  return { id: subject, email, source };
});

/** The same on a page that asks for a session: the gate lets nobody else in, so an error here means that it was gone around. */
export async function requiredWho(): Promise<Who> {
  const someone = await who();
  if (!someone) throw new Error("a protected page was reached without the gate");
  return someone;
}
