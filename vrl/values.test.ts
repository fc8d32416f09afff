import { describe, expect, test } from "vitest";
import {
  parseVrlJson,
  plainJson,
  vrlFields,
  vrlFloat,
  vrlInteger,
  vrlObject,
  type VrlValue,
} from "./values.ts";
import { loadVrl, type VrlOutcome } from "./vrl.ts";

const vrl = loadVrl();

function only(source: string, value: VrlValue): Extract<VrlOutcome, { kind: "done" }> {
  const ran = vrl.run(source, { events: [{ value }] });
  const [outcome] = "outcomes" in ran ? ran.outcomes : [];
  if (outcome?.kind !== "done") throw new Error(JSON.stringify(ran));
  return outcome;
}

/** A program that makes a value, its form, the function that knows its type, and what people see. */
const made: readonly (readonly [string, VrlValue, string, string])[] = [
  ["10 / 2", { $float: "5.0" }, "is_float", "5.0"],
  ["1.5", { $float: "1.5" }, "is_float", "1.5"],
  ["0.1 + 0.2", { $float: "0.30000000000000004" }, "is_float", "0.30000000000000004"],
  ["-0.0", { $float: "-0.0" }, "is_float", "-0.0"],
  ['parse_float!("inf")', { $float: "inf" }, "is_float", "null"],
  ["5", 5, "is_integer", "5"],
  ["9007199254740991", 9007199254740991, "is_integer", "9007199254740991"],
  ["9007199254740993", { $integer: "9007199254740993" }, "is_integer", "9007199254740993"],
  [
    "-9223372036854775808",
    { $integer: "-9223372036854775808" },
    "is_integer",
    "-9223372036854775808",
  ],
  ['decode_base16!("ff61")', { $bytes: "/2E=" }, "is_string", '"\uFFFDa"'],
  ['"é"', "é", "is_string", '"é"'],
  ["r'a\\d'", { $regex: "a\\d" }, "is_regex", '"a\\\\d"'],
  [
    "t'2026-01-02T03:04:05.123456789Z'",
    { $date: "2026-01-02T03:04:05.123456789Z" },
    "is_timestamp",
    '"2026-01-02T03:04:05.123456789Z"',
  ],
  ["null", null, "is_null", "null"],
  ['{"$date": "x"}', { $object: { $date: "x" } }, "is_object", '{"$date":"x"}'],
  [
    '{"$float": {"$float": 1.0}}',
    { $object: { $float: { $object: { $float: { $float: "1.0" } } } } },
    "is_object",
    '{"$float":{"$float":1.0}}',
  ],
  ['{"$object": {"a": 1}}', { $object: { $object: { a: 1 } } }, "is_object", '{"$object":{"a":1}}'],
  ['{"$date": "x", "a": 1}', { $date: "x", a: 1 }, "is_object", '{"$date":"x","a":1}'],
  ["[1, 1.0]", [1, { $float: "1.0" }], "is_array", "[1,1.0]"],
];

describe("values", () => {
  test.each(made)("%s goes out and comes back as it was", (source, form, isOfType, shown) => {
    const { value } = only(`.v = ${source}`, {});
    expect(value).toEqual({ v: form });
    expect(only(`[${isOfType}(.v), .v == ${source}, .v]`, value).result).toEqual([
      true,
      true,
      form,
    ]);
    expect(plainJson(form)).toBe(shown);
  });

  test.each([
    [1.5, "is no integer"],
    [{ $float: 1 }, "content"],
    [{ $float: "NaN" }, "content"],
    [{ $integer: "1.5" }, "content"],
    [{ $date: "yesterday" }, "content"],
    [{ $bytes: "*" }, "content"],
    [{ $object: "x" }, "content"],
  ])("are refused in a form that has no value: %j", (value, message) => {
    expect(() => vrl.run(".", { events: [{ value }] })).toThrow(message);
  });

  test.each([
    ["1", 1],
    ["1.0", { $float: "1.0" }],
    ["1e3", { $float: "1e3" }],
    ["-0", { $float: "-0" }],
    ["9007199254740993", { $integer: "9007199254740993" }],
    // Beyond 64 bits they are floats to Vector.
    ["18446744073709551615", { $float: "18446744073709551615" }],
    ['{"a":[true,null,"x",2.50]}', { a: [true, null, "x", { $float: "2.50" }] }],
    ['{"$date":"2026-01-01T00:00:00Z"}', { $object: { $date: "2026-01-01T00:00:00Z" } }],
  ])("are read from JSON as Vector reads it: %s", (json, value) => {
    expect(parseVrlJson(json)).toEqual(value);
    // The module understands every one of them.
    expect(only(".v", { v: value }).kind).toBe("done");
  });

  test("read from JSON are shown as Vector would write them", () => {
    expect(plainJson(parseVrlJson('{"b":2.50,"a":1e3,"c":{"$float":"x"}}'))).toBe(
      '{"a":1000.0,"b":2.5,"c":{"$float":"x"}}',
    );
  });

  test("are made of what JavaScript has", () => {
    expect([vrlFloat(1), vrlFloat(-0), vrlFloat(-Infinity)]).toEqual([
      { $float: "1" },
      { $float: "-0.0" },
      { $float: "-inf" },
    ]);
    expect(vrlInteger(2n ** 63n)).toEqual({ $float: "9223372036854775808" });
    expect(vrlFields(vrlObject({ $bytes: "x" }))).toEqual({ $bytes: "x" });
    expect(vrlFields({ $bytes: "AA==" })).toBeUndefined();
  });
});
