// Who is asking: what the gate has verified, under the names that applications read.

/**
 * @param {object} claims what an assertion, a mark or the engine says about somebody
 * @returns {import("./session.js").Session}
 */
export function sessionOf({ sub, sid, email, idp, src, sess_exp, claims = {} }) {
  return { subject: sub, sessionId: sid, email, issuer: idp, source: src, expires: sess_exp, claims };
}

/** Why the identity of a request is not known, by stable code. */
const SENTENCES = {
  mark_missing: "the gate did not run for this request: include its path in the matcher of proxy.ts, and let no request reach the application without the gate",
  mark_secret: "there is no secret to verify marks with: set DOORWARD_MARK_SECRET, at least 32 bytes, for gate and application",
  mark_malformed: "the mark is malformed",
  mark_signature: "the signature of the mark is invalid: set DOORWARD_MARK_SECRET to the same value for gate and application",
  mark_expired: "the mark has expired: call session() within 30 seconds after the gate has run; later calls for the same request are answered from memory",
  mark_not_yet_valid: "the mark is not valid yet: the clocks of gate and application differ",
  mark_host: "the mark is for another host",
  mark_method: "the mark is for another method",
  mark_path: "the mark is for another path",
  mark_credential: "the mark is for another credential",
};

/** It is not known whose request this is, nor that it is anonymous. Nothing in here is secret. */
export class NotGated extends Error {
  /** @param {keyof typeof SENTENCES} reason  @param {string} [sentence] in place of the usual one */
  constructor(reason, sentence = SENTENCES[reason]) {
    super(`doorward: ${reason}: ${sentence}`);
    this.name = "NotGated";
    this.reason = reason;
  }
}
