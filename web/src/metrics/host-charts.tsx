import { createMemo, For, type JSX } from "solid-js";

import { useApi } from "../state/api.tsx";
import { createRead } from "../state/create-read.ts";
import { useLive } from "../state/live.tsx";
import { formatBytes, formatPercent } from "../lib/format.ts";
import { toTimestamp } from "../lib/time.ts";
import { QueryView } from "../ui/query-view.tsx";
import { refreshMs } from "./range.ts";
import { useRange } from "./range-picker.tsx";
import { toChartData, type Line } from "./series.ts";
import { TimeSeries } from "./time-series.tsx";

interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly format: (value: number | undefined) => string;
  readonly binary: boolean;
}

const used = { label: "Used", color: "--chart-1" } as const;
const total = { label: "Total", color: "--chart-3", dash: [4, 3] } as const;

const panels: readonly Panel[] = [
  {
    title: "CPU",
    lines: [{ name: "cpu_ratio", label: "Busy", color: "--chart-1" }],
    format: formatPercent,
    binary: false,
  },
  {
    title: "Memory",
    lines: [
      { name: "memory_used_bytes", ...used },
      { name: "memory_total_bytes", ...total },
    ],
    format: formatBytes,
    binary: true,
  },
  {
    title: "Disk",
    lines: [
      { name: "disk_used_bytes", ...used },
      { name: "disk_total_bytes", ...total },
    ],
    format: formatBytes,
    binary: true,
  },
  {
    title: "Network",
    lines: [
      { name: "received_bytes", label: "Received", color: "--chart-1" },
      { name: "sent_bytes", label: "Sent", color: "--chart-2" },
    ],
    format: (value) => (value === undefined ? "–" : `${formatBytes(value)}/s`),
    binary: true,
  },
];

/** CPU, memory, disk and network of one host, with one cursor. */
export function HostCharts(props: { hostId: string }): JSX.Element {
  const { clients } = useApi();
  const live = useLive();
  const range = useRange();
  const read = createRead(() => {
    const { value, ms } = range();
    const nodeId = props.hostId;
    return {
      queryKey: ["host-metrics", nodeId, value],
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const end = live.now();
        const response = await clients.metrics.queryNodeMetrics(
          { nodeId, startTime: toTimestamp(end - ms), endTime: toTimestamp(end) },
          { signal },
        );
        return { response, window: [(end - ms) / 1000, end / 1000] as const };
      },
      refetchInterval: refreshMs,
    };
  });
  return (
    <QueryView read={read} skeletonRows={8}>
      {(answer) => (
        <div class="chart-grid">
          <For each={panels}>
            {(panel) => {
              const data = createMemo(() =>
                toChartData(answer().response.axis, answer().response.series, panel.lines),
              );
              return (
                <TimeSeries
                  title={panel.title}
                  lines={panel.lines}
                  data={data()}
                  window={answer().window}
                  format={panel.format}
                  binary={panel.binary}
                  syncKey="host"
                  height={160}
                  stale={live.stale()}
                />
              );
            }}
          </For>
        </div>
      )}
    </QueryView>
  );
}
