"use client";

import { type SubmitEvent, useEffect, useState } from "react";

import { authClient, wayBack } from "@/lib/auth-client";

const SIGN_UP = { title: "Sign up", other: "/sign-in", question: "You have an account?", answer: "Sign in" };
const SIGN_IN = { title: "Sign in", other: "/sign-up", question: "No account yet?", answer: "Sign up" };

/** Sign-in and sign-up: afterwards it goes where the gate was asked to go before. */
export function AccountForm({ isNew }: { isNew: boolean }) {
  const { title, other, question, answer } = isNew ? SIGN_UP : SIGN_IN;
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const [query, setQuery] = useState("");
  // What a form does before its script is there would put the password into the address.
  const [ready, setReady] = useState(false);
  useEffect(() => (setQuery(window.location.search), setReady(true)), []);

  async function enter(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    setBusy(true);
    const form = new FormData(event.currentTarget);
    const field = (name: string) => String(form.get(name) ?? "");
    const account = { email: field("email"), password: field("password") };
    const { error } = isNew ? await authClient.signUp.email({ ...account, name: field("name") }) : await authClient.signIn.email(account);
    if (!error) return window.location.assign(wayBack());
    setBusy(false);
    setProblem(error.message ?? "The auth service did not answer.");
  }

  return (
    <>
      <h1>{title}</h1>
      <form className="card" method="post" onSubmit={enter}>
        {isNew && (
          <label>
            Name
            <input name="name" autoComplete="name" required autoFocus />
          </label>
        )}
        <label>
          E-mail
          <input name="email" type="email" autoComplete="email" required autoFocus={!isNew} />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete={isNew ? "new-password" : "current-password"} required minLength={8} />
        </label>
        <button disabled={busy || !ready}>{title}</button>
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
      </form>
      <p className="quiet-text">
        {question} <a href={other + query}>{answer}</a>
      </p>
    </>
  );
}
