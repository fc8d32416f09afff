import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PipelineState } from "#gen/vectorflow/agent/v1/report_pb.ts";
import { nodeFlags } from "../agent/self-command.ts";
import { FakeControlPlane } from "../agent/testing/fake-control-plane.ts";

const root = join(import.meta.dirname, "..");
const run = promisify(execFile);
/** The kernel counts CPU in hundredths of a second. */
const ticksPerSecond = 100;
const pipelines = 5;
/** As a server with few hosts asks for. */
const heartbeatIntervalMs = 5000;

export interface AgentFigures {
  readonly pipelines: number;
  /** The agent from its sources, and as a single file. Its Vector processes are not in these. */
  readonly source: IdleFigures;
  readonly binary: IdleFigures;
  readonly binarySizeMb: number;
  readonly compressedSizeMb: number;
  readonly startMs: { readonly best: number; readonly median: number };
}

interface IdleFigures {
  readonly residentMb: number;
  /** The part that is the process's own; the rest is pages of the executable. */
  readonly anonymousMb: number;
  readonly cpuPercent: number;
}

/** What the agent itself costs a host. Builds the single file first. */
export async function measureAgent(
  isQuick: boolean,
  progress: (text: string) => void,
): Promise<AgentFigures> {
  progress("building the agent's single file");
  await run(process.execPath, [join(root, "scripts/build-agent.ts")]);
  const binary = join(root, `dist/agent/vectorflow-agent-linux-${process.arch}`);
  const compressed = await stat(`${binary}.xz`).catch(async () => await stat(`${binary}.gz`));
  const startMs = await startTimes(binary);
  await forgetPages(binary);
  const seconds = isQuick ? 15 : 60;
  progress(`watching an idle agent with ${pipelines} pipelines, twice`);
  return {
    pipelines,
    source: await idle([process.execPath, ...nodeFlags, join(root, "agent/main.ts")], seconds),
    binary: await idle([binary], seconds),
    binarySizeMb: megabytes((await stat(binary)).size),
    compressedSizeMb: megabytes(compressed.size),
    startMs,
  };
}

/**
 * Lets the kernel forget what it keeps of the file since it was written. Such pages are large and all of them count
 * as resident once one is used; on a host that has booted since, only used ones do.
 */
async function forgetPages(file: string): Promise<void> {
  await run("sync", [file]);
  await run("dd", [`if=${file}`, "iflag=nocache", "count=0"]);
}

function megabytes(bytes: number): number {
  return Number((bytes / 1e6).toFixed(1));
}

async function startTimes(binary: string): Promise<AgentFigures["startMs"]> {
  const times: number[] = [];
  for (let i = 0; i < 11; i++) {
    const started = performance.now();
    await run(binary, ["version"]);
    times.push(performance.now() - started);
  }
  const sorted = times.toSorted((a, b) => a - b);
  return { best: Math.round(sorted[0] ?? 0), median: Math.round(sorted[5] ?? 0) };
}

const yaml = `sources:
  in:
    type: demo_logs
    format: json
    interval: 1
sinks:
  out:
    type: blackhole
    inputs: [in]
`;

async function idle(command: readonly string[], seconds: number): Promise<IdleFigures> {
  await using plane = new FakeControlPlane();
  plane.heartbeatIntervalMs = heartbeatIntervalMs;
  const server = await plane.start();
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-bench-agent-"));
  const [file = "", ...args] = command;
  const child = spawn(
    file,
    [
      ...args,
      "run",
      "--server",
      server,
      "--token",
      "vfe_token",
      "--data-dir",
      folder,
      "--log-level",
      "warn",
    ],
    {
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        PATH: process.env["PATH"],
        VECTOR_BIN: process.env["VECTOR_BIN"] ?? join(root, "agent/simulator/vector-sim"),
      },
    },
  );
  try {
    const ids = Array.from({ length: pipelines }, (_, index) => `p${index}`);
    plane.want(...ids.map((id) => ({ id, hash: "h", version: 1, yaml })));
    while (!ids.every((id) => plane.last(id)?.state === PipelineState.RUNNING)) await pause(0.2);
    // What starting took is not what idling takes.
    await pause(15);
    const before = await cpuSeconds(child.pid ?? 0);
    const started = performance.now();
    await pause(seconds);
    const used = (await cpuSeconds(child.pid ?? 0)) - before;
    const status = await readFile(`/proc/${child.pid}/status`, "utf8");
    return {
      residentMb: kilobytes(status, "VmRSS"),
      anonymousMb: kilobytes(status, "RssAnon"),
      cpuPercent: Number(((used / ((performance.now() - started) / 1000)) * 100).toFixed(2)),
    };
  } finally {
    child.kill("SIGTERM");
    if (child.exitCode === null) await once(child, "exit");
    await rm(folder, { recursive: true, force: true });
  }
}

function kilobytes(status: string, field: string): number {
  return megabytes(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024);
}

async function pause(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user = 0, system = 0] = fields.slice(11, 13).map(Number);
  return (user + system) / ticksPerSecond;
}
