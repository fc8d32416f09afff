import type { Catalogue, DataType } from "./catalogue.ts";
import { checkOptions, closest } from "./check-options.ts";
import type { GraphComponent, ParsedText, PipelineGraph, Problem } from "./graph.ts";
import { referencesIn, visitTexts } from "../secrets/references.ts";
import { findCredentials, proposeSecretName } from "./credentials.ts";
import { expandInputs, inputTypes, isWildcard, outputId, outputsOf } from "./ports.ts";

/** What a check needs to know of the environment. */
export interface CheckContext {
  readonly secretNames: ReadonlySet<string>;
  /** Those of them that their backend never gave. */
  readonly unreadSecrets?: ReadonlySet<string>;
  readonly certificateNames: ReadonlySet<string>;
  /** Values of variables by name; absent where there are none. */
  readonly variables?: ReadonlyMap<string, string>;
}

/** Options of the renderer and the agent: a person's would be overwritten, or would break telemetry. */
const ownedGlobals = new Set(["data_dir", "api", "secret", "provider"]);
const otherSections = new Set(["enrichment_tables", "tests", "secret", "provider"]);
/** Components that the agent injects have ids with this prefix. */
export const reservedPrefix = "__vectorflow";

/** Finds everything wrong with a graph that can be known without running anything. Pure. */
export function checkGraph(
  parsed: ParsedText,
  graph: PipelineGraph,
  catalogue: Catalogue,
  context: CheckContext,
): readonly Problem[] {
  const problems: Problem[] = [];
  const report = (
    component: GraphComponent | undefined,
    path: readonly (string | number)[],
    message: string,
    severity: Problem["severity"] = "error",
  ): void => {
    const key = component?.key ?? "";
    problems.push({
      severity,
      message,
      componentKey: key,
      field: path.join("."),
      span: component === undefined ? undefined : parsed.locate(key, path),
    });
  };
  checkShape(graph, catalogue, report);
  for (const component of graph.components) {
    checkComponent(component, catalogue, report);
    const { type, inputs, config } = component;
    checkReferences(component, { type, inputs, ...config }, context, report);
    problems.push(...checkCredentials(parsed, component, catalogue, context));
  }
  checkReferences(undefined, graph.globalConfig, context, report);
  checkInputs(graph, catalogue, report);
  if (!checkCycles(graph, catalogue, report)) checkTypes(graph, catalogue, report);
  return problems;
}

type Report = (
  component: GraphComponent | undefined,
  path: readonly (string | number)[],
  message: string,
  severity?: Problem["severity"],
) => void;

function checkShape(graph: PipelineGraph, catalogue: Catalogue, report: Report): void {
  for (const name of Object.keys(graph.globalConfig)) {
    if (ownedGlobals.has(name)) {
      report(undefined, [], `the option ${name} is set by VectorFlow on each host: remove it`);
    } else if (!catalogue.globalNames.has(name) && !otherSections.has(name)) {
      report(undefined, [], `unknown top-level option ${name}`);
    }
  }
  const has = (kind: GraphComponent["kind"]): boolean =>
    graph.components.some((component) => component.kind === kind);
  if (!has("source")) report(undefined, [], "the pipeline has no source");
  if (!has("sink")) report(undefined, [], "the pipeline has no sink");
}

function checkComponent(component: GraphComponent, catalogue: Catalogue, report: Report): void {
  if (component.key.startsWith(reservedPrefix)) {
    report(component, [], `names that start with ${reservedPrefix} are reserved`);
  }
  if (component.type === "") return;
  const facts = catalogue.component(component.kind, component.type);
  if (facts === undefined) {
    const other = (["source", "transform", "sink"] as const).find(
      (kind) => catalogue.component(kind, component.type) !== undefined,
    );
    const close = closest(component.type, catalogue.types(component.kind));
    const hint =
      other !== undefined
        ? `; ${component.type} is a ${other}`
        : close === undefined
          ? ""
          : `; did you mean ${close}?`;
    report(component, ["type"], `there is no ${component.kind} of type ${component.type}${hint}`);
    return;
  }
  for (const problem of checkOptions(
    component.config,
    catalogue.options(facts).filter(({ path }) => path !== "inputs"),
    facts.strict,
  )) {
    report(component, problem.path, problem.message, problem.severity);
  }
}

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

