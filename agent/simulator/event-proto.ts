import { create, type MessageInitShape, type UnknownField } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type EventWrapper,
  EventWrapperSchema,
  Metric_Kind,
  type ValueSchema,
} from "#gen/vector/event_pb.ts";
import type { EventFields, SimEvent, Value } from "./event.ts";

type ValueInit = MessageInitShape<typeof ValueSchema>;

const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text));

function toFields(fields: EventFields): Record<string, ValueInit> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, toValue(value)]));
}

function toValue(value: Value): ValueInit {
  if (value === null) return { kind: { case: "null", value: 0 } };
  if (value instanceof Date)
    return { kind: { case: "timestamp", value: timestampFromDate(value) } };
  if (Array.isArray(value))
    return { kind: { case: "array", value: { items: value.map(toValue) } } };
  switch (typeof value) {
    case "string":
      return { kind: { case: "rawBytes", value: bytes(value) } };
    case "boolean":
      return { kind: { case: "boolean", value } };
    case "number":
      return Number.isSafeInteger(value)
        ? { kind: { case: "integer", value: BigInt(value) } }
        : { kind: { case: "float", value } };
    default:
      return { kind: { case: "map", value: { fields: toFields(value as EventFields) } } };
  }
}

/**
 * `secrets`, field 6 of the metadata: a map with one entry, as a source with an API key would leave it. No
 * contract of ours has the field, because nobody may decode it.
 */
function secretsField(): UnknownField {
  const entry = new BinaryWriter().tag(1, WireType.LengthDelimited).string("sim_api_key");
  entry.tag(2, WireType.LengthDelimited).string("sim-metadata-secret");
  const secrets = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(entry.finish());
  const field = new BinaryWriter().bytes(secrets.finish());
  return { no: 6, wireType: WireType.LengthDelimited, data: field.finish() };
}

/** An event as Vector's API sends it, with the secrets that real ones carry in their metadata. */
export function toEventWrapper(event: SimEvent): EventWrapper {
  const { sourceId, sourceType } = event.origin;
  const metadataFull = { sourceId, sourceType, $unknown: [secretsField()] };
  if (event.kind === "log") {
    return create(EventWrapperSchema, {
      event: { case: "log", value: { fields: toFields(event.fields), metadataFull } },
    });
  }
  const { name, namespace, tags, timestamp, type, value } = event;
  return create(EventWrapperSchema, {
    event: {
      case: "metric",
      value: {
        name,
        namespace: namespace ?? "",
        tagsV1: { ...tags },
        timestamp: timestampFromDate(timestamp),
        kind: Metric_Kind.Absolute,
        value:
          type === "counter"
            ? { case: "counter", value: { value } }
            : { case: "gauge", value: { value } },
      },
    },
  });
}
