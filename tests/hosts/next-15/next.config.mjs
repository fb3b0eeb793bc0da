export default {
  outputFileTracingRoot: import.meta.dirname,
  experimental: { middlewareClientMaxBodySize: "20mb" }, // Next cuts larger bodies off, without an error
};
