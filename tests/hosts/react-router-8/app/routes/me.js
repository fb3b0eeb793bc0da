import { about } from "../about.server.js";

export const loader = async (args) => new Response(await about("me", args));
