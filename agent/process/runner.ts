import type { Clock } from "#common/clock.ts";
import { Latest } from "#common/latest.ts";
import type { Logger } from "#common/logger.ts";

import type { ManifestEntry, PipelineBody } from "../reconcile/desired-state.ts";
import type { PipelineRecord, PipelineStore } from "../state/pipeline-store.ts";
import { boundedText, messageOf } from "../text.ts";
import type { VectorExecutable, VectorLookup } from "../vector/executable.ts";
import { ApiLeases, type ApiLease } from "./api-lease.ts";
import { applyBody, type ApplyOutcome } from "./apply.ts";
import { describeExit, type OutputStream } from "./child.ts";
import type { RunnerLimits } from "./limits.ts";
import { lineForServer } from "./line-for-server.ts";
import type { LogSpool } from "./log-spool.ts";
import type { Attempt, PipelineStatus, RunState, StatusBoard } from "./pipeline-status.ts";
import type { PortAllocator } from "./ports.ts";
import { afterExit, noFailures, stableAfterMs } from "./restart-policy.ts";
import { ProcessSlot } from "./slot.ts";
import type { Level, VectorLine } from "./vector-log-line.ts";
import type { Fault, VectorProcess } from "./vector-process.ts";

export interface RunnerDeps {
  readonly store: PipelineStore;
  readonly ports: PortAllocator;
  readonly board: StatusBoard;
  readonly spool: LogSpool;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly limits: RunnerLimits;
  /** The environment of Vector processes. */
  readonly env: Readonly<Record<string, string>>;
  vector(): VectorLookup;
}

type Step = { readonly kind: "again" } | { readonly kind: "wait"; readonly ms: number | undefined };

const again: Step = { kind: "again" };
const waitForNews: Step = { kind: "wait", ms: undefined };

/**
 * One pipeline on this host: what is wanted, what was attempted, what is effective, and at most one
 * process. A single loop does everything in turn; others only say what they want and wake it.
 *
 * 1. The process is touched only by the loop.
 * 2. Nothing but `remove` and the end of the agent stops a process for good (P2).
 * 3. What the loop starts from is on disk before it is started (P5).
 */
export class PipelineRunner {
  readonly id: string;
  readonly #deps: RunnerDeps;
  readonly #log: Logger;
  readonly #slot: ProcessSlot;
  readonly #wake = new Latest<void>();
  readonly #removal = new AbortController();
  readonly #api: ApiLeases;
  #entry: ManifestEntry;
  #record: PipelineRecord;
  #logLevel = "info";
  #history = noFailures;
  #restarts = 0;
  #nextStartAt: Date | undefined;
  #trouble = "";
  #starting = false;
  #delivering = true;
  #restartWanted: PromiseWithResolvers<string> | undefined;
  #published = "";

