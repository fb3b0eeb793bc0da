// Stories of several requests: one person alone with her session, so that it is known which answer came before which.
//
// A page is under way at the origin, held there, while her browser does something that changes her session; its response comes last.
// Whatever it brings, and whatever the origin is told from then on, must not be from before the change.

import { privateText, versionOf, versionSet } from "./world.mjs";

/**
 * The stories, by name. Each takes a random number below 1 and is over when all of its requests are.
 *
 * @param {object} soak what it is made of
 * @param {import("./world.mjs").World} soak.world
 * @param {(target: string, method: string, headers: object) => Promise<object>} soak.exchange
 * @param {string} soak.origin under which the browser sees the site
 * @param {(what: string, sent: number, answered: number) => void} soak.object
 */
export function storiesOf({ world, exchange, origin, object }) {
  let number = 0;
  return { "organisation switch": switches, "sign-out in flight": signsOut };

  /** Own writes are read back at once, by pages and by writes, and a response that was under way undoes none. */
  async function switches(dice) {
    const person = newcomer(dice);
    for (let round = 0; round < 3; round++) {
      await meanwhile(person, async () => {
        const { status, body } = await ask(person, "/api/auth/organization/set-active", "POST");
        if (status === 200) person.answered = JSON.parse(body).version;
      });
      await Promise.all([ask(person, "/api/me", "POST"), ask(person, "/app"), ask(person, "/api/me")]);
    }
    await ask(person, "/api/auth/sign-out", "POST");
  }

  /** Who has signed out stays signed out, and what she had kept of her cookies is nobody's. */
  async function signsOut(dice) {
    const person = newcomer(dice);
    const kept = { ...person, jar: { "better-auth.session_token": person.jar["better-auth.session_token"] } };
    await ask(person, "/app");
    await meanwhile(person, async () => {
      const { status } = await ask(person, "/api/auth/sign-out", "POST");
      person.isOut = kept.isOut = status === 200;
    });
    await Promise.all([ask(person, "/app"), ask(person, "/api/me", "POST"), ask(kept, "/api/me"), ask(kept, "/app")]);
  }

  /** While a page of hers is at the origin. */
  async function meanwhile(person, change) {
    const target = `/app/held-${(number += 1)}`;
    const release = world.hold(target);
    const held = ask(person, target);
    // As long as a quick question takes: it is there by then, or waits for an answer in a fault.
    await Promise.race([held, new Promise((resolve) => setTimeout(resolve, 30))]);
    try {
      await change();
    } finally {
      release();
      await held;
    }
  }

  /** Somebody whose cookie cache is new, near its end, or not there: the gate believes it, renews it, or asks. */
  function newcomer(dice) {
    const { session, cookies } = world.signIn(`story-${(number += 1)}`, dice < 0.3 ? 2700 : 0);
    if (dice > 0.6) delete cookies["better-auth.session_data"];
    return { session, jar: cookies, answered: 0, isOut: false };
  }

  /** Sends a request of hers, and judges its answer by what she had been answered before. */
  async function ask(person, target, method = "GET") {
    const [floor, wasOut, sent] = [person.answered, person.isOut, Date.now()];
    const cookie = Object.entries(person.jar).map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await exchange(target, method, { cookie, ...(method === "POST" && { origin }) });
    const answered = Date.now();
    const isPublic = target.startsWith("/api/auth/");
    const told = versionOf(answer.headers["x-told-organisation"]);
    const wrong = (what) => object(what, sent, answered);
    if (answer.status === 200 && !isPublic) {
      if (wasOut) wrong("let through after the sign-out had been answered");
      if (told < floor || Number.isNaN(told)) wrong(`the origin is told org-${told} after org-${floor} had been answered`);
      if (answer.body !== JSON.stringify({ text: privateText(person.session.user) })) wrong("somebody else's data");
    }
    const isDoubtful = world.isDoubtful(sent, answered);
    if (answer.status === 503 && !isDoubtful) wrong(`in doubt without a cause: ${reasonOf(answer.body)}`);
    if (![200, 503].includes(answer.status) && answered < person.session.endedAt) wrong(`refused: ${answer.status} ${reasonOf(answer.body)}`);
    for (const line of answer.cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (!isPublic && value !== "" && name.includes("session_")) {
        if (person.isOut) wrong("a late response brings the session back");
        if (versionSet(line) < person.answered) wrong("a late response brings an old organisation back");
      }
      if (value === "") delete person.jar[name];
      else person.jar[name] = value;
    }
    return answer;
  }
}

const reasonOf = (body) => /"reason":"(\w+)"/.exec(body)?.[1] ?? body.slice(0, 60);
