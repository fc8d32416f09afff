import { createSignal, type Accessor } from "solid-js";

import { toUiError } from "../api/errors.ts";

/** Something that a person starts: whether it runs, and what went wrong with it. */
export interface Action {
  readonly busy: Accessor<boolean>;
  readonly error: Accessor<string | undefined>;
  /** Runs it unless it runs already; true when it worked. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
  readonly reset: () => void;
}

export function createAction(): Action {
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();
  return {
    busy,
    error,
    async run(work) {
      if (busy()) return false;
      setBusy(true);
      setError(undefined);
      try {
        await work();
        return true;
      } catch (thrown) {
        setError(toUiError(thrown).message);
        return false;
      } finally {
        setBusy(false);
      }
    },
    reset: () => setError(undefined),
  };
}
