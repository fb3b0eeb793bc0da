export default defineNuxtConfig({
  compatibilityDate: "2026-11-01",
  telemetry: false,
  routeRules: { "/prerendered": { prerender: true }, "/cached": { swr: true } },
  nitro: { experimental: { websocket: true } },
});
