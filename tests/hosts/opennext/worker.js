import { createGate } from "doorward";
import config from "./doorward.json";
import next from "./.open-next/worker.js"; // made by `opennextjs-cloudflare build`

export { BucketCachePurge, DOQueueHandler, DOShardedTagCache } from "./.open-next/worker.js";

let gate;

export default {
  fetch(request, env, context) {
    gate ??= createGate({ config, env, marks: true }); // variables and secrets come with the request; `session` reads a mark
    return gate.handle(request, (onward) => next.fetch(onward, env, context), {
      usesArgument: true,
      waitUntil: (work) => context.waitUntil(work),
      clientAddress: request.headers.get("cf-connecting-ip") ?? undefined,
    });
  },
};
