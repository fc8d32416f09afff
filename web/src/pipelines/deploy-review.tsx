import { For, Show, type JSX } from "solid-js";

import type {
  PolicyRefusal,
  PreviewPipelineResponse,
  TargetNode,
} from "#gen/vectorflow/v1/pipeline_service_pb.ts";

import { plural } from "../lib/format.ts";
import { useLive } from "../state/live.tsx";
import { SimulatedBadge, StateMark } from "../ui/mark.tsx";
import { Notice } from "../ui/feedback.tsx";
import { ConfigChanges } from "./config-changes.tsx";
import { ProblemLine } from "./problem-line.tsx";
import { countErrors, sortProblems } from "./preview.ts";

const maxTargets = 24;

/** What a deploy would do: its problems first, then components, then hosts. */
export function DeployReview(props: { preview: PreviewPipelineResponse }): JSX.Element {
  const errors = (): number => countErrors(props.preview.problems);
  return (
    <>
      <Show when={props.preview.problems.length > 0}>
        <Notice tone={errors() > 0 ? "bad" : "warn"}>
          <strong>
            {errors() > 0
              ? "This cannot be deployed as it is."
              : "It can be deployed, with warnings."}
          </strong>
          <ul class="problem-list">
            <For each={sortProblems(props.preview.problems)}>
              {(problem) => (
                <li>
                  <ProblemLine problem={problem} />
                </li>
              )}
            </For>
          </ul>
        </Notice>
      </Show>
      <PolicyRefusals preview={props.preview} />
      <div class="review-columns">
        <div>
          <h3>Changes</h3>
          <ConfigChanges
            changes={props.preview}
            empty={
              props.preview.deployedYaml === ""
                ? "Nothing yet."
                : "No component differs from what is deployed."
            }
          />
        </div>
        <div>
          <h3>Goes to {plural(props.preview.targets.length, "host")}</h3>
          <Targets targets={props.preview.targets} />
        </div>
      </div>
    </>
  );
}

/** Hosts have rules of their own: what they would refuse is known before the deploy, and blocks nothing. */
function PolicyRefusals(props: { preview: PreviewPipelineResponse }): JSX.Element {
  const total = (): number => props.preview.targets.length;
  return (
    <Show when={props.preview.policyRefusals.length > 0}>
      <Notice tone="warn">
        <strong>
          {props.preview.refusingNodeCount} of {plural(total(), "host")} would refuse this, by a
          policy of their own.
        </strong>
        <ul class="problem-list">
          <For each={props.preview.policyRefusals}>
            {(refusal) => <Refusal refusal={refusal} />}
          </For>
        </ul>
      </Notice>
    </Show>
  );
}

function Refusal(props: { refusal: PolicyRefusal }): JSX.Element {
  const more = (): number => props.refusal.nodeCount - props.refusal.nodeNames.length;
  return (
    <li>
      <span class="problem-line">
        <Show when={props.refusal.componentKey}>
          <code>
            {props.refusal.componentKey}
            {props.refusal.field === "" ? "" : `.${props.refusal.field}`}
          </code>
        </Show>
        <span class="problem-message">{props.refusal.message}</span>
        <span class="muted">
          {props.refusal.rule} on {props.refusal.nodeNames.join(", ")}
          {more() > 0 ? ` and ${more()} more` : ""}
        </span>
      </span>
    </li>
  );
}

function Targets(props: { targets: readonly TargetNode[] }): JSX.Element {
  const live = useLive();
  const away = (): number => props.targets.filter(({ connected }) => !connected).length;
  return (
    <>
      <ul class="review-targets">
        <For
          each={props.targets.slice(0, maxTargets)}
          fallback={<li class="muted">No host yet. Hosts that join later run it.</li>}
        >
          {(target) => (
            <li class="inline">
              <StateMark tone={target.connected ? "ok" : "idle"}>{target.name}</StateMark>
              <Show when={live.host(target.id)?.simulated}>
                <SimulatedBadge />
              </Show>
              <Show when={!target.connected}>
                <span class="muted">not connected</span>
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={props.targets.length > maxTargets}>
        <p class="muted">and {props.targets.length - maxTargets} more</p>
      </Show>
      <Show when={away() > 0}>
        <p class="muted">{plural(away(), "host")} will get it when connected again.</p>
      </Show>
    </>
  );
}
