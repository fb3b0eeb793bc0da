import { about } from "../../about.js";

export const POST = async (context) => new Response(`${await about("note", context)} bytes:${(await context.request.arrayBuffer()).byteLength}`);
