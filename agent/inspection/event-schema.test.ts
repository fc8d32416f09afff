import { describe, expect, test } from "vitest";
import { parseEventJson } from "./event-json.ts";
import { SchemaInference } from "./event-schema.ts";
import { EventTime, Redacted, type EventValue } from "./event-value.ts";

function infer(...lines: readonly string[]) {
  const schema = new SchemaInference();
  for (const line of lines) schema.add(parseEventJson(line) ?? null);
  return Object.fromEntries(
    schema
      .fields()
      .map(({ path, types, eventCount }) => [path, `${types.join("|")} ${eventCount}`]),
  );
}

describe("an inferred schema", () => {
  test("has unions of types, with integers apart from floats, and how often a field occurs", () => {
    expect(infer('{"a":1,"b":"x"}', '{"a":1.0}', '{"a":null,"c":{"d":true}}')).toEqual({
      ".": "object 3",
      ".a": "integer|float|null 3",
      ".b": "string 1",
      ".c": "object 1",
      ".c.d": "boolean 1",
    });
  });

  test("descends into lists, and counts an event once", () => {
    expect(infer('{"items":[{"id":1},{"id":"x"},3]}', '{"items":[]}')).toEqual({
      ".": "object 2",
      ".items": "array 2",
      ".items[]": "integer|object 1",
      ".items[].id": "string|integer 1",
    });
    expect(infer("[[1.5]]")).toEqual({ ".": "array 1", ".[]": "array 1", ".[][]": "float 1" });
  });

  test("writes paths as VRL does", () => {
    expect(Object.keys(infer('{"odd key":{"x-y":1},"@t":1}'))).toEqual([
      ".",
      '."odd key"',
      '."odd key"."x-y"',
      ".@t",
    ]);
  });

  test("knows timestamps, and the type of what was redacted", () => {
    const schema = new SchemaInference();
    schema.add(
      new Map<string, EventValue>([
        ["t", new EventTime("2026-01-01T00:00:00Z")],
        ["pin", new Redacted("integer")],
      ]),
    );
    expect(schema.fields().map(({ types }) => types.join())).toEqual([
      "object",
      "integer",
      "timestamp",
    ]);
  });

  test("is bounded in fields and depth", () => {
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`f${i}`, i]));
    expect(Object.keys(infer(JSON.stringify(wide)))).toHaveLength(1000);
    expect(Object.keys(infer(`${"[".repeat(500)}${"]".repeat(500)}`))).toHaveLength(17);
  });
});
