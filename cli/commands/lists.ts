import type { Node } from "#gen/vectorflow/v1/node_pb.ts";
import { listEnvironments, listNodes, listPipelines } from "../client/lookups.ts";
import { watchEnvironment } from "../client/watch.ts";
import { exitCodes, type ExitCode } from "../failures.ts";
import type { Paint } from "../output/colour.ts";
import { nodeStatusName } from "../output/names.ts";
import { printable } from "../output/printable.ts";
import { formatTable } from "../output/table.ts";
import { environmentView, nodeView, pipelineState, pipelineView } from "../output/views.ts";
import { environmentOf, type CommandContext } from "./context.ts";

export async function environmentsList({ client, output }: CommandContext): Promise<ExitCode> {
  const environments = await listEnvironments(client);
  output.result(environments.map(environmentView), () =>
    formatTable(
      ["NAME", "TEAM", "ROLE", "HOSTS", "PIPELINES", "ID"],
      environments.map((environment) => {
        const { name, team, role, node_count, pipeline_count, id } = environmentView(environment);
        return [printable(name), printable(team), role, `${node_count}`, `${pipeline_count}`, id];
      }),
    ),
  );
  return exitCodes.ok;
}

const stateTexts: Readonly<Record<string, string>> = {
  not_deployed: "never deployed",
  undeployed: "undeployed",
  paused: "paused",
  deployed: "deployed",
  deployed_with_changes: "deployed, draft differs",
};

export async function pipelinesList(context: CommandContext): Promise<ExitCode> {
  const { client, output } = context;
  const { id } = await environmentOf(context);
  const pipelines = await listPipelines(client, id);
  output.result(pipelines.map(pipelineView), () =>
    formatTable(
      ["NAME", "STATE", "VERSION", "CHANGED", "BY"],
      pipelines.map((summary) => {
        const { name, deployed_version, paused_version, update_time, updated_by } =
          pipelineView(summary);
        const version = deployed_version ?? paused_version;
        return [
          printable(name),
          stateTexts[pipelineState(summary)] ?? "",
          version === null ? "–" : `${version}`,
          update_time ?? "",
          printable(updated_by),
        ];
      }),
    ),
  );
  return exitCodes.ok;
}

export async function nodesList(context: CommandContext): Promise<ExitCode> {
  const { client, output } = context;
  const { id } = await environmentOf(context);
  const nodes = await listNodes(client, id);
  output.result(nodes.map(nodeView), () =>
    formatTable(
      ["NAME", "STATUS", "PIPELINES", "VECTOR", "AGENT", "LABELS"],
      nodes.map((node) => [
        printable(node.name),
        statusCell(node, output.paint),
        `${node.pipelinesRunning}/${node.pipelinesTotal}`,
        printable(node.simulated ? `${node.vectorVersion} simulated` : node.vectorVersion),
        printable(node.agentVersion),
        printable(
          Object.entries(node.labels)
            .map(([key, value]) => `${key}=${value}`)
            .join(","),
        ),
      ]),
    ),
  );
  return exitCodes.ok;
}

function statusCell(node: Node, paint: Paint): string {
  const name = nodeStatusName(node.status);
  const text = `${name}${node.maintenance ? ", maintenance" : ""}${node.revoked ? ", revoked" : ""}`;
  return paint(name === "healthy" ? "green" : name === "degraded" ? "yellow" : "red", text);
}

/** Shows each node, and then each that changed, until the signal ends it. */
export async function nodesWatch(context: CommandContext): Promise<ExitCode> {
  const { client, output, signal } = context;
  const { id: environmentId } = await environmentOf(context);
  const shown = new Map<string, { readonly name: string; readonly content: string }>();
  const remove = (id: string): void => {
    const name = shown.get(id)?.name;
    if (name === undefined) return;
    shown.delete(id);
    output.item({ event: "removed", node: { id, name } }, () => `${printable(name)}  removed`);
  };
  let inSnapshot = new Set<string>();
  for await (const message of watchEnvironment(client, environmentId, [], signal)) {
    for (const node of message.nodes) {
      inSnapshot.add(node.id);
      const view = nodeView(node);
      // A heartbeat alone is no change of what is shown.
      const content = JSON.stringify({ ...view, last_seen_time: null });
      if (shown.get(node.id)?.content === content) continue;
      const event = shown.has(node.id) ? "changed" : "present";
      shown.set(node.id, { name: node.name, content });
      output.item({ event, node: view }, () => nodeLine(node, output.paint));
    }
    for (const id of message.removedNodeIds) remove(id);
    if (message.snapshot && message.synced) {
      for (const id of shown.keys()) if (!inSnapshot.has(id)) remove(id);
      inSnapshot = new Set();
    } else if (!message.snapshot) inSnapshot = new Set();
  }
  return exitCodes.ok;
}

function nodeLine(node: Node, paint: Paint): string {
  const reasons = node.reasons.length === 0 ? "" : `  ${printable(node.reasons.join("; "))}`;
  const counts = `${node.pipelinesRunning}/${node.pipelinesTotal} pipelines`;
  return `${printable(node.name)}  ${statusCell(node, paint)}  ${counts}${reasons}`;
}
