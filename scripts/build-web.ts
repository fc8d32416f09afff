import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What the built client is made from. */
const sources = [
  "web/src",
  "web/build",
  "common",
  "vrl/module",
  "vrl/browser.ts",
  "vrl/check-text.ts",
  "vrl/findings.ts",
  "web/public",
  "web/index.html",
  "web/vite.config.ts",
  "gen",
  "package-lock.json",
];

/** Builds the web client unless it has been built from the same sources. Throws when the build fails. */
export async function buildWeb(root: string, print: (line: string) => void): Promise<void> {
  const stampPath = join(root, "web/dist/.built-from");
  const stamp = await fingerprint(root);
  const built = await readFile(stampPath, "utf8").catch(() => "");
  if (built === stamp) return;
  print("Building the web client…");
  const vite = join(root, "node_modules/vite/bin/vite.js");
  const child = spawn(process.execPath, [vite, "build", "web", "--logLevel", "warn"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error("the web client could not be built: see above");
  await writeFile(stampPath, stamp);
}

/** Paths, sizes and times of all sources: cheap, and any edit changes it. */
async function fingerprint(root: string): Promise<string> {
  const hash = createHash("sha256");
  for (const source of sources) {
    const path = join(root, source);
    const stats = await stat(path).catch(() => undefined);
    if (stats === undefined) continue;
    const files = stats.isDirectory()
      ? (await readdir(path, { recursive: true })).map((name) => join(path, name)).toSorted()
      : [path];
    for (const file of files) {
      const { size, mtimeMs, isFile } = await stat(file).then((found) => ({
        size: found.size,
        mtimeMs: found.mtimeMs,
        isFile: found.isFile(),
      }));
      if (isFile) hash.update(`${file} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest("hex");
}
