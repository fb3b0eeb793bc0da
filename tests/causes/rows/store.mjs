// Where sessions are stored, and what Better Auth's options make of a sign-in.

import { memoryAdapter } from "better-auth/adapters/memory";
import { jwt } from "better-auth/plugins/jwt";
import { twoFactor } from "better-auth/plugins/two-factor";

import { emptyDatabase, header, PASSWORD, SITE } from "../lab.mjs";

/** Somebody signs in while the doctor looks on: an account that exists. */
const signIn =
  (options, more = {}) =>
  async (lab) => {
    const service = lab.service(options, more.of);
    const { email, jar } = await lab.signedUp(service);
    await more.before?.({ lab, service, jar, email });
    return lab.serve(service, {
      flags: ["--sign-in", email],
      env: { DOORWARD_PASSWORD: PASSWORD },
      ...more.serve?.(lab, service),
    });
  };

/** A store whose calls go through `through`. */
function store(through) {
  const db = emptyDatabase();
  const make = memoryAdapter(db);
  const database = (options) => {
    const adapter = make(options);
    return new Proxy(adapter, {
      get: (target, name) =>
        ["findOne", "findMany", "create", "update", "delete", "deleteMany", "count"].includes(name)
          ? (question) => through(name, question, () => target[name](question))
          : target[name],
    });
  };
  return database;
}

const refused = () => {
  throw Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:5432"), { code: "ECONNREFUSED" });
};

/** A pasted cookie of somebody who is signed in at the first service, at the address of the second. */
const elsewhere = (options) => async (lab) => {
  const { jar } = await lab.signedUp(lab.service(options));
  return lab.serve(lab.service(options), { cookie: header(jar) });
};

const NO_CACHE = { session: {} };

function secondary(change = {}) {
  const kept = new Map();
  return {
    get: (key) => kept.get(key) ?? null,
    set: (key, value) => void kept.set(key, value),
    delete: (key) => void kept.delete(key),
    ...change(kept),
  };
}