  constructor(entry: ManifestEntry, record: PipelineRecord | undefined, deps: RunnerDeps) {
    this.id = entry.pipelineId;
    this.#entry = entry;
    this.#record = record ?? { name: entry.name, effective: undefined, attempt: undefined };
    this.#deps = deps;
    this.#log = deps.log.child({ pipelineId: entry.pipelineId });
    this.#slot = new ProcessSlot(
      this.id,
      deps,
      (line, stream) => this.#spool(line, stream),
      () => this.#wake.put(),
    );
    this.#api = new ApiLeases(
      this.#slot,
      deps.clock,
      () => this.#wake.put(),
      (text) => this.#say("warn", text),
    );
  }

  /** The process that runs now. */
  get process(): VectorProcess | undefined {
    return this.#slot.isRunning ? this.#slot.process : undefined;
  }

  get effective(): PipelineRecord["effective"] {
    return this.#record.effective;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** The hash whose body is on disk and is, or may become, what runs. */
  get heldHash(): string | undefined {
    return this.#record.attempt?.hash ?? this.#record.effective?.hash;
  }

  want(entry: ManifestEntry): void {
    this.#entry = entry;
    this.#wake.put();
  }

  /** Ends the process and then the loop. */
  remove(): void {
    this.#removal.abort(new Error("the pipeline was removed"));
    this.#wake.put();
  }

  /** Starts the process anew; resolves to what went wrong, or to nothing. */
  async restart(): Promise<string> {
    this.#restartWanted ??= Promise.withResolvers<string>();
    this.#wake.put();
    return await this.#restartWanted.promise;
  }

  /** Waits until Vector's API listens, which it does while a lease is held. */
  async openApi(signal: AbortSignal): Promise<ApiLease> {
    const scope = AbortSignal.any([signal, this.#removal.signal]);
    return await this.#api.acquire(scope);
  }

  /** Something outside has changed: the executable, for one. */
  look(): void {
    this.#wake.put();
  }

  noteDelivery(delivering: boolean): void {
    if (delivering === this.#delivering) return;
    this.#delivering = delivering;
    this.#say(delivering ? "info" : "warn", delivering ? "delivers again" : "does not deliver");
    this.#publish();
  }

  kill(): void {
    this.#slot.kill();
  }

  get state(): RunState {
    if (this.#starting) return "starting";
    const failed = this.#attemptFailed;
    if (this.#slot.isRunning) {
      if (!this.#delivering) return "not_delivering";
      return failed ? "held" : "running";
    }
    if (this.#nextStartAt !== undefined) return "crashed";
    return failed ? "stopped" : "pending";
  }

  /** Runs until the pipeline is removed or the agent stops; then no process is left. */
  async run(signal: AbortSignal): Promise<void> {
    const scope = AbortSignal.any([signal, this.#removal.signal]);
    try {
      while (!scope.aborted) {
        const step = await this.#tryStep(scope);
        this.#publish();
        if (step.kind === "wait") await this.#pause(step.ms, scope);
      }
    } catch (error) {
      if (!scope.aborted) throw error;
    } finally {
      const { limits } = this.#deps;
      const removed = this.#removal.signal.aborted;
      this.#api.endAll(removed ? "the pipeline was removed" : "the agent stops");
      await this.#slot.stop(removed ? limits.removeGraceMs : limits.stopGraceMs);
      this.#restartWanted?.resolve(removed ? "the pipeline was removed" : "the agent stops");
      if (removed) await this.#removed();
    }
  }

  async #tryStep(signal: AbortSignal): Promise<Step> {
    try {
      return await this.#step(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      // A full disk, for one. It costs this pipeline a pause and nothing else (A6).
      this.#log.error("pipeline step failed", { error });
      this.#crashed(`the agent failed: ${messageOf(error)}`, 0);
      return { kind: "wait", ms: this.#msUntilStart() };
    }
  }

  async #step(signal: AbortSignal): Promise<Step> {
    const process = this.#slot.process;
    if (process?.ended !== undefined) return await this.#reap(process);
    if (process?.fatal !== undefined) {
      // Vector is draining what can no longer be delivered, for up to a minute.
      await process.stop(this.#deps.limits.fatalGraceMs);
      return again;
    }
    await this.#adoptVersion();
    const lookup = this.#deps.vector();
    if (lookup.kind === "missing") {
      if (!this.#slot.isRunning) this.#trouble = lookup.problem;
      return waitForNews;
    }
    if (this.#needsApply()) {
      const body = await this.#body(this.#entry.hash);
      if (body !== undefined) return await this.#apply(body, lookup.executable, signal);
    }
    if (this.#restartWanted !== undefined) return await this.#restartNow(lookup.executable, signal);
    if (!this.#slot.isRunning && this.#record.effective !== undefined) {
      if (this.#msUntilStart() > 0) return { kind: "wait", ms: this.#msUntilStart() };
      return await this.#start(this.#record.effective.hash, lookup.executable, signal);
    }
    if (await this.#api.step(signal)) return again;
    return this.#settled();
  }

  /** While it runs: forgets earlier trouble once it has run for long enough. */
  #settled(): Step {
    const process = this.process;
    if (process === undefined || this.#trouble === "") return waitForNews;
    const upMs = this.#deps.clock.now().getTime() - process.startedAt.getTime();
    if (upMs < stableAfterMs) return { kind: "wait", ms: stableAfterMs - upMs };
    this.#trouble = "";
    this.#history = noFailures;
    return waitForNews;
  }

  #needsApply(): boolean {
    const { hash, attempt } = this.#entry;
    if (hash === this.#record.effective?.hash) return false;
    const tried = this.#record.attempt;
    // P3: a hash that failed waits for other content or a person's retry.
    return !(this.#attemptFailed && tried?.hash === hash && tried.attempt === attempt);
  }

  get #attemptFailed(): boolean {
    const phase = this.#record.attempt?.phase;
    return phase === "failed" || phase === "rolled_back";
  }

  /** The same content under another version number, or again after another: nothing to apply. */
  async #adoptVersion(): Promise<void> {
    const { hash, version, attempt, name } = this.#entry;
    const { effective, attempt: tried } = this.#record;
    const isRetry = tried !== undefined && tried.attempt !== attempt;
    const isSame = tried?.hash === hash && tried.version === version && !isRetry;
    if (isSame && name === this.#record.name) return;
    if (hash === effective?.hash) {
      if (isRetry) this.#nextStartAt = undefined;
      const settled = { ...newAttempt(this.#entry), phase: "applied" as const };
      await this.#save({ name, effective: { hash, version }, attempt: settled });
      await this.#deps.store.pruneBodies(this.id, [hash]);
    } else if (tried?.hash === hash && !isRetry) {
      await this.#save({ ...this.#record, name, attempt: { ...tried, version } });
    }
  }

  async #apply(
    body: PipelineBody,
    executable: VectorExecutable,
    signal: AbortSignal,
  ): Promise<Step> {
    const { store, limits, clock, env } = this.#deps;
    const entry = this.#entry;
    const attempt = newAttempt(entry);
    await this.#save({ ...this.#record, name: entry.name, attempt });
    const effective = this.#record.effective;
    const previous = effective === undefined ? undefined : await this.#body(effective.hash);
    const outcome = await applyBody(
      {
        slot: this.#slot,
        executable,
        cwd: store.paths(this.id).folder,
        env,
        limits,
        clock,
        phase: async (phase) =>
          await this.#save({ ...this.#record, attempt: { ...attempt, phase } }),
        starting: (starting) => this.#nowStarting(starting, body),
      },
      previous,
      body,
      signal,
    );
    await this.#conclude(attempt, outcome);
    if (outcome.kind === "applied") this.#logLevel = body.logLevel;
    else if (previous !== undefined) this.#logLevel = previous.logLevel;
    return again;
  }

  async #conclude(attempt: Attempt, outcome: ApplyOutcome): Promise<void> {
    const { hash, version } = attempt;
    if (outcome.kind === "applied") {
      this.#trouble = "";
      this.#history = noFailures;
      this.#nextStartAt = undefined;
      this.#delivering = true;
      const applied = { ...attempt, phase: "applied" as const, gapMs: outcome.gapMs };
      await this.#save({ ...this.#record, effective: { hash, version }, attempt: applied });
      await this.#deps.store.pruneBodies(this.id, [hash]);
      this.#say("info", `version ${version} is applied`);
      return;
    }
    const { reason, problems, logTail } = boundedFault(outcome.fault);
    const gapMs = outcome.kind === "rolled_back" ? outcome.gapMs : 0;
    const phase = outcome.kind;
    const failed = { ...attempt, phase, reason, problems, logTail, gapMs };
    await this.#save({ ...this.#record, attempt: failed });
    const verb = outcome.kind === "failed" ? "failed" : "was rolled back";
    this.#say("error", `version ${version} ${verb}: ${reason}`);
  }

  async #start(hash: string, executable: VectorExecutable, signal: AbortSignal): Promise<Step> {
    const body = await this.#body(hash);
    if (body === undefined) return waitForNews;
    this.#nowStarting(true, body);
    this.#nextStartAt = undefined;
    try {
      const fault = await this.#slot.start(body, executable, signal);
      if (fault !== undefined) this.#crashed(fault.reason, 0);
      else if (this.#restarts > 0) this.#say("info", "runs again");
    } finally {
      this.#nowStarting(false, body);
    }
    return again;
  }

  async #restartNow(executable: VectorExecutable, signal: AbortSignal): Promise<Step> {
    const hash = this.#record.effective?.hash;
    const wanted = this.#restartWanted;
    let problem = "nothing is applied yet";
    if (hash !== undefined) {
      await this.#slot.stop(this.#deps.limits.restartGraceMs);
      await this.#start(hash, executable, signal);
      problem = this.#slot.isRunning ? "" : this.#trouble;
    }
    this.#restartWanted = undefined;
    wanted?.resolve(problem);
    return again;
  }

  /** The process has ended although it is wanted. That is a crash whatever its exit code says (A8). */
  async #reap(process: VectorProcess): Promise<Step> {
    const exit = process.ended;
    const upMs = this.#deps.clock.now().getTime() - process.startedAt.getTime();
    const { reason } = process.fault(`Vector ${exit === undefined ? "ended" : describeExit(exit)}`);
    await this.#slot.reap();
    this.#api.endAll("the pipeline has stopped");
    this.#crashed(reason, upMs);
    return again;
  }

  #crashed(reason: string, upMs: number): void {
    const { clock, random } = this.#deps;
    const decision = afterExit(this.#history, upMs, random());
    this.#history = decision.history;
    this.#restarts++;
    this.#nextStartAt = new Date(clock.now().getTime() + decision.delayMs);
    this.#trouble = boundedText(reason, maxReasonBytes);
    const inSeconds = Math.round(decision.delayMs / 100) / 10;
    this.#say("error", `${reason}; it is started again in ${inSeconds} s`);
  }

  #msUntilStart(): number {
    if (this.#nextStartAt === undefined) return 0;
    return Math.max(0, this.#nextStartAt.getTime() - this.#deps.clock.now().getTime());
  }

  async #body(hash: string): Promise<PipelineBody | undefined> {
    const body = await this.#deps.store.loadBody(this.id, hash);
    if (body === undefined) this.#trouble = "its configuration is not on this host";
    return body;
  }

  async #save(record: PipelineRecord): Promise<void> {
    await this.#deps.store.prepare(this.id);
    await this.#deps.store.saveRecord(this.id, record);
    this.#record = record;
    this.#publish();
  }

  async #removed(): Promise<void> {
    await this.#deps.store.forget(this.id);
    const attempt = { ...newAttempt(this.#entry), phase: "removed" as const };
    this.#record = { name: this.#entry.name, effective: undefined, attempt };
    this.#deps.board.set({ ...this.#status(), state: "stopped", reason: "" });
  }

  #nowStarting(starting: boolean, body: PipelineBody): void {
    this.#starting = starting;
    this.#logLevel = body.logLevel;
    this.#publish();
  }

  #status(): PipelineStatus {
    const { attempt, effective, name } = this.#record;
    const running = this.process;
    const failure = this.#attemptFailed ? (attempt?.reason ?? "") : "";
    return {
      pipelineId: this.id,
      name,
      state: this.state,
      attempt,
      effective,
      reason: this.#trouble || failure,
      pid: running?.pid ?? 0,
      restarts: this.#restarts,
      nextStartAt: running === undefined ? this.#nextStartAt : undefined,
      at: this.#deps.clock.now(),
    };
  }

  #publish(): void {
    const status = this.#status();
    const key = JSON.stringify({ ...status, at: undefined });
    if (key === this.#published) return;
    this.#published = key;
    this.#log.info("pipeline state", { state: status.state, phase: status.attempt?.phase });
    this.#deps.board.set(status);
  }

  #spool(line: VectorLine, stream: OutputStream): void {
    // A component that died ends the process; the loop sees to it.
    if (this.#slot.process?.fatal !== undefined) this.#wake.put();
    const spooled = lineForServer(this.id, line, stream, this.#logLevel, this.#deps.clock.now());
    if (spooled !== undefined) this.#deps.spool.add(spooled);
  }

  /** A line of the agent itself about this pipeline. */
  #say(level: Level, text: string): void {
    const { spool, clock } = this.#deps;
    const time = clock.now();
    spool.add({ pipelineId: this.id, time, level, stream: "agent", componentId: "", text });
  }

  async #pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const scope = AbortSignal.any([signal, done.signal]);
    const news = this.#wake.take(scope);
    try {
      await (ms === undefined ? news : Promise.race([news, this.#deps.clock.sleep(ms, scope)]));
    } finally {
      done.abort();
      await news.catch(() => {}); // The next pause takes anew.
    }
  }
}

const maxReasonBytes = 4 * 1024;

function newAttempt(entry: ManifestEntry): Attempt {
  const { hash, version, attempt } = entry;
  return {
    hash,
    version,
    attempt,
    phase: "received",
    reason: "",
    problems: [],
    logTail: [],
    gapMs: 0,
  };
}

function boundedFault(fault: Fault): Fault {
  return {
    reason: boundedText(fault.reason, maxReasonBytes),
    problems: fault.problems.slice(0, 50),
    logTail: fault.logTail.slice(-50).map((line) => boundedText(line, 1024)),
  };
}
