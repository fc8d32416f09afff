import { A } from "@solidjs/router";
import { For, Show, type JSX } from "solid-js";

import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import type { NodePipelineStatus } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { formatDuration } from "../lib/time.ts";
import { processWord, progressOf } from "../pipelines/pipeline-state.ts";
import { RestartNote } from "../pipelines/restart-note.tsx";
import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { StateMark } from "../ui/mark.tsx";
import { Section } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";

import "../ui/plain-table.css";

/** The stream has only the statuses of open pipelines; a host's are asked for this often. */
const refreshMs = 5_000;

/** What shall run on a host, what does, and why not. */
export function HostPipelines(props: { hostId: string }): JSX.Element {
  const live = useLive();
  const read = useRead(NodeService.method.getNode, () => ({ id: props.hostId }), {
    refetchInterval: refreshMs,
    staleTime: 0,
  });
  return (
    <Section title="Pipelines on this host" flush>
      <QueryView read={read}>
        {(answer) => (
          <Show
            when={answer().pipelines.length > 0}
            fallback={
              <EmptyState title="Nothing runs here yet">
                Pipelines that are deployed in this environment appear here.
              </EmptyState>
            }
          >
            <div class="plain-table-scroll" classList={{ stale: live.stale() }}>
              <table class="plain-table">
                <thead>
                  <tr>
                    <th scope="col">State</th>
                    <th scope="col">Pipeline</th>
                    <th scope="col">Version</th>
                    <th scope="col">Last deploy</th>
                    <th scope="col">Restarts</th>
                    <th scope="col">Up for</th>
                  </tr>
                </thead>
                <tbody>
                  <For each={answer().pipelines}>{(status) => <PipelineRow status={status} />}</For>
                </tbody>
              </table>
            </div>
          </Show>
        )}
      </QueryView>
    </Section>
  );
}

function PipelineRow(props: { status: NodePipelineStatus }): JSX.Element {
  const environment = useEnvironment();
  const word = (): ReturnType<typeof processWord> => processWord(props.status.state);
  const progress = (): ReturnType<typeof progressOf> => progressOf(props.status);
  return (
    <tr>
      <td>
        <StateMark tone={word().tone}>{word().word}</StateMark>
        <Show when={props.status.reason}>
          <div class="muted">{props.status.reason}</div>
        </Show>
        <Show when={props.status.notice}>
          <div class="muted">{props.status.notice}</div>
        </Show>
      </td>
      <td>
        <A href={environment.path("pipelines", props.status.pipelineId)}>
          {props.status.pipelineName}
        </A>
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
        <StateMark tone={progress().tone}>{progress().word}</StateMark>
      </td>
      <td>
        <RestartNote status={props.status} />
      </td>
      <td>{props.status.uptimeSeconds > 0 ? formatDuration(props.status.uptimeSeconds) : "–"}</td>
    </tr>
  );
}
