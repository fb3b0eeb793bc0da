// Every row. A row says what is started, and what the doctor has to find:
//
//   name       what is broken, or what is healthy and unusual
//   cause      the cause that comes first, with its certainty; null: nothing is wrong
//   or         causes that may come first in its place, where two names say the same of one fault
//   also       causes that may stand beside it
//   explained  causes that `doorward explain` may name as well, of what is pasted
//   hint       for rows where nothing is certain: the hint that is given
//   quick      it is one of the rows of the short run
//   packed     it is played out of the packed npm package as well
//   writes     the flags ask for what writes into the store
//   needs      a program of the system
//   start      starts it; what it returns is the doctor's URL, flags, environment and files;
//              `by`: words before the program's name

import api from "./api.mjs";
import browsers from "./browsers.mjs";
import cookies from "./cookies.mjs";
import deployed from "./deployed.mjs";
import environment from "./environment.mjs";
import gate from "./gate.mjs";
import healthy from "./healthy.mjs";
import instances from "./instances.mjs";
import jwt from "./jwt.mjs";
import network from "./network.mjs";
import nginx from "./nginx.mjs";
import pairs from "./pairs.mjs";
import proxies from "./proxies.mjs";
import store from "./store.mjs";
import unusual from "./unusual.mjs";
import versions from "./versions.mjs";

const GROUPS = {
  environment,
  cookies,
  network,
  jwt,
  store,
  api,
  gate,
  browsers,
  deployed,
  nginx,
  proxies,
  versions,
  instances,
  pairs,
  healthy,
  unusual,
};

export const ROWS = Object.entries(GROUPS).flatMap(([group, rows]) => rows.map((row) => ({ group, ...row })));
