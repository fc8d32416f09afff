import { createEffect, createSignal, on, onCleanup, type Accessor } from "solid-js";

import type { ProgramFinding, ProgramPlace } from "#vrl/check-text.ts";

import type { Clock } from "../../lib/clock.ts";

export interface WorkerOrder {
  readonly id: number;
  readonly moduleUrl: string;
  readonly text: string;
  readonly programs: readonly ProgramPlace[];
}

export type WorkerAnswer =
  | { readonly id: number; readonly findings: readonly ProgramFinding[] }
  | { readonly id: number; readonly failed: string };

/** A thread with the compiler. */
export interface VrlThread {
  send(order: Omit<WorkerOrder, "moduleUrl">): void;
  end(): void;
}

/** What the compiler in this browser says of a text. */
export interface VrlChecked {
  readonly text: string;
  readonly findings: readonly ProgramFinding[];
}

export const vrlDelayMs = 100;
/** A check that takes longer is ended; the server has its own limit. The first one loads the compiler. */
export const checkLimitMs = 2_000;
export const loadLimitMs = 30_000;
/** A browser in which the compiler fails so often has to do with the server's answers. */
const maximumFailures = 3;
/** Larger texts are left to the server. */
const maximumTextLength = 262_144;

/**
 * Compiles the programs of a text in this browser as it changes: after a short pause, and never two texts at a time.
 * Nothing depends on it; what the server says later has the last word.
 */
export function createVrlChecks(
  text: Accessor<string>,
  programs: Accessor<readonly ProgramPlace[]>,
  deps: {
    readonly clock: Clock;
    /** Undefined where there are no threads. */
    start(onAnswer: (answer: WorkerAnswer) => void): VrlThread | undefined;
  },
): Accessor<VrlChecked | undefined> {
  const [checked, setChecked] = createSignal<VrlChecked>();
  let thread: VrlThread | undefined;
  let loaded = false;
  let failures = 0;
  let nextId = 0;
  let waiting: { readonly id: number; readonly text: string } | undefined;
  let limit: AbortController | undefined;

  const endThread = (): void => {
    limit?.abort(new Error("ended"));
    thread?.end();
    thread = undefined;
    loaded = false;
    waiting = undefined;
  };
  const fail = (): void => {
    failures += 1;
    endThread();
  };
  const settle = (answer: WorkerAnswer): void => {
    if (waiting?.id !== answer.id) return;
    if ("failed" in answer) return fail();
    limit?.abort(new Error("answered"));
    loaded = true;
    setChecked({ text: waiting.text, findings: answer.findings });
    waiting = undefined;
    // What was typed meanwhile is next.
    if (text() !== answeredText()) send();
    return undefined;
  };
  const answeredText = (): string | undefined => checked()?.text;
  const send = (): void => {
    const current = text();
    if (failures >= maximumFailures || waiting !== undefined || programs().length === 0) return;
    if (current.length > maximumTextLength || current === answeredText()) return;
    thread ??= deps.start(settle);
    if (thread === undefined) return;
    nextId += 1;
    waiting = { id: nextId, text: current };
    limit = new AbortController();
    deps.clock.sleep(loaded ? checkLimitMs : loadLimitMs, limit.signal).then(fail, () => {});
    thread.send({ id: nextId, text: current, programs: programs() });
  };

  createEffect(
    on([text, programs], () => {
      const own = new AbortController();
      onCleanup(() => own.abort(new Error("typed on")));
      deps.clock.sleep(vrlDelayMs, own.signal).then(send, () => {});
    }),
  );
  onCleanup(endThread);
  return checked;
}
