import { about } from "~~/lib/about.js";

export default defineEventHandler((event) => about("me", event));
