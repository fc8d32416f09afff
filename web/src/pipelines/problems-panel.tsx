import { For, Show, type JSX } from "solid-js";

import type { Problem, TextFix } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { plural } from "../lib/format.ts";
import { Button } from "../ui/button.tsx";
import { ProblemLine } from "./problem-line.tsx";
import { countErrors, sortProblems, type Preview } from "./preview.ts";

/** The editor offers the others under the marked place. */
const shownFixes = 3;

/** Everything that is wrong with the text; choosing one goes there. */
export function ProblemsPanel(props: {
  preview: Preview;
  onJump: (problem: Problem) => void;
  /** Absent for whoever may not change the draft. */
  onFix?: ((problem: Problem) => void) | undefined;
  /** Absent too while the text is newer than the problems: fixes are places in the text. */
  onTextFix?: ((fix: TextFix) => void) | undefined;
}): JSX.Element {
  const problems = (): Problem[] => sortProblems(props.preview.checked()?.response.problems ?? []);
  const title = (): string => {
    if (props.preview.error()) return "Could not be checked";
    if (props.preview.checked() === undefined) return "Checking…";
    const errors = countErrors(problems());
    const warnings = problems().length - errors;
    if (problems().length === 0) return "No problems";
    return [errors > 0 && plural(errors, "error"), warnings > 0 && plural(warnings, "warning")]
      .filter(Boolean)
      .join(", ");
  };
  return (
    <section class="problems" aria-label="Problems">
      <header class="problems-head">
        <div role="status">
          <h2>{title()}</h2>
        </div>
        <Show when={props.preview.checking() && props.preview.checked()}>
          <span class="faint">checking…</span>
        </Show>
      </header>
      <Show when={props.preview.error()}>
        {(error) => <p class="is-bad problems-note">{error().message}</p>}
      </Show>
      <ul class="problem-list">
        <For each={problems()}>
          {(problem) => (
            <li>
              <button type="button" class="problem-button" onClick={() => props.onJump(problem)}>
                <ProblemLine problem={problem} />
              </button>
              <Show when={props.onTextFix}>
                {(apply) => (
                  <For each={problem.textFixes.slice(0, shownFixes)}>
                    {(fix) => <Button onClick={() => apply()(fix)}>{fix.title}</Button>}
                  </For>
                )}
              </Show>
              <Show when={problem.fix?.kind.case === "moveToSecret" && props.onFix}>
                {(fix) => (
                  <Button
                    aria-label={`Move ${problem.componentKey}.${problem.field} to a secret`}
                    onClick={() => fix()(problem)}
                  >
                    Move to secret…
                  </Button>
                )}
              </Show>
            </li>
          )}
        </For>
      </ul>
    </section>
  );
}
