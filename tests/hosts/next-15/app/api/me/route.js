import { about } from "../../about.js";

export const GET = async () => new Response(await about("me"));
