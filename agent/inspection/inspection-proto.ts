import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  FieldType,
  type RedactionRules as RedactionRulesMessage,
  type SampleResultSchema,
  type TappedEventSchema,
} from "#gen/vectorflow/agent/v1/inspection_pb.ts";
import { boundedText } from "../text.ts";
import type { ValueType } from "./event-value.ts";
import { noRules, type RedactionRules } from "./redact.ts";
import type { PreparedEvent } from "./prepare-event.ts";
import type { ComponentSample } from "./sampler.ts";

/** One message stays well below what the server takes. */
const maxMessageBytes = 2 * 1024 * 1024;

const fieldTypes: Readonly<Record<ValueType, FieldType>> = {
  string: FieldType.STRING,
  integer: FieldType.INTEGER,
  float: FieldType.FLOAT,
  boolean: FieldType.BOOLEAN,
  timestamp: FieldType.TIMESTAMP,
  array: FieldType.ARRAY,
  object: FieldType.OBJECT,
  null: FieldType.NULL,
};

export function rulesFromProto(rules: RedactionRulesMessage | undefined): RedactionRules {
  if (rules === undefined) return noRules;
  return { fieldGlobs: rules.fieldGlobs, valuePatterns: rules.valuePatterns };
}

export function tappedToProto(
  componentId: string,
  event: PreparedEvent,
): MessageInitShape<typeof TappedEventSchema> {
  return {
    componentId: boundedText(componentId, 256),
    json: event.json,
    cut: event.cut,
    redacted: event.redacted,
  };
}

/** The messages of one result: large ones are parted, and the last says what became of each component. */
export function* sampleToProto(
  commandId: string,
  samples: readonly ComponentSample[],
): Generator<MessageInitShape<typeof SampleResultSchema>> {
  let events: MessageInitShape<typeof TappedEventSchema>[] = [];
  let bytes = 0;
  for (const { componentId, events: sampled } of samples) {
    for (const event of sampled) {
      if (bytes > 0 && bytes + event.bytes > maxMessageBytes) {
        yield { commandId, events, more: true };
        events = [];
        bytes = 0;
      }
      events.push(tappedToProto(componentId, event));
      bytes += event.bytes;
    }
  }
  const components = samples.map((sample) => ({
    componentId: boundedText(sample.componentId, 256),
    complete: sample.complete,
    error: boundedText(sample.error, 1024),
    eventCount: sample.events.length,
    fields: sample.fields.map((field) => ({
      path: field.path,
      types: field.types.map((type) => fieldTypes[type]),
      eventCount: field.eventCount,
    })),
  }));
  yield { commandId, events, components };
}
