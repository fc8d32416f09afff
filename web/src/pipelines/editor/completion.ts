import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";

import type { Component } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { findComponents, type OutlineComponent } from "./outline.ts";

const topLevel = ["sources", "transforms", "sinks", "enrichment_tables", "secret", "api"];

/** Completes the sections at the left edge, and outputs of components where inputs are named. */
export function completePipeline(
  components: () => readonly Component[],
): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const text = context.state.doc.toString();
    const top = /^([a-z_]*)$/.exec(before);
    if (top && (before !== "" || context.explicit)) {
      return {
        from: line.from,
        options: topLevel.map((label) => ({ label, apply: `${label}:\n  `, type: "keyword" })),
      };
    }
    const input = /^\s*(?:inputs:\s*\[(?:[^\]]*,)?\s*|-\s+)["']?([\w.-]*)$/.exec(before);
    if (input && (before.includes("inputs") || isBelowInputs(text, line.from))) {
      return {
        from: context.pos - (input[1]?.length ?? 0),
        options: findComponents(text)
          .filter(({ section }) => section !== "sinks")
          .flatMap((component) => outputsOf(component, components()))
          .map(({ label, detail }) => ({ label, detail, type: "variable" })),
        validFor: /^[\w.-]*$/,
      };
    }
    return null;
  };
}

/** What inputs can name of a component: its outputs, where the server has told them. */
function outputsOf(
  { key, section }: OutlineComponent,
  components: readonly Component[],
): readonly { readonly label: string; readonly detail: string }[] {
  const known = components.find((component) => component.key === key);
  return known === undefined || known.outputs.length === 0
    ? [{ label: key, detail: section }]
    : known.outputs.map(({ name }) => ({
        label: name === "" ? key : `${key}.${name}`,
        detail: section,
      }));
}

/** Whether the list that a line belongs to is that of `inputs`. */
function isBelowInputs(text: string, lineStart: number): boolean {
  const above = text.slice(0, lineStart).split("\n").toReversed();
  const owner = above.find((line) => line.trim() !== "" && !/^\s*-\s/.test(line));
  return owner !== undefined && /^\s*inputs:\s*$/.test(owner);
}
