import { catalogue, type ComponentFacts, type Kind } from "./catalogue.ts";

const unions = { source: "Sources", transform: "Transforms", sink: "Sinks" } as const;

/** The outline of what `vector generate-schema` writes: every type of each kind, without its options. */
export function generateSchema(): string {
  const { components } = catalogue();
  const union = (kind: Kind): object => ({
    oneOf: components.filter((facts) => facts.kind === kind).map(variant),
    _metadata: { "docs::enum_tagging": "internal", "docs::enum_tag_field": "type" },
  });
  const named = (kind: Kind): readonly [string, object] => [
    `vector::${unions[kind].toLowerCase()}::${unions[kind]}`,
    union(kind),
  ];
  const section = (kind: Kind): object => ({
    type: "object",
    additionalProperties: {
      $ref: `#/definitions/vector::${unions[kind].toLowerCase()}::${unions[kind]}`,
    },
  });
  return JSON.stringify({
    $schema: "https://json-schema.org/draft/2019-09/schema",
    description: "A complete Vector configuration.",
    allOf: [
      {
        type: "object",
        properties: {
          sources: section("source"),
          transforms: section("transform"),
          sinks: section("sink"),
        },
      },
    ],
    definitions: Object.fromEntries((["source", "transform", "sink"] as const).map(named)),
  });
}

function variant({ type }: ComponentFacts): object {
  return { allOf: [{ required: ["type"], properties: { type: { const: type } } }] };
}
