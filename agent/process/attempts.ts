import type { ManifestEntry } from "../reconcile/desired-state.ts";
import type { PipelineRecord } from "../state/pipeline-store.ts";
import { boundedText } from "../text.ts";
import type { ApplyOutcome } from "./apply.ts";
import type { Attempt } from "./pipeline-status.ts";
import type { Fault } from "./vector-process.ts";

/** The longest reason that is kept and sent, in bytes. */
export const maxReasonBytes = 4 * 1024;

/** An attempt of which nothing is known but that its body is here. */
export function newAttempt(entry: ManifestEntry): Attempt {
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

/** The attempt as it ended. */
export function concluded(attempt: Attempt, outcome: ApplyOutcome): Attempt {
  if (outcome.kind === "applied") return { ...attempt, phase: "applied", gapMs: outcome.gapMs };
  const gapMs = outcome.kind === "rolled_back" ? outcome.gapMs : 0;
  return { ...attempt, phase: outcome.kind, ...boundedFault(outcome.fault), gapMs };
}

export function hasFailed(attempt: Attempt | undefined): boolean {
  return attempt?.phase === "failed" || attempt?.phase === "rolled_back";
}

/** Whether what is wanted is another content than runs, and was not refused before (P3). */
export function needsApply({ hash, attempt }: ManifestEntry, record: PipelineRecord): boolean {
  const { effective, attempt: tried } = record;
  if (hash === effective?.hash) return false;
  // A hash that failed waits for other content or a person's retry.
  return !(hasFailed(tried) && tried?.hash === hash && tried.attempt === attempt);
}

/**
 * The record with what a manifest says of the same content: another version number, another name, or the
 * content that runs again after another one. Undefined when it says nothing new.
 */
export function adopted(entry: ManifestEntry, record: PipelineRecord): PipelineRecord | undefined {
  const { hash, version, name } = entry;
  const { effective, attempt: tried } = record;
  const isRetry = tried !== undefined && tried.attempt !== entry.attempt;
  const isSame = tried?.hash === hash && tried.version === version && !isRetry;
  if (isSame && name === record.name) return undefined;
  if (hash === effective?.hash) {
    const settled = { ...newAttempt(entry), phase: "applied" as const };
    return { name, effective: { ...effective, version }, attempt: settled };
  }
  if (tried?.hash !== hash || isRetry) return undefined;
  return { ...record, name, attempt: { ...tried, version } };
}

/** Another version of Vector does not take what an earlier one did. */
export function refusedBy(version: string, taker: string, fault: Fault): Fault {
  const taken = taker === "" ? "" : ` that Vector ${taker} took`;
  const reason = `Vector ${version} does not take the configuration${taken}: ${fault.reason}`;
  return { ...fault, reason };
}

function boundedFault(fault: Fault): Fault {
  return {
    reason: boundedText(fault.reason, maxReasonBytes),
    problems: fault.problems.slice(0, 50),
    logTail: fault.logTail.slice(-50).map((line) => boundedText(line, 1024)),
  };
}
