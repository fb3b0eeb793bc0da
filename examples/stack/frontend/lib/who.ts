import { headers } from "next/headers";

export interface Who {
  id: string;
  email: string;
  /** How the gate knows: `cookie-cache` or `auth-service`. */
  source: string;
}

/** Who is asking, as the gate has verified it; nobody on a public page. No client can send these headers past the gate. */
export async function who(): Promise<Who | undefined> {
  const given = await headers();
  const id = given.get("x-doorward-subject");
  if (id === null) return undefined;
  const text = (name: string) => decodeURIComponent(given.get(`x-doorward-${name}`) ?? "");
  return { id: decodeURIComponent(id), email: text("email"), source: text("source") };
}

/** The same on a page that asks for a session: the gate lets nobody else in, so an error here means that it was gone around. */
export async function requiredWho(): Promise<Who> {
  const someone = await who();
  if (!someone) throw new Error("a protected page was reached without the gate");
  return someone;
}
