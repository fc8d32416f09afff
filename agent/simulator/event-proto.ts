import { create, type MessageInitShape } from "@bufbuild/protobuf";
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

/** An event as Vector's API sends it. */
export function toEventWrapper(event: SimEvent): EventWrapper {
  const metadataFull = { sourceId: event.origin.sourceId, sourceType: event.origin.sourceType };
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
