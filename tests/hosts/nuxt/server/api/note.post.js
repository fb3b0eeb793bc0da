import { about } from "~~/lib/about.js";

export default defineEventHandler(async (event) => `${await about("note", event)} bytes:${(await readRawBody(event, false)).length}`);
