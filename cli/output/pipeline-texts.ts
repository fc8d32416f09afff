import { Severity, type NodePipelineStatus, type Problem } from "#gen/vectorflow/v1/pipeline_pb.ts";
import {
  ChangeKind,
  DeployEffect,
  type ComponentChange,
  type PreviewPipelineResponse,
} from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import type { Paint } from "./colour.ts";
import { diffLines, formatDiff } from "./line-diff.ts";
import { changeName, severityName, stateName, stepName } from "./names.ts";
import { printable } from "./printable.ts";
import { formatTable } from "./table.ts";

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === Severity.ERROR);
}

/** One line for each problem, with its place. */
export function problemLines(problems: readonly Problem[], paint: Paint): readonly string[] {
  return problems.map((problem) => {
    const { severity, message, componentKey, field, line } = problem;
    const place = [
      ...(line === 0 ? [] : [`line ${line}`]),
      ...(componentKey === "" ? [] : [field === "" ? componentKey : `${componentKey}.${field}`]),
    ].join(", ");
    const colour = severity === Severity.ERROR ? "red" : "yellow";
    const head = paint(colour, severityName(severity));
    return `${head} ${printable(place === "" ? message : `${place}: ${message}`)}`;
  });
}

const signs: Readonly<Record<number, string>> = {
  [ChangeKind.ADDED]: "+",
  [ChangeKind.REMOVED]: "-",
  [ChangeKind.CHANGED]: "~",
  [ChangeKind.RECONNECTED]: "~",
};

const effectTexts: Readonly<Record<number, string>> = {
  [DeployEffect.NOTHING]: "hosts see no difference",
  [DeployEffect.START]: "hosts start it",
  [DeployEffect.RELOAD]:
    "Vector takes it over while it runs: what is marked ~ restarts, the rest goes on",
  [DeployEffect.RESTART]: "the whole pipeline restarts on each host",
};

/** How a configuration differs, and what that does on hosts. */
export function changeLines(
  of: {
    readonly changes: readonly ComponentChange[];
    readonly changedOptions: readonly string[];
    readonly effect: DeployEffect;
  },
  paint: Paint,
): readonly string[] {
  const effect = effectTexts[of.effect];
  return [
    ...of.changedOptions.map((option) =>
      paint("yellow", printable(`~ ${option} changed, for the whole pipeline`)),
    ),
    ...of.changes.map(({ componentKey, kind, fields }) => {
      const colour =
        kind === ChangeKind.ADDED ? "green" : kind === ChangeKind.REMOVED ? "red" : "yellow";
      const which = kind === ChangeKind.CHANGED ? `: ${fields.slice(0, 10).join(", ")}` : "";
      const text = `${signs[kind] ?? "?"} ${componentKey} ${changeName(kind)}${which}`;
      return paint(colour, printable(text));
    }),
    ...(effect === undefined ? [] : [effect]),
  ];
}

/** What a deploy would do, without the problems. */
export function effectLines(preview: PreviewPipelineResponse, paint: Paint): readonly string[] {
  const { changes, targets, policyRefusals, refusingNodeCount, deployedYaml } = preview;
  const away = targets.filter(({ connected }) => !connected).length;
  return [
    ...changeLines(preview, paint),
    ...(changes.length === 0 && deployedYaml !== ""
      ? ["no component differs from what is deployed"]
      : []),
    `for ${countOf(targets.length, "host")}${away === 0 ? "" : `, ${away} of them not connected`}`,
    ...policyRefusals.map(({ message, nodeNames, nodeCount }) =>
      paint(
        "yellow",
        printable(`refused by the policy of ${nodeCount} (${nodeNames.join(", ")}): ${message}`),
      ),
    ),
    ...(refusingNodeCount === 0
      ? []
      : [`${countOf(refusingNodeCount, "host")} would keep what they have`]),
  ];
}

export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** The lines of a text diff, or none when the texts are the same. */
export function textDiff(before: string, after: string, paint: Paint): readonly string[] {
  return formatDiff(diffLines(before, after)).map(({ kind, text }) => {
    const line = printable(text);
    if (kind === "same") return line;
    return paint(kind === "added" ? "green" : kind === "removed" ? "red" : "cyan", line);
  });
}

export function statusTable(nodes: readonly NodePipelineStatus[]): string {
  return formatTable(
    ["HOST", "STATE", "STEP", "VERSION", "WANTED", "REASON"],
    nodes.map((status) => [
      printable(status.nodeName),
      stateName(status.state),
      stepName(status.step),
      status.effectiveVersion === 0 ? "–" : `${status.effectiveVersion}`,
      status.desiredVersion === 0 ? "–" : `${status.desiredVersion}`,
      printable(status.reason === "" ? status.notice : status.reason),
    ]),
  );
}
