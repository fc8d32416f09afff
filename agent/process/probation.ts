import type { Clock } from "#common/clock.ts";
import { checkDelivery } from "../telemetry/delivering.ts";
import { metricsPage } from "../vector/metrics-page.ts";
import { within } from "./deadline.ts";
import { countersSince } from "../vector/counters.ts";
import { parsePrometheus } from "../vector/prometheus.ts";
import { FlowMeter, flowOf, type Flow } from "./flow.ts";
import type { RunnerLimits } from "./limits.ts";
import type { Fault, VectorProcess } from "./vector-process.ts";

export interface ProbationContext {
  readonly limits: RunnerLimits;
  readonly clock: Clock;
}

export type ProbationResult =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly fault: Fault }
  /** It looks alive, takes events in and lets none out, without a word: a wedged reload. */
  | { readonly kind: "wedged"; readonly flow: Flow };

export const noProcess: Fault = { reason: "the process is gone", problems: [], logTail: [] };

const lookEveryMs = 500;
/** Vector gathers its counters every second: a page is of the new configuration only after this. */
const staleMs = 1_500;

/** Whether the process has delivered anything in its life so far. */
export async function hasDelivered(process: VectorProcess | undefined): Promise<boolean> {
  if (process === undefined || process.ended !== undefined) return false;
  const page = await metricsPage(process.metricsPort, 2_000);
  if (page === undefined) return false;
  return flowOf(countersSince(new Map(), parsePrometheus(page)).components).sent > 0;
}

/**
 * Watches a process that has just taken a new configuration: most ports are bound, and most tasks
 * die, only after Vector has said that all is well. A pipeline that delivered before must deliver
 * again, or at least have nothing to deliver.
 */
export async function probation(
  ctx: ProbationContext,
  process: VectorProcess | undefined,
  delivered: boolean,
  signal: AbortSignal,
): Promise<ProbationResult> {
  if (process === undefined) return { kind: "failed", fault: noProcess };
  const { clock, limits } = ctx;
  const begin = clock.now().getTime();
  const end = begin + limits.probationMs;
  const meter = new FlowMeter();
  let silent: Flow | undefined;
  let answered = false;
  while (process.ended === undefined && process.fatal === undefined) {
    const left = end - clock.now().getTime();
    if (left <= 0 && answered && (silent === undefined || left <= -limits.silenceMs)) break;
    if (left <= -limits.pageMs && !answered) break;
    const page = await metricsPage(process.metricsPort, 2_000);
    answered ||= page !== undefined;
    if (page !== undefined && clock.now().getTime() - begin >= staleMs) {
      const components = meter.since(page);
      const flow = flowOf(components);
      const failing = flow.errors > 0 && checkDelivery(components) === "bad";
      silent = delivered && (flow.stalled || failing) ? flow : undefined;
    }
    const pauseMs = left > 0 ? Math.min(left, lookEveryMs) : lookEveryMs / 5;
    await within(process.exit, pauseMs, clock, signal);
  }
  if (process.ended !== undefined || process.fatal !== undefined) {
    return { kind: "failed", fault: process.fault("Vector is ending") };
  }
  if (!answered) {
    return { kind: "failed", fault: process.fault("its metrics page does not answer") };
  }
  if (silent === undefined) return { kind: "passed" };
  if (silent.stalled) return { kind: "wedged", flow: silent };
  return { kind: "failed", fault: undelivered(process, silent) };
}

function undelivered(process: VectorProcess, flow: Flow): Fault {
  const last = process.lastError;
  const where = last?.componentId ? `component "${last.componentId}": ` : "";
  const told = last === undefined ? "" : `; last error: ${where}${last.message.split("\n")[0]}`;
  const reason = `it received ${flow.received} events and delivered none, with ${flow.errors} errors${told}`;
  return { reason, problems: last === undefined ? [] : [last], logTail: process.tail() };
}
