import { withDoorward } from "doorward/next/config";

export default withDoorward({
  turbopack: { root: import.meta.dirname },
  experimental: { proxyClientMaxBodySize: "20mb" }, // Next cuts larger bodies off, without an error
});
