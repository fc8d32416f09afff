import { parseDocument, Scalar, visit } from "yaml";
import { vrlFloat, vrlInteger, vrlObject, type VrlValue } from "#vrl/values.ts";
import { isRecord, type PipelineGraph } from "../configuration/graph.ts";
import { vectorReading } from "../configuration/interchange/vector-scalars.ts";
import { renderGlobals } from "../configuration/render.ts";

/**
 * The tests of a configuration, from the text that hosts get, as Vector reads it: integers are bigints and floats are
 * numbers, so that 1 and 1.0 stay apart.
 */
export function readTests(graph: PipelineGraph): readonly unknown[] {
  const document = parseDocument(renderGlobals(graph), {
    merge: true,
    uniqueKeys: false,
    intAsBigInt: true,
  });
  visit(document, {
    Scalar(_key, node) {
      if (node.type !== Scalar.PLAIN || node.source === undefined) return;
      const reading = vectorReading(node.source);
      if (reading !== undefined) node.value = reading.kind === "text" ? node.source : reading.value;
    },
  });
  const options: unknown = document.toJS({ maxAliasCount: 100 });
  const tests = isRecord(options) ? options["tests"] : undefined;
  return Array.isArray(tests) ? tests : [];
}

/** A value that stands in a test, for programs. Throws for what Vector refuses. */
export function valueInTest(value: unknown): VrlValue {
  switch (typeof value) {
    case "bigint":
      return vrlInteger(value);
    case "number":
      if (Number.isNaN(value)) throw new Error("not a number is no value of an event");
      return vrlFloat(value);
    case "string":
    case "boolean":
      return value;
    default:
  }
  if (Array.isArray(value)) return value.map(valueInTest);
  if (!isRecord(value)) return null;
  const fields = Object.entries(value).map(([name, field]) => [name, valueInTest(field)] as const);
  return vrlObject(Object.fromEntries(fields));
}
