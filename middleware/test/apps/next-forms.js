// Every protected page of the app in every form in which Next transports one. A page's content contains its mark.

const rsc = { rsc: "1", accept: "*/*" };
const prefetch = { ...rsc, "next-router-prefetch": "1" };
const page = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

export const appPages = {
  "/dashboard": "dashboard", // rendered for each request
  "/archive": "archive", // rendered at build time
  "/users/7": "user", // dynamic segment
  "/vault": "vault", // route group
  "/vault/a/b": "deep", // nested, catch-all
  "/board": "board", // parallel routes
  "/gallery": "gallery",
  "/act": "act",
};
export const dataPages = { "/legacy": "legacy", "/report": "report", "/report/7": "entry" };

/** Requests, each with the mark of the content that it is after. */
export function forms(buildId, { base = "", locales = [], actionId = "0".repeat(42) } = {}) {
  const all = [];
  const add = (transport, mark, target, headers = {}, more = {}) =>
    all.push({ transport, mark, target: base + target, headers, ...more });

  for (const [path, mark] of Object.entries({ ...appPages, ...dataPages })) {
    for (const at of [path, ...locales.flatMap((locale) => [`/${locale}${path}`, `/${locale.toUpperCase()}${path}`])]) {
      add("document", mark, at, page);
      add("document with a slash", mark, `${at}/`, page);
      add("HEAD", mark, at, page, { method: "HEAD" });
      add("POST", mark, at, { "content-type": "text/plain" }, { method: "POST", body: "x" });
      add("RSC", mark, at, rsc);
      add("RSC with _rsc", mark, `${at}?_rsc=1a2b3`, rsc);
      add("prefetch", mark, at, prefetch);
      add("prefetch by the browser", mark, at, { ...page, "sec-purpose": "prefetch" });
      for (const segment of ["/_tree", "/_full", "/_index", `${path}/__PAGE__`]) {
        add("segment prefetch", mark, at, { ...prefetch, "next-router-segment-prefetch": segment });
      }
      const action = { ...page, "next-action": actionId, "content-type": "text/plain;charset=UTF-8" };
      add("server action", mark, at, action, { method: "POST", body: "[]" });
      const segments = [".segments/_tree.segment.rsc", `.segments${path}/__PAGE__.segment.rsc`];
      for (const ending of [".rsc", ".prefetch.rsc", ...segments, ".html", ".txt", "/index", "/index.rsc"]) {
        add(`the form ${ending.replace(path, "")}`, mark, at + ending);
        add(`the form ${ending.replace(path, "")} as RSC`, mark, at + ending, rsc);
      }
      for (const build of [buildId, "other"]) {
        for (const infix of ["", "/index"]) {
          add("data", mark, `/_next/data/${build}${infix}${at}.json`);
          const asked = { "x-nextjs-data": "1", purpose: "prefetch" };
          add("data as the client asks", mark, `/_next/data/${build}${infix}${at}.json`, asked);
        }
        add("data's index", mark, `/_next/data/${build}${at}/index.json`);
      }
    }
  }
  // Public addresses that show what is protected.
  for (const url of ["/gallery", `${base}/gallery`, "/gallery/", "/%67allery"]) {
    for (const kind of [page, rsc]) {
      add("a photo within the gallery", "(gallery|modal)", "/photo/1", { ...kind, "next-url": url });
    }
  }
  const sources = ["/archive/kept.png", "/archive/kept.png?x=1", "/%61rchive/kept.png", "//archive/kept.png"];
  for (const source of [...sources, "/open/../archive/kept.png", "/open/..%2farchive/kept.png"]) {
    add("image", "image", `/_next/image?url=${encodeURIComponent(base + source)}&w=64&q=75`, { accept: "image/png" });
    add("image", "image", `/_next/image?w=64&q=75&url=${encodeURIComponent(source)}`, { accept: "image/png" });
  }
  return all;
}

/** Whether an answer gives away what its form is after. */
export function gives({ mark, method }, response) {
  if (mark === "image") return response.status === 200 && /^image\//.test(response.headers["content-type"] ?? "");
  if (method === "HEAD") return response.status === 200;
  return new RegExp(`kept-by-(${mark}|action|side)-7f3a`).test(response.body);
}
