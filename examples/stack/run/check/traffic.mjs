// Somebody uses the site for a while: pages, client-side navigation, calls of a script, server actions. Every protected answer is
// recognised by the user's own data in it.

import assert from "node:assert/strict";

import { cacheExpired } from "./waits.mjs";

const KINDS = ["page", "rsc", "api", "action"];
const ROUND = 32;

/**
 * @param {object} person
 * @param {object} goal
 * @param {number} goal.least how many answers at least
 * @param {number} goal.expiries how often the cookie cache has expired at least
 */
export async function mixedRequests(person, { least, expiries }) {
  const { page, email, recorder } = person;
  const begun = await recorder.mark();
  const answers = async () => (await recorder.since(begun)).filter(({ kind }) => KINDS.includes(kind));
  const before = await person.cookie("session_token");
  let expired = 0;
  let notes = 0;

  await page.goto("/account");
  while (expired < expiries || (await answers()).length < least) {
    for (let done = 0; done < ROUND; done += 8) {
      await page.getByRole("link", { name: "Notes", exact: true }).last().click();
      await page.getByTestId("api-user").getByText(email).waitFor();
      notes += 1;
      await page.getByLabel("New note").fill(`note ${notes}`);
      await page.getByRole("button", { name: "Add" }).click();
      await page.getByTestId("notes").getByText(`note ${notes}`, { exact: true }).waitFor();
      await ask(page, 2);
      await page.goto("/notes");
      await page.getByRole("link", { name: "Account", exact: true }).click();
      await page.getByTestId("email").getByText(email).waitFor();
      await ask(page, 1);
      await page.goto("/account");
    }
    await cacheExpired(person);
    expired += 1;
  }
  await page.goto("/notes");

  const seen = await answers();
  const all = await recorder.since(begun);
  const count = (of, holds) => of.filter(holds).length;
  const unwanted = seen.filter(({ status, location }) => status === 401 || (status >= 300 && status < 400) || location !== undefined);
  assert.deepEqual(unwanted.map(({ kind, path, status, location }) => `${kind} ${path} ${status} ${location ?? ""}`), []);
  assert.deepEqual(all.filter(({ status }) => status === 401 || status >= 500).map(({ kind, path, status, decision }) => `${kind} ${path} ${status} ${decision}`), []);
  const strange = seen.filter(({ status, body }) => status !== 200 || !body.includes(email));
  assert.deepEqual(strange.map(({ kind, path, status }) => `${kind} ${path} ${status}`), [], "answers without the user's own data");
  for (const kind of KINDS) assert.ok(count(seen, (entry) => entry.kind === kind) >= 16, `too few of ${kind}`);
  assert.equal((await person.cookie("session_token")).value, before.value, "the session is still the same");

  const renewals = count(all, ({ renewed }) => renewed);
  assert.ok(renewals >= 5, `only ${renewals} renewals`);
  const kinds = KINDS.map((kind) => `${count(seen, (entry) => entry.kind === kind)} ${kind}`).join(", ");
  const without = count(seen, ({ cached }) => !cached);
  return `${seen.length} answers (${kinds}; beside them ${count(all, ({ kind }) => kind === "prefetch")} prefetches), all with the user's data; 0 times 401, 0 redirects; cookie cache expired ${expired} times, ${without} answers without one, ${renewals} renewals`;
}

/** The page's script asks the Python API. */
async function ask(page, times) {
  for (; times > 0; times -= 1) await page.evaluate(() => fetch("/api/notes").then((answer) => answer.text()));
}
