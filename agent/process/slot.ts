import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Clock } from "#common/clock.ts";

import type { HostPolicyKeeper } from "../policy/host-policy.ts";
import type { PipelineBody } from "../reconcile/desired-state.ts";
import { writeFileAtomically } from "../state/atomic-file.ts";
import type { PipelineStore } from "../state/pipeline-store.ts";
import type { VectorExecutable } from "../vector/executable.ts";
import { injectTelemetry } from "../vector/inject.ts";
import { metricsPage } from "../vector/metrics-page.ts";
import { isReserved } from "../vector/reserved.ts";
import type { OutputStream } from "./child.ts";
import { within } from "./deadline.ts";
import type { RunnerLimits } from "./limits.ts";
import { portsIn, type PortAllocator } from "./ports.ts";
import { processStartTime } from "./process-identity.ts";
import type { VectorLine } from "./vector-log-line.ts";
import { VectorProcess, type Fault, type ReloadVerdict } from "./vector-process.ts";

export interface SlotDeps {
  readonly store: PipelineStore;
  readonly ports: PortAllocator;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: RunnerLimits;
  readonly policy: HostPolicyKeeper;
}

/** A configuration made ready for Vector. */
export interface Built {
  readonly body: PipelineBody;
  readonly text: string;
  /** Two builds with the same are told apart by a reload; others need a new process. */
  readonly frozen: string;
}

export type BuildResult =
  | { readonly kind: "built"; readonly built: Built }
  /** By the host's own policy (P11). */
  | { readonly kind: "refused"; readonly fault: Fault }
  | { readonly kind: "unreadable"; readonly problems: readonly string[] };

interface Ports {
  readonly metrics: number;
  readonly api: number;
}

const portTries = 3;

/**
 * Vector's level for a pipeline's. The lines that tell how a start or a reload went are INFO, so that
 * Vector never logs less; the agent drops what the person does not want to see.
 */
function vectorLevel(logLevel: string): string {
  return logLevel === "debug" || logLevel === "trace" ? logLevel : "info";
}

function frozenPart(body: PipelineBody, frozenConfig: string): string {
  // A reload does not look at certificate files whose paths stayed the same.
  const certificates = body.certificates.map(({ filename, content }) => [
    filename,
    createHash("sha256").update(content).digest("hex"),
  ]);
  return JSON.stringify([frozenConfig, vectorLevel(body.logLevel), certificates]);
}

/**
 * The one place of a pipeline where a process can run. Owns the files it starts from, its ports, and
 * the record by which the next agent would find it.
 */
export class ProcessSlot {
  readonly #id: string;
  readonly #deps: SlotDeps;
  readonly #onLine: (line: VectorLine, stream: OutputStream) => void;
  readonly #onEnd: () => void;
  #process: VectorProcess | undefined;
  #running: { readonly built: Built; readonly fileId: string } | undefined;
  #ports: Ports | undefined;

  constructor(
    id: string,
    deps: SlotDeps,
    onLine: (line: VectorLine, stream: OutputStream) => void,
    onEnd: () => void,
  ) {
    this.#id = id;
    this.#deps = deps;
    this.#onLine = onLine;
    this.#onEnd = onEnd;
  }

  /** The process, also for a while after it ended; undefined once that was seen to. */
  get process(): VectorProcess | undefined {
    return this.#process;
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.ended === undefined;
  }

