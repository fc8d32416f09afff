import { Show, type JSX } from "solid-js";

import { Severity, type Problem } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { StateMark } from "../ui/mark.tsx";

/** A problem in one line: how bad, where, what. */
export function ProblemLine(props: { problem: Problem }): JSX.Element {
  const error = (): boolean => props.problem.severity === Severity.ERROR;
  return (
    <span class="problem-line">
      <StateMark tone={error() ? "bad" : "warn"}>{error() ? "error" : "warning"}</StateMark>
      <Show when={props.problem.componentKey}>
        <code>
          {props.problem.componentKey}
          {props.problem.field === "" ? "" : `.${props.problem.field}`}
        </code>
      </Show>
      <span class="problem-message">{props.problem.message}</span>
      <Show when={props.problem.line > 0}>
        <span class="faint">line {props.problem.line}</span>
      </Show>
    </span>
  );
}
