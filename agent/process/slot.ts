import type { Clock } from "#common/clock.ts";

import type { HostPolicyKeeper } from "../policy/host-policy.ts";
import type { PipelineBody } from "../reconcile/desired-state.ts";
import type { SecretServer, SecretTicket } from "../secrets/secret-server.ts";
import type { PipelineStore } from "../state/pipeline-store.ts";
import type { VectorExecutable } from "../vector/executable.ts";
import { withoutInterpolation } from "../vector/interpolation.ts";
import { withOpenApi } from "../vector/open-api.ts";
import { metricsPage } from "../vector/metrics-page.ts";
import { isReserved } from "../vector/reserved.ts";
import {
  buildConfig,
  maskedFault,
  resolveBody,
  vectorLevel,
  type Built,
  type BuildResult,
  type Ports,
} from "./build.ts";
import type { OutputStream } from "./child.ts";
import { ConfigFiles } from "./config-files.ts";
import { isListening, listensOn } from "./connections.ts";
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
  readonly secrets: SecretServer;
  readonly policy: HostPolicyKeeper;
}

const portTries = 3;

/** The configuration that a process has, and whether its API listens. */
interface Running {
  readonly built: Built;
  readonly executable: VectorExecutable;
  readonly isApiOpen?: true;
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
  readonly #ticket: SecretTicket;
  readonly #files: ConfigFiles;
  #process: VectorProcess | undefined;
  #running: Running | undefined;
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
    this.#ticket = deps.secrets.open();
    this.#files = new ConfigFiles(deps.store.paths(id), this.#ticket);
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
    const paths = await this.#deps.store.prepare(this.#id);
    const ports = (this.#ports ??= await this.#acquirePorts(body.configYaml));
    return buildConfig(body, {
      paths,
      ports,
      secretsCommand: this.#ticket.command,
      judge: (text) => this.#deps.policy.judge(text, paths.certificates),
    });
  }

  /** What the host's policy says against a body; undefined when nothing. */
  judge(body: PipelineBody): Fault | undefined {
    const paths = this.#deps.store.paths(this.#id);
    const result = resolveBody(body, paths);
    if (result.kind === "refused") return undefined; // It cannot even be read, and never starts.
    return maskedFault(this.#deps.policy.judge(result.text, paths.certificates), result.mask);
  }

  /** Whether the running process can take this configuration by a reload. */
  canReload(built: Built, executable: VectorExecutable): boolean {
    return (
      this.isRunning &&
      this.#running?.executable.fileId === executable.fileId &&
      this.#running.built.frozen === built.frozen
    );
  }

  async reload(built: Built, signal: AbortSignal): Promise<ReloadVerdict> {
    const process = this.#process;
    const running = this.#running;
    if (process === undefined || running === undefined) return { kind: "ended" };
    const flags = withoutInterpolation(running.executable.version);
    await this.#files.stage(built, flags);
    const verdict = await process.reload(this.#deps.limits.verdictMs, built.mask, signal);
    // What was staged has its API closed, whatever was open before.
    if (verdict.kind === "reloaded") this.#running = { built, executable: running.executable };
    // The file always is what the process runs: a later reload would read it.
    if (verdict.kind === "refused") await this.#files.stage(running.built, flags);
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
      const flags = withoutInterpolation(executable.version);
      await this.#files.stage(result.built, flags);
      const process = await this.#spawn(result.built, executable);
      const fault = await this.#settle(process, signal);
      if (fault === undefined) return undefined;
      await this.stop(this.#deps.limits.fatalGraceMs);
      const ours =
        isReserved(process.fatal?.componentId ?? "") ||
        // The process is gone, and its line need not name the component.
        (await isListening(process.metricsPort)) === true;
      if (!ours || tries === portTries) return fault;
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

  /** The port of Vector's API, whether it listens or not. */
  get apiPort(): number {
    return this.#ports?.api ?? 0;
  }

  /** Whether Vector's API listens. A configuration that was taken by a reload closes it. */
  get isApiOpen(): boolean {
    return this.#running?.isApiOpen === true;
  }

  /** The configuration of the process, with all that was added to it. */
  get runningText(): string {
    return this.#running?.built.text ?? "";
  }

  /**
   * Opens or closes Vector's API by a reload that changes nothing else. The file that stays behind is
   * always the closed one: the next to read it may be the next process.
   */
  async switchApi(open: boolean, signal: AbortSignal): Promise<ReloadVerdict> {
    const process = this.#process;
    const running = this.#running;
    if (process === undefined || running === undefined) return { kind: "ended" };
    const { built, executable } = running;
    const flags = withoutInterpolation(executable.version);
    if (open) await this.#files.stage({ ...built, text: withOpenApi(built.text) }, flags);
    else await this.#files.stage(built, flags);
    let verdict: ReloadVerdict;
    try {
      verdict = await process.reload(this.#deps.limits.verdictMs, built.mask, signal);
    } finally {
      if (open) await this.#files.stage(built, flags);
    }
    if (verdict.kind === "reloaded") {
      this.#running = open ? { built, executable, isApiOpen: true } : { built, executable };
    }
    return verdict;
  }

  kill(): void {
    this.#process?.kill();
  }

  /** Writes the process's files again if somebody else changed them. Returns whether that was needed. */
  async repair(): Promise<boolean> {
    return this.isRunning && (await this.#files.repair());
  }

  /** Deletes the files that what runs does not need. */
  async prune(): Promise<void> {
    await this.#files.prune();
  }

  /** Nothing will run here any more. */
  close(): void {
    this.#ticket[Symbol.dispose]();
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
      const page = await metricsPage(process.metricsPort, 2_000);
      // Who took the port may answer just as well.
      if (page !== undefined && (await listensOn(process.pid, process.metricsPort)) !== false) {
        if (process.ended !== undefined || process.fatal !== undefined) break;
        return undefined;
      }
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
        mask: built.mask,
      },
      clock,
      this.#onLine,
    );
    this.#process = process;
    this.#running = { built, executable };
    void process.exit.then(this.#onEnd); // Never rejects.
    const startTime = await processStartTime(process.pid);
    if (startTime !== undefined) await store.saveProcess(this.#id, { pid: process.pid, startTime });
    return process;
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
