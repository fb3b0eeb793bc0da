// Each variant of the app (proxy.ts, middleware.ts, …) is built into a folder of its own.
export default {
  distDir: process.env.APP_DIST,
  basePath: process.env.APP_BASE ?? "",
  turbopack: { root: import.meta.dirname },
  outputFileTracingRoot: import.meta.dirname,
};
