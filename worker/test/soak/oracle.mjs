// What is right, told by somebody who knows who is really signed in and has never seen the gate's inside.

import { privateText } from "./world.mjs";

/** How long the gate may remember what the auth service said, in seconds; the soak's configuration says the same. */
export const SESSION_CACHE_SECONDS = 2;
/** An answer of the auth service is on its way for so long at most, in milliseconds, when nothing slows it down: both cores are busy. */
const ON_ITS_WAY = 1000;

/**
 * What is wrong about an answer; nothing if it is right.
 *
 * @param {import("./world.mjs").World} world
 * @param {object} credential what was sent: `user`, `isGood(sent, answered)`, `mayPass(sent)`, and `reasons` of a refusal
 */
export function objection(world, credential, { sent, answered, status, body, cookies }) {
  if (status === 200) {
    if (body !== JSON.stringify({ text: privateText(credential.user) })) return `somebody else's data: ${body.slice(0, 60)}`;
    return credential.mayPass(sent) ? undefined : "let through";
  }
  const isDoubtful = world.isDoubtful(sent, answered);
  const isGood = credential.isGood(sent, answered);
  if (isGood && cookies.some((line) => line.includes("Max-Age=0"))) return "deleted the cookies of somebody who is signed in";
  if (status === 503) return isDoubtful && credential.mayBeDoubted ? undefined : `in doubt without a cause: ${reasonOf(body)}`;
  if (isGood) return `refused: ${status} ${reasonOf(body)}`;
  if (status === 307) return credential.isDocument ? undefined : "redirected a call";
  if (status !== 401 && status !== 403) return `status ${status}`;
  return credential.reasons.includes(reasonOf(body)) ? undefined : `refused for another reason: ${reasonOf(body)}`;
}

/** A session by its cookies. Without a cache of its own in the request only the auth service's word counts. */
export function sessionCredential(session, { isDocument, hasCache }) {
  const { cachedUntil } = session;
  const passesUntil = () => Math.max(session.endedAt + SESSION_CACHE_SECONDS * 1000 + ON_ITS_WAY, hasCache ? cachedUntil : 0);
  return {
    user: session.user,
    isDocument,
    mayBeDoubted: true,
    isGood: (sent, answered) => answered < session.endedAt,
    mayPass: (sent) => sent <= passesUntil(),
    reasons: ["session_ended"],
  };
}

/** A JWT: good until it expires, and five seconds longer (`clock_tolerance_seconds`). */
export const jwtCredential = (user, until) => ({
  user,
  mayBeDoubted: true,
  isGood: (sent, answered) => answered < until,
  mayPass: (sent) => sent < until + 5000,
  reasons: ["token_expired"],
});

/** What is nobody's, whatever it says. */
export const forgery = (reasons, mayBeDoubted = false) => ({
  user: "nobody",
  mayBeDoubted,
  isGood: () => false,
  mayPass: () => false,
  reasons,
});

const reasonOf = (body) => /"reason":"(\w+)"/.exec(body)?.[1] ?? body.slice(0, 60);
