// Who is asking: what the gate has verified, under the names that applications read.

/**
 * @param {object} claims what an assertion, a mark or the engine says about somebody
 * @returns {import("./session.js").Session}
 */
export function sessionOf({ sub, sid, email, idp, src, sess_exp, claims = {} }) {
  return { subject: sub, sessionId: sid, email, issuer: idp, source: src, expires: sess_exp, claims };
}

/** Why there is no answer to who is asking, by stable code. */
const SENTENCES = {
  mark_missing: "the gate did not run for this request: let the matcher of proxy.ts cover it, and let nothing reach the application past it",
  mark_secret: "there is no secret to read marks with: set DOORWARD_MARK_SECRET, at least 32 bytes, for gate and application",
  mark_malformed: "the mark is not one that the gate writes",
  mark_signature: "the mark is not this gate's, or gate and application have different secrets: set DOORWARD_MARK_SECRET for both",
  mark_expired: "the mark has expired: ask within 30 seconds after the gate has run, once; later calls for the same request are answered from memory",
  mark_not_yet_valid: "the mark is from the future: the clocks of gate and application differ",
  mark_host: "the mark is for another host",
  mark_method: "the mark is for another method",
  mark_path: "the mark is for another path",
  mark_credential: "the mark is for another credential",
};

/** Nobody can say who is asking, not even that it is nobody. Nothing in here is secret. */
export class NotGated extends Error {
  /** @param {keyof typeof SENTENCES} reason  @param {string} [sentence] in place of the usual one */
  constructor(reason, sentence = SENTENCES[reason]) {
    super(`doorward: ${reason}: ${sentence}`);
    this.name = "NotGated";
    this.reason = reason;
  }
}
