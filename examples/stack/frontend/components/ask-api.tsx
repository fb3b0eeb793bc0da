"use client";

import { useState } from "react";

/** A call of the page's own script. The gate answers it with 401 instead of a redirect; what to do then is the script's business. */
export function AskApi() {
  const [answer, setAnswer] = useState("");

  async function ask() {
    const response = await fetch("/api/notes", { headers: { accept: "application/json" } });
    if (response.status === 401) return window.location.reload();
    setAnswer(`${response.status} ${JSON.stringify(await response.json(), null, 2)}`);
  }

  return (
    <>
      <button type="button" onClick={ask}>
        Ask the Python API
      </button>
      <pre aria-live="polite" hidden={!answer} data-testid="api-answer">
        {answer}
      </pre>
    </>
  );
}
