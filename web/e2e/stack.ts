import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "../..");

/** All of the product, started as `npm start` does it. */
export interface Stack extends AsyncDisposable {
  /** What it printed to be opened. */
  readonly url: string;
  readonly dataDir: string;
  readonly simulated: boolean;
}

/** Starts the launcher with data of its own, on free ports, with vector-sim or the Vector of VECTOR_BIN. */
export async function startStack(): Promise<Stack> {
  const dataDir = await mkdtemp(join(tmpdir(), "vectorflow-e2e-"));
  const vector = process.env["VECTOR_BIN"];
  const child = spawn(process.execPath, [join(root, "scripts/start.ts")], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      VECTOR_BIN: vector ?? join(root, "agent/simulator/vector-sim"),
      VECTORFLOW_DATA_DIR: dataDir,
      VECTORFLOW_HTTP_LISTEN: "127.0.0.1:0",
      VECTORFLOW_AGENT_LISTEN: "127.0.0.1:0",
      VECTORFLOW_HEARTBEAT_INTERVAL_MS: "1000",
    },
  });
  const url = await printedUrl(child);
  return {
    url,
    dataDir,
    simulated: vector === undefined,
    async [Symbol.asyncDispose]() {
      child.kill("SIGINT");
      if (child.exitCode === null) await once(child, "exit");
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function printedUrl(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error("the launcher has no output");
  const printed: string[] = [];
  for await (const line of createInterface({ input: stdout })) {
    printed.push(line);
    const url = /^Open (http\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`the launcher ended:\n${printed.join("\n")}`);
}

/** Process ids of the Vectors that run below a data directory. */
export async function vectorsBelow(dataDir: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    const args = line.split("\0");
    if (args.includes("--config-yaml") && line.includes(dataDir) && !args.includes("validate")) {
      found.push(Number(name));
    }
  }
  return found;
}
