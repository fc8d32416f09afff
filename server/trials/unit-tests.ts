import { plainJson } from "#vrl/values.ts";
import type { Vrl } from "#vrl/vrl.ts";
import type { Catalogue } from "../configuration/catalogue.ts";
import { isRecord, type GraphComponent, type PipelineGraph } from "../configuration/graph.ts";
import { outputId } from "../configuration/ports.ts";
import { wire, type Wiring } from "../configuration/wiring.ts";
import type { TrialEvent } from "./events.ts";
import { readTests } from "./test-definitions.ts";
import { insertedEvents } from "./test-inputs.ts";
import { asText, conditionOf, OnlyInVector } from "./transforms.ts";
import { isKnown, Walk } from "./walk.ts";

/** What came of one test of a configuration. */
export interface UnitTestResult {
  /** Its place in `tests`. */
  readonly index: number;
  readonly name: string;
  /** `not_run`: only Vector can run it. */
  readonly state: "passed" | "failed" | "not_run";
  /** Why it failed, in the words of `vector test`, or why it was not run. */
  readonly messages: readonly string[];
}

const shownEvents = 20;

/** Runs `tests` of a configuration as `vector test` does, as far as VRL goes. Tells of each why not otherwise. */
export function runUnitTests(
  graph: PipelineGraph,
  catalogue: Catalogue,
  vrl: Vrl,
  now: Date,
): readonly UnitTestResult[] {
  const wiring = wire(graph, catalogue);
  return readTests(graph).map((test, index): UnitTestResult => {
    const definition = isRecord(test) ? test : {};
    const name = asText(definition["name"] ?? `tests[${index}]`);
    try {
      const messages = runUnitTest(definition, { graph, wiring, catalogue, vrl, now });
      return { index, name, state: messages.length === 0 ? "passed" : "failed", messages };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const state = error instanceof OnlyInVector ? "not_run" : "failed";
      return { index, name, state, messages: [message] };
    }
  });
}

type Definition = Readonly<Record<string, unknown>>;

/** What tests run in. */
interface Bench {
  readonly graph: PipelineGraph;
  readonly wiring: Wiring;
  readonly catalogue: Catalogue;
  readonly vrl: Vrl;
  readonly now: Date;
}

/** What is wrong, in lines; throws when the test cannot be built or run. */
function runUnitTest(test: Definition, bench: Bench): readonly string[] {
  const { graph, wiring, catalogue, vrl, now } = bench;
  const outputs = records(test["outputs"]).map((output) => ({
    ids: idsOf(output["extract_from"]),
    count: countOf(output["expected_event_count"]),
    conditions: Array.isArray(output["conditions"]) ? output["conditions"] : [],
  }));
  const silent = idsOf(test["no_outputs_from"] ?? []);
  if (outputs.length === 0 && silent.length === 0) {
    throw new Error("unit test must contain at least one of `outputs` or `no_outputs_from`.");
  }
  const available = new Set(
    graph.components
      .filter(({ kind }) => kind === "transform")
      .flatMap((component) => idsIn(component, wiring)),
  );
  for (const id of [...outputs.flatMap(({ ids }) => ids), ...silent]) {
    if (!available.has(id)) throw new Error(`Invalid extract_from target: '${id}' does not exist`);
  }
  const inserted = insertedEvents(test, graph, vrl, now);
  const targets = new Set([...outputs.flatMap(({ ids }) => ids), ...silent]);
  for (const key of inserted.keys()) {
    if (!reaches(key, targets, graph, wiring)) {
      throw new Error(
        `Unable to complete topology between input target '${key}' and output target(s)`,
      );
    }
  }
  // Sources are thrown away.
  const walk = new Walk(graph, wiring, catalogue, vrl, inserted, ({ kind }) =>
    kind === "source" ? [] : { unknown: "" },
  );
  const leaving = (ids: readonly string[]): readonly TrialEvent[] =>
    ids.flatMap((id) => {
      const events = walk.events(id);
      if (!isKnown(events)) throw new OnlyInVector(events.unknown);
      return events;
    });
  const places = new Map<string, number>();
  return [
    ...outputs.flatMap(({ ids, count, conditions }) => {
      const key = ids.join();
      const place = places.get(key) ?? 0;
      places.set(key, place + 1);
      return judge({ ids, count, conditions }, place, leaving(ids), vrl);
    }),
    ...silent
      .filter((id) => leaving([id]).length > 0)
      .map((id) => `check for transforms ["${id}"] failed: expected no outputs`),
  ];
}

function judge(
  output: {
    readonly ids: readonly string[];
    readonly count: number | undefined;
    readonly conditions: readonly unknown[];
  },
  place: number,
  events: readonly TrialEvent[],
  vrl: Vrl,
): readonly string[] {
  const ids = `[${output.ids.map((id) => JSON.stringify(id)).join(", ")}]`;
  if (output.count !== undefined && output.count !== events.length) {
    return [
      `expected ${output.count} events from transforms ${ids}, but received ${events.length}`,
      ...payloads(ids, events),
    ];
  }
  if (events.length === 0) {
    if (output.count === 0) return [];
    return [
      `checks for transforms ${ids} failed: no events received. Topology may be disconnected or transform is missing inputs.`,
    ];
  }
  const failures = output.conditions.flatMap((condition, index) => {
    const holds = conditionOf(condition, vrl);
    const verdicts = events.map(holds);
    if (verdicts.includes(true)) return [];
    return verdicts.map(
      (verdict) =>
        `  condition[${index}]: ${typeof verdict === "string" ? verdict : "source execution resolved to false"}`,
    );
  });
  if (failures.length === 0) return [];
  return [
    `check[${place}] for transforms ${ids} failed conditions:`,
    ...failures,
    ...payloads(ids, events),
  ];
}

function payloads(ids: string, events: readonly TrialEvent[]): readonly string[] {
  if (events.length === 0) return [];
  const more = events.length - shownEvents;
  return [
    `output payloads from ${ids} (events encoded as JSON):`,
    ...events.slice(0, shownEvents).map(({ value }) => `  ${plainJson(value)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function records(value: unknown): readonly Definition[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function countOf(value: unknown): number | undefined {
  return typeof value === "bigint" ? Number(value) : undefined;
}

function idsOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).map(asText);
}

function idsIn(component: GraphComponent, wiring: Wiring): readonly string[] {
  return wiring.outputs(component).map(({ name }) => outputId(component.key, name));
}

/** Whether events that are put in at a transform can come to one of the outputs. */
function reaches(
  key: string,
  targets: ReadonlySet<string>,
  graph: PipelineGraph,
  wiring: Wiring,
): boolean {
  const seen = new Set<string>();
  const open = [key];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const component = graph.components.find((other) => other.key === at);
    if (component === undefined || seen.has(at)) continue;
    seen.add(at);
    const ids = idsIn(component, wiring);
    if (ids.some((id) => targets.has(id))) return true;
    for (const other of graph.components) {
      if (wiring.inputs(other).some((input) => ids.includes(input))) open.push(other.key);
    }
  }
  return false;
}
