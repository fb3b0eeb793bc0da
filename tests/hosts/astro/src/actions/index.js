import { defineAction } from "astro:actions";

export const server = { secret: defineAction({ accept: "form", handler: async () => "content:action" }) };
