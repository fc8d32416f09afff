import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";

import { findComponents } from "./outline.ts";

const topLevel = ["sources", "transforms", "sinks", "enrichment_tables", "secret", "api"];

/** Completes the sections at the left edge, and component ids where inputs are named. */
export function completePipeline(context: CompletionContext): CompletionResult | null {
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
        .map(({ key, section }) => ({ label: key, detail: section, type: "variable" })),
    };
  }
  return null;
}

/** Whether the list that a line belongs to is that of `inputs`. */
function isBelowInputs(text: string, lineStart: number): boolean {
  const above = text.slice(0, lineStart).split("\n").toReversed();
  const owner = above.find((line) => line.trim() !== "" && !/^\s*-\s/.test(line));
  return owner !== undefined && /^\s*inputs:\s*$/.test(owner);
}
