// Whom a verifier has found in a request. The middleware takes the header away: the next one with the same verifier, on a part of the
// site that asks for more, would find nothing, and with a store it would take the same assertion for a replay.

const found = new WeakMap();

/** @returns {object | undefined} the session that this very verifier has found there: what is good enough for another proves nothing to it */
export function foundBy(verifier, request) {
  return found.get(request)?.get(verifier);
}

export function remember(verifier, request, session) {
  if (!session) return;
  if (!found.has(request)) found.set(request, new Map());
  found.get(request).set(verifier, session);
}
