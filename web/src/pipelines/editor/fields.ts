import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";

import type { Component } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { findComponents } from "./outline.ts";

export interface ReachingField {
  readonly path: string;
  /** Empty when it can be anything. */
  readonly types: readonly string[];
  readonly certain: boolean;
}

/** The fields of the events that a component reads: certain only when all its inputs are certain of them. */
export function fieldsReaching(components: readonly Component[], key: string): ReachingField[] {
  const outputs = (components.find((component) => component.key === key)?.edges ?? []).flatMap(
    ({ componentKey, output }) =>
      components
        .find((component) => component.key === componentKey)
        ?.outputs.find(({ name }) => name === output) ?? [],
  );
  const found = new Map<string, ReachingField & { readonly times: number }>();
  for (const { path, types, certain } of outputs.flatMap(({ fields }) => fields)) {
    const known = found.get(path);
    found.set(path, {
      path,
      types:
        known !== undefined && (known.types.length === 0 || types.length === 0)
          ? []
          : [...new Set([...(known?.types ?? []), ...types])],
      certain: certain && (known?.certain ?? true),
      times: (known?.times ?? 0) + 1,
    });
  }
  return [...found.values()]
    .map(({ times, certain, ...field }) => ({
      ...field,
      certain: certain && times === outputs.length,
    }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Completes paths of events in the programs of transforms. */
export function completeFields(
  components: () => readonly Component[],
): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const path = /(?:^|[^\w.)\]"'])(\.[\w.@]*)$/.exec(before)?.[1];
    if (path === undefined || /^\s*inputs:/.test(line.text)) return null;
    const owner = findComponents(context.state.doc.toString()).findLast(
      ({ from }) => from <= context.pos,
    );
    if (owner?.section !== "transforms") return null;
    const options = fieldsReaching(components(), owner.key).map(({ path, types, certain }) => ({
      label: path,
      detail: `${types.join(" or ") || "anything"}${certain ? "" : ", if there"}`,
      type: "property",
    }));
    return options.length === 0
      ? null
      : { from: context.pos - path.length, options, validFor: /^\.[\w.@]*$/ };
  };
}
