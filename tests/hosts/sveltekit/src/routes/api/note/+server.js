import { about } from "#lib/about.js";

export const POST = async (event) => new Response(`${await about("note", event)} bytes:${(await event.request.arrayBuffer()).byteLength}`);
