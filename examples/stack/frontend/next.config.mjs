export default {
  // The stack builds the app twice: with proxy.ts, and without it for the Worker in front.
  distDir: process.env.DIST_FOLDER ?? ".next",
  // This app alone, whatever lock files lie above it.
  turbopack: { root: import.meta.dirname },
  outputFileTracingRoot: import.meta.dirname,
  poweredByHeader: false,
};
