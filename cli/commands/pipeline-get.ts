import { findPipeline } from "../client/lookups.ts";
import { exitCodes, type ExitCode } from "../failures.ts";
import { problemLines, statusTable } from "../output/pipeline-texts.ts";
import { printable } from "../output/printable.ts";
import { pipelineView, problemView, statusView } from "../output/views.ts";
import { environmentOf, type CommandContext } from "./context.ts";
import { limitsOf, selectorTerms, withSummary } from "./server-pipelines.ts";

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
    const version =
      view.deployed_version === null ? "not deployed" : `version ${view.deployed_version}`;
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
