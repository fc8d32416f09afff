import { useSearchParams } from "@solidjs/router";

import { NodeReachability, ProcessState } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { Component, NodePipelineStatus } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { usePipeline } from "../pipelines/pipeline-context.tsx";

export type LookMode = "sample" | "tap" | "top";

export interface HostOption {
  readonly value: string;
  readonly label: string;
}

/** What is looked at, kept in the address: host, components, and how. */
export interface LookAt {
  readonly mode: () => LookMode;
  readonly hosts: () => readonly HostOption[];
  readonly hostId: () => string;
  readonly components: () => readonly Component[];
  readonly chosen: () => readonly string[];
  readonly setHost: (id: string) => void;
  readonly toggle: (key: string) => void;
}

const states: ReadonlySet<ProcessState> = new Set([
  ProcessState.RUNNING,
  ProcessState.HELD,
  ProcessState.NOT_DELIVERING,
  ProcessState.STARTING,
]);

/** Hosts whose agent can be asked, by name. */
export function reachableHosts(statuses: readonly NodePipelineStatus[]): readonly HostOption[] {
  return statuses
    .filter(
      ({ state, reachability }) => states.has(state) && reachability === NodeReachability.CONNECTED,
    )
    .map(({ nodeId, nodeName }) => ({ value: nodeId, label: nodeName }));
}

export function useLookAt(): LookAt {
  const pipeline = usePipeline();
  const [search, setSearch] = useSearchParams();
  const hosts = (): readonly HostOption[] => reachableHosts(pipeline.statuses());
  const components = (): readonly Component[] => pipeline.live().summary?.components ?? [];
  const chosen = (): readonly string[] => {
    const named = String(search["components"] ?? "").split(",");
    const known = components().filter(({ key }) => named.includes(key));
    const first = components()[0];
    if (search["components"] === undefined) return first === undefined ? [] : [first.key];
    return known.map(({ key }) => key);
  };
  const replace = (next: Record<string, string | undefined>): void =>
    setSearch(next, { replace: true, scroll: false });
  return {
    mode: () => {
      const mode = search["view"];
      return mode === "tap" || mode === "top" ? mode : "sample";
    },
    hosts,
    hostId: () => {
      const asked = String(search["host"] ?? "");
      const options = hosts();
      return options.some(({ value }) => value === asked) ? asked : (options[0]?.value ?? "");
    },
    components,
    chosen,
    setHost: (host) => replace({ host }),
    toggle: (key) => {
      const now = chosen();
      const next = now.includes(key) ? now.filter((other) => other !== key) : [...now, key];
      replace({ components: next.length === 0 ? "-" : next.join(",") });
    },
  };
}
