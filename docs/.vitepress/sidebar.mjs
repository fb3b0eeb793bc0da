// Every page that readers look for, in the order of the question that they have. Hosts are listed by
// themselves. What is not here is for those who change Doorward; the test of the site says which
// pages are missing.

import fs from "node:fs";
import path from "node:path";
import { introductionOf, pageOf, ROOT, SOURCES } from "./pages.mjs";

const page = (text, link) => ({ text, link });

/** The pages of a folder of the documents, by their titles. */
const folder = (name) =>
  SOURCES.filter((source) => source.startsWith(`docs/${name}/`)).map((source) => page(introductionOf(fs.readFileSync(path.join(ROOT, source), "utf8")).title, `/${pageOf(source).replace(/\.md$/, "")}`));

export const sidebar = [
  { text: "Start", items: [page("What it is", "/"), ...["nextjs", "cloudflare", "node"].map((name, at) => page(["Next.js", "Cloudflare", "Node"][at], `/start/${name}`)), page("Moving here", "/guides/moving"), page("Beside others", "/compare")] },
  {
    text: "How do I …",
    items: [page("Answers by task", "/how-do-i"), page("Why is it refused?", "/guides/troubleshooting"), page("Roll out, and roll back", "/guides/roll-out"), page("Rotate a secret or a key", "/guides/rotation"), page("What a client does on a 401", "/guides/client")],
  },
  { text: "Hosts", collapsed: false, items: [page("npm package", "/npm"), ...folder("hosts"), ...folder("deploy"), page("The Worker", "/worker"), page("Rust", "/rust"), page("Python origin", "/python")] },
  {
    text: "Configure",
    items: [page("Configuration", "/configuration"), page("Members", "/reference/configuration"), page("Issuers", "/issuers"), page("Assertion", "/assertion"), page("Origins", "/origins")],
  },
  {
    text: "Something is refused",
    items: [page("doctor", "/doctor"), page("Reasons", "/reasons"), page("Causes", "/causes"), page("Explain a request", "/explain"), page("Command line", "/cli")],
  },
  {
    text: "Run it",
    items: [page("Log", "/reference/log"), page("Metrics", "/reference/metrics"), page("Alerts", "/alerts"), page("Revocation", "/revocation"), page("Responses", "/responses"), page("Sessions", "/sessions"), page("Faults", "/faults"), page("Strictness", "/strictness"), page("Performance", "/performance"), page("Security", "/security"), page("Changes", "/changelog")],
  },
  {
    text: "Change it",
    collapsed: true,
    items: [page("Contributing", "/contributing"), page("Architecture", "/architecture"), ...folder("design"), page("Releasing", "/releasing"), page("Demo", "/demo"), page("Stack", "/stack")],
  },
];
