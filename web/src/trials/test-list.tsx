import { For, Show, type JSX } from "solid-js";

import { UnitTestState, type UnitTest } from "#gen/vectorflow/v1/trial_service_pb.ts";

import { StateMark, type Tone } from "../ui/mark.tsx";

type Word = readonly [Tone, string];

const unknownWord: Word = ["idle", "Unknown"];
const words: Readonly<Partial<Record<UnitTestState, Word>>> = {
  [UnitTestState.PASSED]: ["ok", "Passed"],
  [UnitTestState.FAILED]: ["bad", "Failed"],
  [UnitTestState.NOT_RUN]: ["idle", "Not run"],
};

/** Tests with how they ended; what went wrong with those that failed stands open. */
export function TestList(props: { tests: readonly UnitTest[]; label: string }): JSX.Element {
  return (
    <ul class="trial-list" aria-label={props.label}>
      <For each={props.tests}>{(test) => <TestItem test={test} />}</For>
    </ul>
  );
}

function TestItem(props: { test: UnitTest }): JSX.Element {
  const word = (): Word => words[props.test.state] ?? unknownWord;
  return (
    <li>
      <Show
        when={props.test.messages.length > 0}
        fallback={
          <div class="trial-line">
            <StateMark tone={word()[0]}>{word()[1]}</StateMark>
            <span>{props.test.name}</span>
          </div>
        }
      >
        <details open={props.test.state === UnitTestState.FAILED}>
          <summary class="trial-line">
            <StateMark tone={word()[0]}>{word()[1]}</StateMark>
            <span>{props.test.name}</span>
          </summary>
          <pre tabIndex={0}>{props.test.messages.join("\n")}</pre>
        </details>
      </Show>
    </li>
  );
}
