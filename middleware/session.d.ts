/** Who is asking, as the gate has verified it. */
export interface Session {
  /** The user. */
  subject: string;
  sessionId: string | undefined;
  email: string | undefined;
  /** The configured name of the issuer who vouched for the user. */
  issuer: string;
  /** How the gate knows: `jwt`, `cookie-cache`, `auth-service` or `storage`. */
  source: string;
  /** When the session ends, in seconds since 1970. */
  expires: number;
  /** Mapped claims (`headers` in the configuration), by their configured name. */
  claims: Record<string, unknown>;
  /** Names of claims that were too long to be told here. */
  omitted?: string[];
}

/** Why it cannot be told who is asking. */
export type NotGatedReason =
  | "mark_missing"
  | "mark_secret"
  | "mark_malformed"
  | "mark_signature"
  | "mark_expired"
  | "mark_not_yet_valid"
  | "mark_host"
  | "mark_method"
  | "mark_path"
  | "mark_credential";

/** It cannot be told who is asking, not even that the request is anonymous: the gate did not run for this request, or it cannot be verified. */
export class NotGated extends Error {
  constructor(reason: NotGatedReason, sentence?: string);
  readonly reason: NotGatedReason;
}
