"use client";

import { useState } from "react";

import { authClient } from "@/lib/auth-client";

export function SignOut() {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  async function leave() {
    setBusy(true);
    const { error } = await authClient.signOut();
    setBusy(false);
    if (error) return setProblem(error.message ?? "The auth service did not answer.");
    // Not by the router: it keeps pages, and those are not for whoever comes next.
    window.location.assign("/");
  }

  return (
    <>
      <button className="quiet" type="button" onClick={leave} disabled={busy}>
        Sign out
      </button>
      {problem && <span role="alert">{problem}</span>}
    </>
  );
}
