// Each variant of the app (proxy.ts, middleware.ts, …) is built into a folder of its own.
const locales = process.env.APP_LOCALES?.split(",");

export default {
  distDir: process.env.APP_DIST,
  basePath: process.env.APP_BASE ?? "",
  i18n: locales && { locales, defaultLocale: locales[0], localeDetection: false },
  turbopack: { root: import.meta.dirname },
  outputFileTracingRoot: import.meta.dirname,
};
