"use client";

import { createAuthClient } from "better-auth/client";

export const authClient = createAuthClient();

/** The way back that the gate has written into the address. Anybody can write that link: only a path of this site counts. */
export function wayBack(): string {
  const wanted = new URLSearchParams(window.location.search).get("callbackURL");
  const url = new URL(wanted ?? "/account", window.location.origin);
  return url.origin === window.location.origin ? url.pathname + url.search : "/account";
}
