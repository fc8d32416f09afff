import type { Clock } from "#common/clock.ts";
import { Latest } from "#common/latest.ts";
import type { Logger } from "#common/logger.ts";

import type { HostPolicyKeeper } from "../policy/host-policy.ts";
import type { ManifestEntry, PipelineBody } from "../reconcile/desired-state.ts";
import type { SecretServer } from "../secrets/secret-server.ts";
import type { PipelineRecord, PipelineStore } from "../state/pipeline-store.ts";
import { messageOf } from "../text.ts";
import type { VectorExecutable, VectorLookup } from "../vector/executable.ts";
import { ApiLeases, type ApiLease } from "./api-lease.ts";
import {
  applyBody,
  validateBuilt,
  type ApplyContext,
  type ApplyOutcome,
  type ValidationContext,
} from "./apply.ts";
import type { Cgroups } from "./cgroups.ts";
import { adopted, concluded, needsApply, newAttempt, refusedBy } from "./attempts.ts";
import { describeExit, type OutputStream } from "./child.ts";
import { HostRules } from "./host-rules.ts";
import type { Leftovers } from "./leftover.ts";
import { drainMs, type RunnerLimits } from "./limits.ts";
import { lineForServer } from "./line-for-server.ts";
import type { LogSpool } from "./log-spool.ts";
import type { Attempt, Effective, RunState, StatusBoard } from "./pipeline-status.ts";
import type { PortAllocator } from "./ports.ts";
import { stableAfterMs } from "./restart-policy.ts";
import { Restarts } from "./restarts.ts";
import { ProcessSlot } from "./slot.ts";
import { StatusKeeper } from "./status-keeper.ts";
import type { VectorLine } from "./vector-log-line.ts";
import type { Fault, VectorProcess } from "./vector-process.ts";

export interface RunnerDeps {
  readonly store: PipelineStore;
  readonly ports: PortAllocator;
  readonly board: StatusBoard;
  readonly spool: LogSpool;
  readonly secrets: SecretServer;
  readonly leftovers: Leftovers;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly limits: RunnerLimits;
  readonly policy: HostPolicyKeeper;
  readonly cgroups: Cgroups;
  /** The environment of Vector processes. */
  readonly env: Readonly<Record<string, string>>;
  /** The executable as the file is now, not as it was when it was last looked at. */
  vector(): Promise<VectorLookup>;
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
  readonly #kept: StatusKeeper;
  readonly #restarts: Restarts;
  readonly #rules: HostRules;
  readonly #wake = new Latest<void>();
  readonly #removal = new AbortController();
  readonly #api: ApiLeases;
  #entry: ManifestEntry;
  #logLevel = "info";
  #restartWanted: PromiseWithResolvers<string> | undefined;
  #lacksBody = false;
  #expected = "";

