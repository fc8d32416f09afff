import { createEffect, createSignal, on, onCleanup, type Accessor } from "solid-js";

import { Severity, type Problem } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { PreviewPipelineResponse } from "#gen/vectorflow/v1/pipeline_service_pb.ts";

import { toUiError, type UiError } from "../api/errors.ts";
import { plural } from "../lib/format.ts";
import type { Clock } from "../lib/clock.ts";

export const previewDelayMs = 300;

/** What the server says about a text. */
export interface Checked {
  readonly text: string;
  readonly response: PreviewPipelineResponse;
}

export interface Preview {
  /** The newest answer; it may be about an older text. */
  readonly checked: Accessor<Checked | undefined>;
  readonly error: Accessor<UiError | undefined>;
  /** The text has changed since the answer. */
  readonly checking: Accessor<boolean>;
}

/** Has a text checked as it changes: after a pause, and never two checks at a time. */
export function createPreview(
  text: Accessor<string>,
  deps: {
    readonly clock: Clock;
    preview(yaml: string, signal: AbortSignal): Promise<PreviewPipelineResponse>;
  },
): Preview {
  const [checked, setChecked] = createSignal<Checked>();
  const [error, setError] = createSignal<UiError>();
  const check = async (yaml: string, signal: AbortSignal): Promise<void> => {
    try {
      if (checked() !== undefined) await deps.clock.sleep(previewDelayMs, signal);
      const response = await deps.preview(yaml, signal);
      if (signal.aborted) return;
      setChecked({ text: yaml, response });
      setError(undefined);
    } catch (thrown) {
      if (!signal.aborted) setError(toUiError(thrown));
    }
  };
  createEffect(
    on(text, (yaml) => {
      const own = new AbortController();
      onCleanup(() => own.abort(new Error("replaced")));
      void check(yaml, own.signal);
    }),
  );
  return {
    checked,
    error,
    checking: () => checked()?.text !== text() && error() === undefined,
  };
}

/** Errors first, then in the order of the text. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => b.severity - a.severity || a.from - b.from);
}

export function countErrors(problems: readonly Problem[]): number {
  return problems.filter(({ severity }) => severity === Severity.ERROR).length;
}

/** Why a deploy is refused, naming the components; undefined when it is not. */
export function deployBlock(problems: readonly Problem[]): string | undefined {
  const errors = problems.filter(({ severity }) => severity === Severity.ERROR);
  if (errors.length === 0) return undefined;
  const keys = [...new Set(errors.map((problem) => problem.componentKey).filter(Boolean))];
  const where = keys.length > 0 ? ` in ${keys.slice(0, 3).join(", ")}` : "";
  const more = keys.length > 3 ? ` and ${keys.length - 3} more` : "";
  return `Fix ${plural(errors.length, "error")}${where}${more} before deploying`;
}
