import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { renderAccessDocs } from "./access-docs.ts";
import { renderConfigurationDocs } from "./configuration-docs.ts";
import { renderDatabaseDocs } from "./database-docs.ts";

// `npm run check`: everything that can be said about the code without running it. `--fix` mends what it can.
const root = join(import.meta.dirname, "..");
const fix = process.argv.includes("--fix");
const failed: string[] = [];

function run(name: string, command: string, ...args: readonly string[]): void {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(
    join(root, "node_modules/.bin", command),
    [...args],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)\n`);
  if (status === 0) return;
  process.stdout.write(`${stdout}${stderr}\n`);
  failed.push(name);
}

async function current(name: string, path: string, text: string): Promise<void> {
  const same = (await readFile(join(root, path), "utf8").catch(() => "")) === text;
  process.stdout.write(`${same ? "ok    " : "FAILED"} ${name}\n`);
  if (same) return;
  process.stdout.write(`${path} is not what npm run generate makes\n`);
  failed.push(name);
}

/** Generates beside and compares, so that a check never changes the tree. */
async function generatedCodeIsCurrent(): Promise<void> {
  const { mkdtemp, rm } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-gen-"));
  try {
    run("generate beside", "buf", "generate", "-o", folder);
    const { status, stdout } = spawnSync("diff", ["-r", join(folder, "gen"), join(root, "gen")], {
      encoding: "utf8",
    });
    process.stdout.write(`${status === 0 ? "ok    " : "FAILED"} generated code is current\n`);
    if (status === 0) return;
    process.stdout.write(`${stdout.slice(0, 2000)}\nrun npm run generate\n`);
    failed.push("generated code is current");
  } finally {
    await rm(folder, { recursive: true });
  }
}

run("contracts: lint", "buf", "lint");
run("contracts: format", "buf", "format", ...(fix ? ["-w"] : ["-d", "--exit-code"]));
await generatedCodeIsCurrent();
run("types: server, agent", "tsc", "-p", ".");
run("types: web", "tsc", "-p", "web");
run("lint", "oxlint", "--type-aware", ...(fix ? ["--fix"] : []));
run("format", "oxfmt", ...(fix ? [] : ["--check"]));
await current(
  "docs/configuration.md is current",
  "docs/configuration.md",
  renderConfigurationDocs(),
);
await current("docs/database.md is current", "docs/database.md", renderDatabaseDocs());
await current("docs/access-rules.md is current", "docs/access-rules.md", renderAccessDocs());

if (failed.length > 0) {
  process.stdout.write(`\nfailed: ${failed.join(", ")}\n`);
  process.exit(1);
}
