import { createSignal, type Accessor } from "solid-js";

import { isStale, toUiError, type UiError } from "../api/errors.ts";
import type { Clock } from "../lib/clock.ts";

/**
 * The draft of one pipeline while a page is open: what is typed, what is saved, and how they meet.
 * Invariants:
 *
 * 1. At most one save is on its way. What is typed meanwhile is saved after it.
 * 2. Every save names the revision that it was made from; a stale one never overwrites.
 * 3. What a person typed is replaced only when it is saved, or when that person says so.
 */
export const saveDelayMs = 1_000;
const retryDelayMs = 5_000;
const rememberedRevisions = 100;

export interface SavedDraft {
  readonly yaml: string;
  readonly revision: string;
  readonly updatedBy: string;
}

export type DraftState =
  | { readonly kind: "saved"; readonly at: number | undefined }
  | { readonly kind: "dirty" }
  | { readonly kind: "saving" }
  /** Somebody else saved meanwhile. */
  | { readonly kind: "conflict"; readonly theirs: SavedDraft }
  /** The server does not take it, or cannot be reached. */
  | { readonly kind: "failed"; readonly error: UiError };

export interface DraftSession {
  readonly text: Accessor<string>;
  readonly state: Accessor<DraftState>;
  readonly revision: Accessor<string>;
  readonly edit: (text: string) => void;
  /** Tells what the server has now; a clean session follows it. */
  readonly adopt: (theirs: SavedDraft) => void;
  /** Saves now. True when everything that was typed is saved. */
  readonly flush: () => Promise<boolean>;
  readonly takeTheirs: () => void;
  readonly overwrite: () => Promise<boolean>;
  readonly close: () => void;
}

export function createDraftSession(
  initial: SavedDraft,
  deps: {
    readonly clock: Clock;
    save(revision: string, yaml: string): Promise<SavedDraft>;
    load(): Promise<SavedDraft>;
  },
): DraftSession {
  const [text, setText] = createSignal(initial.yaml);
  const [saved, setSaved] = createSignal<SavedDraft>(initial, { equals: false });
  const [state, setState] = createSignal<DraftState>({ kind: "saved", at: undefined });
  const seen = [initial.revision];
  let timer: AbortController | undefined;
  let running: Promise<boolean> | undefined;

  const remember = (draft: SavedDraft): void => {
    setSaved(draft);
    seen.push(draft.revision);
    if (seen.length > rememberedRevisions) seen.shift();
  };

  const saveOnce = async (): Promise<"go-on" | "stop"> => {
    const sending = text();
    setState({ kind: "saving" });
    try {
      const answer = await deps.save(saved().revision, sending);
      remember({ ...answer, yaml: sending });
      return "go-on";
    } catch (thrown) {
      if (!isStale(thrown)) {
        const error = toUiError(thrown);
        setState({ kind: "failed", error });
        if (error.kind === "unreachable") saveIn(retryDelayMs);
        return "stop";
      }
    }
    try {
      const theirs = await deps.load();
      if (theirs.yaml === text() || theirs.yaml === saved().yaml) {
        // Nobody touched the text, so there is nothing to decide.
        remember(theirs);
        return "go-on";
      }
      setState({ kind: "conflict", theirs });
    } catch (thrown) {
      setState({ kind: "failed", error: toUiError(thrown) });
    }
    return "stop";
  };

  const saveAll = async (): Promise<boolean> => {
    while (text() !== saved().yaml) {
      if ((await saveOnce()) === "stop") return false;
    }
    if (state().kind !== "saved") setState({ kind: "saved", at: deps.clock.now() });
    return true;
  };

  const flush = (): Promise<boolean> => {
    timer?.abort(new Error("saving now"));
    if (state().kind === "conflict") return Promise.resolve(false);
    running ??= saveAll().finally(() => {
      running = undefined;
    });
    return running;
  };

  const saveIn = (ms: number): void => {
    timer?.abort(new Error("typed on"));
    timer = new AbortController();
    deps.clock.sleep(ms, timer.signal).then(flush, () => {});
  };

  return {
    text,
    state,
    revision: () => saved().revision,
    edit(next) {
      if (next === text()) return;
      setText(next);
      if (state().kind === "conflict") return;
      if (state().kind !== "saving") setState({ kind: "dirty" });
      saveIn(saveDelayMs);
    },
    adopt(theirs) {
      if (seen.includes(theirs.revision)) return;
      const clean = text() === saved().yaml && running === undefined;
      if (theirs.yaml === saved().yaml) remember(theirs);
      else if (clean) {
        remember(theirs);
        setText(theirs.yaml);
        setState({ kind: "saved", at: deps.clock.now() });
      }
    },
    flush,
    takeTheirs() {
      const current = state();
      if (current.kind !== "conflict") return;
      remember(current.theirs);
      setText(current.theirs.yaml);
      setState({ kind: "saved", at: deps.clock.now() });
    },
    overwrite() {
      const current = state();
      if (current.kind === "conflict") {
        remember(current.theirs);
        setState({ kind: "dirty" });
      }
      return flush();
    },
    close: () => timer?.abort(new Error("closed")),
  };
}