export default [
  {
    name: "a session of another database",
    quick: true,
    cause: "session-not-in-store",
    certainty: "strong",
    start: elsewhere(NO_CACHE),
  },
  {
    name: "a session that was deleted",
    cause: "session-not-in-store",
    certainty: "strong",
    start: async (lab) => {
      const service = lab.service(NO_CACHE);
      const { jar } = await lab.signedUp(service);
      service.db.session.length = 0;
      return lab.serve(service, { cookie: header(jar) });
    },
  },
  {
    name: "two instances with stores of their own, in turn",
    cause: "session-not-in-store",
    certainty: "proof",
    start: async (lab) => {
      const instances = [lab.service(NO_CACHE), lab.service(NO_CACHE)];
      const { jar } = await lab.signedUp(instances[0]);
      let asked = 0;
      return lab.serve(instances[0], {
        cookie: header(jar),
        handler: (req, res) => instances[asked++ % 2].handler(req, res),
      });
    },
  },
  {
    name: "a session of another database, hidden by the cookie cache",
    cause: "store-hidden-by-cache",
    certainty: "proof",
    start: elsewhere({ plugins: [] }),
  },
  {
    name: "the database is down",
    quick: true,
    cause: "database-unreachable",
    certainty: "strong",
    start: (lab) => lab.serve(lab.service({ database: store(refused) })),
  },
  {
    name: "the database is down, and there is no jwt plugin",
    cause: "database-unreachable",
    certainty: "strong",
    start: (lab) => lab.serve(lab.service({ database: store(refused), plugins: [] })),
  },
  {
    name: "the table of keys is not there",
    cause: "schema-not-migrated",
    certainty: "strong",
    start: (lab) => {
      const missing = (_, question, next) => {
        if (question.model === "jwks") throw new Error('relation "jwks" does not exist');
        return next();
      };
      return lab.serve(lab.service({ database: store(missing) }));
    },
  },
  {
    name: "a secondary storage that makes JSON twice",
    cause: "secondary-storage-broken",
    certainty: "strong",
    start: async (lab) => {
      const service = lab.service({
        secondaryStorage: secondary((kept) => ({
          get: (key) => (kept.has(key) ? JSON.stringify(kept.get(key)) : null),
        })),
        ...NO_CACHE,
      });
      const { jar } = await lab.signedUp(service);
      return lab.serve(service, { cookie: header(jar) });
    },
  },
  {
    name: "a secondary storage that shows what was written a second later",
    cause: "kv-eventual",
    certainty: "strong",
    start: signIn({
      secondaryStorage: secondary((kept) => ({
        set: (key, value) => void setTimeout(() => kept.set(key, value), 1000).unref(),
      })),
      ...NO_CACHE,
    }),
  },
  {
    name: "the same, and the cookie cache knows it at once",
    cause: "kv-eventual",
    certainty: "strong",
    start: signIn({
      secondaryStorage: secondary((kept) => ({
        set: (key, value) => void setTimeout(() => kept.set(key, value), 1000).unref(),
      })),
    }),
  },
  ...["NSSSS", "SNSNS", "NNSSN", "NSNNN", "SSNSS", "NNNNS", "NSSSN"].map((course) => ({
    name: `two instances with stores of their own, at random: ${course}`,
    cause: "session-not-in-store",
    certainty: "proof",
    start: async (lab) => {
      const db = emptyDatabase();
      const [one, other] = [
        lab.service({ ...NO_CACHE, plugins: [] }),
        lab.service({ ...NO_CACHE, plugins: [] }, { db }),
      ];
      const { email } = await lab.signedUp(one);
      db.user.push(...one.db.user);
      db.account.push(...one.db.account);
      const drawn = [
        ...course,
        ...Array(20)
          .fill()
          .map((_, at) => "NS"[(at + 1) % 2]),
      ];
      let asked = 0;
      const isLookup = ({ headers, url }) =>
        url.includes("/get-session?") && /session_token=/.test(headers.cookie ?? "");
      let isIn = false;
      return lab.serve(one, {
        handler: (req, res) => {
          isIn ||= req.url.includes("/sign-in/");
          const there = isIn && isLookup(req) && drawn[asked++] === "N" ? other : one;
          return there.handler(req, res);
        },
        flags: ["--sign-in", email],
        env: { DOORWARD_PASSWORD: PASSWORD },
      });
    },
  })),
  {
    name: "a column without a time zone: sessions end two hours before they begin",
    cause: "timezone-columns",
    certainty: "strong",
    start: signIn({
      ...NO_CACHE,
      session: { expiresIn: 3600 },
      database: store(async (name, question, next) => {
        const row = await next();
        if (question.model === "session" && name === "findOne" && row?.expiresAt)
          return { ...row, expiresAt: new Date(+new Date(row.expiresAt) - 7_200_000) };
        if (question.model === "session" && name === "findMany")
          return row.map((each) => ({ ...each, expiresAt: new Date(+new Date(each.expiresAt) - 7_200_000) }));
        return row;
      }),
    }),
  },
  {
    name: "a second factor is outstanding",
    // `--sign-in` was asked for, and Better Auth notes what is outstanding.
    writes: true,
    cause: "two-factor-pending",
    certainty: "proof",
    start: signIn(
      { plugins: [jwt(), twoFactor()] },
      { before: ({ service }) => void (service.db.user[0].twoFactorEnabled = true) },
    ),
  },
  {
    name: "the address is not verified",
    cause: "email-not-verified",
    certainty: "proof",
    start: async (lab) => {
      const service = lab.service();
      const { email } = await lab.signedUp(service);
      const strict = lab.service(
        { emailAndPassword: { enabled: true, requireEmailVerification: true, password: cheapLike(service) } },
        { db: service.db },
      );
      return lab.serve(strict, { flags: ["--sign-in", email], env: { DOORWARD_PASSWORD: PASSWORD } });
    },
  },
  {
    name: "sessions live for a second",
    cause: "session-short",
    certainty: "strong",
    start: signIn({ session: { expiresIn: 1 } }),
  },
  {
    name: "sessions live for ten minutes, meant as minutes for days",
    cause: "session-short",
    certainty: "strong",
    start: signIn({ session: { expiresIn: 60 * 5 } }),
  },
  {
    name: "no database is configured although there is a URL of one",
    cause: "stateless-by-accident",
    certainty: "strong",
    start: (lab) =>
      lab.serve(lab.service({ database: undefined }), {
        env: { DATABASE_URL: "postgres://notes:hunter2secret@db.internal/notes" },
      }),
  },
  {
    name: "checks of the origin are switched off",
    hint: "origin-check-off",
    start: (lab) => lab.serve(lab.service({ advanced: { disableCSRFCheck: true } })),
  },
  {
    name: "a session's token as a bearer token, without the plugin",
    cause: "bearer-plugin-missing",
    certainty: "strong",
    or: ["wrong-token-sent"],
    start: async (lab) => {
      const service = lab.service(NO_CACHE);
      const { jar } = await lab.signedUp(service);
      return lab.serve(service, { token: decodeURIComponent(jar["__Secure-better-auth.session_token"]) });
    },
  },
  {
    name: "betterAuth in the module of a Worker: the second request fails",
    cause: "workers-global-instance",
    certainty: "strong",
    or: ["database-unreachable"],
    start: async (lab) => {
      let asked = 0;
      const once = (_, __, next) => (asked++ < 1 ? next() : refused());
      const service = lab.service({ database: store(once) });
      return lab.serve(service);
    },
  },
];

function cheapLike(service) {
  return service.auth.options.emailAndPassword.password;
}
