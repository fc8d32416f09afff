import { createSignal, For, Show, type JSX } from "solid-js";

import type { Node } from "#gen/vectorflow/v1/node_pb.ts";

import { formatBytes, formatCount, formatPercent } from "../lib/format.ts";
import { millisOf } from "../lib/time.ts";
import { HostCharts } from "../metrics/host-charts.tsx";
import { RangePicker } from "../metrics/range-picker.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { Ago } from "../ui/ago.tsx";
import { Button } from "../ui/button.tsx";
import { Badge } from "../ui/mark.tsx";
import { Facts, Section } from "../ui/page.tsx";
import { osName } from "./host-columns.tsx";
import { HostPolicySection } from "./host-policy.tsx";
import { LabelsDialog } from "./labels-dialog.tsx";
import { sortedLabels } from "./labels.ts";

/** Facts, labels and charts of a host. */
export function HostOverview(props: { host: Node }): JSX.Element {
  const live = useLive();
  const usage = (): Node["usage"] => props.host.usage;
  return (
    <>
      <Section title="Facts">
        <Facts
          facts={[
            ["Host name", <span>{props.host.host || "–"}</span>],
            ["Operating system", <span>{osName(props.host)}</span>],
            ["Vector", <span>{vectorName(props.host)}</span>],
            ["Agent", <span>{props.host.agentVersion || "–"}</span>],
            [
              "CPU",
              <span>
                {formatPercent(usage()?.cpuRatio)} of {props.host.cpuCount || "–"} · load{" "}
                {formatCount(usage()?.load1)}
              </span>,
            ],
            [
              "Memory",
              <span>
                {formatBytes(usage()?.memoryUsedBytes)} of {formatBytes(usage()?.memoryTotalBytes)}
              </span>,
            ],
            [
              "Disk",
              <span>
                {formatBytes(usage()?.diskUsedBytes)} of {formatBytes(usage()?.diskTotalBytes)}
              </span>,
            ],
            [
              "Measured",
              <Show when={usage()} fallback={<span>not yet</span>}>
                {(measured) => <Ago ms={millisOf(measured().time)} now={live.now()} />}
              </Show>,
            ],
            ["Last seen", <Ago ms={millisOf(props.host.lastSeenTime)} now={live.now()} />],
            ["Enrolled", <Ago ms={millisOf(props.host.enrollTime)} now={live.now()} />],
          ]}
        />
      </Section>
      <Labels host={props.host} />
      <HostPolicySection hostId={props.host.id} />
      <Section title="Usage" actions={<RangePicker />}>
        <HostCharts hostId={props.host.id} />
      </Section>
    </>
  );
}

function vectorName(host: Node): string {
  const version = host.vectorVersion || "–";
  return host.simulated ? `${version} (vector-sim)` : version;
}

function Labels(props: { host: Node }): JSX.Element {
  const environment = useEnvironment();
  const [editing, setEditing] = createSignal(false);
  const set = (): [string, string][] => sortedLabels(props.host.labels);
  const reported = (): [string, string][] => sortedLabels(props.host.reportedLabels);
  return (
    <Section
      title="Labels"
      actions={
        <Show when={environment.canEdit()}>
          <Button onClick={() => setEditing(true)}>Edit labels</Button>
        </Show>
      }
    >
      <div class="labels">
        <For each={set()} fallback={<span class="muted">No labels set here.</span>}>
          {([key, value]) => (
            <Badge>
              {key}={value}
            </Badge>
          )}
        </For>
        <Show when={reported().length > 0}>
          <span class="muted">· the host says:</span>
          <For each={reported()}>
            {([key, value]) => (
              <Badge title="Reported by the agent; informs, but selects nothing">
                {key}={value}
              </Badge>
            )}
          </For>
        </Show>
      </div>
      <LabelsDialog host={props.host} open={editing()} onOpenChange={setEditing} />
    </Section>
  );
}