  /** Adds to a body what the agent owns, with the ports of the running process if there is one. */
  async build(body: PipelineBody): Promise<BuildResult> {
    const { certificates } = this.#deps.store.paths(this.#id);
    const fault = this.#deps.policy.judge(body.configYaml, certificates);
    if (fault !== undefined) return { kind: "refused", fault };
    const paths = await this.#deps.store.prepare(this.#id);
    const ports = (this.#ports ??= await this.#acquirePorts(body.configYaml));
    const result = injectTelemetry(body.configYaml, {
      dataDir: paths.data,
      metricsPort: ports.metrics,
      apiPort: ports.api,
    });
    if (result.kind === "unreadable") return result;
    const frozen = frozenPart(body, result.frozen);
    return { kind: "built", built: { body, text: result.text, frozen } };
  }

  /** Whether the running process can take this configuration by a reload. */
  canReload(built: Built, executable: VectorExecutable): boolean {
    return (
      this.isRunning &&
      this.#running?.fileId === executable.fileId &&
      this.#running.built.frozen === built.frozen
    );
  }

  async reload(built: Built, signal: AbortSignal): Promise<ReloadVerdict> {
    const process = this.#process;
    const running = this.#running;
    if (process === undefined || running === undefined) return { kind: "ended" };
    await this.#stage(built);
    const verdict = await process.reload(this.#deps.limits.verdictMs, signal);
    if (verdict.kind === "reloaded") this.#running = { ...running, built };
    // The file always is what the process runs: a later reload would read it.
    if (verdict.kind === "refused") await this.#stage(running.built);
    return verdict;
  }

  /**
   * Starts a process and waits until it says that it has started and its metrics page answers.
   * Returns what is wrong, or undefined. When somebody else took one of our own ports in the
   * meantime, that is no fault of the configuration, and other ports are tried.
   */
  async start(
    body: PipelineBody,
    executable: VectorExecutable,
    signal: AbortSignal,
  ): Promise<Fault | undefined> {
    for (let tries = 1; ; tries++) {
      const result = await this.build(body);
      if (result.kind === "refused") return result.fault;
      if (result.kind === "unreadable") {
        return { reason: result.problems.join("; "), problems: [], logTail: [] };
      }
      await this.#stage(result.built);
      const process = await this.#spawn(result.built, executable);
      const fault = await this.#settle(process, signal);
      if (fault === undefined) return undefined;
      await this.stop(this.#deps.limits.removeGraceMs);
      if (!isReserved(process.fatal?.componentId ?? "") || tries === portTries) return fault;
    }
  }

  /** Ends the process, if one runs, and forgets it. */
  async stop(graceMs: number): Promise<void> {
    const process = this.#process;
    if (process === undefined) return this.#releasePorts();
    await process.stop(graceMs);
    await this.reap();
  }

  /** Sees to an ended process: gives back its ports and its record. */
  async reap(): Promise<void> {
    if (this.#process === undefined || this.#process.ended === undefined) return;
    this.#process = undefined;
    this.#running = undefined;
    this.#releasePorts();
    await this.#deps.store.clearProcess(this.#id);
  }

  kill(): void {
    this.#process?.kill();
  }

  async #settle(process: VectorProcess, signal: AbortSignal): Promise<Fault | undefined> {
    const { limits, clock } = this.#deps;
    const verdict = await process.started(limits.verdictMs, signal);
    if (verdict === "timed_out") {
      return process.fault(`Vector did not start within ${limits.verdictMs / 1_000} s`);
    }
    const until = clock.now().getTime() + limits.pageMs;
    if (verdict === "ended") return process.fault("its metrics page does not answer");
    while (clock.now().getTime() < until) {
      if (process.ended !== undefined || process.fatal !== undefined) break;
      if ((await metricsPage(process.metricsPort, 2_000)) !== undefined) return undefined;
      await within(process.exit, 50, clock, signal);
    }
    return process.fault("its metrics page does not answer");
  }

  async #spawn(built: Built, executable: VectorExecutable): Promise<VectorProcess> {
    const { store, clock, env, limits } = this.#deps;
    const paths = store.paths(this.#id);
    const process = new VectorProcess(
      {
        executable,
        configPath: paths.config,
        cwd: paths.folder,
        env,
        vectorLogLevel: vectorLevel(built.body.logLevel),
        drainSecs: limits.drainSecs,
        metricsPort: this.#ports?.metrics ?? 0,
      },
      clock,
      this.#onLine,
    );
    this.#process = process;
    this.#running = { built, fileId: executable.fileId };
    void process.exit.then(this.#onEnd); // Never rejects.
    const startTime = await processStartTime(process.pid);
    if (startTime !== undefined) await store.saveProcess(this.#id, { pid: process.pid, startTime });
    return process;
  }

  /** Puts the files in their place by rename: Vector dies when its configuration is missing. */
  async #stage(built: Built): Promise<void> {
    const paths = this.#deps.store.paths(this.#id);
    await rm(paths.certificates, { recursive: true, force: true });
    if (built.body.certificates.length > 0) {
      await mkdir(paths.certificates, { recursive: true, mode: 0o700 });
    }
    for (const { filename, content } of built.body.certificates) {
      // A name from the server never leaves its folder (A12).
      if (!/^(?!\.)[\w.-]{1,200}$/.test(filename)) {
        throw new Error(`unusable name of a certificate file: ${JSON.stringify(filename)}`);
      }
      await writeFileAtomically(join(paths.certificates, filename), content);
    }
    await writeFileAtomically(paths.config, built.text);
  }

  async #acquirePorts(config: string): Promise<Ports> {
    const { ports } = this.#deps;
    const avoid = portsIn(config);
    const metrics = await ports.acquire(avoid);
    return { metrics, api: await ports.acquire(avoid) };
  }

  #releasePorts(): void {
    if (this.#ports === undefined) return;
    this.#deps.ports.release(this.#ports.metrics);
    this.#deps.ports.release(this.#ports.api);
    this.#ports = undefined;
  }
}
