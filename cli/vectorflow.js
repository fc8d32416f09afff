#!/usr/bin/env node
// Runs the command line on the Node of the project's own dependencies, from wherever it is called. Plain
// JavaScript and built-ins only, as in scripts/bootstrap.js, because whatever Node the machine has starts it.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const folder = dirname(realpathSync(fileURLToPath(import.meta.url)));
const root = join(folder, "..");
const ownNode = join(root, "node_modules", ".bin", "node");
if (!existsSync(ownNode)) {
  const { status } = spawnSync(
    process.execPath,
    [join(root, "scripts", "bootstrap.js"), "cli/main.ts", "version"],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  if (status !== 0) process.exit(1);
}
// npm changes to the package's folder; paths are meant from where npm was called.
const cwd = process.env.npm_lifecycle_event === "cli" ? process.env.INIT_CWD : undefined;
const child = spawn(ownNode, [join(folder, "main.ts"), ...process.argv.slice(2)], {
  stdio: "inherit",
  cwd: cwd ?? process.cwd(),
});
// Ctrl-C reaches the child by itself, because it is in the same group; this process waits for its end.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
