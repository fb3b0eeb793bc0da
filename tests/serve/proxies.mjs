// The proxies that ask the gate, each from the configuration that `doorward serve --print-config` prints. A plant makes a configuration
// unsafe in a way that people do: these tests have to see it.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { isUp } from "./world.mjs";

const withoutLine = (pattern) => (text) => text.split("\n").filter((line) => !pattern.test(line)).join("\n");

/** What is planted: a name, and what it makes of the configuration. */
export const proxies = {
  nginx: {
    program: process.env.NGINX ?? "/usr/sbin/nginx",
    start(folder, text) {
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
      const user = process.getuid?.() === 0 ? "user root;" : "";
      const whole = `${user} pid ${folder}/pid; error_log ${folder}/error.log crit; worker_processes 1; daemon off;\nevents {}\nhttp { access_log off; ${temporary}\n${text}\n}`;
      writeFileSync(path.join(folder, "nginx.conf"), whole);
      return ["-p", folder, "-e", path.join(folder, "error.log"), "-c", path.join(folder, "nginx.conf")];
    },
    plants: {
      "a path behind the host in proxy_pass": (text) => text.replace(/(proxy_pass http:\/\/doorward_app)/, "$1/"),
      "an identity header is not copied": withoutLine(/proxy_set_header X-Doorward-Subject/),
      "a public location beside the gate": (text) => text.replace("location / {", "location /public/ { proxy_pass http://doorward_app; }\n  location / {"),
    },
  },
  caddy: {
    program: process.env.CADDY,
    start(folder, text) {
      writeFileSync(path.join(folder, "Caddyfile"), `{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n}\n${text}`);
      return ["run", "--adapter", "caddyfile", "--config", path.join(folder, "Caddyfile")];
    },
    plants: { "a client's identity headers stay": withoutLine(/request_header -X-Doorward-\*/) },
  },
  haproxy: {
    program: process.env.HAPROXY ?? "/usr/sbin/haproxy",
    start(folder, text) {
      const lua = text.split("\n").filter((line) => line.startsWith("#lua ")).map((line) => line.slice(5));
      writeFileSync(path.join(folder, "doorward.lua"), lua.join("\n"));
      writeFileSync(path.join(folder, "haproxy.cfg"), text.replace("lua-load doorward.lua", `lua-load ${folder}/doorward.lua`));
      return ["-db", "-f", path.join(folder, "haproxy.cfg")];
    },
    plants: { "a client's headers stay": withoutLine(/req_del_header/) },
  },
  envoy: {
    program: process.env.ENVOY,
    start(folder, text, at) {
      writeFileSync(path.join(folder, "envoy.yaml"), text);
      return ["-c", path.join(folder, "envoy.yaml"), "--concurrency", "1", "--base-id", String(at), "-l", "error"];
    },
    plants: { "a client's identity headers stay": withoutLine(/prefix: "x-doorward-"/) },
  },
};

/** Starts a proxy with this configuration. */
export async function startProxy(name, text, port) {
  const folder = mkdtempSync(path.join(tmpdir(), `doorward-${name}-`));
  const { program, start } = proxies[name];
  const child = spawn(program, start(folder, text, port), { stdio: ["ignore", "pipe", "pipe"], detached: true });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said = (said + chunk).slice(-4000)));
  const ended = new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
  const stop = async () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {}
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.race([isUp(port), ended.then(() => Promise.reject(new Error(`${name} does not start: ${said}`)))]);
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${said}`);
  }
  return { stop };
}
