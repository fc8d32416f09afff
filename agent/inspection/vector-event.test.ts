import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, test } from "vitest";
import { EventWrapperSchema, Metric_Kind, MetadataSchema } from "#gen/vector/event_pb.ts";
import { toJson } from "./event-json.ts";
import { decodeEvent } from "./vector-event.ts";

function json(event: MessageInitShape<typeof EventWrapperSchema>["event"]): string | undefined {
  const bytes = toBinary(
    EventWrapperSchema,
    create(EventWrapperSchema, { event: event ?? { case: undefined } }),
  );
  const decoded = decodeEvent(fromBinary(EventWrapperSchema, bytes, { readUnknownFields: false }));
  return decoded === undefined ? undefined : toJson(decoded);
}

const text = (value: string) => ({
  kind: { case: "rawBytes" as const, value: Uint8Array.from(Buffer.from(value)) },
});

describe("an event of Vector's API", () => {
  test("is a log with every kind of value, in the order of its names", () => {
    const time = { seconds: 1_767_225_600n, nanos: 120_000_000 };
    expect(
      json({
        case: "log",
        value: {
          fields: {
            z: { kind: { case: "integer", value: 2n ** 62n } },
            a: { kind: { case: "float", value: 1 } },
            b: { kind: { case: "boolean", value: true } },
            t: { kind: { case: "timestamp", value: time } },
            l: {
              kind: {
                case: "array",
                value: { items: [text("x"), { kind: { case: "null", value: 0 } }] },
              },
            },
            m: { kind: { case: "map", value: { fields: { "odd key": text("\uFFFD") } } } },
          },
        },
      }),
    ).toBe(
      '{"a":1.0,"b":true,"l":["x",null],"m":{"odd key":"\uFFFD"},"t":"2026-01-01T00:00:00.120Z","z":4611686018427387904}',
    );
  });

  test("is a log whose root is no object: the dummy field beside it is left out", () => {
    expect(
      json({
        case: "log",
        value: {
          fields: { ".": { kind: { case: "null", value: 0 } } },
          value: text("only a text"),
        },
      }),
    ).toBe('"only a text"');
  });

  test.each<[string, MessageInitShape<typeof EventWrapperSchema>["event"], string]>([
    [
      "counter",
      {
        case: "metric",
        value: {
          name: "n",
          namespace: "v",
          tagsV1: { b: "2", a: "1" },
          kind: Metric_Kind.Absolute,
          value: { case: "counter", value: { value: 2 } },
        },
      },
      '{"name":"n","namespace":"v","tags":{"a":"1","b":"2"},"kind":"absolute","counter":{"value":2.0}}',
    ],
    [
      "set",
      { case: "metric", value: { name: "n", value: { case: "set", value: { values: ["x"] } } } },
      '{"name":"n","kind":"incremental","set":{"values":["x"]}}',
    ],
    [
      "distribution",
      {
        case: "metric",
        value: {
          name: "n",
          value: { case: "distribution2", value: { samples: [{ value: 1.5, rate: 3 }] } },
        },
      },
      '{"name":"n","kind":"incremental","distribution":{"samples":[{"value":1.5,"rate":3}]}}',
    ],
    [
      "histogram",
      {
        case: "metric",
        value: {
          name: "n",
          value: {
            case: "aggregatedHistogram3",
            value: { buckets: [{ upperLimit: 1, count: 2n }], count: 2n, sum: 3 },
          },
        },
      },
      '{"name":"n","kind":"incremental","aggregated_histogram":{"buckets":[{"upper_limit":1.0,"count":2}],"count":2,"sum":3.0}}',
    ],
    [
      "summary",
      {
        case: "metric",
        value: {
          name: "n",
          value: {
            case: "aggregatedSummary3",
            value: { quantiles: [{ quantile: 0.5, value: 1 }], count: 1n, sum: 1 },
          },
        },
      },
      '{"name":"n","kind":"incremental","aggregated_summary":{"quantiles":[{"quantile":0.5,"value":1.0}],"count":1,"sum":1.0}}',
    ],
    [
      "sketch",
      {
        case: "metric",
        value: {
          name: "n",
          value: {
            case: "sketch",
            value: { agentDdSketch: { count: 1, min: 1, max: 1, sum: 1, avg: 1 } },
          },
        },
      },
      '{"name":"n","kind":"incremental","sketch":{"count":1,"min":1.0,"max":1.0,"sum":1.0,"avg":1.0}}',
    ],
    ["trace", { case: "trace", value: { fields: { a: text("x") } } }, '{"a":"x"}'],
  ])("is a %s", (_, event, expected) => {
    expect(json(event)).toBe(expected);
  });

  test("of a kind that is not known is none", () => {
    expect(json({ case: undefined })).toBeUndefined();
  });

  test("loses the secrets of its metadata before it is read", () => {
    const entry = new BinaryWriter().tag(1, WireType.LengthDelimited).string("key");
    entry.tag(2, WireType.LengthDelimited).string("hunter2");
    const secrets = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(entry.finish());
    const data = new BinaryWriter().bytes(secrets.finish()).finish();
    const metadata = create(MetadataSchema, { sourceId: "in" });
    metadata.$unknown = [{ no: 6, wireType: WireType.LengthDelimited, data }];
    const sent = toBinary(MetadataSchema, metadata);
    expect(Buffer.from(sent).toString("latin1")).toContain("hunter2");
    const read = fromBinary(MetadataSchema, sent, { readUnknownFields: false });
    expect(Buffer.from(toBinary(MetadataSchema, read)).toString("latin1")).not.toContain("hunter2");
  });
});
