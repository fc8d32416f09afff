import type { PipelineLive } from "#gen/vectorflow/v1/live_service_pb.ts";

import { millisOf } from "../lib/time.ts";
import { pipelineWord } from "./pipeline-state.ts";

const collator = new Intl.Collator("en", { numeric: true });

type Compare = (a: PipelineLive, b: PipelineLive) => number;

const byName: Compare = (a, b) => collator.compare(a.summary?.name ?? "", b.summary?.name ?? "");

const severity = { bad: 0, warn: 1, info: 2, ok: 3, idle: 4 };

const compares: Record<string, Compare> = {
  name: byName,
  state: (a, b) => severity[pipelineWord(a).tone] - severity[pipelineWord(b).tone],
  hosts: (a, b) => a.nodesDesired - b.nodesDesired,
  in: (a, b) => (a.rates?.eventsIn ?? -1) - (b.rates?.eventsIn ?? -1),
  out: (a, b) => (a.rates?.eventsOut ?? -1) - (b.rates?.eventsOut ?? -1),
  errors: (a, b) => (a.rates?.errors ?? -1) - (b.rates?.errors ?? -1),
  changed: (a, b) =>
    (millisOf(a.summary?.updateTime) ?? 0) - (millisOf(b.summary?.updateTime) ?? 0),
};

/** The ids of the pipelines to show, in order. */
export function selectPipelines(
  pipelines: readonly PipelineLive[],
  query: { readonly text: string; readonly column: string; readonly descending: boolean },
): string[] {
  const words = query.text.toLowerCase().split(/\s+/).filter(Boolean);
  const sign = query.descending ? -1 : 1;
  const compare = compares[query.column] ?? byName;
  return pipelines
    .filter((pipeline) => {
      const text = `${pipeline.summary?.name} ${pipeline.summary?.description}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .toSorted((a, b) => sign * compare(a, b) || byName(a, b))
    .map(({ summary }) => summary?.id ?? "");
}
