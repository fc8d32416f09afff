import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildWeb } from "./build-web.ts";

// `npm test [-- vitest arguments]`: every suite, after building what the browser tests need.
const root = join(import.meta.dirname, "..");
await buildWeb(root, (line) => process.stderr.write(`${line}\n`));
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const reporters = ["--reporter=default", `--reporter=${join(root, "scripts/total-reporter.ts")}`];
const { status } = spawnSync(
  process.execPath,
  [vitest, "run", ...reporters, ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit" },
);
process.exit(status ?? 1);
