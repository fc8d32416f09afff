import { createEffect, createSignal, on, onCleanup, untrack, type Accessor } from "solid-js";

/** Rows that are moved by live numbers move at most this often, and never under the pointer. */
export const reorderMs = 5_000;

/**
 * An order that follows at once what a person asks for and which things exist, but changes of the
 * things themselves only now and then.
 */
export function createSteadyOrder<T>(options: {
  /** Must be untracked work over plain objects. */
  readonly compute: () => T;
  /** What asks for a new order at once. */
  readonly immediate: Accessor<unknown>;
  readonly frozen: Accessor<boolean>;
}): Accessor<T> {
  const [order, setOrder] = createSignal<T>(untrack(options.compute));
  createEffect(
    on(options.immediate, () => void setOrder(() => untrack(options.compute)), { defer: true }),
  );
  const timer = setInterval(() => {
    if (!untrack(options.frozen)) setOrder(() => untrack(options.compute));
  }, reorderMs);
  onCleanup(() => clearInterval(timer));
  return order;
}