function checkInputs(graph: PipelineGraph, catalogue: Catalogue, report: Report): void {
  const outputs = new Set(
    graph.components.flatMap((component) =>
      outputsOf(component, catalogue).map(({ name }) => outputId(component.key, name)),
    ),
  );
  const read = new Set<string>();
  for (const component of graph.components) {
    if (component.kind === "source") {
      if (component.inputs.length > 0) report(component, ["inputs"], "a source has no inputs");
      continue;
    }
    const expanded = expandInputs(component, graph.components, catalogue);
    if (expanded.length === 0) report(component, ["inputs"], `${component.key} has no inputs`);
    component.inputs.forEach((input, index) => {
      if (isWildcard(input)) return;
      if (component.inputs.indexOf(input) !== index) {
        report(component, ["inputs", index], `the input ${input} is listed twice`);
      } else if (!outputs.has(input)) {
        report(component, ["inputs", index], missingInput(input, graph, catalogue, outputs));
      }
    });
    for (const input of expanded) read.add(input.split(".", 1)[0] ?? input);
  }
  for (const component of graph.components) {
    if (component.kind !== "sink" && !read.has(component.key)) {
      report(component, [], `nothing reads the ${component.kind} ${component.key}`, "warning");
    }
  }
}

function missingInput(
  input: string,
  graph: PipelineGraph,
  catalogue: Catalogue,
  outputs: ReadonlySet<string>,
): string {
  const [key = input] = input.split(".", 1);
  const component = graph.components.find((candidate) => candidate.key === key);
  if (component !== undefined) {
    const names = outputsOf(component, catalogue).map(({ name }) => outputId(key, name));
    return names.length === 0
      ? `${key} is a sink and has no output`
      : `${component.key} has no output ${input}; it has ${names.join(", ")}`;
  }
  const close = closest(input, [...outputs]);
  return `the input ${input} does not exist${close === undefined ? "" : `; did you mean ${close}?`}`;
}

/** Reports a cycle. True when there is one. */
function checkCycles(graph: PipelineGraph, catalogue: Catalogue, report: Report): boolean {
  const byKey = new Map(graph.components.map((component) => [component.key, component]));
  const state = new Map<string, "open" | "done">();
  let found = false;
  const visit = (component: GraphComponent, trail: readonly string[]): void => {
    if (found || state.get(component.key) === "done") return;
    if (state.get(component.key) === "open") {
      found = true;
      const cycle = [...trail.slice(trail.indexOf(component.key)), component.key].toReversed();
      report(component, ["inputs"], `the components form a cycle: ${cycle.join(" -> ")}`);
      return;
    }
    state.set(component.key, "open");
    for (const input of expandInputs(component, graph.components, catalogue)) {
      const upstream = byKey.get(input.split(".", 1)[0] ?? input);
      if (upstream !== undefined) visit(upstream, [...trail, component.key]);
    }
    state.set(component.key, "done");
  };
  for (const component of graph.components) visit(component, []);
  return found;
}

/** Transforms that pass on whatever type they get, although Vector takes them for emitting every type. */
const passThrough = new Set(["remap", "filter", "route", "exclusive_route", "delay"]);

/**
 * Vector compares types only along each edge, and drops without a word what a consumer cannot take
 * behind a transform that passes everything on. Types are carried through such transforms here.
 */
function checkTypes(graph: PipelineGraph, catalogue: Catalogue, report: Report): void {
  const byKey = new Map(graph.components.map((component) => [component.key, component]));
  const emitted = new Map<string, readonly DataType[]>();
  const typesOf = (input: string): readonly DataType[] => {
    const known = emitted.get(input);
    if (known !== undefined) return known;
    const [key = input, ...rest] = input.split(".");
    const component = byKey.get(key);
    const port = rest.length === 0 ? null : rest.join(".");
    if (component === undefined) return [];
    const own = outputsOf(component, catalogue).find(({ name }) => name === port)?.types ?? [];
    const types = passThrough.has(component.type)
      ? own.filter((type) =>
          expandInputs(component, graph.components, catalogue).some((from) =>
            typesOf(from).includes(type),
          ),
        )
      : own;
    emitted.set(input, types);
    return types;
  };
  for (const component of graph.components) {
    if (component.kind === "source") continue;
    const accepted = inputTypes(component, catalogue);
    for (const input of expandInputs(component, graph.components, catalogue)) {
      const types = typesOf(input);
      if (types.length === 0 || types.some((type) => accepted.includes(type))) continue;
      report(
        component,
        ["inputs"],
        `${component.key} takes ${accepted.join(" and ")} events, but ${input} emits ${types.join(" and ")}`,
      );
    }
  }
}
