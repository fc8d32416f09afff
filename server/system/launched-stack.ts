import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { DescService } from "@bufbuild/protobuf";
import { createClient, type Client } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { vi } from "vitest";
import { processesOf } from "./processes.ts";

export const root = join(import.meta.dirname, "../..");

/** vector-sim, or the Vector of VECTOR_BIN. */
export const vectorBin = process.env["VECTOR_BIN"] ?? join(root, "agent/simulator/vector-sim");

/** Waits for a condition of real processes. The limit is for a busy machine and the pauses between restarts. */
export function sooner<T>(check: () => T | Promise<T>, timeout = 40_000): Promise<T> {
  return vi.waitFor(check, { timeout, interval: 100 });
}

/** A client of the user API with a session token, or without one. */
export function clientOf<T extends DescService>(
  service: T,
  baseUrl: string,
  token?: string,
): Client<T> {
  const transport = createConnectTransport({
    baseUrl,
    httpVersion: "1.1",
    interceptors: [
      (next) => (request) => {
        if (token !== undefined) request.header.set("authorization", `Bearer ${token}`);
        return next(request);
      },
    ],
  });
  return createClient(service, transport);
}

/** A data directory that no process may outlive: disposing it ends what is left, and fails if there was something. */
export async function temporaryDataDir(name: string): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), `vectorflow-${name}-`));
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const { pid } of processesOf(path)) process.kill(pid, "SIGKILL");
      await sooner(() => {
        if (processesOf(path).length > 0) throw new Error("processes do not end");
      });
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** What `npm start` runs, as a process of its own. */
export interface Launched {
  readonly process: ChildProcess;
  /** What it printed to be opened. */
  readonly url: string;
  readonly printed: readonly string[];
}

/** Starts the launcher on free ports and waits until it says what to open. */
export async function launch(dataDir: string): Promise<Launched> {
  const child = spawn(process.execPath, [join(root, "scripts/start.ts")], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      VECTOR_BIN: vectorBin,
      VECTORFLOW_DATA_DIR: dataDir,
      VECTORFLOW_HTTP_LISTEN: "127.0.0.1:0",
      VECTORFLOW_AGENT_LISTEN: "127.0.0.1:0",
      VECTORFLOW_HEARTBEAT_INTERVAL_MS: "1000",
    },
  });
  const printed: string[] = [];
  const opened = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    printed.push(line);
    const url = /^Open (http\S+)/.exec(line)?.[1];
    if (url !== undefined) opened.resolve(url);
  });
  child.once("exit", () => {
    opened.reject(new Error(`the launcher ended:\n${printed.join("\n")}`));
  });
  return { process: child, url: await opened.promise, printed };
}

/** Waits for the end of a process and returns its code. */
export async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}
