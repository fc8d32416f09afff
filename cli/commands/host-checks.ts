import {
  HostVerdict,
  type HostCheckGroup,
  type PreviewOnHostsResponse,
} from "#gen/vectorflow/v1/preview_service_pb.ts";
import { CliError } from "../failures.ts";
import { verdictName } from "../output/names.ts";
import { countOf } from "../output/pipeline-texts.ts";
import { printable } from "../output/printable.ts";
import type { CommandContext } from "./context.ts";

/** What hosts say of a text, for people and for programs. */
export interface HostsSaid {
  readonly lines: readonly string[];
  readonly refusingCount: number;
  readonly view: object;
}

/** Longer than the server asks. */
const longestMs = 180_000;

/** Asks the hosts of a pipeline and waits until all have answered or will not. */
export async function askHosts(
  { client, output, signal }: CommandContext,
  pipelineId: string,
  yaml: string,
): Promise<HostsSaid> {
  let last: PreviewOnHostsResponse | undefined;
  const answers = client.previews.previewOnHosts(
    { pipelineId, yaml },
    { signal, timeoutMs: longestMs },
  );
  for await (const answer of answers) {
    if (last === undefined) output.note(`asking ${countOf(answer.askedCount, "host")}`);
    last = answer;
  }
  if (last?.done !== true) throw new CliError("the server ended the question to the hosts early");
  const refused = last.groups.filter(({ verdict }) => verdict === HostVerdict.REFUSED);
  return {
    lines: last.groups.map((group) => output.paint(colourOf(group), groupLine(group))),
    // Each host is in the group of each of its problems: the number of hosts is what is left.
    refusingCount: refused.length === 0 ? 0 : refusingHosts(last),
    view: {
      target_count: last.targetCount,
      asked_count: last.askedCount,
      answered_count: last.answeredCount,
      accepted_count: last.acceptedCount,
      groups: last.groups.map((group) => ({
        verdict: verdictName(group.verdict),
        component: group.componentKey,
        field: group.field,
        message: group.message,
        vector_version: group.vectorVersion,
        nodes: group.nodeNames,
        node_count: group.nodeCount,
      })),
    },
  };
}

/** Hosts that answered, without those that would take it and those that could not check. */
function refusingHosts({ answeredCount, acceptedCount, groups }: PreviewOnHostsResponse): number {
  const failed = groups
    .filter(({ verdict }) => verdict === HostVerdict.FAILED)
    .reduce((sum, { nodeCount }) => sum + nodeCount, 0);
  return Math.max(1, answeredCount - acceptedCount - failed);
}

function colourOf({ verdict }: HostCheckGroup): "red" | "green" | "yellow" {
  if (verdict === HostVerdict.ACCEPTED) return "green";
  return verdict === HostVerdict.REFUSED ? "red" : "yellow";
}

const texts: Readonly<Record<number, string>> = {
  [HostVerdict.ACCEPTED]: "would take it",
  [HostVerdict.REFUSED]: "would refuse it",
  [HostVerdict.FAILED]: "could not check it",
  [HostVerdict.NO_ANSWER]: "gave no answer",
  [HostVerdict.TOO_OLD]: "were not asked",
  [HostVerdict.NOT_CONNECTED]: "were not asked",
};

function groupLine(group: HostCheckGroup): string {
  const { componentKey, field, message, nodeNames, nodeCount, vectorVersion } = group;
  const place = componentKey === "" ? "" : `${componentKey}${field === "" ? "" : `.${field}`}: `;
  const why = message === "" ? (vectorVersion === "" ? "" : `Vector ${vectorVersion}`) : message;
  const more = nodeCount > nodeNames.length ? ` and ${nodeCount - nodeNames.length} more` : "";
  const head = `${countOf(nodeCount, "host")} ${texts[group.verdict] ?? "said something unknown"}`;
  return printable(
    `${head} (${nodeNames.join(", ")}${more})${why === "" ? "" : `: ${place}${why}`}`,
  );
}
