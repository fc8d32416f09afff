import type { PipelineLive } from "#gen/vectorflow/v1/live_service_pb.ts";
import {
  DeployStep,
  NodeReachability,
  PipelineState,
  ProcessState,
  type NodePipelineStatus,
  type PipelineSummary,
} from "#gen/vectorflow/v1/pipeline_pb.ts";

import { plural } from "../lib/format.ts";
import type { Tone } from "../ui/mark.tsx";

export interface Word {
  readonly tone: Tone;
  readonly word: string;
}

/** What a pipeline's process does on a host. */
export function processWord(state: ProcessState): Word {
  switch (state) {
    case ProcessState.PENDING:
      return { tone: "idle", word: "pending" };
    case ProcessState.STARTING:
      return { tone: "info", word: "starting" };
    case ProcessState.RUNNING:
      return { tone: "ok", word: "running" };
    case ProcessState.STOPPED:
      return { tone: "idle", word: "stopped" };
    case ProcessState.CRASHED:
      return { tone: "bad", word: "crashed" };
    case ProcessState.HELD:
      return { tone: "warn", word: "held on previous version" };
    case ProcessState.NOT_DELIVERING:
      return { tone: "bad", word: "running, not delivering" };
    default:
      return { tone: "idle", word: "unknown" };
  }
}

/** A pipeline over all its hosts, in one word. */
export function pipelineWord(pipeline: PipelineLive): Word {
  if (pipeline.summary?.state === PipelineState.PAUSED) return { tone: "warn", word: "paused" };
  if (pipeline.summary?.state === PipelineState.UNDEPLOYED) {
    return { tone: "idle", word: "undeployed" };
  }
  if (pipeline.summary?.draft === true) return { tone: "idle", word: "draft" };
  if (pipeline.nodesDesired === 0) return { tone: "idle", word: "waiting" };
  return processWord(pipeline.worstState);
}

/** Where a host stands, as people see it: an unreachable one is not believed. */
export function statusWord(status: NodePipelineStatus): Word {
  const word = processWord(status.state);
  return status.reachability === NodeReachability.UNREACHABLE
    ? { tone: "idle", word: `unreachable, was ${word.word}` }
    : word;
}

export const stepNames = ["received", "validated", "applying", "healthy"] as const;

export type StepMark = "done" | "active" | "failed" | "waiting";

export interface Progress {
  readonly kind: "waiting" | "moving" | "healthy" | "failed" | "rolled-back";
  readonly word: string;
  readonly tone: Tone;
  readonly steps: readonly StepMark[];
}

/**
 * A deploy on one host as four steps. A failure is shown on the step that it happened in: the first
 * one whose time is missing.
 */
export function progressOf(status: NodePipelineStatus): Progress {
  const reached = [
    status.receiveTime !== undefined,
    status.validateTime !== undefined,
    status.applyTime !== undefined,
  ];
  switch (status.step) {
    case DeployStep.RECEIVED:
      return moving("validating", marks(1, 1));
    case DeployStep.VALIDATED:
      return moving("validated", marks(2, 0));
    case DeployStep.APPLYING:
      return moving("applying", marks(2, 2));
    case DeployStep.HEALTHY:
      return { kind: "healthy", word: "healthy", tone: "ok", steps: marks(4, 4) };
    case DeployStep.FAILED:
      return { kind: "failed", word: "failed", tone: "bad", steps: failedMarks(reached) };
    case DeployStep.ROLLED_BACK:
      return { kind: "rolled-back", word: "rolled back", tone: "bad", steps: failedMarks(reached) };
    default:
      return {
        kind: "waiting",
        word: status.reachability === NodeReachability.UNREACHABLE ? "waiting for host" : "waiting",
        tone: "idle",
        steps: marks(0, 0),
      };
  }
}

function moving(word: string, steps: readonly StepMark[]): Progress {
  return { kind: "moving", word, tone: "info", steps };
}

/** The first `done` steps are behind; `active` names the one under way, 0 when none is. */
function marks(done: number, active: number): StepMark[] {
  return stepNames.map((_, index) =>
    index < done ? "done" : index === active && active > 0 ? "active" : "waiting",
  );
}

function failedMarks(reached: readonly boolean[]): StepMark[] {
  const missing = reached.indexOf(false);
  const failedAt = missing === -1 ? 3 : missing;
  return stepNames.map((_, index) =>
    index < failedAt ? "done" : index === failedAt ? "failed" : "waiting",
  );
}

/** Counts of a deploy over hosts. */
export function countProgress(
  statuses: readonly NodePipelineStatus[],
): Record<Progress["kind"], number> {
  const counts = { waiting: 0, moving: 0, healthy: 0, failed: 0, "rolled-back": 0 };
  for (const status of statuses) counts[progressOf(status).kind]++;
  return counts;
}

/** As in "v3 on 1/1 hosts · draft has changes". */
export function statusLine(pipeline: PipelineLive): string {
  const { summary } = pipeline;
  if (summary === undefined) return "";
  const deployed = summary.draft
    ? notDeployedLine(summary)
    : pipeline.nodesDesired === 0
      ? `v${summary.deployedVersion}, but no host to run on`
      : `v${summary.deployedVersion} on ${pipeline.nodesCurrent}/${plural(pipeline.nodesDesired, "host")}`;
  return summary.changed ? `${deployed} · draft has changes` : deployed;
}

function notDeployedLine({ state, pausedVersion, undeployedVersion }: PipelineSummary): string {
  switch (state) {
    case PipelineState.PAUSED:
      return `no host runs it; v${pausedVersion} comes back when it is resumed`;
    case PipelineState.UNDEPLOYED:
      return undeployedVersion === 0
        ? "taken off all hosts"
        : `v${undeployedVersion} was taken off all hosts`;
    default:
      return "never deployed";
  }
}