  constructor(entry: ManifestEntry, record: PipelineRecord | undefined, deps: RunnerDeps) {
    this.id = entry.pipelineId;
    this.#entry = entry;
    this.#deps = deps;
    this.#log = deps.log.child({ pipelineId: entry.pipelineId });
    this.#slot = new ProcessSlot(
      this.id,
      deps,
      (line, stream) => this.#spool(line, stream),
      () => this.#wake.put(),
    );
    this.#kept = new StatusKeeper(
      this.id,
      record ?? { name: entry.name, effective: undefined, attempt: undefined },
      { ...deps, log: this.#log },
      () => this.process,
    );
    this.#restarts = new Restarts(this.#kept, deps);
    this.#rules = new HostRules(this.id, deps, this.#slot, this.#kept);
    this.#api = new ApiLeases(
      this.#slot,
      deps.clock,
      () => this.#wake.put(),
      (text) => this.#kept.say("warn", text),
    );
  }

  /** The process that runs now. */
  get process(): VectorProcess | undefined {
    return this.#slot.isRunning ? this.#slot.process : undefined;
  }

  get effective(): Effective | undefined {
    return this.#kept.record.effective;
  }

  get restarts(): number {
    return this.#kept.restarts;
  }

  get state(): RunState {
    return this.#kept.state;
  }

  /** A configuration that it needs is not on this disk, or cannot be opened. */
  get lacksBody(): boolean {
    return this.#lacksBody;
  }

  /** The hash whose body is, or may become, what runs; undefined unless that can be read. */
  async heldHash(): Promise<string | undefined> {
    const { attempt, effective } = this.#kept.record;
    const hash = attempt?.hash ?? effective?.hash;
    if (hash === undefined) return undefined;
    const lookup = await this.#deps.store.loadBody(this.id, hash);
    return lookup.kind === "found" ? hash : undefined;
  }

  /**
   * A body with this hash is about to be stored, and may become what is wanted. What tidies up after an
   * apply leaves it alone: it may be here before the manifest that lists it has reached this runner.
   */
  expectBody(hash: string): void {
    this.#expected = hash;
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

  /** @param undelivered the evidence that nothing is delivered; empty when it delivers. */
  noteDelivery(undelivered: string): void {
    const before = this.#kept.undelivered;
    if (undelivered === before) return;
    this.#kept.undelivered = undelivered;
    if (undelivered === "") this.#kept.say("info", "delivers again");
    else if (before === "") this.#kept.say("warn", `does not deliver: ${undelivered}`);
    this.#kept.publish();
  }

  kill(): void {
    this.#slot.kill();
  }

  /** Runs until the pipeline is removed or the agent stops; then no process is left. */
  async run(signal: AbortSignal): Promise<void> {
    const scope = AbortSignal.any([signal, this.#removal.signal]);
    const { leftovers, limits } = this.#deps;
    try {
      await leftovers.end(this.id, drainMs(limits), this.#deps);
      while (!scope.aborted) {
        const step = await this.#tryStep(scope);
        this.#kept.publish();
        if (step.kind === "wait") await this.#pause(step.ms, scope);
      }
    } catch (error) {
      if (!scope.aborted) throw error;
    } finally {
      const removed = this.#removal.signal.aborted;
      this.#api.endAll(removed ? "the pipeline was removed" : "the agent stops");
      await this.#slot.stop(drainMs(limits));
      this.#slot.close();
      await this.#rules.release();
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
      this.#restarts.crashed(`the agent failed: ${messageOf(error)}`, 0);
      return { kind: "wait", ms: this.#restarts.msUntilStart };
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
    await this.#rules.holdToPolicy();
    const lookup = await this.#deps.vector();
    if (lookup.kind === "missing") {
      if (!this.#slot.isRunning) this.#kept.trouble = lookup.problem;
      return waitForNews;
    }
    const isNew = needsApply(this.#entry, this.#kept.record);
    const next = isNew ? await this.#body(this.#entry.hash) : undefined;
    // It may have ended meanwhile. Whatever would start another process is not what tells of a crash.
    if (this.#slot.process?.ended !== undefined) return again;
    if (next !== undefined) return await this.#apply(next, lookup.executable, signal);
    if (this.#restartWanted !== undefined) return await this.#restartNow(lookup.executable, signal);
    const { effective } = this.#kept.record;
    if (!this.#slot.isRunning && this.#kept.violation !== "") return waitForNews;
    if (!this.#slot.isRunning && effective !== undefined) {
      if (this.#restarts.msUntilStart > 0) return { kind: "wait", ms: this.#restarts.msUntilStart };
      return await this.#start(effective, lookup.executable, signal);
    }
    await this.#rules.holdToLimits(this.#entry.limits);
    if (await this.#api.step(signal)) return again;
    return await this.#settled(lookup.executable);
  }

  /** While it runs: looks after its files, and forgets earlier trouble once it has run for long enough. */
  async #settled(executable: VectorExecutable): Promise<Step> {
    const process = this.process;
    if (process === undefined) return waitForNews;
    if (await this.#slot.repair()) {
      this.#kept.notice = `its files were changed on the host by somebody else and were put back at ${this.#deps.clock.now().toISOString()}`;
      this.#kept.say("warn", this.#kept.notice);
    }
    const { checkFilesMs } = this.#deps.limits;
    const runs = process.executable.version;
    if (executable.version !== runs) {
      this.#kept.notice = `runs Vector ${runs}; ${executable.version} is installed and is used from the next start on`;
    }
    if (this.#kept.trouble === "") return { kind: "wait", ms: checkFilesMs };
    const upMs = this.#deps.clock.now().getTime() - process.startedAt.getTime();
    if (upMs < stableAfterMs) {
      return { kind: "wait", ms: Math.min(stableAfterMs - upMs, checkFilesMs) };
    }
    this.#restarts.forgive();
    return { kind: "wait", ms: checkFilesMs };
  }

  /** The same content under another version number, or again after another: nothing to apply. */
  async #adoptVersion(): Promise<void> {
    const { record } = this.#kept;
    const next = adopted(this.#entry, record);
    if (next === undefined) return;
    if (this.#entry.hash === next.effective?.hash) {
      // A person's retry of what runs, or shall run, does not wait for the next try.
      if (record.attempt?.attempt !== next.attempt?.attempt) this.#kept.nextStartAt = undefined;
      await this.#kept.save(next);
      await this.#pruneBodies(this.#entry.hash);
    } else {
      await this.#kept.save(next);
    }
  }

  async #apply(
    body: PipelineBody,
    executable: VectorExecutable,
    signal: AbortSignal,
  ): Promise<Step> {
    const entry = this.#entry;
    const attempt = newAttempt(entry);
    await this.#kept.save({ ...this.#kept.record, name: entry.name, attempt });
    const { effective } = this.#kept.record;
    const previous = effective === undefined ? undefined : await this.#body(effective.hash);
    const ctx = this.#applyContext(executable, attempt, body);
    const outcome = await applyBody(ctx, previous, body, signal);
    this.#log.debug("apply", { step: "commit", outcome: outcome.kind });
    await this.#conclude(attempt, outcome, executable);
    if (outcome.kind === "applied") this.#logLevel = body.logLevel;
    else if (previous !== undefined) this.#logLevel = previous.logLevel;
    return again;
  }

  #applyContext(executable: VectorExecutable, attempt: Attempt, body: PipelineBody): ApplyContext {
    return {
      ...this.#validation(executable),
      limits: this.#deps.limits,
      slot: this.#slot,
      clock: this.#deps.clock,
      phase: async (phase) =>
        await this.#kept.save({ ...this.#kept.record, attempt: { ...attempt, phase } }),
      starting: (starting) => this.#nowStarting(starting, body),
      step: (step) => this.#log.debug("apply", { step }),
    };
  }

  async #conclude(
    attempt: Attempt,
    outcome: ApplyOutcome,
    executable: VectorExecutable,
  ): Promise<void> {
    const kept = this.#kept;
    const { hash, version } = attempt;
    const ended = concluded(attempt, outcome);
    kept.undelivered = "";
    if (outcome.kind !== "applied") {
      await kept.save({ ...kept.record, attempt: ended });
      const verb = outcome.kind === "failed" ? "failed" : "was rolled back";
      kept.say("error", `version ${version} ${verb}: ${ended.reason}`);
      return;
    }
    this.#restarts.forgive();
    kept.notice = "";
    const effective = { hash, version, vectorVersion: executable.version };
    await kept.save({ ...kept.record, effective, attempt: ended });
    await this.#pruneBodies(hash);
    await this.#slot.prune();
    const gap = outcome.gapMs > 0 ? ` after ${outcome.gapMs} ms without a running process` : "";
    kept.say("info", `version ${version} is applied${gap}`);
  }

  async #start(
    effective: Effective,
    executable: VectorExecutable,
    signal: AbortSignal,
  ): Promise<Step> {
    const body = await this.#body(effective.hash);
    if (body === undefined) return waitForNews;
    this.#nowStarting(true, body);
    this.#kept.nextStartAt = undefined;
    try {
      const fault =
        (await this.#refusedByOtherVector(effective, body, executable, signal)) ??
        (await this.#slot.start(body, executable, signal));
      if (fault !== undefined) {
        this.#restarts.crashed(fault.reason, 0);
        return again;
      }
      if (this.#kept.restarts > 0) this.#kept.say("info", "runs again");
      this.#kept.notice = "";
      if (effective.vectorVersion !== executable.version) {
        const now = { ...effective, vectorVersion: executable.version };
        await this.#kept.save({ ...this.#kept.record, effective: now });
      }
    } finally {
      this.#nowStarting(false, body);
    }
    return again;
  }

  /** A Vector of another version than the one that took the configuration is asked first. */
  async #refusedByOtherVector(
    effective: Effective,
    body: PipelineBody,
    executable: VectorExecutable,
    signal: AbortSignal,
  ): Promise<Fault | undefined> {
    if (effective.vectorVersion === executable.version) return undefined;
    const build = await this.#slot.build(body);
    if (build.kind === "refused") return build.fault;
    const ctx = this.#validation(executable);
    const fault = await validateBuilt(ctx, build.built, signal);
    return fault && refusedBy(executable.version, effective.vectorVersion, fault);
  }

  #validation(executable: VectorExecutable): ValidationContext {
    const { store, env, limits } = this.#deps;
    return { executable, cwd: store.paths(this.id).folder, env, limits };
  }

  async #restartNow(executable: VectorExecutable, signal: AbortSignal): Promise<Step> {
    const { effective } = this.#kept.record;
    const wanted = this.#restartWanted;
    let problem = "nothing is applied yet";
    // A restart would end what the host's policy no longer lets start.
    if (this.#kept.violation !== "") problem = this.#kept.violation;
    else if (effective !== undefined) {
      await this.#slot.stop(drainMs(this.#deps.limits));
      await this.#start(effective, executable, signal);
      problem = this.#slot.isRunning ? "" : this.#kept.trouble;
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
    this.#restarts.crashed(reason, upMs);
    return again;
  }

  async #pruneBodies(effective: string): Promise<void> {
    const keep = [effective, this.#entry.hash, this.#expected];
    await this.#deps.store.pruneBodies(this.id, keep);
  }

  async #body(hash: string): Promise<PipelineBody | undefined> {
    const lookup = await this.#deps.store.loadBody(this.id, hash);
    if (lookup.kind === "found") {
      if (this.#lacksBody) this.#kept.trouble = "";
      this.#lacksBody = false;
      return lookup.body;
    }
    this.#lacksBody = hash === this.#entry.hash;
    this.#kept.trouble =
      lookup.kind === "absent"
        ? "its configuration is not on this host; the server is asked for it"
        : "its stored secrets were sealed with another key than this host has now; the server is asked for them";
    return undefined;
  }

  async #removed(): Promise<void> {
    await this.#deps.store.forget(this.id);
    const attempt = { ...newAttempt(this.#entry), phase: "removed" as const };
    this.#kept.record = { name: this.#entry.name, effective: undefined, attempt };
    this.#deps.board.set({ ...this.#kept.status(), state: "stopped", reason: "" });
  }

  #nowStarting(starting: boolean, body: PipelineBody): void {
    this.#kept.isStarting = starting;
    this.#logLevel = body.logLevel;
    this.#kept.publish();
  }

  #spool(line: VectorLine, stream: OutputStream): void {
    // A component that died ends the process; the loop sees to it.
    if (this.#slot.process?.fatal !== undefined) this.#wake.put();
    const spooled = lineForServer(this.id, line, stream, this.#logLevel, this.#deps.clock.now());
    if (spooled !== undefined) this.#deps.spool.add(spooled);
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
