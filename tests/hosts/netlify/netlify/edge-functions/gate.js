import { createGate } from "doorward";
import config from "../../doorward.json" with { type: "json" };

const gate = createGate({ config, env: Deno.env.toObject(), publicOrigin: Deno.env.get("PUBLIC_ORIGIN") });

export default (request, context) =>
  gate.handle(request, (onward) => context.next(onward), {
    usesArgument: true, // context.next answers the request that it is given
    waitUntil: (work) => context.waitUntil(work),
    clientAddress: context.ip,
  });
