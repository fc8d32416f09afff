import type { Clock } from "#common/clock.ts";

import type { PipelineBody } from "../reconcile/desired-state.ts";
import type { VectorExecutable } from "../vector/executable.ts";
import { withoutInterpolation } from "../vector/interpolation.ts";
import { validateConfig } from "../vector/validate.ts";
import { maskedFault, resolvedText, type Built } from "./build.ts";
import { drainMs, type RunnerLimits } from "./limits.ts";
import type { ApplyPhase } from "./pipeline-status.ts";
import { hasDelivered, noProcess, probation } from "./probation.ts";
import type { ProcessSlot } from "./slot.ts";
import type { Fault } from "./vector-process.ts";

export interface ValidationContext {
  readonly executable: VectorExecutable;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: Pick<RunnerLimits, "validateMs">;
  readonly lowPriority?: boolean;
}

export interface ApplyContext extends ValidationContext {
  readonly limits: RunnerLimits;
  readonly slot: ProcessSlot;
  readonly clock: Clock;
  /** Persists and reports how far the attempt has come. */
  phase(phase: ApplyPhase): Promise<void>;
  /** Says whether the pipeline is without a process at the moment. */
  starting(starting: boolean): void;
  /** Notes the next step in the agent's own log. */
  step(step: string): void;
}

export type ApplyOutcome =
  | { readonly kind: "applied"; readonly gapMs: number }
  /** What ran before was not touched; or nothing ran before. */
  | { readonly kind: "failed"; readonly fault: Fault }
  /** The version before runs again, or is what is to be started again. */
  | { readonly kind: "rolled_back"; readonly fault: Fault; readonly gapMs: number };

/**
 * Brings one configuration into effect, or leaves the one before in effect (A5). `applied` is said
 * only after Vector's own verdict and a probation (A3).
 */
export async function applyBody(
  ctx: ApplyContext,
  previous: PipelineBody | undefined,
  next: PipelineBody,
  signal: AbortSignal,
): Promise<ApplyOutcome> {
  const build = await ctx.slot.build(next);
  if (build.kind === "refused") return await refused(ctx, build.fault);
  const invalid = await validateBuilt(ctx, build.built, signal);
  if (invalid !== undefined) return await refused(ctx, invalid);
  await ctx.phase("validated");
  await ctx.phase("applying");
  if (ctx.slot.canReload(build.built, ctx.executable)) {
    return await applyByReload(ctx, previous, build.built, signal);
  }
  return await applyByRestart(ctx, previous, build.built, signal);
}

/** What Vector says against a configuration, with its secrets masked; undefined when nothing. */
export async function validateBuilt(
  ctx: ValidationContext,
  built: Built,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  const flags = withoutInterpolation(ctx.executable.version);
  const validation = await validateConfig(
    {
      vectorPath: ctx.executable.path,
      args: flags.args,
      config: flags.escape(resolvedText(built)),
      cwd: ctx.cwd,
      env: ctx.env,
      timeoutMs: ctx.limits.validateMs,
      ...(ctx.lowPriority !== undefined && { lowPriority: ctx.lowPriority }),
    },
    signal,
  );
  if (validation.kind === "valid") return undefined;
  const { reason, problems, output } = validation;
  return maskedFault({ reason, problems, logTail: output.slice(-50) }, built.mask);
}

async function refused(ctx: ApplyContext, fault: Fault): Promise<ApplyOutcome> {
  // Gives back the ports that were taken for a process which will not be.
  if (!ctx.slot.isRunning) await ctx.slot.stop(0);
  return { kind: "failed", fault };
}

