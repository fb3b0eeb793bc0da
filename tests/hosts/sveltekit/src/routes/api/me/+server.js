import { about } from "#lib/about.js";

export const GET = async (event) => new Response(await about("me", event));
