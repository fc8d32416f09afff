import { describe, expect, test } from "vitest";
import { loadCatalogue } from "../catalogue.ts";
import { parsePipelineText } from "../graph.ts";
import { addComponent } from "./add-component.ts";
import { freeKey, takenKeys } from "./rename.ts";

const catalogue = loadCatalogue();
const text = `# mine
sources:
    in: # the first
        type: demo_logs
        format: json

# what happens
transforms:
    remap:
        type: remap
        inputs: [in]
        source: |
            .a = 1

sinks:
    out: {type: blackhole, inputs: [remap]}
`;

const added = (before: string, kind: "source" | "transform" | "sink", type: string): string => {
  const result = addComponent(before, kind, type, catalogue);
  if (result.kind === "impossible") throw new Error(result.message);
  return result.text;
};

describe("a component that is added", () => {
  test("has the first free name, its required options, and the indentation of its section", () => {
    const first = added(text, "transform", "remap");
    expect(first).toBe(
      text.replace(
        "            .a = 1\n",
        "            .a = 1\n    remap_2:\n        type: remap\n        inputs: []\n",
      ),
    );
    const { graph } = parsePipelineText(added(first, "transform", "remap"));
    expect(graph?.components.map(({ key }) => key)).toContain("remap_3");
    expect(graph && freeKey("remap", takenKeys(graph))).toBe("remap_4");
    expect(graph && freeKey("filter", takenKeys(graph))).toBe("filter");
    const sink = added(text, "sink", "http");
    expect(sink).toMatch(/ {4}http:\n {8}type: http\n {8}inputs: \[\]\n(?: {8}\w+:.*\n)*$/);
    expect(sink).toMatch(/^ {8}uri:$/m);
  });

  test("has what its first choices need, and nothing that they do not", () => {
    const body = (kind: "source" | "transform" | "sink", type: string): string =>
      added("", kind, type)
        .split("\n")
        .slice(3)
        .map((line) => line.trim())
        .join(" ");
    expect(body("source", "socket")).toBe("mode: tcp address: ");
    expect(body("source", "fluent")).toBe("address: ");
    expect(body("transform", "lua")).toBe("inputs: [] source: ");
    expect(body("transform", "dedupe")).toBe("inputs: [] ");
  });

  test("makes its section when there is none, in an empty text too", () => {
    expect(added("", "source", "stdin")).toBe("sources:\n  stdin:\n    type: stdin\n");
    expect(added("timezone: UTC", "source", "stdin")).toBe(
      "timezone: UTC\nsources:\n  stdin:\n    type: stdin\n",
    );
  });

  test.each([
    ["a section in one line", "sources: {in: {type: stdin}}\n"],
    ["an empty section", "sources:\n"],
    ["a text that is no configuration", "- a\n"],
  ])("is not added to %s", (_name, before) => {
    expect(addComponent(before, "source", "stdin", catalogue).kind).toBe("impossible");
  });

  test("is not added when there is no such type", () => {
    expect(addComponent(text, "sink", "nothing", catalogue)).toMatchObject({
      message: "there is no sink of type nothing",
    });
  });
});
