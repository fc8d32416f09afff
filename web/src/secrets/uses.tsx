import { A } from "@solidjs/router";
import { For, Show, type JSX } from "solid-js";

import type { ReferenceUse } from "#gen/vectorflow/v1/secret_pb.ts";
import type { MissingReference } from "#gen/vectorflow/v1/secret_service_pb.ts";

import { useEnvironment } from "../state/environment.tsx";
import { Notice } from "../ui/feedback.tsx";

/** A pipeline that refers to something of the environment. */
type Use = Pick<ReferenceUse, "pipelineId" | "pipelineName" | "draft" | "deployed">;

/** The pipelines that refer to something: deployed ones run with it. */
export function Uses(props: { uses: readonly Use[] }): JSX.Element {
  const environment = useEnvironment();
  return (
    <Show when={props.uses.length > 0} fallback={<span class="muted">Nobody</span>}>
      <For each={props.uses}>
        {(use, index) => (
          <>
            {index() > 0 && ", "}
            <A class="use-link" href={environment.path("pipelines", use.pipelineId)}>
              {use.pipelineName}
            </A>
            <span class="muted"> ({stateOf(use)})</span>
          </>
        )}
      </For>
    </Show>
  );
}

function stateOf({ draft, deployed }: Use): string {
  if (draft && deployed) return "deployed";
  return deployed ? "deployed, not in the draft" : "draft";
}

export function deployedNames(uses: readonly ReferenceUse[]): string {
  return uses
    .filter(({ deployed }) => deployed)
    .map(({ pipelineName }) => pipelineName)
    .join(", ");
}

/** Names that pipelines refer to and that are not there. */
export function MissingNotice(props: {
  kind: "SECRET" | "CERT";
  missing: readonly MissingReference[];
}): JSX.Element {
  return (
    <For each={props.missing}>
      {(missing) => (
        <Notice tone={deployedNames(missing.uses) === "" ? "warn" : "bad"}>
          <code>
            {props.kind}[{missing.name}]
          </code>{" "}
          does not exist, but is used by <Uses uses={missing.uses} />.
          <Show when={deployedNames(missing.uses)}>
            {" "}
            Hosts keep what they run and get nothing newer until it is created.
          </Show>
        </Notice>
      )}
    </For>
  );
}
