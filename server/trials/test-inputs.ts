import type { VrlValue } from "#vrl/values.ts";
import type { Vrl } from "#vrl/vrl.ts";
import { isRecord, type PipelineGraph } from "../configuration/graph.ts";
import { newEvent, type TrialEvent } from "./events.ts";
import { valueInTest } from "./test-definitions.ts";
import { asText, OnlyInVector, run } from "./transforms.ts";

type Definition = Readonly<Record<string, unknown>>;

/** The events of a test, by the transform at which they are put in. Throws when they cannot be made, or not here. */
export function insertedEvents(
  test: Definition,
  graph: PipelineGraph,
  vrl: Vrl,
  now: Date,
): ReadonlyMap<string, readonly TrialEvent[]> {
  const { inputs: list } = test;
  const inputs = [...(Array.isArray(list) ? list : []), test["input"]].filter(isRecord);
  if (inputs.length === 0) throw new Error("must specify at least one input.");
  if (graph.globalConfig["log_schema"] !== undefined) {
    throw new OnlyInVector("log_schema gives the fields of events other names");
  }
  const inserted = new Map<string, TrialEvent[]>();
  for (const [index, input] of inputs.entries()) {
    const key = asText(input["insert_at"]);
    const target = graph.components.find((other) => other.key === key);
    if (target?.kind !== "transform") {
      throw new Error(`inputs[${index}]: unable to locate target transform '${key}'`);
    }
    const events = inserted.get(key) ?? [];
    events.push({ ...inputEvent(input, vrl, now), origin: index });
    inserted.set(key, events);
  }
  return inserted;
}

function inputEvent(input: Definition, vrl: Vrl, now: Date): TrialEvent {
  const timestamp = { $date: now.toISOString() };
  const type = input["type"] ?? "raw";
  switch (type) {
    case "raw": {
      if (input["value"] === undefined) {
        throw new Error("input type 'raw' requires the field 'value'");
      }
      return newEvent({ message: asText(input["value"]), timestamp }, 0);
    }
    case "log": {
      const fields = input["log_fields"];
      if (!isRecord(fields)) throw new Error("input type 'log' requires the field 'log_fields'");
      return Object.entries(fields).reduce(
        (event, [path, value]) => withField(event, path, valueInTest(value), vrl),
        newEvent({ message: "", timestamp }, 0),
      );
    }
    case "vrl": {
      if (typeof input["source"] !== "string") {
        throw new Error("input type 'vrl' requires the field 'source'");
      }
      const [outcome] = run(input["source"], [newEvent({}, 0)], inputOptions(vrl));
      if (outcome?.kind !== "done") throw new Error(outcome?.message ?? "the program was aborted");
      return newEvent(outcome.value, 0, outcome.metadata);
    }
    case "metric":
      throw new OnlyInVector("metrics can be put in only in Vector");
    default:
      throw new Error(
        `unrecognized input type '${asText(type)}', expected one of: 'raw', 'log', 'vrl' or 'metric'`,
      );
  }
}

const inputOptions = (vrl: Vrl) => ({ vrl, compile: { testInput: true } });

/** The language reads the path, so that quoted names and indexes are what they are to Vector. */
function withField(event: TrialEvent, path: string, value: VrlValue, vrl: Vrl): TrialEvent {
  const holder = { event: event.value, value };
  const [outcome] = run(
    `${placeOf(path)} = .value`,
    [newEvent(holder, 0, event.metadata)],
    inputOptions(vrl),
  );
  if (outcome?.kind !== "done") throw new Error(`${path} is not the path of a field`);
  const changed = outcome.value as { readonly event: VrlValue }; // It went in with this field.
  return newEvent(changed.event, 0, outcome.metadata);
}

function placeOf(path: string): string {
  if (path.startsWith("%")) return path;
  const below = path.replace(/^\./, "");
  return below === "" || below.startsWith("[") ? `.event${below}` : `.event.${below}`;
}
