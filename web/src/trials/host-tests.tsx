import { createSignal, onCleanup, Show, type JSX } from "solid-js";

import type { RunTestsOnHostResponse } from "#gen/vectorflow/v1/trial_service_pb.ts";

import { toUiError, type UiError } from "../api/errors.ts";
import { usePipeline } from "../pipelines/pipeline-context.tsx";
import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { ErrorBox, Notice } from "../ui/feedback.tsx";
import { TestList } from "./test-list.tsx";

/** Lets a host run the tests of a text with its own Vector, and shows what it says. */
export function HostTests(props: { text: string }): JSX.Element {
  const { clients } = useApi();
  const pipeline = usePipeline();
  const [ran, setRan] = createSignal<{ text: string; news: RunTestsOnHostResponse }>();
  const [error, setError] = createSignal<UiError>();
  const [busy, setBusy] = createSignal(false);
  let own = new AbortController();
  onCleanup(() => own.abort());
  const run = async (): Promise<void> => {
    own = new AbortController();
    const { signal } = own;
    const { text } = props;
    setBusy(true);
    setError(undefined);
    try {
      const request = { pipelineId: pipeline.id, yaml: text };
      for await (const news of clients.trials.runTestsOnHost(request, { signal })) {
        setRan({ text, news });
      }
    } catch (thrown) {
      if (!signal.aborted) setError(toUiError(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="host-tests">
      <Button loading={busy()} onClick={() => void run()}>
        Run on a host
      </Button>
      <Show when={error()}>
        {(failure) => <ErrorBox title="No host could run them." error={failure()} />}
      </Show>
      <Show when={ran()?.text === props.text && ran()?.news}>
        {(news) => (
          <Show
            when={news().done}
            fallback={<p role="status">{news().nodeName} is running them…</p>}
          >
            <h3>
              {news().nodeName}
              <Show when={news().vectorVersion}>
                {(version) => <span class="muted"> with Vector {version()}</span>}
              </Show>
            </h3>
            <Show when={news().reason}>{(reason) => <Notice tone="bad">{reason()}</Notice>}</Show>
            <Show when={news().tests.length > 0}>
              <TestList tests={news().tests} label={`Tests on ${news().nodeName}`} />
            </Show>
          </Show>
        )}
      </Show>
    </div>
  );
}
