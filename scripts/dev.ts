import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { nodeFlags } from "../agent/self-command.ts";

// `npm run dev`: the server restarted on every change, Vite with hot reload in front of it, and one agent. Data
// is kept in .vectorflow/dev. Ctrl-C ends all of it.
const root = join(import.meta.dirname, "..");
const dataDir = join(root, ".vectorflow/dev");
const http = process.env["VECTORFLOW_HTTP_LISTEN"] ?? "127.0.0.1:8080";
const agents = process.env["VECTORFLOW_AGENT_LISTEN"] ?? "127.0.0.1:8081";
const children: ChildProcess[] = [];
const stop = new AbortController();

function run(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, VECTORFLOW_DATA_DIR: dataDir, VECTORFLOW_LOCAL_AGENT: "true", ...env },
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      process.stdout.write(`${name.padEnd(6)} ${line}\n`);
    });
  }
  children.push(child);
  return child;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());

run("server", ["--watch", "server/main.ts", "serve"]);
run("web", ["node_modules/vite/bin/vite.js", "web"], { VECTORFLOW_DEV_API: `http://${http}` });
const identity = join(dataDir, "agent/identity.json");
const tokenFile = join(dataDir, "local-enrollment-token");
const waiting = setInterval(() => {
  if (!existsSync(identity) && !existsSync(tokenFile)) return;
  clearInterval(waiting);
  const token = existsSync(identity) ? [] : ["--token-file", tokenFile];
  const vector = process.env["VECTOR_BIN"] ?? join(root, "agent/simulator/vector-sim");
  const flags = [
    "--server",
    agents,
    "--data-dir",
    join(dataDir, "agent"),
    "--drain-limit",
    "4",
    ...token,
  ];
  run("agent", [...nodeFlags, "--watch", "agent/main.ts", "run", ...flags], { VECTOR_BIN: vector });
}, 500);

await once(stop.signal, "abort");
clearInterval(waiting);
for (const child of children) child.kill("SIGTERM");
for (const child of children) {
  if (child.exitCode === null) await once(child, "exit");
}
