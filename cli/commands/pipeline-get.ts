import { findPipeline } from "../client/lookups.ts";
import { exitCodes, type ExitCode } from "../failures.ts";
import { problemLines, statusTable } from "../output/pipeline-texts.ts";
import { printable } from "../output/printable.ts";
import { pipelineView, problemView, statusView } from "../output/views.ts";
import { environmentOf, type CommandContext } from "./context.ts";
import { limitsOf, selectorTerms, withSummary } from "./server-pipelines.ts";

function stateText(view: ReturnType<typeof pipelineView>): string {
  if (view.deployed_version !== null) return `version ${view.deployed_version}`;
  if (view.paused_version !== null) return `paused, version ${view.paused_version} comes back`;
  if (view.undeployed_version !== null) return `undeployed, version ${view.undeployed_version} ran`;
  return view.state === "undeployed" ? "undeployed" : "never deployed";
}

export async function pipelinesGet(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument } = context;
  const { id } = await findPipeline(client, await environmentOf(context), argument);
  const [{ pipeline, nodes }, delivery] = await Promise.all([
    client.pipelines.getPipeline({ id }),
    client.delivery.getDelivery({ pipelineId: id }),
  ]);
  const { summary, yaml, revision, problems } = withSummary(pipeline);
  const { memoryMib, cpuCores } = limitsOf(delivery.limits);
  const view = {
    ...pipelineView(summary),
    revision,
    settings: {
      description: summary.description,
      selector: selectorTerms(delivery.selector),
      log_level: delivery.logLevel,
      limits: { memory_mib: memoryMib, cpu_cores: cpuCores },
    },
    problems: problems.map(problemView),
    hosts: nodes.map(statusView),
    yaml,
  };
  output.result(view, () => {
    const version = stateText(view);
    const limits = [
      ...(memoryMib === 0 ? [] : [`${memoryMib} MiB`]),
      ...(cpuCores === 0 ? [] : [`${cpuCores} cores`]),
    ].join(", ");
    return [
      printable(`${summary.name}: ${version}${summary.changed ? ", the draft differs" : ""}`),
      ...(summary.description === "" ? [] : [printable(summary.description)]),
      `for        ${printable(delivery.selectorText)}`,
      `log level  ${delivery.logLevel}`,
      `limits     ${limits === "" ? "none" : limits}`,
      `revision   ${revision}`,
      ...(delivery.problem === "" ? [] : [output.paint("red", printable(delivery.problem))]),
      ...problemLines(problems, output.paint),
      "",
      nodes.length === 0 ? "No host has it." : statusTable(nodes),
    ].join("\n");
  });
  return exitCodes.ok;
}
