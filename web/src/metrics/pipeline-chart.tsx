import { createMemo, type JSX } from "solid-js";

import { useApi } from "../state/api.tsx";
import { createRead } from "../state/create-read.ts";
import { useLive } from "../state/live.tsx";
import { formatRate } from "../lib/format.ts";
import { toTimestamp } from "../lib/time.ts";
import { QueryView } from "../ui/query-view.tsx";
import { refreshMs } from "./range.ts";
import { useRange } from "./range-picker.tsx";
import { toChartData, type Line } from "./series.ts";
import { TimeSeries } from "./time-series.tsx";

const throughput: readonly Line[] = [
  { name: "events_in", label: "In", color: "--chart-1" },
  { name: "events_out", label: "Out", color: "--chart-2" },
];
const errors: readonly Line[] = [
  { name: "errors", label: "Errors", color: "--chart-bad" },
  { name: "discarded", label: "Discarded", color: "--chart-4", dash: [4, 3] },
];

/** Events in and out, and errors, of one pipeline over all its hosts. */
export function PipelineCharts(props: { pipelineId: string }): JSX.Element {
  const { clients } = useApi();
  const live = useLive();
  const range = useRange();
  const read = createRead(() => {
    const { value, ms } = range();
    const pipelineId = props.pipelineId;
    return {
      queryKey: ["pipeline-metrics", pipelineId, value],
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const end = live.now();
        const response = await clients.metrics.queryPipelineMetrics(
          { pipelineId, startTime: toTimestamp(end - ms), endTime: toTimestamp(end) },
          { signal },
        );
        return { response, window: [(end - ms) / 1000, end / 1000] as const };
      },
      refetchInterval: refreshMs,
    };
  });
  return (
    <QueryView read={read} skeletonRows={6}>
      {(answer) => {
        const pick = (lines: readonly Line[]) =>
          createMemo(() => toChartData(answer().response.axis, answer().response.series, lines));
        const flow = pick(throughput);
        const trouble = pick(errors);
        return (
          <div class="chart-stack">
            <TimeSeries
              title="Events per second"
              lines={throughput}
              data={flow()}
              window={answer().window}
              format={formatRate}
              syncKey="pipeline"
              height={200}
              stale={live.stale()}
            />
            <TimeSeries
              title="Errors and discarded events per second"
              lines={errors}
              data={trouble()}
              window={answer().window}
              format={formatRate}
              syncKey="pipeline"
              height={120}
              stale={live.stale()}
            />
          </div>
        );
      }}
    </QueryView>
  );
}
