// The routers of npm, each as a server would use it. Each gives a listener for requests, made of the routes of `site.js`.

import { getRequestListener } from "@hono/node-server";
import express from "express";
import findMyWay from "find-my-way";
import { H3 } from "h3";
import { toNodeHandler } from "h3/node";
import { Hono } from "hono";
import { match } from "path-to-regexp";
import { addRoute, createRouter, findRoute } from "rou3";

import { routes } from "./site.js";

const lenient = {
  ignoreTrailingSlash: true,
  ignoreDuplicateSlashes: true,
  caseSensitive: false,
  useSemicolonDelimiter: true,
};
/** For those that take the first route that matches: what is within another comes before it. */
const inOrder = [...routes].sort((one, other) => Number(one.path.includes("**")) - Number(other.path.includes("**")));

export const listeners = {
  "find-my-way": () => byFindMyWay({}),
  "find-my-way, lenient": () => byFindMyWay(lenient),
  hono: () => byHono({}),
  "hono, not strict": () => byHono({ strict: false }),
  "path-to-regexp": byPathToRegexp,
  express: (guard) => byExpress(guard),
  rou3: byRou3,
  h3: byH3,
};

function byFindMyWay(options) {
  const router = findMyWay({ ...options, defaultRoute: (req, res) => send(res) });
  for (const { path, mark } of routes) router.on("GET", path.replace("**", "*"), (req, res) => send(res, mark));
  return (req, res) => router.lookup(req, res);
}

function byHono(options) {
  const app = new Hono(options);
  for (const { path, mark } of inOrder) app.get(path.replace("**", "*"), (context) => context.text(mark));
  return getRequestListener(app.fetch);
}

/** Express has the gate within, as its middleware. */
function byExpress(guard) {
  const app = express();
  if (guard) app.use(guard);
  for (const { path, mark } of inOrder) app.get(path.replace("**", "*rest"), (req, res) => res.send(mark));
  return app;
}

/** As a server without a framework does it: the URL's path, in any case of letters, as that package has it. */
function byPathToRegexp() {
  const matchers = inOrder.map(({ path, mark }) => [match(path.replace("**", "*rest")), mark]);
  return withoutMistakes((req, res) => {
    const { pathname } = new URL(req.url, "http://localhost");
    const [, mark] = matchers.find(([matches]) => matches(pathname)) ?? [];
    send(res, mark);
  });
}

function byRou3() {
  const router = createRouter();
  for (const { path, mark } of routes) addRoute(router, "GET", path, mark);
  return withoutMistakes((req, res) => {
    const path = decodeURI(req.url.split(/[?#]/, 1)[0]);
    send(res, findRoute(router, "GET", path, { normalize: true })?.data);
  });
}

function byH3() {
  const app = new H3();
  for (const { path, mark } of routes) app.get(path, () => mark);
  return toNodeHandler(app);
}

/** What cannot be read is a bad request. */
function withoutMistakes(listener) {
  return (req, res) => {
    try {
      listener(req, res);
    } catch {
      send(res, undefined, 400);
    }
  };
}

function send(res, mark, status = mark ? 200 : 404) {
  const body = mark ?? "nothing here";
  res.writeHead(status, { "content-type": "text/plain", "content-length": body.length }).end(body);
}
