import { about } from "../about.server.js";

export const action = async (args) => new Response(`${await about("note", args)} bytes:${(await args.request.arrayBuffer()).byteLength}`);
