// Why an assertion is refused: a table of stable codes, and the error that carries one.

/**
 * Status and sentence of each reason. 401 only where there is no assertion: otherwise a fault between gate and origin would look
 * like a sign-out.
 */
export const reasons = Object.freeze({
  assertion_missing: [401, "The request has no assertion"],
  assertion_ambiguous: [403, "The request has more than one assertion"],
  assertion_malformed: [403, "The assertion is malformed"],
  assertion_type: [403, 'The type ("typ") is not "doorward-assertion+jwt"'],
  assertion_algorithm: [403, 'The algorithm ("alg") is not that of the key'],
  assertion_key_unknown: [403, 'The gate\'s key set has no key with this "kid"'],
  assertion_signature: [403, "The signature is invalid"],
  assertion_claims: [403, "A claim is missing or has the wrong type"],
  assertion_issuer: [403, 'The issuer ("iss") is not the expected gate'],
  assertion_audience: [403, 'The assertion is for another origin ("aud")'],
  assertion_lifetime: [403, "The lifetime of the assertion is longer than 60 seconds, or not positive"],
  assertion_expired: [403, "The assertion has expired"],
  assertion_not_yet_valid: [403, "The assertion is not valid yet: the clocks of gate and origin differ"],
  assertion_method: [403, "The assertion is for another method"],
  assertion_host: [403, "The assertion is for another host"],
  assertion_target: [403, "The assertion is for another path or query"],
  assertion_replayed: [403, "The assertion has been used before"],
  keys_unavailable: [503, "The gate's key set could not be fetched"],
});

const TITLES = { 401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable" };

/** The assertion does not prove that this request comes from the gate, or the keys are not available. Nothing in here is secret. */
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
