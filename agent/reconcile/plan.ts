import { isDeepStrictEqual } from "node:util";
import type { ManifestEntry } from "./desired-state.ts";

/** What to do with one pipeline so that the node runs what the manifest lists. */
export type Action =
  | { readonly kind: "add"; readonly entry: ManifestEntry }
  | { readonly kind: "update"; readonly entry: ManifestEntry }
  | { readonly kind: "remove"; readonly pipelineId: string };

function sameEntry(a: ManifestEntry, b: ManifestEntry): boolean {
  return isDeepStrictEqual(a, b);
}

/**
 * Compares the manifest with what each pipeline was last told to be. Level-triggered: the answer
 * depends on the two states only, never on how they came about (P1). Only a manifest that does not
 * list a pipeline removes it (P2).
 */
export function planActions(
  wanted: readonly ManifestEntry[],
  present: ReadonlyMap<string, ManifestEntry>,
): readonly Action[] {
  const byId = new Map(wanted.map((entry) => [entry.pipelineId, entry]));
  const removed = [...present.keys()]
    .filter((id) => !byId.has(id))
    .map((pipelineId): Action => ({ kind: "remove", pipelineId }));
  const changed = [...byId.values()].flatMap((entry): Action[] => {
    const now = present.get(entry.pipelineId);
    if (now === undefined) return [{ kind: "add", entry }];
    return sameEntry(now, entry) ? [] : [{ kind: "update", entry }];
  });
  return [...removed, ...changed];
}
