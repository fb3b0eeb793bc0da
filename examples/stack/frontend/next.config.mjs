export default {
  // The stack builds the app twice: with proxy.ts, and without it for the Worker in front.
  distDir: process.env.DIST_FOLDER ?? ".next",
  turbopack: { root: import.meta.dirname },
  poweredByHeader: false,
};
