// The documents of the repository as a site: `cargo xtask site`. The Markdown is what GitHub shows;
// nothing in it is written for the site.

import { execFileSync } from "node:child_process";
import path from "node:path";
import { defineConfig } from "vitepress";
import { linkOf, pageOf, ROOT, slugOf, sourceOf } from "./pages.mjs";
import { sidebar } from "./sidebar.mjs";
import { writeTwins } from "./twins.mjs";

const { PROJECT_URL, DOORWARD_SITE } = process.env;

/** Links between documents become links between pages. A folder has no page: its name stays. */
function pageLinks(md) {
  md.core.ruler.push("page-links", ({ env, tokens }) => {
    const source = sourceOf(env.relativePath);
    for (const { children } of tokens) {
      let isBare = false;
      for (const token of children ?? []) {
        if (token.type === "link_open") {
          const link = linkOf(source, token.attrGet("href"));
          isBare = link === undefined;
          if (!isBare) token.attrSet("href", link);
          // What is copied beside the pages is none of them.
          if (link?.startsWith("/files/")) token.attrSet("target", "_self");
        }
        if (!isBare || !token.type.startsWith("link_")) continue;
        if (token.type === "link_close") isBare = false;
        [token.tag, token.type, token.attrs] = ["span", token.type.replace("link", "strong"), null];
      }
    }
  });
}

/**
 * Answers come before what only mentions the words; what is for contributors comes last. It runs in
 * the reader's browser, by its text alone.
 */
function weightOf(id) {
  if (/^\/(how-do-i|start\/|guides\/)/.test(id)) return 4;
  return /^\/(changelog|contributing|architecture|design|releasing|demo|stack|benches|fuzz|tests|middleware|worker\/|code_of|native)/.test(id) ? 0.1 : 1;
}

export default defineConfig({
  title: "Doorward",
  description: "Verifies Better Auth sessions and JWTs at the edge, before a request reaches your application",
  lang: "en",
  srcDir: ROOT,
  outDir: DOORWARD_SITE ?? path.join(ROOT, "target/site"),
  cacheDir: path.join(ROOT, "node_modules/.vitepress"),
  srcExclude: ["**/node_modules/**", "**/target/**", ".github/**", "**/.next/**", "**/.vercel/**", "**/.pytest_cache/**", "**/*.egg-info/**", "**/.venv/**"],
  rewrites: (source) => pageOf(source) ?? source,
  cleanUrls: true,
  head: [["link", { rel: "icon", href: "/icon.svg", type: "image/svg+xml" }]],
  // A link to the explainer page, which is no document, is checked by site.test.js.
  ignoreDeadLinks: [/^\/files\//, "localhostLinks", /^http:\/\/localhost/],
  markdown: {
    anchor: { slugify: slugOf },
    toc: { slugify: slugOf },
    headers: { slugify: slugOf, level: [2, 3] },
    languageAlias: { "rust,ignore": "rust", env: "ini", caddyfile: "text", haproxy: "text" },
    config: pageLinks,
  },
  vite: { publicDir: path.join(ROOT, "docs/.vitepress/public"), build: { chunkSizeWarningLimit: 2000 } },
  themeConfig: {
    nav: [
      { text: "How do I …", link: "/how-do-i" },
      { text: "Something is refused", link: "/doctor" },
      { text: "Reasons", link: "/reasons" },
      { text: "Explain a request", link: "/explainer.html", target: "_self" },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: "local", options: { miniSearch: { searchOptions: { boostDocument: weightOf } } } },
    ...(PROJECT_URL && { socialLinks: [{ icon: "github", link: PROJECT_URL }] }),
  },
  buildEnd({ outDir }) {
    writeTwins(outDir, sidebar);
    // The page that explains decisions, as the package makes it.
    execFileSync("node", [path.join(ROOT, "middleware/bin/doorward.mjs"), "explain", "--page", path.join(outDir, "explainer.html")], { stdio: "inherit" });
  },
});
