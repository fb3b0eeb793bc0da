// What `netlify build` does with the function: bundles it, and writes for which paths it runs.
import { readFileSync } from "node:fs";
import { bundle } from "@netlify/edge-bundler";

await bundle(["netlify/edge-functions"], "dist", [{ function: "gate", path: "/*" }], { basePath: process.cwd() });
const { routes } = JSON.parse(readFileSync("dist/manifest.json", "utf8"));
if (routes.length !== 1 || !new RegExp(routes[0].pattern).test("/any/path")) throw new Error(JSON.stringify(routes));
