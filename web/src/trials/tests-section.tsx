import { Match, Show, Switch, type JSX } from "solid-js";

import { TrialService, UnitTestState, type UnitTest } from "#gen/vectorflow/v1/trial_service_pb.ts";

import { plural } from "../lib/format.ts";
import { usePipeline } from "../pipelines/pipeline-context.tsx";
import { useApi } from "../state/api.tsx";
import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { EmptyState, Notice } from "../ui/feedback.tsx";
import { Checkbox } from "../ui/field.tsx";
import { Section } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { HostTests } from "./host-tests.tsx";
import { TestList } from "./test-list.tsx";

const example = `tests:
  - name: errors are kept
    inputs:
      - insert_at: my_transform
        type: log
        log_fields: {level: error}
    outputs:
      - extract_from: my_transform
        conditions: ['.level == "error"']
`;

/** The tests of the draft, run again whenever it has changed. */
export function TestsSection(props: { text: string }): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const pipeline = usePipeline();
  const action = createAction();
  const read = useRead(
    TrialService.method.runTests,
    () => ({ pipelineId: pipeline.id, yaml: props.text }),
    { keepPrevious: true, staleTime: 0 },
  );
  const setGate = async (enabled: boolean): Promise<void> => {
    const request = { pipelineId: pipeline.id, enabled };
    const done = await action.run(() => clients.trials.setTestGate(request));
    if (done) {
      showToast(enabled ? "Only passing tests let a deploy through" : "Deploys need no tests");
    }
    read.refetch();
  };
  return (
    <Section
      title="Tests"
      actions={
        <Button loading={read.fetching()} onClick={() => read.refetch()}>
          Run again
        </Button>
      }
    >
      <QueryView read={read} skeletonRows={3}>
        {(answer) => (
          <>
            <Show
              when={environment.canEdit()}
              fallback={
                <Show when={answer().gate}>
                  <p>Deploys wait for passing tests.</p>
                </Show>
              }
            >
              <Checkbox
                label="Deploy only when all tests pass"
                checked={answer().gate}
                onChecked={(enabled) => void setGate(enabled)}
              />
            </Show>
            <Switch>
              <Match when={answer().problems.length > 0}>
                <Notice tone="warn">
                  Nothing was run: the draft has {plural(answer().problems.length, "error")}, the
                  first is: {answer().problems[0]?.message}
                </Notice>
              </Match>
              <Match when={answer().tests.length === 0}>
                <EmptyState
                  title="This draft has no tests"
                  actions={<CopyButton text={example} label="Copy an example" />}
                >
                  Tests are part of the text, under <code>tests:</code>, as Vector has them. They
                  put events into transforms and check what comes out.
                </EmptyState>
              </Match>
              <Match when={true}>
                <p role="status">{summary(answer().tests)}</p>
                <TestList tests={answer().tests} label="Tests" />
                <Show when={environment.canEdit()}>
                  <HostTests text={props.text} />
                </Show>
              </Match>
            </Switch>
          </>
        )}
      </QueryView>
    </Section>
  );
}

function summary(tests: readonly UnitTest[]): string {
  const count = (wanted: UnitTestState): number =>
    tests.filter(({ state }) => state === wanted).length;
  const failed = count(UnitTestState.FAILED);
  const notRun = count(UnitTestState.NOT_RUN);
  return [
    `${count(UnitTestState.PASSED)} passed`,
    `${failed} failed`,
    ...(notRun > 0 ? [`${notRun} run only in Vector`] : []),
  ].join(", ");
}
