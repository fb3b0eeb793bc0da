// The wrong set-up: a Worker in which nothing calls the gate.
import { session } from "doorward/session";

export default {
  fetch: async (request) => new Response(`content:dashboard who:${(await session(request))?.subject}`),
};
