import type { Catalogue } from "../catalogue.ts";
import { closest } from "./check-options.ts";
import type { Report } from "./check.ts";
import type { GraphComponent, ParsedText, PipelineGraph } from "../graph.ts";
import { inputTypes, isWildcard, outputId, tableInputs } from "../ports.ts";
import { testTargets } from "../vrl/test-programs.ts";
import { removeInput, rewriteValue, type TextFix } from "../edit/text-edits.ts";
import type { Wiring } from "../wiring.ts";

/** More proposals than these are no proposals. */
const maximumProposals = 4;

/** Finds what is wrong between components: inputs, outputs that nobody reads, cycles, types of events. */
export function checkWiring(
  text: string,
  parsed: ParsedText,
  graph: PipelineGraph,
  wiring: Wiring,
  catalogue: Catalogue,
  report: Report,
): void {
  if (wiring.isTooLarge) {
    report(undefined, [], "the patterns in inputs match too many outputs: name fewer");
  }
  checkInputs(text, parsed, graph, wiring, report);
  checkReaders(graph, wiring, report);
  checkTests(graph, wiring, report);
  if (!checkCycles(graph, wiring, report)) checkTypes(graph, wiring, catalogue, report);
}

function checkInputs(
  text: string,
  parsed: ParsedText,
  graph: PipelineGraph,
  wiring: Wiring,
  report: Report,
): void {
  for (const component of graph.components) {
    if (component.kind === "source") {
      if (component.inputs.length > 0) report(component, ["inputs"], "a source has no inputs");
      continue;
    }
    if (wiring.inputs(component).length === 0) {
      report(component, ["inputs"], `${component.key} has no inputs`);
    }
    const removal = (index: number, title: string): readonly TextFix[] => {
      const edits = removeInput(text, parsed, component.key, index);
      return edits.length === 0 ? [] : [{ title, edits }];
    };
    component.inputs.forEach((input, index) => {
      if (isWildcard(input)) return;
      if (component.inputs.indexOf(input) !== index) {
        const fixes = removal(index, "Remove the second one");
        report(component, ["inputs", index], `the input ${input} is listed twice`, "error", fixes);
      } else if (wiring.edge(input) === undefined) {
        const missing = missingInput(input, component, wiring);
        const replacements = missing.proposals.flatMap((proposal): readonly TextFix[] => {
          const path = parsed.place(component.key, ["inputs", index])
            ? ["inputs", index]
            : ["inputs"];
          const edits = rewriteValue(text, parsed, component.key, path, proposal);
          return edits.length === 0 ? [] : [{ title: `Read ${proposal} instead`, edits }];
        });
        report(component, ["inputs", index], missing.message, "error", [
          ...replacements,
          ...removal(index, "Remove this input"),
        ]);
      }
    });
  }
}

/** Outputs that somebody has asked for: what goes there and is not read is lost. */
const askedFor = new Set(["route", "exclusive_route", "remap"]);

function checkReaders(graph: PipelineGraph, wiring: Wiring, report: Report): void {
  const read = new Set([
    ...graph.components.flatMap((component) => wiring.inputs(component)),
    ...tableInputs(graph.globalConfig),
  ]);
  const readKeys = new Set([...read].map((id) => id.split(".", 1)[0] ?? id));
  for (const component of graph.components) {
    const { kind, key, type } = component;
    if (kind === "sink") continue;
    if (!readKeys.has(key)) {
      report(component, [], `nothing reads the ${kind} ${key}`, "warning");
      continue;
    }
    if (!askedFor.has(type)) continue;
    for (const { name } of wiring.outputs(component)) {
      const id = outputId(key, name);
      if (name === "_unmatched" || read.has(id)) continue;
      const path = type === "route" && name !== null ? ["route", name] : [];
      report(component, path, `nothing reads ${id}: events that go there are lost`, "warning");
    }
  }
}

/** Vector refuses a configuration whose unit tests look at what is not there. It fails those that feed it. */
function checkTests(graph: PipelineGraph, wiring: Wiring, report: Report): void {
  const transforms = graph.components.flatMap(({ kind, key }) =>
    kind === "transform" ? [key] : [],
  );
  for (const { path, id, of } of testTargets(graph.globalConfig)) {
    const known = of === "input" ? transforms : wiring.outputIds;
    if (known.includes(id)) continue;
    const close = closest(id, known);
    const hint = close === undefined ? "" : `; did you mean ${close}?`;
    if (of === "output") report(undefined, path, `there is no output ${id} to look at${hint}`);
    else report(undefined, path, `there is no transform ${id} to feed${hint}`, "warning");
  }
}

/** Why an input does not exist, and what may have been meant. */
function missingInput(
  input: string,
  reader: GraphComponent,
  wiring: Wiring,
): { readonly message: string; readonly proposals: readonly string[] } {
  const [key = input] = input.split(".", 1);
  const owner = wiring.component(key);
  if (owner !== undefined) {
    const own = wiring.outputIds.filter((id) => wiring.edge(id)?.from === key);
    const free = own.filter((id) => !reader.inputs.includes(id));
    const close = closest(input, free);
    return own.length === 0
      ? { message: `${key} is a sink and has no output`, proposals: [] }
      : {
          message: `${key} has no output ${input}; it has ${own.join(", ")}`,
          proposals: [...new Set([...(close === undefined ? [] : [close]), ...free])].slice(
            0,
            maximumProposals,
          ),
        };
  }
  const others = wiring.outputIds.filter(
    (id) => wiring.edge(id)?.from !== reader.key && !reader.inputs.includes(id),
  );
  const close = closest(input, others);
  return {
    message: `the input ${input} does not exist${close === undefined ? "" : `; did you mean ${close}?`}`,
    proposals: close === undefined ? [] : [close],
  };
}

/** Reports a cycle. True when there is one. */
function checkCycles(graph: PipelineGraph, wiring: Wiring, report: Report): boolean {
  const state = new Map<string, "open" | "done">();
  const trail: string[] = [];
  let found = false;
  const visit = (component: GraphComponent): void => {
    const { key } = component;
    if (found || state.get(key) === "done") return;
    if (state.get(key) === "open") {
      found = true;
      const cycle = [...trail.slice(trail.indexOf(key)), key].toReversed();
      report(component, ["inputs"], `the components form a cycle: ${cycle.join(" -> ")}`);
      return;
    }
    state.set(key, "open");
    trail.push(key);
    for (const { from } of wiring.edges(component)) {
      const upstream = wiring.component(from);
      if (upstream !== undefined) visit(upstream);
    }
    trail.pop();
    state.set(key, "done");
  };
  for (const component of graph.components) visit(component);
  return found;
}

/**
 * Vector compares types only along each edge, and drops without a word what a consumer cannot take behind a transform
 * that passes everything on. Here types are carried through all transforms.
 */
function checkTypes(
  graph: PipelineGraph,
  wiring: Wiring,
  catalogue: Catalogue,
  report: Report,
): void {
  for (const component of graph.components) {
    if (component.kind === "source") continue;
    const accepted = inputTypes(component, catalogue);
    for (const { id } of wiring.edges(component)) {
      const types = wiring.emitted(id);
      if (types.length === 0 || types.some((type) => accepted.includes(type))) continue;
      report(
        component,
        ["inputs"],
        accepted.length === 0
          ? `${component.key} takes no events with this encoding`
          : `${component.key} takes ${accepted.join(" and ")} events, but ${id} emits ${types.join(" and ")}`,
      );
    }
  }
}
