import { Show, type JSX } from "solid-js";

import type { NodePipelineStatus } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { plural } from "../lib/format.ts";
import { formatUntil, millisOf } from "../lib/time.ts";
import { useLive } from "../state/live.tsx";

/** How often the process ended by itself, and when it is started next. */
export function RestartNote(props: { status: NodePipelineStatus }): JSX.Element {
  const live = useLive();
  const nextMs = (): number | undefined => millisOf(props.status.nextStartTime);
  return (
    <>
      <Show when={props.status.restarts > 0}>
        <div class="muted">{plural(props.status.restarts, "restart")}</div>
      </Show>
      <Show when={nextMs()}>
        {(ms) => <div class="muted">Next try {formatUntil(ms(), live.now())}</div>}
      </Show>
    </>
  );
}
