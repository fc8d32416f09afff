import { For, Show, type JSX } from "solid-js";

import type { NodePipelineStatus } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { ProblemLine } from "./problem-line.tsx";

/** Why a host failed: the reason at once, problems and the process's last words below it. */
export function StatusDetail(props: { status: NodePipelineStatus }): JSX.Element {
  const hasMore = (): boolean =>
    props.status.problems.length > 0 || props.status.logTail.length > 0;
  const hasWords = (): boolean =>
    props.status.reason !== "" || props.status.notice !== "" || props.status.problems.length > 0;
  return (
    <Show when={hasWords()}>
      <tr class="status-detail">
        <td colSpan={5}>
          <Show when={props.status.notice}>
            <p class="status-reason">{props.status.notice}</p>
          </Show>
          <Show when={props.status.reason}>
            <p class="status-reason">
              <Show when={props.status.attemptedVersion > 0}>
                <span class="muted">v{props.status.attemptedVersion}: </span>
              </Show>
              {props.status.reason}
            </p>
          </Show>
          <Show when={hasMore()}>
            <details open={props.status.problems.length > 0}>
              <summary>Details</summary>
              <ul class="problem-list">
                <For each={props.status.problems}>
                  {(problem) => (
                    <li>
                      <ProblemLine problem={problem} />
                    </li>
                  )}
                </For>
              </ul>
              <Show when={props.status.logTail.length > 0}>
                <pre class="log-excerpt" tabIndex={0} aria-label="Last log lines">
                  {props.status.logTail.join("\n")}
                </pre>
              </Show>
            </details>
          </Show>
        </td>
      </tr>
    </Show>
  );
}
