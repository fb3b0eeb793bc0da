import { about } from "../../about.js";

export const GET = async (context) => new Response(await about("me", context));
