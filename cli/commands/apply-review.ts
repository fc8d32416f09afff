import type { Environment } from "#gen/vectorflow/v1/environment_pb.ts";
import type { Problem } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { PreviewPipelineResponse } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import type { ApiClient } from "../client/client.ts";
import { listPipelines } from "../client/lookups.ts";
import { sameName } from "../client/names.ts";
import { nameOf, planApply, type Plan, type Step } from "../folder/plan.ts";
import type { Declaration } from "../folder/read-folder.ts";
import type { SelectorTerm } from "../folder/settings.ts";
import { effectName, operatorOf } from "../output/names.ts";
import { countOf, effectLines, problemLines, textDiff } from "../output/pipeline-texts.ts";
import type { Paint } from "../output/colour.ts";
import { printable } from "../output/printable.ts";
import { changeView, problemView } from "../output/views.ts";
import { readCurrent } from "./server-pipelines.ts";

/** A step with what the server says of it before anything is done. */
export interface ReviewedStep {
  readonly step: Step;
  readonly problems: readonly Problem[];
  /** Absent for a pipeline that does not exist yet, and when its text stays and is not deployed. */
  readonly preview: PreviewPipelineResponse | undefined;
  /** On how many hosts a new selector would stop it, with their names. */
  readonly stops: readonly string[];
}

export interface ReviewedPlan {
  readonly plan: Plan;
  readonly steps: readonly ReviewedStep[];
}

/** Plans what would make an environment as files say, and lets the server check every text of it. */
export async function reviewApply(
  client: ApiClient,
  environment: Environment,
  declaration: Declaration,
  deploying: { readonly deploy: boolean; readonly endPauses: boolean },
): Promise<ReviewedPlan> {
  const existing = await listPipelines(client, environment.id);
  const named = existing.filter(({ name }) =>
    declaration.pipelines.some((declared) => sameName(declared.name, name)),
  );
  const current = [];
  for (const { id } of named) current.push(await readCurrent(client, id));
  const planned = planApply(declaration.pipelines, current, existing, deploying);
  const plan = declaration.isFolder ? planned : { ...planned, notInFolder: [] };
  const steps: ReviewedStep[] = [];
  for (const step of plan.steps) steps.push(await reviewStep(client, environment, step));
  return { plan, steps };
}

async function reviewStep(
  client: ApiClient,
  environment: Environment,
  step: Step,
): Promise<ReviewedStep> {
  const { yaml, settings } = step.declared;
  if (step.kind === "create") {
    const { problems } = await client.pipelines.checkPipeline({
      environmentId: environment.id,
      yaml,
    });
    return { step, problems, preview: undefined, stops: [] };
  }
  const { id } = step.current;
  const moves = step.kind === "update" && step.parts.includes("selector");
  const [preview, selection] = await Promise.all([
    // A text that stays is checked too: what it refers to may be gone.
    client.pipelines.previewPipeline({ id, yaml }),
    moves
      ? client.delivery.previewSelector({
          pipelineId: id,
          selector: selectorMessage(settings.selector ?? []),
        })
      : undefined,
  ]);
  // The server lists the hosts that it would stop on first.
  const stops = (selection?.nodes ?? []).slice(0, selection?.stoppingCount).map(({ name }) => name);
  const changes = step.deploy || (step.kind === "update" && step.parts.includes("text"));
  return { step, problems: preview.problems, preview: changes ? preview : undefined, stops };
}

export function selectorMessage(terms: readonly SelectorTerm[]) {
  return {
    terms: terms.map(({ key, operator, values }) => ({
      key,
      operator: operatorOf(operator) ?? 0,
      values: [...values],
    })),
  };
}

const signs = { create: "+", update: "~", unchanged: "=" } as const;
const colours = { create: "green", update: "yellow", unchanged: "dim" } as const;

/** The plan for people; with `texts` also what differs in each text. */
export function planLines(
  { plan, steps }: ReviewedPlan,
  options: { readonly texts: boolean; readonly prune: boolean },
  paint: Paint,
): readonly string[] {
  const lines = steps.flatMap(({ step, problems, preview, stops }) => {
    const parts = step.kind === "update" ? `: ${step.parts.join(", ")}` : "";
    const deploy = step.deploy ? ", then deploy" : "";
    const before = step.kind === "create" ? "" : step.current.yaml;
    const pausedVersion = step.kind === "create" ? 0 : step.current.pausedVersion;
    return [
      paint(
        colours[step.kind],
        printable(`${signs[step.kind]} ${step.kind} ${nameOf(step)}${parts}${deploy}`),
      ),
      ...[
        ...(nameOf(step) === step.declared.name
          ? []
          : [
              paint(
                "yellow",
                printable(
                  `${step.declared.path} names it ${step.declared.name}: the name on the server stays`,
                ),
              ),
            ]),
        ...(pausedVersion === 0
          ? []
          : [
              paint(
                "yellow",
                step.deploy
                  ? `is paused: the deploy ends that`
                  : `is paused with version ${pausedVersion}, and stays so; --end-pause with --deploy would deploy it`,
              ),
            ]),
        ...problemLines(problems, paint),
        ...(stops.length === 0
          ? []
          : [paint("red", printable(`would stop at once on ${stops.join(", ")}`))]),
        ...(options.texts ? textDiff(before, step.declared.yaml, paint) : []),
        ...(preview === undefined || !(options.texts || step.deploy)
          ? []
          : ["a deploy would change:", ...effectLines(preview, paint).map((line) => `  ${line}`)]),
      ].map((line) => `    ${line}`),
    ];
  });
  const extras = plan.notInFolder.map(({ name, deployedVersion }) => {
    const state = deployedVersion === 0 ? "" : ` (version ${deployedVersion} is deployed)`;
    return options.prune
      ? paint("red", printable(`- delete ${name}${state}: it has no file`))
      : printable(`? ${name}${state} has no file; --prune would delete it`);
  });
  const count = (kind: Step["kind"]): number =>
    steps.filter(({ step }) => step.kind === kind).length;
  return [
    ...lines,
    ...extras,
    `${count("create")} to create, ${count("update")} to update, ${count("unchanged")} unchanged, ${countOf(plan.notInFolder.length, "pipeline")} without a file`,
  ];
}

/** The plan for programs. */
export function stepView({ step, problems, preview, stops }: ReviewedStep) {
  return {
    pipeline: nameOf(step),
    action: step.kind,
    parts: step.kind === "update" ? step.parts : [],
    deploy: step.deploy,
    paused_version:
      step.kind === "create" || step.current.pausedVersion === 0
        ? null
        : step.current.pausedVersion,
    problems: problems.map(problemView),
    changes: (preview?.changes ?? []).map(changeView),
    changed_options: preview?.changedOptions ?? [],
    effect: preview === undefined ? null : effectName(preview.effect),
    stops_on: stops,
  };
}
