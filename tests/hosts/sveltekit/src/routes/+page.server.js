import { about } from "#lib/about.js";

export const load = async (event) => ({ text: await about("home", event) });
