import type { Component } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { findComponents } from "./editor/outline.ts";

/** What can get another name: a component, or a route of one. */
export interface RenameTarget {
  /** As inputs name it. */
  readonly id: string;
  readonly component: string;
  /** Empty for the component itself. */
  readonly output: string;
}

const routes = new Set(["route", "exclusive_route"]);

export function renameTargets(components: readonly Component[]): RenameTarget[] {
  return components.flatMap(({ key, type, outputs }) => [
    { id: key, component: key, output: "" },
    ...(routes.has(type) ? outputs : [])
      .filter(({ name }) => name !== "_unmatched")
      .map(({ name }) => ({ id: `${key}.${name}`, component: key, output: name })),
  ]);
}

/** What a place in the text names, or the component that it is in. */
export function targetAt(
  text: string,
  position: number,
  targets: readonly RenameTarget[],
): RenameTarget | undefined {
  const before = /[\w.-]*$/.exec(text.slice(0, position))?.[0] ?? "";
  const after = /^[\w.-]*/.exec(text.slice(position))?.[0] ?? "";
  const word = before + after;
  const lineStart = text.lastIndexOf("\n", position - 1) + 1;
  const owner = findComponents(text).findLast(({ from }) => from <= position || from === lineStart);
  const byId = (id: string): RenameTarget | undefined => targets.find((target) => target.id === id);
  return byId(word) ?? byId(`${owner?.key}.${word}`) ?? byId(owner?.key ?? "");
}