async function applyByReload(
  ctx: ApplyContext,
  previous: PipelineBody | undefined,
  next: Built,
  signal: AbortSignal,
): Promise<ApplyOutcome> {
  const delivered = await hasDelivered(ctx.slot.process);
  const since = ctx.clock.now();
  ctx.step("reload");
  const verdict = await ctx.slot.reload(next, signal);
  const process = ctx.slot.process;
  switch (verdict.kind) {
    case "reloaded":
      return await afterReload(ctx, previous, next, { delivered, since }, signal);
    case "refused": {
      // What a reload cannot change although it should: a new process can.
      if (verdict.reason.startsWith("global_")) {
        return await applyByRestart(ctx, previous, next, signal);
      }
      const fault = process?.fault("Vector refused to reload") ?? noProcess;
      // A restore that failed ends the process a moment later.
      const after = await probation(ctx, process, false, signal);
      if (after.kind === "passed") return { kind: "rolled_back", fault, gapMs: 0 };
      return await rollBack(ctx, previous, fault, since, signal);
    }
    case "ended": {
      const fault = process?.fault("Vector ended during the reload") ?? noProcess;
      return await rollBack(ctx, previous, fault, since, signal);
    }
    case "timed_out":
      // A wedged reload looks healthy and ignores SIGTERM: only SIGKILL ends it.
      ctx.step("reload gave no verdict");
      ctx.slot.kill();
      return await applyByRestart(ctx, previous, next, signal, since);
  }
}

async function afterReload(
  ctx: ApplyContext,
  previous: PipelineBody | undefined,
  next: Built,
  before: { readonly delivered: boolean; readonly since: Date },
  signal: AbortSignal,
): Promise<ApplyOutcome> {
  ctx.step("probation");
  const result = await probation(ctx, ctx.slot.process, before.delivered, signal);
  switch (result.kind) {
    case "passed":
      return { kind: "applied", gapMs: 0 };
    case "failed":
      return await rollBack(ctx, previous, result.fault, before.since, signal);
    case "wedged":
      ctx.step("reload left the pipeline stalled");
      ctx.slot.kill();
      return await applyByRestart(ctx, previous, next, signal, before.since);
  }
}

/** @param since when events stopped, if that was before the process is ended. */
async function applyByRestart(
  ctx: ApplyContext,
  previous: PipelineBody | undefined,
  next: Built,
  signal: AbortSignal,
  since?: Date,
): Promise<ApplyOutcome> {
  const delivered = since !== undefined || (await hasDelivered(ctx.slot.process));
  const wasRunning = ctx.slot.process !== undefined;
  const downSince = since ?? ctx.clock.now();
  ctx.starting(true);
  try {
    ctx.step("stop");
    await ctx.slot.stop(drainMs(ctx.limits));
    signal.throwIfAborted();
    ctx.step("start");
    const fault = await ctx.slot.start(next.body, ctx.executable, signal);
    if (fault !== undefined) {
      return await rollBack(ctx, previous, fault, wasRunning ? downSince : undefined, signal);
    }
  } finally {
    ctx.starting(false);
  }
  const gapMs = wasRunning ? ctx.clock.now().getTime() - downSince.getTime() : 0;
  ctx.step("probation");
  const result = await probation(ctx, ctx.slot.process, delivered, signal);
  // A process that is fresh cannot be wedged by a reload: what it is short of is told as a state.
  if (result.kind !== "failed") return { kind: "applied", gapMs };
  return await rollBack(ctx, previous, result.fault, wasRunning ? downSince : undefined, signal);
}

/** Starts the version before again. If that fails too, it is left to the restart policy. */
async function rollBack(
  ctx: ApplyContext,
  previous: PipelineBody | undefined,
  fault: Fault,
  downSince: Date | undefined,
  signal: AbortSignal,
): Promise<ApplyOutcome> {
  ctx.step("roll back");
  ctx.starting(true);
  try {
    await ctx.slot.stop(ctx.limits.fatalGraceMs);
    if (previous === undefined) return { kind: "failed", fault };
    signal.throwIfAborted();
    await ctx.slot.start(previous, ctx.executable, signal);
  } finally {
    ctx.starting(false);
  }
  const gapMs = downSince === undefined ? 0 : ctx.clock.now().getTime() - downSince.getTime();
  return { kind: "rolled_back", fault, gapMs };
}
