// Why an assertion is not believed: a table of stable codes, and the one exception.

/**
 * Status and sentence of each reason. 401 only where nobody has said who it is: everything else would take a fault between gate
 * and origin for a sign-out.
 */
export const reasons = Object.freeze({
  assertion_missing: [401, "there is no assertion, so nobody is signed in here"],
  assertion_ambiguous: [403, "there is more than one assertion"],
  assertion_malformed: [403, "the assertion is not a JWS in compact form with JSON objects in it"],
  assertion_type: [403, '"typ" is not "doorward-assertion+jwt"'],
  assertion_algorithm: [403, '"alg" is not that of the key'],
  assertion_key_unknown: [403, '"kid" names none of the gate\'s keys'],
  assertion_signature: [403, "the signature does not hold"],
  assertion_claims: [403, "a claim is missing or of the wrong type"],
  assertion_issuer: [403, '"iss" is not the expected gate'],
  assertion_audience: [403, '"aud" is not this origin'],
  assertion_life: [403, "the assertion is made to live for more than 60 seconds, or not at all"],
  assertion_expired: [403, "the assertion has expired"],
  assertion_not_yet_valid: [403, "the assertion is from the future; the clocks of gate and origin differ"],
  assertion_method: [403, "the assertion is for another method"],
  assertion_host: [403, "the assertion is for another host"],
  assertion_target: [403, "the assertion is for another path or query"],
  assertion_replayed: [403, "the assertion has been used before"],
  keys_unavailable: [503, "the gate's keys cannot be fetched"],
});

const TITLES = { 401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable" };

/** The request does not come from the gate as it stands, or the keys are away. Nothing in here is secret. */
export class AssertionRefused extends Error {
  /** @param {keyof typeof reasons} reason  @param {string} [hint] what to do about it, where this side can know */
  constructor(reason, hint) {
    const [status, sentence] = reasons[reason];
    super(`${reason}: ${sentence}`);
    this.name = "AssertionRefused";
    this.reason = reason;
    this.status = status;
    this.sentence = sentence;
    this.hint = hint;
  }

  /** Headers of an answer that says so. */
  headers() {
    const headers = { "content-type": "application/problem+json", "cache-control": "private, no-store" };
    if (this.status === 401) headers["www-authenticate"] = "Bearer"; // RFC 9110 section 15.5.2
    if (this.status === 503) headers["retry-after"] = "5";
    return headers;
  }

  /** The answer's body, of RFC 9457; the same shape as the gate's own. */
  body() {
    const { reason, status, sentence } = this;
    return JSON.stringify({ type: `urn:doorward:reason:${reason}`, title: TITLES[status], status, detail: sentence, reason });
  }

  toResponse() {
    return new Response(this.body(), { status: this.status, headers: this.headers() });
  }
}
