import type { Catalogue } from "../catalogue.ts";
import type { GraphComponent, ParsedText, PipelineGraph, Problem } from "../graph.ts";
import { malformedReferencesIn, referencesIn, visitTexts } from "../../secrets/references.ts";
import { findCredentials, proposeSecretName } from "./credentials.ts";
import { checkListeners } from "./check-listeners.ts";
import { checkNames } from "./check-names.ts";
import { checkWiring } from "./check-wiring.ts";
import type { TextFix } from "../edit/text-edits.ts";
import type { VersionsInUse } from "../../schemas/versions-in-use.ts";
import { checkComponent } from "./check-component.ts";
import { checkGlobals } from "./check-globals.ts";
import type { Neighbour } from "./listeners.ts";
import type { Wiring } from "../wiring.ts";

/** What a check needs to know of the environment. */
export interface CheckContext {
  readonly secretNames: ReadonlySet<string>;
  /** Those of them that their backend never gave. */
  readonly unreadSecrets?: ReadonlySet<string>;
  readonly certificateNames: ReadonlySet<string>;
  /** Other pipelines on the same hosts. */
  readonly neighbours?: readonly Neighbour[];
  /** The versions of Vector on the hosts; the one that the product knows when absent. */
  readonly versions?: VersionsInUse;
  /** False when nobody looks at the configuration for hosts. */
  readonly rendered?: boolean;
  /** Values of variables by name; absent where there are none. */
  readonly variables?: ReadonlyMap<string, string>;
}

/** Finds everything wrong with a graph that can be known without running anything. Pure. */
export function checkGraph(
  text: string,
  parsed: ParsedText,
  graph: PipelineGraph,
  wiring: Wiring,
  catalogue: Catalogue,
  context: CheckContext,
): readonly Problem[] {
  const problems: Problem[] = [];
  const report = (
    component: GraphComponent | undefined,
    path: readonly (string | number)[],
    message: string,
    severity: Problem["severity"] = "error",
    fixes: readonly TextFix[] = [],
  ): void => {
    const key = component?.key ?? "";
    problems.push({
      severity,
      message,
      componentKey: key,
      field: path.join("."),
      span: parsed.locate(key, path),
      ...(fixes.length === 0 ? {} : { fixes }),
    });
  };
  checkNames(text, graph, catalogue, report);
  checkGlobals(text, parsed, graph, catalogue, report);
  for (const kind of ["source", "sink"] as const) {
    const has = graph.components.some((component) => component.kind === kind);
    if (!has) report(undefined, [], `the pipeline has no ${kind}`);
  }
  for (const component of graph.components) {
    checkComponent(text, parsed, component, catalogue, context.versions, report);
    const { type, inputs, config } = component;
    checkReferences(component, { type, inputs, ...config }, context, report);
    problems.push(...checkCredentials(parsed, component, catalogue, context));
  }
  checkReferences(undefined, graph.globalConfig, context, report);
  checkWiring(text, parsed, graph, wiring, catalogue, report);
  checkListeners(graph, context.neighbours ?? [], report);
  return problems;
}

export type Report = (
  component: GraphComponent | undefined,
  path: readonly (string | number)[],
  message: string,
  severity?: Problem["severity"],
  fixes?: readonly TextFix[],
) => void;

function checkReferences(
  component: GraphComponent | undefined,
  value: unknown,
  context: CheckContext,
  report: Report,
): void {
  visitTexts(value, (text, path) => {
    for (const { kind, name } of referencesIn(text)) {
      const names = kind === "secret" ? context.secretNames : context.certificateNames;
      if (!names.has(name)) {
        report(component, path, `there is no ${kind} named ${name} in this environment`);
      } else if (kind === "secret" && context.unreadSecrets?.has(name) === true) {
        report(component, path, `the secret ${name} was never read from its backend`);
      }
    }
    for (const written of malformedReferencesIn(text)) {
      const message = `${written} is no reference and stays as it is: names have letters, digits, _, . and -, and start with a letter or _`;
      report(component, path, message, "warning");
    }
  });
}

/** Points at values that people should not be able to read here; see credentials.ts. */
function checkCredentials(
  parsed: ParsedText,
  component: GraphComponent,
  catalogue: Catalogue,
  context: CheckContext,
): readonly Problem[] {
  return findCredentials(component, catalogue).map((credential) => ({
    severity: "warning",
    message: `${credential.what} is readable in the text: keep it as a secret`,
    componentKey: component.key,
    field: credential.path.join("."),
    span: parsed.locate(component.key, credential.path),
    ...(credential.movable
      ? { moveToSecret: proposeSecretName(component, credential, context.secretNames) }
      : {}),
  }));
}
