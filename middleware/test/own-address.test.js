import assert from "node:assert/strict";
import { test } from "node:test";

import { inPublic, publicAddress } from "../own-address.js";

const PUBLIC = "https://app.test";
const at = (address, origin = "http://127.0.0.1:8000") => publicAddress(address, origin, PUBLIC);

test("an address at the origin is the public one's", () => {
  for (const [address, expected] of [
    ["http://127.0.0.1:8000/items/?a=b#c", "https://app.test/items/?a=b#c"],
    // uvicorn behind `--proxy-headers` takes the scheme from X-Forwarded-Proto and the host from `Host`.
    ["https://127.0.0.1:8000/items/", "https://app.test/items/"],
    ["//127.0.0.1:8000/items/", "https://app.test/items/"],
    ["HTTP://127.0.0.1:8000", "https://app.test"],
    ["http://127.0.0.1:8000?a", "https://app.test?a"],
  ]) assert.equal(at(address), expected);
  assert.equal(at("http://origin.test/a", "http://origin.test"), "https://app.test/a");
  assert.equal(at("http://origin.test:80/a", "http://origin.test"), "https://app.test/a");
  assert.equal(at("https://Origin.Test:443/a", "https://origin.test"), "https://app.test/a");
  assert.equal(at("https://origin.test./a", "https://origin.test"), "https://app.test/a");
});

test("any other address stays", () => {
  for (const address of [
    "/items/", "items", "", "http://127.0.0.1:8001/", "http://127.0.0.1/", "http://127.0.0.1:8000.evil.test/", "http://127.0.0.1:8000@evil.test/",
    "http://evil.test/http://127.0.0.1:8000/", "http://evil.test\\@127.0.0.1:8000/", "https://app.test/a", "javascript:alert(1)", "ftp://127.0.0.1:8000/", "http:/127.0.0.1:8000/",
  ]) assert.equal(at(address), address);
});

const edits = (lines, origin = "http://origin.internal:8000", publicOrigin = PUBLIC) => {
  const of = (name) => lines.filter(([own]) => own === name).map(([, value]) => value);
  return inPublic({ get: (name) => of(name)[0], cookies: () => of("set-cookie") }, origin, publicOrigin);
};

test("each header that names an address is looked at, and a response without one is left alone", () => {
  assert.deepEqual(edits([["content-type", "text/plain"], ["location", "/a"], ["set-cookie", "a=b; Path=/"]]), []);
  assert.deepEqual(edits([["location", "http://origin.internal:8000/a"], ["content-location", "//origin.internal:8000/b"]]), [
    ["location", ["https://app.test/a"]], ["content-location", ["https://app.test/b"]],
  ]);
  for (const [value, expected] of [
    ["5; url=http://origin.internal:8000/a", "5; url=https://app.test/a"],
    ["0;URL='http://origin.internal:8000/a'", "0;URL='https://app.test/a'"],
    ["3, http://origin.internal:8000/", "3, https://app.test/"],
  ]) assert.deepEqual(edits([["refresh", value]]), [["refresh", [expected]]]);
  assert.deepEqual(edits([["refresh", "5; url=/a"], ["refresh", "5"]]), []);
});

test("a cookie for the origin's own host is one for the host that was asked", () => {
  assert.deepEqual(edits([["set-cookie", "a=b; Domain=origin.internal; Path=/"], ["set-cookie", "c=d; Domain=elsewhere.test"]]), [
    ["set-cookie", ["a=b; Path=/", "c=d; Domain=elsewhere.test"]],
  ]);
  assert.deepEqual(edits([["set-cookie", "a=b; domain=.Origin.internal"]]), [["set-cookie", ["a=b"]]]);
  // The public host is below it: the cookie is meant for both.
  assert.deepEqual(edits([["set-cookie", "a=b; Domain=example.test"]], "https://example.test", "https://app.example.test"), []);
});
