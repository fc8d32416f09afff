import { A } from "@solidjs/router";
import { createSignal, For, Show, type JSX } from "solid-js";

import type { NodePipelineStatus } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { toUiError } from "../api/errors.ts";
import { plural } from "../lib/format.ts";
import { formatDuration } from "../lib/time.ts";
import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { Button } from "../ui/button.tsx";
import { SimulatedBadge, StateMark } from "../ui/mark.tsx";
import { showToast } from "../ui/toast.tsx";
import { usePipeline } from "./pipeline-context.tsx";
import {
  countProgress,
  progressOf,
  statusWord,
  stepNames,
  type Progress,
} from "./pipeline-state.ts";
import { RestartNote } from "./restart-note.tsx";
import { StatusDetail } from "./status-detail.tsx";

import "../ui/plain-table.css";

/** More hosts than this are shown by counts and by those that need a person. */
const maxRows = 200;

/** Where the deployed version stands on every host, live, with what went wrong. */
export function HostProgress(props: {
  empty: JSX.Element;
  /** How many to show until somebody asks for all. */
  short?: number;
}): JSX.Element {
  const [all, setAll] = createSignal(false);
  const limit = (): number => (all() ? maxRows : Math.min(maxRows, props.short ?? maxRows));
  const pipeline = usePipeline();
  const live = useLive();
  const counts = (): ReturnType<typeof countProgress> => countProgress(pipeline.statuses());
  const rows = (): readonly NodePipelineStatus[] =>
    pipeline
      .statuses()
      .toSorted((a, b) => urgency(a) - urgency(b))
      .slice(0, limit());
  return (
    <Show when={pipeline.statuses().length > 0} fallback={props.empty}>
      <ProgressSummary counts={counts()} total={pipeline.statuses().length} />
      <div class="plain-table-scroll" classList={{ stale: live.stale() }}>
        <table class="plain-table">
          <thead>
            <tr>
              <th scope="col">Host</th>
              <th scope="col">Process</th>
              <th scope="col">Version</th>
              <th scope="col">Deploy</th>
              <th scope="col" class="number">
                Up for
              </th>
            </tr>
          </thead>
          <tbody>
            <For each={rows()}>{(status) => <HostRow status={status} />}</For>
          </tbody>
        </table>
      </div>
      <Show when={pipeline.statuses().length > limit()}>
        <div class="table-note">
          <Show
            when={limit() < maxRows}
            fallback={
              <span class="muted">
                The {maxRows} that need a look first, of{" "}
                {plural(pipeline.statuses().length, "host")}.
              </span>
            }
          >
            <Button variant="ghost" onClick={() => setAll(true)}>
              Show all {plural(pipeline.statuses().length, "host")}
            </Button>
          </Show>
        </div>
      </Show>
    </Show>
  );
}

const urgencies: Record<Progress["kind"], number> = {
  failed: 0,
  "rolled-back": 0,
  moving: 1,
  waiting: 2,
  healthy: 3,
};

function urgency(status: NodePipelineStatus): number {
  return urgencies[progressOf(status).kind];
}

function ProgressSummary(props: {
  counts: Record<Progress["kind"], number>;
  total: number;
}): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const pipeline = usePipeline();
  const [busy, setBusy] = createSignal(false);
  const failed = (): number => props.counts.failed + props.counts["rolled-back"];
  const retry = async (): Promise<void> => {
    setBusy(true);
    try {
      const { nodeCount } = await clients.pipelines.retryDeploy({ id: pipeline.id });
      showToast(`${plural(nodeCount, "host")} ${nodeCount === 1 ? "tries" : "try"} once more`);
    } catch (thrown) {
      showToast(toUiError(thrown).message, "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="progress-summary">
      <span role="status">
        {props.counts.healthy} of {plural(props.total, "host")} healthy
        <Show when={props.counts.moving > 0}> · {props.counts.moving} in progress</Show>
        <Show when={props.counts.waiting > 0}> · {props.counts.waiting} waiting</Show>
        <Show when={failed() > 0}>
          {" "}
          · <strong class="is-bad">{failed()} failed</strong>
        </Show>
      </span>
      <Show when={failed() > 0 && environment.canEdit()}>
        <Button loading={busy()} onClick={() => void retry()}>
          Retry
        </Button>
      </Show>
    </div>
  );
}

function HostRow(props: { status: NodePipelineStatus }): JSX.Element {
  const environment = useEnvironment();
  const live = useLive();
  const word = (): ReturnType<typeof statusWord> => statusWord(props.status);
  return (
    <>
      <tr>
        <td>
          <span class="inline">
            <A href={environment.path("hosts", props.status.nodeId)}>{props.status.nodeName}</A>
            <Show when={live.host(props.status.nodeId)?.simulated}>
              <SimulatedBadge />
            </Show>
          </span>
        </td>
        <td>
          <StateMark tone={word().tone}>{word().word}</StateMark>
          <RestartNote status={props.status} />
        </td>
        <td>
          <Show when={props.status.effectiveVersion > 0} fallback={<span class="faint">none</span>}>
            v{props.status.effectiveVersion}
          </Show>
          <Show when={props.status.effectiveVersion !== props.status.desiredVersion}>
            <span class="muted"> → v{props.status.desiredVersion}</span>
          </Show>
        </td>
        <td>
          <StepTrack progress={progressOf(props.status)} />
        </td>
        <td class="number">
          {props.status.uptimeSeconds > 0 ? formatDuration(props.status.uptimeSeconds) : "–"}
        </td>
      </tr>
      <StatusDetail status={props.status} />
    </>
  );
}

/** Four steps as marks, and where it stands in a word. */
function StepTrack(props: { progress: Progress }): JSX.Element {
  return (
    <div class="step-track">
      <ol aria-hidden="true">
        <For each={props.progress.steps}>
          {(mark, index) => <li data-mark={mark} title={stepNames[index()]} />}
        </For>
      </ol>
      <StateMark tone={props.progress.tone}>{props.progress.word}</StateMark>
    </div>
  );
}
