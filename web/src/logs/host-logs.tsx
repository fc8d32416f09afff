import type { JSX } from "solid-js";

import { useApi } from "../state/api.tsx";
import { LogTail, type LogSource } from "./log-tail.tsx";

const pageSize = 200;

/** The log of everything that runs on one host. */
export function HostLogs(props: { hostId: string }): JSX.Element {
  const { clients } = useApi();
  const source = (): LogSource => {
    const nodeId = props.hostId;
    return {
      id: nodeId,
      tail: (minimumLevel, signal) =>
        clients.logs.tailNodeLogs({ nodeId, minimumLevel }, { signal, timeoutMs: 0 }),
      older: ({ before, ...request }) =>
        clients.logs.listNodeLogs({
          ...request,
          nodeId,
          pageSize,
          ...(before?.time && { endTime: before.time }),
        }),
    };
  };
  return (
    <LogTail
      source={source()}
      showHost={false}
      emptyText="What the host's processes say appears here as it comes."
    />
  );
}
