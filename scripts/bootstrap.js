// The first step of every npm script. It runs on whatever Node the machine has (20 or later), installs what
// the lockfile names when that has not been done, and goes on with the project's own Node. Plain JavaScript
// and built-ins only, because nothing is there yet.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const binaries = join(root, "node_modules", ".bin");
const ownNode = join(binaries, process.platform === "win32" ? "node.cmd" : "node");
const stampPath = join(root, "node_modules", ".vectorflow-installed");
const lock = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

function isInstalled() {
  return existsSync(ownNode) && existsSync(stampPath) && readFileSync(stampPath, "utf8") === lock;
}

function install() {
  process.stderr.write("Installing dependencies (once)…\n");
  // Called by npm, its own path is known; called directly, it is on the PATH.
  const npm = process.env.npm_execpath;
  // Not `npm ci`: some registries do not carry the optional packages of other platforms, which it would
  // demand. The versions are those of the lockfile all the same.
  const args = [
    "install",
    "--no-save",
    "--include=dev",
    "--include=optional",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const [command, first] = npm === undefined ? ["npm", []] : [process.execPath, [npm]];
  const { status } = spawnSync(command, [...first, ...args], { cwd: root, stdio: "inherit" });
  if (status !== 0 || !existsSync(ownNode)) {
    process.stderr.write(
      "The installation failed: see above. Try again with: npm install --no-save\n",
    );
    process.exit(1);
  }
  writeFileSync(stampPath, lock);
}

const [script, ...args] = process.argv.slice(2);
if (script === undefined) {
  process.stderr.write("usage: node scripts/bootstrap.js <script> [arguments]\n");
  process.exit(2);
}
if (!isInstalled()) install();
const child = spawn(ownNode, [join(root, script), ...args], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH: `${binaries}:${process.env.PATH ?? ""}` },
});
// Ctrl-C reaches the child by itself, because it is in the same group; this process waits for its end.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
