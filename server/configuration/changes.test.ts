import { expect, test } from "vitest";
import { loadCatalogue } from "./catalogue.ts";
import { compareConfigs, type ConfigChanges } from "./changes.ts";
import { parsePipelineText, type PipelineGraph } from "./graph.ts";

const base = `timezone: local
sources:
  a: {type: demo_logs, format: json}
transforms:
  t: {type: remap, inputs: [a], source: ". = {}"}
sinks:
  out: {type: http, inputs: ["*"], uri: http://x, request: {headers: {a: "1"}, concurrency: 2}, ports: [1, 2]}
`;

const graphOf = (text: string): PipelineGraph => {
  const { graph, problems } = parsePipelineText(text);
  if (graph === undefined) throw new Error(JSON.stringify(problems));
  return graph;
};
const changed = (text: string, from: string | undefined = base): ConfigChanges =>
  compareConfigs(from === undefined ? undefined : graphOf(from), graphOf(text), loadCatalogue());

test.each<[string, string, ConfigChanges]>([
  [
    "comments, order and layout",
    base.replace(
      "a: {type: demo_logs, format: json}",
      "a:\n    # why\n    format: json\n    type: demo_logs",
    ),
    { components: [], options: [], effect: "nothing" },
  ],
  [
    "options, by their paths",
    base.replace('a: "1"', 'b: "1"').replace("[1, 2]", "[1, 3]").replace("http://x", "http://y"),
    {
      components: [
        {
          key: "out",
          kind: "changed",
          fields: ["uri", "request.headers.a", "request.headers.b", "ports.1"],
        },
      ],
      options: [],
      effect: "reload",
    },
  ],
  [
    "a type",
    base.replace("type: http,", "type: console,"),
    {
      components: [{ key: "out", kind: "changed", fields: ["type"] }],
      options: [],
      effect: "reload",
    },
  ],
  [
    "what a pattern catches anew",
    base.replace("transforms:", "  b: {type: stdin}\ntransforms:"),
    {
      components: [
        { key: "b", kind: "added", fields: [] },
        { key: "out", kind: "reconnected", fields: ["inputs"] },
      ],
      options: [],
      effect: "reload",
    },
  ],
  [
    "a component that is gone",
    base.replace(/transforms:\n.*\n/, ""),
    {
      components: [
        { key: "out", kind: "reconnected", fields: ["inputs"] },
        { key: "t", kind: "removed", fields: [] },
      ],
      options: [],
      effect: "reload",
    },
  ],
  [
    "a global option, for which the process starts again",
    base.replace("timezone: local", "timezone: UTC\nlog_schema: {host_key: h}"),
    { components: [], options: ["timezone", "log_schema"], effect: "restart" },
  ],
  [
    "a table, which is reloaded",
    `enrichment_tables: {t: {type: file}}\n${base}`,
    { components: [], options: ["enrichment_tables"], effect: "reload" },
  ],
])("tells %s", (_name, text, expected) => {
  expect(changed(text)).toEqual(expected);
});

test("all is added to nothing, and hosts start it", () => {
  const { components, effect } = changed(base, "");
  expect(effect).toBe("restart");
  expect(compareConfigs(undefined, graphOf(base), loadCatalogue())).toEqual({
    components: ["a", "t", "out"].map((key) => ({ key, kind: "added", fields: [] })),
    options: ["timezone"],
    effect: "start",
  });
  expect(components).toHaveLength(3);
});
