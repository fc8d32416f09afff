import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Answer, Request } from "./agents.ts";

const root = join(import.meta.dirname, "..");
/** The kernel counts CPU in hundredths of a second. */
const ticksPerSecond = 100;

/** A server of its own with its embedded database, and a process that holds agents. */
export interface BenchStack extends AsyncDisposable {
  readonly web: string;
  readonly agents: string;
  readonly setupToken: string;
  ask<K extends Answer["kind"]>(request: Request, kind: K): Promise<Extract<Answer, { kind: K }>>;
  /** CPU seconds that the server and the database have used. */
  cpu(): Promise<{ readonly server: number; readonly database: number }>;
  /** Resident bytes of the server. */
  memory(): Promise<number>;
}

export async function startBenchStack(): Promise<BenchStack> {
  const dataDir = await mkdtemp(join(tmpdir(), "vectorflow-bench-"));
  const server = spawn(process.execPath, ["--expose-gc", join(root, "server/main.ts"), "serve"], {
    stdio: ["ignore", "inherit", "pipe"],
    env: {
      ...process.env,
      VECTORFLOW_DATA_DIR: dataDir,
      VECTORFLOW_HTTP_LISTEN: "127.0.0.1:0",
      VECTORFLOW_AGENT_LISTEN: "127.0.0.1:0",
    },
  });
  const started = await readStart(server);
  const agents = fork(join(import.meta.dirname, "agents.ts"));
  return {
    ...started,
    async ask(request, kind) {
      const answer = once(agents, "message") as Promise<[Answer]>;
      agents.send(request);
      const [result] = await answer;
      if (result.kind !== kind) throw new Error(`expected ${kind}, got ${result.kind}`);
      return result as never;
    },
    async cpu() {
      return {
        server: await cpuOf(server.pid ?? 0),
        database: await cpuOfTree(started.databasePid),
      };
    },
    async memory() {
      const status = await readFile(`/proc/${server.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
    },
    async [Symbol.asyncDispose]() {
      agents.disconnect();
      server.kill("SIGTERM");
      if (server.exitCode === null) await once(server, "exit");
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function readStart(server: ChildProcess) {
  const { stderr } = server;
  if (stderr === null) throw new Error("the server has no log");
  const found = Promise.withResolvers<{ web: string; agents: string; setupToken: string }>();
  let databasePid = 0;
  createInterface({ input: stderr }).on("line", (line) => {
    const record = JSON.parse(line) as Record<string, string | number>;
    if (record["event"] === "database started") databasePid = Number(record["pid"]);
    if (record["level"] === "error") process.stderr.write(`${line}\n`);
    if (record["event"] !== "server started") return;
    const setupToken = new URL(String(record["setup"])).searchParams.get("token") ?? "";
    found.resolve({ web: String(record["web"]), agents: String(record["agents"]), setupToken });
  });
  const started = await found.promise;
  return { ...started, databasePid };
}

async function readStat(pid: number): Promise<{ parent: number; seconds: number } | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
    const ticks = user + system + childUser + childSystem;
    return { parent: Number(fields[1]), seconds: ticks / ticksPerSecond };
  } catch {
    return undefined;
  }
}

async function cpuOf(pid: number): Promise<number> {
  return (await readStat(pid))?.seconds ?? 0;
}

async function cpuOfTree(pid: number): Promise<number> {
  let seconds = await cpuOf(pid);
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readStat(Number(name));
    if (stat?.parent === pid) seconds += stat.seconds;
  }
  return seconds;
}
