import { about } from "../../about.js";

export const POST = async (request) => new Response(`${await about("note")} bytes:${(await request.arrayBuffer()).byteLength}`);
