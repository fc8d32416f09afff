import type { JSX } from "solid-js";

import { useApi } from "../state/api.tsx";
import { LogTail, type LogSource } from "./log-tail.tsx";

const pageSize = 200;

/** The log of a pipeline over all its hosts. */
export function PipelineLogs(props: { pipelineId: string }): JSX.Element {
  const { clients } = useApi();
  const source = (): LogSource => {
    const { pipelineId } = props;
    return {
      id: pipelineId,
      tail: (minimumLevel, signal) =>
        clients.logs.tailPipelineLogs({ pipelineId, minimumLevel }, { signal, timeoutMs: 0 }),
      older: ({ before, ...request }) =>
        clients.logs.listPipelineLogs({
          ...request,
          pipelineId,
          pageSize,
          ...(before?.time && { endTime: before.time }),
        }),
    };
  };
  return (
    <LogTail
      source={source()}
      showHost
      emptyText="What the pipeline's processes say appears here as it comes."
    />
  );
}
