import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseEventJson, toBoundedJson, toJson } from "./event-json.ts";
import { EventTime, type EventValue } from "./event-value.ts";

describe("an event as JSON", () => {
  test.each<[EventValue, string]>([
    [1n, "1"],
    [1, "1.0"],
    [1.5, "1.5"],
    [1e300, "1e+300"],
    [-0, "-0.0"],
    [Number.NaN, '"NaN"'],
    [2n ** 63n, "9223372036854775808"],
    [new EventTime("2026-01-01T00:00:00.000000001Z"), '"2026-01-01T00:00:00.000000001Z"'],
    ["a\u0000b\ud800", '"a\uFFFDb\uFFFD"'],
    [new Map<string, EventValue>([["__proto__", [null, true]]]), '{"__proto__":[null,true]}'],
  ])("%s", (value, json) => {
    expect(toJson(value)).toBe(json);
  });

  test("is read back with integers apart from floats", () => {
    expect(parseEventJson('{"a":1,"b":1.0,"c":12345678901234567890}')).toEqual(
      new Map<string, EventValue>([
        ["a", 1n],
        ["b", 1],
        ["c", 12345678901234567890n],
      ]),
    );
    expect(parseEventJson("{not json")).toBeUndefined();
  });

  test("says the same after a round", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const once = toJson(parseEventJson(JSON.stringify(value)) ?? null);
        expect(toJson(parseEventJson(once) ?? null)).toBe(once);
      }),
    );
  });
});

describe("an event within a bound", () => {
  test("is whole when it fits", () => {
    const event = new Map([["text", "x".repeat(200 * 1024)]]);
    expect(toBoundedJson(event, 256 * 1024)).toMatchObject({ cut: false });
  });

  test.each<[string, EventValue]>([
    ["a long text", new Map([["text", "é".repeat(400_000)]])],
    ["a long list", new Map([["list", Array.from({ length: 100_000 }, (_, i) => BigInt(i))]])],
    ["many fields", new Map(Array.from({ length: 50_000 }, (_, i) => [`field ${i}`, "value"]))],
    [
      "a wide tree",
      Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => "x".repeat(100))),
    ],
  ])("is cut and marked, and stays JSON: %s", (_, event) => {
    const { json, cut } = toBoundedJson(event, 64 * 1024);
    expect(cut).toBe(true);
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(64 * 1024);
    expect(JSON.parse(json)).toBeDefined();
    expect(json).toContain("[cut: ");
  });

  test("is nested without end only in its source", () => {
    let event: EventValue = "core";
    for (let i = 0; i < 10_000; i++) event = [event];
    expect(toBoundedJson(event, 1024).json).toContain("nested too deep");
  });
});
