import type { Clock } from "#common/clock.ts";

import type { PipelineBody } from "../reconcile/desired-state.ts";
import type { VectorExecutable } from "../vector/executable.ts";
import { metricsPage } from "../vector/metrics-page.ts";
import { validateConfig } from "../vector/validate.ts";
import { within } from "./deadline.ts";
import type { RunnerLimits } from "./limits.ts";
import type { ApplyPhase } from "./pipeline-status.ts";
import type { Built, ProcessSlot } from "./slot.ts";
import type { Fault, VectorProcess } from "./vector-process.ts";

export interface ApplyContext {
  readonly slot: ProcessSlot;
  readonly executable: VectorExecutable;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: RunnerLimits;
  readonly clock: Clock;
  /** Persists and reports how far the attempt has come. */
  phase(phase: ApplyPhase): Promise<void>;
  /** Says whether the pipeline is without a process at the moment. */
  starting(starting: boolean): void;
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
  if (build.kind === "unreadable") return await refused(ctx, unreadable(build.problems));
  const validation = await validateConfig(
    {
      vectorPath: ctx.executable.path,
      config: build.built.text,
      cwd: ctx.cwd,
      env: ctx.env,
      timeoutMs: ctx.limits.validateMs,
    },
    signal,
  );
  if (validation.kind === "invalid") {
    const { reason, problems, output } = validation;
    return await refused(ctx, { reason, problems, logTail: output.slice(-50) });
  }
  await ctx.phase("validated");
  await ctx.phase("applying");
  if (ctx.slot.canReload(build.built, ctx.executable)) {
    return await applyByReload(ctx, previous, build.built, signal);
  }
  return await applyByRestart(ctx, previous, build.built, signal);
}

function unreadable(problems: readonly string[]): Fault {
  return {
    reason: `the configuration cannot be read: ${problems[0] ?? ""}`,
    problems: problems.map((message) => ({ componentId: "", field: "", message })),
    logTail: [],
  };
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
  const verdict = await ctx.slot.reload(next, signal);
  const process = ctx.slot.process;
  switch (verdict.kind) {
    case "reloaded": {
      const fault = await probation(ctx, process, signal);
      if (fault === undefined) return { kind: "applied", gapMs: 0 };
      return await rollBack(ctx, previous, fault, ctx.clock.now(), signal);
    }
    case "refused": {
      // What a reload cannot change although it should: a new process can.
      if (verdict.reason.startsWith("global_")) {
        return await applyByRestart(ctx, previous, next, signal);
      }
      const fault = process?.fault("Vector refused to reload") ?? noProcess;
      return { kind: "rolled_back", fault, gapMs: 0 };
    }
    case "ended": {
      const fault = process?.fault("Vector ended during the reload") ?? noProcess;
      return await rollBack(ctx, previous, fault, ctx.clock.now(), signal);
    }
    case "timed_out":
      // A wedged reload looks healthy and ignores SIGTERM: only SIGKILL ends it.
      ctx.slot.kill();
      return await applyByRestart(ctx, previous, next, signal);
  }
}

const noProcess: Fault = { reason: "the process is gone", problems: [], logTail: [] };

async function applyByRestart(
  ctx: ApplyContext,
  previous: PipelineBody | undefined,
  next: Built,
  signal: AbortSignal,
): Promise<ApplyOutcome> {
  const wasRunning = ctx.slot.process !== undefined;
  const downSince = ctx.clock.now();
  ctx.starting(true);
  try {
    await ctx.slot.stop(ctx.limits.restartGraceMs);
    signal.throwIfAborted();
    const fault = await ctx.slot.start(next.body, ctx.executable, signal);
    if (fault !== undefined) {
      return await rollBack(ctx, previous, fault, wasRunning ? downSince : undefined, signal);
    }
  } finally {
    ctx.starting(false);
  }
  const gapMs = wasRunning ? ctx.clock.now().getTime() - downSince.getTime() : 0;
  const fault = await probation(ctx, ctx.slot.process, signal);
  if (fault === undefined) return { kind: "applied", gapMs };
  return await rollBack(ctx, previous, fault, wasRunning ? downSince : undefined, signal);
}

/**
 * Watches a process that has just taken a new configuration: most ports are bound, and most tasks
 * die, only after Vector has said that all is well.
 */
async function probation(
  ctx: ApplyContext,
  process: VectorProcess | undefined,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  if (process === undefined) return noProcess;
  const { clock, limits } = ctx;
  const until = clock.now().getTime() + limits.probationMs;
  while (process.ended === undefined && process.fatal === undefined) {
    const left = until - clock.now().getTime();
    if (left <= 0) break;
    await within(process.exit, Math.min(left, 100), clock, signal);
  }
  if (process.ended !== undefined || process.fatal !== undefined) {
    return process.fault("Vector is ending");
  }
  if ((await metricsPage(process.metricsPort, limits.pageMs)) !== undefined) return undefined;
  return process.fault("its metrics page does not answer");
}

/** Starts the version before again. If that fails too, it is left to the restart policy. */
async function rollBack(
  ctx: ApplyContext,
  previous: PipelineBody | undefined,
  fault: Fault,
  downSince: Date | undefined,
  signal: AbortSignal,
): Promise<ApplyOutcome> {
  ctx.starting(true);
  try {
    await ctx.slot.stop(ctx.limits.removeGraceMs);
    if (previous === undefined) return { kind: "failed", fault };
    signal.throwIfAborted();
    await ctx.slot.start(previous, ctx.executable, signal);
  } finally {
    ctx.starting(false);
  }
  const gapMs = downSince === undefined ? 0 : ctx.clock.now().getTime() - downSince.getTime();
  return { kind: "rolled_back", fault, gapMs };
}
