"use server";

import { revalidatePath } from "next/cache";

import { callApi } from "@/lib/api";

/** Writes a note. Who it is for says the token that the API gets, nothing that the browser sends. */
export async function addNote(_: { problem: string }, form: FormData): Promise<{ problem: string }> {
  const text = String(form.get("text") ?? "").trim();
  if (!text) return { problem: "Write something first." };
  const answer = await callApi("/api/notes", { method: "POST", body: JSON.stringify({ text }) });
  if (!answer.ok) return { problem: `The note was not kept (${answer.status}). Try again.` };
  revalidatePath("/notes");
  return { problem: "" };
}
