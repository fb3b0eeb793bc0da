import type { Session } from "./session.js";

// What the types of Express make their request of.
declare global {
  namespace Express {
    interface Request {
      /**
       * Who is asking, by the gate in this process or by an assertion; `null` for an anonymous request that the gate has let on. Nothing where
       * neither ran: `session(req)` throws there.
       */
      doorward?: (Session & { assertionId?: string }) | null;
    }
  }
}

export {};
