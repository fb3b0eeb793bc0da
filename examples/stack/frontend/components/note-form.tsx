"use client";

import { useActionState } from "react";

import { addNote } from "@/app/notes/actions";

export function NoteForm() {
  const [{ problem }, submit, busy] = useActionState(addNote, { problem: "" });
  return (
    <form className="card row" action={submit}>
      <label>
        New note
        <input name="text" required maxLength={200} autoComplete="off" />
      </label>
      <button disabled={busy}>Add</button>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
